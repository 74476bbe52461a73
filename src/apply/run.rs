//! Writes a plan in waves of users, some of them at a time: while one is read, or waits for its
//! answers, another one is written. Each goes through the stages of its own (`wave`), and no user is
//! in two of them; what one wave meets that every other would meet as well ends them all.

use futures_util::{StreamExt as _, stream};

use super::basis::Held;
use super::conduct::{Conduct, Shared};
use super::report::{Fate, Report};
use super::wave::Wave;
use crate::graph::Client;
use crate::plan::UserPlan;

/// Users of one wave: what two batches write.
const WAVE: usize = 40;

/// Waves at a time: enough that there is always one to be written while the others are read, and few
/// enough that what was read is still fresh when it is written.
const WAVES: usize = 5;

/// Carries the plan out and says what became of every change. `progress` hears how many users of
/// how many are through.
pub async fn run(
    held: Held<'_>,
    client: &Client,
    conduct: Conduct<'_, impl AsyncFnMut() -> Result<(), String>>,
    progress: impl Fn(usize, usize),
) -> Report {
    let users: Vec<&UserPlan> =
        held.plan.users.iter().filter(|user| !user.changes.is_empty()).collect();
    let (watch, shared) = conduct.share();
    let (fates, is_cut) = tokio::select! {
        biased;
        written = waves(held, client, &users, &shared, progress) => written,
        never = watch.go_on(&shared.rules, &shared.stop) => match never {},
    };
    let never = Fate::NotTried("never came to it".into());
    Report {
        fates: fates.into_iter().map(|fate| fate.unwrap_or_else(|| never.clone())).collect(),
        stopped: shared.stop.why().filter(|_| is_cut).map(|why| why.to_string()),
    }
}

/// What became of each change, by its place in the plan, and whether any wave was cut short.
async fn waves(
    held: Held<'_>,
    client: &Client,
    users: &[&UserPlan],
    shared: &Shared<'_>,
    progress: impl Fn(usize, usize),
) -> (Vec<Option<Fate>>, bool) {
    let mut all = vec![None; held.plan.changes.len()];
    let (mut through, mut any_cut) = (0, false);
    let waves = stream::iter(users.chunks(WAVE));
    let waves = waves.map(|users| Wave::new(held, client, users).written(shared));
    let mut waves = std::pin::pin!(waves.buffer_unordered(WAVES));
    while let Some((turns, is_cut)) = waves.next().await {
        any_cut |= is_cut;
        through += turns.len();
        for turn in turns {
            let places = all.get_mut(turn.user.changes.clone()).into_iter().flatten();
            places.zip(turn.into_fates()).for_each(|(place, fate)| *place = fate);
        }
        progress(through, users.len());
    }
    (all, any_cut)
}

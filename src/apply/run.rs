//! Writes a plan in waves of users, some of them at a time: while one is read, or waits for its
//! answers, another one is written. Each goes through the stages of its own (`wave`), and no user is
//! in two of them; what one wave meets that every other would meet as well ends them all. Who takes a
//! number over comes after all who let go of one.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::basis::Held;
use super::conduct::{Conduct, Shared};
use super::report::{Fate, Report};
use super::wave::Wave;
use crate::graph::Client;
use crate::plan::UserPlan;
use crate::plan::handing_on::HandingOn;
use crate::tenant::directory::UserIndex;

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
    let (watch, shared) = conduct.share();
    let Rounds { fates, touched, is_cut } = tokio::select! {
        biased;
        written = rounds(held, client, &shared, progress) => written,
        never = watch.go_on(&shared.rules, &shared.stop) => match never {},
    };
    let never = Fate::NotTried("never came to it".into());
    Report {
        fates: fates.into_iter().map(|fate| fate.unwrap_or_else(|| never.clone())).collect(),
        stopped: shared.stop.why().filter(|_| is_cut).map(|why| why.to_string()),
        touched,
    }
}

struct Rounds {
    /// What became of each change, by its place in the plan.
    fates: Vec<Option<Fate>>,
    touched: BTreeSet<UserIndex>,
    /// A wave was cut short.
    is_cut: bool,
}

/// Goes through the waves.
async fn rounds(
    held: Held<'_>,
    client: &Client,
    shared: &Shared<'_>,
    progress: impl Fn(usize, usize),
) -> Rounds {
    let handing_on = HandingOn::of(held.plan);
    let rounds = handing_on.rounds(held.plan);
    let users = rounds.iter().map(Vec::len).sum();
    let mut all = vec![None; held.plan.changes.len()];
    let (mut through, mut any_cut, mut touched) = (0, false, BTreeSet::new());
    for round in rounds {
        let is_done = |place| {
            let fate: Option<&Option<Fate>> = all.get(place);
            fate.and_then(Option::as_ref).is_some_and(Fate::is_there)
        };
        let in_vain = |user: &UserPlan| !handing_on.before(user.user).all(is_done);
        let in_vain: BTreeSet<UserIndex> =
            round.iter().filter(|user| in_vain(user)).map(|user| user.user).collect();
        let waves = stream::iter(round.chunks(WAVE)).map(|users| {
            let mut wave = Wave::new(held, client, users, shared);
            wave.leave(&in_vain, "somebody else still has the number, or may have it");
            wave.written(shared)
        });
        let mut waves = std::pin::pin!(waves.buffer_unordered(WAVES));
        while let Some((turns, is_cut)) = waves.next().await {
            any_cut |= is_cut;
            through += turns.len();
            for turn in turns {
                if turn.touched {
                    touched.insert(turn.user.user);
                }
                let places = all.get_mut(turn.user.changes.clone()).into_iter().flatten();
                places.zip(turn.into_fates()).for_each(|(place, fate)| *place = fate);
            }
            progress(through, users);
        }
    }
    Rounds { fates: all, touched, is_cut: any_cut }
}

//! Writes a plan in waves of users. Several waves run at a time: while one is read, or waits for its
//! answers, another one is written. Each wave goes through its own stages (`wave`), and no user is in
//! two waves. An error that every other wave would meet as well ends all of them. Users that reuse a
//! number are written after all users that release one.
//!
//! Not here: the stages of a wave (`wave`), or which user reuses which number (`plan::numbers::order`).

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::context::{RunContext, SharedContext};
use super::verify::VerifiedPlan;
use super::wave::Wave;
use crate::graph::Client;
use crate::plan::UserPlan;
use crate::plan::numbers::order::ReuseOrder;
use crate::results::{ApplyReport, ChangeResult};
use crate::tenant::directory::UserIndex;

/// Number of users in one wave: two batches of writes.
const WAVE: usize = 40;

/// Number of waves at a time: enough that one can always be written while the others are read, and few
/// enough that the facts are still fresh when they are used.
const WAVES: usize = 5;

/// Carries out the plan and returns the result of every change. `progress` receives the number of
/// finished users and the total number of users.
pub async fn run(
    verified: VerifiedPlan<'_>,
    client: &Client,
    conduct: RunContext<'_, impl AsyncFnMut() -> Result<(), String>>,
    progress: impl Fn(usize, usize),
) -> ApplyReport {
    let (watch, shared) = conduct.share();
    let Rounds { results, touched, is_cut } = tokio::select! {
        biased;
        written = rounds(verified, client, &shared, progress) => written,
        never = watch.go_on(&shared.rules, &shared.stop) => match never {},
    };
    let never = ChangeResult::NotTried("the run ended before this change".into());
    ApplyReport {
        results: results
            .into_iter()
            .map(|result| result.unwrap_or_else(|| never.clone()))
            .collect(),
        stopped: shared.stop.why().filter(|_| is_cut).map(|why| why.to_string()),
        touched,
    }
}

struct Rounds {
    /// The result of each change, by its place in the plan.
    results: Vec<Option<ChangeResult>>,
    touched: BTreeSet<UserIndex>,
    /// True if a wave was cut short.
    is_cut: bool,
}

/// Runs the waves, round by round.
async fn rounds(
    verified: VerifiedPlan<'_>,
    client: &Client,
    shared: &SharedContext<'_>,
    progress: impl Fn(usize, usize),
) -> Rounds {
    let handing_on = ReuseOrder::of(verified.plan);
    let rounds = handing_on.rounds(verified.plan);
    let users = rounds.iter().map(Vec::len).sum();
    let mut all = vec![None; verified.plan.changes.len()];
    let (mut finished, mut any_cut, mut touched) = (0, false, BTreeSet::new());
    for round in rounds {
        let is_done = |place| {
            let result: Option<&Option<ChangeResult>> = all.get(place);
            result.and_then(Option::as_ref).is_some_and(ChangeResult::is_there)
        };
        let is_blocked = |user: &UserPlan| !handing_on.before(user.user).all(is_done);
        let blocked: BTreeSet<UserIndex> =
            round.iter().filter(|user| is_blocked(user)).map(|user| user.user).collect();
        let waves = stream::iter(round.chunks(WAVE)).map(|users| {
            let mut wave = Wave::new(verified, client, users, shared);
            wave.leave(&blocked, "another user still has the number, or may have it");
            wave.written(shared)
        });
        let mut waves = std::pin::pin!(waves.buffer_unordered(WAVES));
        while let Some((user_runs, is_cut)) = waves.next().await {
            any_cut |= is_cut;
            finished += user_runs.len();
            for user_run in user_runs {
                if user_run.touched {
                    touched.insert(user_run.user.user);
                }
                let places = all.get_mut(user_run.user.changes.clone()).into_iter().flatten();
                places.zip(user_run.into_results()).for_each(|(place, result)| *place = result);
            }
            progress(finished, users);
        }
    }
    Rounds { results: all, touched, is_cut: any_cut }
}

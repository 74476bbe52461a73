//! Sends the writes of a stage and settles their results: each write is recorded in the journal before
//! and after, read again if its result is unknown, sent again if re-reading shows that it was not done,
//! and put back if it is no longer safe (`post_write_check`).
//!
//! Not here: which stage comes when (`wave`), or how a request travels (`graph`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::context::{SentWrite, SharedContext};
use super::user_run::UserRun;
use super::wave::Wave;
use crate::entra::phones;
use crate::entra::write::{self, OnePerUser};
use crate::graph::{Error, ErrorKind, WriteOutcome};
use crate::id::UserId;
use crate::journal::Noted;
use crate::results::ChangeResult;
use crate::settings::change::{Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::Facts;

/// Maximum number of times that one write is sent, if the service could not accept it and it was not
/// done.
const SENT_AT_MOST: u32 = 4;

/// How long all these attempts may take, including the waits that the service asks for.
const SENT_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Why a write that was recorded is not sent.
const TOO_OLD: &str = "it was not sent: the facts were too old by the time the journal was written";

/// What happened to a write that was recorded.
enum Reply {
    Answer(Option<WriteOutcome>),
    /// It was not sent: the facts it depends on were too old once it was recorded.
    TooOld,
}

/// Result of sending a stage once.
pub(super) struct Sending {
    pub(super) sent: Vec<SentWrite>,
    /// True if a write was not sent because the journal took too long.
    pub(super) journal_was_slow: bool,
    /// How long to wait before the writes that were not done are sent again.
    pub(super) wait: Option<Duration>,
}

/// A write that has to be read again to know whether it was done.
struct Doubt {
    error: Error,
    /// This request was certainly refused, but the outcome of the earlier request is unknown.
    refused: bool,
}

/// What is known about some writes once their answers have arrived.
#[derive(Default)]
struct Answers {
    doubts: BTreeMap<usize, Doubt>,
    withdrawn: BTreeMap<usize, &'static str>,
    /// Request ids, by which Microsoft can find the requests.
    request_ids: BTreeMap<usize, String>,
    /// Ids of the answers to batches that failed as a whole.
    batch_ids: BTreeMap<usize, String>,
    stopped: Option<Error>,
}

impl Answers {
    fn note(&mut self, place: usize, error: &Error) {
        self.request_ids.extend(error.request_id().map(|id| (place, id.to_owned())));
        self.batch_ids.extend(error.shared_answer().map(|id| (place, id.to_owned())));
    }
}

impl Wave<'_> {
    /// Sends the changes that are due, if their facts are still fresh once the changes are in the
    /// journal.
    pub(super) async fn send(
        &mut self,
        stage: Stage,
        begun: Instant,
        shared: &SharedContext<'_>,
    ) -> Result<Sending, String> {
        let started = self.clock.now();
        let due = self.user_runs.iter().enumerate();
        let due: Vec<(usize, Change)> =
            due.filter_map(|(place, user_run)| Some((place, user_run.due(stage)?))).collect();
        let sent = shared.intend(self.verified.plan, &due).await?;
        let old = self.too_old(&sent, shared);
        let changes: OnePerUser = sent
            .iter()
            .filter(|(place, ..)| !old.contains(place))
            .filter_map(|(place, change, _)| Some((self.user_runs.get(*place)?.id, *change)))
            .collect();
        let over = async || {
            tokio::select! {
                () = shared.stop.wait() => {}
                () = self.clock.passes(&started, shared.patience) => {}
            }
        };
        let mut outcomes = write::write(self.client, over, changes).await;
        let replies = sent.iter().map(|(place, ..)| match old.contains(place) {
            true => Reply::TooOld,
            false => Reply::Answer(
                self.user_runs.get(*place).and_then(|user_run| outcomes.remove(&user_run.id)),
            ),
        });
        let replies = replies.collect();
        let left = SENT_WITHIN.saturating_sub(begun.elapsed());
        let wait = self.settle_replies(stage, &sent, (replies, left), shared).await?;
        Ok(Sending { sent, journal_was_slow: !old.is_empty(), wait })
    }

    /// Returns the users whose facts are too old by now; all of them if the tenant's rules are too old.
    /// The disk can be slow.
    fn too_old(&self, sent: &[SentWrite], shared: &SharedContext<'_>) -> BTreeSet<usize> {
        let (now, most) = (self.clock.now(), shared.fresh.saturating_add(shared.noted_within));
        let rules = shared.rules.are_older(shared.noted_within);
        let is_old = |place: &usize| {
            rules || self.user_runs.get(*place).is_none_or(|user_run| user_run.is_older(most, &now))
        };
        sent.iter().map(|(place, ..)| *place).filter(is_old).collect()
    }

    /// Records the results of writes, reads those whose outcome is unknown, and puts back those that are
    /// no longer safe. Returns how long to wait before some are sent again.
    async fn settle_replies(
        &mut self,
        stage: Stage,
        sent: &[SentWrite],
        (replies, left): (Vec<Reply>, Duration),
        shared: &SharedContext<'_>,
    ) -> Result<Option<Duration>, String> {
        let since = self.clock.now();
        let before: BTreeMap<usize, Facts> = sent
            .iter()
            .filter_map(|(place, ..)| Some((*place, self.user_runs.get(*place)?.facts)))
            .collect();
        let mut answers = self.sort(stage, sent, replies);
        let (seen, reread) = self.read_doubts(stage, &answers.doubts, shared.second_look).await;
        let wait = self.judge(stage, &answers.doubts, &seen, (left, shared.resend_after));
        let (unsafe_writes, checked) =
            self.unsafe_writes(stage, sent, (&before, since), shared).await;
        let results = self.results(sent, &answers);
        let in_doubt = sent
            .iter()
            .zip(&results)
            .filter(|(_, result)| matches!(result, ChangeResult::Unknown(_)));
        self.in_doubt.extend(in_doubt.map(|(sent, _)| *sent));
        let noted = sent.iter().zip(&results).map(|((place, _, number), result)| {
            (*number, Noted::of(result, answers.request_ids.remove(place)))
        });
        let noted = shared.note(noted.collect());
        // This reaches the disk together with the intents of the writes that are put back.
        self.put_back(stage, unsafe_writes, shared).await;
        let known = noted?;
        shared.sync().await?;
        shared.stop.know(known);
        reread.and(checked).map_err(|error| error.to_string())?;
        answers.stopped.take().map_or(Ok(()), |error| Err(error.to_string()))?;
        shared.count(self.counted(sent, &answers).iter())?;
        if !answers.withdrawn.is_empty() {
            shared.stop.check()?;
        }
        Ok(wait)
    }

    fn sort(&mut self, stage: Stage, sent: &[SentWrite], replies: Vec<Reply>) -> Answers {
        let mut answers = Answers::default();
        for ((place, ..), reply) in sent.iter().zip(replies) {
            let Some(user_run) = self.user_runs.get_mut(*place) else { continue };
            let Reply::Answer(outcome) = reply else {
                answers.withdrawn.insert(*place, TOO_OLD);
                continue;
            };
            match outcome {
                Some(WriteOutcome::Refused(error)) if error.kind() == ErrorKind::Withdrawn => {
                    answers.withdrawn.insert(*place, "it was not sent in time");
                }
                Some(WriteOutcome::Done(done)) => {
                    answers.request_ids.extend(done.request_id.map(|id| (*place, id)));
                    user_run.touched = true;
                    user_run.end(stage, ChangeResult::Done);
                }
                Some(WriteOutcome::Refused(error)) if error.concerns_all() => {
                    answers.note(*place, &error);
                    user_run.end(stage, ChangeResult::Failed(error.to_string().into()));
                    answers.stopped.get_or_insert(error);
                }
                // The earlier request for the same write may have been carried out after all.
                Some(WriteOutcome::Refused(error)) if user_run.is_sent_again() => {
                    answers.note(*place, &error);
                    answers.doubts.insert(*place, Doubt { error, refused: true });
                }
                Some(WriteOutcome::Refused(error)) => {
                    answers.note(*place, &error);
                    user_run.end(stage, ChangeResult::Failed(error.to_string().into()));
                }
                Some(WriteOutcome::Unknown(error)) => {
                    answers.note(*place, &error);
                    user_run.touched = true;
                    answers.doubts.insert(*place, Doubt { error, refused: false });
                }
                None => user_run
                    .end(stage, ChangeResult::Failed("no request exists for this change".into())),
            }
        }
        answers
    }

    /// Returns the result of each write in the form that the journal records.
    fn results(&self, sent: &[SentWrite], answers: &Answers) -> Vec<ChangeResult> {
        let result = |(place, change, _): &SentWrite| {
            if let Some(why) = answers.withdrawn.get(place) {
                return ChangeResult::NotTried((*why).into());
            }
            let user_run = self.user_runs.get(*place);
            let result = user_run
                .and_then(|user_run| user_run.result(change).or(user_run.so_far()))
                .cloned();
            result.unwrap_or_else(|| ChangeResult::Unknown("its result was not recorded".into()))
        };
        sent.iter().map(result).collect()
    }

    /// Returns the results that count for the breaker. A write that is sent again has not failed yet.
    fn counted(&self, sent: &[SentWrite], answers: &Answers) -> Vec<ChangeResult> {
        let results = sent.iter().filter_map(|(place, change, _)| {
            let result = self.user_runs.get(*place)?.result(change)?;
            (!answers.withdrawn.contains_key(place)).then(|| (*place, result.clone()))
        });
        once_for_each_answer(results, &answers.batch_ids)
    }

    /// Reads the users whose writes are in doubt. A write that may still be under way is read a second
    /// time; if it does not show then, its outcome is unknown.
    async fn read_doubts(
        &mut self,
        stage: Stage,
        doubts: &BTreeMap<usize, Doubt>,
        second_look: Duration,
    ) -> (BTreeMap<UserId, Shows>, Result<(), Error>) {
        let mut seen = BTreeMap::new();
        for wait in [Duration::ZERO, second_look] {
            let open = |(place, Doubt { error, .. }): (&usize, &Doubt)| {
                let id = self.user_runs.get(*place)?.id;
                let unseen = error.may_be_under_way() && seen.get(&id) != Some(&Shows::Done);
                (wait.is_zero() || unseen).then_some(id)
            };
            let open: BTreeSet<UserId> = doubts.iter().filter_map(open).collect();
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(wait).await;
            match self.read_writes(stage, &open).await {
                Ok(shown) => seen.extend(shown),
                Err(error) => return (seen, Err(error)),
            }
        }
        (seen, Ok(()))
    }

    /// Settles the writes in doubt by what was read, except those that are sent again. Returns how long
    /// to wait for those.
    fn judge(
        &mut self,
        stage: Stage,
        doubts: &BTreeMap<usize, Doubt>,
        seen: &BTreeMap<UserId, Shows>,
        (left, base): (Duration, Duration),
    ) -> Option<Duration> {
        let mut longest = None;
        for (place, Doubt { error, refused }) in doubts {
            let Some(user_run) = self.user_runs.get_mut(*place) else { continue };
            if user_run.due(stage).is_none() {
                continue;
            }
            let shown = seen.get(&user_run.id).copied();
            let result = match shown {
                Some(Shows::Done) => ChangeResult::Done,
                Some(Shows::NotDone) if *refused => ChangeResult::Failed(error.to_string().into()),
                Some(Shows::NotDone) if error.may_be_under_way() => ChangeResult::Unknown(
                    format!("{error}; re-reading does not show the change yet").into(),
                ),
                Some(Shows::NotDone) => ChangeResult::Failed(
                    format!("{error}; re-reading does not show the change").into(),
                ),
                Some(Shows::Nothing) | None => {
                    ChangeResult::Unknown(format!("{error}; it could not be read again").into())
                }
            };
            let is_undone = shown == Some(Shows::NotDone);
            let sent = user_run.sent_so_often();
            let wait = error.retry_after().unwrap_or(base.saturating_mul(1 << sent.min(8)));
            let may = error.is_of_the_moment() && sent + 1 < SENT_AT_MOST && wait < left;
            if is_undone && !refused && may {
                user_run.again(result);
                longest = longest.max(Some(wait));
            } else {
                user_run.end(stage, result);
            }
        }
        longest
    }

    /// Returns what a new read shows about the writes of some users. Phones are read by their own
    /// addresses, because lists are late.
    async fn read_writes(
        &mut self,
        stage: Stage,
        users: &BTreeSet<UserId>,
    ) -> Result<Vec<(UserId, Shows)>, Error> {
        let due = |user_run: &UserRun<'_>| {
            users.contains(&user_run.id).then(|| user_run.due(stage)).flatten()
        };
        let is_listed = |user_run: &UserRun<'_>| {
            due(user_run).is_some_and(|change| !phones::has_address(change.setting))
        };
        if self.user_runs.iter().any(is_listed) {
            self.read_again(is_listed).await?;
        }
        let asked: Vec<(UserId, Change)> = self
            .user_runs
            .iter()
            .filter_map(|user_run| Some((user_run.id, due(user_run)?)))
            .filter(|(_, change)| phones::has_address(change.setting))
            .collect();
        let phones: Vec<(UserId, Setting)> =
            asked.iter().map(|(id, change)| (*id, change.setting)).collect();
        let values = phones::look(self.client, &phones).await?;
        let listed =
            self.user_runs.iter().filter(|user_run| is_listed(user_run)).filter_map(|user_run| {
                let change = due(user_run)?;
                let value = Values::observed(&user_run.facts).get(change.setting);
                Some((user_run.id, Shows::of(value, &change)))
            });
        let asked = asked.iter().zip(values);
        let asked = asked.map(|((id, change), value)| (*id, Shows::of(value, change)));
        Ok(listed.chain(asked).collect())
    }
}

/// What a read shows about a write in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Done,
    NotDone,
    /// The value could not be read.
    Nothing,
}

impl Shows {
    pub(super) fn of(value: Value, change: &Change) -> Self {
        // If there is no phone, there is no SMS sign-in to switch, and that does not show it as
        // switched.
        let is_missing = value == Value::Nothing && change.after != Value::Nothing;
        match () {
            () if value.is_unknown() => Self::Nothing,
            () if !is_missing && value.meets(change.after) => Self::Done,
            () => Self::NotDone,
        }
    }
}

/// Returns the results of writes, once for each answer: a batch that fails as a whole has one answer, however
/// many writes it holds.
fn once_for_each_answer(
    results: impl Iterator<Item = (usize, ChangeResult)>,
    batch_ids: &BTreeMap<usize, String>,
) -> Vec<ChangeResult> {
    let mut counted = BTreeSet::new();
    let is_first = |(place, result): &(usize, ChangeResult)| {
        let shared = batch_ids.get(place).filter(|_| *result != ChangeResult::Done);
        shared.is_none_or(|answer| counted.insert(answer))
    };
    results.filter(is_first).map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_that_fails_as_a_whole_counts_once() {
        let failed = || ChangeResult::Failed("503".into());
        let batches: BTreeMap<usize, String> = (0..40)
            .map(|place| (place, if place < 20 { "one" } else { "other" }.to_owned()))
            .collect();
        let all = |count: usize| (0..count).map(|place| (place, failed()));
        assert_eq!(once_for_each_answer(all(20), &batches), [failed()]);
        assert_eq!(once_for_each_answer(all(40), &batches), [failed(), failed()]);
        assert_eq!(
            once_for_each_answer(all(40), &BTreeMap::new()).len(),
            40,
            "answers of their own"
        );
        let shown =
            (0..20).map(|place| (place, if place < 3 { ChangeResult::Done } else { failed() }));
        let counted = once_for_each_answer(shown, &batches);
        assert_eq!(counted, [ChangeResult::Done, ChangeResult::Done, ChangeResult::Done, failed()]);
    }
}

//! What a stage sends, and what came of it: noted in the journal before and after, read again where it
//! is not known, sent again where a fresh read shows that it was not done, put back where it rests on
//! nothing any more (`rests`).
//!
//! Not here: which stage comes when (`wave`), or how a request travels (`graph`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::conduct::{Sent, Shared};
use super::journal::Noted;
use super::report::Fate;
use super::turn::Turn;
use super::wave::Wave;
use crate::entra::{phones, write};
use crate::graph::{Error, Kind, Outcome};
use crate::id::UserId;
use crate::settings::change::{Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::Facts;

/// How often a write is sent at most that the service could not take and that was not done.
const SENT_AT_MOST: u32 = 4;

/// How long all of that may take, with what the service asks to wait.
const SENT_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Why a write that was noted is not sent.
const GREW_OLD: &str =
    "it was not sent: what was read had grown too old before the journal was written";

/// What came of a write that was noted.
enum Came {
    Answer(Option<Outcome>),
    /// It was not sent: what it rests on was too old once it was noted.
    TooOld,
}

/// What came of sending a stage once.
pub(super) struct Sending {
    pub(super) sent: Vec<Sent>,
    /// Something was not sent because the journal took too long.
    pub(super) grew_old: bool,
    /// How long to wait before what was not done is sent again.
    pub(super) wait: Option<Duration>,
}

/// A write of which it has to be read whether it was done.
struct Doubt {
    error: Error,
    /// It is certain that this one was refused, but not what became of the one before it.
    refused: bool,
}

/// What is known of some writes once their answers are there.
#[derive(Default)]
struct Answers {
    doubts: BTreeMap<usize, Doubt>,
    withdrawn: BTreeMap<usize, &'static str>,
    /// Ids by which Microsoft finds the requests again.
    asked: BTreeMap<usize, String>,
    /// The answers to batches that failed as a whole.
    shared: BTreeMap<usize, String>,
    stopped: Option<Error>,
}

impl Answers {
    fn note(&mut self, place: usize, error: &Error) {
        self.asked.extend(error.request_id().map(|id| (place, id.to_owned())));
        self.shared.extend(error.shared_answer().map(|id| (place, id.to_owned())));
    }
}

impl Wave<'_> {
    /// Sends what is due, where what it rests on is still fresh once it is in the journal.
    pub(super) async fn send(
        &mut self,
        stage: Stage,
        begun: Instant,
        shared: &Shared<'_>,
    ) -> Result<Sending, String> {
        let turn_came = self.clock.now();
        let due = self.turns.iter().enumerate();
        let due: Vec<(usize, Change)> =
            due.filter_map(|(place, turn)| Some((place, turn.due(stage)?))).collect();
        let sent = shared.intend(self.held.plan, &due)?;
        let old = self.grew_old(&sent, shared);
        let changes: Vec<(UserId, Change)> = sent
            .iter()
            .filter(|(place, ..)| !old.contains(place))
            .filter_map(|(place, change, _)| Some((self.turns.get(*place)?.id, *change)))
            .collect();
        let over = async || {
            tokio::select! {
                () = shared.stop.wait() => {}
                () = self.clock.passes(&turn_came, shared.patience) => {}
            }
        };
        let mut outcomes = write::write(self.client, over, &changes).await.into_iter();
        let came = sent.iter().map(|(place, ..)| match old.contains(place) {
            true => Came::TooOld,
            false => Came::Answer(outcomes.next().flatten()),
        });
        let came = came.collect();
        let left = SENT_WITHIN.saturating_sub(begun.elapsed());
        let wait = self.take_in(stage, &sent, (came, left), shared).await?;
        Ok(Sending { sent, grew_old: !old.is_empty(), wait })
    }

    /// Whose facts, or the rules for everybody, are too old by now. The disk can take its time.
    fn grew_old(&self, sent: &[Sent], shared: &Shared<'_>) -> BTreeSet<usize> {
        let (now, most) = (self.clock.now(), shared.fresh.saturating_add(shared.noted_within));
        let rules = shared.rules.are_older(shared.noted_within);
        let is_old = |place: &usize| {
            rules || self.turns.get(*place).is_none_or(|turn| turn.is_older(most, &now))
        };
        sent.iter().map(|(place, ..)| *place).filter(is_old).collect()
    }

    /// Notes what became of writes, looks after those of which it is not known whether they were done,
    /// and takes back what rests on nothing any more. Gives how long to wait before some are sent again.
    async fn take_in(
        &mut self,
        stage: Stage,
        sent: &[Sent],
        (came, left): (Vec<Came>, Duration),
        shared: &Shared<'_>,
    ) -> Result<Option<Duration>, String> {
        let since = self.clock.now();
        let before: BTreeMap<usize, Facts> = sent
            .iter()
            .filter_map(|(place, ..)| Some((*place, self.turns.get(*place)?.facts)))
            .collect();
        let mut answers = self.sort(stage, sent, came);
        let (seen, looked) = self.look_after(stage, &answers.doubts, shared.second_look).await;
        let wait = self.judge(stage, &answers.doubts, &seen, (left, shared.resend_after));
        let (lost, checked) = self.lost(stage, sent, (&before, since), shared).await;
        let fates = self.fates(sent, &answers);
        let in_doubt = sent.iter().zip(&fates).filter(|(_, fate)| matches!(fate, Fate::Unknown(_)));
        self.in_doubt.extend(in_doubt.map(|(sent, _)| *sent));
        let noted = sent.iter().zip(&fates).map(|((place, _, number), fate)| {
            (*number, Noted::of(fate, answers.asked.remove(place)))
        });
        let noted = shared.note(noted.collect());
        // It comes to the disk together with the intent to take it back.
        self.put_back(stage, lost, shared).await;
        let known = noted.and_then(|known| shared.sync().map(|()| known))?;
        shared.stop.know(known);
        looked.and(checked).map_err(|error| error.to_string())?;
        answers.stopped.take().map_or(Ok(()), |error| Err(error.to_string()))?;
        shared.count(self.counted(sent, &answers).iter())?;
        if !answers.withdrawn.is_empty() {
            shared.stop.check()?;
        }
        Ok(wait)
    }

    fn sort(&mut self, stage: Stage, sent: &[Sent], came: Vec<Came>) -> Answers {
        let mut answers = Answers::default();
        for ((place, ..), came) in sent.iter().zip(came) {
            let Some(turn) = self.turns.get_mut(*place) else { continue };
            let Came::Answer(outcome) = came else {
                answers.withdrawn.insert(*place, GREW_OLD);
                continue;
            };
            match outcome {
                Some(Outcome::Refused(error)) if error.kind() == Kind::Withdrawn => {
                    answers.withdrawn.insert(*place, "it was not sent in time");
                }
                Some(Outcome::Done(done)) => {
                    answers.asked.extend(done.request_id.map(|id| (*place, id)));
                    turn.touched = true;
                    turn.end(stage, Fate::Done);
                }
                Some(Outcome::Refused(error)) if error.concerns_all() => {
                    answers.note(*place, &error);
                    turn.end(stage, Fate::Failed(error.to_string().into()));
                    answers.stopped.get_or_insert(error);
                }
                // The one before it may have been done after all.
                Some(Outcome::Refused(error)) if turn.is_sent_again() => {
                    answers.note(*place, &error);
                    answers.doubts.insert(*place, Doubt { error, refused: true });
                }
                Some(Outcome::Refused(error)) => {
                    answers.note(*place, &error);
                    turn.end(stage, Fate::Failed(error.to_string().into()));
                }
                Some(Outcome::Unknown(error)) => {
                    answers.note(*place, &error);
                    turn.touched = true;
                    answers.doubts.insert(*place, Doubt { error, refused: false });
                }
                None => turn.end(stage, Fate::Failed("there is no request that does this".into())),
            }
        }
        answers
    }

    /// What became of each write, as the journal has it.
    fn fates(&self, sent: &[Sent], answers: &Answers) -> Vec<Fate> {
        let fate = |(place, change, _): &Sent| {
            if let Some(why) = answers.withdrawn.get(place) {
                return Fate::NotTried((*why).into());
            }
            let turn = self.turns.get(*place);
            let fate = turn.and_then(|turn| turn.fate(change).or(turn.so_far())).cloned();
            fate.unwrap_or_else(|| Fate::Unknown("what became of it was not noted".into()))
        };
        sent.iter().map(fate).collect()
    }

    /// What became of the writes that were answered, once for each answer: a batch that fails as a whole
    /// has one, whatever was in it. What is sent again has not failed yet.
    fn counted(&self, sent: &[Sent], answers: &Answers) -> Vec<Fate> {
        let mut counted = BTreeSet::new();
        let fates = sent.iter().filter_map(|(place, change, _)| {
            let fate = self.turns.get(*place)?.fate(change)?;
            let shared = answers.shared.get(place).filter(|_| *fate != Fate::Done);
            let is_new = shared.is_none_or(|answer| counted.insert(answer));
            (is_new && !answers.withdrawn.contains_key(place)).then(|| fate.clone())
        });
        fates.collect()
    }

    /// Reads again of whom it is not known whether their write was done. What may still be under way gets
    /// a second look; what does not show then is not known.
    async fn look_after(
        &mut self,
        stage: Stage,
        doubts: &BTreeMap<usize, Doubt>,
        second_look: Duration,
    ) -> (BTreeMap<UserId, Shows>, Result<(), Error>) {
        let mut seen = BTreeMap::new();
        for wait in [Duration::ZERO, second_look] {
            let open = |(place, Doubt { error, .. }): (&usize, &Doubt)| {
                let id = self.turns.get(*place)?.id;
                let unseen = error.may_be_under_way() && seen.get(&id) != Some(&Shows::Done);
                (wait.is_zero() || unseen).then_some(id)
            };
            let open: BTreeSet<UserId> = doubts.iter().filter_map(open).collect();
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(wait).await;
            match self.look(stage, &open).await {
                Ok(looked) => seen.extend(looked),
                Err(error) => return (seen, Err(error)),
            }
        }
        (seen, Ok(()))
    }

    /// Ends the writes in doubt by what was read of them, but for those that are sent again; gives how
    /// long to wait for that.
    fn judge(
        &mut self,
        stage: Stage,
        doubts: &BTreeMap<usize, Doubt>,
        seen: &BTreeMap<UserId, Shows>,
        (left, base): (Duration, Duration),
    ) -> Option<Duration> {
        let mut longest = None;
        for (place, Doubt { error, refused }) in doubts {
            let Some(turn) = self.turns.get_mut(*place) else { continue };
            if turn.due(stage).is_none() {
                continue;
            }
            let shown = seen.get(&turn.id).copied();
            let fate = match shown {
                Some(Shows::Done) => Fate::Done,
                Some(Shows::NotDone) if *refused => Fate::Failed(error.to_string().into()),
                Some(Shows::NotDone) if error.may_be_under_way() => {
                    Fate::Unknown(format!("{error}, and a fresh read does not show it yet").into())
                }
                Some(Shows::NotDone) => {
                    Fate::Failed(format!("{error}, and a fresh read does not show it done").into())
                }
                Some(Shows::Nothing) | None => {
                    Fate::Unknown(format!("{error}, and it could not be read again").into())
                }
            };
            let is_undone = shown == Some(Shows::NotDone);
            let sent = turn.sent_so_often();
            let wait = error.retry_after().unwrap_or(base.saturating_mul(1 << sent.min(8)));
            let may = error.is_of_the_moment() && sent + 1 < SENT_AT_MOST && wait < left;
            if is_undone && !refused && may {
                turn.again(fate);
                longest = longest.max(Some(wait));
            } else {
                turn.end(stage, fate);
            }
        }
        longest
    }

    /// What a fresh read shows of the writes of some users: of phones by their own addresses, as lists
    /// are late.
    async fn look(
        &mut self,
        stage: Stage,
        whose: &BTreeSet<UserId>,
    ) -> Result<Vec<(UserId, Shows)>, Error> {
        let due = |turn: &Turn<'_>| whose.contains(&turn.id).then(|| turn.due(stage)).flatten();
        let is_listed =
            |turn: &Turn<'_>| due(turn).is_some_and(|change| !phones::has_address(change.setting));
        if self.turns.iter().any(is_listed) {
            self.read_again(is_listed).await?;
        }
        let asked: Vec<(UserId, Change)> = self
            .turns
            .iter()
            .filter_map(|turn| Some((turn.id, due(turn)?)))
            .filter(|(_, change)| phones::has_address(change.setting))
            .collect();
        let phones: Vec<(UserId, Setting)> =
            asked.iter().map(|(id, change)| (*id, change.setting)).collect();
        let values = phones::look(self.client, &phones).await?;
        let listed = self.turns.iter().filter(|turn| is_listed(turn)).filter_map(|turn| {
            let change = due(turn)?;
            let value = Values::observed(&turn.facts).get(change.setting);
            Some((turn.id, Shows::of(value, &change)))
        });
        let asked = asked.iter().zip(values);
        let asked = asked.map(|((id, change), value)| (*id, Shows::of(value, change)));
        Ok(listed.chain(asked).collect())
    }
}

/// What a read shows of a write of which nobody knows whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Done,
    NotDone,
    /// It could not be read.
    Nothing,
}

impl Shows {
    pub(super) fn of(value: Value, change: &Change) -> Self {
        // Where there is no phone, nothing is to be switched: that does not show it switched.
        let is_missing = value == Value::Nothing && change.after != Value::Nothing;
        match () {
            () if value.is_unknown() => Self::Nothing,
            () if !is_missing && value.meets(change.after) => Self::Done,
            () => Self::NotDone,
        }
    }
}

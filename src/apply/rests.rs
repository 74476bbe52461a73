//! Right after a write: whether what it rested on is still there. The tenant has other writers, and no
//! lock that all of them know. Two that each write first and then look cannot both miss what the other
//! did: the later one sees it. A write that rests on nothing any more is taken back at once.
//!
//! Not here: whether a write may be made at all (`turn`, `plan::guard`), or how everybody stands at the
//! end of a run (`standing`).

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;

use super::basis::Held;
use super::conduct::{Sent, Shared};
use super::journal::Noted;
use super::report::Fate;
use super::standing::{PHONES, with_phone};
use super::wave::Wave;
use crate::entra::{phones, write};
use crate::graph::{Error, Outcome};
use crate::id::UserId;
use crate::moment::Moment;
use crate::plan::Reason;
use crate::plan::guard::guard;
use crate::settings::change::{Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::crowd::Judged;
use crate::tenant::facts::{Facts, Methods, Phone, Read, SmsSignIn};

/// A write that was done, and rests on nothing any more.
pub(super) struct Lost {
    place: usize,
    change: Change,
    /// Its number in the journal.
    number: usize,
    why: &'static str,
    /// Signing in by text was off, and the number could switch it on when it is written again.
    is_silent: bool,
}

/// What stands at phones, by the place of their user.
type Phones = BTreeMap<(usize, Setting), Read<Phone>>;

/// Why a lowered state is put back.
const UNCOVERED: &str = "it could not be shown that MFA is still demanded by other means";

/// Why a change could not be checked, and is not known to be safe.
const UNCHECKED: &str = "it was done, and what it rests on could not be read afterwards";

/// The change the other way round.
const fn back(change: &Change) -> Change {
    Change { before: change.after, after: change.before, ..*change }
}

/// Why the guard would not let the change be made any more, where that is because nothing would be
/// left to answer with. `now` is what was read after it.
fn gone(change: &Change, held: Held<'_>, now: Facts) -> Option<&'static str> {
    let before = back(change).applied_to(now);
    let guarded = guard(&held.now.judge(), change.user, &before, &[*change]);
    let (_, reason) = guarded.withheld.first()?;
    match reason {
        Reason::WouldBeOpen | Reason::WouldBeStuck | Reason::LastMethod => {
            Some("no method was left that answers")
        }
        Reason::CannotTell | Reason::MaybeLastMethod => {
            Some("it could not be shown that a method was left that answers")
        }
        // Somebody has more by now, or it is the default: nobody is worse off for that.
        _ => None,
    }
}

impl Wave<'_> {
    /// Which of the writes of a stage that were done rest on nothing any more. `before` is what was
    /// known of their users when they were sent, and `since` when the answers were there. What could not
    /// be checked is not known to be safe.
    pub(super) async fn lost(
        &mut self,
        stage: Stage,
        sent: &[Sent],
        (before, since): (&BTreeMap<usize, Facts>, Moment),
        shared: &Shared<'_>,
    ) -> (Vec<Lost>, Result<(), Error>) {
        let is_done = |(place, change, _): &&Sent| {
            let turn = self.turns.get(*place);
            change.can_harm() && turn.is_some_and(|turn| turn.done(stage) == Some(*change))
        };
        let done: Vec<Sent> = sent.iter().filter(is_done).copied().collect();
        let (lowered, others): (Vec<Sent>, Vec<Sent>) =
            done.into_iter().partition(|(_, change, _)| change.lowers());
        let mut lost = Vec::new();
        if !lowered.is_empty() && !shared.rules.hold_since(&since).await {
            lost.extend(lowered.into_iter().map(|one| (one, UNCOVERED)));
        }
        let checked = match self.without_methods(&others).await {
            Ok(gone) => {
                lost.extend(gone);
                Ok(())
            }
            Err(error) => {
                for (place, ..) in &others {
                    if let Some(turn) = self.turns.get_mut(*place) {
                        turn.end(stage, Fate::Unknown(UNCHECKED.into()));
                    }
                }
                Err(error)
            }
        };
        let lost = lost.into_iter().map(|((place, change, number), why)| Lost {
            place,
            change,
            number,
            why,
            is_silent: before.get(&place).is_some_and(|facts| self.is_silent(&change, facts)),
        });
        (lost.collect(), checked)
    }

    /// Whether a mobile phone that is put back could switch on signing in by text, which was off.
    fn is_silent(&self, change: &Change, before: &Facts) -> bool {
        let was_off = before.methods.known().is_some_and(|all| all.sms_sign_in == SmsSignIn::Off);
        let may = self.held.now.method_policy.signs_in_by_sms(change.user) != Judged::No;
        change.setting == Setting::MobilePhone && was_off && may
    }

    /// Whose methods are gone. The phones are asked for first, each by its own address: where they are
    /// enough, no list is needed.
    async fn without_methods(&mut self, done: &[Sent]) -> Result<Vec<(Sent, &'static str)>, Error> {
        let mut phones = Phones::new();
        self.ask_phones(done, &mut phones).await?;
        let held = self.held;
        let rests_on_phones = |(place, change, _): &Sent| {
            let turn = self.turns.get(*place);
            turn.is_some_and(|turn| {
                let methods = Read::Known(Methods::default());
                let none = Facts { methods, ..turn.facts };
                gone(change, held, with_phones(none, *place, &phones, change)).is_none()
            })
        };
        let open: Vec<Sent> = done.iter().filter(|one| !rests_on_phones(one)).copied().collect();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let ids: BTreeSet<UserId> = open
            .iter()
            .filter_map(|(place, ..)| self.turns.get(*place))
            .map(|one| one.id)
            .collect();
        self.read_again(|turn| ids.contains(&turn.id)).await?;
        self.ask_phones(&open, &mut phones).await?;
        let gone = open.into_iter().filter_map(|one| {
            let (place, change, _) = &one;
            let facts = self.turns.get(*place)?.facts;
            let why = gone(change, held, with_phones(facts, *place, &phones, change))?;
            Some((one, why))
        });
        Ok(gone.collect())
    }

    /// Asks for the phones that were listed last and were not asked for yet, but for the one that the
    /// change is about.
    async fn ask_phones(&self, whose: &[Sent], phones: &mut Phones) -> Result<(), Error> {
        let mut asked = Vec::new();
        for (place, change, _) in whose {
            let Some(turn) = self.turns.get(*place) else { continue };
            let others = turn.phones().filter(|setting| *setting != change.setting);
            let new = others.filter(|setting| !phones.contains_key(&(*place, *setting)));
            asked.extend(new.map(|setting| ((*place, setting), (turn.id, setting))));
        }
        let addresses: Vec<(UserId, Setting)> = asked.iter().map(|(_, phone)| *phone).collect();
        let there = phones::by_id(self.client, &addresses).await?;
        phones.extend(asked.into_iter().map(|(place, _)| place).zip(there));
        Ok(())
    }

    /// Takes back what rests on nothing any more, noted in the journal before and after. That is tried
    /// some times, whether or not the run is to stop; somebody else may have helped by then.
    pub(super) async fn put_back(&mut self, stage: Stage, lost: Vec<Lost>, shared: &Shared<'_>) {
        let mut open: Vec<(Lost, Option<Error>)> =
            lost.into_iter().map(|one| (one, None)).collect();
        for wait in shared.put_back_after {
            if open.is_empty() {
                return;
            }
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                open = self.still_lost(stage, open).await;
            }
            open = self.put_back_once(stage, open, shared).await;
        }
        for (Lost { place, why, .. }, error) in open {
            let error = error.map(|error| format!(": {error}")).unwrap_or_default();
            let why =
                format!("it was done, {why} right after it, and it could not be put back{error}");
            self.failed(place, stage, &why);
        }
    }

    fn failed(&mut self, place: usize, stage: Stage, why: &str) {
        if let Some(turn) = self.turns.get_mut(place) {
            turn.end(stage, Fate::Failed(why.into()));
        }
    }

    fn is_back(&mut self, stage: Stage, Lost { place, why, .. }: &Lost) {
        self.failed(*place, stage, &format!("{why} right after it, and it was put back"));
    }

    /// Reads again, and leaves out what is back already and whoever can answer by now.
    async fn still_lost(
        &mut self,
        stage: Stage,
        open: Vec<(Lost, Option<Error>)>,
    ) -> Vec<(Lost, Option<Error>)> {
        let ids: BTreeSet<UserId> = open
            .iter()
            .filter_map(|(lost, _)| self.turns.get(lost.place))
            .map(|turn| turn.id)
            .collect();
        if self.read_again(|turn| ids.contains(&turn.id)).await.is_err() {
            return open;
        }
        let mut asked = Vec::new();
        for (lost, _) in &open {
            let Some(turn) = self.turns.get(lost.place) else { continue };
            asked.extend(PHONES.map(|setting| ((lost.place, setting), (turn.id, setting))));
        }
        let addresses: Vec<(UserId, Setting)> = asked.iter().map(|(_, phone)| *phone).collect();
        let Ok(there) = phones::by_id(self.client, &addresses).await else { return open };
        let phones: Phones = asked.into_iter().map(|(place, _)| place).zip(there).collect();
        let (held, mut left) = (self.held, Vec::new());
        for (lost, error) in open {
            let change = lost.change;
            let Some(turn) = self.turns.get(lost.place) else { continue };
            let all = with_all(turn.facts, lost.place, &phones);
            if Values::observed(&all).get(change.setting).meets(change.before) {
                self.is_back(stage, &lost);
            } else if change.lowers()
                || gone(&change, held, with_phones(turn.facts, lost.place, &phones, &change))
                    .is_some()
            {
                left.push((lost, error));
            }
        }
        left
    }

    async fn put_back_once(
        &mut self,
        stage: Stage,
        open: Vec<(Lost, Option<Error>)>,
        shared: &Shared<'_>,
    ) -> Vec<(Lost, Option<Error>)> {
        let changes: Vec<(usize, Change, usize)> =
            open.iter().map(|(lost, _)| (lost.place, back(&lost.change), lost.number)).collect();
        let outcomes = self.written_back(&changes, shared).await;
        let (mut left, mut silent) = (Vec::new(), Vec::new());
        for ((lost, _), outcome) in open.into_iter().zip(outcomes) {
            match outcome {
                Some(Outcome::Done(_)) => {
                    self.is_back(stage, &lost);
                    if lost.is_silent {
                        silent.push((lost.place, sign_in_off(&lost.change), lost.number));
                    }
                }
                Some(Outcome::Refused(error) | Outcome::Unknown(error)) => {
                    left.push((lost, Some(error)));
                }
                None => left.push((lost, None)),
            }
        }
        if !silent.is_empty() {
            self.written_back(&silent, shared).await;
        }
        left
    }

    /// Writes, noted before and after. Where the journal cannot be written, what is put back is sent
    /// all the same: the tenant is then as the journal says of it that it was before.
    async fn written_back(
        &self,
        changes: &[(usize, Change, usize)],
        shared: &Shared<'_>,
    ) -> Vec<Option<Outcome>> {
        let numbers = shared.intend_back(self.held.plan, changes).unwrap_or_default();
        let requests: Vec<(UserId, Change)> = changes
            .iter()
            .filter_map(|(place, change, _)| Some((self.turns.get(*place)?.id, *change)))
            .collect();
        let outcomes = write::write(self.client, async || pending().await, &requests).await;
        let noted = numbers.into_iter().zip(&outcomes);
        let noted = noted.map(|(number, outcome)| (number, noted_of(outcome.as_ref())));
        // A journal that is broken ends the run with its own words.
        _ = shared.end(noted.collect());
        outcomes
    }
}

/// The facts with what stands at the phones that were asked for, and with the one that the change is
/// about as the change leaves it.
fn with_phones(facts: Facts, place: usize, phones: &Phones, change: &Change) -> Facts {
    let facts = with_all(facts, place, phones);
    match (change.setting.phone(), change.after) {
        (Some(_), Value::Phone(_) | Value::Nothing) => change.applied_to(facts),
        _ => facts,
    }
}

fn with_all(facts: Facts, place: usize, phones: &Phones) -> Facts {
    PHONES.into_iter().fold(facts, |facts, setting| match phones.get(&(place, setting)) {
        Some(phone) => with_phone(facts, setting, *phone),
        None => facts,
    })
}

fn sign_in_off(change: &Change) -> Change {
    let (before, after) = (Value::Switch(true), Value::Switch(false));
    Change { setting: Setting::SmsSignIn, before, after, ..*change }
}

fn noted_of(outcome: Option<&Outcome>) -> Noted {
    match outcome {
        Some(Outcome::Done(done)) => Noted::of(&Fate::Done, done.request_id.clone()),
        Some(Outcome::Refused(error)) => Noted::of(
            &Fate::Failed(error.to_string().into()),
            error.request_id().map(str::to_owned),
        ),
        Some(Outcome::Unknown(error)) => Noted::of(
            &Fate::Unknown(error.to_string().into()),
            error.request_id().map(str::to_owned),
        ),
        None => Noted::of(&Fate::Failed("there is no request that does this".into()), None),
    }
}

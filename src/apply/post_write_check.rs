//! Checks right after a write that what made it safe is still there. The tenant has other writers, and
//! there is no lock that all of them respect. If two writers each write first and then read, they cannot
//! both miss the write of the other: the later one sees it. A write that is no longer safe is put back
//! at once.
//!
//! Not here: whether a write may be made at all (`user_run`, `plan::guard`), or how the users are at the end
//! of a run (`final_check`).

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;

use super::context::{SentWrite, SharedContext};
use super::final_check::{PHONES, with_phone};
use super::verify::VerifiedPlan;
use super::wave::Wave;
use crate::entra::phones;
use crate::entra::write::{self, OnePerUser};
use crate::graph::{Error, WriteOutcome};
use crate::id::UserId;
use crate::journal::Noted;
use crate::moment::Moment;
use crate::plan::Reason;
use crate::plan::guard::guard;
use crate::results::ChangeResult;
use crate::settings::change::{Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::{Facts, Methods, Phone, Read, SmsSignIn};
use crate::tenant::user_set::Tristate;

/// A write that was done, and that is no longer safe.
pub(super) struct Unsafe {
    place: usize,
    change: Change,
    /// Its number in the journal.
    number: usize,
    why: &'static str,
    /// SMS sign-in was off, and writing the old number again could switch it on.
    is_silent: bool,
}

/// The phones that were read by their own addresses, by the place of their user in the wave.
type Phones = BTreeMap<(usize, Setting), Read<Phone>>;

/// Why a lowered MFA state is put back.
const NOT_COVERED: &str = "it could not be confirmed that MFA is still required by other means";

/// Why a change that could not be checked is not known to be safe.
const UNCHECKED: &str = "it was done, but what makes it safe could not be read afterwards";

/// Returns the reverse of the change.
const fn back(change: &Change) -> Change {
    Change { before: change.after, after: change.before, ..*change }
}

/// Returns why the guard would now withhold the change, if the reason is that no usable method would be
/// left. `now` was read after the change.
fn no_method_left(change: &Change, verified: VerifiedPlan<'_>, now: Facts) -> Option<&'static str> {
    let before = back(change).applied_to(now);
    let guarded = guard(&verified.now.judge(), change.user, &before, &[*change]);
    let (_, reason) = guarded.withheld.first()?;
    match reason {
        Reason::WouldBeOpen | Reason::WouldBeStuck | Reason::LastMethod => {
            Some("no usable method was left")
        }
        Reason::CannotTell | Reason::MaybeLastMethod => {
            Some("it could not be confirmed that a usable method was left")
        }
        // The user has a stronger method by now, or the method is the default: neither makes the user
        // worse off.
        _ => None,
    }
}

impl Wave<'_> {
    /// Returns the writes of a stage that were done and are no longer safe. `before` holds the facts of
    /// their users when the writes were sent, and `since` is the moment when all answers had arrived. A
    /// write that could not be checked is not known to be safe.
    pub(super) async fn unsafe_writes(
        &mut self,
        stage: Stage,
        sent: &[SentWrite],
        (before, since): (&BTreeMap<usize, Facts>, Moment),
        shared: &SharedContext<'_>,
    ) -> (Vec<Unsafe>, Result<(), Error>) {
        let is_done = |(place, change, _): &&SentWrite| {
            let user_run = self.user_runs.get(*place);
            change.can_harm()
                && user_run.is_some_and(|user_run| user_run.done(stage) == Some(*change))
        };
        let done: Vec<SentWrite> = sent.iter().filter(is_done).copied().collect();
        let (lowered, others): (Vec<SentWrite>, Vec<SentWrite>) =
            done.into_iter().partition(|(_, change, _)| change.lowers());
        let mut found = Vec::new();
        if !lowered.is_empty() && !shared.rules.hold_since(&since).await {
            found.extend(lowered.into_iter().map(|one| (one, NOT_COVERED)));
        }
        let checked = match self.without_methods(&others).await {
            Ok(without) => {
                found.extend(without);
                Ok(())
            }
            Err(error) => {
                for (place, ..) in &others {
                    if let Some(user_run) = self.user_runs.get_mut(*place) {
                        user_run.end(stage, ChangeResult::Unknown(UNCHECKED.into()));
                    }
                }
                Err(error)
            }
        };
        let found = found.into_iter().map(|((place, change, number), why)| Unsafe {
            place,
            change,
            number,
            why,
            is_silent: before.get(&place).is_some_and(|facts| self.is_silent(&change, facts)),
        });
        (found.collect(), checked)
    }

    /// Returns whether putting back a mobile phone could switch on SMS sign-in, which was off.
    fn is_silent(&self, change: &Change, before: &Facts) -> bool {
        let was_off = before.methods.known().is_some_and(|all| all.sms_sign_in == SmsSignIn::Off);
        let may = self.verified.now.method_policy.signs_in_by_sms(change.user) != Tristate::No;
        change.setting == Setting::MobilePhone && was_off && may
    }

    /// Returns the writes whose users have no usable method left. The phones are read first, each by its
    /// own address: if they are enough, no list is needed.
    async fn without_methods(
        &mut self,
        done: &[SentWrite],
    ) -> Result<Vec<(SentWrite, &'static str)>, Error> {
        let mut phones = Phones::new();
        self.ask_phones(done, &mut phones).await?;
        let verified = self.verified;
        let rests_on_phones = |(place, change, _): &SentWrite| {
            let user_run = self.user_runs.get(*place);
            user_run.is_some_and(|user_run| {
                let methods = Read::Known(Methods::default());
                let none = Facts { methods, ..user_run.facts };
                no_method_left(change, verified, with_phones(none, *place, &phones, change))
                    .is_none()
            })
        };
        let open: Vec<SentWrite> =
            done.iter().filter(|one| !rests_on_phones(one)).copied().collect();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let ids: BTreeSet<UserId> = open
            .iter()
            .filter_map(|(place, ..)| self.user_runs.get(*place))
            .map(|one| one.id)
            .collect();
        self.read_again(|user_run| ids.contains(&user_run.id)).await?;
        self.ask_phones(&open, &mut phones).await?;
        let without = open.into_iter().filter_map(|one| {
            let (place, change, _) = &one;
            let facts = self.user_runs.get(*place)?.facts;
            let why =
                no_method_left(change, verified, with_phones(facts, *place, &phones, change))?;
            Some((one, why))
        });
        Ok(without.collect())
    }

    /// Reads the phones of the last list that were not read by address yet, except the phone that the
    /// change is about.
    async fn ask_phones(&self, writes: &[SentWrite], phones: &mut Phones) -> Result<(), Error> {
        let mut asked = Vec::new();
        for (place, change, _) in writes {
            let Some(user_run) = self.user_runs.get(*place) else { continue };
            let others = user_run.phones().filter(|setting| *setting != change.setting);
            let new = others.filter(|setting| !phones.contains_key(&(*place, *setting)));
            asked.extend(new.map(|setting| ((*place, setting), (user_run.id, setting))));
        }
        let addresses: Vec<(UserId, Setting)> = asked.iter().map(|(_, phone)| *phone).collect();
        let there = phones::by_id(self.client, &addresses).await?;
        phones.extend(asked.into_iter().map(|(place, _)| place).zip(there));
        Ok(())
    }

    /// Puts back writes that are no longer safe, recorded in the journal before and after. Tries several
    /// times, even if the run has to stop. Another writer may have helped in the meantime.
    pub(super) async fn put_back(
        &mut self,
        stage: Stage,
        found: Vec<Unsafe>,
        shared: &SharedContext<'_>,
    ) {
        let mut open: Vec<(Unsafe, Option<Error>)> =
            found.into_iter().map(|one| (one, None)).collect();
        for wait in shared.put_back_after {
            if open.is_empty() {
                return;
            }
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                open = self.still_unsafe(stage, open).await;
            }
            open = self.put_back_once(stage, open, shared).await;
        }
        for (Unsafe { place, why, .. }, error) in open {
            let error = error.map(|error| format!(": {error}")).unwrap_or_default();
            let why =
                format!("it was done; right after it, {why}; it could not be put back{error}");
            self.failed(place, stage, &why);
        }
    }

    fn failed(&mut self, place: usize, stage: Stage, why: &str) {
        if let Some(user_run) = self.user_runs.get_mut(place) {
            user_run.end(stage, ChangeResult::Failed(why.into()));
        }
    }

    fn is_back(&mut self, stage: Stage, Unsafe { place, why, .. }: &Unsafe) {
        self.failed(*place, stage, &format!("right after the change, {why}; it was put back"));
    }

    /// Reads the users again. Removes the writes that are put back already, and those whose users have a
    /// usable method by now.
    async fn still_unsafe(
        &mut self,
        stage: Stage,
        open: Vec<(Unsafe, Option<Error>)>,
    ) -> Vec<(Unsafe, Option<Error>)> {
        let ids: BTreeSet<UserId> = open
            .iter()
            .filter_map(|(write, _)| self.user_runs.get(write.place))
            .map(|user_run| user_run.id)
            .collect();
        if self.read_again(|user_run| ids.contains(&user_run.id)).await.is_err() {
            return open;
        }
        let mut asked = Vec::new();
        for (write, _) in &open {
            let Some(user_run) = self.user_runs.get(write.place) else { continue };
            asked.extend(PHONES.map(|setting| ((write.place, setting), (user_run.id, setting))));
        }
        let addresses: Vec<(UserId, Setting)> = asked.iter().map(|(_, phone)| *phone).collect();
        let Ok(there) = phones::by_id(self.client, &addresses).await else { return open };
        let phones: Phones = asked.into_iter().map(|(place, _)| place).zip(there).collect();
        let (verified, mut left) = (self.verified, Vec::new());
        for (write, error) in open {
            let change = write.change;
            let Some(user_run) = self.user_runs.get(write.place) else { continue };
            let all = with_all(user_run.facts, write.place, &phones);
            if Values::observed(&all).get(change.setting).meets(change.before) {
                self.is_back(stage, &write);
            } else if change.lowers()
                || no_method_left(
                    &change,
                    verified,
                    with_phones(user_run.facts, write.place, &phones, &change),
                )
                .is_some()
            {
                left.push((write, error));
            }
        }
        left
    }

    async fn put_back_once(
        &mut self,
        stage: Stage,
        open: Vec<(Unsafe, Option<Error>)>,
        shared: &SharedContext<'_>,
    ) -> Vec<(Unsafe, Option<Error>)> {
        let changes: Vec<(usize, Change, usize)> = open
            .iter()
            .map(|(write, _)| (write.place, back(&write.change), write.number))
            .collect();
        let outcomes = self.written_back(&changes, shared).await;
        let (mut left, mut silent) = (Vec::new(), Vec::new());
        for ((write, _), outcome) in open.into_iter().zip(outcomes) {
            match outcome {
                Some(WriteOutcome::Done(_)) => {
                    self.is_back(stage, &write);
                    if write.is_silent {
                        silent.push((write.place, sign_in_off(&write.change), write.number));
                    }
                }
                Some(WriteOutcome::Refused(error) | WriteOutcome::Unknown(error)) => {
                    left.push((write, Some(error)));
                }
                None => left.push((write, None)),
            }
        }
        if !silent.is_empty() {
            self.written_back(&silent, shared).await;
        }
        left
    }

    /// Sends the writes, recorded before and after. If the journal cannot be written, they are sent all
    /// the same: the tenant then is in the state that the journal names as the one before.
    async fn written_back(
        &self,
        changes: &[(usize, Change, usize)],
        shared: &SharedContext<'_>,
    ) -> Vec<Option<WriteOutcome>> {
        let numbers = shared.intend_back(self.verified.plan, changes).await.unwrap_or_default();
        let id = |place: usize| self.user_runs.get(place).map(|user_run| user_run.id);
        let requests: OnePerUser =
            changes.iter().filter_map(|(place, change, _)| Some((id(*place)?, *change))).collect();
        let mut outcomes = write::write(self.client, async || pending().await, requests).await;
        let outcomes: Vec<Option<WriteOutcome>> = changes
            .iter()
            .map(|(place, ..)| id(*place).and_then(|id| outcomes.remove(&id)))
            .collect();
        let noted = numbers.into_iter().zip(&outcomes);
        let noted = noted.map(|(number, outcome)| (number, noted_of(outcome.as_ref())));
        // A broken journal ends the run with its own error.
        _ = shared.end(noted.collect()).await;
        outcomes
    }
}

/// Returns the facts with the phones that were read by address. The phone that the change is about has
/// the value that the change gives it.
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

fn noted_of(outcome: Option<&WriteOutcome>) -> Noted {
    match outcome {
        Some(WriteOutcome::Done(done)) => Noted::of(&ChangeResult::Done, done.request_id.clone()),
        Some(WriteOutcome::Refused(error)) => Noted::of(
            &ChangeResult::Failed(error.to_string().into()),
            error.request_id().map(str::to_owned),
        ),
        Some(WriteOutcome::Unknown(error)) => Noted::of(
            &ChangeResult::Unknown(error.to_string().into()),
            error.request_id().map(str::to_owned),
        ),
        None => Noted::of(&ChangeResult::Failed("no request exists for this change".into()), None),
    }
}

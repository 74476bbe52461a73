//! One user in a wave: which change is due, the results of the others, and whether the last read shows a
//! change as done or as safe.
//!
//! Not here: reading and writing (`wave`, `sending`).

use std::time::Duration;

use super::final_check::with_phone;
use super::verify::VerifiedPlan;
use crate::id::UserId;
use crate::moment::Moment;
use crate::plan::UserPlan;
use crate::plan::guard::guard;
use crate::results::ChangeResult;
use crate::settings::change::{Action, Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::{Facts, Phone, Read};

pub(super) struct UserRun<'a> {
    pub(super) user: &'a UserPlan,
    pub(super) id: UserId,
    pub(super) facts: Facts,
    read_at: Option<Moment>,
    /// Each change with its result; `None` while it is still to be done.
    steps: Vec<(Change, Option<ChangeResult>)>,
    /// True if something was sent, unless it certainly had no effect.
    pub(super) touched: bool,
    /// How often the change that is due was sent and not done, and its result if it is not sent again.
    again: (u32, Option<ChangeResult>),
}

pub(super) fn adds_phone(change: &Change) -> bool {
    change.setting.phone().is_some() && change.action() == Action::Create
}

impl<'a> UserRun<'a> {
    pub(super) fn new(user: &'a UserPlan, id: UserId, changes: &[Change]) -> Self {
        let steps = changes.iter().map(|change| (*change, None)).collect();
        Self {
            user,
            id,
            facts: Facts::NOT_READ,
            read_at: None,
            steps,
            touched: false,
            again: (0, None),
        }
    }

    /// Stores the facts that were just read, and when that read began.
    pub(super) fn read(&mut self, facts: Facts, begun: Moment) {
        (self.facts, self.read_at) = (facts, Some(begun));
    }

    /// Returns whether the last read is older than `than`.
    pub(super) fn is_older(&self, than: Duration, now: &Moment) -> bool {
        self.read_at.is_none_or(|at| now.since(&at) > than)
    }

    /// Returns the change of this stage, if it is still to be done.
    pub(super) fn due(&self, stage: Stage) -> Option<Change> {
        self.steps
            .iter()
            .find(|(change, result)| change.stage() == stage && result.is_none())
            .map(|(change, _)| *change)
    }

    /// Returns whether any change is still to be done.
    pub(super) fn is_open(&self) -> bool {
        self.steps.iter().any(|(_, result)| result.is_none())
    }

    /// Returns the result of one change.
    pub(super) fn result(&self, change: &Change) -> Option<&ChangeResult> {
        let same = |(one, _): &&(Change, Option<ChangeResult>)| one == change;
        self.steps.iter().find(same).and_then(|(_, result)| result.as_ref())
    }

    /// Returns the change of this stage, if it was done.
    pub(super) fn done(&self, stage: Stage) -> Option<Change> {
        self.steps
            .iter()
            .find(|(change, result)| change.stage() == stage && *result == Some(ChangeResult::Done))
            .map(|(change, _)| *change)
    }

    /// Returns whether the setting still has the value that the change starts from. SMS sign-in of a new
    /// number was never read before the number was registered.
    pub(super) fn is_at(&self, change: &Change) -> bool {
        let observed = Values::observed(&self.facts).get(change.setting);
        let follows = change.setting == Setting::SmsSignIn && self.has_written();
        follows || observed == change.before
    }

    /// Returns whether the last read shows the setting. SMS sign-in of a new number need not show.
    pub(super) fn is_known(&self, change: &Change) -> bool {
        self.is_at(change) || !Values::observed(&self.facts).get(change.setting).is_unknown()
    }

    /// Returns whether the setting already has the desired value, whichever writer set it. A missing
    /// phone is the desired value of a removal only.
    pub(super) fn is_there(&self, change: &Change) -> bool {
        let all = Values::observed(&self.facts);
        let observed = all.get(change.setting);
        let nothing_yet = observed == Value::Nothing && change.after != Value::Nothing;
        // A late list still shows the SMS sign-in of the old number.
        let is_late = |(one, result): &(Change, Option<ChangeResult>)| {
            let is_number =
                one.setting == Setting::MobilePhone && *result == Some(ChangeResult::Done);
            is_number && !all.get(one.setting).meets(one.after)
        };
        let is_of_old = change.setting == Setting::SmsSignIn && self.steps.iter().any(is_late);
        !nothing_yet && !is_of_old && observed.meets(change.after)
    }

    /// Returns whether the change is due and the last read does not show that it is safe.
    pub(super) fn waits(&self, stage: Stage, verified: VerifiedPlan<'_>) -> bool {
        self.due(stage).is_some_and(|change| !self.is_there(&change))
            && self.refusal(stage, verified).is_some()
    }

    /// Returns why the change that is due is not safe, by the last read.
    pub(super) fn refusal(&self, stage: Stage, verified: VerifiedPlan<'_>) -> Option<&'static str> {
        let change = self.due(stage)?;
        let guarded = guard(&verified.now.judge(), self.user.user, &self.facts, &[change]);
        if guarded.steps == [change] {
            return None;
        }
        let reason = guarded.withheld.first().map(|(_, reason)| reason.about());
        Some(reason.unwrap_or("the user already has something stronger"))
    }

    /// Returns the phones that the last read showed.
    pub(super) fn phones(&self) -> impl Iterator<Item = Setting> {
        let methods = self.facts.methods.known().copied().unwrap_or_default();
        Setting::ALL.into_iter().filter(move |setting| {
            setting.phone().is_some_and(|kind| methods.phone(kind) != Phone::None)
        })
    }

    /// Stores a phone as its own address shows it, whatever the list showed.
    pub(super) fn stands(&mut self, setting: Setting, phone: Read<Phone>) {
        self.facts = with_phone(self.facts, setting, phone);
    }

    /// Records that the change that is due was sent and not done, and will be sent again.
    pub(super) fn again(&mut self, so_far: ChangeResult) {
        self.again = (self.again.0 + 1, Some(so_far));
    }

    /// Returns the result of a write so far, if it is to be sent again.
    pub(super) const fn so_far(&self) -> Option<&ChangeResult> {
        self.again.1.as_ref()
    }

    pub(super) const fn sent_so_often(&self) -> u32 {
        self.again.0
    }

    pub(super) const fn is_sent_again(&self) -> bool {
        self.again.0 > 0
    }

    pub(super) fn has_written(&self) -> bool {
        self.steps.iter().any(|(_, result)| result.as_ref().is_some_and(ChangeResult::is_there))
    }

    /// Stores the result of one change. If it is not in place, the later changes of the user are
    /// cancelled.
    pub(super) fn end(&mut self, stage: Stage, result: ChangeResult) {
        let before = match &result {
            ChangeResult::Done | ChangeResult::DoneBefore => None,
            ChangeResult::Unknown(_) => Some("is not known to be done"),
            ChangeResult::Failed(_) => Some("failed"),
            ChangeResult::MovedOn(_) | ChangeResult::NotTried(_) => Some("was not made"),
        };
        let Some((change, open)) =
            self.steps.iter_mut().find(|(change, _)| change.stage() == stage)
        else {
            return;
        };
        let name = change.setting.name();
        *open = Some(result);
        self.again = (0, None);
        if let Some(before) = before {
            self.close(|_| {
                ChangeResult::NotTried(format!("the earlier change to the {name} {before}").into())
            });
        }
    }

    /// Ends all changes that are still to be done.
    pub(super) fn close(&mut self, result: impl Fn(&Change) -> ChangeResult) {
        // A change that was sent before is not just "not tried".
        let mut so_far = self.again.1.take();
        for (change, open) in self.steps.iter_mut().filter(|(_, result)| result.is_none()) {
            *open = Some(so_far.take().unwrap_or_else(|| result(change)));
        }
    }

    /// Returns the result of each change, in the order of the plan; `None` for a change that the run did
    /// not reach.
    pub(super) fn into_results(self) -> impl Iterator<Item = Option<ChangeResult>> {
        self.steps.into_iter().map(|(_, result)| result)
    }
}

//! All safety rules, in one pure function: it takes the changes of a user and returns ordered steps and
//! withheld changes. `apply` calls the same function again with fresh facts before it writes.
//!
//! The order is that of [`Stage`]: add a method, replace, prefer, raise the state, delete. If a run stops
//! at any point, the user is no worse off than before, because an extra method does no harm, and MFA
//! without a method does.
//!
//! Not here: the rules for phones (`phone`) and for preferences (`preference`).

mod phone;
mod preference;

use crate::plan::Reason;
use crate::posture::{Judge, MethodVerdict};
use crate::settings::change::{Change, Mandate, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::delivery::Delivery;
use crate::tenant::demand::Decided;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Methods, SmsSignIn};
use crate::tenant::user_set::Tristate;

/// The steps that are safe for one user, and the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// In the order of writing. After each step the user is no worse off than before the first.
    pub steps: Vec<Change>,
    pub withheld: Vec<(Change, Reason)>,
    /// Changes that are not made because the user has something stronger.
    pub kept: Vec<Change>,
    /// The facts after all steps.
    pub facts: Facts,
}

/// The decision about one change.
enum Verdict {
    /// The change is safe in this form.
    Step(Change),
    Withheld(Reason),
    /// The user has something stronger.
    Kept,
    /// The wanted value is there already, or a step before this one sets it.
    Needless,
}

/// One user, after some of their steps.
#[derive(Clone, Copy)]
struct Case<'a> {
    judge: &'a Judge<'a>,
    user: UserIndex,
    /// The facts after the steps so far.
    facts: &'a Facts,
    /// All wanted changes, done or not.
    changes: &'a [Change],
}

/// Orders the changes of one user and withholds the changes that would, or might, leave the user open or
/// stuck, and those that would do more than a policy asks for.
#[must_use]
pub fn guard(judge: &Judge<'_>, user: UserIndex, facts: &Facts, changes: &[Change]) -> Guarded {
    let mut ordered = changes.to_vec();
    ordered.sort_by_key(Change::stage);
    let mut guarded =
        Guarded { steps: Vec::new(), withheld: Vec::new(), kept: Vec::new(), facts: *facts };
    for change in ordered {
        let case = Case { judge, user, facts: &guarded.facts, changes };
        match case.verdict(&change) {
            Verdict::Step(step) => {
                guarded.facts = case.after(&step);
                guarded.steps.push(step);
            }
            Verdict::Withheld(reason) => guarded.withheld.push((change, reason)),
            Verdict::Kept => guarded.kept.push(change),
            Verdict::Needless => {}
        }
    }
    remove_default_last(judge, user, changes, &mut guarded);
    guarded
}

/// Removes the phone of the default method after the other phones, if it could not go before them: Entra
/// deletes it only as the last method. An alternate mobile phone cannot wait, because the mobile phone is not
/// deleted before it.
fn remove_default_last(
    judge: &Judge<'_>,
    user: UserIndex,
    changes: &[Change],
    guarded: &mut Guarded,
) {
    let can_wait = |(change, reason): &(Change, Reason)| {
        change.setting == Setting::OfficePhone && *reason == Reason::IsDefault
    };
    let Some(place) = guarded.withheld.iter().position(can_wait) else { return };
    let Some((change, _)) = guarded.withheld.get(place).copied() else { return };
    let last = Change { mandate: Mandate { goes_last: true, ..change.mandate }, ..change };
    let case = Case { judge, user, facts: &guarded.facts, changes };
    if let Verdict::Step(step) = case.verdict(&last) {
        guarded.facts = case.after(&step);
        guarded.steps.push(step);
        guarded.withheld.remove(place);
    }
}

impl Case<'_> {
    fn verdict(&self, change: &Change) -> Verdict {
        let refusal = match change.setting {
            Setting::MobilePhone | Setting::AlternateMobilePhone | Setting::OfficePhone => {
                self.phone(change)
            }
            Setting::SmsSignIn => return self.sms_sign_in(change),
            Setting::DefaultMethod => return self.default_method(change),
            Setting::SystemPreferredMfa => self.system_preferred(change),
            Setting::PerUserMfa => self.state(change),
        };
        refusal.map_or(Verdict::Step(*change), Verdict::Withheld)
    }

    /// Returns the facts after one more step. If the tenant does not allow SMS sign-in for the user, a new
    /// number does not switch it on.
    fn after(&self, step: &Change) -> Facts {
        let mut facts = step.applied_to(*self.facts);
        let writes_mobile = matches!(step.stage(), Stage::AddMobile | Stage::ReplaceMobile);
        if writes_mobile && self.judge.method_policy.signs_in_by_sms(self.user) == Tristate::No {
            let sms_sign_in = SmsSignIn::Off;
            facts.methods = facts.methods.map(|methods| Methods { sms_sign_in, ..methods });
        }
        facts
    }

    /// Whether the user can answer, as the basis for something new. Texts are delivered longer to Global
    /// Administrators. Microsoft does not say whether that holds for a user who must activate the role
    /// first, so for such a user both dates must give the same answer.
    fn lasting_answer(&self, facts: &Facts) -> MethodVerdict {
        let answer = self.judge.answer(self.user, facts);
        if self.judge.demand.acts_as_global_administrator(self.user) != Tristate::Unknown {
            return answer;
        }
        let ends = self.judge.delivery.ends;
        let delivery = Delivery { ends, privileged_ends: ends };
        let without_role = Judge { delivery, ..*self.judge }.answer(self.user, facts);
        if without_role == answer { answer } else { MethodVerdict::Unknown }
    }

    fn state(&self, change: &Change) -> Option<Reason> {
        if change.lowers() {
            // An undo lowers a state to the value before the run. That cannot leave the user open or
            // stuck, because less is required.
            if change.mandate.puts_back {
                return None;
            }
            // A requirement that is only possible does not cover the user.
            return match self.judge.demand.elsewhere(self.user) {
                Tristate::Yes => None,
                Tristate::No | Tristate::Unknown => Some(Reason::NotCoveredElsewhere),
            };
        }
        match self.lasting_answer(&self.after(change)) {
            MethodVerdict::Unknown => Some(self.undecided().unwrap_or(Reason::CannotTell)),
            answer => reason(answer),
        }
    }

    /// Returns why it is unknown whether the user could answer, whatever is registered.
    fn undecided(&self) -> Option<Reason> {
        match self.judge.demand.decided(self.user) {
            Decided::AtProvider => Some(Reason::DomainFederated),
            Decided::Unknown => Some(Reason::DomainUnknown),
            Decided::Here | Decided::InAnotherTenant => None,
        }
    }

    fn sms_sign_in(&self, change: &Change) -> Verdict {
        let observed = Values::observed(self.facts);
        if observed.get(Setting::MobilePhone) == Value::Nothing {
            // Without a mobile phone there is no SMS sign-in. If the phone is wanted, its own change gives
            // the reason why it is missing.
            let wanted = self.changes.iter().any(|one| one.setting == Setting::MobilePhone);
            return if wanted {
                Verdict::Needless
            } else {
                Verdict::Withheld(Reason::NoMobilePhone)
            };
        }
        if observed.get(Setting::SmsSignIn).meets(change.after) {
            return Verdict::Needless;
        }
        let taken = self.facts.methods.known().map(|methods| methods.sms_sign_in);
        match (change.after, self.judge.method_policy.signs_in_by_sms(self.user)) {
            (Value::Switch(true), Tristate::No | Tristate::Unknown) => {
                Verdict::Withheld(Reason::SmsSignInNotAllowed)
            }
            (Value::Switch(true), Tristate::Yes) if taken == Some(SmsSignIn::Taken) => {
                Verdict::Withheld(Reason::SignInNumberTaken)
            }
            _ => Verdict::Step(*change),
        }
    }
}

const fn reason(answer: MethodVerdict) -> Option<Reason> {
    match answer {
        MethodVerdict::Can => None,
        MethodVerdict::Nothing => Some(Reason::WouldBeOpen),
        MethodVerdict::Cannot => Some(Reason::WouldBeStuck),
        MethodVerdict::Unknown => Some(Reason::CannotTell),
    }
}

#[cfg(test)]
mod tests;

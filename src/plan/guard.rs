//! All rules that cross settings, in one pure function: the changes of a user go in, ordered steps
//! and what is withheld come out. `apply` asks the same function again, on fresh facts, before it
//! writes.
//!
//! The order is [`Stage`]'s: add a method, replace, prefer, raise the state, take away. So whatever
//! is cut off, nobody is worse off than before: a method too many harms nobody, a demand without a
//! method does. Not here: the rules for phones (`phone`) and for preferences (`preference`).

mod phone;
mod preference;

use crate::plan::Reason;
use crate::posture::{Answer, Judge};
use crate::settings::change::{Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::crowd::Judged;
use crate::tenant::delivery::Delivery;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Methods, SmsSignIn};

/// What may be done for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// In the order of writing; after each of them the user is no worse off than before all.
    pub steps: Vec<Change>,
    pub withheld: Vec<(Change, Reason)>,
    /// Wanted, and not done because the user has something stronger.
    pub kept: Vec<Change>,
    /// What will be there when all steps are done.
    pub facts: Facts,
}

/// What becomes of one change.
enum Verdict {
    /// It may be done, as it stands here.
    Step(Change),
    Withheld(Reason),
    /// What the user has is stronger.
    Kept,
    /// It is so already, or will be by what comes before it.
    Needless,
}

/// One user in the middle of their changes.
#[derive(Clone, Copy)]
struct Case<'a> {
    judge: &'a Judge<'a>,
    user: UserIndex,
    /// After the steps so far.
    facts: &'a Facts,
    /// All changes that are wanted, done or not.
    changes: &'a [Change],
}

/// Puts the changes of one user in order and keeps back those that would leave the user open or
/// stuck, or of which that cannot be said; and those that would do more than was asked for.
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
    guarded
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

    /// The facts after one step more. Where the tenant lets nobody sign in by text, a number that is
    /// written does not either.
    fn after(&self, step: &Change) -> Facts {
        let mut facts = step.applied_to(*self.facts);
        let writes_mobile = matches!(step.stage(), Stage::AddMobile | Stage::ReplaceMobile);
        if writes_mobile && self.judge.method_policy.signs_in_by_sms(self.user) == Judged::No {
            let sms_sign_in = SmsSignIn::Off;
            facts.methods = facts.methods.map(|methods| Methods { sms_sign_in, ..methods });
        }
        facts
    }

    /// Whether the user can answer, as far as something new may rest on it. Texts go on longer for
    /// Global Administrators; whether they do for who would have to take the role up first, nobody
    /// has said.
    fn lasting_answer(&self, facts: &Facts) -> Answer {
        let answer = self.judge.answer(self.user, facts);
        if self.judge.demand.acts_as_global_administrator(self.user) != Judged::Unknown {
            return answer;
        }
        let ends = self.judge.delivery.ends;
        let delivery = Delivery { ends, privileged_ends: ends };
        let of_others = Judge { delivery, ..*self.judge }.answer(self.user, facts);
        if of_others == answer { answer } else { Answer::Unknown }
    }

    fn state(&self, change: &Change) -> Option<Reason> {
        if change.lowers() {
            // What a run raised goes down to what was there before it. That leaves nobody open or
            // stuck, because it demands less.
            if change.mandate.puts_back {
                return None;
            }
            // A demand that may not be there is no cover.
            return match self.judge.demand.elsewhere(self.user) {
                Judged::Yes => None,
                Judged::No | Judged::Unknown => Some(Reason::NotCoveredElsewhere),
            };
        }
        reason(self.lasting_answer(&self.after(change)))
    }

    fn sms_sign_in(&self, change: &Change) -> Verdict {
        let observed = Values::observed(self.facts);
        if observed.get(Setting::MobilePhone) == Value::Nothing {
            // Nothing signs in by a phone that is not there, for whatever reason.
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
            (Value::Switch(true), Judged::No | Judged::Unknown) => {
                Verdict::Withheld(Reason::SmsSignInNotAllowed)
            }
            (Value::Switch(true), Judged::Yes) if taken == Some(SmsSignIn::Taken) => {
                Verdict::Withheld(Reason::SignInNumberTaken)
            }
            _ => Verdict::Step(*change),
        }
    }
}

const fn reason(answer: Answer) -> Option<Reason> {
    match answer {
        Answer::Can => None,
        Answer::Nothing => Some(Reason::WouldBeOpen),
        Answer::Cannot => Some(Reason::WouldBeStuck),
        Answer::Unknown => Some(Reason::CannotTell),
    }
}

#[cfg(test)]
mod tests;

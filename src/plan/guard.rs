//! All rules that cross settings, in one pure function: the changes of a user go in, ordered steps
//! and what is withheld come out. `apply` asks the same function again, on fresh facts, before it
//! writes.
//!
//! The order is: add a method, then raise the state. So whatever is cut off, nobody is worse off
//! than before: a method too many harms nobody, a demand without a method does.

use crate::plan::Reason;
use crate::posture::{Answer, Judge};
use crate::settings::change::Change;
use crate::settings::{Setting, Value};
use crate::tenant::crowd::Judged;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

/// What may be done for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// In the order of writing; after each of them the user is no worse off than before all.
    pub steps: Vec<Change>,
    pub withheld: Vec<(Change, Reason)>,
    /// What will be there when all steps are done.
    pub facts: Facts,
}

/// Puts the changes of one user in order and keeps back those that would leave the user open or
/// stuck, or of which that cannot be said; and those that would do more than was asked for.
#[must_use]
pub fn guard(judge: &Judge<'_>, user: UserIndex, facts: &Facts, changes: &[Change]) -> Guarded {
    let mut ordered = changes.to_vec();
    ordered.sort_by_key(|change| change.setting);
    let mut guarded = Guarded { steps: Vec::new(), withheld: Vec::new(), facts: *facts };
    for change in ordered {
        let next = change.applied_to(guarded.facts);
        match objection(&change, judge, user, (&guarded.facts, &next)) {
            Some(reason) => guarded.withheld.push((change, reason)),
            None => {
                guarded.steps.push(change);
                guarded.facts = next;
            }
        }
    }
    guarded
}

fn objection(
    change: &Change,
    judge: &Judge<'_>,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Option<Reason> {
    let adds_phone =
        matches!((change.setting, change.after), (Setting::MobilePhone, Value::Phone(_)));
    // No silent side effect: a switch that may be there counts as one.
    if adds_phone && judge.method_policy.signs_in_by_sms(user) != Judged::No {
        return Some(Reason::SmsSignIn);
    }
    if change.lowers() {
        // A demand that may not be there is no cover.
        return match judge.demand.elsewhere(user) {
            Judged::Yes => None,
            Judged::No | Judged::Unknown => Some(Reason::NotCoveredElsewhere),
        };
    }
    let answer = judge.answer(user, after);
    if change.raises() {
        return reason(answer);
    }
    if adds_phone && answer != Answer::Can && judge.answer(user, before) != Answer::Cannot {
        // A phone that is no answer to what is demanded turns a user who could register into one
        // who cannot get in.
        match judge.refuses_phones(user) {
            Judged::Yes => return Some(Reason::WouldBeStuck),
            Judged::Unknown => return Some(Reason::CannotTell),
            Judged::No => {}
        }
    }
    // A demand that may be there counts as one.
    let demanded = judge.demanded(user, after) != Judged::No;
    if demanded && worsens(judge.answer(user, before), answer) { reason(answer) } else { None }
}

/// Whether the user could answer before, or may have been able to, and now less so; or is now in
/// another kind of trouble.
fn worsens(before: Answer, after: Answer) -> bool {
    match (before, after) {
        (_, Answer::Can) => false,
        (Answer::Nothing | Answer::Cannot, Answer::Unknown) => false,
        (before, after) => before != after,
    }
}

fn reason(answer: Answer) -> Option<Reason> {
    match answer {
        Answer::Can => None,
        Answer::Nothing => Some(Reason::WouldBeOpen),
        Answer::Cannot => Some(Reason::WouldBeStuck),
        Answer::Unknown => Some(Reason::CannotTell),
    }
}

#[cfg(test)]
mod tests;

//! All rules that cross settings, in one pure function: the changes of a user go in, ordered steps
//! and what is withheld come out. `apply` asks the same function again, on fresh facts, before it
//! writes.
//!
//! The order is: add a method, then raise the state. So whatever is cut off, nobody is worse off
//! than before: a method too many harms nobody, a demand without a method does.

use crate::plan::Reason;
use crate::posture::{Answer, Posture, answer, posture};
use crate::settings::change::Change;
use crate::tenant::facts::Facts;
use crate::tenant::method_policy::MethodPolicy;

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
/// stuck, or of which that cannot be said.
#[must_use]
pub fn guard(facts: &Facts, policy: &MethodPolicy, changes: &[Change]) -> Guarded {
    let mut ordered = changes.to_vec();
    ordered.sort_by_key(|change| change.setting);
    let mut guarded = Guarded { steps: Vec::new(), withheld: Vec::new(), facts: *facts };
    for change in ordered {
        let next = change.applied_to(guarded.facts);
        match objection(&change, &guarded.facts, &next, policy) {
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
    before: &Facts,
    after: &Facts,
    policy: &MethodPolicy,
) -> Option<Reason> {
    if change.lowers() {
        return Some(Reason::NotCoveredElsewhere);
    }
    if change.raises() {
        return match answer(after, policy) {
            Answer::Can => None,
            Answer::Nothing => Some(Reason::WouldBeOpen),
            Answer::Cannot => Some(Reason::WouldBeStuck),
            Answer::Unknown => Some(Reason::CannotTell),
        };
    }
    match (posture(before, policy), posture(after, policy)) {
        (before, after) if before == after => None,
        (_, Posture::Open) => Some(Reason::WouldBeOpen),
        (_, Posture::Stuck) => Some(Reason::WouldBeStuck),
        _ => None,
    }
}

//! Policies that a change makes weaker.
//!
//! Not here: keys of `mfactl.yaml` (`project`).

use super::{Concerned, Loosening, Side, Sides};
use crate::finding::{Code, quoted};
use crate::policy::Policy;
use crate::settings::change::PolicyIndex;

pub(super) fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    let mut found = Vec::new();
    for (place, policy) in sides.base.policies.policies.iter().enumerate() {
        let index = PolicyIndex::new(place);
        match sides.head.policies.policies.iter().find(|one| one.name == policy.name) {
            None if policy.governs() => found.push(removed(sides.base, policy, index)),
            _ => {}
        }
    }
    found
}

fn removed(base: Side<'_>, policy: &Policy, index: PolicyIndex) -> Loosening {
    let message = format!("policy {} is removed", quoted(&policy.name));
    Loosening::new(Code::PolicyRemoved, message)
        .of_policy(&policy.name)
        .at_base(base, policy.origin)
        .concerning(applying(base, policy, index))
}

/// Returns the users that a policy of this side applies to.
fn applying(side: Side<'_>, policy: &Policy, index: PolicyIndex) -> Option<Concerned> {
    let observed = side.observed?;
    let applies = |user: &_| observed.scope.applies(index, policy, *user, &observed.facts(*user));
    Some(Concerned::in_tenant(observed, observed.scope.users().filter(applies)))
}

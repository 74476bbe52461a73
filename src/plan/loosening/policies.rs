//! Policies that a change makes weaker: which policies of both sides belong together, and what of them is
//! compared where.
//!
//! Not here: keys of `mfactl.yaml` (`project`).

use super::cause::loosening;
use super::{Loosening, Sides, exceptions, files, users};
use crate::policy::meaning::reach;
use crate::policy::{Policy, PolicySet};
use crate::settings::change::PolicyIndex;

pub(super) fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    let pairs = Pairs::of(sides.base.policies, sides.head.policies);
    let causes = match sides.observed() {
        Some(observed) => users::causes(sides, &pairs, observed),
        None => files::causes(sides, &pairs),
    };
    let found = causes.into_iter();
    let mut found: Vec<Loosening> =
        found.map(|(cause, concerned)| loosening(sides, &cause, concerned)).collect();
    for pair in pairs.both(sides) {
        if pair.base.1.governs() && pair.head.1.governs() {
            found.extend(exceptions::loosenings(sides, pair));
        }
    }
    found
}

/// The policies that belong together on both sides: those of one name, and those of two names that reach the
/// same users, because a policy can be renamed.
pub(super) struct Pairs(Vec<(PolicyIndex, PolicyIndex)>);

/// A policy on both sides.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub base: (PolicyIndex, &'a Policy),
    pub head: (PolicyIndex, &'a Policy),
}

impl Pairs {
    fn of(base: &PolicySet, head: &PolicySet) -> Self {
        let index = PolicyIndex::new;
        let same =
            |set: &PolicySet, name: &str| set.policies.iter().position(|one| one.name == name);
        let mut pairs = Vec::new();
        for (place, policy) in base.policies.iter().enumerate() {
            let by_name = same(head, &policy.name);
            let renamed = || {
                head.policies.iter().position(|other| {
                    same(base, &other.name).is_none() && is_renamed(policy, other)
                })
            };
            if let Some(other) = by_name.or_else(renamed) {
                pairs.push((index(place), index(other)));
            }
        }
        Self(pairs)
    }

    /// Returns the policy of the head that a policy of the base has become.
    pub(super) fn head_of(&self, base: PolicyIndex) -> Option<PolicyIndex> {
        self.0.iter().find(|(one, _)| *one == base).map(|(_, head)| *head)
    }

    /// Returns the policy of the base that a policy of the head was.
    pub(super) fn base_of(&self, head: PolicyIndex) -> Option<PolicyIndex> {
        self.0.iter().find(|(_, one)| *one == head).map(|(base, _)| *base)
    }

    /// Returns the policies of both sides.
    pub(super) fn both<'a>(&self, sides: Sides<'a>) -> impl Iterator<Item = Pair<'a>> {
        self.0.iter().filter_map(move |(base, head)| {
            let base = (*base, sides.base.policies.policies.get(base.place())?);
            let head = (*head, sides.head.policies.policies.get(head.place())?);
            Some(Pair { base, head })
        })
    }
}

/// Whether a policy can be another one with a new name. Each part of a policy is compared where the comment
/// says, so that a new part does not compile until that is decided.
fn is_renamed(before: &Policy, after: &Policy) -> bool {
    let Policy {
        // A new name alone loosens nothing.
        name: _,
        // It is for readers.
        description: _,
        // `users` and `files`.
        mode: _,
        // By its effect: which policy decides (`users`), or could decide (`files`).
        priority: _,
        // Compared here, and by `users` and `files`.
        who: _,
        only: _,
        // `exceptions`.
        except: _,
        // `users` and `files`, with `SettingRule::looser_than`.
        rules: _,
        // A place is no guard.
        origin: _,
    } = before;
    reach(before) == reach(after)
}

//! Narrows a finished plan to some users, policies or changes. The evaluation stays as it was. The changes that are
//! left go through the guard again, because a change may depend on a dropped one, of the same user or of
//! another. The brakes keep the denominators of the whole plan.
//!
//! Not here: whether brakes refuse what is left (`brakes`), or dropping users that a plan is not about
//! (`trim_directory`).

use std::collections::BTreeSet;

use super::brakes::brakes;
use super::guard::Guarded;
use super::summary::Summary;
use super::{Plan, UserPlan, Withheld};
use crate::finding::Code;
use crate::id::UserId;
use crate::plan::numbers::conflicts::{self, RefusedChanges};
use crate::policy::PolicySet;
use crate::posture::Posture;
use crate::settings::Setting;
use crate::settings::change::{Change, PolicyIndex};
use crate::tenant::directory::UserIndex;

/// What to keep of a plan. The default keeps everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    pub users: BTreeSet<UserIndex>,
    pub policies: BTreeSet<PolicyIndex>,
    /// Only these settings of these users.
    pub changes: Option<BTreeSet<(UserIndex, Setting)>>,
    /// The number of changed users to keep, from the first in the order of their names.
    pub limit: Option<usize>,
}

impl Narrow {
    /// Whether everything is kept.
    #[must_use]
    pub fn is_all(&self) -> bool {
        let Self { users, policies, changes, limit } = self;
        users.is_empty() && policies.is_empty() && changes.is_none() && limit.is_none()
    }

    fn takes(&self, user: UserIndex, policy: PolicyIndex) -> bool {
        (self.users.is_empty() || self.users.contains(&user))
            && (self.policies.is_empty() || self.policies.contains(&policy))
    }

    fn takes_change(&self, change: &Change) -> bool {
        let is_named = |changes: &BTreeSet<_>| changes.contains(&(change.user, change.setting));
        self.takes(change.user, change.policy) && self.changes.as_ref().is_none_or(is_named)
    }
}

/// Narrows the plan.
#[must_use]
pub fn narrow(mut plan: Plan, to: &Narrow, set: &PolicySet) -> Plan {
    if to.is_all() {
        return plan;
    }
    let guarded = guarded(&plan, to);
    let mut left = Left::default();
    for (user, guarded) in std::mem::take(&mut plan.users).into_iter().zip(guarded) {
        let next = left.take(&plan, &user, guarded, to);
        plan.postures.correct(user.after, next);
    }
    plan.withheld.retain(|withheld| to.takes(withheld.user, withheld.policy));
    plan.withheld.extend(left.withheld);
    plan.withheld.sort_by_key(|withheld| (withheld.user, withheld.setting));
    plan.reported.retain(|change| to.takes(change.user, change.policy));
    plan.reported_withheld.retain(|withheld| to.takes(withheld.user, withheld.policy));
    // An object of the tenant is no part of any user or policy.
    plan.objects.clear();
    plan.changes = left.changes;
    plan.users = left.users;
    plan.forget_others(to);
    plan.summary = Summary::of(&plan.users, &plan.changes, &plan.withheld);
    plan.brakes = brakes(&plan.changes, plan.in_scope, &set.project.brakes);
    plan
}

/// Returns what is left of each user of the plan. A refusal can make room for another user, whose changes
/// may be refused as well, so this repeats until nothing more is refused.
fn guarded(plan: &Plan, to: &Narrow) -> Vec<Guarded> {
    let judge = plan.basis.judge();
    let mut refused = RefusedChanges::default();
    loop {
        let mut changed = 0;
        let guarded: Vec<Guarded> = plan
            .users
            .iter()
            .map(|user| {
                let room = to.limit.is_none_or(|limit| changed < limit);
                let takes = |change: &&Change| room && to.takes_change(change);
                let wanted = plan.changes_of(user).iter().filter(takes).copied().collect();
                let guarded = refused.guard(&judge, user.user, &user.facts, wanted);
                changed += usize::from(!guarded.steps.is_empty());
                guarded
            })
            .collect();
        if !refused.extend(conflicts::no_longer_free(plan, &guarded)) {
            return guarded;
        }
    }
}

/// The plan that is left so far.
#[derive(Default)]
struct Left {
    users: Vec<UserPlan>,
    changes: Vec<Change>,
    withheld: Vec<Withheld>,
}

impl Left {
    /// Adds what is left of one user, and returns the posture of that user afterwards.
    fn take(&mut self, plan: &Plan, user: &UserPlan, guarded: Guarded, to: &Narrow) -> Posture {
        let withheld = guarded.withheld.iter();
        self.withheld.extend(withheld.map(|(change, reason)| Withheld::of(change, *reason)));
        let first = self.changes.len();
        self.changes.extend(guarded.steps);
        let after = plan.basis.judge().posture(user.user, &guarded.facts);
        if user.policies.iter().any(|policy| to.takes(user.user, *policy)) {
            let changes = first..self.changes.len();
            self.users.push(UserPlan { changes, after, ..user.clone() });
        }
        after
    }
}

impl Plan {
    /// Drops findings that are only about other users. Findings of unreadable facts stay unless users were
    /// selected, because it is unknown which changes the facts would have led to.
    fn forget_others(&mut self, to: &Narrow) {
        let left = self.users.iter().map(|user| user.user).chain(to.users.iter().copied());
        let left = left.filter_map(|user| self.directory.user(user));
        let kept: BTreeSet<UserId> = left.map(|user| user.id).collect();
        self.findings.retain(|finding| {
            finding.users.is_empty()
                || to.users.is_empty() && finding.code == Code::Unreadable
                || finding.users.iter().any(|user| kept.contains(user))
        });
    }
}

//! Checks whether the policies still want the changes of a plan. Since the plan, a user may have left the
//! scope of a policy, the number in the directory may be another one, or the account may be gone.
//!
//! Not here: whether the observed methods of the user are still the same (`apply::verify`).

use std::collections::BTreeMap;

use super::{Plan, UserPlan};
use crate::desired::{Candidates, DecisionResult, PolicyView, desired};
use crate::policy::PolicySet;
use crate::scope::Scope;
use crate::settings::Value;
use crate::settings::change::Change;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::domains::domain_of;

/// Why the planned changes of a user are not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangedSincePlan {
    /// Methods or state have changed.
    Facts,
    /// Methods and state are the same, but the changes are no longer safe.
    Unsafe,
    /// A fact that the plan depends on could not be read.
    Unreadable,
    /// A fact that could not be read for the plan can be read now.
    ReadNow,
    /// A run of this machine wrote to the user, and the result is not what the plan depends on.
    OwnRun,
    /// No user has this id any more.
    Gone,
    BreakGlass,
    /// The account (enabled, guest, synchronised) or the domain of its name has changed.
    Account,
    /// No policy wants the change any more, or another policy does.
    Policies,
    /// An exception of the policy excludes the user.
    Excepted,
    /// The value that the run wrote was changed again.
    Undo,
}

impl ChangedSincePlan {
    /// Returns the reason as a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Facts => "the user was changed since the plan",
            Self::Unsafe => "the planned changes are no longer safe for the user",
            Self::Unreadable => "the user could not be read",
            Self::ReadNow => {
                "a fact of the user can be read now that could not be read for the plan"
            }
            Self::OwnRun => "your own run wrote to the user since the plan; plan again",
            Self::Gone => "the account no longer exists",
            Self::BreakGlass => "the account is a break-glass account now",
            Self::Account => "the account was changed since the plan",
            Self::Policies => "the policies no longer want this for the user",
            Self::Excepted => "an exception of the policy now excludes the user",
            Self::Undo => "what the run wrote is no longer there, so nothing is put back",
        }
    }
}

/// The directory as it is now, and the users in scope of the policies.
#[derive(Debug, Clone, Copy)]
pub struct CurrentScope<'a> {
    pub set: &'a PolicySet,
    pub directory: &'a Directory,
    pub scope: &'a Scope,
}

/// Returns the users whose changes must not be made after all.
#[must_use]
pub fn moved(plan: &Plan, now: CurrentScope<'_>) -> BTreeMap<UserIndex, ChangedSincePlan> {
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    changed.filter_map(|user| Some((user.user, now.moved(plan, user)?))).collect()
}

/// Returns the same for a plan that no policy made: only the account is checked.
#[must_use]
pub fn moved_account(plan: &Plan, now: CurrentScope<'_>) -> BTreeMap<UserIndex, ChangedSincePlan> {
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    changed.filter_map(|user| Some((user.user, now.account(plan, user).err()?))).collect()
}

/// Returns the users that an exception of their policy now excludes.
#[must_use]
pub fn excepted(plan: &Plan, now: CurrentScope<'_>) -> BTreeMap<UserIndex, ChangedSincePlan> {
    let is_excepted = |user: &&UserPlan| {
        let index = plan.directory.user(user.user).and_then(|one| now.directory.find(one.id));
        let excludes = |change: &Change| {
            index.is_some_and(|index| now.scope.is_excepted(change.policy, index))
        };
        plan.changes_of(user).iter().any(excludes)
    };
    plan.users
        .iter()
        .filter(is_excepted)
        .map(|user| (user.user, ChangedSincePlan::Excepted))
        .collect()
}

impl CurrentScope<'_> {
    fn account(&self, plan: &Plan, user: &UserPlan) -> Result<UserIndex, ChangedSincePlan> {
        let was = plan.directory.user(user.user).ok_or(ChangedSincePlan::Gone)?;
        let index = self.directory.find(was.id).ok_or(ChangedSincePlan::Gone)?;
        let is = self.directory.user(index).ok_or(ChangedSincePlan::Gone)?;
        match () {
            () if self.scope.break_glass().any(|guard| guard == index) => {
                Err(ChangedSincePlan::BreakGlass)
            }
            // Graph returns an unreadable user with the id alone.
            () if is.is_hidden() && !was.is_hidden() => Err(ChangedSincePlan::Unreadable),
            () if is.account != was.account => Err(ChangedSincePlan::Account),
            // The domain decides where a user signs in.
            () if domain_of(is.name.raw()) != domain_of(was.name.raw()) => {
                Err(ChangedSincePlan::Account)
            }
            () => Ok(index),
        }
    }

    fn moved(&self, plan: &Plan, user: &UserPlan) -> Option<ChangedSincePlan> {
        let index = match self.account(plan, user) {
            Ok(index) => index,
            Err(moved) => return Some(moved),
        };
        let is = self.directory.user(index)?;
        let candidates = Candidates { policies: &self.set.policies, scope: self.scope };
        let desired = desired(candidates, PolicyView::Real, index, is, &user.facts);
        let wanted = |change: &Change| {
            let said = desired.said.iter().find(|said| said.setting == change.setting);
            said.is_some_and(|said| {
                said.policy == change.policy
                    && said.mandate == change.mandate
                    && matches!(said.outcome, DecisionResult::Wanted(_))
                    && can_become(desired.values.get(change.setting), change.after)
            })
        };
        let all = plan.changes_of(user).iter().all(wanted);
        (!all).then_some(ChangedSincePlan::Policies)
    }
}

/// Whether a plan can have made the planned value from the wanted one: it settles on one of several
/// preferred methods.
fn can_become(wanted: Value, planned: Value) -> bool {
    match (wanted, planned) {
        (Value::Preference(preference), Value::Default(method)) => {
            preference.iter().any(|preferred| preferred == method)
        }
        (wanted, planned) => wanted == planned,
    }
}

//! Whether the policies still want of a user what a plan does: the directory may say by now that a
//! policy is for somebody else, that the number is another one, or that the account is gone.
//!
//! Not here: whether what was observed of the user's methods still holds (`apply::basis`).

use std::collections::BTreeMap;

use super::{Plan, UserPlan};
use crate::desired::{Candidates, Outcome, View, desired};
use crate::policy::PolicySet;
use crate::scope::Scope;
use crate::settings::Value;
use crate::settings::change::Change;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::domains::domain_of;

/// Why a user of a plan is left as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moved {
    /// Methods or state are not what they were.
    Facts,
    /// They are what they were, and what was safe no longer is.
    Unsafe,
    /// What the plan rests on could not be read.
    Unreadable,
    /// What could not be read when the plan was made can be read now.
    ReadNow,
    /// A run from here wrote to the user, and what it left is not what the plan rests on.
    OwnRun,
    /// Nobody of this id is there any more.
    Gone,
    BreakGlass,
    /// Enabled, guest, synchronised, or the domain of its name: one of these changed.
    Account,
    /// No policy, or another one, wants what the plan does.
    Policies,
    /// An exception of the policy leaves the user alone.
    Excepted,
    /// What is to be put back was changed again.
    Undo,
}

impl Moved {
    /// The reason in a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Facts => "the user was changed since the plan",
            Self::Unsafe => "what was planned for the user is no longer safe",
            Self::Unreadable => "the user could not be read",
            Self::ReadNow => "more can be read of the user than when the plan was made",
            Self::OwnRun => "your own run wrote to the user since the plan; plan again",
            Self::Gone => "the account no longer exists",
            Self::BreakGlass => "it is a break-glass account by now",
            Self::Account => "the account was changed since the plan",
            Self::Policies => "the policies no longer want this of the user",
            Self::Excepted => "an exception of the policy names the user by now",
            Self::Undo => "what the run wrote is no longer there to be put back",
        }
    }
}

/// The directory as it is now, and whom the policies mean in it.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    pub set: &'a PolicySet,
    pub directory: &'a Directory,
    pub scope: &'a Scope,
}

/// Those whose changes are not to be done after all, by their places in the plan.
#[must_use]
pub fn moved(plan: &Plan, now: Now<'_>) -> BTreeMap<UserIndex, Moved> {
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    changed.filter_map(|user| Some((user.user, now.moved(plan, user)?))).collect()
}

/// The same for a plan that no policy made: it only matters whose account it is.
#[must_use]
pub fn moved_account(plan: &Plan, now: Now<'_>) -> BTreeMap<UserIndex, Moved> {
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    changed.filter_map(|user| Some((user.user, now.account(plan, user).err()?))).collect()
}

/// Those whom an exception leaves alone by now, of a policy that the plan carries out for them.
#[must_use]
pub fn excepted(plan: &Plan, now: Now<'_>) -> BTreeMap<UserIndex, Moved> {
    let is_excepted = |user: &&UserPlan| {
        let index = plan.directory.user(user.user).and_then(|one| now.directory.find(one.id));
        let leaves = |change: &Change| {
            index.is_some_and(|index| now.scope.is_excepted(change.policy, index))
        };
        plan.changes_of(user).iter().any(leaves)
    };
    plan.users.iter().filter(is_excepted).map(|user| (user.user, Moved::Excepted)).collect()
}

impl Now<'_> {
    fn account(&self, plan: &Plan, user: &UserPlan) -> Result<UserIndex, Moved> {
        let was = plan.directory.user(user.user).ok_or(Moved::Gone)?;
        let index = self.directory.find(was.id).ok_or(Moved::Gone)?;
        let is = self.directory.user(index).ok_or(Moved::Gone)?;
        match () {
            () if self.scope.break_glass().any(|guard| guard == index) => Err(Moved::BreakGlass),
            // One that may not be read comes with an id alone.
            () if is.is_hidden() && !was.is_hidden() => Err(Moved::Unreadable),
            () if is.account != was.account => Err(Moved::Account),
            // Where somebody signs in goes by the domain.
            () if domain_of(is.name.raw()) != domain_of(was.name.raw()) => Err(Moved::Account),
            () => Ok(index),
        }
    }

    fn moved(&self, plan: &Plan, user: &UserPlan) -> Option<Moved> {
        let index = match self.account(plan, user) {
            Ok(index) => index,
            Err(moved) => return Some(moved),
        };
        let is = self.directory.user(index)?;
        let candidates = Candidates { policies: &self.set.policies, scope: self.scope };
        let desired = desired(candidates, View::Real, index, is, &user.facts);
        let wanted = |change: &Change| {
            let said = desired.said.iter().find(|said| said.setting == change.setting);
            said.is_some_and(|said| {
                said.policy == change.policy
                    && said.mandate == change.mandate
                    && matches!(said.outcome, Outcome::Wanted(_))
                    && comes_to(desired.values.get(change.setting), change.after)
            })
        };
        let all = plan.changes_of(user).iter().all(wanted);
        (!all).then_some(Moved::Policies)
    }
}

/// Whether a plan may have made one out of the other: of several preferences it settles one.
fn comes_to(wanted: Value, planned: Value) -> bool {
    match (wanted, planned) {
        (Value::Preference(preference), Value::Default(method)) => {
            preference.iter().any(|liked| liked == method)
        }
        (wanted, planned) => wanted == planned,
    }
}

//! Reads the basis of a plan again, after the plan was shown, and finds the users whose changes must not
//! be made any more.
//!
//! Not here: whether the plan still holds (`apply::verify`), or which users changed (`plan::recheck`).

use std::collections::BTreeMap;

use futures_util::future::try_join;

use super::fault::RunFault;
use super::observe::{basis, is_public_cloud, read_rules};
use super::session::Session;
use super::users::{ReadExtent, ReadFor, read_directory, resolved_scope};
use crate::id::UserId;
use crate::observed::TenantBasis;
use crate::plan::recheck::{self, ChangedSincePlan, CurrentScope};
use crate::plan::{Plan, PlanPurpose};
use crate::policy::PolicySet;
use crate::scope::{self, break_glass_ids};
use crate::tenant::directory::UserIndex;
use crate::tenant::membership::Guarding;

/// The basis of a plan, read again after the plan was shown.
#[derive(Debug)]
pub struct RereadBasis {
    pub basis: TenantBasis,
    /// The members of each break-glass group.
    pub guarding: Guarding,
    /// The users whose changes must not be made any more.
    pub changed: BTreeMap<UserIndex, ChangedSincePlan>,
}

/// A function that finds the users of a plan that changed since.
type FindChanged = fn(&Plan, CurrentScope<'_>) -> BTreeMap<UserIndex, ChangedSincePlan>;

/// Reads again the rules of the tenant and the users in scope, for the users of a plan.
///
/// # Errors
/// A read failed, or names no longer fit the tenant.
pub async fn for_plan(
    session: &Session,
    policies: &PolicySet,
    plan: &Plan,
) -> Result<RereadBasis, RunFault> {
    let changed = plan.changed_users();
    let users = changed.iter().filter_map(|user| plan.directory.user(*user));
    let ids: Vec<UserId> = users.map(|user| user.id).collect();
    let extent = ReadExtent::TheseAndGroups(&ids);
    match plan.purpose {
        PlanPurpose::Policies => {
            reread(session, (policies, policies), plan, extent, recheck::moved).await
        }
        PlanPurpose::Undo { .. } => {
            let guards = policies.guards_only();
            reread(session, (policies, &guards), plan, extent, recheck::moved_account).await
        }
    }
}

/// Reads again the rules of the tenant for the users of a plan, and the users that policies exclude. Only
/// users in guard groups are resolved.
///
/// # Errors
/// A read failed, or guards no longer resolve.
pub async fn guards_for_plan(
    session: &Session,
    policies: &PolicySet,
    plan: &Plan,
) -> Result<RereadBasis, RunFault> {
    let guards = match plan.purpose {
        PlanPurpose::Policies => policies.exceptions_only(),
        PlanPurpose::Undo { .. } => policies.guards_only(),
    };
    reread(session, (policies, &guards), plan, ReadExtent::Scope, recheck::excepted).await
}

/// Reads the rules that all policies need, and the users that the resolved policies need.
async fn reread(
    session: &Session,
    (policies, resolved): (&PolicySet, &PolicySet),
    plan: &Plan,
    extent: ReadExtent<'_>,
    find_changed: FindChanged,
) -> Result<RereadBasis, RunFault> {
    let reads = [ReadFor { policies: resolved, extent, extra: plan.basis.extra }];
    let (found, rules) = try_join(
        read_directory(session, &reads, &|_| {}),
        read_rules(session.live()?, is_public_cloud(policies), |_| {}),
    )
    .await?;
    let (scope, _) = resolved_scope(session, resolved, &found, extent)?;
    let (directory, roles) = found;
    let now = CurrentScope { set: resolved, directory: &directory, scope: &scope };
    let changed = find_changed(plan, now);
    let break_glass = break_glass_ids(&scope, &directory);
    let rules = rules.of(&plan.directory, &roles);
    let basis = basis(session, policies, rules, (break_glass, plan.basis.extra));
    let guarding = scope::guarding(&policies.project.break_glass, &directory);
    Ok(RereadBasis { basis, guarding, changed })
}

//! Everything a plan needs to know of a tenant, read in the one order: who is meant, then what they
//! have.

use std::collections::BTreeSet;

use super::connect::Tenant;
use super::fault::Fault;
use crate::entra::safety::{self, refusable};
use crate::entra::{directory, facts, roles};
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::plan::build::{self, Observed};
use crate::plan::{Plan, TenantBasis};
use crate::policy::PolicySet;
use crate::scope::{self, Scope, break_glass_ids};
use crate::tenant::delivery::Delivery;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::roles::Roles;

/// The plan for the tenant as it is now; policies that contradict themselves in it end the run.
///
/// # Errors
/// What could not be read, or names and policies that do not fit the tenant.
pub async fn plan(set: &PolicySet, tenant: &Tenant) -> Result<Plan, Fault> {
    let plan = build::plan(set, observe(set, tenant).await?);
    if plan.is_faulty() {
        let findings = plan.findings.into_iter().filter(Finding::is_error).collect();
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok(plan)
}

/// Observes the tenant as far as the policies need it.
///
/// # Errors
/// What could not be read, or names that do not fit the tenant.
pub async fn observe(set: &PolicySet, tenant: &Tenant) -> Result<Observed, Fault> {
    let roles = refusable(roles::read(&tenant.client).await)?;
    let (directory, scope, mut findings) = who(set, tenant, &roles).await?;
    let guards = break_glass_ids(&scope, &directory);
    let basis = rules(tenant, &directory, &roles, guards, &mut findings).await?;
    let facts = facts_of(&scope, &directory, tenant, &basis.method_policy).await?;
    Ok(Observed { identity: tenant.identity.clone(), directory, scope, facts, basis, findings })
}

/// Reads again what a plan rests on for the tenant as a whole, for the users of the plan.
///
/// # Errors
/// What could not be read, or guards that no longer resolve.
pub async fn basis(
    set: &PolicySet,
    tenant: &Tenant,
    planned: &Directory,
) -> Result<TenantBasis, Fault> {
    let roles = refusable(roles::read(&tenant.client).await)?;
    let (directory, scope, mut findings) = who(&set.guards_only(), tenant, &roles).await?;
    let guards = break_glass_ids(&scope, &directory);
    rules(tenant, planned, &roles, guards, &mut findings).await
}

async fn who(
    set: &PolicySet,
    tenant: &Tenant,
    roles: &Read<Roles>,
) -> Result<(Directory, Scope, Vec<Finding>), Fault> {
    let none = Roles::default();
    let mut lookup = scope::lookup(set);
    let known = roles.known().unwrap_or(&none);
    lookup.user_ids.extend(scope::holders(set, known));
    let directory = directory::read(&tenant.client, &lookup).await?;
    let (scope, findings) = scope::resolve(set, &directory, known, tenant.today);
    if findings.iter().any(Finding::is_error) {
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok((directory, scope, findings))
}

/// What safety rests on for the users of a directory. What this identity may not know is a
/// finding, and guards assume the worst.
async fn rules(
    tenant: &Tenant,
    directory: &Directory,
    roles: &Read<Roles>,
    break_glass: BTreeSet<UserId>,
    findings: &mut Vec<Finding>,
) -> Result<TenantBasis, Fault> {
    let read = safety::read(&tenant.client, directory, roles, tenant.public_cloud).await?;
    findings.extend(read.unread.iter().map(|what| {
        Finding::new(Code::Unreadable, format!("{}: Graph refused (403)", what.what()))
            .help(format!("grant `{}`; until then what rests on it is unknown", what.permission()))
    }));
    Ok(TenantBasis {
        method_policy: read.method_policy,
        demand: read.demand,
        delivery: if tenant.public_cloud { Delivery::MICROSOFT } else { Delivery::UNENDING },
        today: tenant.today,
        break_glass,
    })
}

/// The facts of everybody in scope and of the break-glass accounts, by their places.
async fn facts_of(
    scope: &Scope,
    directory: &Directory,
    tenant: &Tenant,
    policy: &MethodPolicy,
) -> Result<Vec<Facts>, Fault> {
    let mut all = vec![Facts::NOT_READ; directory.len()];
    let indexes: Vec<UserIndex> = scope.users().chain(scope.break_glass()).collect();
    let ids: Vec<UserId> =
        indexes.iter().filter_map(|index| directory.user(*index)).map(|user| user.id).collect();
    let read = facts::read(&tenant.client, &ids, policy).await?;
    for (index, facts) in indexes.iter().zip(read) {
        if let Some(slot) = all.get_mut(index.place()) {
            *slot = facts;
        }
    }
    Ok(all)
}

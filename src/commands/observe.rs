//! Everything a plan needs to know of a tenant, read in the one order: who is meant, then what they
//! have.

use super::connect::Tenant;
use super::fault::Fault;
use crate::entra::{directory, facts, method_policy};
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::plan::build::{self, Observed};
use crate::plan::{Plan, TenantBasis};
use crate::policy::PolicySet;
use crate::scope::{self, Scope, break_glass_ids};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::Facts;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::roles::Roles;

/// Observes the tenant as far as the policies need it.
async fn observe(set: &PolicySet, tenant: &Tenant) -> Result<Observed, Fault> {
    let (directory, scope, mut findings) = who(set, tenant).await?;
    let method_policy = allowed(tenant, &mut findings).await?;
    let facts = facts_of(&scope, &directory, tenant).await?;
    Ok(Observed {
        identity: tenant.identity.clone(),
        directory,
        scope,
        facts,
        method_policy,
        findings,
    })
}

/// The plan for the tenant as it is now; policies that contradict themselves in it end the run.
pub(super) async fn plan(set: &PolicySet, tenant: &Tenant) -> Result<Plan, Fault> {
    let plan = build::plan(set, observe(set, tenant).await?);
    if plan.is_faulty() {
        let findings = plan.findings.into_iter().filter(Finding::is_error).collect();
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok(plan)
}

/// Reads again what a plan rests on for the tenant as a whole.
pub(super) async fn basis(set: &PolicySet, tenant: &Tenant) -> Result<TenantBasis, Fault> {
    let (directory, scope, mut findings) = who(&set.guards_only(), tenant).await?;
    let method_policy = allowed(tenant, &mut findings).await?;
    Ok(TenantBasis { method_policy, break_glass: break_glass_ids(&scope, &directory) })
}

async fn who(set: &PolicySet, tenant: &Tenant) -> Result<(Directory, Scope, Vec<Finding>), Fault> {
    let mut lookup = scope::lookup(set);
    let roles = if lookup.roles { roles(tenant).await? } else { Roles::default() };
    lookup.user_ids.extend(scope::holders(set, &roles));
    let directory = directory::read(&tenant.client, &lookup).await?;
    let (scope, findings) = scope::resolve(set, &directory, &roles, tenant.today());
    if findings.iter().any(Finding::is_error) {
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok((directory, scope, findings))
}

/// JOIN: `entra::roles::read(&tenant.client)`. Until then no role is known, so whoever names one is
/// told that there is none.
async fn roles(_: &Tenant) -> Result<Roles, Fault> {
    Ok(Roles::default())
}

/// What the tenant allows; where this identity may not know, nothing is said and guards assume the
/// worst.
async fn allowed(tenant: &Tenant, findings: &mut Vec<Finding>) -> Result<MethodPolicy, Fault> {
    match method_policy::read(&tenant.client).await {
        Ok(policy) => Ok(policy),
        Err(error) if error.status() == Some(403) => {
            findings.push(
                Finding::new(
                    Code::Unreadable,
                    "the authentication methods policy could not be read: Graph refused (403)",
                )
                .help(
                    "grant `Policy.Read.AuthenticationMethod`; until then nobody's MFA is raised",
                ),
            );
            Ok(MethodPolicy::default())
        }
        Err(error) => Err(error.into()),
    }
}

/// The facts of everybody in scope and of the break-glass accounts, by their places.
async fn facts_of(
    scope: &Scope,
    directory: &Directory,
    tenant: &Tenant,
) -> Result<Vec<Facts>, Fault> {
    let mut all = vec![Facts::NOT_READ; directory.len()];
    let indexes: Vec<UserIndex> = scope.users().chain(scope.break_glass()).collect();
    let ids: Vec<UserId> =
        indexes.iter().filter_map(|index| directory.user(*index)).map(|user| user.id).collect();
    let read = facts::read(&tenant.client, &ids).await?;
    for (index, facts) in indexes.iter().zip(read) {
        if let Some(slot) = all.get_mut(index.place()) {
            *slot = facts;
        }
    }
    Ok(all)
}

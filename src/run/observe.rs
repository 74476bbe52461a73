//! Observes a tenant: first the users in scope, then their facts, and the rules of the tenant at the
//! same time. Each function says which users it reads in addition to those in scope.
//!
//! Not here: which users are read, and their names (`users`), or reading again before a plan is carried
//! out (`reread`).

use std::collections::BTreeSet;

use futures_util::future::try_join3;
use tokio::sync::oneshot;

use super::fault::RunFault;
use super::session::Session;
use super::users::{self, ReadExtent, Users, find};
use crate::entra::prefetch::{self, PrefetchedFacts};
use crate::entra::tenant_rules::{self, ConfiguredRules, Safety, Unread};
use crate::id::UserId;
use crate::observed::{Observed, TenantBasis};
use crate::policy::{CloudName, PolicySet, UserRef};
use crate::scope::break_glass_ids;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::roles::Roles;

/// The observed tenant, with one user in addition to those in scope.
#[derive(Debug)]
pub struct ObservedWith {
    pub observed: Observed,
    pub roles: Read<Roles>,
    pub user: UserIndex,
    /// The parts of the tenant that this identity may not read.
    pub unread: Vec<Unread>,
}

/// Observes the tenant as far as the policies need it.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn for_policies(session: &Session, policies: &PolicySet) -> Result<Observed, RunFault> {
    let extent = match policies.concern_everyone() {
        true => ReadExtent::ScopeAndEverybody,
        false => ReadExtent::Scope,
    };
    Ok(observe(session, policies, extent, policies.extra()).await?.observed)
}

/// Observes the tenant for the policies, and one more user, who may be in no policy.
///
/// # Errors
/// A read failed, names do not fit the tenant, or there is no such user.
pub async fn for_policies_and_user(
    session: &Session,
    policies: &PolicySet,
    user: &UserRef,
) -> Result<ObservedWith, RunFault> {
    let seen = observe(session, policies, ReadExtent::ScopeAnd(user), policies.extra()).await?;
    let Seen { observed, roles, unread } = seen;
    let user = find(&observed.directory, user)?;
    Ok(ObservedWith { observed, roles, user, unread })
}

/// Observes every enabled account of the tenant, in scope or not. Too few break-glass accounts are a
/// finding in the result and do not stop the run, because nothing is written.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn for_everybody(
    session: &Session,
    policies: &PolicySet,
) -> Result<(Observed, Read<Roles>), RunFault> {
    // The sign-in preferences of users make no account open or stuck.
    let seen = observe(session, policies, ReadExtent::Everybody, Extra::default()).await?;
    Ok((seen.observed, seen.roles))
}

/// Observes these users and the users in scope, because the values of other users matter.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn these_users_and_scope(
    session: &Session,
    policies: &PolicySet,
    users: &[UserId],
) -> Result<Observed, RunFault> {
    let extent = ReadExtent::ScopeAndThese(users);
    Ok(observe(session, policies, extent, Extra::ALL).await?.observed)
}

/// Observes these users alone. The second value says whether the users in scope are known: a name that
/// does not fit the tenant must not stop an undo.
///
/// # Errors
/// A read failed, or guards do not resolve.
pub async fn these_users(
    session: &Session,
    policies: &PolicySet,
    users: &[UserId],
) -> Result<(Observed, bool), RunFault> {
    let (extent, extra) = (ReadExtent::TheseAlone(users), Extra::ALL);
    match observe(session, policies, extent, extra).await {
        Err(RunFault::Policies { .. }) => {
            let guards_only = policies.guards_only();
            Ok((observe(session, &guards_only, extent, extra).await?.observed, false))
        }
        seen => Ok((seen?.observed, true)),
    }
}

/// The observed tenant, and the roles and unread parts that belong to it.
struct Seen {
    observed: Observed,
    roles: Read<Roles>,
    unread: Vec<Unread>,
}

/// Reads three things at the same time: the rules of the tenant, the facts of those users that are known
/// to be needed already (prefetch), and the users in scope.
async fn observe(
    session: &Session,
    policies: &PolicySet,
    extent: ReadExtent<'_>,
    extra: Extra,
) -> Result<Seen, RunFault> {
    let (needed_sender, needed) = prefetch::needed_users();
    let (send_policy, policy) = oneshot::channel();
    let rules = read_rules(session, policies, |policy| _ = send_policy.send(policy));
    let how = (extra, extent.is_everybody(policies));
    let facts = async {
        // No policy arrives if the rules could not be read, and that ends the run.
        let policy = policy.await.unwrap_or(MethodPolicy::UNREAD);
        Ok(prefetch::read(&session.client, &policy, how, needed).await?)
    };
    let users = users::read(session, policies, extent, needed_sender);
    let (rules, facts, users) = try_join3(rules, facts, users).await?;
    Ok(put_together(session, policies, extra, (rules, facts, users)))
}

fn put_together(
    session: &Session,
    policies: &PolicySet,
    extra: Extra,
    (rules, prefetched, users): (ConfiguredRules, PrefetchedFacts, Users),
) -> Seen {
    let Users { directory, roles, scope, mut findings, needed } = users;
    let facts = facts_of(&directory, needed, &prefetched);
    drop(prefetched);
    let break_glass = break_glass_ids(&scope, &directory);
    let mut rules = rules.of(&directory, &roles);
    findings.extend(rules.findings());
    let unread = std::mem::take(&mut rules.unread);
    let basis = basis(session, policies, rules, (break_glass, extra));
    let identity = session.identity.clone();
    let observed = Observed { identity, directory, scope, facts, basis, findings };
    Seen { observed, roles, unread }
}

/// Reads the rules of the tenant. `on_policy` receives the method policy as soon as it is known.
pub(super) async fn read_rules(
    session: &Session,
    policies: &PolicySet,
    on_policy: impl FnOnce(MethodPolicy),
) -> Result<ConfiguredRules, RunFault> {
    let public_cloud = policies.project.cloud == CloudName::Global;
    Ok(tenant_rules::read(&session.client, public_cloud, on_policy).await?)
}

/// Returns the basis of a plan. A rule that this identity may not read is unknown in it, and guards
/// assume the worse case.
pub(super) fn basis(
    session: &Session,
    policies: &PolicySet,
    rules: Safety,
    (break_glass, extra): (BTreeSet<UserId>, Extra),
) -> TenantBasis {
    TenantBasis {
        method_policy: rules.method_policy,
        demand: rules.demand,
        delivery: policies.project.delivery,
        today: session.today(),
        break_glass,
        extra,
    }
}

/// Returns the facts of these users, at their indexes.
fn facts_of(
    directory: &Directory,
    needed: BTreeSet<UserIndex>,
    prefetched: &PrefetchedFacts,
) -> Vec<Facts> {
    let mut all = vec![Facts::NOT_READ; directory.len()];
    for index in needed {
        let read = directory.user(index).and_then(|user| prefetched.of(user.id));
        if let (Some(read), Some(slot)) = (read, all.get_mut(index.place())) {
            *slot = read;
        }
    }
    all
}

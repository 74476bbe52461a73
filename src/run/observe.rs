//! Observes a tenant: first the users in scope, then their facts, and the rules of the tenant at the
//! same time. Each function says which users it reads in addition to those in scope.
//!
//! Not here: which users are read, and their names (`users`), or reading again before a plan is carried
//! out (`reread`).

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::try_join3;
use tokio::sync::oneshot;

use super::fault::RunFault;
use super::session::{Session, TenantSource};
use super::users::{self, ReadExtent, ReadFor, ScopedUsers, Users, find};
use crate::entra::prefetch::{self, PrefetchedFacts};
use crate::entra::tenant_rules::{self, ConfiguredRules, Safety, Unread};
use crate::graph::Client;
use crate::id::UserId;
use crate::observed::{Observed, TenantBasis};
use crate::policy::{CloudName, PolicySet, UserRef};
use crate::scope::break_glass_ids;
use crate::snapshot::Snapshot;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::roles::Roles;

/// The observed tenant, with one user in addition to those in scope.
#[derive(Debug, Clone)]
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
    Ok(observe(session, for_plan(policies)).await?.observed)
}

/// The tenant as two policy sets need it, read once.
#[derive(Debug)]
pub struct ObservedForTwo {
    /// As the base needs it. Its names may not fit the tenant, and then there is no plan of the base.
    pub base: Result<Observed, RunFault>,
    pub head: Observed,
}

/// Observes the tenant once for two policy sets. Each observation is the same as if it was made for its
/// policy set alone.
///
/// # Errors
/// A read failed, or names of the head do not fit the tenant.
pub async fn for_two(
    session: &Session,
    base: &PolicySet,
    head: &PolicySet,
) -> Result<ObservedForTwo, RunFault> {
    let [base, head] = observe_all(session, [for_plan(base), for_plan(head)]).await?.of_each;
    Ok(ObservedForTwo { base, head: head? })
}

/// Returns what is read for a plan of these policies.
fn for_plan(policies: &PolicySet) -> ReadFor<'_> {
    let extent = match policies.concern_everyone() {
        true => ReadExtent::ScopeAndEverybody,
        false => ReadExtent::Scope,
    };
    ReadFor { policies, extent, extra: policies.extra() }
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
    let extent = ReadExtent::ScopeAnd(user);
    let seen = observe(session, ReadFor { policies, extent, extra: policies.extra() }).await?;
    let Seen { observed, roles, unread } = seen;
    let user = find(&observed.directory, user)?;
    Ok(ObservedWith { observed, roles, user, unread })
}

/// Observes the tenant once for two policy sets, and one more user, who may be in no policy.
///
/// # Errors
/// A read failed, names of the head do not fit the tenant, or there is no such user.
pub async fn for_two_and_user(
    session: &Session,
    base: &PolicySet,
    head: &PolicySet,
    user: &UserRef,
) -> Result<(ObservedWith, Result<Observed, RunFault>), RunFault> {
    let read = |policies| {
        let extent = ReadExtent::ScopeAnd(user);
        ReadFor { policies, extent, extra: PolicySet::extra(policies) }
    };
    let SeenForAll { of_each: [base, head], roles, unread } =
        observe_all(session, [read(base), read(head)]).await?;
    let observed = head?;
    let user = find(&observed.directory, user)?;
    Ok((ObservedWith { observed, roles, user, unread }, base))
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
    let (extent, extra) = (ReadExtent::Everybody, Extra::default());
    let seen = observe(session, ReadFor { policies, extent, extra }).await?;
    Ok((seen.observed, seen.roles))
}

/// Observes the tenant as far as the policies need it, and every enabled account.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn for_policies_and_everybody(
    session: &Session,
    policies: &PolicySet,
) -> Result<(Observed, Read<Roles>), RunFault> {
    let extent = ReadExtent::ScopeAndEverybody;
    let seen = observe(session, ReadFor { policies, extent, extra: policies.extra() }).await?;
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
    let (extent, extra) = (ReadExtent::ScopeAndThese(users), Extra::ALL);
    Ok(observe(session, ReadFor { policies, extent, extra }).await?.observed)
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
    match observe(session, ReadFor { policies, extent, extra }).await {
        Err(RunFault::Policies { .. }) => {
            let guards_only = policies.guards_only();
            let guards = ReadFor { policies: &guards_only, extent, extra };
            Ok((observe(session, guards).await?.observed, false))
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

/// The observed tenant for each policy set, and the roles and unread parts that belong to it.
struct SeenForAll<const N: usize> {
    of_each: [Result<Observed, RunFault>; N],
    roles: Read<Roles>,
    unread: Vec<Unread>,
}

async fn observe(session: &Session, read: ReadFor<'_>) -> Result<Seen, RunFault> {
    let SeenForAll { of_each: [observed], roles, unread } = observe_all(session, [read]).await?;
    Ok(Seen { observed: observed?, roles, unread })
}

/// Reads three things at the same time: the rules of the tenant, the facts of those users that are known
/// to be needed already (prefetch), and the users in scope. What several policy sets need is read once.
async fn observe_all<const N: usize>(
    session: &Session,
    reads: [ReadFor<'_>; N],
) -> Result<SeenForAll<N>, RunFault> {
    Ok(put_together(session, read_all(session, reads).await?))
}

/// What was read, before it is put together for each policy set.
type ReadParts<'a, const N: usize> = (ConfiguredRules, ReadFacts<'a>, Users<'a, N>);

async fn read_all<'a, const N: usize>(
    session: &'a Session,
    reads: [ReadFor<'a>; N],
) -> Result<ReadParts<'a, N>, RunFault> {
    match &session.source {
        // In a box, because the future of a command would be nested too deep.
        TenantSource::Graph(client) => Box::pin(read_graph(session, client, reads)).await,
        TenantSource::Snapshot(snapshot) => {
            let (needed, _) = prefetch::needed_users();
            let users = users::read(session, reads, needed).await?;
            Ok((snapshot.rules.clone(), ReadFacts::Recorded(snapshot), users))
        }
    }
}

async fn read_graph<'a, const N: usize>(
    session: &Session,
    client: &Client,
    reads: [ReadFor<'a>; N],
) -> Result<ReadParts<'a, N>, RunFault> {
    let (needed_sender, needed) = prefetch::needed_users();
    let (send_policy, policy) = oneshot::channel();
    // All policy sets of a run are of one tenant, and so of one cloud.
    let is_public = reads.iter().all(|one| is_public_cloud(one.policies));
    let rules = read_rules(client, is_public, |policy| _ = send_policy.send(policy));
    let extra = reads.iter().fold(Extra::default(), |extra, one| extra.or(one.extra));
    let is_everybody = reads.iter().any(|one| one.extent.is_everybody(one.policies));
    let facts = async {
        // No policy arrives if the rules could not be read, and that ends the run.
        let policy = policy.await.unwrap_or(MethodPolicy::UNREAD);
        Ok(prefetch::read(client, &policy, (extra, is_everybody), needed).await?)
    };
    let users = users::read(session, reads, needed_sender);
    let (rules, facts, users) = try_join3(rules, facts, users).await?;
    Ok((rules, ReadFacts::Prefetched(Box::new(facts)), users))
}

/// The facts of users, from Graph or a snapshot.
#[derive(Debug)]
pub(super) enum ReadFacts<'a> {
    Prefetched(Box<PrefetchedFacts>),
    Recorded(&'a Snapshot),
}

impl ReadFacts<'_> {
    /// Returns the facts of the user, if they were read.
    pub(super) fn of(&self, user: UserId) -> Option<Facts> {
        match self {
            Self::Prefetched(facts) => facts.of(user),
            Self::Recorded(snapshot) => snapshot.facts(user),
        }
    }
}

/// The tenant as it was read, for a snapshot.
#[derive(Debug)]
pub(super) struct ReadTenant {
    pub(super) directory: Directory,
    pub(super) roles: Read<Roles>,
    pub(super) rules: ConfiguredRules,
    pub(super) facts: Box<PrefetchedFacts>,
}

/// Reads the tenant without resolving names: those of the files may not fit it.
pub(super) async fn read_tenant(
    session: &Session,
    read: ReadFor<'_>,
) -> Result<ReadTenant, RunFault> {
    let client = session.live()?;
    let (rules, facts, users) = read_graph(session, client, [read]).await?;
    let Users { directory, roles, .. } = users;
    match facts {
        ReadFacts::Prefetched(facts) => Ok(ReadTenant { directory, roles, rules, facts }),
        ReadFacts::Recorded(_) => Err(RunFault::OnlyRecorded),
    }
}

fn put_together<const N: usize>(
    session: &Session,
    (rules, facts, users): ReadParts<'_, N>,
) -> SeenForAll<N> {
    let Users { directory, roles, of_each } = users;
    let mut rules = rules.of(&directory, &roles);
    let directory = Arc::new(directory);
    let about_rules = rules.findings();
    let unread = std::mem::take(&mut rules.unread);
    let of_each = of_each.map(|(one, scoped)| {
        let ScopedUsers { scope, mut findings, needed } = scoped?;
        let directory = Arc::clone(&directory);
        let facts = facts_of(&directory, needed, (&facts, one.extra));
        let break_glass = break_glass_ids(&scope, &directory);
        findings.extend(about_rules.clone());
        let basis = basis(session, one.policies, rules.clone(), (break_glass, one.extra));
        let identity = session.identity.clone();
        let recorded = session.snapshot().map(|snapshot| snapshot.about.made);
        Ok(Observed { identity, directory, scope, facts, basis, findings, recorded })
    });
    SeenForAll { of_each, roles, unread }
}

/// Whether the tenant is in the public cloud, whose admin portals require MFA.
pub(super) fn is_public_cloud(policies: &PolicySet) -> bool {
    policies.project.cloud == CloudName::Global
}

/// Reads the rules of the tenant. `on_policy` receives the method policy as soon as it is known.
pub(super) async fn read_rules(
    client: &Client,
    is_public_cloud: bool,
    on_policy: impl FnOnce(MethodPolicy),
) -> Result<ConfiguredRules, RunFault> {
    Ok(tenant_rules::read(client, is_public_cloud, on_policy).await?)
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
        rules: rules.digest,
    }
}

/// Returns the facts of these users, at their indexes, without facts that only another policy set needs.
fn facts_of(
    directory: &Directory,
    needed: BTreeSet<UserIndex>,
    (read, extra): (&ReadFacts<'_>, Extra),
) -> Vec<Facts> {
    let mut all = vec![Facts::NOT_READ; directory.len()];
    for index in needed {
        let read = directory.user(index).and_then(|user| read.of(user.id));
        if let (Some(read), Some(slot)) = (read, all.get_mut(index.place())) {
            *slot = extra.of(read);
        }
    }
    all
}

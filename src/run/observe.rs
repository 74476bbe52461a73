//! Reads everything that a plan needs from a tenant, in one order: first the users in scope, then their
//! facts.
//!
//! Not here: single reads (`entra`), or what the policies mean (`scope`).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join3};
use tokio::sync::oneshot;

use crate::commands::connect::ConnectedTenant;
use crate::commands::fault::Fault;
use crate::entra::prefetch::{self, Early};
use crate::entra::tenant_rules::{self, ConfiguredRules, Safety, Unread, refusable};
use crate::entra::{directory, roles};
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::observed::Observed;
use crate::observed::TenantBasis;
use crate::plan::pipeline;
use crate::plan::recheck::{self, ChangedSincePlan, CurrentScope};
use crate::plan::{Plan, PlanPurpose};
use crate::policy::{CloudName, Policy, PolicySet, UserRef};
use crate::scope::{self, Foreseen, Scope, break_glass_ids};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::{Extra, Lookup, News, OnNews};
use crate::tenant::membership::Guarding;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::roles::Roles;

/// The users that are read in addition to those in scope. Reading them puts no user in scope.
#[derive(Debug, Clone, Copy)]
enum ExtraUsers<'a> {
    Nobody,
    One(&'a UserRef),
    /// These users, and of the users in scope only those in groups: `everyone` is not read.
    Only(&'a [UserId]),
    /// These users, in addition to those in scope.
    These(&'a [UserId]),
    /// The facts of these users alone. Users in scope are resolved, but their facts are not read.
    Alone(&'a [UserId]),
    /// Every enabled account.
    Everybody,
}

/// The observed tenant, with one user in addition to those in scope.
#[derive(Debug)]
pub struct ObservedWith {
    pub observed: Observed,
    pub roles: Read<Roles>,
    pub user: UserIndex,
    /// The parts of the tenant that this identity may not read.
    pub unread: Vec<Unread>,
}

/// Makes the plan for the tenant as it is now. Policies that contradict themselves end the run.
///
/// # Errors
/// A read failed, or names or policies do not fit the tenant.
pub async fn plan(set: &PolicySet, tenant: &ConnectedTenant) -> Result<Plan, Fault> {
    sound(pipeline::plan(set, observe(set, tenant).await?), set)
}

/// Returns the plan, if the policies do not contradict themselves in it.
///
/// # Errors
/// The findings about the contradiction.
pub fn sound(plan: Plan, set: &PolicySet) -> Result<Plan, Fault> {
    if plan.is_faulty() {
        let findings = plan.findings.into_iter().filter(Finding::is_error).collect();
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok(plan)
}

/// Observes the tenant as far as the policies need it.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn observe(set: &PolicySet, tenant: &ConnectedTenant) -> Result<Observed, Fault> {
    let seen = seen(set, tenant, ExtraUsers::Nobody, extra(set)).await?;
    Ok(seen.observed)
}

/// Observes the same and one more user, who may be in no policy. That puts no user in scope.
///
/// # Errors
/// A read failed, names do not fit the tenant, or there is no such user.
pub async fn observe_with(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    user: &UserRef,
) -> Result<ObservedWith, Fault> {
    let seen = seen(set, tenant, ExtraUsers::One(user), extra(set)).await?;
    let Seen { observed, roles, unread } = seen;
    let user = find(&observed.directory, user)?;
    Ok(ObservedWith { observed, roles, user, unread })
}

/// Observes every enabled account of the tenant, in scope or not. Too few break-glass accounts are a
/// finding in the result and do not stop the run, because nothing is written.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn observe_everybody(
    set: &PolicySet,
    tenant: &ConnectedTenant,
) -> Result<(Observed, Read<Roles>), Fault> {
    // The sign-in preferences of users make no account open or stuck.
    let seen = seen(set, tenant, ExtraUsers::Everybody, Extra::default()).await?;
    Ok((seen.observed, seen.roles))
}

/// The observed tenant, and the roles and unread parts that belong to it.
struct Seen {
    observed: Observed,
    roles: Read<Roles>,
    unread: Vec<Unread>,
}

/// The users and groups that were asked for, and the holders of each role.
type Found = (Directory, Read<Roles>);

/// Reads three things at the same time: the users in scope, the rules of the tenant, and the facts of
/// those users that are known to be needed already (prefetch).
async fn seen(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    besides: ExtraUsers<'_>,
    extra: Extra,
) -> Result<Seen, Fault> {
    let is_everybody = |policy: &Policy| policy.who.everyone;
    let everybody = matches!(besides, ExtraUsers::Everybody)
        || reads_everybody(set, besides)
        || set.policies.iter().any(is_everybody);
    let (needed, coming) = prefetch::people();
    let (tell_policy, policy) = oneshot::channel();
    let written = read_rules(set, tenant, |policy| _ = tell_policy.send(policy));
    let early = async {
        // No policy arrives if the rules could not be read, and that ends the run.
        let policy = policy.await.unwrap_or(MethodPolicy::UNREAD);
        let early = prefetch::read(&tenant.client, &policy, (extra, everybody), coming).await;
        early.map_err(Fault::from)
    };
    let meant = async {
        let foreseen = RefCell::new(Foreseen::new(set, tenant.today()));
        let on_news = |news: News<'_>| match news {
            News::Page(_, users) if reads_everybody(set, besides) => {
                needed.add(users.iter().map(|user| user.id).collect());
            }
            news => needed.add(users_in(&mut foreseen.borrow_mut(), news, besides)),
        };
        let found = read_directory(set, tenant, besides, &on_news).await?;
        let (scope, findings) = meant(set, tenant, &found, besides)?;
        let (directory, _) = &found;
        let indexes = needed_facts(set, &scope, directory, besides)?;
        let users = indexes.iter().filter_map(|index| directory.user(*index));
        needed.add(users.map(|user| user.id).collect());
        // No other user is needed.
        drop(needed);
        Ok((found, scope, findings, indexes))
    };
    let (written, early, (found, scope, mut findings, indexes)) =
        try_join3(written, early, meant).await?;
    let (directory, roles) = found;
    let facts = facts_of(&directory, indexes, &early);
    drop(early);
    let guards = break_glass_ids(&scope, &directory);
    let (mut basis, unread) =
        rules(set, tenant, written.of(&directory, &roles), guards, &mut findings);
    basis.extra = extra;
    let identity = tenant.identity.clone();
    let observed = Observed { identity, directory, scope, facts, basis, findings };
    Ok(Seen { observed, roles, unread })
}

/// Returns the users that the news shows to be needed.
fn users_in(foreseen: &mut Foreseen<'_>, news: News<'_>, besides: ExtraUsers<'_>) -> Vec<UserId> {
    match news {
        News::Page(_, users) if matches!(besides, ExtraUsers::Everybody) => {
            users.iter().filter(|user| user.account.enabled).map(|user| user.id).collect()
        }
        // These are few users, and their facts are read once they are resolved.
        _ if matches!(besides, ExtraUsers::Alone(_)) => Vec::new(),
        News::Page(list, users) => foreseen.page(list, users),
        News::Whole(group, members) => foreseen.whole_group(group, members),
        News::Roles(roles) => foreseen.roles(roles),
    }
}

/// Whether the numbers of all users are read, to compare with.
fn reads_everybody(set: &PolicySet, besides: ExtraUsers<'_>) -> bool {
    set.compare_with_everyone() && !matches!(besides, ExtraUsers::Only(_) | ExtraUsers::Alone(_))
}

/// Returns the users whose facts are needed: users in scope, break-glass accounts and extra users.
fn needed_facts(
    set: &PolicySet,
    scope: &Scope,
    directory: &Directory,
    besides: ExtraUsers<'_>,
) -> Result<BTreeSet<UserIndex>, Fault> {
    let mut needed: BTreeSet<UserIndex> = match besides {
        ExtraUsers::Alone(_) => BTreeSet::new(),
        _ => scope.users().chain(scope.break_glass()).collect(),
    };
    if reads_everybody(set, besides) {
        needed.extend(directory.users().map(|(index, _)| index));
    }
    match besides {
        ExtraUsers::Nobody => {}
        ExtraUsers::One(user) => _ = needed.insert(find(directory, user)?),
        ExtraUsers::Only(ids) | ExtraUsers::These(ids) | ExtraUsers::Alone(ids) => {
            needed.extend(ids.iter().filter_map(|id| directory.find(*id)));
        }
        ExtraUsers::Everybody => {
            let enabled = directory.users().filter(|(_, user)| user.account.enabled);
            needed.extend(enabled.map(|(index, _)| index));
        }
    }
    Ok(needed)
}

fn find(directory: &Directory, user: &UserRef) -> Result<UserIndex, Fault> {
    let found = match user {
        UserRef::PrincipalName(name) => directory.find_by_name(name),
        UserRef::Id(id) => directory.find(*id),
    };
    found.ok_or_else(|| Fault::UnknownUser(user.clone()))
}

/// Reads again the rules of the tenant for the users of a plan, and the users that policies exclude. Only
/// users in guard groups are resolved.
///
/// # Errors
/// A read failed, or guards no longer resolve.
pub async fn guards(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    plan: &Plan,
) -> Result<Again, Fault> {
    let asked = match plan.purpose {
        PlanPurpose::Policies => set.exceptions_only(),
        PlanPurpose::Undo { .. } => set.guards_only(),
    };
    let (found, written) = try_join(
        read_directory(&asked, tenant, ExtraUsers::Nobody, &|_| {}),
        read_rules(set, tenant, |_| {}),
    )
    .await?;
    let (scope, mut findings) = meant(&asked, tenant, &found, ExtraUsers::Nobody)?;
    let (directory, roles) = found;
    let moved =
        recheck::excepted(plan, CurrentScope { set: &asked, directory: &directory, scope: &scope });
    let guards = break_glass_ids(&scope, &directory);
    let rules = written.of(&plan.directory, &roles);
    let (basis, _) = self::rules(set, tenant, rules, guards, &mut findings);
    let guarding = scope::guarding(&set.project.break_glass, &directory);
    Ok(Again { basis: TenantBasis { extra: plan.basis.extra, ..basis }, guarding, moved })
}

/// The basis of a plan, read again after the plan was shown.
#[derive(Debug)]
pub struct Again {
    pub basis: TenantBasis,
    /// The members of each break-glass group.
    pub guarding: Guarding,
    /// The users whose changes must not be made any more.
    pub moved: BTreeMap<UserIndex, ChangedSincePlan>,
}

/// Reads again the rules of the tenant and the users in scope, for the users of a plan.
///
/// # Errors
/// A read failed, or names no longer fit the tenant.
pub async fn again(set: &PolicySet, tenant: &ConnectedTenant, plan: &Plan) -> Result<Again, Fault> {
    let changed = plan.changed_users();
    let ids: Vec<UserId> =
        changed.iter().filter_map(|user| plan.directory.user(*user)).map(|user| user.id).collect();
    let asked = match plan.purpose {
        PlanPurpose::Policies => set.clone(),
        PlanPurpose::Undo { .. } => set.guards_only(),
    };
    let besides = ExtraUsers::Only(&ids);
    let (found, written) =
        try_join(read_directory(&asked, tenant, besides, &|_| {}), read_rules(set, tenant, |_| {}))
            .await?;
    let (scope, mut findings) = meant(&asked, tenant, &found, besides)?;
    let (directory, roles) = found;
    let now = CurrentScope { set, directory: &directory, scope: &scope };
    let moved = match plan.purpose {
        PlanPurpose::Policies => recheck::moved(plan, now),
        PlanPurpose::Undo { .. } => recheck::moved_account(plan, now),
    };
    let guards = break_glass_ids(&scope, &directory);
    let rules = written.of(&plan.directory, &roles);
    let (mut basis, _) = self::rules(set, tenant, rules, guards, &mut findings);
    basis.extra = plan.basis.extra;
    let guarding = scope::guarding(&set.project.break_glass, &directory);
    Ok(Again { basis, guarding, moved })
}

/// Observes some users, in scope or not. With `and_others`, it also observes all users in scope, because
/// the values of other users matter. The second value says whether the users in scope are known: a
/// name that does not fit the tenant must not stop an undo.
///
/// # Errors
/// A read failed, or guards do not resolve; with `and_others`, also names that do not fit the tenant.
pub async fn these(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    ids: &[UserId],
    and_others: bool,
) -> Result<(Observed, bool), Fault> {
    let extra = Extra { preferences: true };
    let besides = if and_others { ExtraUsers::These(ids) } else { ExtraUsers::Alone(ids) };
    match seen(set, tenant, besides, extra).await {
        Err(Fault::Policies { .. }) if !and_others => {
            let guards_only = set.guards_only();
            Ok((seen(&guards_only, tenant, besides, extra).await?.observed, false))
        }
        seen => Ok((seen?.observed, true)),
    }
}

/// Returns the facts that must be read of users in addition to the usual ones.
fn extra(set: &PolicySet) -> Extra {
    Extra { preferences: set.need_preferences() }
}

/// Reads the users and groups that the policies name, the extra users, and the holders of each role.
async fn read_directory(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    besides: ExtraUsers<'_>,
    on_news: &OnNews<'_>,
) -> Result<Found, Fault> {
    let mut lookup = lookup(set, besides);
    // A user that left a break-glass group is reported by name.
    lookup.user_ids.extend(tenant.guarded.0.values().flatten());
    let (tell_holders, holders) = oneshot::channel();
    let roles = async {
        let roles = refusable(roles::read(&tenant.client).await)?;
        let known = roles.known();
        known.into_iter().for_each(|roles| on_news(News::Roles(roles)));
        _ = tell_holders.send(known.map(|roles| scope::holders(set, roles)).unwrap_or_default());
        Ok(roles)
    };
    let holders = async {
        match lookup.roles {
            true => Ok(holders.await.unwrap_or_default()),
            false => Ok(BTreeSet::new()),
        }
    };
    let directory = directory::read(&tenant.client, &lookup, holders, on_news);
    Ok(try_join(directory, roles).await?)
}

fn lookup(set: &PolicySet, besides: ExtraUsers<'_>) -> Lookup {
    let mut lookup = scope::lookup(set);
    lookup.everyone |= reads_everybody(set, besides);
    match besides {
        ExtraUsers::One(UserRef::PrincipalName(name)) => {
            _ = lookup.user_names.insert(name.to_lowercase());
        }
        ExtraUsers::One(UserRef::Id(id)) => _ = lookup.user_ids.insert(*id),
        ExtraUsers::Only(ids) | ExtraUsers::Alone(ids) => {
            lookup.everyone = false;
            lookup.user_ids.extend(ids);
        }
        ExtraUsers::These(ids) => lookup.user_ids.extend(ids),
        ExtraUsers::Everybody => lookup.everyone = true,
        ExtraUsers::Nobody => {}
    }
    lookup
}

/// Resolves the users in scope. A name that does not fit the tenant ends the run here.
fn meant(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    (directory, roles): &Found,
    besides: ExtraUsers<'_>,
) -> Result<(Scope, Vec<Finding>), Fault> {
    let (scope, mut findings) = scope::resolve(set, directory, roles, tenant.today());
    let guards = &set.project.break_glass;
    findings.extend(scope::lost(guards, directory, &scope, &tenant.guarded));
    let is_for_reading = matches!(besides, ExtraUsers::Everybody);
    let stops = |finding: &Finding| {
        finding.is_error() && !(is_for_reading && is_about_break_glass(finding.code))
    };
    if findings.iter().any(stops) {
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok((scope, findings))
}

/// Whether an error is about too few break-glass accounts. Such an error does not stop a report.
const fn is_about_break_glass(code: Code) -> bool {
    matches!(code, Code::BreakGlassMinimum | Code::BreakGlassEmpty | Code::BreakGlassLost)
}

async fn read_rules(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    on_policy: impl FnOnce(MethodPolicy),
) -> Result<ConfiguredRules, Fault> {
    let public_cloud = set.project.cloud == CloudName::Global;
    Ok(tenant_rules::read(&tenant.client, public_cloud, on_policy).await?)
}

/// Returns the basis for the users of a directory. A part that this identity may not read is a finding,
/// and guards assume the worse case for it.
fn rules(
    set: &PolicySet,
    tenant: &ConnectedTenant,
    read: Safety,
    break_glass: BTreeSet<UserId>,
    findings: &mut Vec<Finding>,
) -> (TenantBasis, Vec<Unread>) {
    findings.extend(read.unread.iter().map(|what| {
        let message = format!("{}: {}", what.what.what(), what.why.about());
        Finding::new(Code::Unreadable, message).help(what.help())
    }));
    findings.extend(read.unsettled);
    let basis = TenantBasis {
        method_policy: read.method_policy,
        demand: read.demand,
        delivery: set.project.delivery,
        today: tenant.today(),
        break_glass,
        extra: extra(set),
    };
    (basis, read.unread)
}

/// Returns the facts of these users, at their indexes.
fn facts_of(directory: &Directory, needed: BTreeSet<UserIndex>, early: &Early) -> Vec<Facts> {
    let mut all = vec![Facts::NOT_READ; directory.len()];
    for index in needed {
        let read = directory.user(index).and_then(|user| early.of(user.id));
        if let (Some(read), Some(slot)) = (read, all.get_mut(index.place())) {
            *slot = read;
        }
    }
    all
}

//! Everything a plan needs to know of a tenant, read in the one order: who is meant, then what they
//! have.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join;

use super::connect::Tenant;
use super::fault::Fault;
use crate::entra::ahead::{self, Early, Needed};
use crate::entra::safety::{self, Unread, refusable};
use crate::entra::ways::Reader;
use crate::entra::{directory, roles};
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::plan::build::{self, Observed};
use crate::plan::wanted::{self, Moved, Now};
use crate::plan::{Plan, Purpose, TenantBasis};
use crate::policy::{Cloud, Policy, PolicySet, UserRef};
use crate::scope::{self, Scope, break_glass_ids};
use crate::tenant::directory::{Directory, User, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::{Extra, List, OnPage};
use crate::tenant::roles::Roles;

/// Whose facts are read besides those whom the policies mean. That puts nobody in scope.
#[derive(Debug, Clone, Copy)]
enum Besides<'a> {
    Nobody,
    One(&'a UserRef),
    /// These, and of whoever the policies mean nobody else than the members of their groups.
    Only(&'a [UserId]),
    /// These as well as those.
    These(&'a [UserId]),
    /// Everybody who can sign in.
    Everybody,
}

/// What was observed, with one person more than the policies need.
#[derive(Debug)]
pub struct ObservedWith {
    pub observed: Observed,
    pub roles: Read<Roles>,
    pub user: UserIndex,
    /// What of the tenant this identity may not read.
    pub unread: Vec<Unread>,
}

/// The plan for the tenant as it is now; policies that contradict themselves in it end the run.
///
/// # Errors
/// What could not be read, or names and policies that do not fit the tenant.
pub async fn plan(set: &PolicySet, tenant: &Tenant) -> Result<Plan, Fault> {
    sound(build::plan(set, observe(set, tenant).await?), set)
}

/// The plan, if the policies do not contradict themselves in it.
///
/// # Errors
/// The findings that say so.
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
/// What could not be read, or names that do not fit the tenant.
pub async fn observe(set: &PolicySet, tenant: &Tenant) -> Result<Observed, Fault> {
    let seen = seen(set, tenant, Besides::Nobody, extra(set)).await?;
    Ok(seen.observed)
}

/// Observes as much, and a user whom the policies need not mention. That puts nobody in scope.
///
/// # Errors
/// What could not be read, names that do not fit the tenant, or that there is no such user.
pub async fn observe_with(
    set: &PolicySet,
    tenant: &Tenant,
    user: &UserRef,
) -> Result<ObservedWith, Fault> {
    let seen = seen(set, tenant, Besides::One(user), extra(set)).await?;
    let Seen { observed, roles, unread } = seen;
    let user = find(&observed.directory, user)?;
    Ok(ObservedWith { observed, roles, user, unread })
}

/// Observes every enabled account of the tenant, whatever the policies mean. Too few break-glass
/// accounts are a finding of the result and stop nothing: it is for reading.
///
/// # Errors
/// What could not be read, or names that do not fit the tenant.
pub async fn observe_everybody(
    set: &PolicySet,
    tenant: &Tenant,
) -> Result<(Observed, Read<Roles>), Fault> {
    // How people prefer to be asked makes nobody open or stuck.
    let seen = seen(set, tenant, Besides::Everybody, Extra::default()).await?;
    Ok((seen.observed, seen.roles))
}

/// What was observed, and what it was seen with.
struct Seen {
    observed: Observed,
    roles: Read<Roles>,
    unread: Vec<Unread>,
}

/// Everybody somebody means, whom the policies mean, and what was found on the way.
type Meant = (Directory, Scope, Vec<Finding>);

/// Reads who is meant and what the tenant rules, and meanwhile the facts of those of whom a page
/// tells already that they will be needed.
async fn seen(
    set: &PolicySet,
    tenant: &Tenant,
    besides: Besides<'_>,
    extra: Extra,
) -> Result<Seen, Fault> {
    let is_everybody = |policy: &Policy| policy.who.everyone;
    let everybody = matches!(besides, Besides::Everybody) || set.policies.iter().any(is_everybody);
    let mut reader = Reader::new(&tenant.client, extra, everybody);
    let (needed, coming) = ahead::people();
    let early =
        async { ahead::read(&tenant.client, &mut reader, coming).await.map_err(Fault::from) };
    let rest = async {
        // Dropped with the last word about who is needed.
        let needed = needed;
        let roles = refusable(roles::read(&tenant.client).await)?;
        let on_page = |list: List<'_>, users: &[User]| tell(set, besides, &needed, (list, users));
        let (directory, scope, mut findings) =
            who(set, tenant, &roles, (besides, &on_page)).await?;
        let indexes = needed_facts(&scope, &directory, besides)?;
        if indexes.len() >= ahead::WORTH_IT {
            let users = indexes.iter().filter_map(|index| directory.user(*index));
            needed.add(users.map(|user| user.id).collect());
        }
        let guards = break_glass_ids(&scope, &directory);
        let (mut basis, unread) =
            rules(set, tenant, (&directory, &roles), guards, &mut findings).await?;
        basis.extra = extra;
        Ok((directory, scope, findings, indexes, basis, roles, unread))
    };
    let (early, (directory, scope, findings, indexes, basis, roles, unread)) =
        try_join(early, rest).await?;
    let facts = facts_of(&directory, indexes, &basis, (early, reader)).await?;
    let identity = tenant.identity.clone();
    let observed = Observed { identity, directory, scope, facts, basis, findings };
    Ok(Seen { observed, roles, unread })
}

/// Says who on a page will be needed for certain.
fn tell(set: &PolicySet, besides: Besides<'_>, needed: &Needed, page: (List<'_>, &[User])) {
    let (list, users) = page;
    let foreseen = scope::foreseen(set, list);
    let is_needed = |user: &&User| {
        matches!(besides, Besides::Everybody) && user.account.enabled || foreseen.means(user)
    };
    needed.add(users.iter().filter(is_needed).map(|user| user.id).collect());
}

/// Everybody in scope, the break-glass accounts, and some more.
fn needed_facts(
    scope: &Scope,
    directory: &Directory,
    besides: Besides<'_>,
) -> Result<BTreeSet<UserIndex>, Fault> {
    let mut needed: BTreeSet<UserIndex> = scope.users().chain(scope.break_glass()).collect();
    match besides {
        Besides::Nobody => {}
        Besides::One(user) => _ = needed.insert(find(directory, user)?),
        Besides::Only(ids) | Besides::These(ids) => {
            needed.extend(ids.iter().filter_map(|id| directory.find(*id)));
        }
        Besides::Everybody => {
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

/// Reads again what a plan rests on for the tenant as a whole, for the users of the plan.
///
/// # Errors
/// What could not be read, or guards that no longer resolve.
pub async fn basis(set: &PolicySet, tenant: &Tenant, plan: &Plan) -> Result<TenantBasis, Fault> {
    let roles = refusable(roles::read(&tenant.client).await)?;
    let (directory, scope, mut findings) =
        who(&set.guards_only(), tenant, &roles, (Besides::Nobody, &|_, _| {})).await?;
    let guards = break_glass_ids(&scope, &directory);
    let basis = rules(set, tenant, (&plan.directory, &roles), guards, &mut findings).await;
    basis.map(|(basis, _)| TenantBasis { extra: plan.basis.extra, ..basis })
}

/// What a plan rests on, read again after it was shown.
#[derive(Debug)]
pub struct Again {
    pub basis: TenantBasis,
    /// Whose changes are not to be done after all.
    pub moved: BTreeMap<UserIndex, Moved>,
}

/// Reads again the tenant's rules and who is meant by the policies, for the users of a plan.
///
/// # Errors
/// What could not be read, or names that no longer fit the tenant.
pub async fn again(set: &PolicySet, tenant: &Tenant, plan: &Plan) -> Result<Again, Fault> {
    let changed = plan.changed_users();
    let ids: Vec<UserId> =
        changed.iter().filter_map(|user| plan.directory.user(*user)).map(|user| user.id).collect();
    let asked = match plan.purpose {
        Purpose::Policies => set.clone(),
        Purpose::Undo { .. } => set.guards_only(),
    };
    let roles = refusable(roles::read(&tenant.client).await)?;
    let (directory, scope, mut findings) =
        who(&asked, tenant, &roles, (Besides::Only(&ids), &|_, _| {})).await?;
    let now = Now { set, directory: &directory, scope: &scope };
    let moved = match plan.purpose {
        Purpose::Policies => wanted::moved(plan, now),
        Purpose::Undo { .. } => wanted::moved_account(plan, now),
    };
    let guards = break_glass_ids(&scope, &directory);
    let rules = rules(set, tenant, (&plan.directory, &roles), guards, &mut findings).await;
    let (mut basis, _) = rules?;
    basis.extra = plan.basis.extra;
    Ok(Again { basis, moved })
}

/// Observes some people, whether the policies mean them or not; and everybody whom they mean, where it
/// matters what somebody else has.
///
/// # Errors
/// What could not be read, or guards that do not resolve; names, where everybody is read.
pub async fn these(
    set: &PolicySet,
    tenant: &Tenant,
    ids: &[UserId],
    and_others: bool,
) -> Result<Observed, Fault> {
    let asked = if and_others { set.clone() } else { set.guards_only() };
    let extra = Extra { preferences: true };
    Ok(seen(&asked, tenant, Besides::These(ids), extra).await?.observed)
}

/// What has to be read of users beside what always is.
fn extra(set: &PolicySet) -> Extra {
    Extra { preferences: set.need_preferences() }
}

async fn who(
    set: &PolicySet,
    tenant: &Tenant,
    roles: &Read<Roles>,
    (besides, on_page): (Besides<'_>, &OnPage<'_>),
) -> Result<Meant, Fault> {
    let mut lookup = scope::lookup(set);
    let holders = roles.known().map(|roles| scope::holders(set, roles));
    lookup.user_ids.extend(holders.into_iter().flatten());
    match besides {
        Besides::One(UserRef::PrincipalName(name)) => {
            _ = lookup.user_names.insert(name.to_lowercase());
        }
        Besides::One(UserRef::Id(id)) => _ = lookup.user_ids.insert(*id),
        Besides::Only(ids) => {
            lookup.everyone = false;
            lookup.user_ids.extend(ids);
        }
        Besides::These(ids) => lookup.user_ids.extend(ids),
        Besides::Everybody => lookup.everyone = true,
        Besides::Nobody => {}
    }
    let directory = directory::read(&tenant.client, &lookup, on_page).await?;
    let (scope, findings) = scope::resolve(set, &directory, roles, tenant.today());
    let is_for_reading = matches!(besides, Besides::Everybody);
    let stops = |finding: &Finding| {
        finding.is_error() && !(is_for_reading && finding.code == Code::BreakGlassMinimum)
    };
    if findings.iter().any(stops) {
        return Err(Fault::Policies { findings, sources: set.sources.clone() });
    }
    Ok((directory, scope, findings))
}

/// What safety rests on for the users of a directory. What this identity may not know is a
/// finding, and guards assume the worst.
async fn rules(
    set: &PolicySet,
    tenant: &Tenant,
    (directory, roles): (&Directory, &Read<Roles>),
    break_glass: BTreeSet<UserId>,
    findings: &mut Vec<Finding>,
) -> Result<(TenantBasis, Vec<Unread>), Fault> {
    let public_cloud = set.project.cloud == Cloud::Global;
    let read = safety::read(&tenant.client, directory, roles, public_cloud).await?;
    findings.extend(read.unread.iter().map(|what| {
        let message = format!("{}: {}", what.what.what(), what.why.about());
        Finding::new(Code::Unreadable, message).help(what.help())
    }));
    let basis = TenantBasis {
        method_policy: read.method_policy,
        demand: read.demand,
        delivery: set.project.delivery,
        today: tenant.today(),
        break_glass,
        extra: extra(set),
    };
    Ok((basis, read.unread))
}

/// The facts of these users, by their places: those that were read early, and the rest.
async fn facts_of(
    directory: &Directory,
    needed: BTreeSet<UserIndex>,
    basis: &TenantBasis,
    (early, mut reader): (Early, Reader<'_>),
) -> Result<Vec<Facts>, Fault> {
    let early = early.under(&basis.method_policy);
    let mut all = vec![Facts::NOT_READ; directory.len()];
    let mut left = Vec::new();
    for index in needed {
        let (Some(user), Some(slot)) = (directory.user(index), all.get_mut(index.place())) else {
            continue;
        };
        match early.of(user.id) {
            Some(facts) => *slot = facts,
            None => left.push((index, user.id)),
        }
    }
    let ids: Vec<UserId> = left.iter().map(|(_, id)| *id).collect();
    let read = reader.read(&ids, &basis.method_policy).await?;
    for ((index, _), facts) in left.iter().zip(read) {
        if let Some(slot) = all.get_mut(index.place()) {
            *slot = facts;
        }
    }
    Ok(all)
}

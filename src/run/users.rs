//! The users of a run: which users are read, reading them with the groups and roles that the policies
//! name, and checking the names of the policies against them.
//!
//! Not here: the facts of users (`entra::prefetch`), or how names are resolved (`scope`).

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures_util::future::try_join;
use tokio::sync::oneshot;

use super::fault::RunFault;
use super::session::{Session, TenantSource};
use crate::entra::prefetch::NeededSender;
use crate::entra::tenant_rules::refusable;
use crate::entra::{directory, roles};
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::policy::{PolicySet, UserRef};
use crate::scope::{self, Foreseen, Scope};
use crate::snapshot::{RecordedGroups, Snapshot};
use crate::tenant::directory::{Attribute, Directory, UserIndex};
use crate::tenant::facts::Read;
use crate::tenant::lookup::{Extra, GroupList, Lookup, News, OnNews};
use crate::tenant::roles::Roles;

/// Policies, and what is read for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadFor<'a> {
    pub(super) policies: &'a PolicySet,
    pub(super) extent: ReadExtent<'a>,
    /// What is read of each user in addition.
    pub(super) extra: Extra,
}

/// The users that are read. Reading a user puts no user in scope.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadExtent<'a> {
    /// The users in scope.
    Scope,
    /// The users in scope and this user.
    ScopeAnd(&'a UserRef),
    /// The users in scope and these users.
    ScopeAndThese(&'a [UserId]),
    /// These users, and of the users in scope only those in groups: `everyone` is not read.
    TheseAndGroups(&'a [UserId]),
    /// The facts of these users alone. Users in scope are resolved, but their facts are not read.
    TheseAlone(&'a [UserId]),
    /// The users in scope and every enabled account, because an object of the tenant affects all of them.
    ScopeAndEverybody,
    /// Every enabled account, for a report: nothing will be written.
    Everybody,
    /// Every account, enabled or not, with all that policies can ask for, and more groups than they name.
    Recorded(RecordedGroups),
}

/// The users and groups that were asked for, and the holders of each role.
pub(super) type DirectoryAndRoles = (Directory, Read<Roles>);

/// The users of the tenant, and those of each policy set that was asked for.
pub(super) struct Users<'a, const N: usize> {
    pub(super) directory: Directory,
    pub(super) roles: Read<Roles>,
    /// Names of one policy set may not fit the tenant, and those of another may.
    pub(super) of_each: [(ReadFor<'a>, Result<ScopedUsers, RunFault>); N],
}

/// The users of one policy set, and the indexes of those whose facts it needs.
pub(super) struct ScopedUsers {
    pub(super) scope: Scope,
    pub(super) findings: Vec<Finding>,
    pub(super) needed: BTreeSet<UserIndex>,
}

/// Reads the users for all policy sets at once, checks their names, and adds to `needed` each user whose
/// facts are needed as soon as that is known.
pub(super) async fn read<'a, const N: usize>(
    session: &Session,
    reads: [ReadFor<'a>; N],
    needed: NeededSender,
) -> Result<Users<'a, N>, RunFault> {
    let foreseen = RefCell::new(reads.map(|one| Foreseen::new(one.policies, session.today())));
    let on_news = |news: News<'_>| {
        for (one, foreseen) in reads.iter().zip(foreseen.borrow_mut().iter_mut()) {
            needed.add(one.foreseen(foreseen, news));
        }
    };
    let found = read_directory(session, &reads, &on_news).await?;
    let of_each = reads.map(|one| (one, one.scoped(session, &found)));
    let (directory, roles) = found;
    let scoped = of_each.iter().filter_map(|(_, scoped)| scoped.as_ref().ok());
    let indexes: BTreeSet<UserIndex> = scoped.flat_map(|one| &one.needed).copied().collect();
    let users = indexes.iter().filter_map(|index| directory.user(*index));
    needed.add(users.map(|user| user.id).collect());
    // No other user is needed: dropping `needed` here ends the prefetch.
    Ok(Users { directory, roles, of_each })
}

/// Reads the users and groups that the policies name, the extra users, and the holders of each role.
pub(super) async fn read_directory(
    session: &Session,
    reads: &[ReadFor<'_>],
    on_news: &OnNews<'_>,
) -> Result<DirectoryAndRoles, RunFault> {
    let client = match &session.source {
        TenantSource::Graph(client) => client,
        TenantSource::Snapshot(snapshot) => return Ok(recorded(session, snapshot, reads)),
    };
    let lookup = lookup(session, reads);
    let (send_holders, holders) = oneshot::channel();
    let roles = async {
        let roles = refusable(roles::read(client).await)?;
        let known = roles.known();
        known.into_iter().for_each(|roles| on_news(News::Roles(roles)));
        let holders = known.into_iter().flat_map(|roles| {
            reads.iter().flat_map(|one| scope::holders(one.policies, roles)).collect::<Vec<_>>()
        });
        _ = send_holders.send(holders.collect());
        Ok(roles)
    };
    let holders = async {
        match lookup.roles {
            true => Ok(holders.await.unwrap_or_default()),
            false => Ok(BTreeSet::new()),
        }
    };
    let directory = directory::read(client, &lookup, holders, on_news);
    Ok(try_join(directory, roles).await?)
}

/// Returns everything that is read from the directory.
fn lookup(session: &Session, reads: &[ReadFor<'_>]) -> Lookup {
    let mut lookup = Lookup::default();
    reads.iter().for_each(|one| lookup.add(one.extent.lookup(one.policies)));
    // A user that left a break-glass group is reported by name.
    lookup.user_ids.extend(session.guarded.0.values().flatten());
    lookup
}

/// Returns the same from a snapshot.
fn recorded(session: &Session, snapshot: &Snapshot, reads: &[ReadFor<'_>]) -> DirectoryAndRoles {
    let lookup = lookup(session, reads);
    let known = snapshot.roles.known().filter(|_| lookup.roles).into_iter();
    let holders = known.flat_map(|roles| {
        reads.iter().flat_map(|one| scope::holders(one.policies, roles)).collect::<Vec<_>>()
    });
    (snapshot.directory(&lookup, &holders.collect()), snapshot.roles.clone())
}

impl ReadFor<'_> {
    /// Returns the users whose facts are certainly needed, according to a notice while lists are read.
    fn foreseen(&self, foreseen: &mut Foreseen<'_>, news: News<'_>) -> Vec<UserId> {
        match news {
            News::Page(_, users) if self.extent.compares_with_everybody(self.policies) => {
                users.iter().map(|user| user.id).collect()
            }
            news => self.extent.foreseen(foreseen, news),
        }
    }

    /// Resolves the users of these policies in the directory that was read.
    fn scoped(
        &self,
        session: &Session,
        found: &DirectoryAndRoles,
    ) -> Result<ScopedUsers, RunFault> {
        let (scope, findings) = resolved_scope(session, self.policies, found, self.extent)?;
        let needed = self.extent.needed_facts(self.policies, &scope, &found.0)?;
        Ok(ScopedUsers { scope, findings, needed })
    }
}

/// Resolves the users in scope. A name that does not fit the tenant ends the run here.
pub(super) fn resolved_scope(
    session: &Session,
    policies: &PolicySet,
    (directory, roles): &DirectoryAndRoles,
    extent: ReadExtent<'_>,
) -> Result<(Scope, Vec<Finding>), RunFault> {
    let (scope, mut findings) = scope::resolve(policies, directory, roles, session.today());
    let guards = &policies.project.break_glass;
    findings.extend(scope::lost(guards, directory, &scope, &session.guarded));
    let is_for_reading = matches!(extent, ReadExtent::Everybody);
    let stops = |finding: &Finding| {
        finding.is_error() && !(is_for_reading && is_about_break_glass(finding.code))
    };
    if findings.iter().any(stops) {
        return Err(RunFault::Policies { findings, sources: policies.sources.clone() });
    }
    Ok((scope, findings))
}

/// Whether an error is about too few break-glass accounts. Such an error does not stop a report.
const fn is_about_break_glass(code: Code) -> bool {
    matches!(code, Code::BreakGlassMinimum | Code::BreakGlassEmpty | Code::BreakGlassLost)
}

impl ReadExtent<'_> {
    /// Whether the numbers of all users are read, to compare with.
    pub(super) fn compares_with_everybody(self, policies: &PolicySet) -> bool {
        let reads_few = matches!(self, Self::TheseAndGroups(_) | Self::TheseAlone(_));
        policies.compare_with_everyone() && !reads_few
    }

    /// Whether the facts of every enabled account are read.
    const fn reads_everybody(self) -> bool {
        matches!(self, Self::Everybody | Self::ScopeAndEverybody | Self::Recorded(_))
    }

    /// Whether the facts of most users of the tenant are read.
    pub(super) fn is_everybody(self, policies: &PolicySet) -> bool {
        self.reads_everybody()
            || self.compares_with_everybody(policies)
            || policies.policies.iter().any(|policy| policy.who.everyone)
    }

    /// Returns what must be read from the directory.
    pub(super) fn lookup(self, policies: &PolicySet) -> Lookup {
        let mut lookup = scope::lookup(policies);
        lookup.everyone |= self.compares_with_everybody(policies);
        match self {
            Self::ScopeAnd(UserRef::PrincipalName(name)) => {
                _ = lookup.user_names.insert(name.to_lowercase());
            }
            Self::ScopeAnd(UserRef::Id(id)) => _ = lookup.user_ids.insert(*id),
            Self::TheseAndGroups(ids) | Self::TheseAlone(ids) => {
                lookup.everyone = false;
                lookup.user_ids.extend(ids);
            }
            Self::ScopeAndThese(ids) => lookup.user_ids.extend(ids),
            Self::Everybody | Self::ScopeAndEverybody => lookup.everyone = true,
            Self::Recorded(groups) => {
                lookup.everyone = true;
                lookup.attributes = Attribute::all().collect();
                lookup.department = true;
                lookup.roles = true;
                lookup.more_groups = Some(match groups {
                    RecordedGroups::Named => GroupList::RoleAssignable,
                    RecordedGroups::All => GroupList::Security,
                });
            }
            Self::Scope => {}
        }
        lookup
    }

    /// Returns the users whose facts are certainly needed, according to a notice while lists are read.
    pub(super) fn foreseen(self, foreseen: &mut Foreseen<'_>, news: News<'_>) -> Vec<UserId> {
        match news {
            News::Page(_, users) if matches!(self, Self::Recorded(_)) => {
                users.iter().map(|user| user.id).collect()
            }
            News::Page(_, users) if self.reads_everybody() => {
                let enabled = users.iter().filter(|user| user.account.enabled);
                enabled.map(|user| user.id).collect()
            }
            // These are few users, and their facts are read once they are resolved.
            _ if matches!(self, Self::TheseAlone(_)) => Vec::new(),
            News::Page(list, users) => foreseen.page(list, users),
            News::Whole(group, members) => foreseen.whole_group(group, members),
            News::Roles(roles) => foreseen.roles(roles),
        }
    }

    /// Returns the users whose facts are needed: users in scope, break-glass accounts and extra users.
    pub(super) fn needed_facts(
        self,
        policies: &PolicySet,
        scope: &Scope,
        directory: &Directory,
    ) -> Result<BTreeSet<UserIndex>, RunFault> {
        let mut needed: BTreeSet<UserIndex> = match self {
            Self::TheseAlone(_) => BTreeSet::new(),
            _ => scope.users().chain(scope.break_glass()).collect(),
        };
        if self.compares_with_everybody(policies) {
            needed.extend(directory.users().map(|(index, _)| index));
        }
        match self {
            Self::Scope => {}
            Self::ScopeAnd(user) => _ = needed.insert(find(directory, user)?),
            Self::TheseAndGroups(ids) | Self::ScopeAndThese(ids) | Self::TheseAlone(ids) => {
                needed.extend(ids.iter().filter_map(|id| directory.find(*id)));
            }
            Self::Recorded(_) => needed.extend(directory.users().map(|(index, _)| index)),
            Self::Everybody | Self::ScopeAndEverybody => {
                let enabled = directory.users().filter(|(_, user)| user.account.enabled);
                needed.extend(enabled.map(|(index, _)| index));
            }
        }
        Ok(needed)
    }
}

/// Finds a user in the directory that was read.
pub(super) fn find(directory: &Directory, user: &UserRef) -> Result<UserIndex, RunFault> {
    let found = match user {
        UserRef::PrincipalName(name) => directory.find_by_name(name),
        UserRef::Id(id) => directory.find(*id),
    };
    found.ok_or_else(|| match directory.is_unrecorded(&user.word()) {
        true => RunFault::UserNotRecorded(user.word()),
        false => RunFault::UnknownUser(user.clone()),
    })
}

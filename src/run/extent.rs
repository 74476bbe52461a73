//! Which users a run reads in addition to the users in scope, or instead of them.
//!
//! Not here: reading them (`reading`), or the users in scope (`scope`).

use std::collections::BTreeSet;

use super::fault::RunFault;
use crate::id::UserId;
use crate::policy::{PolicySet, UserRef};
use crate::scope::{self, Foreseen, Scope};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::lookup::{Lookup, News};

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
}

impl ReadExtent<'_> {
    /// Whether the numbers of all users are read, to compare with.
    pub(super) fn compares_with_everybody(self, policies: &PolicySet) -> bool {
        let reads_few = matches!(self, Self::TheseAndGroups(_) | Self::TheseAlone(_));
        policies.compare_with_everyone() && !reads_few
    }

    /// Whether the facts of every enabled account are read.
    const fn reads_everybody(self) -> bool {
        matches!(self, Self::Everybody | Self::ScopeAndEverybody)
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
            Self::Scope => {}
        }
        lookup
    }

    /// Returns the users whose facts are certainly needed, according to a notice while lists are read.
    pub(super) fn foreseen(self, foreseen: &mut Foreseen<'_>, news: News<'_>) -> Vec<UserId> {
        match news {
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
    found.ok_or_else(|| RunFault::UnknownUser(user.clone()))
}

//! Of whom a page of a list tells already that a policy means them, whatever the rest of the
//! directory holds; and of whom it is known as soon as those are known whom the policy leaves out.
//!
//! It decides nothing: who is in scope is for `resolve` to say, which knows everything. Only what is
//! read early hangs on it.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;

use super::left_out::judge;
use super::names::find_role;
use crate::id::{GroupId, UserId};
use crate::policy::{GroupRef, Policy, PolicySet, RoleRef};
use crate::tenant::directory::User;
use crate::tenant::lookup::List;
use crate::tenant::roles::Roles;

/// What is known early of whom the policies mean.
#[derive(Debug)]
pub struct Foreseen<'a>(Vec<Expected<'a>>);

/// A policy, and how much is known of whom it leaves alone.
#[derive(Debug)]
struct Expected<'a> {
    policy: &'a Policy,
    left_out: HashSet<UserId>,
    /// Whose members, and whose holders, are left out too, and not known yet.
    groups: BTreeSet<GroupId>,
    roles: Vec<&'a RoleRef>,
    /// Who is meant unless they are among those.
    waiting: Vec<UserId>,
}

impl<'a> Foreseen<'a> {
    /// By these policies; exceptions that are over today leave nobody out.
    #[must_use]
    pub fn new(set: &'a PolicySet, today: Date) -> Self {
        Self(set.policies.iter().map(|policy| Expected::new(policy, today)).collect())
    }

    /// Who on a page of a list is needed for certain.
    #[must_use]
    pub fn page(&mut self, list: List<'_>, users: &[User]) -> Vec<UserId> {
        let expected = self.0.iter_mut().filter(|one| one.names(list));
        expected.flat_map(|one| one.meant(users)).collect()
    }

    /// Everybody in a group is known, and so perhaps who of earlier pages is needed.
    #[must_use]
    pub fn whole_group(&mut self, group: GroupId, members: &[UserId]) -> Vec<UserId> {
        let released = self.0.iter_mut().flat_map(|one| {
            if one.groups.remove(&group) {
                one.left_out.extend(members);
            }
            one.released()
        });
        released.collect()
    }

    /// Who holds which role is known. A role that there is not leaves the rest waiting.
    #[must_use]
    pub fn roles(&mut self, roles: &Roles) -> Vec<UserId> {
        let released = self.0.iter_mut().flat_map(|one| {
            let left_out = &mut one.left_out;
            one.roles.retain(|role| {
                let found = find_role(role, roles);
                left_out.extend(found.into_iter().flat_map(|id| roles.people(id)));
                found.is_none()
            });
            one.released()
        });
        released.collect()
    }
}

impl<'a> Expected<'a> {
    fn new(policy: &'a Policy, today: Date) -> Self {
        let except = || policy.except.iter().filter(|one| !one.is_over(today));
        Self {
            policy,
            left_out: except().flat_map(|one| &one.users).map(|entry| entry.id).collect(),
            groups: except().flat_map(|one| &one.groups).map(|entry| entry.id).collect(),
            roles: except().flat_map(|one| &one.roles).map(|(role, _)| role).collect(),
            waiting: Vec::new(),
        }
    }

    /// Whether the policy means everybody in the list.
    fn names(&self, list: List<'_>) -> bool {
        match list {
            List::Everybody => self.policy.who.everyone,
            List::MembersOf(group) => self.policy.who.groups.iter().any(|(named, _)| match named {
                GroupRef::Name(name) => name.to_lowercase() == group.name.raw().to_lowercase(),
                GroupRef::Id(id) | GroupRef::Both { id, .. } => *id == group.id,
            }),
        }
    }

    /// Those of whom nothing that is known by now says that they are left out.
    fn meant(&mut self, users: &[User]) -> Vec<UserId> {
        let is_meant = |user: &&User| {
            judge(&self.policy.only, user).is_none() && !self.left_out.contains(&user.id)
        };
        self.waiting.extend(users.iter().filter(is_meant).map(|user| user.id));
        self.released()
    }

    fn released(&mut self) -> Vec<UserId> {
        if !self.groups.is_empty() || !self.roles.is_empty() {
            return Vec::new();
        }
        let mut meant = std::mem::take(&mut self.waiting);
        meant.retain(|user| !self.left_out.contains(user));
        meant
    }
}

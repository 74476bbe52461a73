//! Prefetch candidates: users that a policy applies to for certain, although the directory is only read in
//! part. Some are certain when their page of a list arrives; others when the users that the policy excludes
//! are known.
//!
//! Not here: who is in scope (`resolve`, which knows the whole directory). A wrong candidate would only cost
//! a read.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;

use super::excluded::judge;
use super::names::find_role;
use crate::id::{GroupId, UserId};
use crate::policy::{GroupRef, Policy, PolicySet, RoleRef};
use crate::tenant::directory::User;
use crate::tenant::lookup::UserList;
use crate::tenant::roles::Roles;

/// The prefetch candidates of all policies.
#[derive(Debug)]
pub struct Foreseen<'a>(Vec<Expected<'a>>);

/// A policy, and the users that it excludes as far as they are known.
#[derive(Debug)]
struct Expected<'a> {
    policy: &'a Policy,
    excluded: HashSet<UserId>,
    /// Excluded groups whose members are not known yet.
    groups: BTreeSet<GroupId>,
    /// Excluded roles whose holders are not known yet.
    roles: Vec<&'a RoleRef>,
    /// Users that the policy applies to, unless one of those groups or roles has them.
    waiting: Vec<UserId>,
}

impl<'a> Foreseen<'a> {
    /// Starts with the policies. Exceptions that are over today exclude no users.
    #[must_use]
    pub fn new(set: &'a PolicySet, today: Date) -> Self {
        Self(set.policies.iter().map(|policy| Expected::new(policy, today)).collect())
    }

    /// Adds a page of a list and returns the users that are certain now.
    #[must_use]
    pub fn page(&mut self, list: UserList<'_>, users: &[User]) -> Vec<UserId> {
        let expected = self.0.iter_mut().filter(|one| one.names(list));
        expected.flat_map(|one| one.add(users)).collect()
    }

    /// Adds all members of a group and returns the users that are certain now, also of earlier pages.
    #[must_use]
    pub fn whole_group(&mut self, group: GroupId, members: &[UserId]) -> Vec<UserId> {
        let certain = self.0.iter_mut().flat_map(|one| {
            if one.groups.remove(&group) {
                one.excluded.extend(members);
            }
            one.take_certain()
        });
        certain.collect()
    }

    /// Adds the holders of the roles and returns the users that are certain now. If an excluded role does not
    /// exist, the users of its policy stay waiting.
    #[must_use]
    pub fn roles(&mut self, roles: &Roles) -> Vec<UserId> {
        let certain = self.0.iter_mut().flat_map(|one| {
            let excluded = &mut one.excluded;
            one.roles.retain(|role| {
                let found = find_role(role, roles);
                excluded.extend(found.into_iter().flat_map(|id| roles.people(id)));
                found.is_none()
            });
            one.take_certain()
        });
        certain.collect()
    }
}

impl<'a> Expected<'a> {
    fn new(policy: &'a Policy, today: Date) -> Self {
        let except = || policy.except.iter().filter(|one| !one.is_over(today));
        Self {
            policy,
            excluded: except().flat_map(|one| &one.users).map(|entry| entry.id).collect(),
            groups: except().flat_map(|one| &one.groups).map(|entry| entry.id).collect(),
            roles: except().flat_map(|one| &one.roles).map(|(role, _)| role).collect(),
            waiting: Vec::new(),
        }
    }

    /// Whether `appliesTo` names the whole list.
    fn names(&self, list: UserList<'_>) -> bool {
        match list {
            UserList::Everybody => self.policy.who.everyone,
            UserList::MembersOf(group) => {
                self.policy.who.groups.iter().any(|(named, _)| match named {
                    GroupRef::Name(name) => name.to_lowercase() == group.name.raw().to_lowercase(),
                    GroupRef::Id(id) | GroupRef::Both { id, .. } => *id == group.id,
                })
            }
        }
    }

    /// Adds the users that are not excluded as far as is known, and returns those that are certain.
    fn add(&mut self, users: &[User]) -> Vec<UserId> {
        let is_candidate = |user: &&User| {
            judge(&self.policy.only, user).is_none() && !self.excluded.contains(&user.id)
        };
        self.waiting.extend(users.iter().filter(is_candidate).map(|user| user.id));
        self.take_certain()
    }

    /// Takes the waiting users that are not excluded, once all excluded users are known.
    fn take_certain(&mut self) -> Vec<UserId> {
        if !self.groups.is_empty() || !self.roles.is_empty() {
            return Vec::new();
        }
        let mut certain = std::mem::take(&mut self.waiting);
        certain.retain(|user| !self.excluded.contains(user));
        certain
    }
}

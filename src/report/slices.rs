//! The enabled accounts of each policy, each group and each directory role.
//!
//! Not here: the counts of all accounts (`counts`).

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::{AccountCounts, PostureReport, ReportedUser};
use crate::id::{GroupId, RoleId};
use crate::observed::Observed;
use crate::policy::{GroupRef, Mode, PolicySet};
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::roles::Roles;
use crate::untrusted::Untrusted;

/// The accounts that have one thing in common, and their counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<Of> {
    pub of: Of,
    pub counts: AccountCounts,
    users: FixedBitSet,
}

/// A policy that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyName {
    pub name: Untrusted,
    /// It is in report mode and is never applied.
    pub reports_only: bool,
    /// It manages a setting and is enforced.
    pub governs: bool,
}

/// A group of these accounts. They are direct or nested members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName {
    pub id: GroupId,
    pub name: Untrusted,
}

/// A role that these accounts hold or are eligible for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName {
    pub id: RoleId,
    pub name: Untrusted,
}

impl<Of> Slice<Of> {
    fn new(of: Of, users: FixedBitSet) -> Self {
        Self { of, counts: AccountCounts::default(), users }
    }

    #[must_use]
    pub fn has(&self, user: UserIndex) -> bool {
        self.users.contains(user.place())
    }

    /// Adds the accounts to a set of users.
    pub(super) fn join_to(&self, users: &mut FixedBitSet) {
        users.union_with(&self.users);
    }

    pub(super) fn count(&mut self, people: &[ReportedUser]) {
        for person in people.iter().filter(|person| self.users.contains(person.user.place())) {
            self.counts.add(person);
        }
    }
}

impl PostureReport {
    /// Returns the names of the policies that apply to the user.
    pub fn policies_of(&self, user: UserIndex) -> impl Iterator<Item = &Untrusted> {
        let of_user = self.policies.iter().filter(move |slice| slice.has(user));
        of_user.map(|slice| &slice.of.name)
    }

    /// Returns the groups of the user that policies name.
    pub fn groups_of(&self, user: UserIndex) -> impl Iterator<Item = &GroupName> {
        self.groups.iter().filter(move |slice| slice.has(user)).map(|slice| &slice.of)
    }

    /// Returns the roles that the user holds or is eligible for.
    pub fn roles_of(&self, user: UserIndex) -> impl Iterator<Item = &RoleName> {
        self.roles.iter().filter(move |slice| slice.has(user)).map(|slice| &slice.of)
    }
}

/// Returns every policy with the users that it applies to, without break-glass accounts.
pub(super) fn policies(set: &PolicySet, observed: &Observed) -> Vec<Slice<PolicyName>> {
    let slice = |(place, policy): (usize, &crate::policy::Policy)| {
        let index = PolicyIndex::new(place);
        let mut users = FixedBitSet::with_capacity(observed.directory.len());
        let candidates =
            observed.scope.users().filter(|user| observed.scope.is_candidate(index, *user));
        for user in candidates {
            if observed.scope.applies(index, policy, user, &observed.facts(user)) {
                users.insert(user.place());
            }
        }
        let name = PolicyName {
            name: policy.name.as_str().into(),
            reports_only: policy.mode == Mode::Report,
            governs: policy.governs(),
        };
        Slice::new(name, users)
    };
    set.policies.iter().enumerate().map(slice).collect()
}

/// Returns every group that a policy names, also those in `except`, sorted by name.
pub(super) fn groups(set: &PolicySet, directory: &Directory) -> Vec<Slice<GroupName>> {
    let mut named: BTreeSet<GroupId> = BTreeSet::new();
    for policy in &set.policies {
        for (group, _) in &policy.who.groups {
            match group {
                GroupRef::Id(id) | GroupRef::Both { id, .. } => _ = named.insert(*id),
                GroupRef::Name(name) => {
                    let called = directory.groups_named(name).filter(|group| group.is_security);
                    named.extend(called.map(|group| group.id));
                }
            }
        }
        let excluded = policy.except.iter().flat_map(|exception| &exception.groups);
        named.extend(excluded.map(|entry| entry.id));
    }
    let slice = |id| {
        let name = directory.group(id)?.name.clone();
        Some(Slice::new(GroupName { id, name }, directory.members(id)?.clone()))
    };
    let mut slices: Vec<Slice<GroupName>> = named.into_iter().filter_map(slice).collect();
    slices.sort_by_cached_key(|slice| (slice.of.name.raw().to_lowercase(), slice.of.id));
    slices
}

/// Returns every role that a user holds or is eligible for, sorted by name.
pub(super) fn roles(roles: Option<&Roles>, directory: &Directory) -> Vec<Slice<RoleName>> {
    let Some(roles) = roles else { return Vec::new() };
    let slice = |id: &RoleId| {
        let mut users = FixedBitSet::with_capacity(directory.len());
        for user in roles.people(*id).filter_map(|id| directory.find(id)) {
            users.insert(user.place());
        }
        let name = roles.names.get(id).cloned().unwrap_or_else(|| id.to_string().into());
        Slice::new(RoleName { id: *id, name }, users)
    };
    let mut slices: Vec<Slice<RoleName>> = roles.holders.keys().map(slice).collect();
    slices.sort_by_cached_key(|slice| (slice.of.name.raw().to_lowercase(), slice.of.id));
    slices
}

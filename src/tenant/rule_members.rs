//! Resolves user, group and role ids found in tenant rules into sets of the users of a directory.
//!
//! Not here: the groups and roles that policies name (`directory`, `roles`), which can be the same ones.

use std::collections::BTreeMap;

use super::directory::{Account, Directory};
use super::domains::{Domains, SignsIn};
use super::facts::{Read, UnknownReason};
use super::membership::Membership;
use super::roles::{RoleHolders, Roles};
use super::user_set::UserSet;
use crate::id::{GroupId, RoleId, UserId};

/// The role whose holders have their own end dates of SMS and voice. Its id is the same in every tenant.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The roles of directory synchronisation accounts, which are not used to administer anything (Entra
/// documentation of built-in roles, checked 2026-11).
const OF_SYNCHRONISATION: [&str; 2] =
    ["d29b2b05-8046-44ba-8758-1e26182fcf32", "a92aed5d-d78a-4d16-b381-09adb37eb3b0"];

/// The users of a tenant, as its rules can name them.
#[derive(Debug, Clone, Copy)]
pub struct RuleMembers<'a> {
    pub directory: &'a Directory,
    /// The members of every group that a rule names, direct and nested.
    pub groups: &'a BTreeMap<GroupId, Read<Membership>>,
    pub roles: &'a Read<Roles>,
}

impl RuleMembers<'_> {
    pub(super) fn nobody(&self) -> UserSet {
        UserSet::nobody(self.directory.len())
    }

    pub(super) fn everybody(&self) -> UserSet {
        UserSet::everybody(self.directory.len())
    }

    pub(super) fn unknown(&self) -> UserSet {
        UserSet::unknown(self.directory.len())
    }

    pub(super) fn of<'a>(&self, ids: impl IntoIterator<Item = &'a UserId>) -> UserSet {
        let indexes = ids.into_iter().filter_map(|id| self.directory.find(*id));
        UserSet::of(self.directory.len(), indexes)
    }

    /// The members of the group. If only one of the two reads shows a user, the membership is unknown: it
    /// neither protects nor allows anything for certain, but may exclude.
    pub(super) fn in_group(&self, group: GroupId) -> UserSet {
        match self.groups.get(&group) {
            Some(Read::Known(members)) => {
                let mut crowd = self.of(members.agreed());
                crowd.join(&self.of(members.disputed()).perhaps());
                crowd
            }
            Some(Read::Unknown(_)) | None => self.unknown(),
        }
    }

    /// The users of a rule that names a role: users that hold the role now, for the whole directory. It is
    /// unknown whether the rule applies to users that hold the role for a part of the directory, or would
    /// have to activate it (Entra documentation of Conditional Access users and groups, checked 2026-11).
    pub(super) fn in_role(&self, role: RoleId) -> UserSet {
        let Read::Known(roles) = self.roles else { return self.unknown() };
        let mut crowd = self.nobody();
        if let Some(holders) = roles.holders.get(&role) {
            crowd = self.of(&holders.active);
            crowd.leave_out(&self.of(&holders.scoped).perhaps());
            crowd.join(&self.of(&holders.eligible).perhaps());
            crowd.join(&self.of(&holders.disputed).perhaps());
        }
        if eligibility_is_open(roles) {
            crowd.join(&self.unknown());
        }
        crowd
    }

    /// Users that hold an administrator role or can activate one.
    pub(super) fn administrators(&self) -> UserSet {
        let Read::Known(roles) = self.roles else { return self.unknown() };
        let synchronises = |role: &RoleId| OF_SYNCHRONISATION.contains(&role.to_string().as_str());
        let mut crowd = self.nobody();
        for (_, holders) in roles.holders.iter().filter(|(role, _)| !synchronises(role)) {
            crowd.join(&self.hold(holders));
        }
        if eligibility_is_open(roles) {
            crowd.join(&self.unknown());
        }
        crowd
    }

    pub(super) fn acting_global_administrators(&self) -> UserSet {
        GLOBAL_ADMINISTRATOR.parse().map_or_else(|_| self.unknown(), |role| self.in_role(role))
    }

    pub(super) fn global_administrators(&self) -> UserSet {
        let (Read::Known(roles), Ok(role)) = (self.roles, GLOBAL_ADMINISTRATOR.parse()) else {
            return self.unknown();
        };
        let holders = roles.holders.get(&role);
        let mut crowd = holders.map_or_else(|| self.nobody(), |holders| self.hold(holders));
        if eligibility_is_open(roles) {
            crowd.join(&self.unknown());
        }
        crowd
    }

    /// Users that hold a role or can activate it. Unknown for users on which two reads of a group disagree.
    fn hold(&self, holders: &RoleHolders) -> UserSet {
        let mut crowd = self.of(holders.active.union(&holders.eligible));
        crowd.join(&self.of(&holders.disputed).perhaps());
        crowd
    }

    /// Users with a home in another tenant, guests or members. That tenant decides, too, on their MFA
    /// requirement and methods.
    pub(super) fn homed_elsewhere(&self) -> UserSet {
        self.with(|account| account.homed_elsewhere)
    }

    /// Users of type guest with an account in this tenant, who sign in like members (Entra documentation of
    /// B2B users' properties, "internal guest", checked 2026-11).
    pub(super) fn guests_living_here(&self) -> UserSet {
        self.with(|account| account.guest && !account.homed_elsewhere)
    }

    /// Users whose domain has a provider that may do MFA. Unknown for users whose domain is unknown.
    pub(super) fn at_providers(&self, domains: &Domains) -> UserSet {
        let mut crowd = self.nobody();
        let mut unknown = self.nobody();
        for (index, user) in self.directory.users() {
            match domains.of(user.name.raw()) {
                SignsIn::Here => {}
                SignsIn::AtProvider => crowd.add(index),
                SignsIn::Unread(_) | SignsIn::Unknown => unknown.add(index),
            }
        }
        crowd.join(&unknown.perhaps());
        crowd
    }

    fn with(&self, is: impl Fn(Account) -> bool) -> UserSet {
        let people = self.directory.users().filter(|(_, user)| is(user.account));
        UserSet::of(self.directory.len(), people.map(|(index, _)| index))
    }
}

/// Whether users may be eligible for a role without this program knowing it. Without a licence for role
/// activation no user is eligible.
fn eligibility_is_open(roles: &Roles) -> bool {
    !matches!(roles.eligibility_unknown, None | Some(UnknownReason::NotLicensed))
}

//! Whom the ids mean that the tenant's own rules name: groups and roles, as sets of the users of a
//! directory.
//!
//! Not here: the groups and roles that policies name (`directory`, `roles`), though they may be the
//! same ones.

use std::collections::BTreeMap;

use super::crowd::Crowd;
use super::directory::{Account, Directory};
use super::domains::{Domains, SignsIn};
use super::facts::{Read, Why};
use super::membership::Membership;
use super::roles::{Holders, Roles};
use crate::id::{GroupId, RoleId, UserId};

/// The role whose holders Microsoft's dates single out; the same id in every tenant.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The roles of the accounts of directory synchronisation, which nobody signs in with to
/// administer anything (Entra documentation of built-in roles, checked 2026-11).
const OF_SYNCHRONISATION: [&str; 2] =
    ["d29b2b05-8046-44ba-8758-1e26182fcf32", "a92aed5d-d78a-4d16-b381-09adb37eb3b0"];

/// The people of a tenant, as its rules can name them.
#[derive(Debug, Clone, Copy)]
pub struct People<'a> {
    pub directory: &'a Directory,
    /// The members of every group that a rule names, direct and nested.
    pub groups: &'a BTreeMap<GroupId, Read<Membership>>,
    pub roles: &'a Read<Roles>,
}

impl People<'_> {
    pub(super) fn nobody(&self) -> Crowd {
        Crowd::nobody(self.directory.len())
    }

    pub(super) fn everybody(&self) -> Crowd {
        Crowd::everybody(self.directory.len())
    }

    pub(super) fn unknown(&self) -> Crowd {
        Crowd::unknown(self.directory.len())
    }

    pub(super) fn of<'a>(&self, ids: impl IntoIterator<Item = &'a UserId>) -> Crowd {
        let indexes = ids.into_iter().filter_map(|id| self.directory.find(*id));
        Crowd::of(self.directory.len(), indexes)
    }

    /// Who is in the group. A person whom only one of the two reads shows may be in it: such a
    /// membership covers and allows nobody for certain, and may still exclude.
    pub(super) fn in_group(&self, group: GroupId) -> Crowd {
        match self.groups.get(&group) {
            Some(Read::Known(members)) => {
                let mut crowd = self.of(members.agreed());
                crowd.join(&self.of(members.disputed()).perhaps());
                crowd
            }
            Some(Read::Unknown(_)) | None => self.unknown(),
        }
    }

    /// Whom a rule means that names a role: those who hold it now, for the whole directory. Who
    /// holds it for a part of it, or would have to activate it, may be meant (Entra documentation
    /// of Conditional Access users and groups, checked 2026-11).
    pub(super) fn in_role(&self, role: RoleId) -> Crowd {
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

    /// Who holds an administrator's role, or may take one up.
    pub(super) fn administrators(&self) -> Crowd {
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

    pub(super) fn acting_global_administrators(&self) -> Crowd {
        GLOBAL_ADMINISTRATOR.parse().map_or_else(|_| self.unknown(), |role| self.in_role(role))
    }

    pub(super) fn global_administrators(&self) -> Crowd {
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

    /// Who holds a role or may take it up. On some, two reads of a group may disagree.
    fn hold(&self, holders: &Holders) -> Crowd {
        let mut crowd = self.of(holders.active.union(&holders.eligible));
        crowd.join(&self.of(&holders.disputed).perhaps());
        crowd
    }

    /// Whose account lives in another tenant, guest or member: what is asked of them and what they can
    /// answer is decided there too.
    pub(super) fn homed_elsewhere(&self) -> Crowd {
        self.with(|account| account.homed_elsewhere)
    }

    /// Guests by type whose account lives in this tenant: they sign in as members do (Entra
    /// documentation of B2B users' properties, "internal guest", checked 2026-11).
    pub(super) fn guests_living_here(&self) -> Crowd {
        self.with(|account| account.guest && !account.homed_elsewhere)
    }

    /// Those of whom a provider of their domain may ask MFA, and perhaps those whose domain is not
    /// known well enough.
    pub(super) fn at_providers(&self, domains: &Domains) -> Crowd {
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

    fn with(&self, is: impl Fn(Account) -> bool) -> Crowd {
        let people = self.directory.users().filter(|(_, user)| is(user.account));
        Crowd::of(self.directory.len(), people.map(|(index, _)| index))
    }
}

/// Whether somebody may be eligible of whom it is not known. Without the licence nobody can
/// activate a role, so nobody is.
fn eligibility_is_open(roles: &Roles) -> bool {
    !matches!(roles.eligibility_unknown, None | Some(Why::NotLicensed))
}

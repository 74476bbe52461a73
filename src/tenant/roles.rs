//! Directory roles, the users that hold them, and the users that can activate them.
//!
//! Not here: what a role is needed for, or how holders are found (`entra`).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::UnknownReason;
use crate::id::{GroupId, RoleId, UserId};
use crate::untrusted::Untrusted;

/// The holders of one role, directly or through a role-assignable group.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleHolders {
    pub active: BTreeSet<UserId>,
    /// Active holders for only a part of the directory, such as an administrative unit.
    pub scoped: BTreeSet<UserId>,
    /// Users that can activate the role, by Privileged Identity Management of the role or of a group that
    /// holds it.
    pub eligible: BTreeSet<UserId>,
    /// Users that hold the role, or can activate it, only according to one of two reads of a group.
    pub disputed: BTreeSet<UserId>,
}

/// The roles of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Roles {
    /// Display names of all roles.
    pub names: BTreeMap<RoleId, Untrusted>,
    pub holders: BTreeMap<RoleId, RoleHolders>,
    /// Why eligibility is unknown, for example because the tenant has no licence for it.
    pub eligibility_unknown: Option<UnknownReason>,
    /// For groups that hold a role: the users on which two reads disagree.
    pub disputed: BTreeMap<GroupId, BTreeSet<UserId>>,
}

impl Roles {
    /// Returns the same roles with other ids of users.
    #[must_use]
    pub fn with_users(mut self, other: impl Fn(UserId) -> UserId) -> Self {
        let of_holders = self.holders.values_mut().flat_map(|holders| {
            let RoleHolders { active, scoped, eligible, disputed } = holders;
            [active, scoped, eligible, disputed]
        });
        for users in of_holders.chain(self.disputed.values_mut()) {
            *users = users.iter().copied().map(&other).collect();
        }
        self
    }

    /// The role with this display name, ignoring case.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<RoleId> {
        let wanted = name.trim().to_lowercase();
        self.names.iter().find(|(_, name)| name.raw().to_lowercase() == wanted).map(|(id, _)| *id)
    }

    /// The users that hold the role or can activate it, by any read.
    pub fn people(&self, role: RoleId) -> impl Iterator<Item = UserId> {
        let holders = self.holders.get(&role);
        holders.into_iter().flat_map(|holders| {
            let sure = holders.active.union(&holders.eligible);
            sure.chain(&holders.disputed).copied()
        })
    }
}

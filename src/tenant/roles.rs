//! Directory roles and who holds them, actively or as something they may take up.
//!
//! Not here: what a role is needed for, or how holders are found (`entra`).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Why;
use crate::id::{GroupId, RoleId, UserId};
use crate::untrusted::Untrusted;

/// Who holds one role, directly or through a role-assignable group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holders {
    pub active: BTreeSet<UserId>,
    /// Those of the active ones who hold it for a part of the directory only, such as an
    /// administrative unit.
    pub scoped: BTreeSet<UserId>,
    /// May activate it, by privileged identity management of the role or of a group that holds it.
    pub eligible: BTreeSet<UserId>,
    /// Hold it, or may activate it, by one of two reads of a group only, and by nothing else.
    pub disputed: BTreeSet<UserId>,
}

/// The roles of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Display names of all roles.
    pub names: BTreeMap<RoleId, Untrusted>,
    pub holders: BTreeMap<RoleId, Holders>,
    /// Why eligibility is not known, such as in a tenant without the licence for it.
    pub eligibility_unknown: Option<Why>,
    /// Of groups that hold a role, on whom two reads disagree.
    pub disputed: BTreeMap<GroupId, BTreeSet<UserId>>,
}

impl Roles {
    /// The role of that display name, without regard to case.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<RoleId> {
        let wanted = name.trim().to_lowercase();
        self.names.iter().find(|(_, name)| name.raw().to_lowercase() == wanted).map(|(id, _)| *id)
    }

    /// Everybody who holds the role or may take it up, by any read.
    pub fn people(&self, role: RoleId) -> impl Iterator<Item = UserId> {
        let holders = self.holders.get(&role);
        holders.into_iter().flat_map(|holders| {
            let sure = holders.active.union(&holders.eligible);
            sure.chain(&holders.disputed).copied()
        })
    }
}

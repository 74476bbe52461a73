//! The members of a group by two reads: of the directory itself, and of its index, which can be minutes
//! behind. If the two disagree on a user, the worse side is assumed: the user is excluded if the group
//! excludes users, and not counted if the group protects users.
//!
//! Not here: how the two are read (`entra`).

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{GroupId, UserId};

/// The members of a group, nested groups included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    agreed: BTreeSet<UserId>,
    disputed: BTreeSet<UserId>,
}

impl Membership {
    /// Compares the members in the directory with the members in its index.
    #[must_use]
    pub fn of(directory: &BTreeSet<UserId>, index: &BTreeSet<UserId>) -> Self {
        Self { agreed: directory & index, disputed: directory ^ index }
    }

    /// Puts together the members that both reads show, and those that only one of them shows.
    #[must_use]
    pub const fn from_parts(agreed: BTreeSet<UserId>, disputed: BTreeSet<UserId>) -> Self {
        Self { agreed, disputed }
    }

    /// The members that both reads show.
    #[must_use]
    pub const fn agreed(&self) -> &BTreeSet<UserId> {
        &self.agreed
    }

    /// The users that only one of the reads shows.
    #[must_use]
    pub const fn disputed(&self) -> &BTreeSet<UserId> {
        &self.disputed
    }

    /// All users that either read shows.
    pub fn all(&self) -> impl Iterator<Item = UserId> {
        self.agreed.union(&self.disputed).copied()
    }
}

/// The members of break-glass groups at one time, by id.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Guarding(pub BTreeMap<GroupId, BTreeSet<UserId>>);

/// Collects members on which both reads agree.
impl FromIterator<UserId> for Membership {
    fn from_iter<T: IntoIterator<Item = UserId>>(agreed: T) -> Self {
        Self { agreed: agreed.into_iter().collect(), disputed: BTreeSet::new() }
    }
}

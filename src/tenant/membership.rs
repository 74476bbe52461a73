//! Who is in a group, by the two ways of reading it: from the directory itself, and from its index,
//! which can be minutes behind. A person on whom the two disagree counts on the side that hurts:
//! left out where the group leaves people out, not counted on where the group covers people.
//!
//! Not here: how the two are read (`entra`).

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{GroupId, UserId};

/// The people of a group, nested groups included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    agreed: BTreeSet<UserId>,
    disputed: BTreeSet<UserId>,
}

impl Membership {
    /// What the directory shows, and what its index shows.
    #[must_use]
    pub fn of(directory: &BTreeSet<UserId>, index: &BTreeSet<UserId>) -> Self {
        Self { agreed: directory & index, disputed: directory ^ index }
    }

    /// The members that both reads show.
    #[must_use]
    pub const fn agreed(&self) -> &BTreeSet<UserId> {
        &self.agreed
    }

    /// The people whom only one of the reads shows.
    #[must_use]
    pub const fn disputed(&self) -> &BTreeSet<UserId> {
        &self.disputed
    }

    /// Everybody whom either read shows.
    pub fn all(&self) -> impl Iterator<Item = UserId> {
        self.agreed.union(&self.disputed).copied()
    }
}

/// The members of break-glass groups at some moment, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Guarding(pub BTreeMap<GroupId, BTreeSet<UserId>>);

/// Members on whom both reads agree.
impl FromIterator<UserId> for Membership {
    fn from_iter<T: IntoIterator<Item = UserId>>(agreed: T) -> Self {
        Self { agreed: agreed.into_iter().collect(), disputed: BTreeSet::new() }
    }
}

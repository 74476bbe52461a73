//! What a run has to read of the directory: made by `scope` from the policies, read by `entra`.

use std::collections::BTreeSet;

use super::directory::{Attribute, Group, User};
use crate::id::{GroupId, UserId};

/// The people, groups and attributes that the policies mention.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookup {
    pub everyone: bool,
    /// Display names; every group of such a name is read.
    pub group_names: BTreeSet<String>,
    pub group_ids: BTreeSet<GroupId>,
    pub user_names: BTreeSet<String>,
    pub user_ids: BTreeSet<UserId>,
    pub attributes: BTreeSet<Attribute>,
    pub department: bool,
    /// Somebody names a directory role, so roles and their holders are read first.
    pub roles: bool,
}

/// What is read of each user beside methods and state, which safety always needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Extra {
    /// The default method and system-preferred MFA.
    pub preferences: bool,
}

/// A list of people in the directory.
#[derive(Debug, Clone, Copy)]
pub enum List<'a> {
    Everybody,
    MembersOf(&'a Group),
}

/// Hears of the people on a page of a list while the list goes on; a list that is read twice tells
/// twice.
pub type OnPage<'a> = dyn Fn(List<'_>, &[User]) + 'a;

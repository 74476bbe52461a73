//! What a run has to read of the directory: made by `scope` from the policies, read by `entra`.

use std::collections::BTreeSet;

use super::directory::{Attribute, Group, User};
use super::roles::Roles;
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
    /// Somebody names a directory role, so its holders are looked up too.
    pub roles: bool,
    /// Of the groups those that guard somebody: break-glass groups, and groups that a policy
    /// leaves out. They are read first, and in both ways ([`Membership`]).
    ///
    /// [`Membership`]: super::membership::Membership
    pub guards: BTreeSet<GroupId>,
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

/// What becomes known while lists are read; of a list that is read twice, twice.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// These are on a page of a list.
    Page(List<'a>, &'a [User]),
    /// These are all the members of a group.
    Whole(GroupId, &'a [UserId]),
    /// These hold roles.
    Roles(&'a Roles),
}

/// Hears of it.
pub type OnNews<'a> = dyn Fn(News<'_>) + 'a;

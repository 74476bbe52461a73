//! The users and groups of the directory.
//!
//! Not here: authentication methods and MFA state (`facts`), or who is in scope (`scope`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

pub use super::attribute::Attribute;
use super::by_id::ById;
use super::facts::UnknownReason;
use crate::id::{GroupId, TenantId, UserId};
use crate::number::{RawNumber, Region};
use crate::untrusted::Untrusted;

/// The tenant that was observed. A plan contains it, and apply refuses any other tenant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    pub id: TenantId,
    /// The default verified domain, which a reader recognises.
    pub domain: Untrusted,
}

/// A user, by its place in the [`Directory`] of this run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct UserIndex(u32);

/// The properties of an account that matter to policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub enabled: bool,
    pub guest: bool,
    /// `#EXT#` in the principal name: the user signs in in another tenant, whatever `userType` says.
    pub homed_elsewhere: bool,
    /// The account of Entra Connect or cloud sync.
    pub directory_sync: bool,
    /// Synchronised from on-premises: its phone attributes are read-only here.
    pub synced: bool,
}

/// The `country` of a user, which is free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Country {
    /// It is empty, or was not read.
    #[default]
    None,
    Known(Region),
    /// The text is not a country that this program knows.
    Unread,
}

impl Country {
    /// Reads the country in the text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match Region::in_words(text) {
            Some(region) => Self::Known(region),
            None if text.trim().is_empty() => Self::None,
            None => Self::Unread,
        }
    }

    #[must_use]
    pub const fn known(self) -> Option<Region> {
        match self {
            Self::Known(region) => Some(region),
            Self::None | Self::Unread => None,
        }
    }
}

/// A user of the directory.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    /// The user principal name.
    pub name: Untrusted,
    pub account: Account,
    pub usage_location: Option<Region>,
    /// Read only if a policy reads numbers.
    pub country: Country,
    /// Read only if a policy needs it. Users of one department share the text.
    pub department: Option<Arc<str>>,
    /// The attributes that a policy of this run reads, without the empty ones.
    pub attributes: Box<[(Attribute, RawNumber)]>,
}

impl User {
    /// Whether Graph shows only the id of the user, which is then also the name.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.name.raw() == self.id.to_string()
    }
}

/// A group that a policy or a guard mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub name: Untrusted,
    /// Security-enabled and not a Microsoft 365 group.
    pub is_security: bool,
    /// If it is, only a few administrators can change its members.
    pub is_role_assignable: bool,
    /// Its members follow from a rule on attributes.
    pub is_dynamic: bool,
}

/// A group that could not be read completely.
#[derive(Debug, Clone)]
pub struct Gap {
    pub id: GroupId,
    /// The group, if only its members could not be read.
    pub group: Option<Group>,
    pub why: UnknownReason,
}

/// Everything that was read of the directory, with the users sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    users: Vec<User>,
    by_id: ById,
    groups: BTreeMap<GroupId, Group>,
    members: BTreeMap<GroupId, FixedBitSet>,
    /// Guard groups on whose members the two reads disagree.
    disputed: BTreeMap<GroupId, Disputed>,
    /// Groups that could not be read, or whose members could not be read.
    unreadable: BTreeMap<GroupId, UnknownReason>,
    /// For a name that no group has: groups with similar names.
    alike: BTreeMap<String, Vec<Group>>,
    /// Whether all users were read, not only those that the policies or rules mention.
    pub is_whole: bool,
    /// Names and ids of which a snapshot does not know whether they are of a user.
    unrecorded: BTreeSet<String>,
}

/// The members of a group on which two reads disagree.
#[derive(Debug, Clone, Default)]
struct Disputed {
    /// Users that only one of the reads shows.
    users: FixedBitSet,
    /// All users that either read shows.
    either: FixedBitSet,
}

impl UserIndex {
    #[must_use]
    pub fn new(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    #[must_use]
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// The order of names, ignoring case. Nearly all names are ASCII, which is compared much faster and in the
/// same order.
fn by_name(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        let lower = u8::to_ascii_lowercase;
        return one.as_bytes().iter().map(lower).cmp(other.as_bytes().iter().map(lower));
    }
    let lower = char::to_lowercase;
    one.chars().flat_map(lower).cmp(other.chars().flat_map(lower))
}

impl Directory {
    /// Creates a directory. The users can be in any order and appear more than once, because lists overlap.
    /// Each group comes with the ids of its members, nested ones included; ids of other users are ignored.
    #[must_use]
    pub fn new(users: impl IntoIterator<Item = User>, groups: Vec<(Group, Vec<UserId>)>) -> Self {
        let mut users: Vec<User> = users.into_iter().collect();
        users.sort_by_key(|user| user.id);
        users.dedup_by(|a, b| a.id == b.id);
        users.sort_by(|a, b| by_name(a.name.raw(), b.name.raw()));
        users.shrink_to_fit();
        Self::in_order(users).with_groups(groups)
    }

    /// Creates a directory without groups, from users in the order of a plan, which is by name.
    #[must_use]
    pub fn in_order(users: Vec<User>) -> Self {
        Self { by_id: ById::new(users.iter().map(|user| user.id)), users, ..Self::default() }
    }

    fn with_groups(mut self, groups: Vec<(Group, Vec<UserId>)>) -> Self {
        for (group, members) in groups {
            let mut set = FixedBitSet::with_capacity(self.users.len());
            for index in members.iter().filter_map(|id| self.find(*id)) {
                set.insert(index.place());
            }
            self.members.insert(group.id, set);
            self.groups.insert(group.id, group);
        }
        self
    }

    /// Adds, for some groups, the members that only one of two reads shows.
    #[must_use]
    pub fn with_disputed(mut self, disputed: Vec<(GroupId, BTreeSet<UserId>)>) -> Self {
        for (group, ids) in disputed {
            let mut users = FixedBitSet::with_capacity(self.users.len());
            ids.iter().filter_map(|id| self.find(*id)).for_each(|one| users.insert(one.place()));
            if !users.is_clear() {
                let mut either = users.clone();
                either.union_with(self.members.get(&group).unwrap_or(&FixedBitSet::new()));
                self.disputed.insert(group, Disputed { users, either });
            }
        }
        self
    }

    /// Adds groups that could not be read completely; and for names that no group has, groups with similar
    /// names.
    #[must_use]
    pub fn with_gaps(mut self, gaps: Vec<Gap>, alike: BTreeMap<String, Vec<Group>>) -> Self {
        for Gap { id, group, why } in gaps {
            self.groups.extend(group.map(|group| (id, group)));
            self.unreadable.insert(id, why);
        }
        self.alike = alike;
        self
    }

    /// Adds names and ids of which a snapshot does not know whether they are of a user.
    #[must_use]
    pub fn with_unrecorded(self, unrecorded: BTreeSet<String>) -> Self {
        Self { unrecorded, ..self }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    #[must_use]
    pub fn user(&self, index: UserIndex) -> Option<&User> {
        self.users.get(index.place())
    }

    /// The principal name, or `?` if the user is not in this directory.
    #[must_use]
    pub fn name(&self, index: UserIndex) -> &Untrusted {
        self.user(index).map_or(Untrusted::unknown(), |user| &user.name)
    }

    /// Names up to two users, and counts the others.
    #[must_use]
    pub fn in_words(&self, users: &[UserIndex]) -> String {
        match users {
            [] => "no users".to_owned(),
            [one] => format!("`{}`", self.name(*one)),
            [first, second] => format!("`{}` and `{}`", self.name(*first), self.name(*second)),
            [first, second, rest @ ..] => {
                let (first, second) = (self.name(*first), self.name(*second));
                format!("`{first}`, `{second}` and {} more", rest.len())
            }
        }
    }

    /// Returns the directory with other names, to be shown. Users keep their places, so
    /// [`find_by_name`](Self::find_by_name) no longer works.
    #[must_use]
    pub fn renamed(&self, name: impl Fn(&User) -> Untrusted) -> Self {
        let mut directory = self.clone();
        directory.users.iter_mut().for_each(|user| user.name = name(user));
        directory
    }

    pub fn users(&self) -> impl Iterator<Item = (UserIndex, &User)> {
        self.users.iter().enumerate().map(|(place, user)| (UserIndex::new(place), user))
    }

    #[must_use]
    pub fn find(&self, id: UserId) -> Option<UserIndex> {
        self.by_id.find(id)
    }

    /// Finds a user by principal name, ignoring case.
    #[must_use]
    pub fn find_by_name(&self, name: &str) -> Option<UserIndex> {
        let of = |user: &User| by_name(user.name.raw(), name);
        self.users.binary_search_by(of).ok().map(UserIndex::new)
    }

    /// Whether it is unknown if there is a user with this name, in lower case, or id.
    #[must_use]
    pub fn is_unrecorded(&self, word: &str) -> bool {
        self.unrecorded.contains(word)
    }

    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// Every group, with its members if they could be read.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The groups that could not be read completely, and why.
    pub fn unreadable_groups(&self) -> impl Iterator<Item = (GroupId, UnknownReason)> {
        self.unreadable.iter().map(|(id, why)| (*id, *why))
    }

    /// The groups with this display name, sorted by id. Graph ignores the case of the name.
    pub fn groups_named(&self, name: &str) -> impl Iterator<Item = &Group> {
        let name = name.to_lowercase();
        self.groups.values().filter(move |group| group.name.raw().to_lowercase() == name)
    }

    /// Why the group or its members could not be read.
    #[must_use]
    pub fn unreadable(&self, id: GroupId) -> Option<UnknownReason> {
        self.unreadable.get(&id).copied()
    }

    /// Groups with a similar name to one that no group has.
    #[must_use]
    pub fn alike(&self, name: &str) -> &[Group] {
        self.alike.get(name).map_or(&[], Vec::as_slice)
    }

    /// The members for a guard: all users that either read shows.
    #[must_use]
    pub fn guarded(&self, id: GroupId) -> Option<&FixedBitSet> {
        self.disputed.get(&id).map(|two| &two.either).or_else(|| self.members.get(&id))
    }

    /// The users on which two reads of the group disagree.
    pub fn disputed(&self, id: GroupId) -> impl Iterator<Item = UserIndex> {
        let two = self.disputed.get(&id);
        two.into_iter().flat_map(|two| two.users.ones()).map(UserIndex::new)
    }

    /// The members of the group by the index of the directory, nested groups included.
    #[must_use]
    pub fn members(&self, id: GroupId) -> Option<&FixedBitSet> {
        self.members.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person(name: &str) -> User {
        User {
            id: UserId::from_uuid(Uuid::from_u128(
                name.bytes().fold(1, |id: u128, byte| id.wrapping_mul(31) ^ u128::from(byte)),
            )),
            name: name.into(),
            account: Account::default(),
            usage_location: Region::new("NL"),
            country: Country::None,
            department: Some("Research".into()),
            attributes: [(Attribute::MobilePhone, RawNumber::new("+31 6 12345678"))].into(),
        }
    }

    #[test]
    fn a_million_users_fit() {
        let name = "a.rather.long-name42@exchangelabs.nl";
        let User { name, attributes, .. } = person(name);
        let heap = name.raw().len() + size_of_val(&*attributes) + "+31 6 12345678".len();
        let bytes = size_of::<User>() + heap;
        assert!(bytes <= 160, "{bytes} bytes");
    }

    #[test]
    fn names_are_found_in_any_case_and_alphabet() {
        let names = ["Zoe@x.nl", "adam@x.nl", "Ärger@x.nl", "Bo_b@x.nl", "boB@x.nl", "ÇELIK@x.nl"];
        let directory = Directory::new(names.map(|name| person(&format!("{name}{name}"))), vec![]);
        for (index, user) in directory.users() {
            assert_eq!(directory.find_by_name(&user.name.raw().to_uppercase()), Some(index));
            assert_eq!(directory.find_by_name(&user.name.raw().to_lowercase()), Some(index));
        }
    }
}

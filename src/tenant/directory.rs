//! People and groups as the directory has them.
//!
//! Not here: authentication methods and MFA state (`facts`), or who is in scope (`scope`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::by_id::ById;
use super::facts::Why;
use crate::id::{GroupId, TenantId, UserId};
use crate::number::{RawNumber, Region};

/// Which tenant was observed. A plan carries it, and apply refuses any other.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    pub id: TenantId,
    /// The default verified domain, for people to recognise.
    pub domain: String,
}

/// A directory attribute that can hold a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    MobilePhone,
    /// The first of `businessPhones`; the directory accepts one.
    BusinessPhones,
    /// `extensionAttribute1` to `extensionAttribute15`.
    Extension(u8),
}

/// A user, by place in the [`Directory`] of this run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct UserIndex(u32);

/// What kind of account it is, as far as policies care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub enabled: bool,
    pub guest: bool,
    /// `#EXT#` in the principal name: signs in elsewhere, whatever `userType` says.
    pub homed_elsewhere: bool,
    /// The account of Entra Connect or cloud sync.
    pub directory_sync: bool,
    /// Comes from on-premises: its phone attributes are read-only here.
    pub synced: bool,
}

/// The `country` of a user, which is free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Country {
    /// Nothing is there, or nobody asked.
    #[default]
    None,
    Known(Region),
    /// What is there is no country that this program knows.
    Unread,
}

impl Country {
    /// What the text says.
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

/// A person or account of the directory.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    /// The user principal name.
    pub name: Box<str>,
    pub account: Account,
    pub usage_location: Option<Region>,
    /// Read only where a policy reads numbers.
    pub country: Country,
    /// Read only where a policy asks for it; people of one department share the text.
    pub department: Option<Arc<str>>,
    /// The attributes that a policy of this run reads, those that hold something.
    pub attributes: Box<[(Attribute, RawNumber)]>,
}

impl User {
    /// Whether Graph shows nothing of the user but the id: the name is that id then.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        *self.name == *self.id.to_string()
    }
}

/// A group that a policy or a guard mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// Security-enabled and not a Microsoft 365 group.
    pub is_security: bool,
    /// Only then is who may change its members limited to a few administrators.
    pub is_role_assignable: bool,
    /// A rule over attributes decides who is in it.
    pub is_dynamic: bool,
}

/// A group of which something could not be read.
#[derive(Debug, Clone)]
pub struct Gap {
    pub id: GroupId,
    /// What is known of it, where only its members could not be read.
    pub group: Option<Group>,
    pub why: Why,
}

/// Everything that was read of the directory, users in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    users: Vec<User>,
    by_id: ById,
    groups: BTreeMap<GroupId, Group>,
    members: BTreeMap<GroupId, FixedBitSet>,
    /// Of groups that guard somebody, on whose members the two reads disagree.
    disputed: BTreeMap<GroupId, Disputed>,
    /// Groups that, or whose members, could not be read.
    unreadable: BTreeMap<GroupId, Why>,
    /// For a name that no group has: groups that are called much like it.
    alike: BTreeMap<String, Vec<Group>>,
    /// The whole user list was read, not only those whom somebody mentioned.
    pub is_whole: bool,
}

/// What two reads of one group leave open.
#[derive(Debug, Clone, Default)]
struct Disputed {
    /// Whom only one of the reads shows.
    users: FixedBitSet,
    /// Everybody whom either of them shows.
    either: FixedBitSet,
}

impl Attribute {
    /// The value of this attribute of the user, if it holds anything.
    #[must_use]
    pub fn of(self, user: &User) -> Option<&RawNumber> {
        user.attributes.iter().find(|(attribute, _)| *attribute == self).map(|(_, number)| number)
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MobilePhone => f.write_str("mobilePhone"),
            Self::BusinessPhones => f.write_str("businessPhones"),
            Self::Extension(number) => write!(f, "extensionAttribute{number}"),
        }
    }
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

/// The order of names, without regard to case. Nearly all are plain ASCII, which is compared at a
/// fraction of the cost and in the same order.
fn by_name(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        let lower = u8::to_ascii_lowercase;
        return one.as_bytes().iter().map(lower).cmp(other.as_bytes().iter().map(lower));
    }
    let lower = char::to_lowercase;
    one.chars().flat_map(lower).cmp(other.chars().flat_map(lower))
}

impl Directory {
    /// Takes users in any order, each once or more often (lists overlap), and the direct and nested
    /// members of each group by user id.
    #[must_use]
    pub fn new(users: impl IntoIterator<Item = User>, groups: Vec<(Group, Vec<UserId>)>) -> Self {
        let mut users: Vec<User> = users.into_iter().collect();
        users.sort_by_key(|user| user.id);
        users.dedup_by(|a, b| a.id == b.id);
        users.sort_by(|a, b| by_name(&a.name, &b.name));
        users.shrink_to_fit();
        Self::in_order(users).with_groups(groups)
    }

    /// Users in the order that they have in a plan, which is that of their names, and no group.
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

    /// Adds of some groups whom only one of two reads shows.
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

    /// Adds groups that could not be read whole, and for names that no group has, groups that are
    /// called much like it.
    #[must_use]
    pub fn with_gaps(mut self, gaps: Vec<Gap>, alike: BTreeMap<String, Vec<Group>>) -> Self {
        for Gap { id, group, why } in gaps {
            self.groups.extend(group.map(|group| (id, group)));
            self.unreadable.insert(id, why);
        }
        self.alike = alike;
        self
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

    /// The principal name, or the id where the user is not in this directory.
    #[must_use]
    pub fn name(&self, index: UserIndex) -> &str {
        self.user(index).map_or("?", |user| &user.name)
    }

    /// One name, or a few of many.
    #[must_use]
    pub fn in_words(&self, users: &[UserIndex]) -> String {
        match users {
            [] => "nobody".to_owned(),
            [one] => format!("`{}`", self.name(*one)),
            [first, second] => format!("`{}` and `{}`", self.name(*first), self.name(*second)),
            [first, second, rest @ ..] => {
                let (first, second) = (self.name(*first), self.name(*second));
                format!("`{first}`, `{second}` and {} more", rest.len())
            }
        }
    }

    pub fn users(&self) -> impl Iterator<Item = (UserIndex, &User)> {
        self.users.iter().enumerate().map(|(place, user)| (UserIndex::new(place), user))
    }

    #[must_use]
    pub fn find(&self, id: UserId) -> Option<UserIndex> {
        self.by_id.find(id)
    }

    /// By principal name, without regard to case.
    #[must_use]
    pub fn find_by_name(&self, name: &str) -> Option<UserIndex> {
        let of = |user: &User| by_name(&user.name, name);
        self.users.binary_search_by(of).ok().map(UserIndex::new)
    }

    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// The groups of this display name, which Graph compares without case, in the order of their
    /// ids.
    pub fn groups_named(&self, name: &str) -> impl Iterator<Item = &Group> {
        let name = name.to_lowercase();
        self.groups.values().filter(move |group| group.name.to_lowercase() == name)
    }

    /// Why the group, or who is in it, could not be read.
    #[must_use]
    pub fn unreadable(&self, id: GroupId) -> Option<Why> {
        self.unreadable.get(&id).copied()
    }

    /// Groups whose name is much like one that no group has.
    #[must_use]
    pub fn alike(&self, name: &str) -> &[Group] {
        self.alike.get(name).map_or(&[], Vec::as_slice)
    }

    /// Everybody whom a guard made of the group guards: whoever either read shows in it.
    #[must_use]
    pub fn guarded(&self, id: GroupId) -> Option<&FixedBitSet> {
        self.disputed.get(&id).map(|two| &two.either).or_else(|| self.members.get(&id))
    }

    /// Those on whom two reads of the group disagree.
    pub fn disputed(&self, id: GroupId) -> impl Iterator<Item = UserIndex> {
        let two = self.disputed.get(&id);
        two.into_iter().flat_map(|two| two.users.ones()).map(UserIndex::new)
    }

    /// Who is in the group by the index, directly or through others.
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
        let heap = name.len() + size_of_val(&*attributes) + "+31 6 12345678".len();
        let bytes = size_of::<User>() + heap;
        assert!(bytes <= 160, "{bytes} bytes");
    }

    #[test]
    fn names_are_found_whatever_their_case_and_letters() {
        let names = ["Zoe@x.nl", "adam@x.nl", "Ärger@x.nl", "Bo_b@x.nl", "boB@x.nl", "ÇELIK@x.nl"];
        let directory = Directory::new(names.map(|name| person(&format!("{name}{name}"))), vec![]);
        for (index, user) in directory.users() {
            assert_eq!(directory.find_by_name(&user.name.to_uppercase()), Some(index));
            assert_eq!(directory.find_by_name(&user.name.to_lowercase()), Some(index));
        }
    }
}

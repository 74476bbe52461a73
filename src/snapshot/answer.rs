//! Answers what a run asks of the directory, from a snapshot: the same users, groups and attributes that Graph
//! would have shown to the same question.
//!
//! Not here: what is asked (`scope::lookup`), or the rules and roles, which are recorded as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::pseudonym::Digests;
use super::{GroupRecord, RecordedGroups, Snapshot};
use crate::id::{GroupId, UserId, invented_id};
use crate::tenant::directory::{Country, Directory, Gap, Group, User, UserIndex};
use crate::tenant::facts::{Facts, UnknownReason};
use crate::tenant::lookup::Lookup;

impl Snapshot {
    /// Returns the facts of a user, by the id that the snapshot has.
    #[must_use]
    pub fn facts(&self, user: UserId) -> Option<Facts> {
        let (_, facts) = self.users.get(self.find(user)?.place())?;
        Some(*facts)
    }

    /// Returns what the lookup names, and these users.
    #[must_use]
    pub fn directory(&self, lookup: &Lookup, others: &BTreeSet<UserId>) -> Directory {
        let groups = self.groups_of(lookup);
        let wanted = self.wanted(lookup, others, &groups);
        let users = wanted.iter().filter_map(|place| self.users.get(place.place()));
        let users: Vec<User> = users.map(|(user, _)| answered(user, lookup)).collect();
        let whole = groups.iter().filter(|(_, record)| record.unreadable.is_none());
        let members = whole.clone().filter_map(|(_, record)| {
            Some((record.group.clone()?, self.ids(&record.members).collect()))
        });
        let disputed = whole
            .filter(|(id, _)| lookup.guards.contains(id))
            .map(|(id, record)| (**id, self.ids(&record.disputed).collect()));
        let disputed = disputed.collect();
        let gaps = groups.iter().filter_map(|(id, record)| {
            Some(Gap { id: **id, group: record.group.clone(), why: record.unreadable? })
        });
        let gaps = gaps.chain(self.lacking_groups(lookup)).collect();
        Directory::new(users, members.collect())
            .with_disputed(disputed)
            .with_gaps(gaps, BTreeMap::new())
            .with_unrecorded(self.unrecorded(lookup))
    }

    fn ids<'a>(&'a self, places: &'a [UserIndex]) -> impl Iterator<Item = UserId> + 'a {
        let users = places.iter().filter_map(|place| self.users.get(place.place()));
        users.map(|(user, _)| user.id)
    }

    /// The users that the lookup names, in their order.
    fn wanted(
        &self,
        lookup: &Lookup,
        others: &BTreeSet<UserId>,
        groups: &[(&GroupId, &GroupRecord)],
    ) -> BTreeSet<UserIndex> {
        if lookup.everyone {
            return (0..self.users.len()).map(UserIndex::new).collect();
        }
        let by_id = lookup.user_ids.union(others).filter_map(|id| self.find(*id));
        let readable = groups.iter().filter(|(_, record)| record.unreadable.is_none());
        let members = readable.flat_map(|(id, record)| {
            let disputed = record.disputed.iter().filter(|_| lookup.guards.contains(id));
            record.members.iter().chain(disputed).copied()
        });
        by_id.chain(members).chain(self.named(&lookup.user_names)).collect()
    }

    /// The users with these names, in lower case. In a snapshot without names, these are pseudonyms.
    fn named<'a>(&'a self, names: &'a BTreeSet<String>) -> impl Iterator<Item = UserIndex> + 'a {
        let users = self.users.iter().enumerate().filter(|_| !names.is_empty());
        let called = users.filter(|(_, (user, _))| names.contains(&user.name.raw().to_lowercase()));
        called.map(|(place, _)| UserIndex::new(place))
    }

    fn groups_of(&self, lookup: &Lookup) -> Vec<(&GroupId, &GroupRecord)> {
        let names: BTreeSet<String> =
            lookup.group_names.iter().map(|name| name.to_lowercase()).collect();
        let is_named = |record: &GroupRecord| {
            let name = record.group.as_ref().map(|group| group.name.raw().to_lowercase());
            name.is_some_and(|name| names.contains(&name) && self.knows_name(&name))
        };
        let all = self.groups.iter();
        all.filter(|(id, record)| lookup.group_ids.contains(id) || is_named(record)).collect()
    }

    /// The groups that the files name now and did not name when the snapshot was taken. They may exist.
    fn lacking_groups(&self, lookup: &Lookup) -> Vec<Gap> {
        let why = UnknownReason::NotRecorded;
        let names = lookup.group_names.iter().filter(|name| !self.knows_name(name)).map(|name| {
            let group = stand_in(name);
            Gap { id: group.id, group: Some(group), why }
        });
        let is_known =
            |id: &GroupId| self.groups.contains_key(id) || self.named.group_ids.contains(id);
        let ids = lookup.group_ids.iter().filter(|id| !is_known(id));
        names.chain(ids.map(|id| Gap { id: *id, group: None, why })).collect()
    }

    /// Whether every security group with this name is recorded. Another group than the recorded one can have the
    /// name of a group that was recorded by its id.
    fn knows_name(&self, name: &str) -> bool {
        let is = |other: &String| other.to_lowercase() == name.to_lowercase();
        self.about.groups == RecordedGroups::All || self.named.group_names.iter().any(is)
    }

    /// The names and ids of users of which the snapshot knows nothing.
    fn unrecorded(&self, lookup: &Lookup) -> BTreeSet<String> {
        if self.about.names {
            return BTreeSet::new();
        }
        let mut digests = Digests::new(self.salt);
        // Members of break-glass groups at the last apply have pseudonyms already.
        let guarded: BTreeSet<&UserId> = self.guarded.0.values().flatten().collect();
        let ids = lookup.user_ids.iter();
        let ids = ids.filter(|id| self.find(**id).is_none() && !guarded.contains(id));
        let called: BTreeSet<String> = self
            .named(&lookup.user_names)
            .filter_map(|place| self.users.get(place.place()))
            .map(|(user, _)| user.name.raw().to_lowercase())
            .collect();
        let names = lookup.user_names.difference(&called).cloned();
        let words = ids.map(ToString::to_string).chain(names);
        words.filter(|word| !self.people.contains_key(&digests.of(word))).collect()
    }
}

/// Returns a group of which only the name in the files is known. Its id is not one of the tenant.
fn stand_in(name: &str) -> Group {
    Group {
        id: GroupId::from_uuid(invented_id("group", name)),
        name: name.to_owned().into(),
        is_security: true,
        is_role_assignable: false,
        is_dynamic: false,
    }
}

/// Returns the user with the properties that the lookup asks for.
fn answered(user: &User, lookup: &Lookup) -> User {
    let attributes = user.attributes.iter();
    let attributes = attributes.filter(|(attribute, _)| lookup.attributes.contains(attribute));
    let reads_numbers = !lookup.attributes.is_empty();
    User {
        id: user.id,
        name: user.name.clone(),
        account: user.account,
        usage_location: user.usage_location,
        country: if reads_numbers { user.country } else { Country::None },
        department: user.department.clone().filter(|_| lookup.department),
        attributes: attributes.cloned().collect(),
    }
}

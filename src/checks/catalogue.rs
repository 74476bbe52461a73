//! The groups and roles of an invented tenant: those that the policies name, and those that people are in.
//!
//! Not here: the people (`people`), or the rest of the tenant (`invent`).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::id::{GroupId, RoleId, invented_id};
use crate::policy::written_names;
use crate::policy::{GroupRef, PolicySet, RoleRef};
use crate::tenant::rule_members::GLOBAL_ADMINISTRATOR;

/// The role whose template id is known by its name.
pub(super) const ADMINISTRATOR: &str = "Global Administrator";

/// Groups and roles by name and id. Case does not matter in names.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    groups: BTreeMap<GroupId, String>,
    roles: BTreeMap<RoleId, String>,
}

impl Catalogue {
    /// Collects what the policies and `mfactl.yaml` name, with and without an id.
    pub(super) fn of(set: &PolicySet) -> Self {
        let mut all = Self::default();
        let guards = set.project.break_glass.groups.iter().map(|group| &group.entry);
        let excluded = set.policies.iter().flat_map(|policy| &policy.except);
        let guards = guards.chain(excluded.clone().flat_map(|exception| &exception.groups));
        for entry in guards {
            all.add_group(entry.id, entry.name.as_deref());
        }
        let named: Vec<&GroupRef> =
            set.policies.iter().flat_map(|policy| &policy.who.groups).map(|(one, _)| one).collect();
        for group in &named {
            match group {
                GroupRef::Id(id) => all.add_group(*id, None),
                GroupRef::Both { id, name } => all.add_group(*id, Some(name)),
                GroupRef::Name(_) => {}
            }
        }
        // A name that has an id somewhere else is the same group.
        for group in named {
            if let GroupRef::Name(name) = group {
                all.group(name);
            }
        }
        let roles = set.policies.iter().flat_map(|policy| &policy.who.roles);
        for (role, _) in roles.chain(excluded.flat_map(|exception| &exception.roles)) {
            match role {
                RoleRef::Id(id) => _ = all.role(&id.to_string()),
                RoleRef::Name(name) => _ = all.role(name),
            }
        }
        all
    }

    fn add_group(&mut self, id: GroupId, name: Option<&str>) {
        let known = self.groups.entry(id).or_insert_with(|| id.to_string());
        if let Some(name) = name.filter(|_| *known == id.to_string()) {
            name.clone_into(known);
        }
    }

    /// Returns the groups with this name or id, and adds one if there is none.
    pub(super) fn group(&mut self, word: &str) -> Vec<GroupId> {
        let found = self.find_groups(word);
        if !found.is_empty() {
            return found;
        }
        let uuid = written_names::id(word).unwrap_or_else(|| invented_id("group", word));
        let id = GroupId::from_uuid(uuid);
        self.groups.insert(id, word.to_owned());
        vec![id]
    }

    /// Returns the role with this name or template id, and adds it if there is none.
    pub(super) fn role(&mut self, word: &str) -> RoleId {
        let id = role_id(word);
        let id = self.find_role(word).unwrap_or(id);
        let name = if is_administrator(word) { ADMINISTRATOR } else { word };
        self.roles.entry(id).or_insert_with(|| name.to_owned());
        id
    }

    /// Returns the groups with this name or id.
    pub(super) fn find_groups(&self, word: &str) -> Vec<GroupId> {
        let id = written_names::id(word).map(GroupId::from_uuid);
        let lower = word.to_lowercase();
        let is_it =
            |(one, name): &(&GroupId, &String)| Some(**one) == id || name.to_lowercase() == lower;
        self.groups.iter().filter(is_it).map(|(id, _)| *id).collect()
    }

    /// Returns the role with this name or template id.
    pub(super) fn find_role(&self, word: &str) -> Option<RoleId> {
        let (id, lower) = (role_id(word), word.trim().to_lowercase());
        let named = |(_, name): &(&RoleId, &String)| name.to_lowercase() == lower;
        match self.roles.contains_key(&id) {
            true => Some(id),
            false => self.roles.iter().find(named).map(|(id, _)| *id),
        }
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = (GroupId, &str)> {
        self.groups.iter().map(|(id, name)| (*id, name.as_str()))
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = (RoleId, &str)> {
        self.roles.iter().map(|(id, name)| (*id, name.as_str()))
    }

    /// Returns the names of all groups, and of all roles.
    pub(super) fn names(&self) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let groups = self.groups.values().map(String::as_str).collect();
        (groups, self.roles.values().map(String::as_str).collect())
    }
}

/// Whether the word is the name or the template id of the role Global Administrator.
pub(super) fn is_administrator(word: &str) -> bool {
    role_id(word) == role_id(ADMINISTRATOR)
}

fn role_id(word: &str) -> RoleId {
    let lower = word.trim().to_lowercase();
    let uuid = match lower == ADMINISTRATOR.to_lowercase() {
        true => Uuid::try_parse(GLOBAL_ADMINISTRATOR).ok(),
        false => written_names::id(word),
    };
    RoleId::from_uuid(uuid.unwrap_or_else(|| invented_id("role", &lower)))
}

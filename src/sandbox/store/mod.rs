//! The tenant as it stands: a seed, and over it what was written since.
//!
//! Every object has a *position* for life: users of the seed, then generated users, then users
//! created since; groups after all of them. Lists are in order of position. What nobody wrote to
//! is not stored a second time, so a million generated users cost nothing until they are touched.
//!
//! Not here: what may be written (`users`, `groups`, `phones` …), or what is kept on disk
//! (`folder`).

mod history;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use crate::sandbox::effect::WriteLogLine;
use crate::sandbox::membership::{Members, Union};
use crate::sandbox::records::{Document, GroupRecord, Seed, TenantDocuments, UserRecord};
use crate::sandbox::sign_in::{Application, Evidence, Verdict, judge};

/// Groups have positions from here on.
pub(crate) const GROUPS: u64 = 1 << 48;

/// A tenant and its history. Clones share the seed and whatever was not written to since.
#[derive(Debug, Clone)]
pub struct Store {
    seed: Arc<Seed>,
    generated: Range<u64>,
    next_user: u64,
    next_group: u64,
    /// Users that were written to, or deleted; and those created since.
    written: BTreeMap<u64, Option<Arc<UserRecord>>>,
    groups: BTreeMap<u64, Group>,
    /// Positions of all objects but generated users.
    ids: HashMap<Uuid, u64>,
    /// Positions by principal name in lower case, but for generated users with the name they were
    /// given.
    names: HashMap<String, u64>,
    /// Who signs in by SMS with which number; generated users not until they are written to.
    sign_in_numbers: HashMap<String, BTreeSet<Uuid>>,
    deleted_users: u64,
    writes: Vec<WriteLogLine>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) id: Uuid,
    pub(crate) document: Document,
    pub(crate) members: Members,
}

impl Store {
    /// The tenant as its seed has it.
    pub fn new(seed: Seed) -> Self {
        Self::of(Arc::new(seed))
    }

    fn of(seed: Arc<Seed>) -> Self {
        let listed = position_of(seed.users.len());
        let generated = seed.generated.as_ref().map_or(0, |users| users.len());
        let generated = listed..listed + u64::from(generated);
        let mut store = Self {
            next_user: generated.end,
            next_group: GROUPS,
            generated,
            written: BTreeMap::new(),
            groups: BTreeMap::new(),
            ids: HashMap::new(),
            names: HashMap::new(),
            sign_in_numbers: HashMap::new(),
            deleted_users: 0,
            writes: Vec::new(),
            seed: Arc::clone(&seed),
        };
        for (position, record) in (0..).zip(&seed.users) {
            if let Some(id) = id_of(&record.user) {
                store.ids.insert(id, position);
                store.note_numbers(id, None, Some(record));
            }
            store.names.insert(name_of(&record.user), position);
        }
        store.add_groups(&seed.groups);
        store
    }

    /// All groups get their positions before any of them gets members: groups hold groups.
    fn add_groups(&mut self, groups: &[GroupRecord]) {
        for group in groups {
            if let Some(id) = id_of(&group.group) {
                self.ids.insert(id, self.next_group);
                self.next_group += 1;
            }
        }
        for group in groups {
            let every = group.every_generated_user.then(|| self.generated.clone());
            self.place_group(&group.group, &group.members, every);
        }
    }

    fn place_group(&mut self, document: &Document, members: &[Uuid], every: Option<Range<u64>>) {
        let Some(id) = id_of(document) else { return };
        let Some(position) = self.ids.get(&id) else {
            return;
        };
        let direct: BTreeSet<u64> = members.iter().filter_map(|id| self.position(*id)).collect();
        let group = Group { id, document: document.clone(), members: Members::new(direct, every) };
        self.groups.insert(*position, group);
    }

    /// The tenant as it was after `writes`, which may be any first part of a longer list.
    pub fn replay(seed: Seed, writes: &[WriteLogLine]) -> Self {
        let mut store = Self::new(seed);
        for line in writes {
            store.write(line.clone());
        }
        store
    }

    /// This tenant as it was after its first `count` writes.
    pub fn after(&self, count: usize) -> Self {
        let mut store = Self::of(Arc::clone(&self.seed));
        for line in self.writes.iter().take(count) {
            store.write(line.clone());
        }
        store
    }

    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    pub fn tenant(&self) -> &TenantDocuments {
        &self.seed.tenant
    }

    /// The day it is in this tenant.
    pub fn today(&self) -> Date {
        self.seed.today
    }

    /// All writes since the seed, in order.
    pub fn writes(&self) -> &[WriteLogLine] {
        &self.writes
    }

    /// Everybody, in order of the lists; generated users are made on the way.
    pub fn users(&self) -> impl Iterator<Item = Cow<'_, UserRecord>> {
        self.user_positions(0).filter_map(|position| self.user_at(position))
    }

    pub fn user_count(&self) -> u64 {
        self.next_user - self.deleted_users
    }

    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The user of this id or principal name.
    pub fn user(&self, key: &str) -> Option<Cow<'_, UserRecord>> {
        self.user_at(self.find_user(key)?)
    }

    /// What a sign-in of this user to an ordinary application, with the right password, would come
    /// to today.
    pub fn judge(&self, key: &str) -> Option<Verdict> {
        self.judge_on(key, self.today())
    }

    pub fn judge_on(&self, key: &str, on: Date) -> Option<Verdict> {
        self.judge_at(key, Application::Ordinary, on)
    }

    pub fn judge_at(&self, key: &str, application: Application, on: Date) -> Option<Verdict> {
        let position = self.find_user(key)?;
        let record = self.user_at(position)?;
        let groups = self.groups_of(position).map(|(_, group)| group.id);
        Some(judge(&Evidence {
            record: &record,
            groups: &groups.collect(),
            tenant: self.tenant(),
            application,
            on,
        }))
    }

    pub(crate) fn find_user(&self, key: &str) -> Option<u64> {
        let position = match key.parse::<Uuid>() {
            Ok(id) => self.position(id)?,
            Err(_) => self.find_name(&key.to_lowercase())?,
        };
        (position < GROUPS).then_some(position)
    }

    fn find_name(&self, name: &str) -> Option<u64> {
        if let Some(position) = self.names.get(name) {
            return Some(*position);
        }
        let index = self.seed.generated.as_ref()?.index_of_name(name)?;
        let position = self.generated.start + u64::from(index);
        match self.written.get(&position) {
            // Somebody else may have the name of the user as it was generated by now, or nobody.
            Some(Some(record)) => (name_of(&record.user) == name).then_some(position),
            Some(None) => None,
            None => Some(position),
        }
    }

    /// The position of a living object.
    pub(crate) fn position(&self, id: Uuid) -> Option<u64> {
        if let Some(position) = self.ids.get(&id) {
            return Some(*position);
        }
        let index = self.seed.generated.as_ref()?.index_of(id)?;
        let position = self.generated.start + u64::from(index);
        let deleted = matches!(self.written.get(&position), Some(None));
        (!deleted).then_some(position)
    }

    pub(crate) fn user_at(&self, position: u64) -> Option<Cow<'_, UserRecord>> {
        if let Some(slot) = self.written.get(&position) {
            return slot.as_deref().map(Cow::Borrowed);
        }
        if self.generated.contains(&position) {
            let index = u32::try_from(position - self.generated.start).ok()?;
            let generated = self.seed.generated.as_ref()?;
            return Some(Cow::Owned(generated.user(index)));
        }
        let index = usize::try_from(position).ok()?;
        self.seed.users.get(index).map(Cow::Borrowed)
    }

    pub(crate) fn user_positions(&self, from: u64) -> impl Iterator<Item = u64> + '_ {
        (from..self.next_user).filter(|position| !matches!(self.written.get(position), Some(None)))
    }

    pub(crate) fn group_at(&self, position: u64) -> Option<&Group> {
        self.groups.get(&position)
    }

    pub(crate) fn groups_from(&self, from: u64) -> impl Iterator<Item = (u64, &Group)> {
        self.groups.range(from..).map(|(position, group)| (*position, group))
    }

    /// The members of a group and of the groups in it, however deep.
    pub(crate) fn transitive_members(&self, group: u64) -> Union<'_> {
        let mut reached = BTreeSet::from([group]);
        let mut members = Vec::new();
        let mut open = vec![group];
        while let Some(group) = open.pop().and_then(|position| self.groups.get(&position)) {
            members.push(&group.members);
            open.extend(group.members.groups().filter(|inner| reached.insert(*inner)));
        }
        Union(members)
    }

    /// The groups that an object is in, directly or through groups, in order of position.
    pub(crate) fn groups_of(&self, position: u64) -> impl Iterator<Item = (u64, &Group)> {
        let mut found: BTreeMap<u64, &Group> = BTreeMap::new();
        let mut open = vec![position];
        while let Some(member) = open.pop() {
            for (group, place) in self.direct_groups_of(member) {
                if found.insert(group, place).is_none() {
                    open.push(group);
                }
            }
        }
        found.into_iter()
    }

    pub(crate) fn direct_groups_of(&self, position: u64) -> impl Iterator<Item = (u64, &Group)> {
        self.groups_from(0).filter(move |(_, group)| group.members.contains(position))
    }

    /// Those who sign in by SMS with this number.
    pub(crate) fn signs_in_with(&self, number: &str) -> impl Iterator<Item = Uuid> + '_ {
        self.sign_in_numbers.get(number).into_iter().flatten().copied()
    }
}

fn position_of(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(GROUPS)
}

pub(crate) fn id_of(document: &Document) -> Option<Uuid> {
    document.get("id").and_then(Value::as_str)?.parse().ok()
}

/// The principal name, as it is looked up.
fn name_of(user: &Document) -> String {
    user.get("userPrincipalName").and_then(Value::as_str).unwrap_or_default().to_lowercase()
}

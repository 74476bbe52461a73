//! The current tenant: a seed, and the writes since then.
//!
//! Every object has a *position* that never changes: users of the seed first, then generated users,
//! then users created later, and after them all groups. Lists are in order of position. Only objects
//! that were written to are copied, so a million generated users cost nothing until they change.
//!
//! Not here: which writes are allowed (`users`, `groups`, `phones` …), or the files on disk
//! (`folder`).

mod history;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use crate::records::{Document, GroupRecord, Seed, TenantDocuments, UserRecord};
use crate::sign_in::{Application, Evidence, Verdict, judge};
use crate::state::effect::WriteLogLine;
use crate::state::membership::{GROUPS, Members, Union};

/// A tenant and its history. Clones share the seed and all objects that were not written to.
#[derive(Debug, Clone)]
pub struct Store {
    seed: Arc<Seed>,
    generated: Range<u64>,
    next_user: u64,
    next_group: u64,
    /// Users that were changed, created or deleted since the seed; `None` means deleted.
    written: BTreeMap<u64, Option<Arc<UserRecord>>>,
    groups: BTreeMap<u64, Group>,
    /// Positions of all objects except generated users.
    ids: HashMap<Uuid, u64>,
    /// Positions by principal name in lower case. Generated users with their original name are not
    /// in it.
    names: HashMap<String, u64>,
    /// The users that use SMS sign-in, by number. A generated user is added at the first write to it.
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
    /// The tenant of a seed, without writes.
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

    /// Gives all groups their positions before any of them gets members, because groups can be
    /// members of groups.
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

    /// The tenant after `writes`, which may be the beginning of a longer list.
    pub fn replay(seed: Seed, writes: &[WriteLogLine]) -> Self {
        let mut store = Self::new(seed);
        for line in writes {
            store.write(line.clone());
        }
        store
    }

    /// This tenant after its first `count` writes.
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

    /// The current day in this tenant.
    pub fn today(&self) -> Date {
        self.seed.today
    }

    /// All writes since the seed, in order.
    pub fn writes(&self) -> &[WriteLogLine] {
        &self.writes
    }

    /// All users, in the order of Graph's lists. Generated users are built during the iteration.
    pub fn users(&self) -> impl Iterator<Item = Cow<'_, UserRecord>> {
        self.user_positions(0).filter_map(|position| self.user_at(position))
    }

    pub fn user_count(&self) -> u64 {
        self.next_user - self.deleted_users
    }

    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The user with this id or principal name.
    pub fn user(&self, key: &str) -> Option<Cow<'_, UserRecord>> {
        self.user_at(self.find_user(key)?)
    }

    /// Judges a sign-in of this user today, to an ordinary application with the right password.
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
            // The user may have been renamed; then no user has the generated name.
            Some(Some(record)) => (name_of(&record.user) == name).then_some(position),
            Some(None) => None,
            None => Some(position),
        }
    }

    /// The position of an object that is not deleted.
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

    /// The members of a group and of all groups nested in it.
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

    /// The groups of an object, direct or through other groups, in order of position.
    pub(crate) fn groups_of(&self, position: u64) -> impl Iterator<Item = (u64, &Group)> {
        let mut found: BTreeMap<u64, &Group> = BTreeMap::new();
        let mut open = vec![position];
        while let Some(member) = open.pop() {
            for (position, group) in self.direct_groups_of(member) {
                if found.insert(position, group).is_none() {
                    open.push(position);
                }
            }
        }
        found.into_iter()
    }

    pub(crate) fn direct_groups_of(&self, position: u64) -> impl Iterator<Item = (u64, &Group)> {
        self.groups_from(0).filter(move |(_, group)| group.members.contains(position))
    }

    /// The users that use SMS sign-in with this number.
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

/// The principal name in lower case, the key of `Store::names`.
fn name_of(user: &Document) -> String {
    user.get("userPrincipalName").and_then(Value::as_str).unwrap_or_default().to_lowercase()
}

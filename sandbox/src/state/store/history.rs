//! Applies writes to the store. Every effect can be applied in any state: an object that no longer
//! exists is ignored.
//!
//! Not here: whether a write is allowed. The handlers decide that before there is an effect.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::{Group, Store, name_of};
use crate::records::{Document, UserRecord};
use crate::state::effect::{Effect, WriteLogLine};

impl Store {
    /// Applies the next write and adds it to the history.
    pub fn write(&mut self, line: WriteLogLine) {
        for effect in &line.effects {
            self.apply(effect);
        }
        self.writes.push(line);
    }

    pub(crate) fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::UserCreated {
                user,
                properties,
                methods,
                requirements,
                sign_in_preferences,
            } => self.create_user(
                *user,
                UserRecord {
                    user: properties.clone(),
                    methods: methods.clone(),
                    requirements: requirements.clone(),
                    sign_in_preferences: sign_in_preferences.clone(),
                },
            ),
            Effect::UserChanged { user, properties } => self.change_user(*user, properties),
            Effect::UserDeleted { user } => self.delete_user(*user),
            Effect::Methods { user, methods } => {
                self.change(*user, |record| record.methods.clone_from(methods));
            }
            Effect::Requirements { user, requirements } => {
                self.change(*user, |record| record.requirements.clone_from(requirements));
            }
            Effect::SignInPreferences { user, sign_in_preferences } => {
                self.change(*user, |record| {
                    record.sign_in_preferences.clone_from(sign_in_preferences);
                })
            }
            Effect::GroupCreated { group, properties, members } => {
                self.ids.insert(*group, self.next_group);
                self.next_group += 1;
                self.place_group(properties, members, None);
            }
            Effect::GroupChanged { group, properties } => {
                if let Some(group) = self.group_mut(*group) {
                    group.document.extend(properties.clone());
                }
            }
            Effect::GroupDeleted { group } => {
                if let Some(position) = self.ids.remove(group) {
                    self.groups.remove(&position);
                    self.leave_all(position);
                }
            }
            Effect::MemberAdded { group, member } => {
                let member = self.position(*member);
                if let (Some(group), Some(member)) = (self.group_mut(*group), member) {
                    group.members.add(member);
                }
            }
            Effect::MemberRemoved { group, member } => {
                let member = self.position(*member);
                if let (Some(group), Some(member)) = (self.group_mut(*group), member) {
                    group.members.remove(member);
                }
            }
        }
    }

    fn group_mut(&mut self, id: Uuid) -> Option<&mut Group> {
        let position = self.ids.get(&id)?;
        self.groups.get_mut(position)
    }

    fn create_user(&mut self, id: Uuid, record: UserRecord) {
        let position = self.next_user;
        self.next_user += 1;
        self.ids.insert(id, position);
        self.names.insert(name_of(&record.user), position);
        self.note_numbers(id, None, Some(&record));
        self.written.insert(position, Some(Arc::new(record)));
    }

    fn change_user(&mut self, id: Uuid, properties: &Document) {
        let Some(position) = self.position(id) else {
            return;
        };
        let before = self.user_at(position).map(|record| name_of(&record.user));
        self.change(id, |record| record.user.extend(properties.clone()));
        let after = self.user_at(position).map(|record| name_of(&record.user));
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            self.names.remove(&before);
            self.names.insert(after, position);
        }
    }

    fn delete_user(&mut self, id: Uuid) {
        let Some(position) = self.position(id) else {
            return;
        };
        if let Some(record) = self.user_at(position).map(Cow::into_owned) {
            self.names.remove(&name_of(&record.user));
            self.note_numbers(id, Some(&record), None);
        }
        self.ids.remove(&id);
        self.written.insert(position, None);
        self.deleted_users += 1;
        self.leave_all(position);
    }

    pub(super) fn note_numbers(
        &mut self,
        id: Uuid,
        before: Option<&UserRecord>,
        after: Option<&UserRecord>,
    ) {
        for number in before.into_iter().flat_map(sign_in_numbers) {
            if let Some(holders) = self.sign_in_numbers.get_mut(number) {
                holders.remove(&id);
            }
        }
        for number in after.into_iter().flat_map(sign_in_numbers) {
            let holders = self.sign_in_numbers.entry(number.to_owned()).or_default();
            holders.insert(id);
        }
    }

    fn leave_all(&mut self, position: u64) {
        for group in self.groups.values_mut() {
            group.members.remove(position);
        }
    }

    fn change(&mut self, id: Uuid, edit: impl FnOnce(&mut UserRecord)) {
        let Some(position) = self.position(id) else {
            return;
        };
        let Some(record) = self.user_at(position) else {
            return;
        };
        let before = record.into_owned();
        let mut record = before.clone();
        edit(&mut record);
        self.note_numbers(id, Some(&before), Some(&record));
        self.written.insert(position, Some(Arc::new(record)));
    }
}

fn sign_in_numbers(record: &UserRecord) -> impl Iterator<Item = &str> {
    record
        .methods
        .iter()
        .filter(|method| method.get("smsSignInState").and_then(Value::as_str) == Some("ready"))
        .filter_map(|method| method.get("phoneNumber").and_then(Value::as_str))
}

//! Who has which number registered, over everybody whose facts were read: two people with one phone
//! can answer for each other.
//!
//! Not here: what is made of it (`build`, `notice`).

use std::collections::HashMap;

use super::Reason;
use crate::number::PhoneNumber;
use crate::settings::Value;
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Phone};

/// Numbers and whose they are.
#[derive(Debug, Default)]
pub(super) struct Holders(HashMap<PhoneNumber, Held>);

#[derive(Debug, Clone, Copy)]
enum Held {
    One(UserIndex),
    Several,
}

impl Holders {
    /// What is registered, by the places of users in the directory.
    pub(super) fn of(facts: &[Facts]) -> Self {
        let mut holders = Self::default();
        for (place, facts) in facts.iter().enumerate() {
            let Some(methods) = facts.methods.known() else { continue };
            for phone in [methods.mobile, methods.alternate_mobile, methods.office] {
                if let Phone::Number(number) = phone {
                    holders.add(number, UserIndex::new(place));
                }
            }
        }
        holders
    }

    /// What is registered or will be.
    pub(super) fn and_wanted(mut self, changes: &[Change]) -> Self {
        for change in changes {
            if let Value::Phone(number) = change.after {
                self.add(number, change.user);
            }
        }
        self
    }

    fn add(&mut self, number: PhoneNumber, user: UserIndex) {
        let held = self.0.entry(number).or_insert(Held::One(user));
        if !matches!(held, Held::One(holder) if *holder == user) {
            *held = Held::Several;
        }
    }

    /// Whether somebody else has it.
    pub(super) fn has_another(&self, number: PhoneNumber, user: UserIndex) -> bool {
        match self.0.get(&number) {
            None => false,
            Some(Held::One(holder)) => *holder != user,
            Some(Held::Several) => true,
        }
    }

    /// Whether a number that is there would give way to one that somebody else has.
    pub(super) fn objects_to(&self, change: &Change) -> Option<Reason> {
        match change.after {
            Value::Phone(number) if change.replaces_number() => {
                self.has_another(number, change.user).then_some(Reason::NumberOfAnother)
            }
            _ => None,
        }
    }
}

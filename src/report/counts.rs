//! How many stand how, and how many have what.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Person;
use crate::posture::{Judge, Posture, Usable};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Kind, Phone, Read};

/// How many of some enabled accounts stand how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub users: usize,
    postures: BTreeMap<Posture, usize>,
    /// Of those who can answer now, how many will be open or stuck from which day on.
    pub expiring: BTreeMap<Date, usize>,
}

impl Counts {
    /// Counts one person more.
    pub(super) fn add(&mut self, person: &Person) {
        self.users += 1;
        *self.postures.entry(person.posture).or_default() += 1;
        if let Some(day) = person.expiring {
            *self.expiring.entry(day).or_default() += 1;
        }
    }

    #[must_use]
    pub fn of(&self, posture: Posture) -> usize {
        self.postures.get(&posture).copied().unwrap_or_default()
    }

    /// How many will be open or stuck on any day to come.
    #[must_use]
    pub fn expiring(&self) -> usize {
        self.expiring.values().sum()
    }
}

/// Who has what registered, of all enabled accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Methods {
    kinds: BTreeMap<Kind, MethodCount>,
    /// Nothing that could be a second factor.
    pub nothing: usize,
    /// What they have is not known.
    pub unknown: usize,
    /// A phone of theirs is there, and Graph hides its digits.
    pub hidden: usize,
}

/// How many have a method of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MethodCount {
    pub registered: usize,
    /// For how many of them it answers every demand that is made of them.
    pub answers: usize,
}

impl Methods {
    pub(super) fn add(&mut self, judge: &Judge<'_>, user: UserIndex, facts: &Facts) {
        let (Read::Known(methods), Read::Known(judged)) =
            (&facts.methods, judge.methods(user, facts))
        else {
            self.unknown += 1;
            return;
        };
        let phones = [methods.mobile, methods.alternate_mobile, methods.office];
        self.hidden += usize::from(phones.contains(&Phone::Masked));
        self.nothing += usize::from(!methods.kinds.has_second_factor());
        for (kind, usable) in judged {
            let count = self.kinds.entry(kind).or_default();
            count.registered += 1;
            count.answers += usize::from(usable == Usable::Yes);
        }
    }

    /// The kinds that somebody has.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, MethodCount)> {
        self.kinds.iter().map(|(kind, count)| (*kind, *count))
    }
}

//! The counts of a report: users by posture, and users by registered method.
//!
//! Not here: the groups that are counted (`slices`).

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::ReportedUser;
use crate::posture::{Judge, Posture, Usable};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MethodKind, Phone, Read};

/// The number of enabled accounts with each posture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountCounts {
    pub users: usize,
    postures: BTreeMap<Posture, usize>,
    /// For each day, the number of users that can answer now and will be open or stuck from that day.
    pub expiring: BTreeMap<Date, usize>,
}

impl AccountCounts {
    /// Adds one account to the counts.
    pub(super) fn add(&mut self, person: &ReportedUser) {
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

    /// Returns the number of users that will be open or stuck on some later day.
    #[must_use]
    pub fn expiring(&self) -> usize {
        self.expiring.values().sum()
    }
}

/// The number of enabled accounts with each registered method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MethodCounts {
    kinds: BTreeMap<MethodKind, MethodCount>,
    /// Users without any second factor.
    pub nothing: usize,
    /// Users whose methods are unknown.
    pub unknown: usize,
    /// Users with a phone whose number Graph masks.
    pub hidden: usize,
}

/// The number of users with a method of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MethodCount {
    pub registered: usize,
    /// The users that can answer every MFA prompt with it.
    pub answers: usize,
}

impl MethodCounts {
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

    /// Returns the kinds that at least one user has.
    pub fn kinds(&self) -> impl Iterator<Item = (MethodKind, MethodCount)> {
        self.kinds.iter().map(|(kind, count)| (*kind, *count))
    }
}

//! What one user cannot have because of another: a number that is somebody else's and will stay so,
//! and signing in by text with a number that several have, of whom the service lets in the first. A
//! number that its holder gives up in the same plan is free: otherwise a plan after the apply would
//! go on where this one ended.
//!
//! Not here: the other reasons why a number is not overwritten (`guard`).

use std::collections::{BTreeSet, HashMap};

use super::Reason;
use super::guard::Guarded;
use super::holders::{Holders, holds, numbers};
use crate::number::PhoneNumber;
use crate::settings::change::{Change, Stage};
use crate::settings::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Phone};

/// The changes that are refused, by user and stage.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeSet<(UserIndex, Stage)>);

impl Refused {
    /// Why the change is refused, if it is.
    pub(super) fn reason(&self, change: &Change) -> Option<Reason> {
        let stage = change.stage();
        self.0.contains(&(change.user, stage)).then_some(match stage {
            Stage::SmsSignIn => Reason::SignInNumberTaken,
            _ => Reason::NumberOfAnother,
        })
    }
}

/// Goes over everybody's planned changes.
pub(super) fn refused(everybody: &[(UserIndex, Guarded)], facts: &[Facts]) -> Refused {
    let holders = Holders::of(facts);
    let mut refused = overwritten(everybody, facts, &holders);
    let steps = || everybody.iter().flat_map(|(_, guarded)| guarded.steps.iter().copied());
    let numbers: Vec<Change> = steps().filter(|change| refused.reason(change).is_none()).collect();
    let holders = holders.after(&numbers, facts);
    for (user, guarded) in everybody {
        let switches_on = |change: &&Change| {
            change.setting == Setting::SmsSignIn && change.after == Value::Switch(true)
        };
        let number = guarded.facts.methods.known().map(|methods| methods.mobile);
        if let (Some(change), Some(Phone::Number(number))) =
            (guarded.steps.iter().find(switches_on), number)
            && holders.count(number) > 1
        {
            refused.0.insert((*user, change.stage()));
        }
    }
    refused
}

/// A user whose numbers change, place by place.
struct Mover {
    user: UserIndex,
    before: [Option<PhoneNumber>; 3],
    after: [Option<PhoneNumber>; 3],
    /// Where a registered number would be overwritten.
    overwritten: [Option<Stage>; 3],
}

/// Goes over everybody whose numbers would change: whoever takes a number of somebody who keeps it is
/// refused, and keeps their own, which may be what a third takes; until nothing changes any more.
fn overwritten(everybody: &[(UserIndex, Guarded)], facts: &[Facts], holders: &Holders) -> Refused {
    let mut movers: Vec<Mover> =
        everybody.iter().filter_map(|(user, guarded)| Mover::of(*user, guarded, facts)).collect();
    let mut refused = Refused::default();
    loop {
        let mut given: HashMap<PhoneNumber, u32> = HashMap::new();
        for number in movers.iter().flat_map(Mover::gives) {
            *given.entry(number).or_default() += 1;
        }
        let is_anothers = |user: UserIndex, number: PhoneNumber| {
            let own = u32::from(holds(facts, user, number));
            let given = given.get(&number).copied().unwrap_or_default();
            holders.count(number).saturating_sub(own) > given
        };
        let before = refused.0.len();
        for mover in &mut movers {
            refused.0.extend(mover.refuse(is_anothers));
        }
        if refused.0.len() == before {
            return refused;
        }
    }
}

impl Mover {
    fn of(user: UserIndex, guarded: &Guarded, facts: &[Facts]) -> Option<Self> {
        let before = facts.get(user.place()).map(numbers).unwrap_or_default();
        let after = numbers(&guarded.facts);
        let mut overwritten = [None; 3];
        for change in guarded.steps.iter().filter(|change| change.replaces_number()) {
            let place = match change.stage() {
                Stage::ReplaceMobile => 0,
                Stage::ReplaceAlternateMobile => 1,
                _ => 2,
            };
            if let Some(slot) = overwritten.get_mut(place) {
                *slot = Some(change.stage());
            }
        }
        (before != after).then_some(Self { user, before, after, overwritten })
    }

    /// The numbers that the user no longer has, each once.
    fn gives(&self) -> impl Iterator<Item = PhoneNumber> {
        let mut gone = self.before.map(|number| number.filter(|_| !self.after.contains(&number)));
        gone.sort_unstable();
        let mut last = None;
        gone.into_iter().flatten().filter(move |number| last.replace(*number) != Some(*number))
    }

    /// Undoes what takes a number of somebody who keeps it.
    fn refuse(
        &mut self,
        is_anothers: impl Fn(UserIndex, PhoneNumber) -> bool,
    ) -> Vec<(UserIndex, Stage)> {
        let mut refused = Vec::new();
        let places = self.before.iter().zip(&mut self.after).zip(&mut self.overwritten);
        for ((before, after), overwritten) in places {
            if let (Some(stage), Some(number)) = (*overwritten, *after)
                && is_anothers(self.user, number)
            {
                refused.push((self.user, stage));
                *after = *before;
                *overwritten = None;
            }
        }
        refused
    }
}

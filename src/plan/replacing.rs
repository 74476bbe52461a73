//! What one user cannot have because of another: a number that is somebody else's and will stay so,
//! or that two would take; and signing in by text with a number that several have, of whom the service
//! lets in the first. A number that its holder gives up in the same plan is free: otherwise a plan
//! after the apply would go on where this one ended. But where it goes round in a circle nobody could
//! let go first, and whatever is cut off in between would leave two with one number.
//!
//! Not here: the other reasons why a number is not overwritten (`guard`), or that whoever lets go of
//! one is written first (`handing_on`).

use std::collections::{BTreeSet, HashMap};

use super::guard::{Guarded, guard};
use super::holders::{Holders, numbers};
use super::{Plan, Reason};
use crate::number::PhoneNumber;
use crate::posture::Judge;
use crate::settings::change::{Action, Change, Stage};
use crate::settings::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Phone};

/// The changes that are refused, by user and stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused(BTreeSet<(UserIndex, Stage)>);

impl Refused {
    /// Refuses more; says whether any of it is new.
    pub(super) fn extend(&mut self, more: Self) -> bool {
        let before = self.0.len();
        self.0.extend(more.0);
        self.0.len() > before
    }

    /// What is left of a user's changes goes to the guard; what is refused is withheld before all else.
    pub(super) fn guard(
        &self,
        judge: &Judge<'_>,
        user: UserIndex,
        facts: &Facts,
        changes: Vec<Change>,
    ) -> Guarded {
        let (changes, refused) = self.sort(changes);
        let mut guarded = guard(judge, user, facts, &changes);
        guarded.withheld.splice(0..0, refused);
        guarded
    }

    /// Of these changes, those that are left and those that are refused, with the reason.
    fn sort(&self, changes: Vec<Change>) -> (Vec<Change>, Vec<(Change, Reason)>) {
        let (mut left, mut refused) = (Vec::new(), Vec::new());
        for change in changes {
            match self.reason(&change) {
                Some(reason) => refused.push((change, reason)),
                None => left.push(change),
            }
        }
        (left, refused)
    }

    /// Why the change is refused, if it is.
    fn reason(&self, change: &Change) -> Option<Reason> {
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
    let signs_in = everybody.iter().filter_map(|(_, guarded)| signs_in(guarded));
    let shared = signs_in.filter(|(_, number)| holders.count(*number) > 1);
    refused.0.extend(shared.map(|(change, _)| (change.user, change.stage())));
    refused
}

/// Goes over numbers that come back to people who have none now: one that somebody else has by now is
/// not put back. Several may have had it before the run, and then it comes back to all of them.
pub(super) fn taken_since(everybody: &[(UserIndex, Guarded)], facts: &[Facts]) -> Refused {
    let steps: Vec<Change> =
        everybody.iter().flat_map(|(_, guarded)| guarded.steps.iter().copied()).collect();
    let holders = Holders::of(facts).after(&steps, facts);
    let comes_back = |change: &Change| match (change.action(), change.after) {
        (Action::Create, Value::Phone(number)) => Some((number, change.user)),
        _ => None,
    };
    let back: BTreeSet<(PhoneNumber, UserIndex)> = steps.iter().filter_map(comes_back).collect();
    let among = counted(back.iter().map(|(number, _)| *number));
    let is_anothers = |change: &&Change| {
        comes_back(change).is_some_and(|(number, _)| {
            holders.count(number) > among.get(&number).copied().unwrap_or_default()
        })
    };
    Refused(steps.iter().filter(is_anothers).map(|change| (change.user, change.stage())).collect())
}

/// Goes over what is left of a plan, user by user: a number that is given up in the whole plan alone
/// is not free.
pub(super) fn no_longer_free(plan: &Plan, left: &[Guarded]) -> Refused {
    let kept: BTreeSet<PhoneNumber> = plan
        .users
        .iter()
        .zip(left)
        .flat_map(|(user, left)| {
            let steps = plan.changes_of(user).iter();
            let whole = steps.fold(user.facts, |facts, change| change.applied_to(facts));
            let (whole, left) = (numbers(&whole), numbers(&left.facts));
            let stays = move |number: &Option<PhoneNumber>| {
                left.contains(number) && !whole.contains(number)
            };
            numbers(&user.facts).into_iter().filter(stays).flatten()
        })
        .collect();
    let takes = |change: &&Change| match change.after {
        Value::Phone(number) => change.replaces_number() && kept.contains(&number),
        _ => false,
    };
    let taken = left.iter().flat_map(|left| left.steps.iter().filter(takes).copied());
    let signs_in = left.iter().filter_map(signs_in).filter(|(_, number)| kept.contains(number));
    let refused = taken.chain(signs_in.map(|(change, _)| change));
    Refused(refused.map(|change| (change.user, change.stage())).collect())
}

/// The number that is to sign the user in by text, and the change that lets it.
fn signs_in(guarded: &Guarded) -> Option<(Change, PhoneNumber)> {
    let switches_on = |change: &&Change| {
        change.setting == Setting::SmsSignIn && change.after == Value::Switch(true)
    };
    let change = guarded.steps.iter().find(switches_on)?;
    match guarded.facts.methods.known()?.mobile {
        Phone::Number(number) => Some((*change, number)),
        Phone::None | Phone::Undialable | Phone::Masked => None,
    }
}

/// A user whose numbers change, place by place.
struct Mover {
    user: UserIndex,
    before: [Option<PhoneNumber>; 3],
    after: [Option<PhoneNumber>; 3],
    /// Where a registered number would be overwritten.
    overwritten: [Option<Stage>; 3],
    /// The number that would sign the user in by text, and where that is written.
    signs_in: Option<(Stage, PhoneNumber)>,
}

/// Goes over everybody whose numbers would change: whoever takes a number of somebody who keeps it, or
/// takes it as well, is refused, and keeps their own, which may be what a third takes; until nothing
/// changes any more. Then circles are broken, which begins it anew.
fn overwritten(everybody: &[(UserIndex, Guarded)], facts: &[Facts], holders: &Holders) -> Refused {
    let mut movers: Vec<Mover> =
        everybody.iter().filter_map(|(user, guarded)| Mover::of(*user, guarded, facts)).collect();
    let mut refused = Refused::default();
    loop {
        let (given, taken) = (
            counted(movers.iter().flat_map(|mover| gone(mover.before, mover.after))),
            counted(movers.iter().flat_map(|mover| gone(mover.after, mover.before))),
        );
        let of = |count: &HashMap<PhoneNumber, u32>, number: PhoneNumber| {
            count.get(&number).copied().unwrap_or_default()
        };
        let is_anothers = |number: PhoneNumber| {
            // Either the user has it already, or is one of those who take it.
            let others = (holders.count(number) + of(&taken, number)).saturating_sub(1);
            others > of(&given, number)
        };
        let before = refused.0.len();
        for mover in &mut movers {
            refused.0.extend(mover.refuse(is_anothers));
        }
        if refused.0.len() == before {
            let round = in_circles(&movers);
            for mover in &mut movers {
                refused.0.extend(mover.refuse(|number| round.contains(&number)));
                let signs_in = mover.signs_in.take_if(|(_, number)| round.contains(number));
                refused.0.extend(signs_in.map(|(stage, _)| (mover.user, stage)));
            }
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
        let signs_in = signs_in(guarded).map(|(change, number)| (change.stage(), number));
        (before != after).then_some(Self { user, before, after, overwritten, signs_in })
    }

    /// The numbers that somebody else has to let go of first, if anybody does.
    fn takes(&self) -> impl Iterator<Item = PhoneNumber> {
        let overwritten = self.after.iter().zip(&self.overwritten);
        let overwritten = overwritten.filter_map(|(after, overwritten)| overwritten.and(*after));
        overwritten.chain(self.signs_in.map(|(_, number)| number))
    }

    /// Undoes what takes a number of somebody who keeps it.
    fn refuse(&mut self, is_anothers: impl Fn(PhoneNumber) -> bool) -> Vec<(UserIndex, Stage)> {
        let mut refused = Vec::new();
        let places = self.before.iter().zip(&mut self.after).zip(&mut self.overwritten);
        for ((before, after), overwritten) in places {
            if let (Some(stage), Some(number)) = (*overwritten, *after)
                && is_anothers(number)
            {
                refused.push((self.user, stage));
                *after = *before;
                *overwritten = None;
            }
        }
        refused
    }
}

/// The numbers that go round: whoever would let go of one waits for somebody who waits for them.
fn in_circles(movers: &[Mover]) -> BTreeSet<PhoneNumber> {
    let mut givers: HashMap<PhoneNumber, Vec<usize>> = HashMap::new();
    for (place, mover) in movers.iter().enumerate() {
        for number in gone(mover.before, mover.after) {
            givers.entry(number).or_default().push(place);
        }
    }
    let mut goes = vec![false; movers.len()];
    let waits = |number: &PhoneNumber, goes: &[bool]| {
        let givers = givers.get(number).into_iter().flatten();
        givers.into_iter().any(|giver| goes.get(*giver) == Some(&false))
    };
    loop {
        let mut changed = false;
        for (place, mover) in movers.iter().enumerate() {
            let free = goes.get(place) == Some(&false)
                && !mover.takes().any(|number| waits(&number, &goes));
            if let Some(slot) = goes.get_mut(place).filter(|_| free) {
                (*slot, changed) = (true, true);
            }
        }
        if !changed {
            let waiting = movers.iter().zip(&goes).filter(|(_, goes)| !**goes);
            let taken = waiting.flat_map(|(mover, _)| mover.takes());
            return taken.filter(|number| waits(number, &goes)).collect();
        }
    }
}

/// The numbers that are among these and not among those, each once.
fn gone(
    these: [Option<PhoneNumber>; 3],
    those: [Option<PhoneNumber>; 3],
) -> impl Iterator<Item = PhoneNumber> {
    let mut gone = these.map(|number| number.filter(|_| !those.contains(&number)));
    gone.sort_unstable();
    let mut last = None;
    gone.into_iter().flatten().filter(move |number| last.replace(*number) != Some(*number))
}

fn counted(numbers: impl Iterator<Item = PhoneNumber>) -> HashMap<PhoneNumber, u32> {
    let mut counts = HashMap::new();
    numbers.for_each(|number| *counts.entry(number).or_default() += 1);
    counts
}

#[cfg(test)]
mod tests;

//! Refuses changes of one user because of another user:
//!
//! - overwriting a number with one that another user keeps or also gets;
//! - SMS sign-in with a number that several users have, because Entra signs in the first of them.
//!
//! A number that its holder releases in the same plan is free; otherwise the plan after the apply would
//! find more changes. Numbers in a cycle are refused: no user could release theirs first, and a run that
//! stops in between would leave two users with one number.
//!
//! Not here: the other reasons why a number is not overwritten (`guard`), or the order of releasing and
//! reusing a number (`numbers::order`).

use std::collections::{BTreeSet, HashMap};

use crate::number::PhoneNumber;
use crate::plan::guard::{Guarded, guard};
use crate::plan::numbers::owners::{NumberOwners, numbers};
use crate::plan::{Plan, Reason};
use crate::posture::Judge;
use crate::settings::change::{Action, Change, Stage};
use crate::settings::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Phone};

/// The refused changes, by user and stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct RefusedChanges(BTreeSet<(UserIndex, Stage)>);

impl RefusedChanges {
    /// Refuses more changes. Returns whether any of them is new.
    pub(crate) fn extend(&mut self, more: Self) -> bool {
        let before = self.0.len();
        self.0.extend(more.0);
        self.0.len() > before
    }

    /// Withholds the refused changes of a user, which come first, and passes the others to the guard.
    pub(crate) fn guard(
        &self,
        judge: &Judge<'_>,
        user: UserIndex,
        facts: &Facts,
        changes: Vec<Change>,
    ) -> Guarded {
        let (changes, refused) = self.split(changes);
        let mut guarded = guard(judge, user, facts, &changes);
        guarded.withheld.splice(0..0, refused);
        guarded
    }

    /// Splits changes into those that are left and those that are refused, with the reason.
    fn split(&self, changes: Vec<Change>) -> (Vec<Change>, Vec<(Change, Reason)>) {
        let (mut left, mut refused) = (Vec::new(), Vec::new());
        for change in changes {
            match self.reason(&change) {
                Some(reason) => refused.push((change, reason)),
                None => left.push(change),
            }
        }
        (left, refused)
    }

    /// Returns why the change is refused, if it is.
    fn reason(&self, change: &Change) -> Option<Reason> {
        let stage = change.stage();
        self.0.contains(&(change.user, stage)).then_some(match stage {
            Stage::SmsSignIn => Reason::SignInNumberTaken,
            _ => Reason::NumberOfAnother,
        })
    }
}

/// Returns the changes to refuse. After a refusal, all users are planned again, because another change of
/// the same user may depend on the refused one; `plan` does that, without the refused changes.
pub(crate) fn settle(
    facts: &[Facts],
    plan: impl Fn(&RefusedChanges) -> Vec<(UserIndex, Guarded)>,
) -> RefusedChanges {
    let mut all = RefusedChanges::default();
    while all.extend(refused(&plan(&all), facts)) {}
    all
}

/// Returns the changes to refuse among the planned changes of all users.
pub(crate) fn refused(all: &[(UserIndex, Guarded)], facts: &[Facts]) -> RefusedChanges {
    let holders = NumberOwners::of(facts);
    let mut refused = overwritten(all, facts, &holders);
    let steps = || all.iter().flat_map(|(_, guarded)| guarded.steps.iter().copied());
    let numbers: Vec<Change> = steps().filter(|change| refused.reason(change).is_none()).collect();
    let holders = holders.after(&numbers, facts);
    let signs_in = all.iter().filter_map(|(_, guarded)| signs_in(guarded));
    let shared = signs_in.filter(|(_, number)| holders.count(*number) > 1);
    refused.0.extend(shared.map(|(change, _)| (change.user, change.stage())));
    refused
}

/// Returns the changes to refuse among the numbers that an undo puts back for users who have none now: a
/// number that another user has now is not put back. Several users may have had the same number before
/// the run; then all of them get it back.
pub(crate) fn taken_since(all: &[(UserIndex, Guarded)], facts: &[Facts]) -> RefusedChanges {
    let steps: Vec<Change> =
        all.iter().flat_map(|(_, guarded)| guarded.steps.iter().copied()).collect();
    let holders = NumberOwners::of(facts).after(&steps, facts);
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
    RefusedChanges(
        steps.iter().filter(is_anothers).map(|change| (change.user, change.stage())).collect(),
    )
}

/// Returns the changes to refuse in a narrowed plan: a number is not free if only the whole plan releases
/// it. `left` holds what is left of each user of the plan.
pub(crate) fn no_longer_free(plan: &Plan, left: &[Guarded]) -> RefusedChanges {
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
    RefusedChanges(refused.map(|change| (change.user, change.stage())).collect())
}

/// Returns the change that switches SMS sign-in on, and the number it is for.
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

/// A user whose numbers change, phone by phone.
struct Mover {
    user: UserIndex,
    before: [Option<PhoneNumber>; 3],
    after: [Option<PhoneNumber>; 3],
    /// The stages that would overwrite a registered number.
    overwritten: [Option<Stage>; 3],
    /// The number that would get SMS sign-in, and the stage that switches it on.
    signs_in: Option<(Stage, PhoneNumber)>,
}

/// Returns the changes that would overwrite a number with one of another user. A user is refused a number
/// that another user keeps or also gets. The refused user keeps their own number, which a third user may
/// want, so the search repeats until nothing changes. Then cycles are broken, and it starts again.
fn overwritten(
    all: &[(UserIndex, Guarded)],
    facts: &[Facts],
    holders: &NumberOwners,
) -> RefusedChanges {
    let mut movers: Vec<Mover> =
        all.iter().filter_map(|(user, guarded)| Mover::of(*user, guarded, facts)).collect();
    let mut refused = RefusedChanges::default();
    loop {
        let (released, gained) = (
            counted(movers.iter().flat_map(|mover| gone(mover.before, mover.after))),
            counted(movers.iter().flat_map(|mover| gone(mover.after, mover.before))),
        );
        let of = |count: &HashMap<PhoneNumber, u32>, number: PhoneNumber| {
            count.get(&number).copied().unwrap_or_default()
        };
        let is_anothers = |number: PhoneNumber| {
            // One is subtracted for the user, who has the number already or is one of those who get it.
            let others = (holders.count(number) + of(&gained, number)).saturating_sub(1);
            others > of(&released, number)
        };
        let before = refused.0.len();
        for mover in &mut movers {
            refused.0.extend(mover.refuse(is_anothers));
        }
        if refused.0.len() == before {
            let cyclic = in_cycles(&movers);
            for mover in &mut movers {
                refused.0.extend(mover.refuse(|number| cyclic.contains(&number)));
                let signs_in = mover.signs_in.take_if(|(_, number)| cyclic.contains(number));
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

    /// Returns the numbers that another user must release first, if another user has them.
    fn takes(&self) -> impl Iterator<Item = PhoneNumber> {
        let overwritten = self.after.iter().zip(&self.overwritten);
        let overwritten = overwritten.filter_map(|(after, overwritten)| overwritten.and(*after));
        overwritten.chain(self.signs_in.map(|(_, number)| number))
    }

    /// Reverts the changes that would overwrite with a number of another user, and returns them.
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

/// Returns the numbers in a cycle: each user who would release one waits, in the end, for themselves.
fn in_cycles(movers: &[Mover]) -> BTreeSet<PhoneNumber> {
    let mut holders: HashMap<PhoneNumber, Vec<usize>> = HashMap::new();
    for (place, mover) in movers.iter().enumerate() {
        for number in gone(mover.before, mover.after) {
            holders.entry(number).or_default().push(place);
        }
    }
    let mut done = vec![false; movers.len()];
    let waits = |number: &PhoneNumber, done: &[bool]| {
        let holders = holders.get(number).into_iter().flatten();
        holders.into_iter().any(|holder| done.get(*holder) == Some(&false))
    };
    loop {
        let mut changed = false;
        for (place, mover) in movers.iter().enumerate() {
            let free = done.get(place) == Some(&false)
                && !mover.takes().any(|number| waits(&number, &done));
            if let Some(slot) = done.get_mut(place).filter(|_| free) {
                (*slot, changed) = (true, true);
            }
        }
        if !changed {
            let waiting = movers.iter().zip(&done).filter(|(_, done)| !**done);
            let taken = waiting.flat_map(|(mover, _)| mover.takes());
            return taken.filter(|number| waits(number, &done)).collect();
        }
    }
}

/// Returns the numbers that are among `these` and not among `those`, each once.
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

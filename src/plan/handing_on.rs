//! Numbers that go from one user of a plan to another: who lets go of one is written first, and who
//! takes it over is written only once that is done. Otherwise a run that is cut off in between, or a
//! write that fails, would leave two with one number, of whom either could answer for the other.
//!
//! Not here: who may not take a number at all, or what goes round in a circle (`replacing`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::holders::numbers;
use super::{Plan, UserPlan};
use crate::number::PhoneNumber;
use crate::settings::change::Change;
use crate::settings::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Phone;

/// Who waits for whom: of each user who takes a number over, the changes of others by which they let
/// go of it, by their places in [`Plan::changes`].
#[derive(Debug, Default)]
pub struct HandingOn(BTreeMap<UserIndex, BTreeSet<(UserIndex, usize)>>);

impl HandingOn {
    /// Who waits for whom in a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let takers: Vec<(UserIndex, PhoneNumber)> = changed(plan)
            .flat_map(|user| {
                let taken = plan.changes_of(user).iter();
                taken.filter_map(|change| Some((user.user, takes(plan, user, change)?)))
            })
            .collect();
        if takers.is_empty() {
            return Self::default();
        }
        let mut given: HashMap<PhoneNumber, Vec<(UserIndex, usize)>> = HashMap::new();
        for user in changed(plan) {
            for (number, place) in gives(plan, user) {
                given.entry(number).or_default().push((user.user, place));
            }
        }
        let mut waits: BTreeMap<UserIndex, BTreeSet<(UserIndex, usize)>> = BTreeMap::new();
        for (taker, number) in takers {
            let givers = given.get(&number).into_iter().flatten();
            let others: Vec<_> = givers.filter(|(giver, _)| *giver != taker).copied().collect();
            if !others.is_empty() {
                waits.entry(taker).or_default().extend(others);
            }
        }
        Self(waits)
    }

    /// The changes of others that have to be done before anything of this user is written.
    pub fn before(&self, user: UserIndex) -> impl Iterator<Item = usize> {
        self.0.get(&user).into_iter().flatten().map(|(_, place)| *place)
    }

    /// The users to whom something happens, in rounds: nobody waits for anybody of their own round or
    /// of a later one. Those of a circle, which no plan of ours has, come last.
    #[must_use]
    pub fn rounds<'p>(&self, plan: &'p Plan) -> Vec<Vec<&'p UserPlan>> {
        let mut left: Vec<&UserPlan> = changed(plan).collect();
        let mut rounds = Vec::new();
        while !left.is_empty() {
            let waiting: BTreeSet<UserIndex> =
                if self.0.is_empty() { BTreeSet::new() } else { users(&left) };
            let waits = |user: &UserPlan| {
                let mut givers = self.0.get(&user.user).into_iter().flatten();
                givers.any(|(giver, _)| waiting.contains(giver))
            };
            let (later, now): (Vec<_>, Vec<_>) = left.iter().copied().partition(|user| waits(user));
            if now.is_empty() {
                rounds.push(later);
                break;
            }
            rounds.push(now);
            left = later;
        }
        rounds
    }
}

fn changed(plan: &Plan) -> impl Iterator<Item = &UserPlan> {
    plan.users.iter().filter(|user| !user.changes.is_empty())
}

fn users(some: &[&UserPlan]) -> BTreeSet<UserIndex> {
    some.iter().map(|user| user.user).collect()
}

/// The number that a change must not give to the user while it is somebody else's.
fn takes(plan: &Plan, user: &UserPlan, change: &Change) -> Option<PhoneNumber> {
    match change.after {
        Value::Phone(number) => change.replaces_number().then_some(number),
        Value::Switch(true) if change.setting == Setting::SmsSignIn => {
            let steps = plan.changes_of(user).iter();
            let facts = steps.fold(user.facts, |facts, step| step.applied_to(facts));
            match facts.methods.known()?.mobile {
                Phone::Number(number) => Some(number),
                Phone::None | Phone::Undialable | Phone::Masked => None,
            }
        }
        _ => None,
    }
}

/// The numbers that the user no longer has in the end, each with the change after which it is gone.
fn gives(plan: &Plan, user: &UserPlan) -> BTreeMap<PhoneNumber, usize> {
    let mut facts = user.facts;
    let mut gone = BTreeMap::new();
    for (place, change) in user.changes.clone().zip(plan.changes_of(user)) {
        let before = numbers(&facts);
        facts = change.applied_to(facts);
        let after = numbers(&facts);
        let lost = before.into_iter().flatten().filter(|number| !after.contains(&Some(*number)));
        gone.extend(lost.map(|number| (number, place)));
        for number in after.into_iter().flatten() {
            gone.remove(&number);
        }
    }
    gone
}

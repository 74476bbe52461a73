//! Orders numbers that one user of a plan releases and another reuses: the release is written first, and
//! the reuse only after it is done. Otherwise a failed write or a run that stops in between would leave
//! two users with one number, and each could answer the MFA prompt of the other.
//!
//! Not here: numbers that a user must not get at all, and cycles (`numbers::conflicts`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::number::PhoneNumber;
use crate::plan::numbers::owners::numbers;
use crate::plan::{Plan, UserPlan};
use crate::settings::change::Change;
use crate::settings::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Phone;

/// Which users wait for which changes: for each user who reuses a number, the changes of other users that
/// release it, by their places in [`Plan::changes`].
#[derive(Debug, Default)]
pub struct ReuseOrder(BTreeMap<UserIndex, BTreeSet<(UserIndex, usize)>>);

impl ReuseOrder {
    /// Finds out which users of a plan wait for which changes.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let reused: Vec<(UserIndex, PhoneNumber)> = changed(plan)
            .flat_map(|user| {
                let changes = plan.changes_of(user).iter();
                changes.filter_map(|change| Some((user.user, reuses(plan, user, change)?)))
            })
            .collect();
        if reused.is_empty() {
            return Self::default();
        }
        let mut released: HashMap<PhoneNumber, Vec<(UserIndex, usize)>> = HashMap::new();
        for user in changed(plan) {
            for (number, place) in releases(plan, user) {
                released.entry(number).or_default().push((user.user, place));
            }
        }
        let mut waits: BTreeMap<UserIndex, BTreeSet<(UserIndex, usize)>> = BTreeMap::new();
        for (user, number) in reused {
            let holders = released.get(&number).into_iter().flatten();
            let others: Vec<_> = holders.filter(|(holder, _)| *holder != user).copied().collect();
            if !others.is_empty() {
                waits.entry(user).or_default().extend(others);
            }
        }
        Self(waits)
    }

    /// Returns the changes of other users that must be done before anything is written to this user.
    pub fn before(&self, user: UserIndex) -> impl Iterator<Item = usize> {
        self.0.get(&user).into_iter().flatten().map(|(_, place)| *place)
    }

    /// Returns the users with changes, in rounds: no user waits for a user of the same or a later round.
    /// Users of a cycle would come last; `replacing` leaves no cycle in a plan.
    #[must_use]
    pub fn rounds<'p>(&self, plan: &'p Plan) -> Vec<Vec<&'p UserPlan>> {
        let mut left: Vec<&UserPlan> = changed(plan).collect();
        let mut rounds = Vec::new();
        while !left.is_empty() {
            let waiting: BTreeSet<UserIndex> =
                if self.0.is_empty() { BTreeSet::new() } else { users(&left) };
            let waits = |user: &UserPlan| {
                let mut holders = self.0.get(&user.user).into_iter().flatten();
                holders.any(|(holder, _)| waiting.contains(holder))
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

/// Returns the number that a change must not give to the user while another user has it.
fn reuses(plan: &Plan, user: &UserPlan, change: &Change) -> Option<PhoneNumber> {
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

/// Returns the numbers that the user no longer has in the end, each with the change that releases it.
fn releases(plan: &Plan, user: &UserPlan) -> BTreeMap<PhoneNumber, usize> {
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

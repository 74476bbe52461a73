//! Chooses the users who are read both with the documented requests and with another strategy, and
//! decides when the sample is large enough.
//!
//! Not here: comparing the results (`one_request`, `state_list`).
//!
//! A sample of [`FIRST_SAMPLE`] users detects a strategy that is wrong for one user in twenty with a
//! probability above 90 %. For a strategy that is wrong for one user in a hundred, the probability is 40
//! % at first, and 60 % after ten thousand users. No write depends on it.

use std::collections::BTreeSet;

use crate::id::UserId;
use crate::tenant::facts::{Facts, MfaState};

/// Number of users that are read with both strategies at first. Arithmetic as above.
/// Test: `one_request_per_user_costs_little_more_than_one_part_per_user`.
pub(super) const FIRST_SAMPLE: usize = 50;
/// Minimum number of users in the first sample with something that a wrong answer would get wrong: a user
/// without any method agrees with a strategy that shows no methods for any user. A choice.
/// Test: `sample_of_users_without_methods_is_enlarged`.
const FEWEST_WITH_FACTS: usize = 3;
/// Number of users after which the first sample ends, even if fewer of them have something to get wrong. A
/// choice: a tenant in which hardly any user has a method is still read with one request per user.
/// Test: `sample_of_users_without_methods_is_enlarged`.
const LARGEST_FIRST_SAMPLE: usize = 200;
/// After the first sample, one user in this many is read with both strategies. Arithmetic: it costs 2 in 250
/// requests, less than 1 %. Test: `one_request_per_user_costs_little_more_than_one_part_per_user`.
const SAMPLE_ONE_IN: u32 = 250;

/// The answers so far for a user of the sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampled {
    /// Number of documented answers that are still to come.
    open: usize,
    whole: Option<Option<Facts>>,
}

impl Sampled {
    pub(super) const fn of(open: usize) -> Self {
        Self { open, whole: None }
    }

    pub(super) const fn set_whole(&mut self, whole: Option<Facts>) {
        self.whole = Some(whole);
    }

    /// Counts one more documented answer, and returns whether it was the last.
    pub(super) const fn documented_answer(&mut self) -> bool {
        self.open = self.open.saturating_sub(1);
        self.open == 0
    }

    /// Returns the answer of the other strategy, if both are there.
    pub(super) fn both(&self) -> Option<Option<Facts>> {
        self.whole.filter(|_| self.open == 0)
    }
}

/// The progress of the first sample.
#[derive(Debug, Default)]
pub(super) struct FirstSample {
    taken: usize,
    read: usize,
    compared: usize,
    with_facts: usize,
    ended: bool,
}

impl FirstSample {
    pub(super) const fn add(&mut self) {
        self.taken += 1;
    }

    /// Counts a user who was read with the documented requests.
    pub(super) fn count_read(&mut self, facts: &Facts) {
        self.read += 1;
        let registered = facts.methods.known().is_some_and(|all| all.kinds.has_second_factor());
        let asked = facts.state.known().is_some_and(|state| *state != MfaState::Disabled);
        self.with_facts += usize::from(registered || asked);
    }

    /// Counts a user whose results were compared.
    pub(super) const fn count_compared(&mut self) {
        self.compared += 1;
        if self.compared >= self.taken
            && (self.with_facts >= FEWEST_WITH_FACTS || self.taken >= LARGEST_FIRST_SAMPLE)
        {
            self.ended = true;
        }
    }

    /// Returns whether all users so far agree, but have too little that could differ.
    pub(super) const fn needs_more(&self) -> bool {
        !self.ended && self.compared >= self.taken && self.taken > 0
    }

    pub(super) const fn finish(&mut self) {
        self.ended = true;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.ended
    }
}

/// Returns random places among the first known users. The choice is the same for the same users.
pub(super) fn choose_first(users: &[UserId]) -> BTreeSet<usize> {
    let seed = users.iter().fold(users.len() as u64, |seed, user| seed.rotate_left(7) ^ of(*user));
    let places = fastrand::Rng::with_seed(seed).choose_multiple(0..users.len(), FIRST_SAMPLE);
    places.into_iter().collect()
}

/// Returns whether the user is in the sample: a random choice that is the same in every run.
pub(super) fn is_in_sample(user: UserId) -> bool {
    fastrand::Rng::with_seed(of(user)).u32(..SAMPLE_ONE_IN) == 0
}

fn of(user: UserId) -> u64 {
    let id = user.as_uuid().as_u128();
    (id ^ (id >> 64)) as u64
}

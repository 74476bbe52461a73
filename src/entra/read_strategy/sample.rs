//! Chooses the users who are read both with the documented requests and with another strategy, and
//! decides when the sample is large enough.
//!
//! Not here: comparing the results (`at_once`, `listed`).
//!
//! A sample of [`LEAST`] users detects a strategy that is wrong for one user in twenty with a
//! probability above 90 %. For a strategy that is wrong for one user in a hundred, the probability is 40
//! % at first, and 60 % after ten thousand users. No write depends on it.

use std::collections::BTreeSet;

use crate::id::UserId;
use crate::tenant::facts::{Facts, MfaState};

/// Number of users that are read with both strategies at first.
pub(super) const LEAST: usize = 50;
/// Minimum number of users in the first sample who have something that a wrong answer would get wrong,
/// unless even [`MOST`] users have fewer. A user without any method agrees with a strategy that shows no
/// methods for any user.
const TELLING: usize = 3;
const MOST: usize = 200;
/// After the first sample, one user in this many is read with both strategies.
const ONE_IN: u32 = 250;

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
pub(super) struct Trial {
    taken: usize,
    read: usize,
    compared: usize,
    telling: usize,
    ended: bool,
}

impl Trial {
    pub(super) const fn took_one(&mut self) {
        self.taken += 1;
    }

    /// Counts a user who was read with the documented requests.
    pub(super) fn read_one(&mut self, facts: &Facts) {
        self.read += 1;
        let registered = facts.methods.known().is_some_and(|all| all.kinds.has_second_factor());
        let asked = facts.state.known().is_some_and(|state| *state != MfaState::Disabled);
        self.telling += usize::from(registered || asked);
    }

    /// Counts a user whose results were compared.
    pub(super) const fn compared_one(&mut self) {
        self.compared += 1;
        if self.compared >= self.taken && (self.telling >= TELLING || self.taken >= MOST) {
            self.ended = true;
        }
    }

    /// Returns whether all users so far agree, but have too little that could differ.
    pub(super) const fn wants_more(&self) -> bool {
        !self.ended && self.compared >= self.taken && self.taken > 0
    }

    pub(super) const fn ends(&mut self) {
        self.ended = true;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.ended
    }
}

/// Returns random places among the first known users. The choice is the same for the same users.
pub(super) fn first_sample(users: &[UserId]) -> BTreeSet<usize> {
    let seed = users.iter().fold(users.len() as u64, |seed, user| seed.rotate_left(7) ^ of(*user));
    let places = fastrand::Rng::with_seed(seed).choose_multiple(0..users.len(), LEAST);
    places.into_iter().collect()
}

/// Returns whether the user is in the sample: a random choice that is the same in every run.
pub(super) fn is_in_sample(user: UserId) -> bool {
    fastrand::Rng::with_seed(of(user)).u32(..ONE_IN) == 0
}

fn of(user: UserId) -> u64 {
    let id = user.as_uuid().as_u128();
    (id ^ (id >> 64)) as u64
}

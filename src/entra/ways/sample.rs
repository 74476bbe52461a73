//! Who is read both as documented and in another way, and when that is enough to go on.
//!
//! A sample of so many finds a way that is wrong about one in twenty with more than nine chances in
//! ten, and one that is wrong about one in a hundred with four at first; of ten thousand, with six.
//! What is written does not rest on it.

use std::collections::BTreeSet;

use crate::id::UserId;
use crate::tenant::facts::{Facts, MfaState};

/// As many are read both ways at first.
pub(super) const LEAST: usize = 50;
/// Of the first ones so many have something that could be said wrongly, unless even of [`MOST`] it is
/// fewer. Somebody without anything agrees with a way that knows of nobody's methods.
const TELLING: usize = 3;
const MOST: usize = 200;
/// Afterwards one of so many.
const ONE_IN: u32 = 250;

/// What there is of somebody of the sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampled {
    /// Things still to come as documented.
    open: usize,
    said: Option<Option<Facts>>,
}

impl Sampled {
    pub(super) const fn of(open: usize) -> Self {
        Self { open, said: None }
    }

    pub(super) const fn said(&mut self, said: Option<Facts>) {
        self.said = Some(said);
    }

    /// One thing more came as documented; whether it was the last.
    pub(super) const fn told(&mut self) -> bool {
        self.open = self.open.saturating_sub(1);
        self.open == 0
    }

    /// What the other way said, where both are there.
    pub(super) fn both(&self) -> Option<Option<Facts>> {
        self.said.filter(|_| self.open == 0)
    }
}

/// How far the first of the sample are.
#[derive(Debug, Default)]
pub(super) struct Trial {
    taken: usize,
    told: usize,
    held: usize,
    telling: usize,
    ended: bool,
}

impl Trial {
    pub(super) const fn took_one(&mut self) {
        self.taken += 1;
    }

    /// Somebody was read as documented.
    pub(super) fn came(&mut self, facts: &Facts) {
        self.told += 1;
        let registered = facts.methods.known().is_some_and(|all| all.kinds.has_second_factor());
        let asked = facts.state.known().is_some_and(|state| *state != MfaState::Disabled);
        self.telling += usize::from(registered || asked);
    }

    /// Somebody was held against the other way.
    pub(super) const fn held_one(&mut self) {
        self.held += 1;
        if self.held >= self.taken && (self.telling >= TELLING || self.taken >= MOST) {
            self.ended = true;
        }
    }

    /// Everybody so far agrees, and that says little.
    pub(super) const fn wants_more(&self) -> bool {
        !self.ended && self.held >= self.taken && self.taken > 0
    }

    pub(super) const fn ends(&mut self) {
        self.ended = true;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.ended
    }
}

/// Some of the first that are known, by chance that is the same for the same users.
pub(super) fn by_chance(users: &[UserId]) -> BTreeSet<usize> {
    let seed = users.iter().fold(users.len() as u64, |seed, user| seed.rotate_left(7) ^ of(*user));
    let places = fastrand::Rng::with_seed(seed).choose_multiple(0..users.len(), LEAST);
    places.into_iter().collect()
}

/// Whether the user is of the sample: by chance, and always the same ones.
pub(super) fn is_by_chance(user: UserId) -> bool {
    fastrand::Rng::with_seed(of(user)).u32(..ONE_IN) == 0
}

fn of(user: UserId) -> u64 {
    let id = user.as_uuid().as_u128();
    (id ^ (id >> 64)) as u64
}

//! How much may be under way at a time.
//!
//! Not here: how fast it may be sent (`governor`).

use super::{BATCH, Governor, TOGETHER};

/// Under way at a time, at most.
const WIDEST_WINDOW: f64 = 128.0 * BATCH;
/// Under way at a time while it is not known where the limit is: so much fits into what the smallest
/// quota has left when it begins to say how full it is.
pub(super) const CAREFUL_WINDOW: f64 = 24.0 * BATCH;
/// The part of a quota that is left as long as Graph does not say that it is full, to a tenth.
const SURELY_LEFT: f64 = 0.04;

impl Governor {
    /// Units that may be under way: as many as the rate needs at this latency.
    pub(super) fn window(&self, now: f64) -> f64 {
        let Some(speed) = self.speed() else { return self.window.min(self.before_wall(now)) };
        let needed = speed * self.latency.usual * 1.25 + 2.0 * BATCH + TOGETHER.0;
        needed.clamp(4.0 * BATCH, WIDEST_WINDOW)
    }

    /// What may be under way so that a wall that is documented is not run into: nobody knows which
    /// of them it is. Up to each at any speed, past it not much faster than it lets through.
    fn before_wall(&self, now: f64) -> f64 {
        if self.rate.is_some() {
            return f64::MAX;
        }
        let gone = self.since.at.map_or(0.0, |at| now - at);
        let latency = self.latency.usual;
        let ahead = |rate: &&(usize, f64)| {
            // What is answered by now was done half a way ago, and the first of it half a way late.
            let there_then = rate.1 * (self.quota.refill + (gone - latency).max(0.0));
            there_then - self.since.accepted > -0.15 * rate.1
        };
        self.quota.documented.iter().find(ahead).map_or(f64::MAX, |(_, rate)| {
            let room = rate * (self.quota.refill + gone) - self.since.accepted;
            room.max(1.15 * rate * latency + BATCH)
        })
    }

    /// While nothing is paced, as many are under way as do not make the answers slower.
    pub(super) fn widen(&mut self, now: f64, accepted: f64) {
        if self.latency.is_slowing() {
            self.window = (self.window - accepted / 4.0).max(4.0 * BATCH);
        } else if self.speed().is_none() {
            self.window = (self.window + accepted).min(self.widest(now));
        }
    }

    /// As many as fit into what is left of a quota when it shows that it is nearly used up.
    fn widest(&self, now: f64) -> f64 {
        let rate = self.rate.unwrap_or(self.quota.most());
        if self.rate.is_none() && self.before_wall(now) == f64::MAX {
            return WIDEST_WINDOW / 2.0;
        }
        let careful = (1.3 * rate * self.latency.usual).max(self.careful);
        // Who hears nothing although more went out than any bucket holds knew too small a rate.
        let bucket = self.quota.refill * self.quota.most();
        let more = (self.fullness.unheard(self.out) - bucket).max(0.0) / 4.0;
        (careful + if self.rate.is_some() { more } else { 0.0 }).min(WIDEST_WINDOW)
    }

    /// Whether everything that waits or is under way fits into the part of the quota that is left as
    /// long as Graph does not say that it is full.
    pub(super) fn fits(&self) -> bool {
        let is_near = |rate: &&(usize, f64)| {
            self.rate.is_some_and(|known| (known / rate.1 - 1.0).abs() < 0.1)
        };
        let known = self.quota.documented.iter().find(is_near);
        let bucket = known.map_or(self.quota.least(), |(_, rate)| *rate) * self.quota.refill;
        !self.fullness.is_full() && self.waiting + self.in_flight <= SURELY_LEFT * bucket
    }
}

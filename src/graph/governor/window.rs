//! How many units may be in flight at the same time.
//!
//! Not here: how fast units may be sent (`governor`).

use super::{BATCH, Governor};

/// The smallest window in units, and the first one: four batches.
/// Test: `every_size_of_tenant_is_found_from_the_start`.
pub(super) const NARROWEST_WINDOW: f64 = 4.0 * BATCH;
/// The largest window in units. Test: `slow_answers_do_not_limit_the_rate` (smaller),
/// `service_with_a_faster_clock_is_followed` (larger).
const WIDEST_WINDOW: f64 = 128.0 * BATCH;
/// The largest window in units while no documented limit is ahead and none was found.
/// Test: `undocumented_limit_is_found` (smaller), `service_with_a_faster_clock_is_followed` (larger).
const UNLIMITED_WINDOW: f64 = WIDEST_WINDOW / 2.0;
/// The largest window in units while the limit is unknown: it fits into what is left of the smallest quota
/// when Graph begins to say how full that is. Test: `every_size_of_tenant_is_found_from_the_start`.
pub(super) const CAREFUL_WINDOW: f64 = 24.0 * BATCH;
/// The factor by which a refusal changes the careful window, if Graph says how full the quota is.
/// Test: `undocumented_limit_below_the_documented_ones_is_found`.
pub(super) const CAREFUL_AFTER_REFUSAL: f64 = 0.75;

/// The window of a paced quota as a factor of its rate times its latency: the spare covers jitter.
/// Test: `every_size_of_tenant_is_found_from_the_start`.
const PACED_FACTOR: f64 = 1.25;
/// The units in the window of a paced quota in addition to that.
/// Test: `every_size_of_tenant_is_found_from_the_start`.
const PACED_SPARE: f64 = 6.0 * BATCH;
/// The careful window as a factor of the rate times the latency, if that is larger.
/// Test: `slow_answers_do_not_limit_the_rate`.
const CAREFUL_FACTOR: f64 = 1.3;

/// A documented limit counts as passed after this many seconds of its rate were accepted beyond it.
/// Test: `every_size_of_tenant_is_found_from_the_start` (earlier),
/// `limit_that_halves_or_doubles_is_followed` (later).
const PASSED_SECONDS: f64 = 0.15;
/// The smallest window at a documented limit, as a factor of its rate times the latency. A higher limit is
/// found only by sending a little faster than this one allows.
/// Test: `every_size_of_tenant_is_found_from_the_start`.
const AT_LIMIT_FACTOR: f64 = 1.15;

/// The part of the units beyond a whole bucket, sent while Graph said nothing, by which the window grows: the
/// rate is too low then. Test: `another_program_that_empties_the_bucket_costs_little`.
const UNHEARD_GROWTH: f64 = 0.25;

/// The largest relative difference between a learnt rate and a documented one that still counts as the same
/// limit. Test: `bucket_of_a_documented_limit_is_known`.
const SAME_LIMIT: f64 = 0.1;
/// The part of a quota that is certainly left as long as Graph does not say that it is full. A quota counts
/// as full from 0.95 on (`fullness`). Test: `last_reads_use_what_is_left_of_the_quota` (smaller),
/// `service_with_a_faster_clock_is_followed` (larger).
const SURELY_LEFT: f64 = 0.04;

impl Governor {
    /// Returns the units that may be in flight: as many as the rate needs at this latency.
    pub(super) fn window(&self, now: f64) -> f64 {
        let Some(speed) = self.speed() else { return self.window.min(self.before_limit(now)) };
        let needed = speed * self.latency.usual * PACED_FACTOR + PACED_SPARE;
        needed.clamp(NARROWEST_WINDOW, WIDEST_WINDOW)
    }

    /// Returns the units that may be in flight so that no documented limit is exceeded while it is unknown
    /// which of them holds. Up to each limit any speed is allowed; beyond it, only a little more than its
    /// rate.
    fn before_limit(&self, now: f64) -> f64 {
        if self.rate.is_some() {
            return f64::MAX;
        }
        let elapsed = self.since.at.map_or(0.0, |at| now - at);
        let latency = self.latency.usual;
        let is_ahead = |rate: &&(usize, f64)| {
            // An answer that is here now was done half a latency ago, and the first one half a latency
            // after it was sent.
            let available = rate.1 * (self.quota.refill + (elapsed - latency).max(0.0));
            available - self.since.accepted > -PASSED_SECONDS * rate.1
        };
        self.quota.documented.iter().find(is_ahead).map_or(f64::MAX, |(_, rate)| {
            let room = rate * (self.quota.refill + elapsed) - self.since.accepted;
            room.max(AT_LIMIT_FACTOR * rate * latency + BATCH)
        })
    }

    /// Widens the window while nothing is paced and answers do not become slower.
    pub(super) fn widen(&mut self, now: f64, accepted: f64) {
        if self.speed().is_none() && !self.latency.is_slowing() {
            self.window = (self.window + accepted).min(self.widest(now));
        }
    }

    /// Returns the largest window: as much as fits into the rest of a quota when Graph begins to say how full
    /// it is.
    fn widest(&self, now: f64) -> f64 {
        let rate = self.rate.unwrap_or(self.quota.most());
        if self.rate.is_none() && self.before_limit(now) == f64::MAX {
            return UNLIMITED_WINDOW;
        }
        let careful = (CAREFUL_FACTOR * rate * self.latency.usual).max(self.careful);
        // More was sent than any bucket holds, and Graph said nothing: the rate is too low.
        let bucket = self.quota.refill * self.quota.most();
        let more = (self.fullness.unheard(self.out) - bucket).max(0.0) * UNHEARD_GROWTH;
        (careful + if self.rate.is_some() { more } else { 0.0 }).min(WIDEST_WINDOW)
    }

    /// Returns whether everything that waits or is in flight fits into the part of the quota that is left as
    /// long as Graph does not say that it is full.
    pub(super) fn fits(&self) -> bool {
        let is_same = |rate: &&(usize, f64)| {
            self.rate.is_some_and(|known| (known / rate.1 - 1.0).abs() < SAME_LIMIT)
        };
        let known = self.quota.documented.iter().find(is_same);
        let bucket = known.map_or(self.quota.least(), |(_, rate)| *rate) * self.quota.refill;
        !self.fullness.is_full() && self.waiting + self.in_flight <= SURELY_LEFT * bucket
    }
}

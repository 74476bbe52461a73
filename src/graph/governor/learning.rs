//! Learns the rate of a quota from refusals, and probes for a higher rate while nothing is refused.
//!
//! Not here: the rate that Graph's own words give (`fullness`), or the pace that follows from it
//! (`governor`).
//!
//! A constant without another source is a choice. `Test:` names the simulation in `governor/tests.rs` that
//! uses the constant most directly; `docs/performance.md` has the results of the simulations.

use super::{Governor, Since, WAKE_UNITS};

/// The lowest rate, as a part of the rate documented for the smallest tenant, so that a rate never becomes
/// zero. A choice; no test reaches it.
pub(super) const LOWEST_RATE: f64 = 1.0 / 16.0;
/// The smallest divisor, against a division by zero, in units a second.
const NOT_ZERO: f64 = 0.001;

/// The part of a measured rate that is used: the rest is for clocks that differ. Test:
/// `every_size_of_tenant_is_found_from_the_start`, for services that only refuse.
const JUST_UNDER: f64 = 0.99;
/// The shortest time between two refusals that measures a rate, in seconds. Test:
/// `limit_that_halves_or_doubles_is_followed`.
const MEASURING_SECONDS: f64 = 1.0;
/// The factor on the rate after a refusal that measures nothing: the limit is lower now, or another program
/// uses the quota too. Test: `limit_that_halves_or_doubles_is_followed`.
const UNMEASURED_CUT: f64 = 0.7;

/// A rate has grown, if it was measured before and is more than this factor of that. Test:
/// `limit_that_halves_or_doubles_is_followed`.
const GROWN_FROM_MEASURED: f64 = 1.15;
/// A rate has grown, if it was a guess before and is more than this factor of that. Test:
/// `partly_used_quota_is_approached_with_care`, for services that only refuse.
const GROWN_FROM_GUESS: f64 = 1.5;
/// The limits of the next rate after the bucket overflowed, as factors of the rate so far. Test:
/// `partly_used_quota_is_approached_with_care`, for services that only refuse.
const AFTER_OVERFLOW: (f64, f64) = (0.3, 0.95);
/// The lowest measured rate that is believed after the rate has grown, as a factor of the rate so far. Test:
/// `limit_that_halves_or_doubles_is_followed`.
const LOWEST_AFTER_GROWTH: f64 = 0.1;
/// The lowest measured rate that is believed otherwise, as a factor of the rate so far. Test:
/// `limit_that_halves_or_doubles_is_followed`.
const LOWEST_MEASURED: f64 = 0.5;
/// The highest measured rate that is believed, as a factor of the rate so far. Test:
/// `limit_that_halves_or_doubles_is_followed`.
const HIGHEST_MEASURED: f64 = 1.1;

/// The longest time between two answers that counts for growth, in seconds.
const LONGEST_STEP: f64 = 1.0;
/// The level that counts as idle, in seconds of the rate: a program that does not use its rate learns nothing
/// from a higher one. A choice; the simulations always have work.
const IDLE_SECONDS: f64 = 0.25;
/// The rate in units a second at which growth after a measurement has its full speed. At lower rates it is
/// slower, because a batch is a larger part of a small quota. Test:
/// `writes_start_at_the_documented_rate_and_find_another`.
const FULL_SPEED_RATE: f64 = 400.0;
/// The slowest growth at low rates, as a part of the full speed. Test:
/// `writes_start_at_the_documented_rate_and_find_another`.
const LOWEST_SPEED: f64 = 0.05;
/// The largest number of doublings of the growth, against overflow.
const MOST_DOUBLINGS: f64 = 20.0;

/// How a rate grows while nothing is refused and nothing says how near the limit is.
struct Growth {
    /// The growth in the first second, as a part of the rate.
    first: f64,
    /// The seconds in which the growth doubles.
    doubles_in: f64,
    /// The largest growth in a second, as a part of the rate.
    most: f64,
}

/// Growth from a measured rate. Test: `limit_that_halves_or_doubles_is_followed`, for services that only
/// refuse.
const FROM_MEASURED: Growth = Growth { first: 0.001, doubles_in: 10.0, most: 0.08 };
/// Growth from a guess. Test: `partly_used_quota_is_approached_with_care`, for services that only refuse.
const FROM_GUESS: Growth = Growth { first: 0.005, doubles_in: 2.0, most: 0.2 };

impl Governor {
    /// Learns the rate from what was accepted since the beginning: a full bucket, and what came in since.
    /// It assumes that the size of the bucket and the rate have the documented proportion.
    pub(super) fn learn_from_beginning(&mut self, now: f64, used: f64) {
        let elapsed = now - self.since.at.unwrap_or(now);
        let rate = self.since.accepted / (self.quota.refill * used + elapsed);
        // If the first requests are refused, another program had emptied the bucket.
        self.start_over(now, rate.max(self.quota.least()), false);
        self.level = 0.0;
    }

    /// Learns the rate from a refusal.
    pub(super) fn learn(&mut self, now: f64) {
        let Some(rate) = self.rate else { return self.learn_from_beginning(now, 1.0) };
        if !self.quota.is_probed() {
            return self.start_over(now, rate, true);
        }
        let elapsed = now - self.since.at.unwrap_or(now);
        let grown = rate / self.since.rate.max(NOT_ZERO);
        let is_short = elapsed < MEASURING_SECONDS || self.since.accepted <= 0.0;
        if self.share < 1.0 || is_short || self.fullness.is_telling() {
            return self.start_over(now, rate * UNMEASURED_CUT, false);
        }
        let measured = self.since.accepted / elapsed;
        let unused = (measured - self.since.rate).max(0.0) * elapsed;
        let is_grown =
            self.since.measured && grown > GROWN_FROM_MEASURED || grown > GROWN_FROM_GUESS;
        if is_grown && unused > self.quota.refill * measured {
            // The bucket overflowed while the quota was used too little, so this measures nothing.
            let (lowest, highest) = AFTER_OVERFLOW;
            let rate = measured.clamp(rate * lowest, rate * highest);
            return self.start_over(now, rate, false);
        }
        let lowest = if is_grown { LOWEST_AFTER_GROWTH } else { LOWEST_MEASURED };
        let believed = measured.clamp(rate * lowest, rate * HIGHEST_MEASURED);
        self.start_over(now, JUST_UNDER * believed, true);
    }

    fn start_over(&mut self, now: f64, rate: f64, measured: bool) {
        let rate = rate.max(self.quota.least() * LOWEST_RATE);
        self.rate = Some(rate);
        self.since = Since {
            at: Some(now),
            rate,
            measured,
            last_answer: now,
            probed_at: now,
            ..Since::default()
        };
    }

    /// Raises the rate a little because nothing was refused, and more the longer that lasts.
    pub(super) fn probe(&mut self, now: f64, accepted: f64) {
        let Some(rate) = self.rate else { return };
        let elapsed = (now - self.since.probed_at).clamp(0.0, LONGEST_STEP);
        self.since.probed_at = now;
        let is_idle = self.level > WAKE_UNITS.max(rate * IDLE_SECONDS);
        let growth = if !self.quota.is_probed() {
            0.0
        } else if self.fullness.is_telling() && self.share >= 1.0 {
            self.fullness.leaning() * accepted / self.delay(rate)
        } else if is_idle {
            0.0
        } else {
            self.growth(now, rate) * elapsed
        };
        let most = if self.share < 1.0 { self.documented } else { f64::MAX };
        self.rate = Some((rate * (1.0 + growth)).min(most));
    }

    /// Returns the growth of the rate in a second, if nothing says how near the limit is.
    fn growth(&self, now: f64, rate: f64) -> f64 {
        let quiet = now - self.since.at.unwrap_or(now);
        let (growth, quiet) = if self.since.measured {
            (FROM_MEASURED, quiet * (rate / FULL_SPEED_RATE).clamp(LOWEST_SPEED, 1.0))
        } else {
            (FROM_GUESS, quiet)
        };
        let doublings = (quiet / growth.doubles_in).min(MOST_DOUBLINGS);
        (growth.first * 2_f64.powf(doublings)).min(growth.most)
    }
}

//! Learns the rate of a quota from refusals, and probes for a higher rate while nothing is refused.
//!
//! Not here: the rate that Graph's own words give (`fullness`), or the pace that follows from it
//! (`governor`).

use super::{Governor, LARGEST_BATCH, SAVED_SECONDS, Since};

/// The lowest rate, as a part of the rate documented for the smallest tenant: a rate of zero would never grow
/// again. Test: `rate_never_falls_to_zero`.
const LOWEST_RATE: f64 = 1.0 / 16.0;
/// The part of a measured rate that is used: the rest is for clocks that differ.
/// Test: `every_size_of_tenant_is_found_from_the_start`.
const JUST_UNDER: f64 = 0.99;
/// The factor on the rate after a refusal that measures nothing: the limit is lower now, or another program
/// uses the quota too. A measured rate does not fall further by another measurement either, because another
/// program can have emptied the bucket. Test: `limit_that_halves_or_doubles_is_followed`,
/// `another_program_that_empties_the_bucket_costs_little`.
const DEEPEST_CUT: f64 = 0.7;

/// The longest time between two answers that counts for growth, in seconds.
/// Test: `writes_start_at_the_documented_rate_and_find_another`.
const LONGEST_STEP: f64 = 1.0;
/// The rate in units a second at which growth after a measurement has its full speed. At lower rates it is
/// slower, because a batch is a larger part of a small quota.
/// Test: `writes_start_at_the_documented_rate_and_find_another`.
const FULL_SPEED_RATE: f64 = 400.0;
/// The largest growth in a second, as a part of the rate. Test: `partly_used_quota_is_approached_with_care`.
const MOST_GROWTH: f64 = 0.2;

/// How a rate grows while nothing is refused and nothing says how near the limit is.
struct Growth {
    /// The growth in the first second, as a part of the rate.
    first: f64,
    /// The seconds in which the growth doubles.
    doubles_in: f64,
}

/// Growth from a measured rate. Test: `limit_that_halves_or_doubles_is_followed` (slower),
/// `writes_start_at_the_documented_rate_and_find_another` (faster).
const FROM_MEASURED: Growth = Growth { first: 0.001, doubles_in: 10.0 };
/// Growth from a guess. Test: `partly_used_quota_is_approached_with_care`.
const FROM_GUESS: Growth = Growth { first: 0.005, doubles_in: 2.0 };

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
        if self.share < 1.0 || self.since.accepted <= 0.0 || self.fullness.is_telling() {
            return self.start_over(now, rate * DEEPEST_CUT, false);
        }
        let elapsed = now - self.since.at.unwrap_or(now);
        // Nothing was sent faster than the rate. A higher result counts answers to earlier requests.
        let measured = (self.since.accepted / elapsed).min(rate);
        let unused = (measured - self.since.rate).max(0.0) * elapsed;
        if unused > self.quota.refill * measured {
            // The bucket overflowed while the quota was used too little, so this measures nothing.
            return self.start_over(now, measured, false);
        }
        let believed =
            if self.since.measured { measured.max(rate * DEEPEST_CUT) } else { measured };
        self.start_over(now, JUST_UNDER * believed, true);
    }

    fn start_over(&mut self, now: f64, rate: f64, measured: bool) {
        let rate = self.at_least_lowest(rate);
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

    /// Returns the rate, or the lowest rate if that is higher.
    pub(super) fn at_least_lowest(&self, rate: f64) -> f64 {
        rate.max(self.quota.least() * LOWEST_RATE)
    }

    /// Raises the rate a little because nothing was refused, and more the longer that lasts.
    pub(super) fn probe(&mut self, now: f64) {
        let Some(rate) = self.rate else { return };
        let elapsed = (now - self.since.probed_at).clamp(0.0, LONGEST_STEP);
        self.since.probed_at = now;
        // A program that does not use its rate learns nothing from a higher one.
        let is_idle = self.level > LARGEST_BATCH.max(rate * SAVED_SECONDS);
        let is_told = self.fullness.is_telling() && self.share >= 1.0;
        let growth = if !self.quota.is_probed() || is_told || is_idle {
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
            (FROM_MEASURED, quiet * (rate / FULL_SPEED_RATE).min(1.0))
        } else {
            (FROM_GUESS, quiet)
        };
        (growth.first * 2_f64.powf(quiet / growth.doubles_in)).min(MOST_GROWTH)
    }
}

//! Decides how fast one quota of Graph may be used: a state machine over the answers and their times.
//!
//! Graph refills a bucket at a steady rate that depends on the size of the tenant (3,500, 5,000 or 8,000
//! units in ten seconds for reads; 3,000 in 150 seconds for writes). Graph does not report the size of the
//! bucket: an answer may say how full the quota is, and a request beyond it is refused with 429 (Graph
//! documentation, "Throttling guidance" and "Service-specific throttling limits", checked 2026-11).
//!
//! So requests are not paced until Graph says that the quota is nearly full, or refuses one. If Graph says
//! how full the quota is, the quota is kept just under full and nothing is refused. If Graph only refuses,
//! the units accepted between two refusals give the rate, and the rate is raised faster and faster while
//! nothing is refused.
//!
//! The code is pure: the caller passes the time, in seconds since any start. The parts are `quota`
//! (documented limits), `fullness` (what Graph says), `learning` (the rate from refusals), `window` (units in
//! flight) and `latency`.
//!
//! The comment on a constant names its unit, its source and, after `Test:`, the test that fails with another
//! value. The source of a number without another one is a choice, made with the simulated services of
//! `governor/tests`; `docs/performance.md` has their results.
//!
//! Not here: waiting (`gate`), or sending again (`batch`, `retry`).

pub(super) use quota::Quota;

use fullness::Fullness;
use latency::Latency;
use window::{CAREFUL_AFTER_REFUSAL, CAREFUL_WINDOW, NARROWEST_WINDOW};

mod fullness;
mod latency;
mod learning;
mod quota;
mod window;

/// The units of a full batch of reads: Graph accepts at most twenty parts (`batch::MOST_PARTS`).
/// Test: `every_size_of_tenant_is_found_from_the_start`.
const BATCH: f64 = 20.0;
/// The units of the largest batch: the members of twenty groups, at four units a part (`gate`). A quota whose
/// rate is searched for saves up at least this, so that such a batch is not sent ahead of its rate.
/// Test: `largest_batch_is_admitted_at_the_lowest_speed`.
const LARGEST_BATCH: f64 = 4.0 * BATCH;
/// The units of a request that is not a batch. A quota whose rate is known saves up this after a refusal.
/// Test: `quota_with_a_known_rate_sends_one_request_after_a_refusal`.
const ONE_REQUEST: f64 = 1.0;
/// The shortest wait in seconds. A shorter one can be lost in the rounding of the clock, and the same wait
/// would be asked for again without an end. Test: `wait_of_no_length_is_never_asked_for`.
const SHORTEST_WAIT: f64 = 0.001;
/// The unused rate that a busy program saves up, in seconds of its speed: timers wake it up late. More than
/// this is the mark of a program that has too little to ask for.
/// Test: `late_timers_do_not_hide_a_higher_limit` (less), `unused_rate_is_not_used_later` (more).
const SAVED_SECONDS: f64 = 0.25;

/// The result of one request. A batch is one request, and its parts are the units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Observation {
    /// The time of its admission.
    pub(super) sent_at: f64,
    /// The units that were done.
    pub(super) accepted: f64,
    /// The units that were refused with 429.
    pub(super) refused: f64,
    /// The seconds to wait that a refusal asked for.
    pub(super) retry_after: Option<f64>,
    /// The largest `x-ms-throttle-limit-percentage`.
    pub(super) pressure: Option<f64>,
}

/// The decision whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Admission {
    Now,
    /// Ask again after this number of seconds.
    In(f64),
    /// Ask again when a request that is in flight has been answered.
    WhenAnswered,
}

/// The waits after a refusal, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// The wait if the refusal names no time. It doubles while nothing is accepted.
    pub(super) untold: f64,
    pub(super) longest: f64,
}

/// The state of one quota in use.
#[derive(Debug, Clone)]
pub(super) struct Governor {
    quota: Quota,
    /// The part of the quota that this program may take.
    share: f64,
    waits: Waits,
    /// The tenant's rate in units a second, as far as it is known. `None` until the first sign of a limit.
    rate: Option<f64>,
    /// The documented rate for the number of users that were seen.
    documented: f64,
    /// The units that may be sent now. Below zero if more was sent than came in.
    level: f64,
    level_at: f64,
    /// The largest number of units that may be saved up during a pause.
    saved: f64,
    paused_until: f64,
    in_flight: f64,
    window: f64,
    /// The largest window while the limit is unknown.
    careful: f64,
    latency: Latency,
    since: Since,
    fullness: Fullness,
    /// The units that were answered since the beginning, with any result.
    out: f64,
    /// The units that wait for admission.
    waiting: f64,
    /// Whether the waiting units are the last ones for now.
    is_ending: bool,
}

/// The counts since the last refusal, or since the beginning.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    /// The time of the refusal, or of the first request.
    at: Option<f64>,
    accepted: f64,
    /// The rate at that time.
    rate: f64,
    /// Whether that rate was measured, and is not a guess.
    measured: bool,
    /// The number of refusals in a row without any accepted unit.
    in_vain: i32,
    last_answer: f64,
    probed_at: f64,
}

impl Governor {
    /// Returns the governor of a quota. The share that may be used is above 0 and up to 1.
    pub(super) fn new(quota: Quota, share: f64, waits: Waits) -> Self {
        // If other programs use the quota too, this program must not search for the limit by exceeding it.
        let is_given = !quota.is_probed() || share < 1.0;
        let burst = quota.burst.unwrap_or_default() * share;
        Self {
            quota,
            share,
            waits,
            rate: is_given.then(|| quota.least()),
            documented: quota.least(),
            level: burst,
            level_at: 0.0,
            saved: burst.max(quota.refill * quota.most() * share),
            paused_until: 0.0,
            in_flight: 0.0,
            window: NARROWEST_WINDOW,
            careful: CAREFUL_WINDOW,
            latency: Latency::default(),
            since: Since::default(),
            fullness: Fullness::default(),
            out: 0.0,
            waiting: 0.0,
            is_ending: false,
        }
    }

    /// Notes that the tenant has at least this number of users. A program that uses a share of the quota
    /// needs the documented size of the quota; a program that uses all of it finds the size by itself.
    pub(super) fn tenant_has(&mut self, users: usize) {
        let documented = self.quota.documented_for(users);
        if self.share < 1.0 && documented > self.documented {
            self.rate = self.rate.map(|rate| rate * documented / self.documented);
            self.documented = documented;
        }
    }

    /// Returns the largest number of units to send in a second, if it is limited.
    pub(super) fn speed(&self) -> Option<f64> {
        let rate = self.rate?;
        if !self.goes_by_fullness() {
            return Some(rate * self.share);
        }
        if self.is_free() {
            return None;
        }
        let haste = self.fullness.haste(self.out, self.delay(rate));
        // The share of other programs is never used, even if they leave some of it.
        Some(rate * self.share * if self.share < 1.0 { haste.min(1.0) } else { haste })
    }

    /// Returns whether Graph's words decide the speed. For a quota whose rate is known they do not.
    const fn goes_by_fullness(&self) -> bool {
        self.fullness.is_telling() && self.quota.is_probed()
    }

    /// Returns whether nothing needs to wait: Graph would say that the quota is nearly full, and says
    /// nothing; or all remaining requests fit into the rest of the quota.
    fn is_free(&self) -> bool {
        let may_be = self.goes_by_fullness() && self.share >= 1.0;
        may_be && (self.fullness.is_silent() || self.is_ending && self.fits())
    }

    /// Adds units that wait for admission, or removes them if negative.
    pub(super) fn wait_more(&mut self, units: f64) {
        self.waiting = (self.waiting + units).max(0.0);
    }

    /// Notes whether the waiting units are the last ones for now.
    pub(super) const fn end(&mut self, is_ending: bool) {
        self.is_ending = is_ending;
    }

    /// Returns the units that are sent before the effect of a change shows.
    fn delay(&self, rate: f64) -> f64 {
        rate * self.latency.usual + BATCH
    }

    /// Decides whether this number of units may be sent. Admitted units count as in flight.
    pub(super) fn admit(&mut self, now: f64, units: f64) -> Admission {
        if now < self.paused_until {
            return Admission::In(self.paused_until - now);
        }
        if self.in_flight > 0.0 && self.in_flight + units > self.window(now) {
            return Admission::WhenAnswered;
        }
        self.refill(now);
        if let Some(speed) = self.speed() {
            let least = units.min(self.most_saved(speed));
            if self.level < least {
                return Admission::In(((least - self.level) / speed).max(SHORTEST_WAIT));
            }
            self.level -= units;
        }
        // After a pause in which any bucket becomes full, what was sent before says nothing.
        let is_full_again = now > self.since.last_answer + self.quota.refill;
        if self.since.at.is_none() || self.rate.is_none() && is_full_again && self.in_flight <= 0.0
        {
            self.since = Since { at: Some(now), ..Since::default() };
        }
        self.in_flight += units;
        Admission::Now
    }

    /// Removes units from those in flight: they were answered, or given up without an answer.
    pub(super) fn forget(&mut self, units: f64) {
        self.in_flight = (self.in_flight - units).max(0.0);
    }

    /// Records the answer to an admitted request.
    pub(super) fn observe(&mut self, now: f64, seen: Observation) {
        self.forget(seen.accepted + seen.refused);
        self.refill(now);
        self.out += seen.accepted + seen.refused;
        self.since.accepted += seen.accepted;
        self.since.last_answer = now;
        if seen.accepted > 0.0 {
            self.since.in_vain = 0;
        }
        self.latency.take(now - seen.sent_at);
        let was_silent = self.fullness.is_silent();
        self.hear(now, seen);
        if seen.refused > 0.0 {
            self.cut(now, seen, was_silent);
        } else {
            self.probe(now);
        }
        self.widen(now, seen.accepted);
    }

    fn refill(&mut self, now: f64) {
        let speed = self.speed().unwrap_or_default();
        let elapsed = (now - self.level_at).max(0.0);
        self.level = (self.level + speed * elapsed).min(self.most_saved(speed));
        self.level_at = now;
    }

    /// Returns the largest level at this speed.
    fn most_saved(&self, speed: f64) -> f64 {
        // If Graph says how full the quota is, that includes what was left unused.
        let saved = if self.goes_by_fullness() { speed * SAVED_SECONDS } else { self.saved };
        saved.max(if self.quota.is_probed() { LARGEST_BATCH } else { ONE_REQUEST })
    }

    /// Records how full Graph says that the quota is.
    fn hear(&mut self, now: f64, seen: Observation) {
        let was_free = self.is_free();
        let measured = self.fullness.hear(seen.pressure, seen.sent_at, now, self.out);
        match (self.rate, seen.pressure) {
            (None, Some(pressure)) => self.learn_from_beginning(now, pressure.min(1.0)),
            (Some(_), _) if self.share < 1.0 || !self.quota.is_probed() => {}
            (Some(rate), _) => {
                let rate = measured.map_or(rate, |measured| {
                    if self.since.measured { f64::midpoint(rate, measured) } else { measured }
                });
                self.since.measured |= measured.is_some();
                self.rate = Some(self.at_least_lowest(rate));
            }
            _ => {}
        }
        if was_free || measured.is_some() {
            self.level = self.level.min(0.0);
        }
    }

    /// Records a refusal. A request that was sent before the answer with the last refusal says nothing new.
    fn cut(&mut self, now: f64, seen: Observation, was_silent: bool) {
        // If the rate is known, a wait shorter than one unit takes is useless.
        let least = if self.quota.is_probed() { 0.0 } else { 1.0 / self.quota.least() };
        let doubled = 2_f64.powi(self.since.in_vain);
        let without_header = self.waits.untold.max(least) * doubled;
        let wait = seen.retry_after.unwrap_or(without_header).min(self.waits.longest);
        let known_already =
            self.rate.is_some() && self.since.at.is_some_and(|at| seen.sent_at < at);
        self.paused_until = self.paused_until.max(now + wait);
        if known_already {
            return;
        }
        if seen.accepted <= 0.0 {
            self.since.in_vain = self.since.in_vain.saturating_add(1);
        }
        if self.fullness.is_telling() {
            self.careful = (self.careful * CAREFUL_AFTER_REFUSAL).max(NARROWEST_WINDOW);
            self.window = self.window.min(self.careful);
        }
        let in_vain = self.since.in_vain;
        self.learn(now);
        self.fullness.refused(was_silent);
        self.since.in_vain = in_vain;
        self.level = 0.0;
        if !self.quota.is_probed() {
            self.saved = ONE_REQUEST;
        }
    }
}

#[cfg(test)]
mod tests;

//! How fast one quota of Graph may be used: a state machine over what was observed and when.
//!
//! Graph refills a bucket at a steady rate that depends on the size of the tenant (3,500, 5,000 or
//! 8,000 units in ten seconds for reads; 3,000 in 150 seconds for writes). It tells its size to
//! nobody: an answer may carry how full the quota is, and one over it is refused with 429 (Graph
//! documentation, "Throttling guidance" and "Service-specific throttling limits", checked 2026-11).
//! So nothing is paced until Graph pushes back. Where it says how full the quota is, it is kept just
//! under full and nothing is refused; where it only refuses, what was accepted between two refusals
//! is the rate, and it is probed upwards ever faster for as long as nothing is refused.
//!
//! Pure: the clock is passed in, in seconds since any beginning. Not here: waiting (`gate`), or
//! what is asked again (`batch`, `retry`).

pub(super) use quota::Quota;

use fullness::Fullness;
use latency::Latency;
use window::CAREFUL_WINDOW;

mod fullness;
mod latency;
mod quota;
mod window;

/// Units that a batch holds at most, and the least that may be under way.
const BATCH: f64 = 20.0;
/// How much of the measured rate is used: the rest is for clocks that differ.
const JUST_UNDER: f64 = 0.99;
/// Let through at a time, where it is waited anyway: so many batches, or what comes in so many
/// seconds. Waking up costs more than sending.
const TOGETHER: (f64, f64) = (4.0 * BATCH, 0.1);

/// What came of one request: a batch counts as one, with its parts as units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Observation {
    /// When it was admitted.
    pub(super) sent_at: f64,
    /// Units that were done, and that were refused with 429.
    pub(super) accepted: f64,
    pub(super) refused: f64,
    /// Seconds that a refusal asked to wait.
    pub(super) retry_after: Option<f64>,
    /// The largest `x-ms-throttle-limit-percentage`.
    pub(super) pressure: Option<f64>,
}

/// Whether something may be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Admission {
    Now,
    /// Ask again after so many seconds.
    In(f64),
    /// Ask again when something that is under way has been answered.
    WhenAnswered,
}

/// How long a refusal is waited out, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// Where it names no time; it doubles while nothing is accepted.
    pub(super) untold: f64,
    pub(super) longest: f64,
}

/// One quota in use.
#[derive(Debug, Clone)]
pub(super) struct Governor {
    quota: Quota,
    /// The part of the quota that this program may take.
    share: f64,
    waits: Waits,
    /// The tenant's rate, as far as it was learnt; `None` while nothing has pushed back.
    rate: Option<f64>,
    /// What is documented for as many users as were seen.
    documented: f64,
    /// Units that may be sent now; below zero where more was sent than had come in.
    level: f64,
    level_at: f64,
    /// How much of what came in during a pause is believed to be there afterwards, in units.
    saved: f64,
    paused_until: f64,
    in_flight: f64,
    window: f64,
    /// The same at most, while it is not known where the limit is.
    careful: f64,
    latency: Latency,
    since: Since,
    fullness: Fullness,
    /// Units that were answered, in whatever way, since the beginning.
    out: f64,
    /// Units that wait to be admitted, and whether they are the last for now.
    waiting: f64,
    is_ending: bool,
}

/// What was counted since the last refusal, or since the beginning.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    /// When it began: the first request, or the refusal.
    at: Option<f64>,
    accepted: f64,
    /// The rate that it began with.
    rate: f64,
    /// A measured rate, rather than a guess.
    measured: bool,
    /// Refusals in a row without anything accepted.
    in_vain: i32,
    last_answer: f64,
    probed_at: f64,
}

impl Governor {
    /// For a quota of which a share may be used, above 0 and up to 1.
    pub(super) fn new(quota: Quota, share: f64, waits: Waits) -> Self {
        // With others beside it nobody may look for the wall by running into it.
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
            window: 4.0 * BATCH,
            careful: CAREFUL_WINDOW,
            latency: Latency::default(),
            since: Since::default(),
            fullness: Fullness::default(),
            out: 0.0,
            waiting: 0.0,
            is_ending: false,
        }
    }

    /// The tenant has at least so many users. Who takes a share of what is there has to know how
    /// much that is; who takes all of it finds out.
    pub(super) fn tenant_has(&mut self, users: usize) {
        let documented = self.quota.documented_for(users);
        if self.share < 1.0 && documented > self.documented {
            self.rate = self.rate.map(|rate| rate * documented / self.documented);
            self.documented = documented;
        }
    }

    /// Units a second that are sent at most, where that is limited.
    pub(super) fn speed(&self) -> Option<f64> {
        let rate = self.rate?;
        if !self.goes_by_fullness() {
            return Some(rate * self.share);
        }
        if self.is_free() {
            return None;
        }
        let haste = self.fullness.haste(self.out, self.delay(rate));
        // The others' part is theirs, however much of it they leave.
        Some(rate * self.share * if self.share < 1.0 { haste.min(1.0) } else { haste })
    }

    /// Whether what Graph says of it is what counts: of a quota that is known it is not.
    const fn goes_by_fullness(&self) -> bool {
        self.fullness.is_telling() && self.quota.is_probed()
    }

    /// Where Graph would say that the quota is nearly full, and does not, nothing has to wait; nor
    /// where all that is left to be asked fits into what is left of the quota.
    fn is_free(&self) -> bool {
        let may_be = self.goes_by_fullness() && self.share >= 1.0;
        may_be && (self.fullness.is_silent() || self.is_ending && self.fits())
    }

    /// So many units wait to be admitted, or no longer do.
    pub(super) fn wait_more(&mut self, units: f64) {
        self.waiting = (self.waiting + units).max(0.0);
    }

    /// Nothing else comes for now than what waits; or something does again.
    pub(super) const fn end(&mut self, is_ending: bool) {
        self.is_ending = is_ending;
    }

    /// Units that go out before it shows what the ones before have come to.
    fn delay(&self, rate: f64) -> f64 {
        rate * self.latency.usual + BATCH
    }

    /// Whether so many units may be sent; they then count as under way.
    pub(super) fn admit(&mut self, now: f64, units: f64) -> Admission {
        if now < self.paused_until {
            return Admission::In(self.paused_until - now);
        }
        if self.in_flight > 0.0 && self.in_flight + units > self.window(now) {
            return Admission::WhenAnswered;
        }
        self.refill(now);
        if let Some(speed) = self.speed() {
            let (most, seconds) = TOGETHER;
            let least = units.min(2.0 * BATCH);
            if self.level < least - 1e-9 {
                let saved = self.saved.max(self.least_saved());
                let lacking = least.max((speed * seconds).min(most)).min(saved) - self.level;
                return Admission::In((lacking / speed).max(0.001));
            }
            self.level -= units;
        }
        if self.since.at.is_none()
            || (self.rate.is_none() && now > self.since.last_answer + 1.0 && self.in_flight <= 0.0)
        {
            // After a silence the bucket is fuller than the count says.
            self.since = Since { at: Some(now), ..Since::default() };
        }
        self.in_flight += units;
        Admission::Now
    }

    /// What was admitted was given up before it was answered.
    pub(super) fn forget(&mut self, units: f64) {
        self.in_flight = (self.in_flight - units).max(0.0);
    }

    /// Takes note of an answer to what was admitted.
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
            self.probe(now, seen.accepted);
        }
        self.widen(now, seen.accepted);
    }

    fn refill(&mut self, now: f64) {
        let speed = self.speed().unwrap_or_default();
        let gone = (now - self.level_at).max(0.0);
        // Where Graph says how full the quota is, what was left unused shows there.
        let saved = if self.goes_by_fullness() { speed / 4.0 } else { self.saved };
        self.level = (self.level + speed * gone).min(saved.max(self.least_saved()));
        self.level_at = now;
    }

    /// What is let through at once must be able to come together.
    const fn least_saved(&self) -> f64 {
        if self.quota.is_probed() { TOGETHER.0 } else { 1.0 }
    }

    /// Takes in how full Graph says the quota is.
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
                self.rate = Some(rate.max(self.quota.least() / 16.0));
            }
            _ => {}
        }
        if was_free || measured.is_some() {
            self.level = self.level.min(0.0);
        }
    }

    /// A full bucket and what came in since: the rate, if both are in the documented proportion.
    fn learn_from_beginning(&mut self, now: f64, used: f64) {
        let gone = now - self.since.at.unwrap_or(now);
        let rate = self.since.accepted / (self.quota.refill * used + gone);
        // Who is refused at once met a bucket that somebody else had emptied.
        self.start_over(now, rate.max(self.quota.least()), false);
        self.level = 0.0;
    }

    /// Something was refused. What was sent before the last refusal was answered says nothing new.
    fn cut(&mut self, now: f64, seen: Observation, was_silent: bool) {
        // Where the rate is known, less than its time is no wait.
        let least = if self.quota.is_probed() { 0.0 } else { 1.0 / self.quota.least() };
        let untold = self.waits.untold.max(least) * 2_f64.powi(self.since.in_vain.min(10));
        let wait = seen.retry_after.unwrap_or(untold).min(self.waits.longest);
        let known_already =
            self.rate.is_some() && self.since.at.is_some_and(|at| seen.sent_at < at);
        self.paused_until = self.paused_until.max(now + wait);
        if known_already {
            return;
        }
        if seen.accepted <= 0.0 {
            self.since.in_vain += 1;
        }
        if self.fullness.is_telling() {
            self.careful = (self.careful / 2.0).max(4.0 * BATCH);
            self.window = self.window.min(self.careful);
        }
        let in_vain = self.since.in_vain;
        self.learn(now);
        self.fullness.refused(was_silent);
        self.since.in_vain = in_vain;
        self.level = 0.0;
        if !self.quota.is_probed() {
            self.saved = 1.0;
        }
    }

    fn learn(&mut self, now: f64) {
        let Some(rate) = self.rate else { return self.learn_from_beginning(now, 1.0) };
        if !self.quota.is_probed() {
            return self.start_over(now, rate, true);
        }
        let gone = now - self.since.at.unwrap_or(now);
        let grown = rate / self.since.rate.max(0.001);
        let is_short = gone < 1.0 || self.since.accepted <= 0.0;
        if self.share < 1.0 || is_short || self.fullness.is_telling() {
            // Too short to be measured: the limit has come down, or somebody else is there too.
            return self.start_over(now, rate * 0.7, false);
        }
        let measured = self.since.accepted / gone;
        let unused = (measured - self.since.rate).max(0.0) * gone;
        let is_grown = self.since.measured && grown > 1.15 || grown > 1.5;
        if is_grown && unused > self.quota.refill * measured {
            // It overflowed while it was used too little, so that measures nothing.
            return self.start_over(now, measured.clamp(rate * 0.3, rate * 0.95), false);
        }
        let least = if is_grown { 0.1 } else { 0.5 };
        self.start_over(now, JUST_UNDER * measured.clamp(rate * least, rate * 1.1), true);
    }

    fn start_over(&mut self, now: f64, rate: f64, measured: bool) {
        let rate = rate.max(self.quota.least() / 16.0);
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

    /// Nothing was refused: a little faster, and the longer that lasts the more so.
    fn probe(&mut self, now: f64, accepted: f64) {
        let Some(rate) = self.rate else { return };
        let gone = (now - self.since.probed_at).clamp(0.0, 1.0);
        self.since.probed_at = now;
        let is_idle = self.level > TOGETHER.0.max(rate / 4.0);
        let growth = if !self.quota.is_probed() {
            0.0
        } else if self.fullness.is_telling() && self.share >= 1.0 {
            self.fullness.leaning() * accepted / self.delay(rate)
        } else if is_idle {
            // Whoever does not use what there is learns nothing from getting it.
            0.0
        } else {
            self.growth(now, rate) * gone
        };
        let most = if self.share < 1.0 { self.documented } else { f64::MAX };
        self.rate = Some((rate * (1.0 + growth)).min(most));
    }

    /// How much faster in a second, where nothing says how near the limit is.
    fn growth(&self, now: f64, rate: f64) -> f64 {
        let quiet = now - self.since.at.unwrap_or(now);
        if self.since.measured {
            // A batch is more of a small quota than of a large one.
            let quiet = quiet * (rate / 400.0).clamp(0.05, 1.0);
            (0.001 * 2_f64.powf((quiet / 10.0).min(20.0))).min(0.08)
        } else {
            (0.005 * 2_f64.powf((quiet / 2.0).min(20.0))).min(0.2)
        }
    }
}

#[cfg(test)]
mod tests;

//! How fast one quota of Graph may be used: a state machine over what was observed and when.
//!
//! Graph refills a bucket at a steady rate that depends on the size of the tenant (3,500, 5,000 or
//! 8,000 units in ten seconds for reads; 3,000 in 150 seconds for writes). It tells its size to
//! nobody: an answer may carry how full the quota is (`x-ms-throttle-limit-percentage`, from 0.8
//! on), and one over it is refused with 429 (Graph documentation, "Throttling guidance" and
//! "Service-specific throttling limits", checked 2026-11). So nothing is paced until Graph pushes
//! back; from then on what was accepted between two refusals is the rate, and it is probed upwards
//! ever faster for as long as nothing is refused. Where Graph says how full it is, it is kept just
//! under full and nothing is refused at all.
//!
//! Pure: the clock is passed in, in seconds since any beginning. Not here: waiting (`gate`), or
//! what is asked again (`batch`, `retry`).

/// Units that a batch holds at most, and the least that may be under way.
const BATCH: f64 = 20.0;
/// Under way at a time, at most.
const WIDEST_WINDOW: f64 = 64.0 * BATCH;
/// How full the quota is kept where Graph says how full it is.
const TARGET: f64 = 0.93;
/// Below this, Graph does not say.
const SILENT_BELOW: f64 = 0.8;
/// How much of the measured rate is used: the rest is for clocks that differ.
const JUST_UNDER: f64 = 0.99;

/// What is known of a quota before anything is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quota {
    /// In how many seconds an empty bucket is full again.
    refill: f64,
    /// Units a second, where it is the same in every tenant.
    known: Option<f64>,
    /// Units that may be sent at once at the beginning, where the rate is known.
    burst: f64,
    /// The rates that are documented, for the smallest tenant first, each with how
    /// many users the tenant has more than.
    documented: &'static [(usize, f64)],
    /// Whether the rate may turn out higher than known.
    probed: bool,
}

impl Quota {
    /// The same, with nobody else to leave something to for as long as nothing is refused.
    pub(super) const fn with_burst(self, burst: f64) -> Self {
        Self { burst, ..self }
    }

    /// Reads of the directory, by size of the tenant.
    pub(super) const READS: Self = Self {
        refill: 10.0,
        known: None,
        burst: 3_500.0,
        documented: &[(0, 350.0), (50, 500.0), (500, 800.0)],
        probed: true,
    };
    pub(super) const WRITES: Self = Self {
        refill: 150.0,
        known: Some(20.0),
        burst: 3_000.0,
        documented: &[(0, 20.0)],
        probed: true,
    };
    pub(super) const REPORTS: Self =
        Self { refill: 10.0, known: Some(0.5), burst: 5.0, documented: &[(0, 0.5)], probed: false };
    /// One a second for all programs of a tenant, and a refusal names no time to wait.
    pub(super) const CONDITIONAL_ACCESS: Self =
        Self { refill: 1.0, known: Some(1.0), burst: 1.0, documented: &[(0, 1.0)], probed: false };
}

impl Quota {
    /// What is documented for a tenant of at least so many users.
    fn documented_for(&self, users: usize) -> f64 {
        let fitting = self.documented.iter().rev().find(|(more_than, _)| users > *more_than);
        fitting.or(self.documented.first()).map_or(1.0, |(_, rate)| *rate)
    }
}

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
    latency: Latency,
    since: Since,
    pressure: Option<Pressure>,
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

#[derive(Debug, Clone, Copy)]
struct Pressure {
    last: f64,
    /// When Graph last said it.
    at: f64,
}

/// Seconds: the shortest of a while, and the usual.
#[derive(Debug, Clone, Copy, Default)]
struct Latency {
    shortest: f64,
    usual: f64,
}

impl Governor {
    /// For a quota of which a share may be used, above 0 and up to 1.
    pub(super) fn new(quota: Quota, share: f64, waits: Waits) -> Self {
        // With others beside it nobody may look for the wall by running into it.
        let careful = (share < 1.0).then_some(quota.documented_for(0));
        let burst = if quota.known.is_some() { quota.burst * share } else { 0.0 };
        Self {
            quota,
            share,
            waits,
            rate: quota.known.or(careful),
            documented: quota.documented_for(0),
            level: burst,
            level_at: 0.0,
            saved: burst.max(quota.refill * quota.documented_for(usize::MAX) * share),
            paused_until: 0.0,
            in_flight: 0.0,
            window: 8.0 * BATCH,
            latency: Latency::default(),
            since: Since::default(),
            pressure: None,
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
        let over = match &self.pressure {
            Some(pressure) => (1.0 + 2.0 * (TARGET - pressure.last)).clamp(0.3, 1.3),
            None => 1.0,
        };
        self.rate.map(|rate| rate * self.share * over)
    }

    /// Whether so many units may be sent; they then count as under way.
    pub(super) fn admit(&mut self, now: f64, units: f64) -> Admission {
        if now < self.paused_until {
            return Admission::In(self.paused_until - now);
        }
        if self.in_flight > 0.0 && self.in_flight + units > self.window.min(self.before_wall(now)) {
            return Admission::WhenAnswered;
        }
        self.refill(now);
        if let Some(speed) = self.speed() {
            let lacking = units.min(2.0 * BATCH) - self.level;
            if lacking > 1e-9 {
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

    /// What may be under way so that a wall that is documented is not run into: nobody knows which
    /// of them it is. Up to each at any speed, past it not much faster than it lets through.
    fn before_wall(&self, now: f64) -> f64 {
        if self.rate.is_some() || self.pressure.is_some() {
            return f64::MAX;
        }
        let gone = self.since.at.map_or(0.0, |at| now - at);
        let wall = |rate: f64| (rate, rate * (self.quota.refill + gone) - self.since.accepted);
        let mut ahead = self.quota.documented.iter().map(|(_, rate)| wall(*rate));
        let next = ahead.find(|(rate, room)| *room > -0.15 * rate);
        next.map_or(f64::MAX, |(rate, room)| room.max(1.15 * rate * self.latency.usual + BATCH))
    }

    /// What was admitted was given up before it was answered.
    pub(super) fn forget(&mut self, units: f64) {
        self.in_flight = (self.in_flight - units).max(0.0);
    }

    /// Takes note of an answer to what was admitted.
    pub(super) fn observe(&mut self, now: f64, seen: Observation) {
        self.forget(seen.accepted + seen.refused);
        self.refill(now);
        self.since.accepted += seen.accepted;
        self.since.last_answer = now;
        if seen.accepted > 0.0 {
            self.since.in_vain = 0;
        }
        self.latency.take(now - seen.sent_at);
        if let Some(pressure) = seen.pressure {
            self.press(now, pressure);
        }
        if seen.refused > 0.0 {
            self.cut(now, seen);
        } else {
            self.probe(now);
        }
        self.widen(seen.accepted);
    }

    fn refill(&mut self, now: f64) {
        let speed = self.speed().unwrap_or_default();
        let gone = (now - self.level_at).max(0.0);
        // Where Graph says how full the quota is, what was left unused shows there, and is made up
        // for little by little.
        let saved = if self.pressure.is_some() { speed / 4.0 } else { self.saved };
        self.level = (self.level + speed * gone).min(saved.max(self.least_saved()));
        self.level_at = now;
    }

    /// What is let through at once must be able to come together.
    const fn least_saved(&self) -> f64 {
        if self.quota.probed { 2.0 * BATCH } else { 1.0 }
    }

    /// Graph says how full the quota is.
    fn press(&mut self, now: f64, pressure: f64) {
        if self.rate.is_none() {
            self.learn_from_beginning(now, pressure.min(1.0));
            self.level = 0.0;
        }
        self.pressure = Some(Pressure { last: pressure.clamp(SILENT_BELOW, 2.0), at: now });
    }

    /// A full bucket and what came in since: the rate, if both are in the documented proportion.
    fn learn_from_beginning(&mut self, now: f64, used: f64) {
        let gone = now - self.since.at.unwrap_or(now);
        let rate = self.since.accepted / (self.quota.refill * used + gone);
        // Who is refused at once met a bucket that somebody else had emptied.
        self.start_over(now, rate.max(self.quota.documented_for(0)), false);
    }

    /// Something was refused. What was sent before the last refusal was answered says nothing new.
    fn cut(&mut self, now: f64, seen: Observation) {
        // Where the rate is known, less than its time is no wait.
        let least = if self.quota.probed { 0.0 } else { 1.0 / self.quota.documented_for(0) };
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
        let in_vain = self.since.in_vain;
        self.learn(now);
        self.since.in_vain = in_vain;
        self.level = 0.0;
        if self.quota.known.is_some() && !self.quota.probed {
            self.saved = 1.0;
        }
    }

    fn learn(&mut self, now: f64) {
        let Some(rate) = self.rate else { return self.learn_from_beginning(now, 1.0) };
        if !self.quota.probed {
            return self.start_over(now, rate, true);
        }
        let gone = now - self.since.at.unwrap_or(now);
        let grown = rate / self.since.rate.max(0.001);
        if self.share < 1.0 || gone < 1.0 || self.since.accepted <= 0.0 {
            // Too short to be measured: the limit has come down, or somebody else is there too.
            return self.start_over(now, rate * 0.7, false);
        }
        let measured = self.since.accepted / gone;
        if self.since.measured && grown > 1.15 || grown > 1.5 {
            // It overflowed while it was used too little, so that measures nothing.
            return self.start_over(now, measured.clamp(rate * 0.7, rate * 0.95), false);
        }
        self.start_over(now, JUST_UNDER * measured.clamp(rate * 0.5, rate * 1.1), true);
    }

    fn start_over(&mut self, now: f64, rate: f64, measured: bool) {
        let rate = rate.max(self.quota.documented_for(0) / 16.0);
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
    fn probe(&mut self, now: f64) {
        let Some(rate) = self.rate else { return };
        let gone = (now - self.since.probed_at).clamp(0.0, 1.0);
        self.since.probed_at = now;
        if !self.quota.probed || self.level > 2.0 * BATCH {
            // Whoever does not use what there is learns nothing from getting it.
            return;
        }
        let growth = match &mut self.pressure {
            Some(pressure) if now - pressure.at > self.latency.usual * 2.0 + 0.5 => {
                pressure.last = 0.75;
                (0.05 * 2_f64.powf((now - pressure.at) / 2.0)).min(0.5)
            }
            Some(pressure) => 0.05 * (TARGET - pressure.last),
            None => {
                let quiet = now - self.since.at.unwrap_or(now);
                let (first, doubles) =
                    if self.since.measured { (0.001, 10.0) } else { (0.005, 2.0) };
                // A batch is more of a small quota than of a large one.
                let quiet = if self.since.measured {
                    quiet * (rate / 400.0).clamp(0.05, 1.0)
                } else {
                    quiet
                };
                let growth = first * 2_f64.powf((quiet / doubles).min(20.0));
                growth.min(if self.since.measured { 0.08 } else { 0.5 })
            }
        };
        let most = if self.share < 1.0 { self.documented } else { f64::MAX };
        self.rate = Some((rate * (1.0 + growth * gone)).min(most));
    }

    /// As many under way as the rate needs at this latency; while there is no rate, as many as do
    /// not make the answers slower.
    fn widen(&mut self, accepted: f64) {
        if let Some(speed) = self.speed() {
            let needed = speed * self.latency.usual * 1.5 + 2.0 * BATCH;
            self.window = needed.clamp(4.0 * BATCH, WIDEST_WINDOW);
        } else if self.latency.is_slowing() {
            self.window = (self.window - accepted / 4.0).max(8.0 * BATCH);
        } else {
            self.window = (self.window + accepted).min(WIDEST_WINDOW);
        }
    }
}

impl Latency {
    fn take(&mut self, seconds: f64) {
        if self.usual <= 0.0 {
            *self = Self { shortest: seconds, usual: seconds };
        }
        self.usual += (seconds - self.usual) / 8.0;
        // The shortest is forgotten slowly, as ways change.
        self.shortest = seconds.min(self.shortest * 1.002);
    }

    fn is_slowing(&self) -> bool {
        self.usual > 2.0 * self.shortest + 0.02
    }
}

#[cfg(test)]
mod tests;

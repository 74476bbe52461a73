//! How full Graph says that a quota is (`x-ms-throttle-limit-percentage`, from 0.8 on; Graph documentation,
//! "Throttling guidance", checked 2026-11), and the rate that follows from it.
//!
//! If a bucket is as full as it was earlier, the units that came in since then are the units that were sent.
//! So the rate is measured between two moments at which the quota has just become equally full.
//!
//! Not here: what follows from the rate (`governor`).

/// How full a quota is, in tenths of the limit.
type Step = usize;

/// The lowest step that Graph reports (Graph documentation, as above).
/// Test: `slow_answers_do_not_limit_the_rate`.
const FIRST: Step = 8;
/// The step just below full. Test: `every_size_of_tenant_is_found_from_the_start`.
const NEARLY_FULL: Step = 9;
/// The step at which the quota is used up. Test: `every_size_of_tenant_is_found_from_the_start`.
const FULL: Step = 10;
/// The step of a quota that is used beyond its limit: Graph reports up to 1.8 (Graph documentation, as
/// above). Test: `quota_that_is_used_beyond_its_limit_is_used_at_half_the_rate`.
const OVER_FULL: Step = 11;
/// The number of refusals just after Graph said nothing, from which on its values are not trusted. One
/// refusal can have another reason: another program had used up the quota.
/// Test: `service_that_rarely_says_how_full_it_is_is_not_trusted`, `one_surprise_is_no_reason_for_distrust`.
const SURPRISES: u32 = 2;
/// The smallest number of units between two moments that measures a rate: 50 batches.
/// Test: `service_that_rarely_says_how_full_it_is_is_not_trusted` (fewer),
/// `partly_used_quota_is_approached_with_care` (many more).
const RESOLUTION: f64 = 1_000.0;

// The speeds at which a quota is used, as factors of its rate.

/// The speed up to the first step that Graph reports. Test: `every_size_of_tenant_is_found_from_the_start`.
const SPEED_WITH_ROOM: f64 = 1.6;
/// The speed at [`NEARLY_FULL`]. Test: `every_size_of_tenant_is_found_from_the_start`.
const SPEED_NEARLY_FULL: f64 = 1.2;
/// The speed at [`FULL`], just after it was reached. Test: `slow_answers_do_not_limit_the_rate` (higher),
/// `quota_that_is_used_beyond_its_limit_is_used_at_half_the_rate` (lower).
const SPEED_FULL: f64 = 0.93;
/// The decrease of the speed at [`FULL`], for each delay: a quota that stays full is still used too fast. A
/// delay is the units that are sent before the effect of a change shows.
/// Test: `service_with_a_faster_clock_is_followed`.
const DECREASE_FULL: f64 = 0.25;
/// The lowest speed at [`FULL`]. Test: `writes_start_at_the_documented_rate_and_find_another` (lower),
/// `every_size_of_tenant_is_found_from_the_start` (higher).
const LOWEST_SPEED_FULL: f64 = 0.3;
/// The speed at [`OVER_FULL`]. Test: `quota_that_is_used_beyond_its_limit_is_used_at_half_the_rate`.
const SPEED_OVER_FULL: f64 = 0.5;

/// How full a quota is, as far as Graph says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Fullness {
    /// The last reported step, or 0 if Graph said nothing.
    step: Step,
    /// The time at which the request with this answer was sent.
    sent_at: f64,
    /// For each step, the last moment at which the fullness rose to it and was measured.
    rises: [Option<Moment>; OVER_FULL + 1],
    /// The units that had been sent when the present step was reached.
    reached: f64,
    /// Whether Graph has ever said how full the quota is.
    tells: bool,
    /// Whether Graph has refused a request since the rate was last measured.
    refused: bool,
    /// How often Graph has refused a request just after it said nothing.
    surprises: u32,
}

/// A time, and the units that had been sent by then.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: f64,
    out: f64,
}

impl Fullness {
    /// Returns whether Graph's values, and missing values, can be relied on.
    pub(super) const fn is_telling(&self) -> bool {
        self.tells && self.surprises < SURPRISES
    }

    /// Returns whether the last answer did not say how full the quota is.
    pub(super) const fn is_silent(&self) -> bool {
        self.step == 0
    }

    /// Returns whether Graph says that the quota is full, rounded to a tenth.
    pub(super) const fn is_full(&self) -> bool {
        self.step >= FULL
    }

    /// Returns the units that were sent since Graph has said nothing. `out` units were sent so far.
    pub(super) fn unheard(&self, out: f64) -> f64 {
        if self.is_silent() { out - self.reached } else { 0.0 }
    }

    /// Records what the answer to a request says. `out` units were sent so far. Returns the rate, if this
    /// measures it.
    pub(super) fn hear(
        &mut self,
        pressure: Option<f64>,
        sent_at: f64,
        now: f64,
        out: f64,
    ) -> Option<f64> {
        self.tells |= pressure.is_some();
        // The answer to an earlier request says nothing new.
        if sent_at < self.sent_at || !self.is_telling() {
            return None;
        }
        self.sent_at = sent_at;
        let step = pressure.map_or(0, step_of);
        let previous = std::mem::replace(&mut self.step, step);
        if step != previous {
            self.reached = out;
        }
        if step <= previous {
            return None;
        }
        let rise = self.rises.get_mut(step)?;
        let moment = Moment { at: now, out };
        let Some(before) = *rise else {
            *rise = Some(moment);
            return None;
        };
        let (sent, elapsed) = (out - before.out, now - before.at);
        if sent < RESOLUTION || elapsed <= 0.0 {
            return None;
        }
        *rise = Some(moment);
        self.refused = false;
        Some(sent / elapsed)
    }

    /// Records a refusal, and whether Graph had said nothing before. Earlier measurements no longer count.
    pub(super) fn refused(&mut self, after_silence: bool) {
        self.surprises += u32::from(after_silence);
        self.refused = true;
        self.rises = [None; OVER_FULL + 1];
    }

    /// Returns the speed at which the quota is used, as a factor of its rate. `out` units were sent so far;
    /// the effect of a change shows after `delay` more units.
    pub(super) fn haste(&self, out: f64, delay: f64) -> f64 {
        match self.step {
            // The true rate is unknown until it is measured again.
            0..FULL if self.refused => 1.0,
            0..=FIRST => SPEED_WITH_ROOM,
            NEARLY_FULL => SPEED_NEARLY_FULL,
            FULL => {
                let delays = (out - self.reached) / delay;
                (SPEED_FULL - DECREASE_FULL * delays).max(LOWEST_SPEED_FULL)
            }
            _ => SPEED_OVER_FULL,
        }
    }
}

fn step_of(pressure: f64) -> Step {
    let tenths = (pressure * FULL as f64).round();
    (FIRST..=OVER_FULL).rev().find(|step| tenths >= *step as f64).unwrap_or(FIRST)
}

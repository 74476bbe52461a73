//! How full Graph says that a quota is (`x-ms-throttle-limit-percentage`, from 0.8 on; Graph documentation,
//! "Throttling guidance", checked 2026-11), and the rate that follows from it.
//!
//! If a bucket is as full as it was earlier, the units that came in since then are the units that were sent.
//! So the rate is measured between two moments at which the quota has just become equally full.
//!
//! A constant without another source is a choice; `Test:` as in `learning`.
//! Not here: what follows from the rate (`governor`).

/// How full a quota is, in tenths of the limit.
type Step = usize;

/// The lowest step that Graph reports (Graph documentation, as above).
const FIRST: Step = 8;
/// The step just below full.
const NEARLY_FULL: Step = 9;
/// The step at which the quota is used up.
const FULL: Step = 10;
/// The number of steps that are distinguished. A higher value counts as the last step.
const STEPS: usize = 16;
/// The number of refusals just after Graph said nothing, from which on its values are not trusted. Test:
/// `service_that_rarely_says_how_full_it_is_is_not_trusted`.
const SURPRISES: u32 = 2;
/// The smallest number of units between two moments that measures a rate: 50 batches. A choice without a
/// test of its own.
const RESOLUTION: f64 = 1_000.0;
/// The shortest time between two moments, against a division by zero, in seconds.
const NOT_ZERO: f64 = 0.001;

// The speeds at which a quota is used, as factors of its rate. Test, if no other is named:
// `service_with_a_faster_clock_is_followed`.

/// The speed after a refusal, until the rate is measured again: the true rate is unknown. Test:
/// `limit_that_halves_or_doubles_is_followed`, at ten times the speed, which was added with this constant.
const SPEED_AFTER_REFUSAL: f64 = 0.9;
/// The speed up to the first step that Graph reports.
const SPEED_WITH_ROOM: f64 = 1.6;
/// The speed at [`NEARLY_FULL`].
const SPEED_NEARLY_FULL: f64 = 1.2;
/// The speed at [`FULL`], just after it was reached.
const SPEED_FULL: f64 = 0.93;
/// The decrease of the speed at [`FULL`], for each delay after the first [`PATIENCE`] ones: a quota that
/// stays full is still used too fast. A delay is the units that are sent before the effect of a change shows.
const DECREASE_FULL: f64 = 0.25;
/// The number of delays after which the speed at [`FULL`] decreases. Test:
/// `slow_answers_do_not_limit_the_rate`.
const PATIENCE: f64 = 3.0;
/// The lowest speed at [`FULL`].
const LOWEST_SPEED_FULL: f64 = 0.3;
/// The speed beyond [`FULL`]. No test: the simulated services never report more than full.
const SPEED_OVER_FULL: f64 = 0.5;

// The change of the rate for each delay, as a part of the rate, so that the quota does not stay at a step at
// which some of it is unused. Test: `service_with_a_faster_clock_is_followed`.

/// The change at [`FIRST`].
const LEANING_FIRST: f64 = 0.02;
/// The change at [`NEARLY_FULL`].
const LEANING_NEARLY_FULL: f64 = 0.005;
/// The change at [`FULL`].
const LEANING_FULL: f64 = -0.005;

/// How full a quota is, as far as Graph says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Fullness {
    /// The last reported step, or 0 if Graph said nothing.
    step: Step,
    /// The time at which the request with this answer was sent.
    sent_at: f64,
    /// For each step, the last moment at which the fullness rose to it and was measured.
    rises: [Option<Moment>; STEPS],
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
        if out - before.out < RESOLUTION {
            return None;
        }
        *rise = Some(moment);
        self.refused = false;
        Some((out - before.out) / (now - before.at).max(NOT_ZERO))
    }

    /// Records a refusal, and whether Graph had said nothing before. Earlier measurements no longer count.
    pub(super) fn refused(&mut self, after_silence: bool) {
        self.surprises += u32::from(after_silence);
        self.refused = true;
        self.rises = [None; STEPS];
    }

    /// Returns the speed at which the quota is used, as a factor of its rate. `out` units were sent so far;
    /// the effect of a change shows after `delay` more units.
    pub(super) fn haste(&self, out: f64, delay: f64) -> f64 {
        match self.step {
            0..FULL if self.refused => SPEED_AFTER_REFUSAL,
            0..=FIRST => SPEED_WITH_ROOM,
            NEARLY_FULL => SPEED_NEARLY_FULL,
            FULL => {
                let late = (out - self.reached - PATIENCE * delay).max(0.0);
                (SPEED_FULL - DECREASE_FULL * late / delay).max(LOWEST_SPEED_FULL)
            }
            _ => SPEED_OVER_FULL,
        }
    }

    /// Returns the change of the rate for each delay, as a part of the rate.
    pub(super) const fn leaning(&self) -> f64 {
        match self.step {
            FIRST => LEANING_FIRST,
            NEARLY_FULL => LEANING_NEARLY_FULL,
            FULL => LEANING_FULL,
            _ => 0.0,
        }
    }
}

fn step_of(pressure: f64) -> Step {
    let tenths = (pressure * 10.0).round().clamp(FIRST as f64, (STEPS - 1) as f64);
    (FIRST..STEPS).rev().find(|step| tenths >= *step as f64).unwrap_or(FIRST)
}

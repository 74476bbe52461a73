//! How full Graph says a quota is (`x-ms-throttle-limit-percentage`, from 0.8 on; Graph
//! documentation, "Throttling guidance", checked 2026-11), and the rate that this comes to.
//!
//! Where a bucket is as full as it was a while ago, what came in meanwhile is what went out: so the
//! rate is measured between two moments at which it has just become so full. Not here: what is done
//! about it (`governor`).

/// In tenths of the limit.
type Step = usize;

/// Below this, Graph says nothing.
const FIRST: Step = 8;
const FULL: Step = 10;
/// Steps that are told apart.
const STEPS: usize = 16;
/// So many refusals out of silence, and silence says nothing.
const SURPRISES: u32 = 2;
/// Units between two moments, at least, for the rate between them to be worth something.
const RESOLUTION: f64 = 1_000.0;

/// How full a quota is, as far as Graph says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Fullness {
    /// What was said last, and nothing where it was silent.
    step: Step,
    /// When that was sent of which it was said.
    sent_at: f64,
    /// When each step was last risen to for the sake of measuring, and what had gone out by then.
    rises: [Option<Moment>; STEPS],
    /// Units that had gone out when the present step was reached.
    reached: f64,
    /// Graph has said how full it is.
    tells: bool,
    /// Graph has refused something since the rate was last measured.
    refused: bool,
    /// How often Graph has refused something just after it was silent.
    surprises: u32,
}

#[derive(Debug, Clone, Copy)]
struct Moment {
    at: f64,
    out: f64,
}

impl Fullness {
    /// Whether what is said, and what is not said, can be relied on.
    pub(super) const fn is_telling(&self) -> bool {
        self.tells && self.surprises < SURPRISES
    }

    /// Whether Graph says that it is as full as it says at all.
    pub(super) const fn is_silent(&self) -> bool {
        self.step == 0
    }

    /// Whether Graph says that it is full, to a tenth of it.
    pub(super) const fn is_full(&self) -> bool {
        self.step >= FULL
    }

    /// Units that have gone out while Graph said nothing, of which `out` have by now.
    pub(super) fn unheard(&self, out: f64) -> f64 {
        if self.is_silent() { out - self.reached } else { 0.0 }
    }

    /// Takes in what was said of something that was sent once: by now `out` units have gone out.
    /// The rate, where this measures it.
    pub(super) fn hear(
        &mut self,
        said: Option<f64>,
        sent_at: f64,
        now: f64,
        out: f64,
    ) -> Option<f64> {
        self.tells |= said.is_some();
        // What was sent earlier says nothing about now.
        if sent_at < self.sent_at || !self.is_telling() {
            return None;
        }
        self.sent_at = sent_at;
        let step = said.map_or(0, step_of);
        let was = std::mem::replace(&mut self.step, step);
        if step != was {
            self.reached = out;
        }
        if step <= was {
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
        Some((out - before.out) / (now - before.at).max(0.001))
    }

    /// Something was refused, after Graph had been silent or not. What was measured before is of
    /// another time.
    pub(super) fn refused(&mut self, after_silence: bool) {
        self.surprises += u32::from(after_silence);
        self.refused = true;
        self.rises = [None; STEPS];
    }

    /// How much faster than its rate a quota is used that is so full. `out` units have gone out by
    /// now, and what is done shows when so many more have.
    pub(super) fn haste(&self, out: f64, delay: f64) -> f64 {
        match self.step {
            // What the rate is worth is not known.
            0..FULL if self.refused => 0.9,
            0..=FIRST => 1.6,
            9 => 1.2,
            FULL => {
                // Who stays here is too fast all the same.
                let late = (out - self.reached - 3.0 * delay).max(0.0);
                (0.93 - 0.25 * late / delay).max(0.3)
            }
            _ => 0.5,
        }
    }

    /// How much the rate grows or shrinks for as many units as go out unseen, so that the quota
    /// does not settle where something is left unused.
    pub(super) const fn leaning(&self) -> f64 {
        match self.step {
            FIRST => 0.02,
            9 => 0.005,
            FULL => -0.005,
            _ => 0.0,
        }
    }
}

fn step_of(said: f64) -> Step {
    let tenths = (said * 10.0).round().clamp(8.0, 15.0);
    (FIRST..STEPS).rev().find(|step| tenths >= *step as f64).unwrap_or(FIRST)
}

//! The time that answers take.
//!
//! Not here: what follows from slow answers (`window`).

/// The divisor of the moving average: each answer moves the usual latency by an eighth of the difference.
/// Test: `one_slow_answer_is_no_sign_of_an_overload`.
const SMOOTHING: f64 = 8.0;
/// The factor by which the shortest latency grows with each answer: the network route can change for good. It
/// doubles in about 3,500 answers.
/// Test: `longer_route_is_used_at_full_speed_in_the_end`, `overloaded_service_is_spared`.
const FORGETTING: f64 = 1.000_2;
/// Answers are slowing down if the usual latency is more than this factor of the shortest one …
/// Test: `overloaded_service_is_spared`, `jitter_is_no_sign_of_an_overload`.
const SLOW_FACTOR: f64 = 2.0;
/// … plus this number of seconds, for the jitter of very short latencies.
/// Test: `jitter_is_no_sign_of_an_overload`.
const SLOW_MARGIN: f64 = 0.02;

/// The shortest recent latency and the usual one, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Latency {
    shortest: f64,
    pub(super) usual: f64,
}

impl Latency {
    pub(super) fn take(&mut self, seconds: f64) {
        if self.usual <= 0.0 {
            *self = Self { shortest: seconds, usual: seconds };
        }
        self.usual += (seconds - self.usual) / SMOOTHING;
        self.shortest = seconds.min(self.shortest * FORGETTING);
    }

    pub(super) fn is_slowing(&self) -> bool {
        self.usual > SLOW_FACTOR * self.shortest + SLOW_MARGIN
    }
}

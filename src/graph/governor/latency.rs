//! The time that answers take.
//!
//! Not here: what follows from slow answers (`window`).

/// The divisor of the moving average: each answer moves the usual latency by an eighth of the difference. A
/// choice without a test of its own.
const SMOOTHING: f64 = 8.0;
/// The factor by which the shortest latency grows with each answer, because network routes change. A choice
/// without a test of its own.
const FORGETTING: f64 = 1.002;
/// Answers are slowing down if the usual latency is more than this factor of the shortest one …
const SLOW_FACTOR: f64 = 2.0;
/// … plus this number of seconds, for the jitter of very short latencies. Test:
/// `service_with_a_faster_clock_is_followed`, whose latencies are a few milliseconds.
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

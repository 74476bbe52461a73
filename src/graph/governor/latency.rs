//! How long answers take.

/// Seconds: the shortest of a while, and the usual.
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
        self.usual += (seconds - self.usual) / 8.0;
        // The shortest is forgotten slowly, as ways change.
        self.shortest = seconds.min(self.shortest * 1.002);
    }

    pub(super) fn is_slowing(&self) -> bool {
        self.usual > 2.0 * self.shortest + 0.02
    }
}

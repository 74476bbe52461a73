//! What is documented of the quotas (Graph documentation, "Service-specific throttling limits",
//! checked 2026-11).
//!
//! Not here: what was learnt of them (`governor`).

/// What is known of a quota before anything is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::graph) struct Quota {
    /// In how many seconds an empty bucket is full again.
    pub(super) refill: f64,
    /// Units a second, for the smallest tenant first, each with how many users the tenant has more
    /// than.
    pub(super) documented: &'static [(usize, f64)],
    /// Where the rate is taken for known from the start: the units that may be sent at once.
    pub(super) burst: Option<f64>,
}

impl Quota {
    /// Reads of the directory, by size of the tenant.
    pub(in crate::graph) const READS: Self =
        Self { refill: 10.0, documented: &[(0, 350.0), (50, 500.0), (500, 800.0)], burst: None };
    pub(in crate::graph) const WRITES: Self =
        Self { refill: 150.0, documented: &[(0, 20.0)], burst: None };
    pub(in crate::graph) const REPORTS: Self =
        Self { refill: 10.0, documented: &[(0, 0.5)], burst: Some(5.0) };
    /// One a second for all programs of a tenant, and a refusal names no time to wait.
    pub(in crate::graph) const CONDITIONAL_ACCESS: Self =
        Self { refill: 1.0, documented: &[(0, 1.0)], burst: Some(1.0) };

    /// The same, with nobody else to leave something to for as long as nothing is refused.
    pub(in crate::graph) const fn with_burst(self, burst: f64) -> Self {
        Self { burst: Some(burst), ..self }
    }

    /// What is documented for a tenant of at least so many users.
    pub(super) fn documented_for(&self, users: usize) -> f64 {
        let fitting = self.documented.iter().rev().find(|(more_than, _)| users > *more_than);
        fitting.or(self.documented.first()).map_or(1.0, |(_, rate)| *rate)
    }

    /// What is documented for the smallest tenant, and for the largest.
    pub(super) fn least(&self) -> f64 {
        self.documented_for(0)
    }

    pub(super) fn most(&self) -> f64 {
        self.documented_for(usize::MAX)
    }

    /// Whether the rate is looked for; otherwise it is what is documented.
    pub(super) const fn is_probed(&self) -> bool {
        self.burst.is_none()
    }
}

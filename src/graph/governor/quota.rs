//! The documented quotas (Graph documentation, "Service-specific throttling limits", checked 2026-11).
//!
//! Not here: what a run learns about them (`governor`).

/// The facts about a quota that are known before the first request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::graph) struct Quota {
    /// The seconds in which an empty bucket becomes full.
    pub(super) refill: f64,
    /// The rates in units a second, the smallest tenant first. Each rate is for tenants with more users than
    /// the number in front of it.
    pub(super) documented: &'static [(usize, f64)],
    /// The units that may be sent at once, if the documented rate is used from the start. `None` if the
    /// real rate is searched for.
    pub(super) burst: Option<f64>,
}

impl Quota {
    /// Reads of the directory: 3,500, 5,000 or 8,000 units in 10 seconds, by the size of the tenant.
    pub(in crate::graph) const READS: Self =
        Self { refill: 10.0, documented: &[(0, 350.0), (50, 500.0), (500, 800.0)], burst: None };
    /// Writes to the directory: 3,000 in 150 seconds.
    pub(in crate::graph) const WRITES: Self =
        Self { refill: 150.0, documented: &[(0, 20.0)], burst: None };
    /// Reports: 5 requests in 10 seconds.
    pub(in crate::graph) const REPORTS: Self =
        Self { refill: 10.0, documented: &[(0, 0.5)], burst: Some(5.0) };
    /// Conditional Access: one request a second for all programs of a tenant. A refusal names no time to
    /// wait.
    pub(in crate::graph) const CONDITIONAL_ACCESS: Self =
        Self { refill: 1.0, documented: &[(0, 1.0)], burst: Some(1.0) };

    /// Returns the same quota with another burst.
    pub(in crate::graph) const fn with_burst(self, burst: f64) -> Self {
        Self { burst: Some(burst), ..self }
    }

    /// Returns the documented rate for a tenant with at least this number of users.
    pub(super) fn documented_for(&self, users: usize) -> f64 {
        let fitting = self.documented.iter().rev().find(|(more_than, _)| users > *more_than);
        fitting.or(self.documented.first()).map_or(1.0, |(_, rate)| *rate)
    }

    /// Returns the documented rate for the smallest tenant.
    pub(super) fn least(&self) -> f64 {
        self.documented_for(0)
    }

    /// Returns the documented rate for the largest tenant.
    pub(super) fn most(&self) -> f64 {
        self.documented_for(usize::MAX)
    }

    /// Returns whether the real rate is searched for. Otherwise the documented rate is used.
    pub(super) const fn is_probed(&self) -> bool {
        self.burst.is_none()
    }
}

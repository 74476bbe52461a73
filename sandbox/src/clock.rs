//! The clock of the service: its current time, and the time that has passed.
//!
//! A test can stop the clock and advance it by hand. The clock can also run faster than real time,
//! and it can be wrong. Not here: the day of the tenant (`Seed::today`), which never changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A clock. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock {
    began: Timestamp,
    hand: Hand,
}

#[derive(Debug, Clone)]
enum Hand {
    Running {
        since: Instant,
        rate: u32,
    },
    /// The milliseconds by which it was advanced.
    Held(Arc<AtomicU64>),
}

impl Clock {
    /// The clock of the machine.
    pub fn real() -> Self {
        Self::running(1, SignedDuration::ZERO)
    }

    /// A clock that runs `rate` times as fast as the machine's, and is ahead of it by `skew`.
    pub fn running(rate: u32, skew: SignedDuration) -> Self {
        let now = Timestamp::now();
        Self {
            began: now.checked_add(skew).unwrap_or(now),
            hand: Hand::Running { since: Instant::now(), rate: rate.max(1) },
        }
    }

    /// A clock that stands still until it is advanced.
    pub fn held() -> Self {
        Self { began: Timestamp::now(), hand: Hand::Held(Arc::default()) }
    }

    /// Advances a held clock. A running clock ignores this.
    pub fn advance(&self, by: Duration) {
        if let Hand::Held(passed) = &self.hand {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            passed.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// The time that has passed by this clock since it was created.
    pub fn passed(&self) -> Duration {
        match &self.hand {
            Hand::Running { since, rate } => since.elapsed().saturating_mul(*rate),
            Hand::Held(passed) => Duration::from_millis(passed.load(Ordering::SeqCst)),
        }
    }

    /// The current time by this clock.
    pub fn now(&self) -> Timestamp {
        SignedDuration::try_from(self.passed())
            .ok()
            .and_then(|passed| self.began.checked_add(passed).ok())
            .unwrap_or(self.began)
    }

    /// The time this many seconds from now, in the format of HTTP.
    pub(crate) fn date_in(&self, seconds: u64) -> String {
        let ahead = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
        let now = self.now();
        let then = now.checked_add(ahead).unwrap_or(now);
        then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Converts seconds of this clock to whole seconds of real time, rounded up.
    pub fn told(&self, seconds: u64) -> u64 {
        match &self.hand {
            Hand::Running { rate, .. } => seconds.div_ceil(u64::from(*rate)),
            Hand::Held(_) => seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_clock_moves_only_when_advanced() {
        let clock = Clock::held();
        let same = clock.clone();
        clock.advance(Duration::from_secs(90));
        assert_eq!(same.passed(), Duration::from_secs(90));
        assert_eq!(same.now().duration_since(same.began).as_secs(), 90);
    }

    #[test]
    fn fast_clock_reports_shorter_times() {
        let clock = Clock::running(100, SignedDuration::from_secs(3600));
        assert_eq!(clock.told(3599), 36);
        assert!(clock.now() > Timestamp::now());
    }
}

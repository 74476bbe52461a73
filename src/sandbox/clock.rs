//! The clock of the service: what it calls now, and how much of its time has passed.
//!
//! A test can hold it and move it on by hand; it can run faster than the world's, and it can be
//! wrong. The day of the tenant is something else (`Seed::today`): a story that stays the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Clones are the same clock.
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
    /// Milliseconds that were let pass.
    Held(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's own.
    pub fn real() -> Self {
        Self::running(1, SignedDuration::ZERO)
    }

    /// One that goes `rate` times as fast as the machine's, and is ahead of it by `skew`.
    pub fn running(rate: u32, skew: SignedDuration) -> Self {
        let now = Timestamp::now();
        Self {
            began: now.checked_add(skew).unwrap_or(now),
            hand: Hand::Running { since: Instant::now(), rate: rate.max(1) },
        }
    }

    /// One that stands until it is moved on.
    pub fn held() -> Self {
        Self { began: Timestamp::now(), hand: Hand::Held(Arc::default()) }
    }

    /// Moves a held clock on; any other goes by itself.
    pub fn advance(&self, by: Duration) {
        if let Hand::Held(passed) = &self.hand {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            passed.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// How much time has passed by this clock since it was made.
    pub fn passed(&self) -> Duration {
        match &self.hand {
            Hand::Running { since, rate } => since.elapsed().saturating_mul(*rate),
            Hand::Held(passed) => Duration::from_millis(passed.load(Ordering::SeqCst)),
        }
    }

    /// What time it is by this clock.
    pub fn now(&self) -> Timestamp {
        SignedDuration::try_from(self.passed())
            .ok()
            .and_then(|passed| self.began.checked_add(passed).ok())
            .unwrap_or(self.began)
    }

    /// The time so many seconds from now, as HTTP writes it.
    pub(crate) fn date_in(&self, seconds: u64) -> String {
        let ahead = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
        let now = self.now();
        let then = now.checked_add(ahead).unwrap_or(now);
        then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Seconds of this clock in whole seconds of whoever lives at the ordinary pace.
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
    fn a_held_clock_goes_when_it_is_told() {
        let clock = Clock::held();
        let same = clock.clone();
        clock.advance(Duration::from_secs(90));
        assert_eq!(same.passed(), Duration::from_secs(90));
        assert_eq!(same.now().duration_since(same.began).as_secs(), 90);
    }

    #[test]
    fn a_fast_clock_tells_short_times() {
        let clock = Clock::running(100, SignedDuration::from_secs(3600));
        assert_eq!(clock.told(3599), 36);
        assert!(clock.now() > Timestamp::now());
    }
}

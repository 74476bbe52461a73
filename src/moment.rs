//! A moment by every clock of this machine, so that the age of data is never underestimated: on Linux
//! and macOS, the clock of [`Instant`] stops while the machine is suspended.
//!
//! Not here: which age is too old (`apply::context`, `graph::auth`), or the timing of requests.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::interval;

/// How often a waiting task checks the clock: a timer stops while the machine is suspended.
const CHECK_EVERY: Duration = Duration::from_millis(250);

/// A moment, as all clocks show it.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    monotonic: Instant,
    /// The time since the machine started, including suspend; `None` if the system has no such clock.
    awake_or_not: Option<Duration>,
    /// The wall clock. It can be set during a run; that can make data seem older, never younger.
    wall: SystemTime,
}

impl Moment {
    #[must_use]
    pub fn now() -> Self {
        Self { monotonic: Instant::now(), awake_or_not: awake_or_not(), wall: SystemTime::now() }
    }

    /// Returns the time since an earlier moment, by the clock that shows most.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let monotonic = self.monotonic.saturating_duration_since(earlier.monotonic);
        let of_both = self.awake_or_not.zip(earlier.awake_or_not);
        let awake_or_not = of_both.map(|(now, then)| now.saturating_sub(then));
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        monotonic.max(awake_or_not.unwrap_or_default()).max(wall)
    }

    /// Whether this moment is earlier than the other, or the same. It uses the monotonic clock alone,
    /// because that clock cannot be set.
    #[must_use]
    pub fn is_before_or_at(&self, other: &Self) -> bool {
        self.monotonic <= other.monotonic
    }

    /// Returns the same moment on a machine that was suspended for this time before it.
    #[must_use]
    pub fn suspended(self, time: Duration) -> Self {
        let awake_or_not = self.awake_or_not.map(|since| since.saturating_add(time));
        Self { awake_or_not, ..self.set_forward(time) }
    }

    /// Returns the same moment on a machine whose wall clock was set forward before it.
    #[must_use]
    pub fn set_forward(self, by: Duration) -> Self {
        Self { wall: self.wall.checked_add(by).unwrap_or(self.wall), ..self }
    }

    /// Returns the same moment on a machine whose wall clock was set back before it.
    #[must_use]
    pub fn set_back(self, by: Duration) -> Self {
        Self { wall: self.wall.checked_sub(by).unwrap_or(self.wall), ..self }
    }
}

/// A source of moments. All clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Default for Clock {
    /// The clocks of this machine.
    fn default() -> Self {
        Self::by(Moment::now)
    }
}

impl Clock {
    /// Returns a clock that shows what the function returns.
    pub fn by(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }

    /// Returns the age of data of that moment.
    #[must_use]
    pub fn age(&self, of: &Moment) -> Duration {
        self.now().since(of)
    }

    /// Waits until data of that moment has this age. Every poll checks the age, so that nothing else that
    /// became ready in the meantime comes first.
    pub async fn passes(&self, of: &Moment, age: Duration) {
        let left = age.saturating_sub(self.age(of));
        let mut checks = interval(left.clamp(Duration::from_millis(1), CHECK_EVERY));
        poll_fn(|context| {
            loop {
                if self.age(of) >= age {
                    return Poll::Ready(());
                }
                if checks.poll_tick(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Linux has a separate clock that counts suspend (clock_gettime(2), checked 2026-11).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn awake_or_not() -> Option<Duration> {
    read(rustix::time::ClockId::Boottime)
}

/// On macOS, `Instant` reads CLOCK_UPTIME_RAW, and CLOCK_MONOTONIC counts suspend (clock_gettime(3) of
/// XNU, checked 2026-11).
#[cfg(target_vendor = "apple")]
fn awake_or_not() -> Option<Duration> {
    read(rustix::time::ClockId::Monotonic)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
const fn awake_or_not() -> Option<Duration> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn read(clock: rustix::time::ClockId) -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(clock)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_largest_difference_of_all_clocks_counts() {
        let then = Moment::now();
        let second = Duration::from_secs(1);
        let now = Moment { monotonic: then.monotonic + second, ..then };
        assert_eq!(now.since(&then), second);
        assert_eq!(now.suspended(HOUR).since(&then), HOUR);
        assert_eq!(now.set_forward(HOUR).since(&then), HOUR);
        assert_eq!(now.set_back(HOUR).since(&then), second, "data never becomes younger");
        assert_eq!(then.since(&now), Duration::ZERO);
    }

    #[test]
    fn suspend_counts_even_if_the_wall_clock_is_set_back() {
        let then = Moment::now();
        let now = then.suspended(HOUR).set_back(HOUR);
        assert_eq!(now.since(&then) >= HOUR, then.awake_or_not.is_some());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_has_a_clock_that_counts_suspend() {
        let (then, clock) = (Moment::now(), Clock::default());
        std::thread::sleep(Duration::from_millis(20));
        let now = clock.now();
        let passed = now.awake_or_not.unwrap() - then.awake_or_not.unwrap();
        assert!(passed >= Duration::from_millis(20), "{passed:?}");
        assert!(clock.age(&then) < HOUR);
        assert!(then.is_before_or_at(&now) && !now.is_before_or_at(&then));
    }
}

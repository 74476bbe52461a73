//! How long to wait before asking again.
//!
//! Not here: whether to ask again, which depends on what was asked (`client`, `batch`).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::error::{Error, Kind};

/// How often and how fast is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The wait before the second try where the server names none; it doubles each time.
    pub base: Duration,
    /// No single wait is longer, whatever the server asks for.
    pub longest: Duration,
    /// How often a request is sent at most.
    pub tries: u32,
    /// How often a connection is tried at most by who was never answered: an address with a typo
    /// in it is no network that comes back.
    pub connects: u32,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long an answer may be silent, before its first byte and between any two.
    pub silence: Duration,
    /// How long one request may take with its whole answer, however busily it trickles.
    pub whole: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            longest: Duration::from_secs(300),
            tries: 6,
            connects: 3,
            connect: Duration::from_secs(10),
            // Graph itself gives up after 60 seconds: its answer is to come before ours (Graph
            // documentation, "Microsoft Entra authentication methods API overview", checked
            // 2026-11).
            silence: Duration::from_secs(65),
            whole: Duration::from_secs(300),
        }
    }
}

impl Pace {
    /// The pace of somebody who was answered before: what is gone was there, and may come back.
    pub(super) const fn once_answered(self) -> Self {
        Self { connects: self.tries, ..self }
    }

    /// How often to try in the face of this error.
    pub(super) fn tries_at(&self, error: &Error) -> u32 {
        match error.kind() {
            Kind::Connect => self.connects.min(self.tries),
            _ => self.tries,
        }
    }

    /// The wait after a try, counted from 0. What the server asks for is never cut short by
    /// chance, only by `longest`; both kinds are spread so that requests do not come back at once.
    pub(super) fn wait(&self, tried: u32, asked: Option<Duration>) -> Duration {
        let wait = match asked {
            Some(asked) => asked.saturating_add(self.base.mul_f64(fastrand::f64() / 2.0)),
            None => {
                let full = self.base.saturating_mul(2_u32.saturating_pow(tried));
                full.min(self.longest).mul_f64(0.5 + fastrand::f64() / 2.0)
            }
        };
        wait.min(self.longest)
    }
}

/// A `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). A date is held against the
/// answer's own `Date`, as the two come from one clock; ours may be wrong.
pub(super) fn retry_after(value: &str, answered: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = http_date(value)?;
    let now = answered.and_then(http_date).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// For the log, whose JSON knows no number of more than 64 bits.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn http_date(value: &str) -> Option<Timestamp> {
    static HTTP_DATE: DateTimeParser = DateTimeParser::new();
    HTTP_DATE.parse_timestamp(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let of = |value: &str| retry_after(value, Some("Sun, 22 Nov 2026 10:00:00 GMT"));
        assert_eq!(of("17"), Some(Duration::from_secs(17)));
        assert_eq!(of(" 0 "), Some(Duration::ZERO));
        assert_eq!(of("Sun, 22 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(of("Sun, 22 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        for none in ["", "soon", "-5", "1.5"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_date_without_another_is_held_against_our_clock() {
        for answered in [None, Some("today")] {
            assert_eq!(
                retry_after("Sun, 22 Nov 2015 10:00:30 GMT", answered),
                Some(Duration::ZERO)
            );
            let far = retry_after("Fri, 22 Nov 2199 10:00:30 GMT", answered);
            assert!(far > Some(Duration::from_secs(86_400)), "{far:?}");
        }
    }

    #[test]
    fn waits_double_and_are_bounded() {
        let pace = Pace::default();
        for (tried, full) in [(0, 500), (1, 1000), (2, 2000), (3, 4000)] {
            let wait = pace.wait(tried, None);
            assert!(wait >= Duration::from_millis(full / 2), "{wait:?}");
            assert!(wait <= Duration::from_millis(full), "{wait:?}");
        }
        assert!(pace.wait(60, None) <= pace.longest);
        assert_eq!(pace.wait(0, Some(Duration::from_secs(100_000))), pace.longest);
    }

    #[test]
    fn no_less_is_waited_than_the_server_asks() {
        let asked = Duration::from_secs(7);
        for _ in 0..100 {
            let wait = Pace::default().wait(0, Some(asked));
            assert!(wait >= asked && wait <= asked + Duration::from_millis(250), "{wait:?}");
        }
    }
}

//! How often a request is sent, and how long to wait before the next try.
//!
//! Not here: whether to send it again, which depends on the request (`client`, `batch`).

use std::time::Duration;

use super::error::{Error, ErrorKind};

/// The number of tries, the waits between them, and the timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The wait before the second try if the server names none. It doubles with each try.
    pub base: Duration,
    /// The longest single wait, even if the server asks for a longer one.
    pub longest: Duration,
    /// The largest number of times that a request is sent.
    pub tries: u32,
    /// The largest number of times that a connection is tried before the first answer: an address with a
    /// typo will not start to answer later.
    pub connects: u32,
    /// The timeout for making a connection.
    pub connect: Duration,
    /// The timeout for the first byte of an answer, and between any two bytes.
    pub silence: Duration,
    /// The timeout for one request with its whole answer, even if bytes keep arriving.
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
            // Graph itself gives up after 60 seconds (Graph documentation, "Microsoft Entra
            // authentication methods API overview", checked 2026-11). Its answer must arrive before
            // this timeout.
            silence: Duration::from_secs(65),
            whole: Duration::from_secs(300),
        }
    }
}

impl Pace {
    /// Returns the pace after the first answer: the server existed, so its connection may come back.
    pub(super) const fn once_answered(self) -> Self {
        Self { connects: self.tries, ..self }
    }

    /// Returns how often to try after this error.
    pub(super) fn tries_at(&self, error: &Error) -> u32 {
        match error.kind() {
            ErrorKind::Connect => self.connects.min(self.tries),
            _ => self.tries,
        }
    }

    /// Returns the wait after a try, counted from 0. Jitter never makes it shorter than the server asks;
    /// only `longest` does. Both kinds of wait have jitter, so that requests do not return all at once.
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

/// Returns the milliseconds for the log, whose JSON supports at most 64 bits.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
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
    fn wait_is_never_shorter_than_the_server_asks() {
        let asked = Duration::from_secs(7);
        for _ in 0..100 {
            let wait = Pace::default().wait(0, Some(asked));
            assert!(wait >= asked && wait <= asked + Duration::from_millis(250), "{wait:?}");
        }
    }
}

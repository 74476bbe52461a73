//! The total time for all requests of a client.
//!
//! It is monotonic: setting the system clock during a run changes nothing. Not here: how long one request
//! may take (`retry`).

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Method;
use tokio::time::{Instant, sleep, timeout_at};

use super::error::{Error, ErrorKind};

/// The time at which the last request must have ended; `None` if there is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deadline(Option<End>);

#[derive(Debug, Clone, Copy)]
struct End {
    at: Instant,
    total: Duration,
}

/// The total time, after it is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over(Duration);

impl Deadline {
    pub(super) fn after(total: Duration) -> Self {
        // A time too far in the future for `Instant` means no limit.
        Self(Instant::now().checked_add(total).map(|at| End { at, total }))
    }

    pub(super) fn check(&self) -> Result<(), Over> {
        match self.0 {
            Some(end) if Instant::now() >= end.at => Err(Over(end.total)),
            _ => Ok(()),
        }
    }

    /// Runs the work until it ends or the time is over.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Over> {
        self.check()?;
        match self.0 {
            Some(end) => timeout_at(end.at, work).await.map_err(|_| Over(end.total)),
            None => Ok(work.await),
        }
    }

    /// Waits. Returns at once with an error if the time would be over before the wait ends.
    pub(super) async fn wait(&self, wait: Duration) -> Result<(), Over> {
        if let Some(end) = self.0
            && Instant::now().checked_add(wait).is_none_or(|woken| woken >= end.at)
        {
            return Err(Over(end.total));
        }
        sleep(wait).await;
        Ok(())
    }
}

impl Over {
    /// Returns the error of a request that was not sent, with the error of its last try.
    pub(super) fn unsent(self, method: &Method, path: &str, before: Option<&Error>) -> Error {
        let before = before.map(|error| format!(" (last error: {error})")).unwrap_or_default();
        Error::new(ErrorKind::Deadline, method, path).with_message(&format!("{self}{before}"))
    }

    /// Returns the error of a request that was in flight: its outcome is unknown.
    pub(super) fn in_flight(self, method: &Method, path: &str) -> Error {
        Error::new(ErrorKind::Timeout, method, path).with_message(&self.to_string())
    }
}

impl std::fmt::Display for Over {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX);
        write!(f, "the total time of {total:#} is over")
    }
}

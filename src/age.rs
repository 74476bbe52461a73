//! Whether a file that another run made is too old, or from the future by the clock of this machine.
//!
//! Not here: which age is allowed (`commands`), or the clock of one run (`moment`).

use jiff::{SignedDuration, Timestamp};

/// By how much the clocks of two machines may differ.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Why a file is not used because of the time at which it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongAge {
    /// It is older than allowed, in whole minutes.
    Old {
        minutes: i64,
        most: i64,
    },
    FromTheFuture,
}

impl WrongAge {
    /// Compares the age with the maximum.
    ///
    /// # Errors
    /// It is older, or was made after `now`.
    pub fn check(made: Timestamp, now: Timestamp, most: SignedDuration) -> Result<(), Self> {
        let age = now.duration_since(made);
        if age < -CLOCKS_DIFFER {
            return Err(Self::FromTheFuture);
        }
        match age > most {
            true => Err(Self::Old { minutes: age.as_mins(), most: most.as_mins() }),
            false => Ok(()),
        }
    }

    /// Returns the sentence about a file, such as `the plan`.
    #[must_use]
    pub fn about(self, file: &str) -> String {
        match self {
            Self::Old { minutes, most } => {
                format!("{file} is {minutes} minutes old, but the maximum is {most}")
            }
            Self::FromTheFuture => {
                format!("{file} was made in the future, according to the clock of this machine")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_too_old_or_from_the_future_are_refused() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let day = SignedDuration::from_hours(24);
        let check =
            |span: &str| WrongAge::check(now - span.parse::<SignedDuration>().unwrap(), now, day);
        assert_eq!(check("24h"), Ok(()));
        assert_eq!(check("24h 1m 1s"), Err(WrongAge::Old { minutes: 1441, most: 1440 }));
        assert_eq!(check("-4m"), Ok(()));
        assert_eq!(check("-6m"), Err(WrongAge::FromTheFuture));
    }
}

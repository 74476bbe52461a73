//! The line that says that an output is from a snapshot, and of when.
//!
//! Not here: what a snapshot is (`snapshot`).

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns the words, such as `from a snapshot of 2026-11-26 02:04 UTC, not applyable`.
#[must_use]
pub fn words(made: Timestamp) -> String {
    let made = made.to_zoned(TimeZone::UTC);
    format!("from a snapshot of {} UTC, not applyable", made.strftime("%Y-%m-%d %H:%M"))
}

/// Returns the line of a text, or nothing if the output is of the tenant itself.
#[must_use]
pub fn line(made: Option<Timestamp>) -> String {
    made.map_or_else(String::new, |made| format!("{}\n", words(made)))
}

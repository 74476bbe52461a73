//! A company of about sixty people that is turning MFA on. Every case that matters occurs once or
//! twice.
//!
//! Not here: what policies should do with these users.

pub(super) mod groups;
pub(super) mod people;
mod roles;
pub(super) mod tenant;
#[cfg(test)]
mod tests;
mod variants;

pub(super) use variants::{VARIANTS, variant};

use jiff::civil::{Date, date};

use crate::records::Seed;

/// The current day of all seeds, a Sunday.
pub(super) const TODAY: Date = date(2026, 11, 22);

/// The tenant without Conditional Access and security defaults, and with all methods allowed.
pub fn exchangelabs() -> Seed {
    Seed {
        name: "exchangelabs".to_owned(),
        today: TODAY,
        tenant: tenant::documents(),
        users: people::all(),
        groups: groups::all(),
        generated: None,
    }
}

//! A company of about sixty people who turn MFA on: every case that matters, once or twice.
//!
//! What policies should make of them is not here, only how they are found.

pub(super) mod groups;
pub(super) mod people;
mod roles;
pub(super) mod tenant;
#[cfg(test)]
mod tests;
mod variants;

pub(super) use variants::{VARIANTS, variant};

use jiff::civil::{Date, date};

use crate::sandbox::records::Seed;

/// The Sunday on which all seeds begin.
pub(super) const TODAY: Date = date(2026, 11, 22);

/// The tenant with no Conditional Access, no security defaults, and all methods allowed.
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

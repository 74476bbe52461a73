//! Until when texts and calls are delivered.
//!
//! Microsoft stops delivering them itself on 2027-02-01, and on 2027-07-01 to Global
//! Administrators and external users; a tenant with a telephony provider of its own keeps them, and
//! so do the national clouds for now (Entra documentation, "SMS and voice retirement" and its FAQ of
//! 2026-09, checked 2026-11). The two pages have disagreed before: the dates are data.

use jiff::civil::{Date, date};

/// The first days on which nothing is delivered any more; `None` where that day is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub ends: Option<Date>,
    /// For Global Administrators, active or eligible.
    pub privileged_ends: Option<Date>,
}

impl Delivery {
    /// By Microsoft, in the public cloud.
    pub const MICROSOFT: Self =
        Self { ends: Some(date(2027, 2, 1)), privileged_ends: Some(date(2027, 7, 1)) };

    /// By a provider of the tenant's own, or in a cloud for which no day is announced.
    pub const UNENDING: Self = Self { ends: None, privileged_ends: None };
}

impl Default for Delivery {
    fn default() -> Self {
        Self::MICROSOFT
    }
}

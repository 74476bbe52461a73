//! Until when texts and calls are delivered.
//!
//! Microsoft stops delivering them on 2027-02-01, and to Global Administrators and external users on
//! 2027-07-01. A tenant with its own telephony provider keeps them, and so do the national clouds for now
//! (Entra documentation, "SMS and voice retirement" and its FAQ of 2026-09, checked 2026-11). The two pages
//! have disagreed before, so the dates are data.
//!
//! Not here: whether a phone is usable (`posture`).

use jiff::civil::{Date, date};

/// The first days without delivery; `None` if there is no such day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub ends: Option<Date>,
    /// For Global Administrators, active or eligible.
    pub privileged_ends: Option<Date>,
}

impl Delivery {
    /// Delivery by Microsoft, in the public cloud.
    pub const MICROSOFT: Self =
        Self { ends: Some(date(2027, 2, 1)), privileged_ends: Some(date(2027, 7, 1)) };

    /// Delivery by the tenant's own provider, or in a cloud without an announced end.
    pub const UNENDING: Self = Self { ends: None, privileged_ends: None };
}

impl Default for Delivery {
    fn default() -> Self {
        Self::MICROSOFT
    }
}

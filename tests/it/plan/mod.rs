//! Plans: from the observed and the desired state to changes.

pub(crate) mod against;
pub(crate) mod delivery;
pub(crate) mod difference;
pub(crate) mod html;
pub(crate) mod loosened_users;
pub(crate) mod loosenings;
pub(crate) mod markdown;
pub(crate) mod narrowing;
pub(crate) mod number_conflicts;
pub(crate) mod numbers;
pub(crate) mod objects;
pub(crate) mod promises;
pub(crate) mod providers;
pub(crate) mod requirement;

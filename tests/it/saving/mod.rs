//! Saved plans and their approval.

pub(crate) mod applied_again;
pub(crate) mod approval;
pub(crate) mod approved;
pub(crate) mod approved_promise;
pub(crate) mod diff;
pub(crate) mod saved;
pub(crate) mod story;

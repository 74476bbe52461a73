//! Break-glass accounts and excluded users are never written to.

pub(crate) mod guard_groups;
pub(crate) mod guards_promise;
pub(crate) mod lost_members;

//! Break-glass accounts and exceptions: nobody gets past them.

pub(crate) mod guard_groups;
pub(crate) mod guards_promise;
pub(crate) mod lost_members;

//! The tenant after its writes: the store in memory, its groups, and the log in the state folder.
//!
//! Not here: the tenant before the first write (`seeds`), or the types of its documents (`records`).

pub(crate) mod effect;
pub(crate) mod folder;
pub(crate) mod membership;
pub(crate) mod store;

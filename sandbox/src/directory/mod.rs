//! The handlers of the directory: users, groups, members, domains, roles and policies.
//!
//! Not here: the methods and preferences of a user (`registration`).

pub(crate) mod documents;
pub(crate) mod domains;
pub(crate) mod groups;
pub(crate) mod members;
pub(crate) mod objects;
pub(crate) mod pim;
pub(crate) mod users;

//! What mfactl asks of Microsoft Graph, with reading and writing of each path side by side, and
//! what every call needs permission for.
//!
//! Not here: how a request travels, is repeated or refused (`graph`), or what the answers mean for
//! anybody (`posture`, `plan`).

pub mod conditional_access;
pub mod directory;
pub mod facts;
mod groups;
pub mod method_policy;
pub mod permissions;
pub mod roles;
pub mod safety;
mod strengths;
mod users;
pub mod write;

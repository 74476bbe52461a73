//! The nouns of a tenant, without any way to reach one: people and groups (`directory`), what was
//! observed of each (`facts`), what the tenant allows (`method_policy`), and the list of what a run
//! has to look up (`lookup`).
//!
//! Not here: how they are read (`entra`), or what is made of them (`posture`, `plan`).

pub mod directory;
pub mod facts;
pub mod lookup;
pub mod method_policy;
pub mod roles;

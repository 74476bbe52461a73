//! The data types of a tenant, without access to it:
//! - users, groups and roles (`directory`, `attribute`, `by_id`, `roles`), and the members of a group by both reads
//!   (`membership`);
//! - what was observed of each user (`facts`, `preferences`);
//! - what the tenant allows (`method_policy`) and requires (`demand`, `strength`), and the users that its
//!   rules mean (`rule_members`, `user_set`); whether its rules are the same as before (`rules_digest`);
//! - where its domains sign in (`domains`), and when SMS and voice end (`delivery`);
//! - what a run must read (`lookup`), and whether it may (`access`).
//!
//! Not here: how they are read (`entra`), or what follows from them (`posture`, `plan`).

pub mod access;
mod attribute;
pub mod by_id;
pub mod delivery;
pub mod demand;
pub mod directory;
pub mod domains;
pub mod facts;
pub mod lookup;
pub mod membership;
pub mod method_policy;
pub mod preferences;
pub mod roles;
pub mod rule_members;
pub mod rules_digest;
pub mod strength;
pub mod user_set;

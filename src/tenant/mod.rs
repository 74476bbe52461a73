//! The nouns of a tenant, without any way to reach one: people, groups and roles (`directory`,
//! `roles`), what was observed of each user (`facts`, `preferences`), what the tenant allows (`method_policy`) and
//! demands (`demand`), where its domains sign in (`domains`), when phones stop being delivered to (`delivery`),
//! and the list of what a run has to look up (`lookup`). `people` and `crowd` say whom the tenant's own rules
//! mean, `membership` who is in a group by both ways of reading it.
//!
//! Not here: how they are read (`entra`), or what is made of them (`posture`, `plan`).

pub mod access;
mod by_id;
pub mod crowd;
pub mod delivery;
pub mod demand;
pub mod directory;
pub mod domains;
pub mod facts;
pub mod lookup;
pub mod membership;
pub mod method_policy;
pub mod people;
pub mod preferences;
pub mod roles;
pub mod strength;

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

use serde::{Deserialize, Deserializer};

/// Reads null as nothing: Graph shows an empty list as either.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(value).map(Option::unwrap_or_default)
}

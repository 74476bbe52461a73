//! Identifiers of directory objects. Each kind has its own type, so that the id of a group can never be
//! used as the id of a user.
//!
//! Not here: names. Another user can get a name later; an id is never reused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Returns an id that only depends on a name, for an object that no tenant has.
#[must_use]
pub fn invented_id(kind: &str, name: &str) -> Uuid {
    let digest = Sha256::digest(format!("{kind}\0{}", name.to_lowercase()));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

macro_rules! object_id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id. It is written as in a request: lower case, with hyphens.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// Returns the plain UUID, for places that compare ids of several kinds with what Graph sent.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    )+};
}

object_id! {
    /// The object id of a user.
    UserId,
    /// The object id of a group.
    GroupId,
    /// The template id of a directory role. Built-in roles have the same one in every tenant.
    RoleId,
    /// The id of an external method in the method policy of the tenant, not of a user's registration.
    ExternalMethodId,
    /// The id of a tenant, as in the `tid` of a token.
    TenantId,
}

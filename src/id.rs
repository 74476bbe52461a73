//! Identifiers of directory objects, one type each, so that a group's id can never stand where a
//! user's is meant.
//!
//! Not here: names. Names can be taken over by somebody else; ids cannot.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! object_id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as it stands in a request: lower case, with hyphens.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare id, where ids of several kinds are compared with what Graph sent.
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
    /// A user's object id.
    UserId,
    /// A group's object id.
    GroupId,
    /// A directory role's template id, the same in every tenant for built-in roles.
    RoleId,
    /// The id of one external method that a tenant has set up, not of anybody's registration of it.
    ExternalMethodId,
    /// A tenant's id, as in a token's `tid`.
    TenantId,
}

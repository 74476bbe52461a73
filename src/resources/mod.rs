//! The objects of a tenant that the files can manage: settings of the whole tenant, next to the settings of
//! each user. An object has a file with its YAML block, its value, and its effect on the rules of the
//! tenant.
//!
//! Objects are planned and never written: an apply leaves them as they are.
//!
//! Not here: the change of an object and the users that it affects (`plan::objects`), or the settings of
//! users (`settings`).

pub mod security_defaults;

use std::fmt;

use crate::tenant::demand::MfaRequirements;

/// A managed object of the tenant.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum ObjectKind {
    SecurityDefaults,
}

/// The value of an object, desired or observed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum ObjectValue {
    Switch(bool),
    /// Only observed: the object could not be read.
    Unknown,
}

impl ObjectKind {
    pub const ALL: [Self; 1] = [Self::SecurityDefaults];

    /// Returns the path of the object in a file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::SecurityDefaults => "tenant.securityDefaults",
        }
    }

    /// Returns the name of the object for a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SecurityDefaults => "security defaults",
        }
    }

    /// Returns the value that was read with the rules of the tenant.
    #[must_use]
    pub const fn observed(self, demand: &MfaRequirements) -> ObjectValue {
        match self {
            Self::SecurityDefaults => security_defaults::observed(demand),
        }
    }

    /// Changes the rules of the tenant to what they would be with this value of the object.
    pub const fn effect_on(self, demand: &mut MfaRequirements, value: ObjectValue) {
        match self {
            Self::SecurityDefaults => security_defaults::effect_on(demand, value),
        }
    }

    /// Whether the change to this value requires MFA of more users.
    #[must_use]
    pub const fn demands_more(self, value: ObjectValue) -> bool {
        match self {
            Self::SecurityDefaults => matches!(value, ObjectValue::Switch(true)),
        }
    }

    /// Whether an apply writes the object. The basis of later steps changes only with what is written.
    #[must_use]
    pub const fn is_written(self) -> bool {
        match self {
            Self::SecurityDefaults => false,
        }
    }
}

impl fmt::Display for ObjectValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Switch(true) => "on",
            Self::Switch(false) => "off",
            Self::Unknown => "unknown",
        })
    }
}

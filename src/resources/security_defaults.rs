//! Security defaults: a switch of the tenant. While it is on, Microsoft requires MFA of all users, and
//! Conditional Access policies cannot be enabled (Entra documentation of security defaults, checked
//! 2026-11).
//!
//! Not here: reading the switch (`entra::conditional_access`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Deserializer;

use super::ObjectValue;
use crate::settings::{Management, UNMANAGED};
use crate::source::{word, word_schema};
use crate::tenant::demand::MfaRequirements;
use crate::tenant::user_set::Tristate;

/// `securityDefaults` as a file has it: one word.
#[derive(Debug, Clone, Copy)]
pub struct SecurityDefaultsBlock(Management<bool>);

impl SecurityDefaultsBlock {
    /// Returns the value that the block asks for.
    #[must_use]
    pub fn wanted(self) -> Management<ObjectValue> {
        self.0.map(ObjectValue::Switch)
    }
}

/// Returns the observed value.
#[must_use]
pub const fn observed(demand: &MfaRequirements) -> ObjectValue {
    match demand.security_defaults() {
        Tristate::Yes => ObjectValue::Switch(true),
        Tristate::No => ObjectValue::Switch(false),
        Tristate::Unknown => ObjectValue::Unknown,
    }
}

/// Changes the rules to what they would be with this value.
pub const fn effect_on(demand: &mut MfaRequirements, value: ObjectValue) {
    demand.set_security_defaults(match value {
        ObjectValue::Switch(true) => Tristate::Yes,
        ObjectValue::Switch(false) => Tristate::No,
        ObjectValue::Unknown => Tristate::Unknown,
    });
}

const WORDS: &[&str] = &["on", "off", UNMANAGED];

impl<'de> Deserialize<'de> for SecurityDefaultsBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [Management::Managed(true), Management::Managed(false), Management::Unmanaged];
        word(deserializer, WORDS, &values).map(Self)
    }
}

impl JsonSchema for SecurityDefaultsBlock {
    fn schema_name() -> Cow<'static, str> {
        "SecurityDefaults".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(WORDS)
    }
}

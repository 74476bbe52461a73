//! The per-user MFA state.
//!
//! Not here: whether raising or lowering it is safe (`plan::guard`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Deserializer;

use super::{Management, Remark, RuleResult, UNMANAGED, Value};
use crate::source::{word, word_schema};
use crate::tenant::facts::{Facts, MfaState, Read};

/// `perUserMfa`, checked: the wanted state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerUserMfaRule(pub MfaState);

/// `perUserMfa` as a policy has it: one word.
#[derive(Debug, Clone, Copy)]
pub struct PerUserMfaBlock(pub Management<MfaState>);

impl PerUserMfaBlock {
    /// Returns what the block asks for.
    #[must_use]
    pub const fn rule(self) -> Management<PerUserMfaRule> {
        match self.0 {
            Management::Unmanaged => Management::Unmanaged,
            Management::Managed(state) => Management::Managed(PerUserMfaRule(state)),
        }
    }
}

/// Returns the observed value.
#[must_use]
pub const fn from_facts(facts: &Facts) -> Value {
    match &facts.state {
        Read::Known(state) => Value::State(*state),
        Read::Unknown(why) => Value::Unknown(*why),
    }
}

/// Returns what the rule wants, or a remark if the present value is unknown.
#[must_use]
pub const fn from_rule(rule: &PerUserMfaRule, observed: Value) -> RuleResult {
    match observed {
        Value::Unknown(why) => RuleResult::only(Remark::Unreadable(why)),
        _ => RuleResult::value(Value::State(rule.0)),
    }
}

const WORDS: &[&str] = &["disabled", "enabled", "enforced", UNMANAGED];

impl<'de> Deserialize<'de> for PerUserMfaBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let states = [MfaState::Disabled, MfaState::Enabled, MfaState::Enforced];
        let values = states.map(Management::Managed).into_iter().chain([Management::Unmanaged]);
        word(deserializer, WORDS, &values.collect::<Vec<_>>()).map(Self)
    }
}

impl JsonSchema for PerUserMfaBlock {
    fn schema_name() -> Cow<'static, str> {
        "PerUserMfa".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(WORDS)
    }
}

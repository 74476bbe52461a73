//! The per-user MFA state.
//!
//! Not here: whether raising or lowering it is safe (`plan::guard`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Deserializer;

use super::{Remark, Stance, UNMANAGED, Value, Wish};
use crate::source::{word, word_schema};
use crate::tenant::facts::{Facts, MfaState, Read};

/// `perUserMfa`, checked: the wanted state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(pub MfaState);

/// `perUserMfa` as a policy has it: one word.
#[derive(Debug, Clone, Copy)]
pub struct Block(pub Stance<MfaState>);

impl Block {
    /// Returns what the block asks for.
    #[must_use]
    pub const fn rule(self) -> Stance<Rule> {
        match self.0 {
            Stance::Unmanaged => Stance::Unmanaged,
            Stance::Managed(state) => Stance::Managed(Rule(state)),
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
pub const fn from_rule(rule: &Rule, observed: Value) -> Wish {
    match observed {
        Value::Unknown(why) => Wish::only(Remark::Unreadable(why)),
        _ => Wish::value(Value::State(rule.0)),
    }
}

const WORDS: &[&str] = &["disabled", "enabled", "enforced", UNMANAGED];

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let states = [MfaState::Disabled, MfaState::Enabled, MfaState::Enforced];
        let values = states.map(Stance::Managed).into_iter().chain([Stance::Unmanaged]);
        word(deserializer, WORDS, &values.collect::<Vec<_>>()).map(Self)
    }
}

impl JsonSchema for Block {
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

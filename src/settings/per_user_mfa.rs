//! The per-user MFA state.
//!
//! Not here: whether a user may be raised to it (`plan::guard`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Deserializer;

use crate::source::{word, word_schema};

/// The three states that Entra knows (contract of `perUserMfaState`, beta).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Disabled,
    Enabled,
    Enforced,
}

/// `perUserMfa`, checked: the state wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(pub State);

/// `perUserMfa` as it stands in a policy: one word.
#[derive(Debug, Clone, Copy)]
pub struct Block(pub State);

impl Block {
    /// What the block asks for.
    #[must_use]
    pub const fn rule(self) -> Rule {
        Rule(self.0)
    }
}

const WORDS: &[&str] = &["disabled", "enabled", "enforced"];

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, WORDS, &[State::Disabled, State::Enabled, State::Enforced]).map(Self)
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

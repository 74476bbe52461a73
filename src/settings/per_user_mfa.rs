//! The per-user MFA state.
//!
//! Not here: whether raising or lowering it is safe (`plan::guard`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Deserializer;

use super::digest::{Node, map, word};
use super::kind::{CountedAs, Effect, Looser, Removal, SettingKind};
use super::{Management, RuleResult, UNMANAGED, Value};
use crate::source::{self, word_schema};
use crate::tenant::directory::User;
use crate::tenant::facts::{Facts, MfaState, Read};
use crate::tenant::lookup::UserFact;

/// The per-user MFA state, as a setting.
#[derive(Debug)]
pub struct PerUserMfaSetting;

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

impl SettingKind for PerUserMfaSetting {
    type Rule = PerUserMfaRule;

    const KEY: &'static str = "perUserMfa";
    const NAME: &'static str = "per-user MFA";
    const FACT: UserFact = UserFact::State;
    const COUNTED_AS: CountedAs = CountedAs::Requirement;
    // The word is `disabled`.
    const REMOVAL: Removal = Removal::Impossible;

    fn from_facts(facts: &Facts) -> Value {
        match facts.state {
            Read::Known(state) => Value::State(state),
            Read::Unknown(why) => Value::Unknown(why),
        }
    }

    fn from_rule(rule: &PerUserMfaRule, _: &User, observed: Value) -> RuleResult {
        RuleResult::if_known(observed, Self::wanted(rule))
    }

    fn wanted(PerUserMfaRule(state): &PerUserMfaRule) -> Value {
        Value::State(*state)
    }

    fn meaning(PerUserMfaRule(state): &PerUserMfaRule) -> Node {
        map([("state", word(state.as_str()))])
    }

    fn applied(after: Value, mut facts: Facts) -> Facts {
        if let Value::State(state) = after {
            facts.state = Read::Known(settle(state, &facts));
        }
        facts
    }

    fn effect(before: Value, after: Value) -> Effect {
        match (before, after) {
            (Value::State(before), Value::State(after)) if before < after => Effect::Raises,
            (Value::State(before), Value::State(after)) if before > after => Effect::Lowers,
            _ => Effect::None,
        }
    }

    fn looser(
        before: Option<&PerUserMfaRule>,
        PerUserMfaRule(after): &PerUserMfaRule,
    ) -> Vec<Looser> {
        let is_looser = match before {
            Some(PerUserMfaRule(before)) => after < before,
            None => *after == MfaState::Disabled,
        };
        if is_looser { vec![Looser::Value] } else { Vec::new() }
    }
}

/// Returns the state that Entra settles on: `enabled` becomes `enforced` for a user who has a method.
fn settle(state: MfaState, facts: &Facts) -> MfaState {
    let has_factor = facts.methods.known().is_some_and(|methods| methods.kinds.has_second_factor());
    if state == MfaState::Enabled && has_factor { MfaState::Enforced } else { state }
}

impl fmt::Display for PerUserMfaRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const WORDS: &[&str] = &["disabled", "enabled", "enforced", UNMANAGED];

impl<'de> Deserialize<'de> for PerUserMfaBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let states = [MfaState::Disabled, MfaState::Enabled, MfaState::Enforced];
        let values = states.map(Management::Managed).into_iter().chain([Management::Unmanaged]);
        source::word(deserializer, WORDS, &values.collect::<Vec<_>>()).map(Self)
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

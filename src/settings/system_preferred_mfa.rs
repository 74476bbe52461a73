//! System-preferred MFA: Entra asks for the strongest method of the user and ignores the default method
//! (Entra documentation of system-preferred MFA, checked 2026-11).
//!
//! Not here: whether switching it off is safe (`plan::guard`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::digest::{Node, map, word};
use super::kind::{CountedAs, Effect, Looser, Removal, SettingKind};
use super::{Management, RuleResult, UNMANAGED, Value};
use crate::source::{Located, word_schema};
use crate::tenant::directory::User;
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::UserFact;

/// System-preferred MFA, as a setting.
#[derive(Debug)]
pub struct SystemPreferredMfaSetting;

/// `systemPreferredMfa`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemPreferredRule {
    pub on: bool,
    /// The rule counts even if Entra then asks for a weaker method.
    pub exactly: bool,
}

/// `systemPreferredMfa` as a policy has it.
#[derive(Debug, Clone, Copy)]
pub struct SystemPreferredBlock(Management<SystemPreferredRule>);

/// `{ exactly: … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(inline)]
struct Forced {
    /// This value, even for users who have a stronger method than a phone.
    exactly: Located<bool>,
}

impl SystemPreferredBlock {
    /// Returns what the block asks for.
    #[must_use]
    pub const fn rule(self) -> Management<SystemPreferredRule> {
        self.0
    }
}

impl SettingKind for SystemPreferredMfaSetting {
    type Rule = SystemPreferredRule;

    const KEY: &'static str = "systemPreferredMfa";
    const NAME: &'static str = "system-preferred MFA";
    const FACT: UserFact = UserFact::Preferences;
    const COUNTED_AS: CountedAs = CountedAs::Preference;
    const REMOVAL: Removal = Removal::Impossible;

    fn from_facts(facts: &Facts) -> Value {
        match facts.system_preferred {
            Read::Known(on) => Value::Switch(on),
            Read::Unknown(why) => Value::Unknown(why),
        }
    }

    fn from_rule(rule: &SystemPreferredRule, _: &User, observed: Value) -> RuleResult {
        RuleResult::if_known(observed, Self::wanted(rule))
    }

    fn wanted(rule: &SystemPreferredRule) -> Value {
        Value::Switch(rule.on)
    }

    fn meaning(SystemPreferredRule { on, exactly }: &SystemPreferredRule) -> Node {
        map([("on", word(on)), ("exactly", word(exactly))])
    }

    fn applied(after: Value, mut facts: Facts) -> Facts {
        if let Value::Switch(on) = after {
            facts.system_preferred = Read::Known(on);
        }
        facts
    }

    fn effect(before: Value, after: Value) -> Effect {
        match (before, after) {
            (Value::Switch(true), Value::Switch(false)) => Effect::Weakens,
            _ => Effect::None,
        }
    }

    /// Returns that the switch goes off, or goes off even if Entra then asks for a weaker method.
    fn looser(before: Option<&SystemPreferredRule>, after: &SystemPreferredRule) -> Vec<Looser> {
        let SystemPreferredRule { on, exactly } = *after;
        let was = before.map(|SystemPreferredRule { on, exactly }| (*on, *exactly));
        let is_looser = match was {
            _ if on => false,
            None | Some((true, _)) => true,
            Some((false, was_exact)) => exactly && !was_exact,
        };
        if is_looser { vec![Looser::Value] } else { Vec::new() }
    }

    fn is_exact(rule: &SystemPreferredRule) -> bool {
        rule.exactly
    }
}

impl fmt::Display for SystemPreferredRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exactly = if self.exactly { "exactly " } else { "" };
        write!(f, "{exactly}{}", if self.on { "on" } else { "off" })
    }
}

impl<'de> Deserialize<'de> for SystemPreferredBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;

        impl<'de> Visitor<'de> for Shapes {
            type Value = SystemPreferredBlock;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`true`, `false`, `{UNMANAGED}` or `{{ exactly: false }}`")
            }

            fn visit_bool<E: Error>(self, on: bool) -> Result<Self::Value, E> {
                Ok(SystemPreferredBlock(Management::Managed(SystemPreferredRule {
                    on,
                    exactly: false,
                })))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    UNMANAGED => Ok(SystemPreferredBlock(Management::Unmanaged)),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let forced = Forced::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SystemPreferredBlock(Management::Managed(SystemPreferredRule {
                    on: forced.exactly.value,
                    exactly: true,
                })))
            }
        }

        deserializer.deserialize_any(Shapes)
    }
}

impl JsonSchema for SystemPreferredBlock {
    fn schema_name() -> Cow<'static, str> {
        "SystemPreferredMfa".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "boolean" },
            word_schema(&[UNMANAGED]),
            generator.subschema_for::<Forced>(),
        ] })
    }
}

//! What `defaultMethod` can say: one method, several in order of preference, `exactly` one that replaces
//! even a stronger default, or `unmanaged`.
//!
//! Not here: which of the methods the user has (`posture`), or whether one may replace a stronger default
//! (`plan::guard`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::digest::{self, Node, map};
use super::kind::{CountedAs, Effect, Looser, Removal, SettingKind};
use super::one_or_more::{OneOrMore, entries};
use super::{Management, RuleResult, UNMANAGED, Value};
use crate::source::{Located, word, word_schema};
use crate::tenant::directory::User;
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::UserFact;
use crate::tenant::preferences::DefaultMethod;

/// The default method, as a setting.
#[derive(Debug)]
pub struct DefaultMethodSetting;

/// Preferred methods, best first. Small enough to be part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Preference([Option<DefaultMethod>; DefaultMethod::ALL.len()]);

/// `defaultMethod`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefaultMethodRule {
    pub preference: Preference,
    /// The method replaces even a stronger default.
    pub exactly: bool,
}

/// `defaultMethod` as a policy has it.
#[derive(Debug)]
pub enum DefaultMethodBlock {
    Unmanaged,
    Managed(DefaultMethodRule),
}

/// `{ exactly: … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(inline)]
struct Forced {
    /// This method, even if the user has a stronger one.
    exactly: Located<DefaultMethod>,
}

impl Preference {
    /// Keeps the order and drops duplicates.
    #[must_use]
    pub fn new(methods: &[DefaultMethod]) -> Self {
        let mut preferred = [None; DefaultMethod::ALL.len()];
        let once = methods.iter().enumerate();
        let once =
            once.filter(|(place, method)| !methods.iter().take(*place).any(|m| m == *method));
        for (slot, (_, method)) in preferred.iter_mut().zip(once) {
            *slot = Some(*method);
        }
        Self(preferred)
    }

    /// Returns the methods, best first.
    pub fn iter(&self) -> impl Iterator<Item = DefaultMethod> {
        self.0.into_iter().flatten()
    }

    /// Whether a user with two of the methods can get a weaker default than by the other preference.
    fn prefers_weaker_than(&self, other: Self) -> bool {
        let chosen = |preference: &Self, pair: [DefaultMethod; 2]| {
            preference.iter().find(|one| pair.contains(one))
        };
        other.iter().any(|one| {
            self.iter().any(|another| {
                let pair = [one, another];
                one.is_stronger_than(another)
                    && chosen(&other, pair) == Some(one)
                    && chosen(self, pair) == Some(another)
            })
        })
    }

    /// Returns the method if it is the only one.
    #[must_use]
    pub const fn only(self) -> Option<DefaultMethod> {
        match self.0 {
            [first, None, ..] => first,
            _ => None,
        }
    }
}

impl DefaultMethodBlock {
    /// Returns what the block asks for.
    #[must_use]
    pub const fn rule(&self) -> Management<DefaultMethodRule> {
        match self {
            Self::Unmanaged => Management::Unmanaged,
            Self::Managed(rule) => Management::Managed(*rule),
        }
    }
}

impl SettingKind for DefaultMethodSetting {
    type Rule = DefaultMethodRule;

    const KEY: &'static str = "defaultMethod";
    const NAME: &'static str = "default method";
    const FACT: UserFact = UserFact::Preferences;
    const COUNTED_AS: CountedAs = CountedAs::Preference;
    const REMOVAL: Removal = Removal::Impossible;

    fn from_facts(facts: &Facts) -> Value {
        match facts.default_method {
            Read::Unknown(why) => Value::Unknown(why),
            Read::Known(None) => Value::Nothing,
            Read::Known(Some(method)) => Value::Default(method),
        }
    }

    fn from_rule(rule: &DefaultMethodRule, _: &User, observed: Value) -> RuleResult {
        RuleResult::if_known(observed, Self::wanted(rule))
    }

    fn wanted(rule: &DefaultMethodRule) -> Value {
        Value::Preference(rule.preference)
    }

    fn meaning(DefaultMethodRule { preference, exactly }: &DefaultMethodRule) -> Node {
        let methods = preference.iter().map(|one| digest::word(one.as_str())).collect();
        map([("methods", Node::List(methods)), ("exactly", digest::word(exactly))])
    }

    fn applied(after: Value, mut facts: Facts) -> Facts {
        if let Value::Default(method) = after {
            facts.default_method = Read::Known(Some(method));
        }
        facts
    }

    fn effect(before: Value, after: Value) -> Effect {
        match (before, after) {
            (Value::Default(before), Value::Default(after)) if before.is_stronger_than(after) => {
                Effect::Weakens
            }
            _ => Effect::None,
        }
    }

    /// Returns that a user can get a weaker default, or that a stronger one is replaced.
    fn looser(before: Option<&DefaultMethodRule>, after: &DefaultMethodRule) -> Vec<Looser> {
        let DefaultMethodRule { preference, exactly } = after;
        let was_exact = before.is_some_and(|before| before.exactly);
        let replaces_stronger = *exactly
            && !was_exact
            && preference.only().is_some_and(|only| {
                DefaultMethod::ALL.into_iter().any(|one| one.is_stronger_than(only))
            });
        let prefers_weaker =
            before.is_some_and(|before| preference.prefers_weaker_than(before.preference));
        if replaces_stronger || prefers_weaker { vec![Looser::Value] } else { Vec::new() }
    }

    fn is_exact(rule: &DefaultMethodRule) -> bool {
        rule.exactly
    }
}

impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, method) in self.iter().enumerate() {
            write!(f, "{}{method}", if place == 0 { "" } else { ", else " })?;
        }
        Ok(())
    }
}

impl fmt::Display for DefaultMethodRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.exactly { "exactly " } else { "" }, self.preference)
    }
}

const WORDS: &[&str] =
    &["push", "oath", "voiceMobile", "voiceAlternateMobile", "voiceOffice", "sms", UNMANAGED];

impl<'de> Deserialize<'de> for DefaultMethodBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;

        impl<'de> Visitor<'de> for Shapes {
            type Value = DefaultMethodBlock;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a method such as `push`, a list of them, or `{ exactly: … }`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                if text == UNMANAGED {
                    return Ok(DefaultMethodBlock::Unmanaged);
                }
                let method = DefaultMethod::from_word(text);
                let method = method.ok_or_else(|| E::unknown_variant(text, WORDS))?;
                Ok(DefaultMethodBlock::Managed(DefaultMethodRule {
                    preference: Preference::new(&[method]),
                    exactly: false,
                }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                let OneOrMore(methods) = entries::<DefaultMethod, A>(seq, &self)?;
                Ok(DefaultMethodBlock::Managed(DefaultMethodRule {
                    preference: Preference::new(&methods),
                    exactly: false,
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let forced = Forced::deserialize(MapAccessDeserializer::new(map))?;
                let preference = Preference::new(&[forced.exactly.value]);
                Ok(DefaultMethodBlock::Managed(DefaultMethodRule { preference, exactly: true }))
            }
        }

        deserializer.deserialize_any(Shapes)
    }
}

impl JsonSchema for DefaultMethodBlock {
    fn schema_name() -> Cow<'static, str> {
        "DefaultMethod".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            word_schema(WORDS),
            generator.subschema_for::<crate::source::NonEmptyList<DefaultMethod>>(),
            generator.subschema_for::<Forced>(),
        ] })
    }
}

impl<'de> Deserialize<'de> for DefaultMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, Self::WORDS, &Self::ALL)
    }
}

impl JsonSchema for DefaultMethod {
    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(Self::WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DefaultMethod::{Oath, Push, Sms};

    #[test]
    fn preference_keeps_order_and_drops_duplicates() {
        let preference = Preference::new(&[Push, Sms, Push, Oath, Sms, Sms, Sms, Oath]);
        assert_eq!(preference.iter().collect::<Vec<_>>(), [Push, Sms, Oath]);
        assert_eq!(preference.only(), None);
        assert_eq!(Preference::new(&[Sms, Sms]).only(), Some(Sms));
    }
}

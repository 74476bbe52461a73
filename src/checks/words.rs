//! The words of a file of checks: numbers, states, postures.
//!
//! Not here: the keys (`file`), or the words for expected values (`becomes`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use crate::number::RawNumber;
use crate::posture::Posture;
use crate::source::{word, word_schema};
use crate::tenant::facts::MfaState;
use crate::tenant::preferences::DefaultMethod;

/// A number in the directory.
#[derive(Debug, Clone)]
pub enum NumberWord {
    /// A valid number of this person.
    Valid,
    /// A text that is no number.
    Invalid,
    None,
    Text(RawNumber),
}

/// A registered number.
#[derive(Debug, Clone)]
pub enum RegisteredNumber {
    /// The same number that `valid` means in the directory.
    Valid,
    /// Another valid number.
    Other,
    Text(RawNumber),
}

/// A per-user MFA state.
#[derive(Debug, Clone, Copy)]
pub struct StateWord(pub MfaState);

/// A default method, or none.
#[derive(Debug, Clone, Copy)]
pub struct DefaultWord(pub Option<DefaultMethod>);

/// `on` or `off`.
#[derive(Debug, Clone, Copy)]
pub struct OnOff(pub bool);

/// A posture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostureWord(pub Posture);

const STATES: &[&str] = &["disabled", "enabled", "enforced"];
const DEFAULTS: &[&str] =
    &["none", "push", "oath", "voiceMobile", "voiceAlternateMobile", "voiceOffice", "sms"];
const ON_OFF: &[&str] = &["on", "off"];
const POSTURES: &[&str] = &["protected", "open", "stuck", "unprotected", "unknown"];

impl<'de> Deserialize<'de> for NumberWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "valid" => Self::Valid,
            "invalid" => Self::Invalid,
            "none" => Self::None,
            _ => Self::Text(RawNumber::new(text)),
        })
    }
}

impl<'de> Deserialize<'de> for RegisteredNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "valid" => Self::Valid,
            "other" => Self::Other,
            _ => Self::Text(RawNumber::new(text)),
        })
    }
}

impl<'de> Deserialize<'de> for StateWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let states = [MfaState::Disabled, MfaState::Enabled, MfaState::Enforced];
        word(deserializer, STATES, &states).map(Self)
    }
}

impl<'de> Deserialize<'de> for DefaultWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let methods = DefaultMethod::ALL.map(Some);
        let all: Vec<Option<DefaultMethod>> = std::iter::once(None).chain(methods).collect();
        word(deserializer, DEFAULTS, &all).map(Self)
    }
}

impl<'de> Deserialize<'de> for OnOff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, ON_OFF, &[true, false]).map(Self)
    }
}

impl<'de> Deserialize<'de> for PostureWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let postures = [
            Posture::Protected,
            Posture::Open,
            Posture::Stuck,
            Posture::Unprotected,
            Posture::Unknown,
        ];
        word(deserializer, POSTURES, &postures).map(Self)
    }
}

macro_rules! schema_of_words {
    ($($kind:ident $name:literal $schema:expr),+ $(,)?) => {$(
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

schema_of_words! {
    NumberWord "DirectoryNumber" json_schema!({
        "description": "`valid` for a valid number of this person, `invalid` for a text that is no number, `none`, or a number.",
        "type": "string", "minLength": 1, "examples": ["valid", "invalid", "none"],
    }),
    RegisteredNumber "RegisteredNumber" json_schema!({
        "description": "`valid` for the number that `valid` means in the directory, `other` for another valid number, or a number.",
        "type": "string", "minLength": 1, "examples": ["valid", "other"],
    }),
    StateWord "MfaState" word_schema(STATES),
    DefaultWord "DefaultMethodOrNone" word_schema(DEFAULTS),
    OnOff "OnOff" word_schema(ON_OFF),
    PostureWord "Posture" word_schema(POSTURES),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
        serde_yaml::from_str(text).ok()
    }

    #[test]
    fn words_are_those_of_the_values() {
        for word in STATES {
            assert_eq!(read::<StateWord>(word).map(|one| one.0.as_str()), Some(*word));
        }
        for word in POSTURES {
            assert_eq!(read::<PostureWord>(word).map(|one| one.0.as_str()), Some(*word));
        }
        for word in DEFAULTS {
            let method = read::<DefaultWord>(word).expect("a word").0;
            assert_eq!(method.map_or("none", DefaultMethod::as_str), *word);
        }
        assert!(read::<PostureWord>("fine").is_none());
    }

    #[test]
    fn number_that_looks_like_an_integer_stays_text() {
        let number = read::<NumberWord>("+31612345678");
        assert!(
            matches!(&number, Some(NumberWord::Text(text)) if *text == RawNumber::new("+31612345678"))
        );
        assert!(!format!("{number:?}").contains("612345678"), "no number is printed");
    }
}

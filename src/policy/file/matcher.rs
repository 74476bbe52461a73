//! The shape of every condition in `where`: a value, a list (any of them), or `{ any: […], none: […] }`;
//! and the values that a condition can name.
//!
//! Not here: what a condition means (`policy::filter`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer as _, MapAccess, SeqAccess};
use serde::de::{Unexpected, Visitor};

use crate::number::Region;
use crate::source::{Located, Maybe, NonEmptyList, word, word_schema};
use crate::tenant::facts::MethodKind;

/// A condition as it is written.
#[derive(Debug)]
pub enum Matcher<T> {
    One(T),
    Any(Vec<Located<T>>),
    Both(Lists<T>),
}

/// The values that pass, and the values that do not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", bound = "T: MatcherWord")]
#[schemars(inline, extend("minProperties" = 1))]
pub struct Lists<T> {
    /// One of these.
    #[serde(default)]
    pub any: Maybe<NonEmptyList<Located<T>>>,
    /// None of these.
    #[serde(default)]
    pub none: Maybe<NonEmptyList<Located<T>>>,
}

/// A value that a condition can name.
pub trait MatcherWord: for<'de> Deserialize<'de> {
    /// The expected value, for a message: only the single value, without the other two shapes.
    const WANTED: &'static str;
}

impl<'de, T: MatcherWord> Deserialize<'de> for Matcher<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes<T>(PhantomData<T>);

        impl<'de, T: MatcherWord> Visitor<'de> for Shapes<T> {
            type Value = Matcher<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, a list, or `{{ any: […], none: […] }}`", T::WANTED)
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                T::deserialize(truth.into_deserializer()).map(Matcher::One)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(Matcher::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    entries.push(entry);
                }
                match entries.is_empty() {
                    true => Err(A::Error::invalid_length(0, &self)),
                    false => Ok(Matcher::Any(entries)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Lists::deserialize(MapAccessDeserializer::new(map)).map(Matcher::Both)
            }
        }

        deserializer.deserialize_any(Shapes(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Matcher<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("MatcherOf{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            generator.subschema_for::<T>(),
            generator.subschema_for::<NonEmptyList<T>>(),
            Lists::<T>::json_schema(generator),
        ] })
    }
}

/// A department.
#[derive(Debug)]
pub struct Text(pub String);

impl MatcherWord for Text {
    const WANTED: &'static str = "a name (a number in quotes)";
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "pattern": "\\S" })
    }
}

/// A country as two capital letters.
#[derive(Debug)]
pub struct CountryCode(pub Region);

impl MatcherWord for CountryCode {
    const WANTED: &'static str = "the two capital letters of a country, such as `NL`";
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;

        impl Visitor<'_> for Letters {
            type Value = CountryCode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(CountryCode::WANTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Region::new(text)
                    .filter(|region| region.as_str() == text)
                    .map(CountryCode)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Letters)
    }
}

impl JsonSchema for CountryCode {
    fn schema_name() -> Cow<'static, str> {
        "Country".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{2}$" })
    }
}

/// `true` or `false`.
#[derive(Debug)]
pub struct Truth(pub bool);

impl MatcherWord for Truth {
    const WANTED: &'static str = "`true`, `false`";
}

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bare;

        impl Visitor<'_> for Bare {
            type Value = Truth;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true` or `false`")
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(Truth(truth))
            }
        }

        deserializer.deserialize_any(Bare)
    }
}

impl JsonSchema for Truth {
    fn schema_name() -> Cow<'static, str> {
        "Truth".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// `true`, `false`, or `any` for both.
#[derive(Debug, Clone, Copy)]
pub enum TruthOrAny {
    Yes,
    No,
    Any,
}

impl MatcherWord for TruthOrAny {
    const WANTED: &'static str = "`true`, `false`, `any`";
}

const ANY: &str = "any";

impl<'de> Deserialize<'de> for TruthOrAny {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = TruthOrAny;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or `any`")
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(if truth { TruthOrAny::Yes } else { TruthOrAny::No })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    ANY => Ok(TruthOrAny::Any),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for TruthOrAny {
    fn schema_name() -> Cow<'static, str> {
        "TruthOrAny".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [true, false, ANY] })
    }
}

/// Whether a user belongs to this tenant or to another.
#[derive(Debug, Clone, Copy)]
pub enum UserType {
    Member,
    Guest,
    Any,
}

const USER_TYPES: &[&str] = &["member", "guest", ANY];

impl MatcherWord for UserType {
    const WANTED: &'static str = "`member`, `guest`, `any`";
}

impl<'de> Deserialize<'de> for UserType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, USER_TYPES, &[Self::Member, Self::Guest, Self::Any])
    }
}

impl JsonSchema for UserType {
    fn schema_name() -> Cow<'static, str> {
        "UserType".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(USER_TYPES)
    }
}

/// A kind of authentication method.
#[derive(Debug, Clone, Copy)]
pub struct MethodWord(pub MethodKind);

/// The words, in the order of [`KINDS`]. The password is missing because every user has one.
const KIND_WORDS: &[&str] = &[
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "authenticator",
    "softwareOath",
    "hardwareOath",
    "passkey",
    "certificate",
    "external",
    "windowsHello",
    "platformCredential",
    "temporaryAccessPass",
    "email",
    "qrCodePin",
];

const KINDS: [MethodKind; 14] = [
    MethodKind::MobilePhone,
    MethodKind::AlternateMobilePhone,
    MethodKind::OfficePhone,
    MethodKind::Authenticator,
    MethodKind::SoftwareOath,
    MethodKind::HardwareOath,
    MethodKind::Passkey,
    MethodKind::Certificate,
    MethodKind::External,
    MethodKind::WindowsHello,
    MethodKind::PlatformCredential,
    MethodKind::TemporaryAccessPass,
    MethodKind::Email,
    MethodKind::QrCodePin,
];

impl MatcherWord for MethodWord {
    const WANTED: &'static str = "a kind of method, such as `mobilePhone`";
}

impl<'de> Deserialize<'de> for MethodWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, KIND_WORDS, &KINDS.map(Self))
    }
}

impl JsonSchema for MethodWord {
    fn schema_name() -> Cow<'static, str> {
        "MethodKind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = word_schema(KIND_WORDS);
        let about = "A kind of authentication method that a user can have registered.";
        schema.insert("description".to_owned(), about.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_words_match_kinds() {
        assert_eq!(KIND_WORDS.len(), KINDS.len());
        for (word, kind) in KIND_WORDS.iter().zip(KINDS) {
            assert_eq!(*word, kind.key());
            assert_eq!(word.to_lowercase(), format!("{kind:?}").to_lowercase());
        }
    }
}

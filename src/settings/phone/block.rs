//! The YAML block of a phone: a word, or where the number comes from.
//!
//! Not here: the result for a user (the module above), or the words of the block (`words`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::{ABSENT, IfRegistered, NumberSource, PhoneRule, RegionRule, UNMANAGED};
use crate::settings::Management;
use crate::settings::one_or_more::OneOrMore;
use crate::source::{Located, Maybe, word, word_schema};
use crate::tenant::directory::Attribute;

/// `phones.mobile` and its siblings: a word, or a map of this shape.
#[derive(Debug)]
pub enum PhoneBlock<N> {
    Unmanaged,
    Absent,
    Numbers(N),
}

/// A phone registered for MFA, taken from the directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Phone", example = serde_json::json!({ "from": "businessPhones" }))]
pub struct Numbers {
    /// The directory attribute with the number, or a list of attributes: the first one with a value counts.
    /// A policy never contains phone numbers.
    pub from: Located<OneOrMore<Attribute>>,
    /// The country of a number without a country code: the user's `usageLocation` or `country`, or the two
    /// letters of a country. In a list, the first entry that gives a number counts. Without `region`,
    /// a number is not used if `usageLocation` and `country` turn it into two different numbers.
    #[serde(default)]
    #[schemars(extend("default" = "usageLocation"), example = serde_json::json!(["country", "usageLocation", "NL"]))]
    pub region: Maybe<Located<OneOrMore<RegionRule>>>,
    /// What happens to a number that is registered already: `keep` leaves it, `replace` overwrites it if
    /// the directory has another one.
    #[serde(default)]
    #[schemars(extend("default" = "keep"))]
    pub if_registered: Maybe<Located<IfRegistered>>,
}

/// The mobile phone registered for MFA, taken from the directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "MobilePhone", example = serde_json::json!({ "from": "mobilePhone", "region": "NL" }))]
pub struct Mobile {
    /// The directory attribute with the number, or a list of attributes: the first one with a value counts.
    /// A policy never contains phone numbers.
    pub from: Located<OneOrMore<Attribute>>,
    /// The country of a number without a country code: the user's `usageLocation` or `country`, or the two
    /// letters of a country. In a list, the first entry that gives a number counts. Without `region`,
    /// a number is not used if `usageLocation` and `country` turn it into two different numbers.
    #[serde(default)]
    #[schemars(extend("default" = "usageLocation"), example = serde_json::json!(["country", "usageLocation", "NL"]))]
    pub region: Maybe<Located<OneOrMore<RegionRule>>>,
    /// What happens to a number that is registered already: `keep` leaves it, `replace` overwrites it if
    /// the directory has another one.
    #[serde(default)]
    #[schemars(extend("default" = "keep"))]
    pub if_registered: Maybe<Located<IfRegistered>>,
    /// Whether SMS sign-in is on for the number. Some tenants switch it on with every new mobile phone. In
    /// such a tenant no mobile phone is registered until this is set.
    #[serde(default)]
    pub sms_sign_in: Maybe<Located<Switch>>,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl<N> PhoneBlock<N> {
    /// Returns what the block asks for.
    pub fn rule<'a>(&'a self) -> Management<PhoneRule>
    where
        NumberSource: From<&'a N>,
    {
        match self {
            Self::Unmanaged => Management::Unmanaged,
            Self::Absent => Management::Managed(PhoneRule::Absent),
            Self::Numbers(numbers) => Management::Managed(PhoneRule::Number(numbers.into())),
        }
    }
}

impl PhoneBlock<Mobile> {
    /// Returns the value of `smsSignIn` and its place.
    #[must_use]
    pub fn sms_sign_in(&self) -> Option<&Located<Switch>> {
        match self {
            Self::Numbers(mobile) => mobile.sms_sign_in.as_ref(),
            Self::Unmanaged | Self::Absent => None,
        }
    }
}

fn regions(block: &Maybe<Located<OneOrMore<RegionRule>>>) -> Vec<RegionRule> {
    block.as_ref().map_or_else(|| RegionRule::DEFAULT.into(), |region| region.value.0.clone())
}

impl From<&Numbers> for NumberSource {
    fn from(block: &Numbers) -> Self {
        Self {
            from: block.from.value.0.clone(),
            region: regions(&block.region),
            if_registered: block.if_registered.as_ref().map(|word| word.value).unwrap_or_default(),
            sms_sign_in: None,
        }
    }
}

impl From<&Mobile> for NumberSource {
    fn from(block: &Mobile) -> Self {
        Self {
            from: block.from.value.0.clone(),
            region: regions(&block.region),
            if_registered: block.if_registered.as_ref().map(|word| word.value).unwrap_or_default(),
            sms_sign_in: block.sms_sign_in.as_ref().map(|switch| switch.value.0),
        }
    }
}

/// Reads a word or a map directly, without buffering, so that places in the file are kept.
impl<'de, N: Deserialize<'de>> Deserialize<'de> for PhoneBlock<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap<N>(PhantomData<N>);

        impl<'de, N: Deserialize<'de>> Visitor<'de> for WordOrMap<N> {
            type Value = PhoneBlock<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{{ from: … }}`, `{ABSENT}` or `{UNMANAGED}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    UNMANAGED => Ok(PhoneBlock::Unmanaged),
                    ABSENT => Ok(PhoneBlock::Absent),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                N::deserialize(MapAccessDeserializer::new(map)).map(PhoneBlock::Numbers)
            }
        }

        deserializer.deserialize_any(WordOrMap(PhantomData))
    }
}

impl<N: JsonSchema> JsonSchema for PhoneBlock<N> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Block", N::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            generator.subschema_for::<N>(),
            word_schema(&[ABSENT, UNMANAGED]),
        ] })
    }
}

const SWITCH: &[&str] = &["off", "on"];

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, SWITCH, &[Self(false), Self(true)])
    }
}

impl JsonSchema for Switch {
    fn schema_name() -> Cow<'static, str> {
        "Switch".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(SWITCH)
    }
}

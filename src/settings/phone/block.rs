//! A phone as it stands in a policy: a word, or where the number comes from.
//!
//! Not here: what is made of it for a user (the module above), or its words (`words`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::{ABSENT, IfRegistered, RegionRule, Rule, Source, UNMANAGED};
use crate::settings::Stance;
use crate::settings::one_or_more::OneOrMore;
use crate::source::{At, Maybe, word, word_schema};
use crate::tenant::directory::Attribute;

/// `phones.mobile` and its siblings: a word, or a map of this shape.
#[derive(Debug)]
pub enum Block<N> {
    Unmanaged,
    Absent,
    Numbers(N),
}

/// A phone registered for MFA, taken from the directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Phone", example = serde_json::json!({ "from": "businessPhones" }))]
pub struct Numbers {
    /// The directory attribute that holds the number, or several: the first that holds something.
    /// Phone numbers never stand in a policy.
    pub from: At<OneOrMore<Attribute>>,
    /// How to read a number without a country code: by the user's `usageLocation` or `country`, or as
    /// one of a country given by its two letters; or several, of which the first counts that gives a
    /// number. Where nothing is said, a number that `usageLocation` and `country` make two numbers of
    /// is left.
    #[serde(default)]
    #[schemars(extend("default" = "usageLocation"), example = serde_json::json!(["country", "usageLocation", "NL"]))]
    pub region: Maybe<At<OneOrMore<RegionRule>>>,
    /// What becomes of a number that the user has already: `keep` leaves it, `replace` overwrites it
    /// where the directory holds another.
    #[serde(default)]
    #[schemars(extend("default" = "keep"))]
    pub if_registered: Maybe<At<IfRegistered>>,
}

/// The mobile phone registered for MFA, taken from the directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "MobilePhone", example = serde_json::json!({ "from": "mobilePhone", "region": "NL" }))]
pub struct Mobile {
    /// The directory attribute that holds the number, or several: the first that holds something.
    /// Phone numbers never stand in a policy.
    pub from: At<OneOrMore<Attribute>>,
    /// How to read a number without a country code: by the user's `usageLocation` or `country`, or as
    /// one of a country given by its two letters; or several, of which the first counts that gives a
    /// number. Where nothing is said, a number that `usageLocation` and `country` make two numbers of
    /// is left.
    #[serde(default)]
    #[schemars(extend("default" = "usageLocation"), example = serde_json::json!(["country", "usageLocation", "NL"]))]
    pub region: Maybe<At<OneOrMore<RegionRule>>>,
    /// What becomes of a number that the user has already: `keep` leaves it, `replace` overwrites it
    /// where the directory holds another.
    #[serde(default)]
    #[schemars(extend("default" = "keep"))]
    pub if_registered: Maybe<At<IfRegistered>>,
    /// Whether the number signs the user in by text. Some tenants switch that on with every mobile
    /// phone that is registered; there, no phone is registered until this says what is meant.
    #[serde(default)]
    pub sms_sign_in: Maybe<At<Switch>>,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl<N> Block<N> {
    /// What the block asks for.
    pub fn rule<'a>(&'a self) -> Stance<Rule>
    where
        Source: From<&'a N>,
    {
        match self {
            Self::Unmanaged => Stance::Unmanaged,
            Self::Absent => Stance::Managed(Rule::Absent),
            Self::Numbers(numbers) => Stance::Managed(Rule::Number(numbers.into())),
        }
    }
}

impl Block<Mobile> {
    /// What it says of signing in by text, and where.
    #[must_use]
    pub fn sms_sign_in(&self) -> Option<&At<Switch>> {
        match self {
            Self::Numbers(mobile) => mobile.sms_sign_in.as_ref(),
            Self::Unmanaged | Self::Absent => None,
        }
    }
}

fn regions(said: &Maybe<At<OneOrMore<RegionRule>>>) -> Vec<RegionRule> {
    said.as_ref().map_or_else(|| RegionRule::DEFAULT.into(), |region| region.value.0.clone())
}

impl From<&Numbers> for Source {
    fn from(block: &Numbers) -> Self {
        Self {
            from: block.from.value.0.clone(),
            region: regions(&block.region),
            if_registered: block.if_registered.as_ref().map(|word| word.value).unwrap_or_default(),
            sms_sign_in: None,
        }
    }
}

impl From<&Mobile> for Source {
    fn from(block: &Mobile) -> Self {
        Self {
            from: block.from.value.0.clone(),
            region: regions(&block.region),
            if_registered: block.if_registered.as_ref().map(|word| word.value).unwrap_or_default(),
            sms_sign_in: block.sms_sign_in.as_ref().map(|switch| switch.value.0),
        }
    }
}

/// A word or a map, read as it comes: nothing is kept aside, so places survive.
impl<'de, N: Deserialize<'de>> Deserialize<'de> for Block<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap<N>(PhantomData<N>);

        impl<'de, N: Deserialize<'de>> Visitor<'de> for WordOrMap<N> {
            type Value = Block<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{{ from: … }}`, `{ABSENT}` or `{UNMANAGED}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    UNMANAGED => Ok(Block::Unmanaged),
                    ABSENT => Ok(Block::Absent),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                N::deserialize(MapAccessDeserializer::new(map)).map(Block::Numbers)
            }
        }

        deserializer.deserialize_any(WordOrMap(PhantomData))
    }
}

impl<N: JsonSchema> JsonSchema for Block<N> {
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

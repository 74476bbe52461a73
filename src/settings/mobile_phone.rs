//! The mobile phone that a user registers for MFA.
//!
//! Not here: how a number is read (`number`), or whether it may be written (`plan::guard`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use crate::number::Region;
use crate::source::{At, Maybe, word, word_schema};

/// A directory attribute that can hold a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    MobilePhone,
    /// The first of `businessPhones`; Entra keeps one.
    BusinessPhones,
    /// `extensionAttribute1` to `extensionAttribute15`.
    Extension(u8),
}

/// How a national number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RegionRule {
    /// By the user's own `usageLocation`.
    #[default]
    UsageLocation,
    Country(Region),
}

/// `phones.mobile: { from, region }`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    pub from: Attribute,
    pub region: RegionRule,
}

/// The mobile phone registered for MFA, taken from the directory. A number that a user has
/// registered already is left as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "MobilePhone", example = serde_json::json!({ "from": "mobilePhone", "region": "NL" }))]
pub struct Block {
    /// The directory attribute that holds the number. Phone numbers never stand in a policy.
    pub from: At<Attribute>,
    /// How to read a number without a country code: by the user's `usageLocation`, or as one of a
    /// country given by its two letters.
    #[serde(default)]
    #[schemars(extend("default" = "usageLocation"))]
    pub region: Maybe<At<RegionRule>>,
}

impl Block {
    /// What the block asks for.
    #[must_use]
    pub fn rule(&self) -> Rule {
        let region = self.region.as_ref().map(|region| region.value).unwrap_or_default();
        Rule { from: self.from.value, region }
    }
}

const EXTENSIONS: u8 = 15;

const ATTRIBUTES: &[&str] = &[
    "mobilePhone",
    "businessPhones",
    "extensionAttribute1",
    "extensionAttribute2",
    "extensionAttribute3",
    "extensionAttribute4",
    "extensionAttribute5",
    "extensionAttribute6",
    "extensionAttribute7",
    "extensionAttribute8",
    "extensionAttribute9",
    "extensionAttribute10",
    "extensionAttribute11",
    "extensionAttribute12",
    "extensionAttribute13",
    "extensionAttribute14",
    "extensionAttribute15",
];

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = [Self::MobilePhone, Self::BusinessPhones];
        let extensions = (1..=EXTENSIONS).map(Self::Extension);
        let values: Vec<Self> = named.into_iter().chain(extensions).collect();
        word(deserializer, ATTRIBUTES, &values)
    }
}

impl JsonSchema for Attribute {
    fn schema_name() -> Cow<'static, str> {
        "Attribute".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(ATTRIBUTES)
    }
}

const USAGE_LOCATION: &str = "usageLocation";

impl<'de> Deserialize<'de> for RegionRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = RegionRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "`{USAGE_LOCATION}` or the two capital letters of a country, such as `NL`"
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                if text == USAGE_LOCATION {
                    return Ok(RegionRule::UsageLocation);
                }
                Region::new(text)
                    .map(RegionRule::Country)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for RegionRule {
    fn schema_name() -> Cow<'static, str> {
        "Region".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^({USAGE_LOCATION}|[A-Z]{{2}})$") })
    }
}

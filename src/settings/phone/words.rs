//! The words of a phone's block: directory attributes, countries, and what happens to a registered number.
//!
//! Not here: the block itself (`block`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::{IfRegistered, RegionRule};
use crate::number::Region;
use crate::source::{word, word_schema};
use crate::tenant::directory::Attribute;

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

/// Returns the attribute of that name.
pub(super) fn attribute<E: Error>(text: &str) -> Result<Attribute, E> {
    let named = [Attribute::MobilePhone, Attribute::BusinessPhones];
    let mut all = named.into_iter().chain((1..=EXTENSIONS).map(Attribute::Extension));
    let place = ATTRIBUTES.iter().position(|word| *word == text);
    place.and_then(|place| all.nth(place)).ok_or_else(|| E::unknown_variant(text, ATTRIBUTES))
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl Visitor<'_> for Word {
            type Value = Attribute;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                attribute(text)
            }
        }

        deserializer.deserialize_str(Word)
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
const COUNTRY: &str = "country";

impl<'de> Deserialize<'de> for RegionRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = RegionRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "`{USAGE_LOCATION}`, `{COUNTRY}` or the two capital letters of a country, such as `NL`"
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    USAGE_LOCATION => return Ok(RegionRule::UsageLocation),
                    COUNTRY => return Ok(RegionRule::Country),
                    _ => {}
                }
                Region::new(text)
                    .filter(|region| region.as_str() == text)
                    .map(RegionRule::Named)
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
        json_schema!({ "type": "string", "pattern": format!("^({USAGE_LOCATION}|{COUNTRY}|[A-Z]{{2}})$") })
    }
}

const IF_REGISTERED: &[&str] = &["keep", "replace"];

impl<'de> Deserialize<'de> for IfRegistered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, IF_REGISTERED, &[Self::Keep, Self::Replace])
    }
}

impl JsonSchema for IfRegistered {
    fn schema_name() -> Cow<'static, str> {
        "IfRegistered".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(IF_REGISTERED)
    }
}

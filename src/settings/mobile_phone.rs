//! The mobile phone that a user has registered for MFA, taken from a directory attribute.
//!
//! Not here: the phone of the directory itself, which is never written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::{Remark, Stance, UNMANAGED, Value, Wish};
use crate::number::{Extension, NumberFault, PhoneNumber, Region};
use crate::source::{At, Maybe, word, word_schema};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, Phone, Read, Why};

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

/// `phones.mobile` as it stands in a policy: a word, or where the number comes from.
#[derive(Debug)]
pub enum Block {
    Unmanaged,
    Managed(Numbers),
}

/// The mobile phone registered for MFA, taken from the directory. A number that a user has
/// registered already is left as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "MobilePhone", example = serde_json::json!({ "from": "mobilePhone", "region": "NL" }))]
pub struct Numbers {
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
    pub fn rule(&self) -> Stance<Rule> {
        match self {
            Self::Unmanaged => Stance::Unmanaged,
            Self::Managed(numbers) => Stance::Managed(numbers.rule()),
        }
    }
}

impl Numbers {
    fn rule(&self) -> Rule {
        let region = self.region.as_ref().map(|region| region.value).unwrap_or_default();
        Rule { from: self.from.value, region }
    }
}

/// A word or a map, read as it comes: nothing is kept aside, so places survive.
impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;

        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Block;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{{ from: … }}` or `{UNMANAGED}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    UNMANAGED => Ok(Block::Unmanaged),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Numbers::deserialize(MapAccessDeserializer::new(map)).map(Block::Managed)
            }
        }

        deserializer.deserialize_any(WordOrMap)
    }
}

impl JsonSchema for Block {
    fn schema_name() -> Cow<'static, str> {
        "MobilePhoneBlock".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<Numbers>(), word_schema(&[UNMANAGED])] })
    }
}

/// What is registered.
#[must_use]
pub const fn from_facts(facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match methods.mobile {
            Phone::None => Value::Nothing,
            Phone::Number(number) => Value::Phone(number),
            Phone::Undialable => Value::UndialablePhone,
            Phone::Masked => Value::Unknown(Why::Masked),
        },
    }
}

/// What the rule wants of this user, given what is registered: a number that is there is kept, a
/// directory that says nothing has no opinion, and a number that cannot be trusted is never wanted.
#[must_use]
pub fn from_rule(rule: &Rule, user: &User, observed: Value) -> Wish {
    match observed {
        Value::Nothing => match read(rule, user) {
            Ok(number) => Wish::value(Value::Phone(number)),
            Err(remark) => Wish::only(remark),
        },
        Value::Unknown(why) => Wish::only(Remark::Unreadable(why)),
        kept => Wish {
            value: Some(kept),
            remark: differs(rule, user, kept).then_some(Remark::NumberKept),
        },
    }
}

/// Whether the directory holds a good number that is not the registered one.
fn differs(rule: &Rule, user: &User, kept: Value) -> bool {
    read(rule, user).is_ok_and(|number| kept != Value::Phone(number))
}

fn read(rule: &Rule, user: &User) -> Result<PhoneNumber, Remark> {
    let raw = rule.from.of(user).ok_or(Remark::NoNumber)?;
    let region = match rule.region {
        RegionRule::UsageLocation => user.usage_location,
        RegionRule::Country(region) => Some(region),
    };
    let number =
        PhoneNumber::read(raw.expose(), region, Extension::Refused).map_err(
            |fault| match fault {
                NumberFault::Empty => Remark::NoNumber,
                NumberFault::Masked => Remark::Unreadable(Why::Masked),
                NumberFault::RegionUnknown => Remark::RegionUnknown,
                fault => Remark::NumberInvalid(fault),
            },
        )?;
    if number.can_receive_text() { Ok(number) } else { Err(Remark::NotSmsCapable) }
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
                    .filter(|region| region.as_str() == text)
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

//! The entries of lists of users and groups: groups by name or id, ids with names, days.
//!
//! Not here: whether the users and groups exist (`scope`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde_json::json;

use super::VERSION;
use crate::source::{Located, Maybe};

/// An account or group by id, because a name can be reassigned. The id decides; the name is checked against
/// the tenant.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Guard", rename_all = "camelCase", deny_unknown_fields, example = json!({
    "id": "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01", "name": "breakglass1@exchangelabs.nl",
}))]
pub struct GuardBlock {
    /// The object id.
    #[schemars(with = "ObjectId")]
    pub id: Located<String>,
    /// The user principal name of an account, the display name of a group.
    #[schemars(default)]
    pub name: Maybe<Located<String>>,
}

/// A group of break-glass accounts by id, because a name can be reassigned. The id decides; the name is
/// checked against the tenant.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "GuardGroup", rename_all = "camelCase", deny_unknown_fields, example = json!({
    "id": "0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10", "name": "Break Glass Accounts",
}))]
pub struct GuardGroupBlock {
    /// The object id.
    #[schemars(with = "ObjectId")]
    pub id: Located<String>,
    /// The display name.
    #[schemars(default)]
    pub name: Maybe<Located<String>>,
    /// Whether the group may be empty. Otherwise an empty group is an error, because somebody may have
    /// emptied it.
    #[schemars(default, extend("default" = false))]
    pub allow_empty: Maybe<Located<bool>>,
}

/// The keys of a [`GuardBlock`], as they are read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GuardKeys {
    id: Located<String>,
    #[serde(default)]
    name: Maybe<Located<String>>,
}

/// The keys of a [`GuardGroupBlock`], as they are read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GuardGroupKeys {
    id: Located<String>,
    #[serde(default)]
    name: Maybe<Located<String>>,
    #[serde(default)]
    allow_empty: Maybe<Located<bool>>,
}

impl<'de> Deserialize<'de> for GuardBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let GuardKeys { id, name } = deserializer.deserialize_any(Keys(PhantomData))?;
        Ok(Self { id, name })
    }
}

impl<'de> Deserialize<'de> for GuardGroupBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let GuardGroupKeys { id, name, allow_empty } =
            deserializer.deserialize_any(Keys(PhantomData))?;
        Ok(Self { id, name, allow_empty })
    }
}

/// Reads a map of these keys. Users often write only a name here, so that mistake has its own message.
struct Keys<K>(PhantomData<K>);

impl<'de, K: Deserialize<'de>> Visitor<'de> for Keys<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`{ id: …, name: … }` (a name alone can be reassigned)")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        K::deserialize(MapAccessDeserializer::new(map))
    }
}

/// A group: one string (display name or object id), or a map of both.
#[derive(Debug)]
pub enum GroupEntry {
    Word(String),
    Both(GroupBlock),
}

/// A group by id and name. The id decides; the name is checked against the tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Group")]
pub struct GroupBlock {
    /// The object id.
    #[schemars(with = "ObjectId")]
    pub id: Located<String>,
    /// The display name.
    #[schemars(length(min = 1))]
    pub name: Located<String>,
}

impl<'de> Deserialize<'de> for GroupEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;

        impl<'de> Visitor<'de> for WordOrMap {
            type Value = GroupEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a group's name in quotes, its object id, or `{ id: …, name: … }`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(GroupEntry::Word(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                GroupBlock::deserialize(MapAccessDeserializer::new(map)).map(GroupEntry::Both)
            }
        }

        deserializer.deserialize_any(WordOrMap)
    }
}

impl JsonSchema for GroupEntry {
    fn schema_name() -> Cow<'static, str> {
        "GroupEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A security group: its display name, its object id, or both.",
            "anyOf": [{ "type": "string", "minLength": 1 }, generator.subschema_for::<GroupBlock>()],
        })
    }
}

/// The schema of `version`.
#[derive(Debug)]
pub struct Version;

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "const": VERSION })
    }
}

/// The schema of an object id.
#[derive(Debug)]
pub struct ObjectId;

impl JsonSchema for ObjectId {
    fn schema_name() -> Cow<'static, str> {
        "ObjectId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An object id, as Entra shows it.",
            "type": "string",
            "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        })
    }
}

/// A day, written as `2027-06-30`.
#[derive(Debug, Clone, Copy)]
pub struct Day(pub Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Day;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a day as year, month and day, such as `2027-06-30`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                // The library accepts other spellings of a day, which a reader does not expect here.
                text.parse()
                    .ok()
                    .filter(|day: &Date| day.to_string() == text)
                    .map(Day)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }
}

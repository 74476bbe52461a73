//! A value, or a list of values whose order counts.
//!
//! Not here: what the order means (the setting that uses the list).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IntoDeserializer as _, SeqAccess, Visitor};

use crate::source::{Located, NonEmptyList};

/// At least one value, in the order of the file.
#[derive(Debug)]
pub struct OneOrMore<T>(pub Vec<T>);

/// Reads the list.
///
/// # Errors
/// If the list or an entry is empty.
pub(super) fn entries<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    mut seq: A,
    expected: &dyn serde::de::Expected,
) -> Result<OneOrMore<T>, A::Error> {
    let mut entries = Vec::new();
    while let Some(entry) = seq.next_element::<Located<T>>()? {
        entries.push(entry.value);
    }
    if entries.is_empty() {
        return Err(A::Error::invalid_length(0, expected));
    }
    Ok(OneOrMore(entries))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrList<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for WordOrList<T> {
            type Value = OneOrMore<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a list of words")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(|one| OneOrMore(vec![one]))
            }

            /// YAML reads some words as booleans, such as `NO` in old versions. Here they are words.
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                self.visit_str(if value { "true" } else { "false" })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                entries(seq, &self)
            }
        }

        deserializer.deserialize_any(WordOrList(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMore<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMore{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<T>(), generator.subschema_for::<NonEmptyList<T>>()] })
    }
}

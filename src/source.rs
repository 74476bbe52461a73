//! Files that a person wrote, where in them a value stands, and the three wrappers that every
//! file shape is made of: [`At`], [`Maybe`] and [`List`].
//!
//! Not here: what the files mean (`policy`), or how a place is shown to a reader
//! (`render::diagnostic`).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

/// One of the files of a run, by its place in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A stretch of one file. Lines and columns count from 1, columns in characters; offset and length
/// count bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub offset: u32,
    pub len: u32,
}

/// Where a desired value came from: a file and a stretch of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub file: FileId,
    pub span: Span,
}

/// A value and where it stands. Equal, ordered and hashed by the value alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct At<T> {
    pub value: T,
    pub span: Span,
}

/// A key that was mentioned, or was not. Mentioned with nothing behind it is an error when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Maybe<T> {
    #[default]
    Unmentioned,
    Said(T),
}

/// A list that must hold something: an empty one says nothing, and nothing is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct List<T>(pub Vec<T>);

/// A file as it was read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path as the user would write it from the working folder.
    pub path: String,
    /// Its path from the folder of `mfactl.yaml`, with forward slashes: the same however that folder
    /// was reached.
    pub name: String,
    pub text: String,
    /// Whether its words may be shown. Those of a file elsewhere, to which a link leads, may be no words
    /// of a policy.
    pub is_shown: bool,
}

/// All files of one run.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Takes in a file of the working folder and gives it its id.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let path = path.into();
        self.take(path.clone(), path, text, true)
    }

    /// Takes in a file and gives it its id. Of one that is not shown, no word may be shown.
    pub fn take(
        &mut self,
        path: impl Into<String>,
        name: impl Into<String>,
        text: impl Into<String>,
        is_shown: bool,
    ) -> FileId {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source { path: path.into(), name: name.into(), text: text.into(), is_shown });
        id
    }

    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.0.iter().zip(0..).map(|(source, index)| (FileId(index), source))
    }
}

impl<T> At<T> {
    /// The place of the value, given the file it was read from.
    pub const fn origin(&self, file: FileId) -> Origin {
        Origin { file, span: self.span }
    }
}

impl From<serde_yaml::Location> for Span {
    fn from(place: serde_yaml::Location) -> Self {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            line: small(place.line()),
            column: small(place.column()),
            offset: small(place.span().byte_offset().unwrap_or(0)),
            len: small(place.span().byte_len().unwrap_or(0)),
        }
    }
}

impl<T> Maybe<T> {
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Unmentioned => None,
            Self::Said(value) => Some(value),
        }
    }

    pub const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Unmentioned => None,
            Self::Said(value) => Some(value),
        }
    }

    pub const fn is_unmentioned(&self) -> bool {
        matches!(self, Self::Unmentioned)
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T: PartialOrd> PartialOrd for At<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for At<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<T: Hash> Hash for At<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

// Reading. A key with nothing behind it must be an error wherever a value is expected, so both
// `At` and `Maybe` ask for an optional value and refuse its absence. The refusal is reported as a
// length of zero, which an empty list is too; `policy::load` calls all of them `empty-key`.

/// A value that is neither left empty nor `null`.
struct Something<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Something<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Present<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Present<T> {
            type Value = Something<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
                Err(E::invalid_length(0, &self))
            }

            fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
                T::deserialize(value).map(Something)
            }
        }

        deserializer.deserialize_option(Present(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<Something<T>>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value.0, span: spanned.referenced.into() })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Something::deserialize(deserializer).map(|value| Self::Said(value.0))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    entries.push(entry);
                }
                if entries.is_empty() {
                    return Err(A::Error::invalid_length(0, &self));
                }
                Ok(List(entries))
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// Reads one of a fixed list of words.
///
/// # Errors
/// Where something else stands there.
pub fn word<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    words: &'static [&'static str],
    values: &[T],
) -> Result<T, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.to_owned())
        }
    }

    let text = deserializer.deserialize_str(Text)?;
    let place = words.iter().position(|word| *word == text);
    place
        .and_then(|place| values.get(place).copied())
        .ok_or_else(|| D::Error::unknown_variant(&text, words))
}

/// The schema of [`word`].
#[must_use]
pub fn word_schema(words: &'static [&'static str]) -> Schema {
    schemars::json_schema!({ "type": "string", "enum": words })
}

macro_rules! transparent_schema {
    ($($wrapper:ident),+) => {$(
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }

            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    )+};
}

transparent_schema!(At, Maybe);

impl<T: JsonSchema> JsonSchema for List<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "minItems": 1,
        })
    }
}

//! The files that a user wrote, the place of a value in them, and the three wrapper types of every
//! file format: [`Located`], [`Maybe`] and [`NonEmptyList`].
//!
//! Not here: the meaning of the files (`policy`), or how a place is shown (`render::diagnostic`).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

/// A file of a run: its index in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range in one file. Lines and columns start at 1, and columns count characters; offset and length
/// count bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub offset: u32,
    pub len: u32,
}

/// The place where a desired value is defined: a file and a range in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub file: FileId,
    pub span: Span,
}

/// A value and its place. Equality, order and hash use the value alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Located<T> {
    pub value: T,
    pub span: Span,
}

/// A key that may be mentioned or not. A mentioned key without a value is an error when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Maybe<T> {
    #[default]
    Unmentioned,
    Said(T),
}

/// A list with at least one entry. An empty list is refused, because it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NonEmptyList<T>(pub Vec<T>);

/// A file as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user would write it from the working folder.
    pub path: String,
    /// The path from the folder of `mfactl.yaml`, with forward slashes. It does not depend on the path of
    /// that folder.
    pub name: String,
    pub text: String,
    /// Whether its text may be shown. A link can lead to a file elsewhere that is not a policy, and the
    /// text of that file may be private.
    pub is_shown: bool,
}

/// All files of one run.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<SourceFile>);

impl Sources {
    /// Adds a file of the working folder and returns its id.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let path = path.into();
        self.take(path.clone(), path, text, true)
    }

    /// Adds a file and returns its id. `is_shown` says whether its text may be shown.
    pub fn take(
        &mut self,
        path: impl Into<String>,
        name: impl Into<String>,
        text: impl Into<String>,
        is_shown: bool,
    ) -> FileId {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(SourceFile {
            path: path.into(),
            name: name.into(),
            text: text.into(),
            is_shown,
        });
        id
    }

    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.0.get(id.0 as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.0.iter().zip(0..).map(|(source, index)| (FileId(index), source))
    }
}

impl<T> Located<T> {
    /// Returns the place of the value in the file that it was read from.
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

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T: PartialOrd> PartialOrd for Located<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Located<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<T: Hash> Hash for Located<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

// A key without a value must be an error wherever a value is expected. So `Located` and `Maybe` both ask for
// an optional value and refuse its absence. The error says that the length is zero, as it does for an
// empty list; `policy::load` reports all of them as `empty-key`.

/// A value that is neither empty nor `null`.
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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NonEmptyList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = NonEmptyList<T>;

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
                Ok(NonEmptyList(entries))
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// Reads one of a fixed list of words.
///
/// # Errors
/// The text is none of these words.
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

/// Returns the schema of [`word`].
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

transparent_schema!(Located, Maybe);

impl<T: JsonSchema> JsonSchema for NonEmptyList<T> {
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

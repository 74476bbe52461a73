//! Files that a person wrote, and where in them a value stands.
//!
//! Not here: what the files mean (`policy`), or how a place is shown to a reader
//! (`render::diagnostic`).

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

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

/// A file as it was read: its path as the user would write it, and its text.
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub text: String,
}

/// All files of one run.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Takes a file in and gives it its id.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source {
            path: path.into(),
            text: text.into(),
        });
        id
    }

    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    /// `policies/staff.yaml:14`, the short form for a line of a plan.
    #[must_use]
    pub fn short(&self, origin: Origin) -> String {
        let path = self
            .get(origin.file)
            .map_or("?", |source| source.path.as_str());
        format!("{path}:{}", origin.span.line)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.0
            .iter()
            .zip(0..)
            .map(|(source, index)| (FileId(index), source))
    }
}

impl<T> At<T> {
    /// The place of the value, given the file it was read from.
    pub const fn origin(&self, file: FileId) -> Origin {
        Origin {
            file,
            span: self.span,
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

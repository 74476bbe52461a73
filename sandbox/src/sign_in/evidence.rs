//! What decides one sign-in, and how its documents are read.
//!
//! Not here: what the documents mean (`sign_in` and its other modules).

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use crate::records::{Document, TenantDocuments, UserRecord};

/// Everything that decides one sign-in.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub record: &'a UserRecord,
    /// The groups of this user, direct or through other groups.
    pub groups: &'a BTreeSet<Uuid>,
    pub tenant: &'a TenantDocuments,
    pub application: Application,
    /// The day of the sign-in.
    pub on: Date,
}

/// The kind of application that the user signs in to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Application {
    /// Mail, files, chat: no policy names it, and policies for all applications apply to it.
    #[default]
    Ordinary,
    /// The portals for the administration of a tenant. Only here Microsoft requires MFA from
    /// administrators.
    AdminPortals,
}

impl Application {
    pub const ALL: [Self; 2] = [Self::Ordinary, Self::AdminPortals];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::AdminPortals => "adminPortals",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// Returns a string property; `None` if it is absent, null or of another type.
pub(super) fn text<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    document.get(key).and_then(Value::as_str)
}

/// Returns the members of an array property; none if it is absent or null.
pub(super) fn items<'a>(document: &'a Document, key: &str) -> impl Iterator<Item = &'a Value> {
    document.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Returns a property that contains an id.
pub(super) fn id(document: &Document, key: &str) -> Option<Uuid> {
    text(document, key).and_then(|value| Uuid::parse_str(value).ok())
}

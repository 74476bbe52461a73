//! What a write does to the tenant, as a value: it is appended to the log, applied to the store,
//! and applied again when the log is read back.
//!
//! An effect holds what became of a thing, not what was asked for, so reading a log back needs no
//! rule of Graph and cannot come out differently under a later version of the rules.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::records::Document;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "effect",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Effect {
    UserCreated {
        user: Uuid,
        properties: Document,
        methods: Vec<Document>,
        requirements: Document,
        sign_in_preferences: Document,
    },
    /// Properties that were set; the others stay.
    UserChanged {
        user: Uuid,
        properties: Document,
    },
    UserDeleted {
        user: Uuid,
    },
    /// All methods of the user as they now are.
    Methods {
        user: Uuid,
        methods: Vec<Document>,
    },
    Requirements {
        user: Uuid,
        requirements: Document,
    },
    SignInPreferences {
        user: Uuid,
        sign_in_preferences: Document,
    },
    GroupCreated {
        group: Uuid,
        properties: Document,
        members: Vec<Uuid>,
    },
    GroupChanged {
        group: Uuid,
        properties: Document,
    },
    GroupDeleted {
        group: Uuid,
    },
    MemberAdded {
        group: Uuid,
        member: Uuid,
    },
    MemberRemoved {
        group: Uuid,
        member: Uuid,
    },
}

/// One write that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteLogLine {
    /// From 1, in the order in which the tenant changed.
    pub ordinal: u64,
    pub method: String,
    /// From the root, with the version: `/beta/users/…`.
    pub path: String,
    /// What was sent; null where nothing was.
    pub body: Value,
    pub effects: Vec<Effect>,
}

//! The changes that a write makes to the tenant, as values. They are appended to the log, applied to
//! the store, and applied again when the log is replayed.
//!
//! An effect stores the result, not the request. So a replay needs no rule of Graph, and a later
//! version of the rules cannot change its result.
//!
//! Not here: applying an effect (`store`), or the file of the log (`folder`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::records::Document;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Effect {
    UserCreated {
        user: Uuid,
        properties: Document,
        methods: Vec<Document>,
        requirements: Document,
        sign_in_preferences: Document,
    },
    /// The properties that were set; the others do not change.
    UserChanged {
        user: Uuid,
        properties: Document,
    },
    UserDeleted {
        user: Uuid,
    },
    /// All methods of the user after the write.
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
    /// The number of the write, from 1, in the order in which the tenant changed.
    pub ordinal: u64,
    pub method: String,
    /// The path from the root, with the version: `/beta/users/…`.
    pub path: String,
    /// The body of the request; null if there was none.
    pub body: Value,
    pub effects: Vec<Effect>,
}

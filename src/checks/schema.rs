//! Generates the JSON Schema of a file of checks from its shape.
//!
//! Not here: the shape (`file`), or the copy under `schemas/`, which a test keeps up to date.

use serde_json::Value;

use super::file::ChecksFile;

/// The schema of a file in the folder `checks`.
#[must_use]
pub fn checks() -> Value {
    crate::policy::schema::generate::<ChecksFile>()
}

//! The JSON Schemas of both kinds of file, generated from their shapes.
//!
//! Not here: the shapes (`file`), or the copies under `schemas/`, which a test keeps fresh.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::{PolicyFile, ProjectFile};

/// The schema of `mfactl.yaml`.
#[must_use]
pub fn mfactl() -> Value {
    generate::<ProjectFile>()
}

/// The schema of a file in the policies folder.
#[must_use]
pub fn policy() -> Value {
    generate::<PolicyFile>()
}

/// Draft 7, because that is what editors read.
fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

//! Generates the JSON Schemas of both kinds of file from their shapes.
//!
//! Not here: the shapes (`file`), or the copies under `schemas/`, which a test keeps up to date.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
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

/// Generates a schema in draft 7, because editors read that.
#[must_use]
pub fn generate<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(one_line).transform(&mut schema);
    schema.to_value()
}

/// Joins the lines of a description. Doc comments wrap for the source code; an editor wraps lines itself.
fn one_line(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

//! Findings for programs, as JSON of a stable shape.
//!
//! Not here: the findings of a plan (`render::plan::json`).

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{FindingDocument, PlacedFinding, RepositoryPlace};
use crate::finding::Severity;
use crate::render::plan::grouping;

/// The version of the shape below.
const FORMAT_VERSION: &str = "1.0";

/// The findings about the files.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Validation")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    counts: Counts,
    /// Every file that was read, from the root of the repository.
    files: &'a [String],
    /// Errors first.
    findings: Vec<Row<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Counts {
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FileFinding")]
struct Row<'a> {
    /// A code of `docs/findings.md`.
    code: &'a str,
    /// `error`, `warning` or `note`.
    severity: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    /// Missing if the finding is about no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a RepositoryPlace>,
    /// The keys that lead to the place, such as `policies/staff/desired`.
    #[serde(skip_serializing_if = "str::is_empty")]
    rule: &'a str,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'a>>,
    /// Made from code and rule, so that it stays if the lines move.
    fingerprint: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RelatedPlace")]
struct Related<'a> {
    #[serde(flatten)]
    place: &'a RepositoryPlace,
    text: &'a str,
}

/// Returns the document.
#[must_use]
pub fn document(all: &FindingDocument) -> String {
    let document = Document {
        format_version: FORMAT_VERSION,
        counts: Counts {
            errors: all.count(Severity::Error),
            warnings: all.count(Severity::Warning),
            notes: all.count(Severity::Note),
        },
        files: &all.files,
        findings: all.findings.iter().map(row).collect(),
    };
    written(&document)
}

fn row(finding: &PlacedFinding) -> Row<'_> {
    let related = finding.related.iter().map(|(place, text)| Related { place, text });
    Row {
        code: finding.code.as_str(),
        severity: finding.severity.as_str(),
        message: &finding.message,
        help: finding.help.as_deref(),
        place: finding.place.as_ref(),
        rule: &finding.rule,
        related: related.collect(),
        fingerprint: &finding.fingerprint,
    }
}

/// Writes a value as JSON without invisible characters.
pub(super) fn written(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    // Writing to memory does not fail, and neither do the shapes of this module.
    _ = grouping::write(value, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Returns the JSON Schema of the document.
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("the result of mfactl validate")
}

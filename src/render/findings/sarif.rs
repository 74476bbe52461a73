//! Findings as SARIF 2.1.0, for code scanning at GitHub and other readers (OASIS, "Static Analysis Results
//! Interchange Format", checked 2026-11).
//!
//! Not here: the identity of a finding, which all formats share (the module above).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::json::written;
use super::place::{LineRange, RepositoryPlace};
use super::{FindingDocument, PlacedFinding};
use crate::finding::{Code, Severity};

/// The address of the schema that the document names. It is not requested.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the fingerprint; another way to make it needs another name.
const FINGERPRINT: &str = "mfactlRule/v1";
/// The address of the sources; empty if the package names none.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Value>,
    partial_fingerprints: BTreeMap<&'static str, &'a str>,
}

/// Returns the log with one run.
#[must_use]
pub fn document(all: &FindingDocument) -> String {
    let mut codes: Vec<Code> = all.findings.iter().map(|one| one.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Vec<SarifResult<'_>> =
        all.findings.iter().map(|finding| result(finding, &codes)).collect();
    let mut driver = json!({
        "name": "mfactl",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
    });
    if let (false, Some(driver)) = (HOME.is_empty(), driver.as_object_mut()) {
        driver.insert("informationUri".to_owned(), json!(HOME));
    }
    written(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(code: Code) -> Value {
    let about = code.about();
    let mut rule = json!({
        "id": code.as_str(),
        "shortDescription": { "text": about },
        "fullDescription": { "text": about },
        "help": {
            "text": format!("{about}. Each result says how to correct it; `docs/findings.md` lists all codes."),
        },
        "defaultConfiguration": { "level": level(code.severity()) },
    });
    if let (false, Some(rule)) = (HOME.is_empty(), rule.as_object_mut()) {
        rule.insert("helpUri".to_owned(), json!(format!("{HOME}/blob/main/docs/findings.md")));
    }
    rule
}

fn result<'a>(finding: &'a PlacedFinding, codes: &[Code]) -> SarifResult<'a> {
    let related = finding.related.iter().map(|(place, text)| {
        let mut location = location(place);
        if let (false, Some(location)) = (text.is_empty(), location.as_object_mut()) {
            location.insert("message".to_owned(), json!({ "text": escaped(text) }));
        }
        location
    });
    SarifResult {
        rule_id: finding.code.as_str(),
        rule_index: codes.binary_search(&finding.code).unwrap_or_default(),
        level: level(finding.severity),
        message: json!({ "text": escaped(&finding.sentence()) }),
        // Code scanning shows no result without a file.
        locations: vec![finding.place.as_ref().map_or_else(|| whole(&finding.path), location)],
        related_locations: related.collect(),
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, finding.fingerprint.as_str())]),
    }
}

/// Escapes text that could be a link or a placeholder (SARIF 2.1.0, sections 3.11.5 and 3.11.6).
fn escaped(text: &str) -> String {
    [("\\", "\\\\"), ("[", "\\["), ("]", "\\]"), ("{", "{{"), ("}", "}}")]
        .into_iter()
        .fold(text.to_owned(), |text, (sign, escape)| text.replace(sign, escape))
}

const fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn location(place: &RepositoryPlace) -> Value {
    let mut location = whole(&place.file);
    let physical = location.get_mut("physicalLocation").and_then(Value::as_object_mut);
    if let (Some(range), Some(physical)) = (place.range, physical) {
        physical.insert("region".to_owned(), region(range));
    }
    location
}

fn whole(path: &str) -> Value {
    json!({ "physicalLocation": { "artifactLocation": { "uri": uri(path), "uriBaseId": "%SRCROOT%" } } })
}

fn region(range: LineRange) -> Value {
    json!({
        "startLine": range.line,
        "startColumn": range.column,
        "endLine": range.end_line,
        "endColumn": range.end_column,
    })
}

/// Returns a path as a relative reference (RFC 3986, section 4.2). A colon is escaped, because text before it
/// would be a scheme.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

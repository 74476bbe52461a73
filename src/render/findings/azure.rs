//! Issues for Azure Pipelines: logging commands such as `##vso[task.logissue type=error;…]message`.
//!
//! The escapes are those of the agent (microsoft/azure-pipelines-agent, `Command.cs`, checked 2026-11).
//! `task.logissue` knows errors and warnings, so a note is a line of text.
//!
//! Not here: the full report, which a command prints into the log.

use std::fmt::Write as _;

use super::{FindingDocument, PlacedFinding};
use crate::finding::Severity;
use crate::untrusted::printable;

/// Returns one line for each finding, errors first.
#[must_use]
pub fn document(all: &FindingDocument) -> String {
    let mut out = String::new();
    for finding in &all.findings {
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => {
                _ = writeln!(out, "note: {}: {}", finding.code, finding.sentence());
                continue;
            }
        };
        _ = writeln!(
            out,
            "##vso[task.logissue type={kind};{}code={}]{}",
            place(finding),
            finding.code,
            escaped(&finding.sentence())
        );
    }
    out
}

fn place(finding: &PlacedFinding) -> String {
    let Some(place) = &finding.place else { return String::new() };
    let mut text = format!("sourcepath={};", escaped(&place.file));
    if let Some(range) = place.range {
        _ = write!(text, "linenumber={};columnnumber={};", range.line, range.column);
    }
    text
}

fn escaped(text: &str) -> String {
    // The sign of all escapes comes first.
    [("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"), (";", "%3B"), ("]", "%5D")]
        .into_iter()
        .fold(printable(text).into_owned(), |text, (sign, escape)| text.replace(sign, escape))
}

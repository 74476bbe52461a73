//! Annotations for GitHub Actions: workflow commands such as `::error file=…,line=…::message`.
//!
//! The escapes are those of `escapeData` and `escapeProperty` (actions/toolkit, `packages/core/src/command.ts`,
//! checked 2026-11). A step shows ten annotations of each kind (GitHub, "REST API endpoints for check runs",
//! checked 2026-11).
//!
//! Not here: the full report, which a command prints into the log.

use std::fmt::Write as _;

use super::{FindingDocument, PlacedFinding, RepositoryPlace};
use crate::finding::Severity;
use crate::untrusted::printable;

/// The largest number of errors and of warnings.
const MOST: usize = 10;

/// Returns one line for each finding, errors first.
#[must_use]
pub fn document(all: &FindingDocument) -> String {
    let mut out = String::new();
    let mut hidden = 0;
    for (severity, command, most) in [
        (Severity::Error, "error", MOST),
        (Severity::Warning, "warning", MOST),
        // The last line is a notice too.
        (Severity::Note, "notice", MOST - 1),
    ] {
        let findings = all.findings.iter().filter(|one| one.severity == severity);
        for finding in findings.take(most) {
            _ = writeln!(out, "::{command} {}::{}", properties(finding), message(finding));
        }
        hidden += all.count(severity).saturating_sub(most);
    }
    if hidden > 0 {
        _ = writeln!(out, "::notice::and {hidden} more in the log");
    }
    out
}

fn properties(finding: &PlacedFinding) -> String {
    let mut text = String::new();
    if let Some(RepositoryPlace { file, range }) = &finding.place {
        _ = write!(text, "file={}", property(file));
        if let Some(range) = range {
            _ = write!(text, ",line={},endLine={}", range.line, range.end_line);
            // A range of several lines has no columns.
            if range.line == range.end_line {
                _ = write!(text, ",col={},endColumn={}", range.column, range.end_column);
            }
        }
        text.push(',');
    }
    text + "title=" + finding.code.as_str()
}

fn message(finding: &PlacedFinding) -> String {
    let help = finding.help.as_deref().map(|help| format!("\nhelp: {}", printable(help)));
    data(&format!("{}{}", printable(&finding.message), help.unwrap_or_default()))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}

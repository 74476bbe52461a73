//! Findings for GitLab Code Quality: a JSON array of issues in the format of Code Climate (GitLab, "Code
//! Quality", "Code Quality report format", checked 2026-11).
//!
//! Not here: comments on a merge request (`review_host`).

use serde::Serialize;

use super::{FindingDocument, PlacedFinding, RepositoryPlace, json};
use crate::finding::Severity;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: IssueLocation<'a>,
}

#[derive(Serialize)]
struct IssueLocation<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Returns the array, errors first.
#[must_use]
pub fn document(all: &FindingDocument) -> String {
    let issues: Vec<Issue<'_>> = all.findings.iter().map(issue).collect();
    json::written(&issues)
}

fn issue(finding: &PlacedFinding) -> Issue<'_> {
    Issue {
        description: finding.sentence(),
        check_name: finding.code.as_str(),
        fingerprint: &finding.fingerprint,
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        },
        location: IssueLocation {
            path: &finding.path,
            lines: Lines { begin: finding.place.as_ref().map_or(1, RepositoryPlace::line) },
        },
    }
}

//! Findings as documents for programs that show them to a reviewer: annotations, reports of code scanning,
//! test results. Each format is a pure function of a [`FindingDocument`].
//!
//! A document takes findings of every severity. A message is escaped before it enters a format, and each
//! format then applies its own escapes.
//!
//! Not here: findings for a terminal (`render::diagnostic`), or the findings of a plan
//! (`render::plan::json`).

pub mod azure;
pub mod codeclimate;
pub mod github;
pub mod json;
pub mod junit;
mod place;
mod rule_path;
pub mod sarif;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::finding::{Code, Finding, Severity};
use crate::render::diagnostic::{self, Style};
use crate::source::{FileId, Origin, SourceFile, Sources};
use crate::untrusted::printable;
pub use place::RepositoryPlace;
use rule_path::RulePaths;

/// The number of hexadecimal digits of a fingerprint.
const FINGERPRINT: usize = 32;

/// Findings, and the files that they were found in.
#[derive(Debug)]
pub struct FindingDocument {
    /// The command that found them.
    command: &'static str,
    /// Sorted by severity; findings of one severity keep their order.
    findings: Vec<PlacedFinding>,
    /// The path of every file from the root of the repository, with the project file first.
    files: Vec<String>,
}

/// A finding with its place in the repository.
#[derive(Debug)]
pub struct PlacedFinding {
    code: Code,
    severity: Severity,
    /// One line, escaped.
    message: String,
    /// One line, escaped.
    help: Option<String>,
    /// The path of the project file for a finding without a place.
    path: String,
    place: Option<RepositoryPlace>,
    related: Vec<(RepositoryPlace, String)>,
    /// The keys that lead to the place, such as `policies/staff/desired`.
    rule: String,
    fingerprint: String,
    /// The finding as a terminal shows it, without colours.
    text: String,
}

impl FindingDocument {
    /// Collects the findings of a run. `project` is the path of the project file, and `path_of` gives the
    /// path of a file from the root of the repository.
    #[must_use]
    pub fn new(
        findings: &[Finding],
        sources: &Sources,
        project: &str,
        path_of: impl Fn(&SourceFile) -> String,
    ) -> Self {
        let paths: BTreeMap<FileId, String> =
            sources.iter().map(|(id, file)| (id, path_of(file))).collect();
        let labels = findings.iter().flat_map(|one| &one.labels);
        let rules = RulePaths::of(labels.map(|label| label.origin), sources);
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|one| one.severity);
        let mut seen = BTreeMap::new();
        let placed = sorted.into_iter().map(|finding| {
            let mut labels = finding.labels.iter();
            let first = labels.next();
            let place =
                |origin: Origin| RepositoryPlace::of(origin, sources, paths.get(&origin.file)?);
            let path = first.and_then(|label| paths.get(&label.origin.file));
            let path = path.map_or(project, String::as_str).to_owned();
            let rule = first.map_or("", |label| rules.at(label.origin)).to_owned();
            let related = labels.filter_map(|label| {
                Some((place(label.origin)?, printable(&label.text).into_owned()))
            });
            PlacedFinding {
                fingerprint: fingerprint(finding.code, &path, &rule, &mut seen),
                code: finding.code,
                severity: finding.severity,
                message: printable(&finding.message).into_owned(),
                help: finding.help.as_deref().map(|help| printable(help).into_owned()),
                place: first.and_then(|label| place(label.origin)),
                related: related.collect(),
                text: diagnostic::finding(finding, sources, Style::Plain),
                path,
                rule,
            }
        });
        let findings = placed.collect();
        let mut files = vec![project.to_owned()];
        files.extend(paths.into_values().filter(|path| path != project));
        Self { command: "mfactl validate", findings, files }
    }

    /// Returns the same as the result of another command.
    #[must_use]
    pub fn of_command(self, command: &'static str) -> Self {
        Self { command, ..self }
    }

    /// Returns the same about these files alone.
    #[must_use]
    pub fn of_files(self, files: Vec<String>) -> Self {
        Self { files, ..self }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|one| one.severity == severity).count()
    }
}

impl PlacedFinding {
    /// Returns the message, and the help after it in the same line.
    fn sentence(&self) -> String {
        match &self.help {
            Some(help) => format!("{} (help: {help})", self.message),
            None => self.message.clone(),
        }
    }
}

/// Returns the identity of a finding: its code and the rule that it is about. A policy can move within its
/// file or to another file and keeps it, because the name of a policy is unique. Equal findings are counted.
fn fingerprint(code: Code, path: &str, rule: &str, seen: &mut BTreeMap<String, usize>) -> String {
    let is_of_policy = rule.starts_with("policies/");
    let file = if is_of_policy { "" } else { path };
    let identity = format!("{code}\0{file}\0{rule}");
    let number = seen.entry(identity.clone()).and_modify(|number| *number += 1).or_insert(0);
    let digest = Sha256::digest(format!("{identity}\0{number}"));
    let mut text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(FINGERPRINT);
    text
}

#[cfg(test)]
mod tests;

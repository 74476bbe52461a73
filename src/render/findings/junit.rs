//! Findings as test results: one test case for each file, which fails if the file has an error. The format
//! is the one that GitLab, Jenkins and Azure Pipelines read (GitLab, "Unit test reports", checked 2026-11).
//!
//! Not here: which files there are (the commands `validate` and `test`).

use std::fmt::Write as _;

use super::{FindingDocument, PlacedFinding};
use crate::untrusted::printable;

/// Returns the XML document.
#[must_use]
pub fn document(all: &FindingDocument) -> String {
    let failed = all.files.iter().filter(|file| errors(all, file).next().is_some()).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\"", all.files.len());
    let name = all.command;
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\" {counts}>\n  \
         <testsuite name=\"{name}\" {counts}>\n"
    );
    for file in &all.files {
        case(file, all, &mut out);
    }
    out + "  </testsuite>\n</testsuites>\n"
}

fn case(file: &str, all: &FindingDocument, out: &mut String) {
    let head = format!(
        "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{name}\"",
        class = all.command.replace(' ', "."),
        name = escaped(&printable(file))
    );
    let failures: Vec<_> = errors(all, file).collect();
    let others: Vec<_> = of_file(all, file).filter(|one| !is_error(one)).collect();
    if failures.is_empty() && others.is_empty() {
        _ = writeln!(out, "{head}/>");
        return;
    }
    _ = writeln!(out, "{head}>");
    // Readers show one failure of a case, so all errors of a file are in it.
    if let Some(first) = failures.first() {
        _ = writeln!(
            out,
            "      <failure type=\"{}\" message=\"{}\">{}</failure>",
            first.code,
            escaped(&first.message),
            texts(&failures)
        );
    }
    if !others.is_empty() {
        _ = writeln!(out, "      <system-out>{}</system-out>", texts(&others));
    }
    out.push_str("    </testcase>\n");
}

fn of_file<'a>(all: &'a FindingDocument, file: &'a str) -> impl Iterator<Item = &'a PlacedFinding> {
    all.findings.iter().filter(move |one| one.path == file)
}

fn errors<'a>(all: &'a FindingDocument, file: &'a str) -> impl Iterator<Item = &'a PlacedFinding> {
    of_file(all, file).filter(|one| is_error(one))
}

fn is_error(finding: &PlacedFinding) -> bool {
    finding.severity == crate::finding::Severity::Error
}

fn texts(findings: &[&PlacedFinding]) -> String {
    let texts: Vec<String> = findings.iter().map(|one| escaped(&one.text)).collect();
    texts.join("\n\n")
}

/// Escapes text for XML 1.0. Control characters are not allowed there, not even escaped, and are removed;
/// text from outside has none any more.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // `##` begins a command to a runner, which reads it in a line of a log.
            '#' if out.ends_with('#') => out.push_str("&#35;"),
            '\n' | '\t' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

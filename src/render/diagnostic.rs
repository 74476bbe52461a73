//! Findings with an excerpt of the file that they point into, in the style of rustc.
//!
//! An excerpt contains only the labelled lines. Each line is cut to a window around its label, because a
//! file may be a single line of a megabyte. Characters that could change the terminal are escaped.
//! Not here: findings as data (`render::plan::json`).

use std::collections::BTreeSet;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin as Place, Renderer, Snippet,
};

use crate::finding::{Finding, Label, Severity, without_numbers};
use crate::source::{Origin, SourceFile, Sources, Span};
use crate::untrusted::printable;

/// The largest number of characters shown of a line: before, under and after a label.
const BEFORE: usize = 100;
const UNDER: usize = 80;
const AFTER: usize = 60;
/// Labels further apart than this many bytes get separate excerpts.
const APART: usize = 4096;

/// With or without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    Plain,
    Styled,
}

/// Returns one finding, without a line break at the end.
#[must_use]
pub fn finding(finding: &Finding, sources: &Sources, style: Style) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(printable(&finding.message)).id(finding.code.as_str());
    let mut group = Group::with_title(title);
    for excerpt in excerpts(&finding.labels, sources) {
        group = group.elements(excerpt.elements());
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Styled => Renderer::styled(),
    };
    with_arrows(&renderer.term_width(BEFORE + UNDER + AFTER + 40).render(&[group]))
}

/// Begins the excerpt of another file with an arrow too. The renderer writes `:::` there, and two colons at the
/// start of a line are a command to a runner, so they would be shown escaped.
fn with_arrows(text: &str) -> String {
    let is_margin = |c: char| matches!(c, ' ' | '\u{1b}' | '[' | ';' | 'm') || c.is_ascii_digit();
    let line = |line: &str| match line.split_once(":::") {
        Some((margin, rest)) if margin.chars().all(is_margin) => format!("{margin}-->{rest}"),
        _ => line.to_owned(),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Returns all findings, and the count of them by severity.
#[must_use]
pub fn report(findings: &[Finding], sources: &Sources, style: Style) -> String {
    let mut text = String::new();
    for one in findings {
        text.push_str(&finding(one, sources, style));
        text.push_str("\n\n");
    }
    text.push_str(&summary(findings));
    text.push('\n');
    text
}

/// Returns the counts: `2 errors in 1 file`.
#[must_use]
pub fn summary(findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let mut parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (of(severity), severity.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let last = parts.pop().unwrap_or_else(|| "no findings".to_owned());
    let counts = if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) };
    let primary = findings.iter().filter_map(|finding| finding.labels.first());
    let files = primary.map(|label| label.origin.file).collect::<BTreeSet<_>>().len();
    if files == 0 { counts } else { format!("{counts} in {}", counted(files, "file")) }
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// A part of a file with the labels in it.
struct Excerpt {
    path: String,
    /// The place of the first label; `None` for a whole file.
    place: Option<Span>,
    first_line: u32,
    text: String,
    /// The beginning of a line was cut off, so columns cannot be counted in the excerpt.
    cut: bool,
    marks: Vec<Mark>,
}

struct Mark {
    start: usize,
    end: usize,
    text: String,
    primary: bool,
}

impl Excerpt {
    fn elements(self) -> Vec<Element<'static>> {
        let Some(span) = self.place else {
            return vec![Place::path(self.path).into()];
        };
        let snippet = Snippet::source(self.text)
            .line_start(self.first_line as usize)
            .annotations(self.marks.into_iter().map(Mark::annotation));
        if self.cut {
            let place = Place::path(self.path);
            let place = place.line(span.line as usize).char_column(span.column as usize);
            return vec![place.into(), snippet.into()];
        }
        vec![snippet.path(self.path).into()]
    }
}

impl Mark {
    fn annotation(self) -> Annotation<'static> {
        let kind = if self.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = (!self.text.is_empty()).then_some(self.text);
        kind.span(self.start..self.end).label(label)
    }
}

/// Returns the excerpts of a finding, the one with the primary label first.
fn excerpts(labels: &[Label], sources: &Sources) -> Vec<Excerpt> {
    let mut groups: Vec<Vec<(usize, &Label)>> = Vec::new();
    for numbered in labels.iter().enumerate() {
        let near = groups
            .iter_mut()
            .find(|group| group.iter().all(|(_, other)| is_near(other.origin, numbered.1.origin)));
        match near {
            Some(group) => group.push(numbered),
            None => groups.push(vec![numbered]),
        }
    }
    groups.into_iter().filter_map(|group| excerpt(&group, sources)).collect()
}

fn is_near(one: Origin, other: Origin) -> bool {
    one.file == other.file && one.span.offset.abs_diff(other.span.offset) as usize <= APART
}

fn excerpt(labels: &[(usize, &Label)], sources: &Sources) -> Option<Excerpt> {
    let (_, main) = labels.first()?;
    let source = sources.get(main.origin.file)?;
    let path = printable(&source.path).into_owned();
    let mut excerpt = Excerpt {
        path,
        place: None,
        first_line: 1,
        text: String::new(),
        cut: false,
        marks: Vec::new(),
    };
    if main.origin.span.line == 0 {
        return Some(excerpt);
    }
    excerpt.place = Some(main.origin.span);
    if !source.is_shown {
        return Some(excerpt);
    }
    let mut sorted = labels.to_vec();
    sorted.sort_by_key(|(_, label)| label.origin.span);
    excerpt.first_line = sorted.first().map_or(1, |(_, label)| label.origin.span.line);
    let mut next = None;
    for same_line in
        sorted.chunk_by(|one, other| one.1.origin.span.line == other.1.origin.span.line)
    {
        let Some((_, first)) = same_line.first() else { continue };
        let (_, start) = line_at(&source.text, first.origin.span.offset as usize);
        // Lines between two labels are shortened. `annotate_snippets` folds them unless it is one line.
        for between in source.text.get(next.unwrap_or(start)..start).unwrap_or_default().lines() {
            push_text(&mut excerpt.text, between, UNDER + AFTER);
            excerpt.text.push('\n');
        }
        let end = push_line(&mut excerpt, source, same_line);
        excerpt.text.push('\n');
        next = Some(end + 1);
    }
    Some(excerpt)
}

/// Adds one line, cut around its first label, and the marks of all labels on it. Returns the offset of
/// the end of the line in the file.
fn push_line(excerpt: &mut Excerpt, source: &SourceFile, labels: &[(usize, &Label)]) -> usize {
    let place = labels.first().map_or(0, |(_, label)| label.origin.span.offset as usize);
    let (line, start) = line_at(&source.text, place);
    let before = line.get(..place.saturating_sub(start)).unwrap_or_default();
    let hidden: usize =
        before.char_indices().rev().nth(BEFORE).map_or(0, |(at, letter)| at + letter.len_utf8());
    if hidden > 0 {
        excerpt.cut = true;
        excerpt.text.push('…');
    }
    let base = excerpt.text.len();
    let visible = line.get(hidden..).unwrap_or_default();
    let places = push_text(&mut excerpt.text, visible, BEFORE + UNDER + AFTER);
    let end = excerpt.text.len();
    let place = |offset: usize| {
        let wanted = offset.saturating_sub(start).saturating_sub(hidden);
        places.iter().find(|(at, _)| *at >= wanted).map_or(end, |(_, to)| *to)
    };
    for (number, label) in labels {
        let from = label.origin.span.offset as usize;
        let len = (label.origin.span.len as usize).max(1);
        let (from, to) = (place(from), place(from.saturating_add(len)));
        let text = printable(&label.text).into_owned();
        excerpt.marks.push(Mark { start: from.max(base), end: to, text, primary: *number == 0 });
    }
    let rest = source.text.get(start..).unwrap_or_default();
    start + rest.find('\n').unwrap_or(rest.len())
}

/// Adds at most `limit` characters of a line, escaped. Escaping moves the characters after it, so this
/// returns for each character its place in the line and in the text.
fn push_text(text: &mut String, line: &str, limit: usize) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    // A phone number that the limit cuts off must still be recognised.
    const OVER: usize = 40;
    let seen: String = line.chars().take(limit + OVER).collect();
    let shown = without_numbers(&seen);
    let letters = line.char_indices().map(|(at, _)| at).zip(shown.chars());
    for (at, letter) in letters.take(limit) {
        places.push((at, text.len()));
        match letter {
            '\t' => text.push('\t'),
            _ => text.push_str(&printable(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    if line.char_indices().nth(limit).is_some() {
        places.push((line.len(), text.len()));
        text.push('…');
    }
    places
}

/// Returns the line around an offset, and the offset of its start.
fn line_at(text: &str, offset: usize) -> (&str, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).unwrap_or_default().split('\n').next().unwrap_or_default();
    (line.strip_suffix('\r').unwrap_or(line), start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;

    fn sources() -> (Sources, Origin) {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "one\ntwo\nthree\n");
        (sources, Origin { file, span: Span { line: 2, column: 1, offset: 4, len: 3 } })
    }

    #[test]
    fn summary_counts_findings_by_severity() {
        let (_, origin) = sources();
        let error = Finding::new(Code::UnknownKey, "x").at(origin, "");
        let warning = Finding::new(Code::UserNotFound, "x");
        let note = Finding::new(Code::NumberKept, "x");
        for (findings, expected) in [
            (vec![], "no findings"),
            (vec![&warning], "1 warning"),
            (vec![&error], "1 error in 1 file"),
            (vec![&error, &error], "2 errors in 1 file"),
            (vec![&note, &error, &warning, &note], "1 error, 1 warning and 2 notes in 1 file"),
        ] {
            let findings: Vec<Finding> = findings.into_iter().cloned().collect();
            assert_eq!(summary(&findings), expected);
        }
    }

    #[test]
    fn only_the_styled_output_has_colours() {
        let (sources, origin) = sources();
        let one = Finding::new(Code::UnknownKey, "unknown key `two`").at(origin, "here").help("x");
        assert!(finding(&one, &sources, Style::Styled).contains('\u{1b}'));
        assert_eq!(
            finding(&one, &sources, Style::Plain),
            "error[unknown-key]: unknown key `two`\n --> a.yaml:2:1\n  |\n2 | two\n  | ^^^ here\n  \
             |\n  = help: x"
        );
    }

    #[test]
    fn each_file_of_a_finding_begins_with_an_arrow() {
        let (mut sources, origin) = sources();
        let file = sources.add("b.yaml", ":::\n");
        let span = Span { line: 1, column: 1, offset: 0, len: 3 };
        let one = Finding::new(Code::UnknownKey, "x").at(origin, "").at(Origin { file, span }, "");
        let text = finding(&one, &sources, Style::Plain);
        assert!(text.contains("\n --> b.yaml:1:1\n") && text.contains("1 | :::"), "{text}");
        assert!(!text.contains("\n ::: "), "{text}");
        let styled = finding(&one, &sources, Style::Styled);
        assert_eq!(styled.matches(":::").count(), 1, "{styled}");
    }

    #[test]
    fn labels_outside_the_file_do_not_break_the_report() {
        let (sources, origin) = sources();
        for span in [
            Span { line: 99, column: 99, offset: 9999, len: 9 },
            Span { line: 3, column: 1, offset: 8, len: 9999 },
            Span { line: 4, column: 1, offset: 14, len: 0 },
            Span { line: 1, column: 1, offset: u32::MAX, len: u32::MAX },
        ] {
            let one = Finding::new(Code::UnknownKey, "x")
                .at(Origin { span, ..origin }, "there")
                .at(origin, "and here");
            assert!(finding(&one, &sources, Style::Plain).starts_with("error[unknown-key]: x"));
        }
    }
}

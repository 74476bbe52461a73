//! Findings with an excerpt of the file they point into, in the manner of rustc.
//!
//! An excerpt is the labelled lines only, each cut to a window around its label, because a file
//! may be one line of a megabyte, and with everything escaped that could play with a terminal.
//! Not here: findings as data (`render::json`).

use std::collections::BTreeSet;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin as Place, Renderer, Snippet,
};

use crate::finding::{Finding, Label, Severity, printable};
use crate::source::{Origin, Source, Sources, Span};

/// How many characters of a line are shown at most: before, under and after a label.
const BEFORE: usize = 60;
const UNDER: usize = 80;
const AFTER: usize = 60;
/// Labels further apart than this many bytes stand in excerpts of their own.
const APART: usize = 4096;

/// With colours, or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    Plain,
    Styled,
}

/// One finding, without a line break at the end.
#[must_use]
pub fn finding(finding: &Finding, sources: &Sources, style: Style) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(printable(&finding.message))
        .id(finding.code.as_str());
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
    renderer
        .term_width(BEFORE + UNDER + AFTER + 40)
        .render(&[group])
}

/// All findings and, where one is an error or a warning, the count of them.
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

/// `2 errors in 1 file`.
#[must_use]
pub fn summary(findings: &[Finding]) -> String {
    let of = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let mut parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (of(severity), severity.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let last = parts.pop().unwrap_or_else(|| "no findings".to_owned());
    let counts = if parts.is_empty() {
        last
    } else {
        format!("{} and {last}", parts.join(", "))
    };
    let primary = findings.iter().filter_map(|finding| finding.labels.first());
    let files = primary
        .map(|label| label.origin.file)
        .collect::<BTreeSet<_>>()
        .len();
    if files == 0 {
        counts
    } else {
        format!("{counts} in {}", counted(files, "file"))
    }
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// A piece of a file with the labels in it.
struct Excerpt {
    path: String,
    /// Where the first label points; `None` for a file as a whole.
    place: Option<Span>,
    first_line: u32,
    text: String,
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
        let place = Place::path(self.path);
        let Some(span) = self.place else {
            return vec![place.into()];
        };
        let place = place
            .line(span.line as usize)
            .char_column(span.column as usize);
        let marks = self.marks.into_iter().map(Mark::annotation);
        let snippet = Snippet::source(self.text)
            .line_start(self.first_line as usize)
            .path(None::<String>)
            .annotations(marks);
        vec![place.into(), snippet.into()]
    }
}

impl Mark {
    fn annotation(self) -> Annotation<'static> {
        let kind = if self.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let label = (!self.text.is_empty()).then_some(self.text);
        kind.span(self.start..self.end).label(label)
    }
}

/// The excerpts of a finding, the one with the primary label first.
fn excerpts(labels: &[Label], sources: &Sources) -> Vec<Excerpt> {
    let mut groups: Vec<Vec<(usize, &Label)>> = Vec::new();
    for numbered in labels.iter().enumerate() {
        let near = groups.iter_mut().find(|group| {
            group
                .iter()
                .all(|(_, other)| is_near(other.origin, numbered.1.origin))
        });
        match near {
            Some(group) => group.push(numbered),
            None => groups.push(vec![numbered]),
        }
    }
    groups
        .into_iter()
        .filter_map(|group| excerpt(&group, sources))
        .collect()
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
        marks: Vec::new(),
    };
    if main.origin.span.line == 0 {
        return Some(excerpt);
    }
    excerpt.place = Some(main.origin.span);
    let mut sorted = labels.to_vec();
    sorted.sort_by_key(|(_, label)| label.origin.span);
    excerpt.first_line = sorted
        .first()
        .map_or(1, |(_, label)| label.origin.span.line);
    let mut line = excerpt.first_line;
    for same_line in
        sorted.chunk_by(|one, other| one.1.origin.span.line == other.1.origin.span.line)
    {
        let Some((_, first)) = same_line.first() else {
            continue;
        };
        // The lines between two labels are folded away, so that they may be empty.
        while line < first.origin.span.line {
            excerpt.text.push('\n');
            line += 1;
        }
        push_line(&mut excerpt, source, same_line);
    }
    Some(excerpt)
}

/// Adds one line, cut around its first label, and the marks of all labels on it.
fn push_line(excerpt: &mut Excerpt, source: &Source, labels: &[(usize, &Label)]) {
    let Some((_, first)) = labels.first() else {
        return;
    };
    let (line, start) = line_at(&source.text, first.origin.span.offset as usize);
    let from = (first.origin.span.offset as usize).saturating_sub(start);
    let before = line.get(..from).unwrap_or_default();
    let hidden: usize = before
        .char_indices()
        .rev()
        .nth(BEFORE)
        .map_or(0, |(at, c)| at + c.len_utf8());
    let shown: usize = line
        .get(from..)
        .unwrap_or_default()
        .char_indices()
        .nth(UNDER + AFTER)
        .map_or(line.len(), |(at, _)| from + at);

    let base = excerpt.text.len();
    if hidden > 0 {
        excerpt.text.push('…');
    }
    // Escaping moves everything behind it, so the places of marks are noted on the way.
    let mut places = Vec::new();
    for (at, letter) in line.get(hidden..shown).unwrap_or_default().char_indices() {
        places.push((hidden + at, excerpt.text.len()));
        if letter == '\t' {
            excerpt.text.push_str("    ");
        } else {
            excerpt
                .text
                .push_str(&printable(letter.encode_utf8(&mut [0; 4])));
        }
    }
    let end = excerpt.text.len();
    if shown < line.len() {
        excerpt.text.push('…');
    }
    let place = |wanted: usize| {
        places
            .iter()
            .find(|(at, _)| *at >= wanted)
            .map_or(end, |(_, place)| *place)
    };
    for (number, label) in labels {
        let from = (label.origin.span.offset as usize).saturating_sub(start);
        let to = from
            .saturating_add(label.origin.span.len as usize)
            .min(line.len());
        let (from, to) = (place(from), place(to));
        let text = printable(&label.text).into_owned();
        excerpt.marks.push(Mark {
            start: from,
            end: to.max(from),
            text,
            primary: *number == 0,
        });
    }
    if excerpt.text.len() == base {
        excerpt.text.push(' ');
    }
}

/// The line around an offset, and where it starts.
fn line_at(text: &str, offset: usize) -> (&str, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text
        .get(start..)
        .unwrap_or_default()
        .split('\n')
        .next()
        .unwrap_or_default();
    (line.strip_suffix('\r').unwrap_or(line), start)
}

//! The place of a finding: a path in the repository, and the first and the last line and column.
//!
//! Not here: places in a terminal (`render::diagnostic`).

use schemars::JsonSchema;
use serde::Serialize;

use crate::source::{Origin, Sources};

/// A range in a file of the repository. Lines and columns start at 1, and columns count characters. Without
/// a line, it is the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryPlace {
    /// From the root of the repository, with forward slashes.
    pub file: String,
    #[serde(flatten)]
    pub range: Option<LineRange>,
}

/// The lines and columns of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineRange {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
}

impl RepositoryPlace {
    pub(super) fn of(origin: Origin, sources: &Sources, path: &str) -> Option<Self> {
        let text = &sources.get(origin.file)?.text;
        Some(Self { file: path.to_owned(), range: range(origin, text) })
    }

    /// Returns the first line, which is 1 for a whole file.
    pub(super) fn line(&self) -> u32 {
        self.range.map_or(1, |range| range.line)
    }
}

fn range(origin: Origin, text: &str) -> Option<LineRange> {
    let span = origin.span;
    if span.line == 0 {
        return None;
    }
    let start = span.offset as usize;
    let marked = text.get(start..start.saturating_add(span.len as usize)).unwrap_or_default();
    let marked = marked.trim_end();
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let lines = small(marked.matches('\n').count());
    let last = small(marked.rsplit('\n').next().unwrap_or_default().chars().count());
    let column = span.column.max(1);
    let end_column = if lines == 0 { column.saturating_add(last.max(1)) } else { last + 1 };
    Some(LineRange { line: span.line, column, end_line: span.line + lines, end_column })
}

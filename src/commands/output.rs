//! The output of a command: text for a terminal, or a document for programs, written row by row.
//!
//! Not here: how the output looks (`render`).

use std::io::{self, BufWriter, StdoutLock, Write as _};
use std::path::PathBuf;

use clap::ValueEnum;

use super::fault::Fault;
use super::out::{FileKind, NoPlace, OutputTarget, is_stdout};
use crate::disclose::Discloser;
use crate::plan::Plan;
use crate::plan::review::Review;
use crate::render::plan::json;
use crate::render::plan::text;
use crate::terminal::{heard, print, say};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For a terminal
    Text,
    /// For programs; `mfactl schema` describes it
    Json,
}

/// Streams a document to standard output, without a copy of it in memory.
pub(super) fn stream(
    write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
) -> Result<(), Fault> {
    streamed(write).map_err(Fault::Output)
}

fn streamed(
    write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    heard(write(&mut out).and_then(|()| out.flush()))
}

/// Prints a document unchanged. Its format escapes the text of others: some formats consist of commands to a
/// runner, which a page must not contain.
pub(super) fn document(text: &str) -> Result<(), Fault> {
    stream(|out| out.write_all(text.as_bytes()))
}

/// Checks that a plan can be saved there, before anything is read for it.
pub(super) fn room(out: Option<&PathBuf>, format: OutputFormat) -> Result<(), Fault> {
    let Some(path) = out else { return Ok(()) };
    if is_stdout(out) && format == OutputFormat::Json {
        return Err(Fault::Out { path: path.clone(), why: NoPlace::Twice });
    }
    OutputTarget::look(path, FileKind::Plan).map(|_| ())
}

/// Prints a new or a saved plan in the same way: to standard output, or to standard error if the plan
/// itself is saved to standard output.
pub(super) fn plan(
    plan: &Plan,
    review: Option<&Review>,
    format: OutputFormat,
    view: text::TextView,
    disclose: &Discloser,
    out: Option<&PathBuf>,
) -> io::Result<()> {
    let text = || text::disclosed(plan, review, view, disclose);
    if is_stdout(out) {
        say(&text());
        return Ok(());
    }
    match format {
        OutputFormat::Text => print(&text()),
        OutputFormat::Json => streamed(|out| json::disclosed(plan, review, disclose, out)),
    }
}

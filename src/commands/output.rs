//! How the result of a command goes out: as text for a terminal, or written row by row for programs.
//!
//! Not here: what it looks like (`render`).

use std::io::{self, BufWriter, StdoutLock, Write as _};
use std::path::PathBuf;

use clap::ValueEnum;

use super::fault::Fault;
use super::out::{NoPlace, Out, is_stdout};
use crate::plan::Plan;
use crate::render::{json, text};
use crate::terminal::{heard, print, say};

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    Text,
    /// For programs; `mfactl schema` describes it
    Json,
}

/// Lets a document write itself to standard output, without a second copy of it.
pub(super) fn stream(
    write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
) -> Result<(), Fault> {
    let mut out = BufWriter::new(io::stdout().lock());
    heard(write(&mut out).and_then(|()| out.flush())).map_err(Fault::Output)
}

/// Makes sure that a plan can be saved there, before anything is read for it.
pub(super) fn room(out: Option<&PathBuf>, format: Format) -> Result<(), Fault> {
    let Some(path) = out else { return Ok(()) };
    if is_stdout(out) && format == Format::Json {
        return Err(Fault::Out { path: path.clone(), why: NoPlace::Twice });
    }
    Out::look(path).map(|_| ())
}

/// Writes a plan, just made or saved, which makes no difference: to standard output, unless it is saved
/// there.
pub(super) fn plan(
    plan: &Plan,
    format: Format,
    view: text::View,
    out: Option<&PathBuf>,
) -> Result<(), Fault> {
    if is_stdout(out) {
        say(&text::plan(plan, view));
        return Ok(());
    }
    match format {
        Format::Text => print(&text::plan(plan, view)).map_err(Fault::Output),
        Format::Json => stream(|out| json::plan(plan, out)),
    }
}

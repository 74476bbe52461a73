//! Reads journals back: of runs that ended and of those that did not.
//!
//! A run that was killed leaves a journal without an end, and perhaps half a line; that is no damage.
//! What stands before is never half, because nothing is written in the middle.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use sha2::{Digest as _, Sha256};

use super::rows::{FORMAT, Row};
use super::{Begun, Desk, End, Ended, Intent, Kept, Noted, RUNS, RunId};

/// Why a journal is not taken for one.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    #[error("the plan names no run")]
    NoName,
    #[error("`{path}` could not be read: {error}")]
    Io { path: String, error: io::Error },
    #[error("line {line} of `{path}` is not what a journal holds")]
    Row { path: String, line: usize },
    #[error("`{path}` is a journal of format {format}, and this program reads format {FORMAT}")]
    OtherFormat { path: String, format: u32 },
    #[error("`{path}` was damaged or edited: it does not match its own digest")]
    Damaged { path: String },
}

/// A run that was.
#[derive(Debug, Clone)]
pub struct Past {
    pub begun: Begun,
    pub told: Vec<Told>,
    /// `None` for a run that came to no end, or is not at its end yet.
    pub end: Option<End>,
}

/// A write of a run, and what became of it, where that was noted.
#[derive(Debug, Clone)]
pub struct Told {
    pub intent: Intent,
    pub ended: Option<Noted>,
}

/// The runs whose journals stand in the folder, oldest first.
///
/// # Errors
/// A folder that is there and cannot be read.
pub fn runs(desk: Desk<'_>) -> Result<Vec<RunId>, JournalFault> {
    let folder = desk.folder.join(RUNS);
    let fault = |error| JournalFault::Io { path: folder.display().to_string(), error };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let name = entry.map_err(fault)?.file_name();
        runs.extend(name.to_str().and_then(RunId::named));
    }
    runs.retain(|run| desk.journal(run).is_file());
    runs.sort();
    Ok(runs)
}

/// One run.
///
/// # Errors
/// That there is none of that name, or that its journal is no journal.
pub fn past(desk: Desk<'_>, run: &RunId) -> Result<Past, JournalFault> {
    let file = desk.journal(run);
    let path = file.display().to_string();
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JournalFault::NoRun(run.clone()));
        }
        Err(error) => return Err(JournalFault::Io { path, error }),
    };
    Lines::of(&bytes, &path)?.past(path)
}

/// What a run kept of the values that it wrote over, by the numbers of its writes.
///
/// # Errors
/// That the restore file is not there, or not readable.
pub fn kept(desk: Desk<'_>, run: &RunId) -> Result<BTreeMap<usize, Kept>, JournalFault> {
    let file = desk.restore(run);
    let path = file.display().to_string();
    let text = fs::read(&file).map_err(|error| JournalFault::Io { path: path.clone(), error })?;
    let mut all = BTreeMap::new();
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    for (line, row) in (1..).zip(lines) {
        let kept: Kept = serde_json::from_slice(row)
            .map_err(|_| JournalFault::Row { path: path.clone(), line })?;
        all.insert(kept.number, kept);
    }
    Ok(all)
}

#[derive(Default)]
struct Lines {
    begun: Option<Begun>,
    intents: Vec<Intent>,
    ended: BTreeMap<usize, Noted>,
    end: Option<End>,
}

impl Lines {
    fn of(bytes: &[u8], path: &str) -> Result<Self, JournalFault> {
        let mut lines = Self::default();
        let mut digest = Sha256::new();
        let rows: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for (place, row) in rows.iter().enumerate() {
            let fault = || JournalFault::Row { path: path.to_owned(), line: place + 1 };
            if lines.end.is_some() {
                return Err(JournalFault::Damaged { path: path.to_owned() });
            }
            match serde_json::from_slice(row) {
                Ok(Row::End(end)) => {
                    let is = digest.clone().finalize();
                    let is: String = is.iter().map(|byte| format!("{byte:02x}")).collect();
                    if end.digest != is {
                        return Err(JournalFault::Damaged { path: path.to_owned() });
                    }
                    lines.end = Some(end);
                }
                Ok(Row::Run(begun)) if place == 0 => lines.begun = Some(*begun),
                Ok(Row::Intent(intent)) => lines.intents.push(intent),
                Ok(Row::Outcome(Ended { number, noted, .. })) => {
                    lines.ended.insert(number, noted);
                }
                // Half a line, where a run was cut off: the last one, or before the lines of whoever
                // looked after it.
                Err(_) if place > 0 && is_half(row) => {}
                Ok(Row::Run(_)) | Err(_) => return Err(fault()),
            }
            digest.update(row);
        }
        Ok(lines)
    }

    fn past(mut self, path: String) -> Result<Past, JournalFault> {
        let begun = self.begun.ok_or(JournalFault::Row { path: path.clone(), line: 1 })?;
        if begun.format != FORMAT {
            return Err(JournalFault::OtherFormat { path, format: begun.format });
        }
        let told = self.intents.into_iter().map(|intent| {
            let ended = self.ended.remove(&intent.number);
            Told { intent, ended }
        });
        Ok(Past { begun, told: told.collect(), end: self.end })
    }
}

/// Whether a line begins as one of ours, and breaks off.
fn is_half(row: &[u8]) -> bool {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    match serde_json::from_slice::<serde_json::Value>(row) {
        Err(error) => error.is_eof() && (row.is_empty() || row.starts_with(b"{")),
        Ok(_) => false,
    }
}

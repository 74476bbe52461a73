//! Reads journals back: of runs that ended and of those that did not.
//!
//! A run that was killed leaves a journal without an end, and perhaps half a line; that is no damage.
//! What stands before is never half, because nothing is written in the middle. A run that ended with
//! writes of which nobody knows what became of them is looked at by a later apply, which adds what it
//! found and closes the journal once more. Lines are read one by one: a run can be as long as the
//! tenant is large.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use fixedbitset::FixedBitSet;
use sha2::{Digest as _, Sha256};

use super::rows::{FORMAT, Row};
use super::{
    Begun, Desk, End, Ended, Intent, Kept, Noted, OWN_JOURNAL, OWN_RESTORE, RUNS, RunId, Word,
};
use crate::apply::report::Counts;
use crate::files::{How, open_own, own_is_there};
use crate::id::TenantId;
use crate::tenant::membership::Guarding;

/// Of the folder of runs, its own parts: the folder and `runs`.
const OWN_RUNS: usize = 2;

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

impl Past {
    /// Its writes, but for those that it took back itself, and for what took them back.
    pub fn standing(self) -> impl Iterator<Item = Told> {
        let is_done =
            |told: &&Told| told.ended.as_ref().is_some_and(|noted| noted.fate == Word::Done);
        let taken_back: BTreeSet<usize> =
            self.told.iter().filter(is_done).filter_map(|told| told.intent.puts_back).collect();
        self.told.into_iter().filter(move |told| {
            told.intent.puts_back.is_none() && !taken_back.contains(&told.intent.number)
        })
    }
}

impl Told {
    /// Whether it may have been done.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        self.ended.as_ref().is_none_or(|noted| !matches!(noted.fate, Word::Failed | Word::NotTried))
    }
}

/// The runs whose journals stand in the folder, oldest first.
///
/// # Errors
/// A folder that is there and cannot be read.
pub fn runs(desk: Desk<'_>) -> Result<Vec<RunId>, JournalFault> {
    let folder = desk.folder.join(RUNS);
    let fault = |error| JournalFault::Io { path: folder.display().to_string(), error };
    if !own_is_there(&folder, OWN_RUNS).map_err(fault)? {
        return Ok(Vec::new());
    }
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
    let (mut intents, mut ended) = (Vec::new(), BTreeMap::new());
    let (begun, end, _) = each(desk, run, |line| match line {
        Line::Intent(intent) => intents.push(intent),
        Line::Outcome(outcome) => _ = ended.insert(outcome.number, outcome.noted),
    })?;
    let told = intents.into_iter().map(|intent| {
        let ended = ended.remove(&intent.number);
        Told { intent, ended }
    });
    Ok(Past { begun, told: told.collect(), end })
}

/// How a run began, by the first line of its journal.
///
/// # Errors
/// That there is none of that name, or that its journal does not begin as one.
pub(in crate::apply) fn begun(desk: Desk<'_>, run: &RunId) -> Result<Begun, JournalFault> {
    let mut rows = Rows::open(&desk.journal(run), OWN_JOURNAL)?;
    match rows.next()?.map(serde_json::from_slice) {
        Some(Ok(Row::Run(begun))) => Ok(*begun),
        _ => Err(rows.fault()),
    }
}

/// Who was in each break-glass group of the tenant when the last run from here began that noted it.
/// A journal that does not read says nothing.
#[must_use]
pub fn guarding(desk: Desk<'_>, tenant: TenantId) -> Option<Guarding> {
    let noted = |run: &RunId| {
        let begun = begun(desk, run).ok()?;
        (begun.tenant == tenant).then_some(begun.break_glass)?
    };
    runs(desk).ok()?.iter().rev().find_map(noted)
}

/// A run that came to no end, or that ended with writes of which nobody knew what became of them.
pub(in crate::apply) struct Unsettled {
    pub(in crate::apply) begun: Begun,
    /// `None` for a run that came to no end.
    pub(in crate::apply) end: Option<End>,
    /// As far as is known.
    pub(in crate::apply) counts: Counts,
    /// Writes of which nobody noted what became of them, or that nobody knew.
    pub(in crate::apply) open: BTreeMap<usize, Intent>,
}

/// One run, where it is not settled. Of its writes no more is kept than what is open.
///
/// # Errors
/// That there is none of that name, or that its journal is no journal.
pub(in crate::apply) fn unsettled(
    desk: Desk<'_>,
    run: &RunId,
) -> Result<Option<Unsettled>, JournalFault> {
    let mut words = Words::default();
    let (begun, end, is_sealed) = each(desk, run, |line| words.take(&line))?;
    let counts = match &end {
        Some(_) if is_sealed && words.open.is_clear() => return Ok(None),
        Some(end) => end.counts,
        None => words.counts(begun.changes),
    };
    let mut open = BTreeMap::new();
    if !words.open.is_clear() {
        each(desk, run, |line| match line {
            Line::Intent(intent) if words.open.contains(intent.number) => {
                open.insert(intent.number, intent);
            }
            Line::Intent(_) | Line::Outcome(_) => {}
        })?;
    }
    Ok(Some(Unsettled { begun, end, counts, open }))
}

/// The last word on each write, by its number. What was done may not have shown afterwards, and what
/// nobody knew was looked at.
#[derive(Default)]
struct Words {
    open: FixedBitSet,
    done: FixedBitSet,
    failed: FixedBitSet,
    never_known: FixedBitSet,
}

impl Words {
    fn take(&mut self, line: &Line) {
        let (number, word) = match line {
            Line::Intent(intent) => (intent.number, Word::Unknown),
            Line::Outcome(ended) => (ended.number, ended.noted.fate),
        };
        for (numbers, is_it) in [
            (&mut self.open, word == Word::Unknown),
            (&mut self.done, word == Word::Done),
            (&mut self.failed, word == Word::Failed),
            (&mut self.never_known, word == Word::NeverKnown),
        ] {
            numbers.grow(number.saturating_add(1));
            numbers.set(number, is_it);
        }
    }

    fn counts(&self, changes: usize) -> Counts {
        let of = |numbers: &FixedBitSet| numbers.count_ones(..);
        let (done, failed) = (of(&self.done), of(&self.failed));
        let unknown = of(&self.open) + of(&self.never_known);
        let not_tried = changes.saturating_sub(done + failed + unknown);
        Counts { done, failed, unknown, not_tried, ..Counts::default() }
    }
}

/// What a run kept of the values that it wrote over, by the numbers of its writes: of those that are
/// wanted.
///
/// # Errors
/// That the restore file is not there, or not readable.
pub fn kept(
    desk: Desk<'_>,
    run: &RunId,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<BTreeMap<usize, Kept>, JournalFault> {
    let mut rows = Rows::open(&desk.restore(run), OWN_RESTORE)?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if !row.ends_with(b"\n") {
            break;
        }
        let kept: Option<Kept> = serde_json::from_slice(row).ok();
        let kept = kept.ok_or_else(|| rows.fault())?;
        if is_wanted(kept.number) {
            all.insert(kept.number, kept);
        }
    }
    Ok(all)
}

/// A file line by line.
struct Rows {
    path: String,
    file: BufReader<File>,
    row: Vec<u8>,
    /// Which line it is, from 1.
    line: usize,
}

impl Rows {
    fn open(path: &Path, own: usize) -> Result<Self, JournalFault> {
        let path_of = path.display().to_string();
        let file = open_own(path, own, How::Read);
        let file = file.map_err(|error| JournalFault::Io { path: path_of.clone(), error })?;
        Ok(Self { path: path_of, file: BufReader::new(file), row: Vec::new(), line: 0 })
    }

    /// The next line with its end, which the last one may not have.
    fn next(&mut self) -> Result<Option<&[u8]>, JournalFault> {
        self.row.clear();
        self.line += 1;
        match self.file.read_until(b'\n', &mut self.row) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(&self.row)),
            Err(error) => Err(JournalFault::Io { path: self.path.clone(), error }),
        }
    }

    fn fault(&self) -> JournalFault {
        JournalFault::Row { path: self.path.clone(), line: self.line }
    }
}

/// What stands between the first line of a journal and its last.
enum Line {
    Intent(Intent),
    Outcome(Ended),
}

/// Hands over each line of a journal, and gives what it begins and ends with, and whether its last
/// line closes it. Where a later look added what it found, the counts are those of that.
fn each(
    desk: Desk<'_>,
    run: &RunId,
    mut take: impl FnMut(Line),
) -> Result<(Begun, Option<End>, bool), JournalFault> {
    let mut rows = Rows::open(&desk.journal(run), OWN_JOURNAL).map_err(|fault| match fault {
        JournalFault::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => {
            JournalFault::NoRun(run.clone())
        }
        fault => fault,
    })?;
    let (mut begun, mut end, mut digest): (_, Option<End>, _) = (None, None, Sha256::new());
    let mut is_sealed = false;
    while let Some(row) = rows.next()? {
        let read = serde_json::from_slice(row);
        let is_half = begun.is_some() && read.is_err() && is_half(row);
        let is_settled = end.as_ref().is_some_and(|end| is_sealed && end.counts.unknown == 0);
        if is_settled && !is_half && !matches!(read, Ok(Row::Standing(_))) {
            return Err(JournalFault::Damaged { path: rows.path });
        }
        let closes = matches!(read, Ok(Row::End(_) | Row::Standing(_)));
        let so_far = closes.then(|| digest.clone().finalize());
        digest.update(row);
        match read {
            Ok(Row::End(last)) => {
                if last.digest != hex(so_far) || is_sealed {
                    return Err(JournalFault::Damaged { path: rows.path });
                }
                let (at, worse) =
                    end.map_or((last.at, Vec::new()), |first| (first.at, first.worse));
                (end, is_sealed) = (Some(End { at, worse, ..last }), true);
            }
            Ok(Row::Standing(found)) => {
                let Some(end) = end.as_mut().filter(|_| found.digest == hex(so_far)) else {
                    return Err(JournalFault::Damaged { path: rows.path });
                };
                end.worse = found.worse;
            }
            Ok(Row::Run(first)) if rows.line == 1 => begun = Some(*first),
            Ok(Row::Intent(intent)) if end.is_none() => take(Line::Intent(intent)),
            Ok(Row::Outcome(ended)) => {
                if let Some(end) = &mut end {
                    end.counts.settle(ended.noted.fate);
                    is_sealed = false;
                }
                take(Line::Outcome(ended));
            }
            // Half a line, where a run was cut off: the last one, or before the lines of the apply
            // that looked at it.
            Err(_) if is_half => is_sealed = false,
            Ok(Row::Intent(_)) => return Err(JournalFault::Damaged { path: rows.path }),
            Ok(Row::Run(_)) | Err(_) => return Err(rows.fault()),
        }
    }
    let begun = begun.ok_or(JournalFault::Row { path: rows.path.clone(), line: 1 })?;
    if begun.format != FORMAT {
        return Err(JournalFault::OtherFormat { path: rows.path, format: begun.format });
    }
    Ok((begun, end, is_sealed))
}

fn hex(digest: Option<sha2::digest::Output<Sha256>>) -> String {
    digest.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a line begins as one of ours, and breaks off.
fn is_half(row: &[u8]) -> bool {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    match serde_json::from_slice::<serde_json::Value>(row) {
        Err(error) => error.is_eof() && (row.is_empty() || row.starts_with(b"{")),
        Ok(_) => false,
    }
}

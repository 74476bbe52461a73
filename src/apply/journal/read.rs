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

use super::damage::{Damage, Tracker};
use super::line;
use super::rows::{FORMAT, Row};
use super::{
    Begun, Desk, End, Ended, Intent, Kept, Noted, OWN_JOURNAL, OWN_RESTORE, RESTORE, RUNS, RunId,
    Word,
};
use crate::apply::report::Counts;
use crate::files::{How, open_own, own_is_there};
use crate::id::TenantId;
use crate::tenant::membership::Guarding;

/// Of the folder of runs, its own parts: the folder and `runs`.
const OWN_RUNS: usize = 2;

/// More writes than any run has.
const MOST_WRITES: usize = 1 << 26;

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
    #[error("the journal of run `{0}` is gone, and its restore file is left")]
    NoJournal(RunId),
    #[error("`{path}` is a journal of format {format}, and this program reads format {FORMAT}")]
    OtherFormat { path: String, format: u32 },
    #[error(
        "run `{run}` is damaged ({damage}), and which tenant it was of is not known: {open} of its writes are in doubt, of people who are not in this tenant"
    )]
    NoTenant { run: RunId, damage: Damage, open: usize },
}

/// A run that was.
#[derive(Debug, Clone)]
pub struct Past {
    pub run: RunId,
    /// `None` where the first line does not read.
    pub begun: Option<Begun>,
    pub told: Vec<Told>,
    /// `None` for a run that came to no end, or is not at its end yet.
    pub end: Option<End>,
    /// What of the journal is not as it was written.
    pub damage: Damage,
}

/// A run that is there, also where nothing of it reads.
#[derive(Debug)]
pub struct Listed {
    pub run: RunId,
    pub past: Result<Past, JournalFault>,
}

impl Listed {
    /// What of it could not be read, in words.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        match &self.past {
            Ok(past) if past.damage.is_none() => None,
            Ok(past) => Some(past.damage.to_string()),
            Err(fault) => Some(fault.to_string()),
        }
    }
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
    // A link in its place is refused.
    own_is_there(&folder, OWN_RUNS).map_err(fault)?;
    let mut runs = names(&folder).map_err(fault)?;
    runs.retain(|run| fs::symlink_metadata(desk.journal(run)).is_ok());
    // A journal that somebody deleted leaves its restore file.
    let restore = desk.folder.join(RESTORE);
    let left = names(&restore).unwrap_or_default();
    runs.extend(left.into_iter().filter(RunId::is_as_made));
    runs.sort();
    runs.dedup();
    Ok(runs)
}

/// What in a folder could be the name of a run.
fn names(folder: &Path) -> io::Result<Vec<RunId>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_str().and_then(RunId::named)));
    names.filter_map(io::Result::transpose).collect()
}

/// One run.
///
/// # Errors
/// That there is none of that name, or that its journal is none of this program's.
pub fn past(desk: Desk<'_>, run: &RunId) -> Result<Past, JournalFault> {
    let (mut intents, mut ended) = (Vec::new(), BTreeMap::new());
    let whole = each(desk, run, |line| match line {
        Line::Intent(intent) => intents.push(intent),
        Line::Outcome(outcome) => _ = ended.insert(outcome.number, outcome.noted),
    })?;
    let told = intents.into_iter().map(|intent| {
        let ended = ended.remove(&intent.number);
        Told { intent, ended }
    });
    let Whole { begun, end, damage, .. } = whole;
    Ok(Past { run: run.clone(), begun, told: told.collect(), end, damage })
}

/// How a run began, by the first line of its journal.
///
/// # Errors
/// That there is none of that name, or that its journal does not begin as one.
pub(in crate::apply) fn begun(desk: Desk<'_>, run: &RunId) -> Result<Begun, JournalFault> {
    let mut rows = Rows::open(&desk.journal(run), OWN_JOURNAL)?;
    match rows.next()?.and_then(|(_, line)| parsed(&line::open(line).row)) {
        Some(Row::Run(begun)) => Ok(*begun),
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
    /// `None` where the first line does not read.
    pub(in crate::apply) begun: Option<Begun>,
    /// `None` for a run that came to no end.
    pub(in crate::apply) end: Option<End>,
    /// As far as is known.
    pub(in crate::apply) counts: Counts,
    /// Writes of which nobody noted what became of them, or that nobody knew.
    pub(in crate::apply) open: BTreeMap<usize, Intent>,
    pub(in crate::apply) damage: Damage,
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
    let Whole { begun, end, is_closed, damage } = each(desk, run, |line| words.take(&line))?;
    let counts = match &end {
        Some(_) if is_closed && words.open.is_clear() => return Ok(None),
        Some(end) => end.counts,
        None => words.counts(begun.as_ref().map_or(0, |begun| begun.changes)),
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
    Ok(Some(Unsettled { begun, end, counts, open, damage }))
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
/// wanted. Lines that do not read are left out.
///
/// # Errors
/// That the restore file is not there, or not readable.
pub fn kept(
    desk: Desk<'_>,
    run: &RunId,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<BTreeMap<usize, Kept>, JournalFault> {
    restored(desk, run, is_wanted).map(|(kept, _)| kept)
}

/// The same, with what of the file is not as it was written.
///
/// # Errors
/// That the restore file is not there, or not readable.
pub fn restored(
    desk: Desk<'_>,
    run: &RunId,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<(BTreeMap<usize, Kept>, Damage), JournalFault> {
    let mut rows = Rows::open(&desk.restore(run), OWN_RESTORE)?;
    let (mut all, mut tracker) = (BTreeMap::new(), Tracker::new());
    while let Some((line, row)) = rows.next()? {
        let (found, is_one) = opened(row, |row| serde_json::from_slice::<Kept>(row).ok());
        if !is_one {
            unread(&mut tracker, line, row, found.is_empty());
        }
        for (place, kept) in found {
            if tracker.takes(line, place) && is_wanted(kept.number) {
                // Whoever adds a line cannot take the place of one that was there.
                all.entry(kept.number).or_insert(kept);
            }
        }
    }
    Ok((all, tracker.finish()))
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

    /// The next line, and which it is, with its end, which the last one may not have.
    fn next(&mut self) -> Result<Option<(usize, &[u8])>, JournalFault> {
        self.row.clear();
        self.line += 1;
        match self.file.read_until(b'\n', &mut self.row) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((self.line, &self.row))),
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

/// What a journal is besides its writes.
struct Whole {
    begun: Option<Begun>,
    end: Option<End>,
    /// Whether its last line closes it.
    is_closed: bool,
    damage: Damage,
}

/// What reads of a line, with its place, and whether that is the line as it was written.
fn opened<T>(line: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> (Vec<(Option<usize>, T)>, bool) {
    let one = line::open(line);
    match read(&one.row) {
        Some(row) => (vec![(one.place, row)], true),
        None => {
            let parts = line::salvage(line).into_iter();
            (parts.filter_map(|part| Some((part.place, read(&part.row)?))).collect(), false)
        }
    }
}

/// Notes a line that does not read; one that breaks off may be no damage.
fn unread(tracker: &mut Tracker, line: usize, text: &[u8], may_be_half: bool) {
    if may_be_half && line::is_half(text) {
        tracker.half(line, text.ends_with(b"\n"));
    } else {
        tracker.unread(line);
    }
}

/// A row of a journal.
fn parsed(row: &[u8]) -> Option<Row> {
    let row = serde_json::from_slice(row).ok()?;
    // No run writes so much, and what counts by numbers must not grow with them.
    let is_too_large = match &row {
        Row::Intent(intent) => intent.number >= MOST_WRITES,
        Row::Outcome(ended) => ended.number >= MOST_WRITES,
        Row::Run(_) | Row::End(_) | Row::Standing(_) => false,
    };
    (!is_too_large).then_some(row)
}

/// Hands over each line of a journal that reads, and gives what it begins and ends with. Where a later
/// look added what it found, the counts are those of that. A line that does not read loses itself alone.
fn each(desk: Desk<'_>, run: &RunId, mut take: impl FnMut(Line)) -> Result<Whole, JournalFault> {
    let mut rows = Rows::open(&desk.journal(run), OWN_JOURNAL).map_err(|fault| match fault {
        JournalFault::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => {
            match fs::symlink_metadata(desk.restore(run)) {
                Ok(_) => JournalFault::NoJournal(run.clone()),
                Err(_) => JournalFault::NoRun(run.clone()),
            }
        }
        fault => fault,
    })?;
    let path = rows.path.clone();
    let (mut digest, mut tracker, mut end_at) = (Sha256::new(), Tracker::new(), None);
    let mut whole = Whole { begun: None, end: None, is_closed: false, damage: Damage::default() };
    while let Some((line, text)) = rows.next()? {
        let (found, is_one) = opened(text, parsed);
        let closes = |(_, row): &(_, Row)| matches!(row, Row::End(_) | Row::Standing(_));
        let so_far = found.iter().any(closes);
        let so_far = so_far.then(|| hex(digest.clone()));
        digest.update(text);
        if !is_one {
            whole.is_closed = false;
            unread(&mut tracker, line, text, line > 1 && found.is_empty());
        }
        for (place, row) in found {
            if !tracker.takes(line, place) {
                continue;
            }
            // It was written before the closing line, wherever that is now.
            let is_before_end = place.zip(end_at).is_some_and(|(place, end)| place < end);
            match row {
                Row::Run(begun) if begun.format != FORMAT => {
                    return Err(JournalFault::OtherFormat { path, format: begun.format });
                }
                Row::Run(begun) if whole.begun.is_none() && place.unwrap_or(line) == 1 => {
                    whole.begun = Some(*begun);
                }
                Row::Intent(intent) if whole.end.is_none() || is_before_end => {
                    take(Line::Intent(intent));
                }
                Row::Outcome(ended) if is_before_end => take(Line::Outcome(ended)),
                Row::Outcome(ended) if whole.may_settle() => {
                    if let Some(end) = &mut whole.end {
                        end.counts.settle(ended.noted.fate);
                    }
                    whole.is_closed = false;
                    take(Line::Outcome(ended));
                }
                Row::End(last) if !whole.is_closed => {
                    tracker.damage.digest_differs |= so_far.as_ref() != Some(&last.digest);
                    let first = whole.end.take();
                    let (at, worse) =
                        first.map_or((last.at, Vec::new()), |first| (first.at, first.worse));
                    (whole.end, whole.is_closed) = (Some(End { at, worse, ..last }), true);
                    end_at = end_at.or(place);
                }
                Row::Standing(found) if let Some(end) = &mut whole.end => {
                    tracker.damage.digest_differs |= so_far.as_ref() != Some(&found.digest);
                    end.worse = found.worse;
                }
                // Nothing of that kind is written there.
                Row::Run(_) | Row::Intent(_) | Row::Outcome(_) | Row::End(_) | Row::Standing(_) => {
                    tracker.unread(line);
                }
            }
        }
    }
    if rows.line == 1 {
        // There is not even a first line.
        tracker.unread(1);
    }
    Ok(Whole { damage: tracker.finish(), ..whole })
}

impl Whole {
    /// Whether an outcome can follow: the run is under way, or a later apply looks at what nobody knew.
    fn may_settle(&self) -> bool {
        self.end.as_ref().is_none_or(|end| !self.is_closed || end.counts.unknown > 0)
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Reads journals back, of runs that ended and of runs that did not.
//!
//! A run that was killed leaves a journal without an end, and perhaps half a line; that is no damage.
//! The lines before it are never half lines, because nothing is written in the middle. A run that ended
//! with writes in doubt is checked by a later apply, which adds what it found and closes the journal
//! once more. Lines are read one by one, because a run can be as long as the tenant is large.
//!
//! Not here: writing journals (the parent module), or settling a run (`resume`).

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;
use sha2::{Digest as _, Sha256};

use super::chain::{RunSegments, hex};
use super::damage::{Damage, Tracker};
use super::line;
use super::rows::{FORMAT, JournalRow};
use super::text::RunText;
use super::writer::JournalWriteFault;
use super::{Begun, End, Ended, Intent, Noted, RestoreRow, RunId, TenantRuns};
use crate::results::ChangeCounts;
use crate::results::WriteResult;
use crate::store::StoreFault;

/// An upper limit: no run has as many writes.
const MOST_WRITES: usize = 1 << 26;

/// Reason why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    #[error("the plan does not name a run")]
    NoName,
    #[error("{0}")]
    Store(StoreFault),
    #[error("{0}")]
    NotWritten(JournalWriteFault),
    #[error("line {line} of `{path}` is not a journal line")]
    Row { path: String, line: usize },
    #[error("the journal of run `{0}` is missing; only its restore files are left")]
    NoJournal(RunId),
    #[error("run `{0}` has no restore files")]
    NotRestorable(RunId),
    #[error("run `{run}` has a journal of format {format}, but this version reads format {FORMAT}")]
    OtherFormat { run: RunId, format: u32 },
}

impl JournalFault {
    /// Returns whether a later run may succeed with the same command.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Store(fault) => fault.may_pass,
            Self::NotWritten(fault) => fault.may_pass(),
            Self::NoRun(_)
            | Self::NoName
            | Self::Row { .. }
            | Self::NoJournal(_)
            | Self::NotRestorable(_)
            | Self::OtherFormat { .. } => false,
        }
    }
}

impl From<StoreFault> for JournalFault {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

/// A past run.
#[derive(Debug, Clone)]
pub struct Past {
    pub run: RunId,
    /// `None` if the first line cannot be read.
    pub begun: Option<Begun>,
    pub told: Vec<PastWrite>,
    /// `None` for a run without an end, or one that is still under way.
    pub end: Option<End>,
    /// The damage of the journal.
    pub damage: Damage,
}

/// A write of a run, with its result if that was recorded.
#[derive(Debug, Clone)]
pub struct PastWrite {
    pub intent: Intent,
    pub ended: Option<Noted>,
}

impl Past {
    /// Returns the writes of the run, without those that it put back itself and those that put them
    /// back.
    pub fn standing(self) -> impl Iterator<Item = PastWrite> {
        let is_done = |write: &&PastWrite| {
            write.ended.as_ref().is_some_and(|noted| noted.result == WriteResult::Done)
        };
        let put_back: BTreeSet<usize> =
            self.told.iter().filter(is_done).filter_map(|write| write.intent.puts_back).collect();
        self.told.into_iter().filter(move |write| {
            write.intent.puts_back.is_none() && !put_back.contains(&write.intent.number)
        })
    }
}

impl PastWrite {
    /// Returns whether the write may have been done.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        self.ended.as_ref().is_none_or(|noted| {
            !matches!(noted.result, WriteResult::Failed | WriteResult::NotTried)
        })
    }
}

/// Reads one run.
///
/// # Errors
/// There is no run of that name, or its journal was not written by this program.
pub async fn past(runs: &TenantRuns, run: &RunId) -> Result<Past, JournalFault> {
    let (mut intents, mut ended) = (Vec::new(), BTreeMap::new());
    let segments = segments_of(runs, run).await?;
    let whole = each(runs, &segments, |line| match line {
        Line::Intent(intent) => intents.push(intent),
        Line::Outcome(outcome) => _ = ended.insert(outcome.number, outcome.noted),
    })
    .await?;
    let writes = intents.into_iter().map(|intent| {
        let ended = ended.remove(&intent.number);
        PastWrite { intent, ended }
    });
    let Whole { begun, end, damage, .. } = whole;
    Ok(Past { run: run.clone(), begun, told: writes.collect(), end, damage })
}

/// Returns the segments of a run.
async fn segments_of(runs: &TenantRuns, run: &RunId) -> Result<RunSegments, JournalFault> {
    if let Some(segments) = runs.of_run(run).await? {
        return Ok(segments);
    }
    let restore = RunText::of_restore(runs, run).await?;
    Err(match restore.is_empty() {
        true => JournalFault::NoRun(run.clone()),
        false => JournalFault::NoJournal(run.clone()),
    })
}

/// Reads the first line of a journal, which says how the run began.
///
/// # Errors
/// There is no run of that name, or its journal does not begin as a journal.
pub(crate) async fn begun(runs: &TenantRuns, run: &RunId) -> Result<Begun, JournalFault> {
    begun_of(runs, &segments_of(runs, run).await?).await
}

pub(super) async fn begun_of(
    runs: &TenantRuns,
    segments: &RunSegments,
) -> Result<Begun, JournalFault> {
    let mut text = RunText::of_journal(runs, segments);
    let first = text.next().await?;
    match first.and_then(|(_, line)| parsed(&line::open(line).row)) {
        Some(JournalRow::Run(begun)) => Ok(*begun),
        _ => Err(text.fault()),
    }
}

/// A run that has no end, or that ended with writes in doubt.
pub(crate) struct Unsettled {
    /// `None` for a run without an end.
    pub(crate) end: Option<End>,
    /// The counts, as far as they are known.
    pub(crate) counts: ChangeCounts,
    /// Writes whose result is not recorded, or is recorded as unknown.
    pub(crate) open: BTreeMap<usize, Intent>,
    pub(crate) damage: Damage,
}

/// Reads a run if it is not settled. Only its open writes are kept in memory.
///
/// # Errors
/// There is no run of that name, or its journal is not a journal.
pub(crate) async fn unsettled(
    runs: &TenantRuns,
    segments: &RunSegments,
) -> Result<Option<Unsettled>, JournalFault> {
    let mut results = Results::default();
    let whole = each(runs, segments, |line| results.take(&line)).await?;
    let Whole { begun, end, is_closed, damage } = whole;
    let counts = match &end {
        Some(_) if is_closed && results.open.is_clear() => return Ok(None),
        Some(end) => end.counts,
        None => results.counts(begun.as_ref().map_or(0, |begun| begun.changes)),
    };
    let mut open = BTreeMap::new();
    if !results.open.is_clear() {
        each(runs, segments, |line| match line {
            Line::Intent(intent) if results.open.contains(intent.number) => {
                open.insert(intent.number, intent);
            }
            Line::Intent(_) | Line::Outcome(_) => {}
        })
        .await?;
    }
    Ok(Some(Unsettled { end, counts, open, damage }))
}

/// The last recorded result of each write, by its number. A write that was done may not have shown
/// afterwards, and a write in doubt may have been checked later.
#[derive(Default)]
struct Results {
    open: FixedBitSet,
    done: FixedBitSet,
    failed: FixedBitSet,
    never_known: FixedBitSet,
}

impl Results {
    fn take(&mut self, line: &Line) {
        let (number, result) = match line {
            Line::Intent(intent) => (intent.number, WriteResult::Unknown),
            Line::Outcome(ended) => (ended.number, ended.noted.result),
        };
        for (numbers, is_it) in [
            (&mut self.open, result == WriteResult::Unknown),
            (&mut self.done, result == WriteResult::Done),
            (&mut self.failed, result == WriteResult::Failed),
            (&mut self.never_known, result == WriteResult::NeverKnown),
        ] {
            numbers.grow(number.saturating_add(1));
            numbers.set(number, is_it);
        }
    }

    fn counts(&self, changes: usize) -> ChangeCounts {
        let of = |numbers: &FixedBitSet| numbers.count_ones(..);
        let (done, failed) = (of(&self.done), of(&self.failed));
        let unknown = of(&self.open) + of(&self.never_known);
        let not_tried = changes.saturating_sub(done + failed + unknown);
        ChangeCounts { done, failed, unknown, not_tried, ..ChangeCounts::default() }
    }
}

/// Returns the values that a run overwrote and kept, by the numbers of its writes, for the writes that
/// are wanted. Lines that cannot be read are skipped.
///
/// # Errors
/// There is no restore file, or it could not be read.
pub async fn kept(
    runs: &TenantRuns,
    run: &RunId,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<BTreeMap<usize, RestoreRow>, JournalFault> {
    restored(runs, run, is_wanted).await.map(|(kept, _)| kept)
}

/// Does the same, and returns the damage of the file too.
///
/// # Errors
/// There is no restore file, or it could not be read.
pub async fn restored(
    runs: &TenantRuns,
    run: &RunId,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<(BTreeMap<usize, RestoreRow>, Damage), JournalFault> {
    let mut text = RunText::of_restore(runs, run).await?;
    if text.is_empty() {
        return Err(JournalFault::NotRestorable(run.clone()));
    }
    let (mut all, mut tracker) = (BTreeMap::new(), Tracker::new());
    while let Some((line, row)) = text.next().await? {
        let (found, is_one) = opened(row, |row| serde_json::from_slice::<RestoreRow>(row).ok());
        if !is_one {
            unread(&mut tracker, line, row, found.is_empty());
        }
        for (place, kept) in found {
            if tracker.takes(line, place) && is_wanted(kept.number) {
                // An added line cannot replace one that was there.
                all.entry(kept.number).or_insert(kept);
            }
        }
    }
    Ok((all, tracker.finish()))
}

/// A line between the first line of a journal and its last.
enum Line {
    Intent(Intent),
    Outcome(Ended),
}

/// The content of a journal except its writes.
struct Whole {
    begun: Option<Begun>,
    end: Option<End>,
    /// True if its last line closes it.
    is_closed: bool,
    damage: Damage,
}

/// Returns the readable parts of a line with their places, and whether that is the line as it was
/// written.
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

/// Counts a line that cannot be read; a line that breaks off may be no damage.
fn unread(tracker: &mut Tracker, line: usize, text: &[u8], may_be_half: bool) {
    if may_be_half && line::is_half(text) {
        tracker.half(line, text.ends_with(b"\n"));
    } else {
        tracker.unread(line);
    }
}

/// Parses a row of a journal.
fn parsed(row: &[u8]) -> Option<JournalRow> {
    let row = serde_json::from_slice(row).ok()?;
    // No run has so many writes, and what is indexed by their numbers must not grow with a hostile
    // number.
    let is_too_large = match &row {
        JournalRow::Intent(intent) => intent.number >= MOST_WRITES,
        JournalRow::Outcome(ended) => ended.number >= MOST_WRITES,
        JournalRow::Run(_) | JournalRow::End(_) | JournalRow::Standing(_) => false,
    };
    (!is_too_large).then_some(row)
}

/// Passes each readable line of a journal to `take`, and returns how the journal begins and ends. If a
/// later check added what it found, the counts are those of that check. A line that cannot be read
/// affects no other line.
async fn each(
    runs: &TenantRuns,
    segments: &RunSegments,
    mut take: impl FnMut(Line),
) -> Result<Whole, JournalFault> {
    let mut rows = RunText::of_journal(runs, segments);
    let mut open = FixedBitSet::new();
    let (mut digest, mut tracker, mut end_at) = (Sha256::new(), Tracker::new(), None);
    let mut whole = Whole { begun: None, end: None, is_closed: false, damage: Damage::default() };
    while let Some((line, text)) = rows.next().await? {
        let (found, is_one) = opened(text, parsed);
        let closes = |(_, row): &(_, JournalRow)| {
            matches!(row, JournalRow::End(_) | JournalRow::Standing(_))
        };
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
            // The line was written before the closing line, wherever that line is now.
            let is_before_end = place.zip(end_at).is_some_and(|(place, end)| place < end);
            match row {
                JournalRow::Run(begun) if begun.format != FORMAT => {
                    let run = segments.run.clone();
                    return Err(JournalFault::OtherFormat { run, format: begun.format });
                }
                JournalRow::Run(begun) if whole.begun.is_none() && place.unwrap_or(line) == 1 => {
                    whole.begun = Some(*begun);
                }
                JournalRow::Intent(intent) if whole.end.is_none() || is_before_end => {
                    open.grow(intent.number.saturating_add(1));
                    open.insert(intent.number);
                    take(Line::Intent(intent));
                }
                JournalRow::Outcome(ended) if is_before_end => {
                    note_open(&mut open, &ended);
                    take(Line::Outcome(ended));
                }
                // A line with its outcome may be lost, although the journal was closed.
                JournalRow::Outcome(ended) if whole.may_settle() || open.contains(ended.number) => {
                    note_open(&mut open, &ended);
                    if let Some(end) = &mut whole.end {
                        end.counts.settle(ended.noted.result);
                    }
                    whole.is_closed = false;
                    take(Line::Outcome(ended));
                }
                JournalRow::End(last) if !whole.is_closed => {
                    tracker.damage.digest_differs |= so_far.as_ref() != Some(&last.digest);
                    let first = whole.end.take();
                    let (at, worse) =
                        first.map_or((last.at, Vec::new()), |first| (first.at, first.worse));
                    (whole.end, whole.is_closed) = (Some(End { at, worse, ..last }), true);
                    end_at = end_at.or(place);
                }
                JournalRow::Standing(found) if let Some(end) = &mut whole.end => {
                    tracker.damage.digest_differs |= so_far.as_ref() != Some(&found.digest);
                    end.worse = found.worse;
                }
                // No such line is written at this place.
                JournalRow::Run(_)
                | JournalRow::Intent(_)
                | JournalRow::Outcome(_)
                | JournalRow::End(_)
                | JournalRow::Standing(_) => {
                    tracker.unread(line);
                }
            }
        }
    }
    tracker.damage.heads = rows.bad_heads();
    if rows.lines() == 0 {
        // Not even a first line exists.
        tracker.unread(1);
    }
    Ok(Whole { damage: tracker.finish(), ..whole })
}

/// Notes whether the outcome of a write is known now.
fn note_open(open: &mut FixedBitSet, ended: &Ended) {
    open.grow(ended.number.saturating_add(1));
    open.set(ended.number, ended.noted.result == WriteResult::Unknown);
}

impl Whole {
    /// Returns whether a result can follow: the run is under way, or a later apply checks writes in
    /// doubt.
    fn may_settle(&self) -> bool {
        self.end.as_ref().is_none_or(|end| !self.is_closed || end.counts.unknown > 0)
    }
}

//! Adds segments to the chain of a tenant. Lines of several waves that come together go into one segment, and
//! a caller that waits for its lines to be durable waits for that segment alone.
//!
//! A segment that could not be written ends the run: the next lines would have a gap before them. Its bytes
//! are kept, and closing the journal tries once more, with the same number and the same bytes.
//!
//! Not here: the lines (`rows`), or when they are due (the parent module).

use std::fmt;

use super::chain::{ChainEnd, SegmentHead, digest};
use super::rows::RunId;
use super::run_store::TenantRuns;
use super::summary::SegmentRange;
use crate::store::{Creation, StoreFault};

/// How often a segment is created if the store says that it exists and then that it does not.
const MOST_TRIES: usize = 3;

/// Reason why a journal could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalWriteFault {
    Store(StoreFault),
    /// Another run wrote the segment that this one needed. `None` if its name cannot be read.
    TakenOver {
        by: Option<RunId>,
        place: String,
    },
    /// An earlier line could not be written.
    Broken,
    /// A line has no form as JSON.
    Line(String),
}

/// Adds segments of one run.
#[derive(Debug)]
pub(super) struct ChainWriter {
    runs: TenantRuns,
    run: RunId,
    end: ChainEnd,
    first: u64,
    from: u64,
    /// The last segment that was written.
    last: u64,
    /// A segment that could not be written, or whose write was interrupted.
    unwritten: Option<SegmentDraft>,
    /// The run may not write any more.
    is_broken: bool,
}

/// The lines of one segment, and the values from before its writes.
#[derive(Debug, Clone, Default)]
pub(super) struct SegmentDraft {
    pub(super) rows: Vec<u8>,
    pub(super) kept: Vec<u8>,
}

impl SegmentDraft {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.kept.is_empty()
    }
}

impl ChainWriter {
    /// Begins a stretch at the end of the chain. `first` is the first segment of the run; `None` for a new
    /// run.
    pub(super) async fn begin(
        runs: &TenantRuns,
        end: &ChainEnd,
        run: &RunId,
        first: Option<u64>,
    ) -> Self {
        let next = end.next_number().await;
        Self {
            runs: runs.clone(),
            run: run.clone(),
            end: end.clone(),
            first: first.unwrap_or(next),
            from: next,
            last: next.saturating_sub(1),
            unwritten: None,
            is_broken: false,
        }
    }

    /// Returns the first segment of the run and the last one that was written.
    pub(super) const fn range(&self) -> SegmentRange {
        SegmentRange { first: self.first, last: self.last }
    }

    /// Returns the number of the first segment of the run.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Writes a segment, and the values from before its writes.
    pub(super) async fn write(&mut self, draft: SegmentDraft) -> Result<(), JournalWriteFault> {
        if self.is_broken {
            return Err(JournalWriteFault::Broken);
        }
        self.put(draft).await
    }

    /// Writes a segment that could not be written before, if there is one, and then this one.
    pub(super) async fn write_at_last(
        &mut self,
        draft: SegmentDraft,
    ) -> Result<(), JournalWriteFault> {
        if let Some(unwritten) = self.unwritten.take() {
            self.put(unwritten).await?;
        }
        self.is_broken = false;
        self.put(draft).await
    }

    async fn put(&mut self, draft: SegmentDraft) -> Result<(), JournalWriteFault> {
        let end = self.end.clone();
        let mut next = end.0.lock().await;
        let head = SegmentHead {
            segment: next.number,
            tenant: self.runs.tenant,
            run: self.run.clone(),
            first: self.first,
            from: self.from,
            before: next.before.clone(),
        };
        let bytes =
            head.with(&draft.rows).map_err(|error| JournalWriteFault::Line(error.to_string()))?;
        // If this is cancelled, the next call must not go on as if it was written.
        self.is_broken = true;
        self.unwritten = Some(draft);
        let kept = self.unwritten.as_ref().map(|draft| draft.kept.as_slice()).unwrap_or_default();
        // A restore file without its intents would look like a journal with a gap.
        self.create(next.number, &bytes).await?;
        self.keep(next.number, kept).await?;
        self.unwritten = None;
        self.is_broken = false;
        self.last = next.number;
        next.before = Some(digest(&bytes));
        next.number += 1;
        Ok(())
    }

    /// Creates the segment. An object that has exactly these bytes is this segment: the answer to an earlier
    /// request was lost.
    async fn create(&self, number: u64, bytes: &[u8]) -> Result<(), JournalWriteFault> {
        let name = self.runs.segment_name(number);
        let journals = &self.runs.store.journals;
        for _ in 0..MOST_TRIES {
            if journals.create(&name, bytes).await? == Creation::Created {
                return Ok(());
            }
            match journals.read(&name).await? {
                Some(there) if there == bytes => return Ok(()),
                Some(_) => break,
                // A store may say that two requests met although the other one failed.
                None => {}
            }
        }
        let segment = self.runs.segment(number).await.ok().flatten();
        let by = segment.and_then(|segment| segment.head).map(|head| head.run);
        Err(JournalWriteFault::TakenOver { by, place: self.runs.place(number) })
    }

    /// Writes the values from before the writes of a segment.
    async fn keep(&self, number: u64, kept: &[u8]) -> Result<(), JournalWriteFault> {
        // The first one is empty. It shows that there is a place for the others before anything is written.
        if kept.is_empty() && number != self.first {
            return Ok(());
        }
        let name = self.runs.restore_name(&self.run, number);
        // Only this run has files of this name: what exists was written by this process, and its answer was
        // lost.
        let created = self.runs.store.restore.create(&name, kept).await;
        created.map(|_| ()).map_err(JournalWriteFault::Store)
    }
}

impl JournalWriteFault {
    /// Returns whether a later run may succeed with the same command.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Store(fault) => fault.may_pass,
            Self::TakenOver { .. } => true,
            Self::Broken | Self::Line(_) => false,
        }
    }
}

impl fmt::Display for JournalWriteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => write!(f, "the journal {fault}"),
            Self::TakenOver { by: Some(run), place } => write!(
                f,
                "run `{run}` writes to this tenant now: it created `{place}`, which was the next of this run"
            ),
            Self::TakenOver { by: None, place } => write!(
                f,
                "another run writes to this tenant now: it created `{place}`, which was the next of this run"
            ),
            Self::Broken => f.write_str("an earlier line of the journal could not be written"),
            Self::Line(why) => write!(f, "a line of the journal could not be written: {why}"),
        }
    }
}

impl From<StoreFault> for JournalWriteFault {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

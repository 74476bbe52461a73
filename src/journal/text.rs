//! The lines of a run, or of its restore files, one after the other over all their segments. One segment at
//! a time is in memory, because a run can be as long as the tenant is large.
//!
//! Not here: what the lines mean (`read`).

use super::chain::RunSegments;
use super::read::JournalFault;
use super::rows::RunId;
use super::run_store::{TenantRuns, number_of};
use crate::store::StoreFault;

/// Where the segments come from.
enum Kind {
    Journal,
    Restore(RunId),
}

/// The lines of several segments.
pub(super) struct RunText<'a> {
    runs: &'a TenantRuns,
    kind: Kind,
    numbers: std::vec::IntoIter<u64>,
    current: Vec<u8>,
    /// Where the next line begins.
    at: usize,
    /// Number of the current line, from 1, over all segments.
    line: usize,
    /// Number of segments whose head is not as it was written.
    bad_heads: usize,
}

impl<'a> RunText<'a> {
    /// The lines of a journal.
    pub(super) fn of_journal(runs: &'a TenantRuns, segments: &RunSegments) -> Self {
        Self::new(runs, Kind::Journal, segments.numbers().collect())
    }

    /// The lines of the restore files of a run.
    pub(super) async fn of_restore(runs: &'a TenantRuns, run: &RunId) -> Result<Self, StoreFault> {
        let names = runs.store.restore.names(&runs.restore_folder(run)).await?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        Ok(Self::new(runs, Kind::Restore(run.clone()), numbers))
    }

    fn new(runs: &'a TenantRuns, kind: Kind, numbers: Vec<u64>) -> Self {
        let numbers = numbers.into_iter();
        Self { runs, kind, numbers, current: Vec::new(), at: 0, line: 0, bad_heads: 0 }
    }

    /// Returns all lines of a journal at once.
    pub(super) async fn whole(
        runs: &TenantRuns,
        segments: &RunSegments,
    ) -> Result<Vec<u8>, StoreFault> {
        let mut all = Vec::new();
        let mut text = RunText::of_journal(runs, segments);
        while let Some((_, line)) = text.next().await? {
            all.extend_from_slice(line);
        }
        Ok(all)
    }

    /// Returns whether there is any segment.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.as_slice().is_empty()
    }

    pub(super) const fn lines(&self) -> usize {
        self.line
    }

    pub(super) const fn bad_heads(&self) -> usize {
        self.bad_heads
    }

    /// Returns the next line and its number. The line includes its line end, which the last line may lack.
    pub(super) async fn next(&mut self) -> Result<Option<(usize, &[u8])>, StoreFault> {
        while self.at >= self.current.len() {
            let Some(number) = self.numbers.next() else { return Ok(None) };
            self.current = self.segment(number).await?;
            self.at = 0;
        }
        let rest = self.current.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (from, to) = (self.at, self.at + length);
        self.at = to;
        self.line += 1;
        Ok(Some((self.line, self.current.get(from..to).unwrap_or_default())))
    }

    /// Returns the lines of a segment. A missing one has none: the places of the next lines show the gap.
    async fn segment(&mut self, number: u64) -> Result<Vec<u8>, StoreFault> {
        match &self.kind {
            Kind::Restore(run) => {
                let name = self.runs.restore_name(run, number);
                Ok(self.runs.store.restore.read(&name).await?.unwrap_or_default())
            }
            Kind::Journal => {
                let Some(segment) = self.runs.segment(number).await? else { return Ok(Vec::new()) };
                self.bad_heads += usize::from(segment.head.is_none());
                Ok(segment.rows)
            }
        }
    }

    /// Returns the error for the current line.
    pub(super) fn fault(&self) -> JournalFault {
        let path = match &self.kind {
            Kind::Restore(run) => self.runs.store.restore.place(&self.runs.restore_folder(run)),
            Kind::Journal => self.runs.store.journals.place(&self.runs.segments()),
        };
        JournalFault::Row { path, line: self.line }
    }
}

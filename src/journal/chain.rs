//! The segments of a tenant's journal: numbered objects, each of which is created once and holds the SHA-256
//! of the one before it. The number is the fence between two applies: both would need the same next number,
//! and only one of them gets it. Consecutive segments that one process wrote for one run are a stretch.
//!
//! The chain is read from its end: the head of a segment says where its stretch begins, and before that
//! ends the one before it. So an apply reads nothing that grows with the age of
//! the store.
//!
//! Not here: the lines after the head (`rows`), or their content (`read`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::line;
use super::read::JournalFault;
use super::rows::RunId;
use super::run_store::{TenantRuns, number_of};
use crate::id::TenantId;
use crate::store::StoreFault;

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentHead {
    pub(super) segment: u64,
    pub(super) tenant: TenantId,
    pub(super) run: RunId,
    /// The first segment of the run.
    pub(super) first: u64,
    /// The first segment of the stretch.
    pub(super) from: u64,
    /// SHA-256 of the segment before this one, in hex; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
}

/// The hint of the lock about the end of the chain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LastSegment {
    last_segment: u64,
}

/// A segment as it was read.
#[derive(Debug)]
pub(super) struct Segment {
    /// `None` if the first line is not as it was written.
    pub(super) head: Option<SegmentHead>,
    /// The lines after the head.
    pub(super) rows: Vec<u8>,
    /// SHA-256 of all bytes, in hex.
    pub(super) digest: String,
}

/// The end of the chain, as this process knows it. It is read once, before anything that a run relies on, and
/// then moves with the segments of this process alone: a segment of another one takes the next number, and
/// this process notices. Copies are the same end.
#[derive(Debug, Clone)]
pub struct ChainEnd(pub(super) Arc<Mutex<NextSegment>>);

/// What the next segment needs.
#[derive(Debug)]
pub(super) struct NextSegment {
    pub(super) number: u64,
    pub(super) before: Option<String>,
}

impl ChainEnd {
    /// Reads the end of the chain.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn read(runs: &TenantRuns) -> Result<Self, StoreFault> {
        let last = runs.last().await?;
        let before = if last == 0 { None } else { runs.segment(last).await? };
        let before = before.map(|segment| segment.digest);
        Ok(Self(Arc::new(Mutex::new(NextSegment { number: last + 1, before }))))
    }

    /// Returns the number of the next segment.
    pub(crate) async fn next_number(&self) -> u64 {
        self.0.lock().await.number
    }
}

/// Consecutive segments that one process wrote for one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) run: RunId,
    /// The first segment of the run.
    pub(super) first: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The segments of a run, from its first stretch to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSegments {
    pub(crate) run: RunId,
    pub(super) stretches: Vec<Stretch>,
}

/// The runs of a chain, oldest first.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) runs: Vec<RunSegments>,
    /// The oldest segments do not say to which run they belong.
    pub(crate) fault: Option<JournalFault>,
}

/// The most segments of a stretch. No run has as many, and what is read must not grow with a hostile number.
const LONGEST_STRETCH: u64 = 1 << 24;

/// Walks the chain from its end to its beginning.
#[derive(Debug)]
pub(super) struct ChainWalk<'a> {
    runs: &'a TenantRuns,
    next: u64,
}

impl SegmentHead {
    /// Returns the bytes of the whole segment.
    pub(super) fn with(&self, rows: &[u8]) -> serde_json::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        line::write(self, 0, &mut bytes)?;
        bytes.extend_from_slice(rows);
        Ok(bytes)
    }
}

impl Segment {
    fn of(bytes: &[u8]) -> Self {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        let (head, rows) = bytes.split_at(end);
        let opened = line::open(head);
        let head = opened.place.and_then(|_| serde_json::from_slice(&opened.row).ok());
        Self { head, rows: rows.to_vec(), digest: digest(bytes) }
    }
}

impl TenantRuns {
    /// Reads a segment; `None` if it does not exist.
    pub(super) async fn segment(&self, number: u64) -> Result<Option<Segment>, StoreFault> {
        let bytes = self.store.journals.read(&self.segment_name(number)).await?;
        Ok(bytes.map(|bytes| {
            let mut segment = Segment::of(&bytes);
            // A copy under another name is no segment of this place.
            segment.head =
                segment.head.filter(|head| (head.segment, head.tenant) == (number, self.tenant));
            segment
        }))
    }

    /// Returns the numbers of all segments, in order.
    pub(super) async fn numbers(&self) -> Result<Vec<u64>, StoreFault> {
        let names = self.store.journals.names(&self.segments()).await?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Returns the number of the last segment; 0 if there is none. `hint` is a segment that may exist: the
    /// ones after it are tried, which takes fewer requests than to list them all.
    pub(crate) async fn last_segment(&self, hint: u64) -> Result<u64, StoreFault> {
        if hint == 0 || !self.exists(hint).await? {
            return Ok(self.numbers().await?.last().copied().unwrap_or_default());
        }
        // Segments are created in order, so the first that is missing has none after it.
        let (mut there, mut step) = (hint, 1);
        while self.exists(there + step).await? {
            there += step;
            step *= 2;
        }
        let mut missing = there + step;
        while missing - there > 1 {
            let middle = there + (missing - there) / 2;
            if self.exists(middle).await? {
                there = middle;
            } else {
                missing = middle;
            }
        }
        Ok(there)
    }

    /// Returns the number of the last segment. The lock of a cloud store has a hint where it is.
    pub(super) async fn last(&self) -> Result<u64, StoreFault> {
        let hint = match self.store.journals.folder() {
            Some(_) => None,
            None => self.store.journals.read(&self.lock_name()).await?,
        };
        let hint = hint.and_then(|lock| serde_json::from_slice::<LastSegment>(&lock).ok());
        self.last_segment(hint.map_or(0, |hint| hint.last_segment)).await
    }

    async fn exists(&self, number: u64) -> Result<bool, StoreFault> {
        self.store.journals.exists(&self.segment_name(number)).await
    }

    /// Begins a walk at the end of the chain.
    pub(super) async fn walk(&self) -> Result<ChainWalk<'_>, StoreFault> {
        Ok(ChainWalk { runs: self, next: self.last().await? })
    }

    /// Returns every run of the chain that has a segment from this one on, oldest first.
    pub(super) async fn all_from(&self, least: u64) -> Result<Chain, JournalFault> {
        let mut walk = self.walk().await?;
        let (mut all, mut fault): (Vec<RunSegments>, _) = (Vec::new(), None);
        while walk.next >= least {
            let stretch = match walk.next().await {
                Ok(Some(stretch)) => stretch,
                Ok(None) => break,
                Err(unnamed @ JournalFault::Row { .. }) => {
                    fault = Some(unnamed);
                    break;
                }
                Err(fault) => return Err(fault),
            };
            match all.iter_mut().find(|one| one.run == stretch.run) {
                Some(one) => one.stretches.insert(0, stretch),
                None => {
                    all.push(RunSegments { run: stretch.run.clone(), stretches: vec![stretch] });
                }
            }
        }
        all.sort_by_key(RunSegments::begins);
        Ok(Chain { runs: all, fault })
    }

    /// Returns the segments of one run; `None` if the chain has none.
    pub(super) async fn of_run(&self, run: &RunId) -> Result<Option<RunSegments>, JournalFault> {
        let mut walk = self.walk().await?;
        let mut stretches = Vec::new();
        loop {
            let stretch = match walk.next().await {
                Ok(Some(stretch)) => stretch,
                // No readable segment before this one names a run.
                Ok(None) | Err(JournalFault::Row { .. }) => break,
                Err(fault) => return Err(fault),
            };
            if stretch.run != *run {
                continue;
            }
            let is_first = stretch.from <= stretch.first;
            stretches.insert(0, stretch);
            if is_first {
                break;
            }
        }
        Ok((!stretches.is_empty()).then(|| RunSegments { run: run.clone(), stretches }))
    }
}

impl ChainWalk<'_> {
    /// Returns the stretch before the one that was returned last.
    pub(super) async fn next(&mut self) -> Result<Option<Stretch>, JournalFault> {
        let mut to = None;
        loop {
            if self.next == 0 {
                // Not one of these segments says to which run it belongs.
                return match to {
                    None => Ok(None),
                    Some(number) => {
                        Err(JournalFault::Row { path: self.runs.place(number), line: 1 })
                    }
                };
            }
            let number = self.next;
            let segment = self.runs.segment(number).await?;
            let Some(segment) = segment else {
                // What cannot be read above a gap belongs to no known run.
                to = None;
                self.next = self.existing_before(number).await?;
                continue;
            };
            let last = *to.get_or_insert(number);
            let is_short = |head: &SegmentHead| number.saturating_sub(head.from) < LONGEST_STRETCH;
            let Some(head) = segment.head.filter(is_short) else {
                self.next = number - 1;
                continue;
            };
            let from = head.from.clamp(1, number);
            self.next = from - 1;
            return Ok(Some(Stretch { run: head.run, first: head.first, from, to: last }));
        }
    }

    async fn existing_before(&self, number: u64) -> Result<u64, StoreFault> {
        let numbers = self.runs.numbers().await?;
        Ok(numbers.into_iter().filter(|one| *one < number).max().unwrap_or_default())
    }
}

impl RunSegments {
    /// Returns the first segment of the run, as far as it is known.
    pub(crate) fn begins(&self) -> u64 {
        self.stretches.first().map_or(0, |stretch| stretch.first.min(stretch.from))
    }

    /// Returns the last segment of the run.
    pub(super) fn ends(&self) -> u64 {
        self.stretches.last().map_or(0, |stretch| stretch.to)
    }

    /// Returns the numbers of all segments, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let ranges: Vec<_> =
            self.stretches.iter().map(|stretch| stretch.from..=stretch.to).collect();
        ranges.into_iter().flatten()
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

pub(super) fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::writer::{ChainWriter, JournalWriteFault, SegmentDraft};
    use super::*;
    use crate::journal::RunStore;

    fn tenant() -> TenantRuns {
        RunStore::in_memory().of("6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap())
    }

    /// Creates these segments, one stretch of one run.
    async fn chain(runs: &TenantRuns, last: u64) {
        let run = RunId::named("20261122T101500Z-3f2a").unwrap();
        for segment in 1..=last {
            let (tenant, run) = (runs.tenant, run.clone());
            let head = SegmentHead { segment, tenant, run, first: 1, from: 1, before: None };
            let bytes = head.with(b"").unwrap();
            runs.store.journals.create(&runs.segment_name(segment), &bytes).await.unwrap();
        }
    }

    #[tokio::test]
    async fn last_segment_is_found_from_any_hint() {
        let runs = tenant();
        assert_eq!(runs.last_segment(0).await.unwrap(), 0);
        chain(&runs, 21).await;
        for hint in 0..=22 {
            assert_eq!(runs.last_segment(hint).await.unwrap(), 21, "from {hint}");
        }
    }

    #[tokio::test]
    async fn segment_of_another_place_or_of_a_stray_name_names_no_run() {
        let runs = tenant();
        chain(&runs, 3).await;
        let copy = runs.store.journals.read(&runs.segment_name(2)).await.unwrap().unwrap();
        runs.store.journals.create(&runs.segment_name(4), &copy).await.unwrap();
        runs.store.journals.create(&runs.segment_name(900_000_000_000), b"").await.unwrap();
        let all = runs.all_from(1).await.unwrap();
        assert!(all.fault.is_none());
        let numbers: Vec<u64> = all.runs.iter().flat_map(RunSegments::numbers).collect();
        assert_eq!(numbers, [1, 2, 3, 4], "the copy has no head of its own");
    }

    #[tokio::test]
    async fn process_notices_a_segment_that_another_one_created() {
        let runs = tenant();
        chain(&runs, 1).await;
        let (mine, theirs) =
            (ChainEnd::read(&runs).await.unwrap(), ChainEnd::read(&runs).await.unwrap());
        let run = |name: &str| RunId::named(name).unwrap();
        let draft = || SegmentDraft { rows: b"x\n".to_vec(), kept: Vec::new() };
        let other = run("20261122T101501Z-0001");
        let mut writer = ChainWriter::begin(&runs, &theirs, &other, None).await;
        writer.write(draft()).await.unwrap();
        let mut writer =
            ChainWriter::begin(&runs, &mine, &run("20261122T101502Z-0002"), None).await;
        match writer.write(draft()).await {
            Err(JournalWriteFault::TakenOver { by, .. }) => assert_eq!(by, Some(other)),
            written => panic!("{written:?}"),
        }
        assert_eq!(writer.write(draft()).await, Err(JournalWriteFault::Broken));
    }
}

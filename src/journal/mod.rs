//! Records in the run store what a run does, before it does it: a line for each write before it is sent, a
//! line for its result, and at the end a line with the counts that closes the journal. If that line counts
//! writes in doubt, the next apply adds what it found and closes the journal again; the digest of each
//! closing line covers every line before it. Phone numbers in a journal are masked. The full values from
//! before the run are in the restore files, which have a place of their own: without them a run cannot be
//! undone.
//!
//! Lines reach the store in segments, each created once under the next number of the tenant. So two runs
//! never both write: one of them does not get its number, and ends before its next write to the tenant.
//! Not here: the lines themselves (`rows`), the segments (`chain`, `writer`), reading a journal (`read`), or
//! settling one that has no end (`resume`).

mod access;
mod chain;
mod damage;
mod line;
mod listing;
mod prune;
mod read;
mod rows;
mod run_store;
mod summary;
mod text;
mod verify;
mod writer;

pub use access::{StoreTrial, try_store};
pub use chain::ChainEnd;
pub use damage::Damage;
pub(crate) use listing::runs_since;
pub use listing::{Listed, guarding, listed, runs};
pub use prune::{Goes, PruneRequest, Pruning, Stays, pruning, remove};
pub use read::{JournalFault, Past, PastWrite, kept, past, restored};
pub(crate) use read::{Unsettled, begun, unsettled};
pub use rows::{Begun, End, EndCheckRow, Ended, Intent, Noted, RestoreRow, RunActor, RunId};
pub use run_store::{RunStore, TenantRuns};
pub use summary::{RunSummary, SegmentRange};
pub use verify::{ChainFault, Verification, verify};
pub use writer::JournalWriteFault;

use crate::results::WriteResult;
use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tracing::warn;

use crate::id::UserId;
use crate::plan::Plan;
use crate::results::WorseUser;
use crate::results::{ApplyReport, ChangeCounts};
use crate::settings::Value;
use crate::settings::change::Change;
use crate::settings::full_value::FullValue;
use crate::tenant::membership::Guarding;
use chain::hex;
use rows::{FORMAT, JournalRow};
use text::RunText;
use writer::{ChainWriter, SegmentDraft};

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    run: RunId,
    runs: TenantRuns,
    /// `None` if the first line of the run cannot be read.
    begun: Option<Begun>,
    lines: RefCell<Lines>,
    chain: Mutex<ChainWriter>,
}

/// What is recorded, and what of it is not in the store yet.
#[derive(Debug, Default)]
struct Lines {
    digest: Sha256,
    intended: usize,
    /// Writes whose result is not recorded, or is recorded as unknown.
    open: BTreeSet<usize>,
    draft: SegmentDraft,
    /// The places of the next line in the journal and in the restore files.
    next: usize,
    next_kept: usize,
}

impl Journal {
    /// Begins a journal for a plan, with the members of each break-glass group. `settled` is the number up
    /// to which every run of the chain is settled.
    ///
    /// # Errors
    /// The store could not be written, or another run was faster.
    pub async fn begin(
        (runs, end): (&TenantRuns, &ChainEnd),
        plan: &Plan,
        guarding: Guarding,
        now: Timestamp,
        settled: u64,
    ) -> Result<Self, JournalWriteFault> {
        let run = RunId::new(now);
        let chain = ChainWriter::begin(runs, end, &run, None).await;
        let settled = settled.min(chain.first());
        let lines = Lines { next: 1, next_kept: 1, ..Lines::default() };
        let begun = Begun {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            run: run.clone(),
            tenant: plan.identity.id,
            domain: plan.identity.domain.raw().to_owned(),
            purpose: plan.purpose.clone(),
            fingerprint: plan.fingerprint.to_string(),
            began: now,
            by: RunActor::is_here(),
            changes: plan.changes.len(),
            break_glass: Some(guarding),
            settled,
        };
        let journal = Self::of(runs, run, lines, chain, Some(begun.clone()));
        journal.row(&JournalRow::Run(Box::new(begun)))?;
        journal.sync().await?;
        journal.summarise(None).await;
        Ok(journal)
    }

    /// Continues the journal of a run that is not settled.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) async fn go_on(
        (runs, end): (&TenantRuns, &ChainEnd),
        run: &RunId,
    ) -> Result<Self, JournalFault> {
        let segments = runs.of_run(run).await?.ok_or_else(|| JournalFault::NoRun(run.clone()))?;
        let so_far = RunText::whole(runs, &segments).await?;
        let chain = ChainWriter::begin(runs, end, run, Some(segments.begins())).await;
        let mut lines = Lines {
            digest: Sha256::new_with_prefix(&so_far),
            next: line::next_place(&so_far),
            // This journal keeps no values of earlier writes.
            next_kept: 1,
            ..Lines::default()
        };
        if so_far.last().is_some_and(|byte| *byte != b'\n') {
            lines.draft.rows.push(b'\n');
            lines.digest.update(b"\n");
        }
        let begun = begun(runs, run).await.ok();
        Ok(Self::of(runs, run.clone(), lines, chain, begun))
    }

    fn of(
        runs: &TenantRuns,
        run: RunId,
        lines: Lines,
        chain: ChainWriter,
        begun: Option<Begun>,
    ) -> Self {
        let runs = runs.clone();
        Self { run, runs, begun, lines: RefCell::new(lines), chain: Mutex::new(chain) }
    }

    /// Writes the summary of the run. It is an index, so a run does not fail because of it.
    async fn summarise(&self, end: Option<&End>) {
        let Some(begun) = &self.begun else { return };
        let segments = self.chain.lock().await.range();
        let summary = RunSummary::begun(begun, segments);
        let summary = match end {
            Some(end) => summary.ended(end, segments.last),
            None => summary,
        };
        if let Err(fault) = summary.write(&self.runs).await {
            warn!(fault = %fault, "the summary of the run could not be written");
        }
    }

    #[must_use]
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// Records a write that will be sent, and the earlier write that it puts back, if any. Returns its
    /// number. The line is in the store after [`Self::sync`].
    pub(crate) fn intend(
        &self,
        plan: &Plan,
        change: &Change,
        puts_back: Option<usize>,
    ) -> Result<usize, JournalWriteFault> {
        let label = plan.policy(change.policy);
        let place = label.and_then(|label| label.rule(change.setting)).map(|rule| &rule.place);
        let user = plan.directory.user(change.user);
        let number = {
            let mut lines = self.lines.borrow_mut();
            let number = lines.intended;
            lines.intended += 1;
            number
        };
        let Some(id) = user.map(|user| user.id) else { return Ok(number) };
        self.keep(number, id, change)?;
        self.row(&JournalRow::Intent(Intent {
            number,
            user: id,
            name: plan.directory.name(change.user).raw().to_owned(),
            setting: change.setting,
            puts_back,
            before: change.before.to_string(),
            after: change.after.to_string(),
            policy: label.map_or_else(String::new, |label| label.name.raw().to_owned()),
            place: place
                .map_or_else(String::new, |place| format!("{}:{}", place.file.raw(), place.line)),
            at: Timestamp::now(),
        }))?;
        Ok(number)
    }

    /// Records the values before and after a write, for an undo.
    fn keep(&self, number: usize, user: UserId, change: &Change) -> Result<(), JournalWriteFault> {
        let kept = |value: Value| {
            let is_number = matches!(value, Value::Phone(_));
            (self.runs.store.keep_numbers || !is_number).then(|| FullValue::from(value))
        };
        let (before, after) = (kept(change.before), kept(change.after));
        let kept = RestoreRow { number, user, setting: change.setting, before, after };
        let mut lines = self.lines.borrow_mut();
        let lines = &mut *lines;
        lines.open.insert(number);
        line::write(&kept, lines.next_kept, &mut lines.draft.kept)
            .map_err(|error| JournalWriteFault::Line(error.to_string()))?;
        lines.next_kept += 1;
        Ok(())
    }

    /// Records the result of a write.
    pub(crate) fn ended(&self, number: usize, noted: Noted) -> Result<(), JournalWriteFault> {
        {
            let open = &mut self.lines.borrow_mut().open;
            match noted.result {
                WriteResult::Unknown => open.insert(number),
                WriteResult::Done
                | WriteResult::Failed
                | WriteResult::NotTried
                | WriteResult::NeverKnown => open.remove(&number),
            };
        }
        self.row(&JournalRow::Outcome(Ended { number, noted, at: Timestamp::now() }))
    }

    /// Returns when all lines that were recorded before are in the store.
    pub(crate) async fn sync(&self) -> Result<(), JournalWriteFault> {
        let mut chain = self.chain.lock().await;
        // The lines stay: closing the journal tries once more.
        if chain.is_broken() {
            return Err(JournalWriteFault::Broken);
        }
        // While this waited, another caller may have written the lines.
        let draft = std::mem::take(&mut self.lines.borrow_mut().draft);
        if draft.is_empty() {
            return Ok(());
        }
        chain.write(draft).await
    }

    /// Returns whether a line could not be written.
    #[must_use]
    pub fn is_broken(&mut self) -> bool {
        self.chain.get_mut().is_broken()
    }

    /// Writes the line with the counts, which closes the journal.
    ///
    /// # Errors
    /// The store could not be written.
    pub async fn close(self, report: &ApplyReport) -> Result<RunId, JournalWriteFault> {
        let mut counts = report.counts();
        // The result of a change can be known while that of one of its writes is not: a first attempt,
        // or a write that was meant to put it back. The next apply checks each write.
        counts.unknown = counts.unknown.max(self.lines.borrow().open.len());
        self.close_with(counts, report.stopped.clone()).await
    }

    pub(crate) async fn close_with(
        self,
        counts: ChangeCounts,
        stopped: Option<String>,
    ) -> Result<RunId, JournalWriteFault> {
        let digest = hex(self.lines.borrow().digest.clone());
        let end = End { at: Timestamp::now(), stopped, counts, digest, worse: Vec::new() };
        self.row(&JournalRow::End(end.clone()))?;
        let draft = std::mem::take(&mut self.lines.borrow_mut().draft);
        self.chain.lock().await.write_at_last(draft).await?;
        self.summarise(Some(&end)).await;
        Ok(self.run)
    }

    /// Adds to a closed journal the users who were open, stuck, worse off or unreadable at the end of
    /// the run.
    async fn note_worse(self, worse: Vec<WorseUser>) -> Result<(), JournalWriteFault> {
        let digest = hex(self.lines.borrow().digest.clone());
        self.row(&JournalRow::Standing(EndCheckRow { at: Timestamp::now(), worse, digest }))?;
        self.sync().await
    }

    fn row(&self, row: &JournalRow) -> Result<(), JournalWriteFault> {
        let mut lines = self.lines.borrow_mut();
        let lines = &mut *lines;
        let first = lines.draft.rows.len();
        line::write(row, lines.next, &mut lines.draft.rows)
            .map_err(|error| JournalWriteFault::Line(error.to_string()))?;
        lines.next += 1;
        lines.digest.update(lines.draft.rows.get(first..).unwrap_or_default());
        Ok(())
    }
}

/// Adds to the journal of a run the users who were open, stuck, worse off or unreadable at its end.
///
/// # Errors
/// The store could not be read or written.
pub async fn note_standing(
    (runs, end): (&TenantRuns, &ChainEnd),
    run: &RunId,
    worse: Vec<WorseUser>,
) -> Result<(), JournalFault> {
    let journal = Journal::go_on((runs, end), run).await?;
    journal.note_worse(worse).await.map_err(JournalFault::NotWritten)
}

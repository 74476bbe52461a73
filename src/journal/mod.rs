//! Records on this machine's disk what a run does, before it does it: a line for each write before it is
//! sent, a line for its result, and at the end a line with the counts that closes the journal. If that
//! line counts writes in doubt, the next apply adds what it found and closes the journal again; the
//! digest of each closing line covers every byte before it. Phone numbers in a journal are masked. The
//! full values from before the run are in the restore file next to the journals, which only its owner
//! can read: without it a run cannot be undone.
//!
//! If the journal cannot be written, the run ends before the next write to the tenant. Not here: the
//! lines themselves (`rows`), reading a journal (`read`), or settling one that has no end (`resume`).

mod damage;
mod line;
mod prune;
mod read;
mod rows;

pub use damage::Damage;
pub use prune::{Goes, Pruning, Stays, pruning, remove};
pub use read::{JournalFault, Listed, Past, PastWrite, guarding, kept, past, restored, runs};
pub(crate) use read::{Unsettled, begun, unsettled};
pub use rows::{Begun, End, EndCheckRow, Ended, Intent, Noted, RestoreRow, RunActor, RunId};

use crate::results::WriteResult;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::files::{self, How, open_own};
use crate::plan::Plan;
use crate::results::WorseUser;
use crate::results::{ApplyReport, ChangeCounts};
use crate::settings::Value;
use crate::settings::change::Change;
use crate::settings::full_value::FullValue;
use crate::tenant::membership::Guarding;
use rows::{FORMAT, JournalRow};

const RUNS: &str = "runs";
const RESTORE: &str = "restore";
const JOURNAL: &str = "journal.jsonl";

/// Number of trailing path components that belong to mfactl and must not be links. For a journal: the
/// folder, `runs`, the run, and the file. For a restore file: the folder, `restore`, and the file.
const OWN_JOURNAL: usize = 4;
const OWN_RESTORE: usize = 3;

/// The folder that holds journals, and whether phone numbers are kept next to them.
#[derive(Debug, Clone, Copy)]
pub struct JournalDir<'a> {
    pub folder: &'a Path,
    pub keep_numbers: bool,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    run: RunId,
    path: PathBuf,
    file: File,
    digest: Sha256,
    restore: File,
    keep_numbers: bool,
    intended: usize,
    /// Writes whose result is not recorded, or is recorded as unknown.
    open: BTreeSet<usize>,
    /// True if a line could not be written: the next one would follow half a line.
    broken: bool,
    /// Lines that are not in the file yet.
    lines: Vec<u8>,
    kept: Vec<u8>,
    /// The places of the next line in the journal and in the restore file.
    next: usize,
    next_kept: usize,
}

impl JournalDir<'_> {
    fn journal(&self, run: &RunId) -> PathBuf {
        self.folder.join(RUNS).join(run.as_str()).join(JOURNAL)
    }

    fn restore(&self, run: &RunId) -> PathBuf {
        self.folder.join(RESTORE).join(run.as_str())
    }
}

impl Journal {
    /// Begins a journal for a plan, with the members of each break-glass group.
    ///
    /// # Errors
    /// The file, with the error of the operating system.
    pub fn begin(
        desk: JournalDir<'_>,
        plan: &Plan,
        guarding: Guarding,
        now: Timestamp,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let run = RunId::new(now);
        let (path, restore) = (desk.journal(&run), desk.restore(&run));
        let new = |path: &Path, own| {
            open_own(path, own, How::New).map_err(|error| (path.to_owned(), error))
        };
        let (file, restore) = (new(&path, OWN_JOURNAL)?, new(&restore, OWN_RESTORE)?);
        let mut journal = Self {
            run: run.clone(),
            path,
            file,
            digest: Sha256::new(),
            restore,
            keep_numbers: desk.keep_numbers,
            intended: 0,
            open: BTreeSet::new(),
            broken: false,
            lines: Vec::new(),
            kept: Vec::new(),
            next: 1,
            next_kept: 1,
        };
        let begun = Begun {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            run,
            tenant: plan.identity.id,
            domain: plan.identity.domain.raw().to_owned(),
            purpose: plan.purpose.clone(),
            fingerprint: plan.fingerprint.to_string(),
            began: now,
            by: RunActor::is_here(),
            changes: plan.changes.len(),
            break_glass: Some(guarding),
        };
        let begin = journal.row(&JournalRow::Run(Box::new(begun))).and_then(|()| journal.sync());
        begin.map_err(|error| (journal.path.clone(), error))?;
        Ok(journal)
    }

    /// Continues the journal of a run that is not settled.
    ///
    /// # Errors
    /// The file, with the error of the operating system.
    pub(crate) fn go_on(desk: JournalDir<'_>, run: &RunId) -> Result<Self, (PathBuf, io::Error)> {
        let (path, restore) = (desk.journal(run), desk.restore(run));
        let open = |path: &Path, own| {
            open_own(path, own, How::Append).map_err(|error| (path.to_owned(), error))
        };
        let so_far = open_own(&path, OWN_JOURNAL, How::Read);
        let so_far = so_far.and_then(|file| files::read_all(file, u64::MAX));
        let so_far = so_far.map_err(|error| (path.clone(), error))?;
        let mut journal = Self {
            run: run.clone(),
            file: open(&path, OWN_JOURNAL)?,
            restore: open(&restore, OWN_RESTORE)?,
            digest: Sha256::new_with_prefix(&so_far),
            path,
            keep_numbers: desk.keep_numbers,
            intended: 0,
            open: BTreeSet::new(),
            broken: false,
            lines: Vec::new(),
            kept: Vec::new(),
            next: line::next_place(&so_far),
            // This journal keeps no values of earlier writes.
            next_kept: 1,
        };
        if so_far.last().is_some_and(|byte| *byte != b'\n') {
            // The line that was being written when the run was interrupted.
            journal.lines.push(b'\n');
            journal.digest.update(b"\n");
        }
        Ok(journal)
    }

    #[must_use]
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// Records a write that will be sent, and the earlier write that it puts back, if any. Returns its
    /// number. The line is on the disk after [`Self::sync`].
    pub(crate) fn intend(
        &mut self,
        plan: &Plan,
        change: &Change,
        puts_back: Option<usize>,
    ) -> io::Result<usize> {
        let number = self.intended;
        self.intended += 1;
        let label = plan.policy(change.policy);
        let place = label.and_then(|label| label.rule(change.setting)).map(|rule| &rule.place);
        let user = plan.directory.user(change.user);
        let Some(id) = user.map(|user| user.id) else { return Ok(number) };
        self.open.insert(number);
        let kept = |value: Value| {
            let is_number = matches!(value, Value::Phone(_));
            (self.keep_numbers || !is_number).then(|| FullValue::from(value))
        };
        let (before, after) = (kept(change.before), kept(change.after));
        let kept = RestoreRow { number, user: id, setting: change.setting, before, after };
        line::write(&kept, self.next_kept, &mut self.kept)?;
        self.next_kept += 1;
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

    /// Records the result of a write.
    pub(crate) fn ended(&mut self, number: usize, noted: Noted) -> io::Result<()> {
        match noted.result {
            WriteResult::Unknown => self.open.insert(number),
            WriteResult::Done
            | WriteResult::Failed
            | WriteResult::NotTried
            | WriteResult::NeverKnown => self.open.remove(&number),
        };
        self.row(&JournalRow::Outcome(Ended { number, noted, at: Timestamp::now() }))
    }

    /// Writes the recorded lines to the disk, the values from before the run first.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier line could not be written"));
        }
        let written = self.write_down();
        self.broken = written.is_err();
        written
    }

    /// Returns whether a line could not be written.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    fn write_down(&mut self) -> io::Result<()> {
        if !self.kept.is_empty() {
            self.restore.write_all(&self.kept)?;
            self.kept.clear();
            self.restore.sync_data()?;
        }
        self.file.write_all(&self.lines)?;
        self.lines.clear();
        self.file.sync_data()
    }

    /// Writes the line with the counts, which closes the journal.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn close(self, report: &ApplyReport) -> Result<RunId, (PathBuf, io::Error)> {
        let mut counts = report.counts();
        // The result of a change can be known while that of one of its writes is not: a first attempt,
        // or a write that was meant to put it back. The next apply checks each write.
        counts.unknown = counts.unknown.max(self.open.len());
        self.close_with(counts, report.stopped.clone())
    }

    pub(crate) fn close_with(
        mut self,
        counts: ChangeCounts,
        stopped: Option<String>,
    ) -> Result<RunId, (PathBuf, io::Error)> {
        let digest = self.digest.clone().finalize();
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let end = End { at: Timestamp::now(), stopped, counts, digest, worse: Vec::new() };
        match self.row(&JournalRow::End(end)).and_then(|()| self.sync()) {
            Ok(()) => Ok(self.run),
            Err(error) => Err((self.path, error)),
        }
    }

    /// Adds to a closed journal the users who were open, stuck, worse off or unreadable at the end of
    /// the run.
    fn note_worse(mut self, worse: Vec<WorseUser>) -> Result<(), (PathBuf, io::Error)> {
        let digest = self.digest.clone().finalize();
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let standing = EndCheckRow { at: Timestamp::now(), worse, digest };
        let noted = self.row(&JournalRow::Standing(standing)).and_then(|()| self.sync());
        noted.map_err(|error| (self.path, error))
    }

    /// Returns the error in words.
    pub(crate) fn fault(&self, error: &io::Error) -> String {
        format!("the journal `{}` could not be written: {error}", self.path.display())
    }

    fn row(&mut self, row: &JournalRow) -> io::Result<()> {
        let first = self.lines.len();
        line::write(row, self.next, &mut self.lines)?;
        self.next += 1;
        self.digest.update(self.lines.get(first..).unwrap_or_default());
        Ok(())
    }
}

/// Adds to the journal of a run the users who were open, stuck, worse off or unreadable at its end.
///
/// # Errors
/// The file, with the error of the operating system.
pub fn note_standing(
    desk: JournalDir<'_>,
    run: &RunId,
    worse: Vec<WorseUser>,
) -> Result<(), (PathBuf, io::Error)> {
    Journal::go_on(desk, run)?.note_worse(worse)
}

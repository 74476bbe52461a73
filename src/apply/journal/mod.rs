//! What a run does, on this machine's disk before it is done: a line for what will be written, a
//! line for what became of it, and at the end one that counts and closes. Numbers stand in it
//! masked. Beside the journals, in a file for its owner alone, stands what was there before, in full:
//! only with that can a run be taken back.
//!
//! A journal that cannot be written ends the run before the next write to the tenant. Not here:
//! reading one (`read`), or what is made of one that has no end (`resume`).

mod read;

pub use read::{JournalFault, Past, Told, kept, past, runs};

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::report::{Counts, Fate, Report, UNSEEN};
use crate::id::{TenantId, UserId};
use crate::plan::file::value::FullValue;
use crate::plan::{Plan, Purpose};
use crate::settings::change::Change;
use crate::settings::{Setting, Value};

/// The format that this program writes, and the only one that it reads.
const FORMAT: u32 = 1;

const RUNS: &str = "runs";
const RESTORE: &str = "restore";
const JOURNAL: &str = "journal.jsonl";

/// The name of a run: when it began, and something that no other has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

/// Which folder holds journals, and whether numbers are kept beside them.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    pub folder: &'a Path,
    pub keep_numbers: bool,
}

/// Who carries a plan out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    pub user: String,
    pub host: String,
    pub process: u32,
}

/// The first line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    pub format: u32,
    pub program: String,
    pub run: RunId,
    pub tenant: TenantId,
    pub domain: String,
    pub purpose: Purpose,
    pub fingerprint: String,
    pub began: Timestamp,
    pub by: Who,
    /// How many changes the plan has.
    pub changes: usize,
}

/// What will be written next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    pub number: usize,
    pub user: UserId,
    pub name: String,
    pub setting: Setting,
    /// As it prints: numbers masked.
    pub before: String,
    pub after: String,
    pub policy: String,
    pub place: String,
    pub at: Timestamp,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub number: usize,
    #[serde(flatten)]
    pub noted: Noted,
    pub at: Timestamp,
}

/// What became of a write, with the words of Graph where it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    pub fate: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Word {
    Done,
    Failed,
}

/// The last line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    pub at: Timestamp,
    /// Why it ended before its time, if it did.
    pub stopped: Option<String>,
    pub counts: Counts,
    /// SHA-256 of all bytes before this line, in hex.
    pub digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Row {
    Run(Box<Begun>),
    Intent(Intent),
    Outcome(Ended),
    End(End),
}

/// A row of the restore file. What is left out is a number that is not to be kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kept {
    pub number: usize,
    pub user: UserId,
    pub setting: Setting,
    pub before: Option<FullValue>,
    pub after: Option<FullValue>,
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
    /// Something could not be written: what would follow it would follow half a line.
    broken: bool,
    /// Lines that are not in the file yet.
    lines: Vec<u8>,
    kept: Vec<u8>,
}

impl RunId {
    fn new(now: Timestamp) -> Self {
        Self(format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..)))
    }

    /// The run of that name: nothing that could be a path.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (!text.is_empty() && text.len() <= 64 && text.chars().all(plain))
            .then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Who {
    /// Who this is, as far as the machine tells.
    #[must_use]
    pub fn is_here() -> Self {
        let told = |names: [&str; 2]| names.into_iter().find_map(|name| std::env::var(name).ok());
        let host = fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.map(|name| name.trim().to_owned());
        Self {
            user: told(["USER", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned()),
            host: host.or_else(|| told(["HOSTNAME", "COMPUTERNAME"])).unwrap_or_else(|| "?".into()),
            process: std::process::id(),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}, process {}", self.user, self.host, self.process)
    }
}

impl Noted {
    pub(super) fn of(fate: &Fate, request_id: Option<String>) -> Self {
        let (fate, why) = match fate {
            Fate::Done => (Word::Done, None),
            Fate::Failed(why) | Fate::NotTried(why) => (Word::Failed, Some(why.clone())),
            Fate::MovedOn(why) => (Word::Failed, Some(why.about().to_owned())),
        };
        Self { fate, why, request_id }
    }

    pub(super) fn unseen() -> Self {
        Self { fate: Word::Failed, why: Some(UNSEEN.to_owned()), request_id: None }
    }
}

impl Desk<'_> {
    fn journal(&self, run: &RunId) -> PathBuf {
        self.folder.join(RUNS).join(run.as_str()).join(JOURNAL)
    }

    fn restore(&self, run: &RunId) -> PathBuf {
        self.folder.join(RESTORE).join(run.as_str())
    }
}

impl Journal {
    /// Begins a journal for a plan.
    ///
    /// # Errors
    /// The file, and what the system says of it.
    pub fn begin(
        desk: Desk<'_>,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let run = RunId::new(now);
        let (path, restore) = (desk.journal(&run), desk.restore(&run));
        let new = |path: &Path| create(path).map_err(|error| (path.to_owned(), error));
        let (file, restore) = (new(&path)?, new(&restore)?);
        let mut journal = Self {
            run: run.clone(),
            path,
            file,
            digest: Sha256::new(),
            restore,
            keep_numbers: desk.keep_numbers,
            intended: 0,
            broken: false,
            lines: Vec::new(),
            kept: Vec::new(),
        };
        let begun = Begun {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            run,
            tenant: plan.identity.id,
            domain: plan.identity.domain.clone(),
            purpose: plan.purpose.clone(),
            fingerprint: plan.fingerprint.to_string(),
            began: now,
            by: Who::is_here(),
            changes: plan.changes.len(),
        };
        let begin = journal.row(&Row::Run(Box::new(begun))).and_then(|()| journal.sync());
        begin.map_err(|error| (journal.path.clone(), error))?;
        Ok(journal)
    }

    /// Goes on with the journal of a run that came to no end.
    ///
    /// # Errors
    /// The file, and what the system says of it.
    pub(super) fn go_on(desk: Desk<'_>, run: &RunId) -> Result<Self, (PathBuf, io::Error)> {
        let (path, restore) = (desk.journal(run), desk.restore(run));
        let open = |path: &Path| {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.map_err(|error| (path.to_owned(), error))
        };
        let so_far = fs::read(&path).map_err(|error| (path.clone(), error))?;
        let mut journal = Self {
            run: run.clone(),
            file: open(&path)?,
            restore: open(&restore)?,
            digest: Sha256::new_with_prefix(&so_far),
            path,
            keep_numbers: desk.keep_numbers,
            intended: 0,
            broken: false,
            lines: Vec::new(),
            kept: Vec::new(),
        };
        if so_far.last().is_some_and(|byte| *byte != b'\n') {
            // The line that was being written when the run was cut off.
            journal.lines.push(b'\n');
            journal.digest.update(b"\n");
        }
        Ok(journal)
    }

    #[must_use]
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// Notes what will be written, and gives its number. It is on the disk after [`Self::sync`].
    pub(super) fn intend(&mut self, plan: &Plan, change: &Change) -> io::Result<usize> {
        let number = self.intended;
        self.intended += 1;
        let label = plan.policy(change.policy);
        let place = label.and_then(|label| label.rule(change.setting)).map(|rule| &rule.place);
        let user = plan.directory.user(change.user);
        let Some(id) = user.map(|user| user.id) else { return Ok(number) };
        let kept = |value: Value| {
            let is_number = matches!(value, Value::Phone(_));
            (self.keep_numbers || !is_number).then(|| FullValue::from(value))
        };
        let (before, after) = (kept(change.before), kept(change.after));
        let kept = Kept { number, user: id, setting: change.setting, before, after };
        serde_json::to_writer(&mut self.kept, &kept)?;
        self.kept.push(b'\n');
        self.row(&Row::Intent(Intent {
            number,
            user: id,
            name: plan.directory.name(change.user).to_owned(),
            setting: change.setting,
            before: change.before.to_string(),
            after: change.after.to_string(),
            policy: label.map_or_else(String::new, |label| label.name.clone()),
            place: place.map_or_else(String::new, ToString::to_string),
            at: Timestamp::now(),
        }))?;
        Ok(number)
    }

    /// Notes what became of a write.
    pub(super) fn ended(&mut self, number: usize, noted: Noted) -> io::Result<()> {
        self.row(&Row::Outcome(Ended { number, noted, at: Timestamp::now() }))
    }

    /// Puts on the disk what was noted: what was there before first.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier line of it could not be written"));
        }
        let written = self.write_down();
        self.broken = written.is_err();
        written
    }

    /// Whether a line could not be written.
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

    /// Counts and closes.
    ///
    /// # Errors
    /// What the system says.
    pub fn close(self, report: &Report) -> Result<RunId, (PathBuf, io::Error)> {
        self.close_with(report.counts(), report.stopped.clone())
    }

    pub(super) fn close_with(
        mut self,
        counts: Counts,
        stopped: Option<String>,
    ) -> Result<RunId, (PathBuf, io::Error)> {
        let digest = self.digest.clone().finalize();
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let end = End { at: Timestamp::now(), stopped, counts, digest };
        match self.row(&Row::End(end)).and_then(|()| self.sync()) {
            Ok(()) => Ok(self.run),
            Err(error) => Err((self.path, error)),
        }
    }

    /// In words, what became of the journal.
    pub(super) fn fault(&self, error: &io::Error) -> String {
        format!("the journal `{}` could not be written: {error}", self.path.display())
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        let first = self.lines.len();
        serde_json::to_writer(&mut self.lines, row)?;
        self.lines.push(b'\n');
        self.digest.update(self.lines.get(first..).unwrap_or_default());
        Ok(())
    }
}

/// A new file, for its owner alone.
fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

//! Decides which runs can be removed, and removes them: the restore file first, because it holds full
//! phone numbers.
//!
//! Not here: how old a run has to be (`commands`).

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use jiff::Timestamp;

use super::read::{JournalFault, Past, past, runs};
use super::rows::RunId;
use super::{JournalDir, OWN_JOURNAL, OWN_RESTORE};
use crate::files::{remove_own, remove_own_folder};
use crate::id::TenantId;
use crate::results::WriteResult;

/// Reason why a run that is old enough is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// The run has no end, or a write in doubt.
    Unsettled,
    /// A part of it cannot be read.
    Damaged(String),
    /// The last run of a tenant records the members of its break-glass groups.
    Last,
}

/// The runs that are old enough, divided into those that are removed and those that are kept, oldest
/// first.
#[derive(Debug, Default)]
pub struct Pruning {
    pub goes: Vec<Goes>,
    pub stays: Vec<(RunId, Stays)>,
}

/// A run that can be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goes {
    pub run: RunId,
    /// `None` if the journal does not name the tenant.
    pub tenant: Option<TenantId>,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsettled => f.write_str("it is not settled; the next apply checks it"),
            Self::Damaged(how) => write!(f, "it is damaged ({how}); `--damaged` removes it too"),
            Self::Last => f.write_str(
                "it is the last run of its tenant: the next apply compares the break-glass groups with the members that it records",
            ),
        }
    }
}

/// Finds which of the runs that began before a moment can be removed. Anything in the folder that has no
/// run's name is left alone.
///
/// # Errors
/// The folder exists and cannot be read.
pub fn pruning(
    desk: JournalDir<'_>,
    before: Timestamp,
    and_damaged: bool,
) -> Result<Pruning, JournalFault> {
    let mut pruning = Pruning::default();
    let mut seen = BTreeSet::new();
    // In reverse order, the last run of each tenant comes first.
    for run in runs(desk)?.into_iter().rev() {
        let Some(named) = run.began() else { continue };
        let past = past(desk, &run);
        let begun = past.as_ref().ok().and_then(|past| past.begun.as_ref());
        let (began, tenant) =
            begun.map_or((named, None), |begun| (begun.began, Some(begun.tenant)));
        let is_last = tenant.is_some_and(|tenant| seen.insert(tenant));
        if began >= before {
            continue;
        }
        match stays(past, is_last, and_damaged) {
            Some(stays) => pruning.stays.push((run, stays)),
            None => pruning.goes.push(Goes { run, tenant }),
        }
    }
    pruning.goes.reverse();
    pruning.stays.reverse();
    Ok(pruning)
}

fn stays(past: Result<Past, JournalFault>, is_last: bool, and_damaged: bool) -> Option<Stays> {
    let past = match past {
        Ok(past) => past,
        Err(fault) => return (!and_damaged).then(|| Stays::Damaged(fault.to_string())),
    };
    // A run without its first line can never be settled.
    if past.begun.is_some() && !is_settled(&past) {
        return Some(Stays::Unsettled);
    }
    if !past.damage.is_none() && !and_damaged {
        return Some(Stays::Damaged(past.damage.to_string()));
    }
    is_last.then_some(Stays::Last)
}

fn is_settled(past: &Past) -> bool {
    let is_open = |result: Option<WriteResult>| matches!(result, None | Some(WriteResult::Unknown));
    let mut writes = past.told.iter();
    past.end.is_some()
        && !writes.any(|write| is_open(write.ended.as_ref().map(|noted| noted.result)))
}

/// Removes a run. Nothing else in its folders is removed, and no link is followed.
///
/// # Errors
/// The error of the operating system. What was removed before it stays removed.
pub fn remove(desk: JournalDir<'_>, run: &RunId) -> io::Result<()> {
    let absent_is_fine = |removed: io::Result<()>| match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let journal = desk.journal(run);
    absent_is_fine(remove_own(&desk.restore(run), OWN_RESTORE))?;
    absent_is_fine(remove_own(&journal, OWN_JOURNAL))?;
    let Some(folder) = journal.parent() else { return Ok(()) };
    match remove_own_folder(folder, OWN_JOURNAL - 1) {
        // The folder holds something else, which is kept.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => absent_is_fine(removed),
    }
}

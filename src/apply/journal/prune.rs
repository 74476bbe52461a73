//! Which runs can go, and how they go: the restore file first, because it holds numbers in full.
//!
//! Not here: how old a run has to be (`commands`).

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use jiff::Timestamp;

use super::read::{JournalFault, Past, past, runs};
use super::rows::{RunId, Word};
use super::{Desk, OWN_JOURNAL, OWN_RESTORE};
use crate::files::{remove_own, remove_own_folder};
use crate::id::TenantId;

/// Why a run that is old enough stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// It has no end, or a write of which nobody knows whether it was done.
    Unsettled,
    /// Something of it does not read.
    Damaged(String),
    /// The last run of a tenant says who was in its break-glass groups.
    Last,
}

/// What is to become of the runs that are old enough, oldest first.
#[derive(Debug, Default)]
pub struct Pruning {
    pub goes: Vec<Goes>,
    pub stays: Vec<(RunId, Stays)>,
}

/// A run that can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goes {
    pub run: RunId,
    /// `None` where the journal does not say.
    pub tenant: Option<TenantId>,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsettled => f.write_str("it is not settled; the next apply looks at it"),
            Self::Damaged(how) => write!(f, "it is damaged ({how}); `--damaged` removes it too"),
            Self::Last => f.write_str(
                "it is the last one of its tenant, and says who was in the break-glass groups",
            ),
        }
    }
}

/// Looks which runs that began before a moment can go. What in the folder has no name of a run is left
/// alone.
///
/// # Errors
/// A folder that is there and cannot be read.
pub fn pruning(
    desk: Desk<'_>,
    before: Timestamp,
    and_damaged: bool,
) -> Result<Pruning, JournalFault> {
    let mut pruning = Pruning::default();
    let mut seen = BTreeSet::new();
    // The last run of each tenant comes first.
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
    // Without its first line a run can never be settled.
    if past.begun.is_some() && !is_settled(&past) {
        return Some(Stays::Unsettled);
    }
    if !past.damage.is_none() && !and_damaged {
        return Some(Stays::Damaged(past.damage.to_string()));
    }
    is_last.then_some(Stays::Last)
}

fn is_settled(past: &Past) -> bool {
    let is_open = |fate: Option<Word>| matches!(fate, None | Some(Word::Unknown));
    let mut told = past.told.iter();
    past.end.is_some() && !told.any(|told| is_open(told.ended.as_ref().map(|noted| noted.fate)))
}

/// Removes a run. Nothing else in its folders goes, and no link is followed.
///
/// # Errors
/// What the system says. What is removed by then is gone.
pub fn remove(desk: Desk<'_>, run: &RunId) -> io::Result<()> {
    let absent_is_fine = |removed: io::Result<()>| match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let journal = desk.journal(run);
    absent_is_fine(remove_own(&desk.restore(run), OWN_RESTORE))?;
    absent_is_fine(remove_own(&journal, OWN_JOURNAL))?;
    let Some(folder) = journal.parent() else { return Ok(()) };
    match remove_own_folder(folder, OWN_JOURNAL - 1) {
        // Something else is in it, which stays.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => absent_is_fine(removed),
    }
}

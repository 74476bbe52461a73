//! Decides which restore files and which journals can be removed, and removes them. Restore files hold full
//! phone numbers, so they go first and alone. Journals hold none, and go only if that is asked for: from the
//! beginning of the chain, so that what is left is still one chain.
//!
//! Not here: how old a run has to be (`commands`, `policy`).

use std::fmt;

use jiff::Timestamp;

use super::chain::RunSegments;
use super::read::{JournalFault, Past, past, runs};
use super::rows::RunId;
use super::run_store::TenantRuns;
use crate::results::WriteResult;

/// What is old enough to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneRequest {
    /// Runs that began before this.
    pub before: Timestamp,
    /// Damaged runs too.
    pub damaged: bool,
    /// Journals too.
    pub journals: bool,
}

/// Reason why something that is old enough is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// The run has no end, or a write in doubt.
    Unsettled,
    /// A part of it cannot be read.
    Damaged(String),
    /// The journal of the last run records the members of the break-glass groups.
    Last,
    /// The journal of an older run stays, and journals go only from the beginning.
    After(RunId),
}

/// What is removed and what is kept, oldest first.
#[derive(Debug, Default)]
pub struct Pruning {
    pub goes: Vec<Goes>,
    pub stays: Vec<(RunId, Stays)>,
}

/// A run of which something is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goes {
    pub run: RunId,
    pub restore: bool,
    pub journal: bool,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsettled => f.write_str("it is not settled; the next apply checks it"),
            Self::Damaged(how) => write!(f, "it is damaged ({how}); `--damaged` removes it too"),
            Self::Last => f.write_str(
                "its journal is the last of the tenant, and records the members of the break-glass groups",
            ),
            Self::After(run) => write!(f, "its journal stays, because that of {run} stays"),
        }
    }
}

/// Divides the old runs of a tenant into what is removed and what is kept.
///
/// # Errors
/// The store could not be read.
pub async fn pruning(of: &TenantRuns, request: PruneRequest) -> Result<Pruning, JournalFault> {
    let mut pruning = Pruning::default();
    let all = if request.journals { runs(of).await? } else { with_restore(of).await? };
    let mut first_kept: Option<RunId> = None;
    for run in &all {
        let Some(named) = run.began() else { continue };
        let (is_old, is_last) = (named < request.before, all.last() == Some(run));
        let stays = if is_old { stays(past(of, run).await, request.damaged) } else { None };
        let restore = is_old && stays.is_none() && has_restore(of, run).await?;
        let journal = match (request.journals, &first_kept) {
            _ if !is_old || stays.is_some() => false,
            (false, _) => false,
            (true, Some(older)) => {
                pruning.stays.push((run.clone(), Stays::After(older.clone())));
                false
            }
            (true, None) if is_last => {
                pruning.stays.push((run.clone(), Stays::Last));
                false
            }
            (true, None) => true,
        };
        if !journal {
            first_kept.get_or_insert_with(|| run.clone());
        }
        if let Some(why) = stays {
            pruning.stays.push((run.clone(), why));
        }
        if restore || journal {
            pruning.goes.push(Goes { run: run.clone(), restore, journal });
        }
    }
    Ok(pruning)
}

/// Returns the runs that have restore files, oldest first.
async fn with_restore(of: &TenantRuns) -> Result<Vec<RunId>, JournalFault> {
    let folders = of.store.restore.folders(&of.tenant.to_string()).await;
    let folders = folders.map_err(JournalFault::Store)?;
    let mut runs: Vec<RunId> = folders.iter().filter_map(|name| RunId::named(name)).collect();
    runs.retain(RunId::is_as_made);
    runs.sort();
    Ok(runs)
}

async fn has_restore(of: &TenantRuns, run: &RunId) -> Result<bool, JournalFault> {
    let names = of.store.restore.names(&of.restore_folder(run)).await;
    let names = names.map_err(JournalFault::Store)?;
    Ok(names.iter().any(|name| super::run_store::number_of(name).is_some()))
}

fn stays(past: Result<Past, JournalFault>, and_damaged: bool) -> Option<Stays> {
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
    None
}

fn is_settled(past: &Past) -> bool {
    let is_open = |result: Option<WriteResult>| matches!(result, None | Some(WriteResult::Unknown));
    let mut writes = past.told.iter();
    past.end.is_some()
        && !writes.any(|write| is_open(write.ended.as_ref().map(|noted| noted.result)))
}

/// Removes what goes of a run: its restore files first. Nothing else is removed, and no link is followed.
///
/// # Errors
/// The store could not be written. What was removed before stays removed.
pub async fn remove(of: &TenantRuns, goes: &Goes) -> Result<(), JournalFault> {
    if goes.restore {
        let folder = of.restore_folder(&goes.run);
        let restore = &of.store.restore;
        for name in restore.names(&folder).await.map_err(JournalFault::Store)? {
            if super::run_store::number_of(&name).is_some() {
                let name = format!("{folder}/{name}");
                restore.remove(&name).await.map_err(JournalFault::Store)?;
            }
        }
    }
    if goes.journal
        && let Some(segments) = of.of_run(&goes.run).await?
    {
        remove_segments(of, &segments).await?;
    }
    Ok(())
}

async fn remove_segments(of: &TenantRuns, segments: &RunSegments) -> Result<(), JournalFault> {
    let names = segments.numbers().map(|number| of.segment_name(number));
    for name in names.chain([of.summary_name(&segments.run)]) {
        of.store.journals.remove(&name).await.map_err(JournalFault::Store)?;
    }
    Ok(())
}

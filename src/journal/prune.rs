//! Decides which restore files and which journals can be removed, and removes them. Restore files hold full
//! phone numbers, so they go first and alone. Journals hold none, and go only if that is asked for: from the
//! beginning of the chain, so that what is left is still one chain.
//!
//! Not here: how old a run has to be (`commands`, `policy`).

use std::fmt;

use jiff::Timestamp;

use super::chain::RunSegments;
use super::listing::runs;
use super::read::{JournalFault, Past, past};
use super::rows::RunId;
use super::run_store::{TenantRuns, number_of};
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
    /// Its journal has segments after those of a run that stays.
    Later,
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
            Self::Damaged(how) => write!(f, "it is damaged ({how}); `--damaged` prunes it too"),
            Self::Last => f.write_str(
                "only its journal, which is the last and records the members of the break-glass groups",
            ),
            Self::Later => f.write_str(
                "only its journal, because an older one stays and journals go from the beginning",
            ),
        }
    }
}

/// Divides the old runs of a tenant into what is removed and what is kept.
///
/// # Errors
/// The store could not be read.
pub async fn pruning(of: &TenantRuns, request: PruneRequest) -> Result<Pruning, JournalFault> {
    let all = if request.journals { runs(of).await? } else { with_restore(of).await? };
    let (mut pruning, mut old) = (Pruning::default(), Vec::new());
    for run in all.iter().filter(|run| run.began().is_some_and(|began| began < request.before)) {
        match stays(past(of, run).await, request.damaged) {
            Some(why) => pruning.stays.push((run.clone(), why)),
            None => old.push(run.clone()),
        }
    }
    let journals = if request.journals { removable(of, &old).await? } else { Vec::new() };
    for run in old {
        let journal = journals.contains(&run);
        if request.journals && !journal {
            let why = if all.last() == Some(&run) { Stays::Last } else { Stays::Later };
            pruning.stays.push((run.clone(), why));
        }
        let restore = has_restore(of, &run).await?;
        if restore || journal {
            pruning.goes.push(Goes { run, restore, journal });
        }
    }
    Ok(pruning)
}

/// Returns the runs whose journals can go: all their segments are before every segment that stays. A run that
/// was settled late has segments after those of later runs.
async fn removable(of: &TenantRuns, old: &[RunId]) -> Result<Vec<RunId>, JournalFault> {
    let chain = of.all_from(1).await?.runs;
    let mut goes: Vec<&RunSegments> = chain.iter().filter(|one| old.contains(&one.run)).collect();
    // The journal of the last run always stays.
    goes.retain(|one| Some(&one.run) != chain.last().map(|last| &last.run));
    loop {
        let stays = chain.iter().filter(|one| !goes.contains(one));
        let first = stays.map(RunSegments::begins).min().unwrap_or(u64::MAX);
        let before = goes.len();
        goes.retain(|one| one.ends() < first);
        if goes.len() == before {
            return Ok(goes.into_iter().map(|one| one.run.clone()).collect());
        }
    }
}

/// Returns the runs that have restore files, oldest first.
async fn with_restore(of: &TenantRuns) -> Result<Vec<RunId>, JournalFault> {
    let folders = of.store.restore.folders(&of.tenant.to_string()).await?;
    let mut runs: Vec<RunId> = folders.iter().filter_map(|name| RunId::named(name)).collect();
    runs.retain(RunId::is_as_made);
    runs.sort();
    Ok(runs)
}

async fn has_restore(of: &TenantRuns, run: &RunId) -> Result<bool, JournalFault> {
    let names = of.store.restore.names(&of.restore_folder(run)).await?;
    Ok(names.iter().any(|name| number_of(name).is_some()))
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
        for name in restore.names(&folder).await? {
            if number_of(&name).is_some() {
                let name = format!("{folder}/{name}");
                restore.remove(&name).await?;
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
        of.store.journals.remove(&name).await?;
    }
    Ok(())
}

//! Which runs there are, and what the newest of them says of all earlier ones.
//!
//! Not here: what a run did (`read`), or the segments that the runs are found by (`chain`).

use super::chain::{Chain, RunSegments};
use super::read::{JournalFault, Past, begun_of, past};
use super::rows::{Begun, RunId};
use super::run_store::{RunStore, TenantRuns};
use crate::tenant::membership::Guarding;

/// A run that exists, even if nothing of it can be read.
#[derive(Debug)]
pub struct Listed {
    pub run: RunId,
    pub past: Result<Past, JournalFault>,
}

impl Listed {
    /// Returns in words what could not be read.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        match &self.past {
            Ok(past) if past.damage.is_none() => None,
            Ok(past) => Some(past.damage.to_string()),
            Err(fault) => Some(fault.to_string()),
        }
    }
}

/// Returns the runs of a tenant, oldest first. Runs of which only restore files are left come before the others.
///
/// # Errors
/// The store could not be read.
pub async fn runs(runs: &TenantRuns) -> Result<Vec<RunId>, JournalFault> {
    let chain = runs.all_from(1).await?;
    let known: Vec<RunId> = chain.runs.into_iter().map(|one| one.run).collect();
    // An auditor may not read restore files.
    let left = runs.store.restore.folders(&runs.tenant.to_string()).await.unwrap_or_default();
    let left = left.iter().filter_map(|name| RunId::named(name));
    let mut all: Vec<RunId> = left.filter(|run| run.is_as_made() && !known.contains(run)).collect();
    all.extend(known);
    Ok(all)
}

/// Reads every run of every tenant, even if nothing of it can be read, oldest first.
///
/// # Errors
/// The store could not be read.
pub async fn listed(store: &RunStore) -> Result<Vec<Listed>, JournalFault> {
    let mut all = Vec::new();
    for tenant in store.tenants().await? {
        let tenant = store.of(tenant);
        for run in runs(&tenant).await? {
            let past = past(&tenant, &run).await;
            all.push(Listed { run, past });
        }
    }
    all.sort_by(|one, other| one.run.cmp(&other.run));
    Ok(all)
}

/// Returns the runs of a tenant that may be unsettled, oldest first. Every run says at its beginning up to which
/// segment all earlier runs were settled, so older segments are not read.
///
/// # Errors
/// The store could not be read.
pub(crate) async fn runs_since(runs: &TenantRuns) -> Result<Chain, JournalFault> {
    let settled = newest(runs, |begun| Some(begun.settled)).await?;
    runs.all_from(settled.unwrap_or_default().max(1)).await
}

/// Returns the members of each break-glass group of the tenant at the beginning of the last run that
/// recorded them.
///
/// # Errors
/// The store could not be read.
pub async fn guarding(runs: &TenantRuns) -> Result<Option<Guarding>, JournalFault> {
    newest(runs, |begun| begun.break_glass).await
}

/// Returns what the newest run says at its beginning that says it. A journal that is damaged there is skipped.
async fn newest<T>(
    runs: &TenantRuns,
    said: impl Fn(Begun) -> Option<T>,
) -> Result<Option<T>, JournalFault> {
    let mut walk = runs.walk().await?;
    loop {
        let stretch = match walk.next().await {
            Ok(Some(stretch)) => stretch,
            Ok(None) | Err(JournalFault::Row { .. }) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        // A stretch that settles an earlier run does not have its first line.
        if stretch.from > stretch.first {
            continue;
        }
        let segments = RunSegments { run: stretch.run.clone(), stretches: vec![stretch] };
        match begun_of(runs, &segments).await.map(&said) {
            Ok(Some(found)) => return Ok(Some(found)),
            Err(fault @ JournalFault::Store(_)) => return Err(fault),
            Ok(None) | Err(_) => {}
        }
    }
}

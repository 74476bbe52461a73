//! Where the journals and the restore files of a project are, and the names of their objects. The names are
//! the same in a folder and in a cloud:
//!
//! ```text
//! <tenant>/journal/000000000042.jsonl          a segment of the journal: created once, in order
//! <tenant>/lock.json                            the lock: replaced again and again
//! <tenant>/runs/<run>.json                     the summary of a run: an index, written at its begin and end
//! <tenant>/<run>/000000000042.jsonl            the values that the writes of this segment overwrite
//! ```
//!
//! The last name is that of the restore store, which can be another container with another role.
//!
//! Not here: what the segments hold (`chain`, `rows`).

use std::path::PathBuf;

use super::rows::RunId;
use crate::id::TenantId;
use crate::store::{Store, StoreFault};

const RESTORE: &str = "restore";
const ENDING: &str = ".jsonl";

/// The number of digits in the name of a segment, so that names sort like numbers.
const DIGITS: usize = 12;

/// The stores of journals and of restore files, and whether phone numbers are kept.
#[derive(Debug, Clone)]
pub struct RunStore {
    pub journals: Store,
    pub restore: Store,
    pub keep_numbers: bool,
}

/// The runs of one tenant.
#[derive(Debug, Clone)]
pub struct TenantRuns {
    pub store: RunStore,
    pub tenant: TenantId,
}

impl RunStore {
    /// Returns the store in a folder of this machine, which holds both.
    #[must_use]
    pub fn in_folder(folder: PathBuf, keep_numbers: bool) -> Self {
        let restore = Store::in_own_folder(folder.join(RESTORE), 2);
        Self { journals: Store::in_folder(folder), restore, keep_numbers }
    }

    /// Returns an empty store with the rules of a cloud.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self { journals: Store::in_memory(), restore: Store::in_memory(), keep_numbers: true }
    }

    /// Returns the runs of one tenant.
    #[must_use]
    pub fn of(&self, tenant: TenantId) -> TenantRuns {
        TenantRuns { store: self.clone(), tenant }
    }

    /// Returns the tenants that have runs here.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreFault> {
        let mut folders = self.journals.folders("").await?;
        // An auditor may not read restore files.
        folders.extend(self.restore.folders("").await.unwrap_or_default());
        let mut tenants: Vec<TenantId> =
            folders.iter().filter_map(|name| name.parse().ok()).collect();
        tenants.sort_unstable();
        tenants.dedup();
        Ok(tenants)
    }
}

impl TenantRuns {
    /// Returns the folder of the segments.
    pub(super) fn segments(&self) -> String {
        format!("{}/journal", self.tenant)
    }

    pub(super) fn segment_name(&self, number: u64) -> String {
        format!("{}/{number:0DIGITS$}{ENDING}", self.segments())
    }

    /// Returns the name of the lock of a tenant.
    pub(crate) fn lock_name(&self) -> String {
        format!("{}/lock.json", self.tenant)
    }

    pub(super) fn summary_name(&self, run: &RunId) -> String {
        format!("{}/runs/{run}.json", self.tenant)
    }

    /// Returns the folder of the restore files of a run.
    pub(super) fn restore_folder(&self, run: &RunId) -> String {
        format!("{}/{run}", self.tenant)
    }

    pub(super) fn restore_name(&self, run: &RunId, number: u64) -> String {
        format!("{}/{number:0DIGITS$}{ENDING}", self.restore_folder(run))
    }

    /// Returns where a segment is, as a person would look for it.
    pub(super) fn place(&self, number: u64) -> String {
        self.store.journals.place(&self.segment_name(number))
    }
}

/// Returns the number in the name of a segment; `None` for another name.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    let is_ours = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments_sort_like_their_numbers() {
        let runs = RunStore::in_folder(PathBuf::from("x"), true)
            .of("6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap());
        let names: Vec<String> =
            [1, 9, 10, 99_999_999_999].map(|number| runs.segment_name(number)).to_vec();
        assert!(names.is_sorted(), "{names:?}");
        for (name, number) in
            [("000000000042.jsonl", Some(42)), ("42.jsonl", None), ("00000000004x.jsonl", None)]
        {
            assert_eq!(number_of(name), number, "{name}");
        }
    }
}

//! Tries what an identity may do with a run store, without leaving anything in it.
//!
//! Not here: what each purpose needs at Graph (`entra::permission_check`), or how the result looks
//! (`render::doctor`).

use super::run_store::TenantRuns;
use crate::store::{ObjectVersion, Store, StoreFault};

/// Something that is tried at a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreTrial {
    ReadJournals,
    WriteJournals,
    ReadRestore,
    WriteRestore,
}

impl StoreTrial {
    pub const ALL: [Self; 4] =
        [Self::ReadJournals, Self::WriteJournals, Self::ReadRestore, Self::WriteRestore];

    /// Returns what is tried, in words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::ReadJournals => "read journals",
            Self::WriteJournals => "write journals and the lock",
            Self::ReadRestore => "read restore files",
            Self::WriteRestore => "write restore files",
        }
    }

    /// Returns whether a plan needs it. An apply needs all of them.
    #[must_use]
    pub const fn is_for_plans(self) -> bool {
        matches!(self, Self::ReadJournals)
    }

    /// Returns whether it is about restore files.
    #[must_use]
    pub const fn is_of_restore(self) -> bool {
        matches!(self, Self::ReadRestore | Self::WriteRestore)
    }

    /// Returns whether it is about writing.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::WriteJournals | Self::WriteRestore)
    }
}

/// Tries it. The write needs a version that no object has, so nothing changes.
///
/// # Errors
/// What the store refused.
pub async fn try_store(of: &TenantRuns, trial: StoreTrial) -> Result<(), StoreFault> {
    let (store, folder): (&Store, String) = match trial {
        StoreTrial::ReadJournals | StoreTrial::WriteJournals => (&of.store.journals, of.segments()),
        StoreTrial::ReadRestore | StoreTrial::WriteRestore => {
            (&of.store.restore, of.tenant.to_string())
        }
    };
    if trial.writes() {
        let name = format!("{folder}/trial.json");
        return store.swap(&name, b"{}", Some(&ObjectVersion::of_none())).await.map(|_| ());
    }
    store.names(&folder).await.map(|_| ())
}

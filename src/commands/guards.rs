//! `--guards-from`: takes `mfactl.yaml` from a trusted folder, for policies that are not trusted.
//!
//! Not here: reading and comparing the files (`policy`).

use std::path::{Path, PathBuf};

use crate::policy::{self, Faults, PolicySet};

/// The trusted folder.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Guards {
    /// Take `mfactl.yaml` from this trusted folder, and refuse policies whose own `mfactl.yaml` differs, links,
    /// and files of more than 1 MiB: for the policies of a fork
    #[arg(long, value_name = "DIR")]
    guards_from: Option<PathBuf>,
}

impl Guards {
    /// Loads the policies of the project at `config`.
    pub(super) fn load(&self, config: &Path) -> Result<PolicySet, Faults> {
        match &self.guards_from {
            Some(folder) => policy::load_guarded(config, folder),
            None => policy::load(config),
        }
    }

    pub(super) const fn are_given(&self) -> bool {
        self.guards_from.is_some()
    }

    /// Returns the `mfactl.yaml` that counts. Journals and the embedded tenant are stored next to it, and a
    /// revision for `--against` is one of its repository.
    pub(super) fn trusted(&self, config: &Path) -> PathBuf {
        let name = config.file_name().unwrap_or_else(|| "mfactl.yaml".as_ref());
        self.guards_from.as_ref().map_or_else(|| config.to_owned(), |folder| folder.join(name))
    }
}

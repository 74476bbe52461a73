//! The options for carrying out a plan, shared by `apply` and `undo`, and the folder of the runs.
//!
//! Not here: what they do (`run::write`).

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::connect::Reach;
use super::fault::Fault;
use super::run_store;
use crate::journal::RunStore;
use crate::policy::PolicySet;
use crate::run::allowance::Allowance;
use crate::run::session::Session;
use crate::run::write::WriteConditions;

/// The options for carrying out a plan.
#[derive(Debug, clap::Args)]
pub(super) struct Conditions {
    /// Lift a brake for this plan; N is the number that the plan shows; can be repeated
    #[arg(long, value_name = "BRAKE=N")]
    allow: Vec<Allowance>,

    /// Do not ask for confirmation
    #[arg(long)]
    auto_approve: bool,

    /// Folder for journals, restore files and the lock, instead of the place that `mfactl.yaml` names in
    /// `runs`; without it, `.mfactl` next to `mfactl.yaml`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    /// How long to wait if another apply of this tenant is in progress
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    lock_timeout: SignedDuration,
}

impl Conditions {
    /// Returns where the runs are.
    pub(super) fn store(
        &self,
        set: &PolicySet,
        config: &Path,
        session: &Session,
    ) -> Result<RunStore, Fault> {
        run_store::of_client(self.journal.as_deref(), &set.project, config, session.client())
    }

    /// Returns how the tenant is reached, with the folder of journals that is given.
    pub(super) fn reach(&self, reach: &Reach) -> Reach {
        Reach { journal: self.journal.clone(), ..reach.clone() }
    }

    /// Returns the conditions for a run.
    pub(super) fn of_run(&self, store: RunStore) -> WriteConditions {
        WriteConditions {
            allow: self.allow.clone(),
            auto_approve: self.auto_approve,
            store,
            lock_timeout: self.lock_timeout.unsigned_abs(),
        }
    }
}

/// Parses a duration on the command line.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(span) if !span.is_negative() => Ok(span),
        _ => Err("write it as `24h`, `90m` or `30s`".to_owned()),
    }
}

/// Returns the folder next to `mfactl.yaml` for the files of runs on this machine.
pub(super) fn folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or_else(|| Path::new("")).join(".mfactl")
}

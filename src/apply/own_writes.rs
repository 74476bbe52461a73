//! Knows what the recorded runs wrote since a saved plan was made. This distinguishes a plan that
//! was applied before, completely or in part, from a plan whose users were changed by others.
//!
//! Not here: whether a run may continue with a user that was written before (`verify`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::age::CLOCKS_DIFFER;
use crate::id::UserId;
use crate::journal::{self, Begun, JournalFault, Past, RunId, TenantRuns};
use crate::plan::Plan;
use crate::results::WriteResult;
use crate::settings::Setting;
use crate::settings::change::Change;

/// The writes of recorded runs.
#[derive(Debug, Clone, Default)]
pub struct OwnWrites {
    /// Each run of the same plan that did at least one change, oldest first, with the number of changes
    /// it did.
    pub runs: Vec<(RunId, usize)>,
    /// Writes by a run of the same plan that no later recorded run overwrote.
    of_plan: BTreeMap<(UserId, Setting), RunId>,
    /// Users that any recorded run wrote to.
    users: BTreeSet<UserId>,
}

impl OwnWrites {
    /// Collects the writes from the journals. A journal that cannot be read is ignored: its users are
    /// left unchanged, like any other users that were changed.
    ///
    /// # Errors
    /// The store of journals could not be read.
    pub async fn since(
        runs: &TenantRuns,
        plan: &Plan,
        made: Timestamp,
    ) -> Result<Self, JournalFault> {
        let mut own = Self::default();
        for run in journal::runs(runs).await? {
            let is_later = |begun: &Begun| begun.began >= made - CLOCKS_DIFFER;
            if !journal::begun(runs, &run).await.is_ok_and(|begun| is_later(&begun)) {
                continue;
            }
            if let Ok(past) = journal::past(runs, &run).await {
                own.take(plan, past);
            }
        }
        Ok(own)
    }

    fn take(&mut self, plan: &Plan, past: Past) {
        let Past { begun: Some(begun), told: writes, .. } = past else { return };
        let is_same =
            begun.fingerprint == plan.fingerprint.to_string() && begun.purpose == plan.purpose;
        // A write that was sent again counts as one change.
        let mut done = BTreeSet::new();
        for write in writes {
            let word = write.ended.map_or(WriteResult::Unknown, |noted| noted.result);
            if matches!(word, WriteResult::Failed | WriteResult::NotTried) {
                continue;
            }
            let key = (write.intent.user, write.intent.setting);
            self.users.insert(write.intent.user);
            if is_same {
                if word == WriteResult::Done {
                    done.insert(key);
                }
                self.of_plan.insert(key, begun.run.clone());
            } else {
                self.of_plan.remove(&key);
            }
        }
        if !done.is_empty() {
            self.runs.push((begun.run, done.len()));
        }
    }

    /// Returns the run of the same plan that wrote this setting of the user last.
    #[must_use]
    pub fn run(&self, user: UserId, setting: Setting) -> Option<&RunId> {
        self.of_plan.get(&(user, setting))
    }

    /// Returns whether any recorded run wrote to the user since the plan.
    #[must_use]
    pub fn wrote_to(&self, user: UserId) -> bool {
        self.users.contains(&user)
    }

    /// Returns how many changes of the plan were not written by any run of it.
    #[must_use]
    pub fn left(&self, plan: &Plan) -> usize {
        let is_left = |change: &&Change| {
            let user = plan.directory.user(change.user);
            user.is_none_or(|user| self.run(user.id, change.setting).is_none())
        };
        plan.changes.iter().filter(is_left).count()
    }
}

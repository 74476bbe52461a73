//! What runs from this folder wrote since a saved plan was made. A plan that was applied before, whole
//! or in part, is told from one whose users were changed by others.
//!
//! Not here: whether a user who was written to can be written on (`basis`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::journal::{self, Begun, Desk, JournalFault, Past, RunId, Word};
use crate::id::UserId;
use crate::plan::Plan;
use crate::settings::Setting;
use crate::settings::change::Change;

/// How far apart the clocks of two machines may be: one plans, and another applies.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// What runs from here wrote.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Each run of the same plan that wrote something, oldest first, with how many changes it did.
    pub runs: Vec<(RunId, usize)>,
    /// By a run of the same plan, where no later run from here wrote over it.
    of_plan: BTreeMap<(UserId, Setting), RunId>,
    /// Users to whom any run from here wrote.
    users: BTreeSet<UserId>,
}

impl Own {
    /// What the journals say. One that cannot be read is left out of account: users to whom it wrote
    /// are left as they are, like any others who were changed.
    ///
    /// # Errors
    /// A folder of journals that cannot be read.
    pub fn since(desk: Desk<'_>, plan: &Plan, made: Timestamp) -> Result<Self, JournalFault> {
        let mut own = Self::default();
        for run in journal::runs(desk)? {
            let is_later = |begun: &Begun| {
                begun.tenant == plan.identity.id && begun.began >= made - CLOCKS_DIFFER
            };
            if !journal::begun(desk, &run).is_ok_and(|begun| is_later(&begun)) {
                continue;
            }
            if let Ok(past) = journal::past(desk, &run) {
                own.take(plan, past);
            }
        }
        Ok(own)
    }

    fn take(&mut self, plan: &Plan, past: Past) {
        let Past { begun: Some(begun), told, .. } = past else { return };
        let is_same =
            begun.fingerprint == plan.fingerprint.to_string() && begun.purpose == plan.purpose;
        // A write that was sent again is one change.
        let mut done = BTreeSet::new();
        for told in told {
            let word = told.ended.map_or(Word::Unknown, |noted| noted.fate);
            if matches!(word, Word::Failed | Word::NotTried) {
                continue;
            }
            let key = (told.intent.user, told.intent.setting);
            self.users.insert(told.intent.user);
            if is_same {
                if word == Word::Done {
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

    /// The run of the same plan that wrote this setting of the user last.
    #[must_use]
    pub fn run(&self, user: UserId, setting: Setting) -> Option<&RunId> {
        self.of_plan.get(&(user, setting))
    }

    /// Whether any run from here wrote to the user since the plan.
    #[must_use]
    pub fn wrote_to(&self, user: UserId) -> bool {
        self.users.contains(&user)
    }

    /// How many changes of the plan no run of it wrote.
    #[must_use]
    pub fn left(&self, plan: &Plan) -> usize {
        let is_left = |change: &&Change| {
            let user = plan.directory.user(change.user);
            user.is_none_or(|user| self.run(user.id, change.setting).is_none())
        };
        plan.changes.iter().filter(is_left).count()
    }
}

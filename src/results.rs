//! The result of every change of an apply.
//!
//! Not here: how it is printed (`render::apply`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::id::UserId;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::plan::recheck::ChangedSincePlan;
use crate::posture::Posture;
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;
use crate::untrusted::Untrusted;

/// Result of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeResult {
    Done,
    /// An earlier run of the same plan did the change, and it is still there. Nothing was written now.
    DoneBefore,
    /// The change was not done: Graph refused it, or Graph finished the request and re-reading does not
    /// show the change. A change that was done and then turned out to be unsafe counts as failed too,
    /// whether or not it could be put back.
    Failed(Arc<str>),
    /// The change was sent, and its outcome is unknown. The next apply checks it.
    Unknown(Arc<str>),
    /// The user has changed since the plan; nothing was written to them.
    MovedOn(ChangedSincePlan),
    /// The change was not sent.
    NotTried(Arc<str>),
}

/// Why a write that Graph accepted is not known to be done. Lists of methods show writes late, so it is
/// not known to have failed either.
pub(crate) const UNSEEN: &str = "Graph accepted the write, but re-reading does not show it";

/// The result of every change of a plan, in the order of the plan.
#[derive(Debug, Clone, Default)]
pub struct ApplyReport {
    pub results: Vec<ChangeResult>,
    /// Why the run ended early, if it did.
    pub stopped: Option<String>,
    /// Users that something was sent for, unless it certainly had no effect.
    pub touched: BTreeSet<UserIndex>,
}

/// The counts of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeCounts {
    pub done: usize,
    /// Changes done by an earlier run of the same plan. Journals of older versions do not have this
    /// field.
    #[serde(default)]
    pub done_before: usize,
    pub failed: usize,
    /// Journals of older versions do not have this field.
    #[serde(default)]
    pub unknown: usize,
    pub moved_on: usize,
    pub not_tried: usize,
}

/// The result of one write, as a journal records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteResult {
    Done,
    /// It was certainly not done.
    Failed,
    /// It was sent, and its outcome is unknown. A later apply checks it and records more.
    Unknown,
    /// A later apply checked it, and its outcome stays unknown: the value that is there now does not
    /// show it.
    NeverKnown,
    /// It was not sent.
    NotTried,
}

/// A user who is open, stuck or worse off after a run that wrote to them, or whose state could not be
/// read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorseUser {
    pub user: UserId,
    pub name: Untrusted,
    pub what: EndFinding,
    pub before: Posture,
    pub now: Posture,
}

/// What is wrong with the state of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndFinding {
    Open,
    Stuck,
    /// The user is less protected than before, or can no longer answer an MFA prompt.
    Worse,
    NotKnown,
}

impl EndFinding {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Stuck => "stuck",
            Self::Worse => "worse",
            Self::NotKnown => "notKnown",
        }
    }
}

impl ChangeResult {
    /// Returns whether the planned value is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self, Self::Done | Self::DoneBefore)
    }
}

impl ChangeCounts {
    /// Returns whether a change failed, is unknown or was not tried.
    #[must_use]
    pub const fn lacks(&self) -> bool {
        self.failed + self.unknown + self.not_tried > 0
    }

    /// Moves one write from `unknown` to the result that a later check found.
    pub(crate) const fn settle(&mut self, found: WriteResult) {
        // The line with its outcome was lost, and the counts have the write already.
        if self.unknown == 0 {
            return;
        }
        match found {
            WriteResult::Done => self.done += 1,
            WriteResult::Failed => self.failed += 1,
            WriteResult::NotTried => self.not_tried += 1,
            WriteResult::Unknown | WriteResult::NeverKnown => return,
        }
        self.unknown -= 1;
    }
}

impl ApplyReport {
    /// Returns each change of `plan`, which was carried out, with its result.
    pub fn of<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a Change, &'a ChangeResult)> {
        plan.changes.iter().zip(&self.results)
    }

    #[must_use]
    pub fn counts(&self) -> ChangeCounts {
        let mut counts = ChangeCounts::default();
        for result in &self.results {
            match result {
                ChangeResult::Done => counts.done += 1,
                ChangeResult::DoneBefore => counts.done_before += 1,
                ChangeResult::Failed(_) => counts.failed += 1,
                ChangeResult::Unknown(_) => counts.unknown += 1,
                ChangeResult::MovedOn(_) => counts.moved_on += 1,
                ChangeResult::NotTried(_) => counts.not_tried += 1,
            }
        }
        counts
    }

    /// Returns whether every planned value is there now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.results.iter().all(ChangeResult::is_there)
    }
}

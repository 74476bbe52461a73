//! What became of every change of an apply.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::journal::Word;
use crate::plan::Plan;
use crate::plan::wanted::Moved;
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Done,
    /// A run of the same plan did it before, and it is there. Nothing was written now.
    DoneBefore,
    /// It is certain that it was not done: Graph refused it, or was done with it and a fresh read
    /// does not show it.
    Failed(Arc<str>),
    /// It was sent, and nobody knows whether it was done. The next apply looks.
    Unknown(Arc<str>),
    /// The user was no longer as the plan saw them; nothing of theirs was written.
    MovedOn(Moved),
    /// It was not sent.
    NotTried(Arc<str>),
}

/// Why a write that was answered with success is not known to be done. Lists of methods show writes
/// late, so that it is not known to have failed either.
pub(super) const UNSEEN: &str = "it was written, and a fresh read does not show it";

/// What became of every change of a plan, in its order.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub fates: Vec<Fate>,
    /// Why it ended before its time, if it did.
    pub stopped: Option<String>,
    /// Users to whom something was sent that is not certain to have done nothing.
    pub touched: BTreeSet<UserIndex>,
}

/// The counts of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub done: usize,
    /// By an earlier run of the same plan. Journals of earlier programs do not have it.
    #[serde(default)]
    pub done_before: usize,
    pub failed: usize,
    /// Journals of earlier programs do not have it.
    #[serde(default)]
    pub unknown: usize,
    pub moved_on: usize,
    pub not_tried: usize,
}

impl Fate {
    /// Whether what was planned is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self, Self::Done | Self::DoneBefore)
    }
}

impl Counts {
    /// Whether something that was sent, or was to be, did not come true or is not known to.
    #[must_use]
    pub const fn lacks(&self) -> bool {
        self.failed + self.unknown + self.not_tried > 0
    }

    /// Counts one write of which nobody knew under what a later look found.
    pub(super) const fn settle(&mut self, found: Word) {
        match found {
            Word::Done => self.done += 1,
            Word::Failed => self.failed += 1,
            Word::NotTried => self.not_tried += 1,
            Word::Unknown | Word::NeverKnown => return,
        }
        self.unknown = self.unknown.saturating_sub(1);
    }
}

impl Report {
    /// Each change of the plan that was carried out, with what became of it.
    pub fn of<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = (&'a Change, &'a Fate)> {
        plan.changes.iter().zip(&self.fates)
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for fate in &self.fates {
            match fate {
                Fate::Done => counts.done += 1,
                Fate::DoneBefore => counts.done_before += 1,
                Fate::Failed(_) => counts.failed += 1,
                Fate::Unknown(_) => counts.unknown += 1,
                Fate::MovedOn(_) => counts.moved_on += 1,
                Fate::NotTried(_) => counts.not_tried += 1,
            }
        }
        counts
    }

    /// Whether everything that was planned is there now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fates.iter().all(Fate::is_there)
    }
}

//! The summary of a run, as one small object: which segments it has, and how it ended. It is an index: what it
//! says is in the journal too. It is written at the beginning and at the end of the run.
//!
//! Not here: what the journal itself says (`rows`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rows::{Begun, End, RunActor, RunId};
use super::run_store::TenantRuns;
use crate::id::TenantId;
use crate::plan::PlanPurpose;
use crate::results::ChangeCounts;
use crate::store::StoreFault;

/// The version of the shape below.
const FORMAT: u32 = 1;

/// The summary of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    pub format: u32,
    pub run: RunId,
    pub tenant: TenantId,
    pub purpose: PlanPurpose,
    pub fingerprint: String,
    pub by: RunActor,
    pub began: Timestamp,
    /// `None` while the run is under way, and if it was cut off.
    pub ended: Option<Timestamp>,
    /// Number of changes in the plan.
    pub changes: usize,
    /// `None` while the run is under way, and if it was cut off.
    pub counts: Option<ChangeCounts>,
    /// Why the run ended early, if it did.
    pub stopped: Option<String>,
    pub segments: SegmentRange,
}

/// The first and the last segment of a run. Segments of other runs can be in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentRange {
    pub first: u64,
    pub last: u64,
}

impl RunSummary {
    /// Returns the summary of a run that begins.
    pub(super) fn begun(begun: &Begun, segments: SegmentRange) -> Self {
        Self {
            format: FORMAT,
            run: begun.run.clone(),
            tenant: begun.tenant,
            purpose: begun.purpose.clone(),
            fingerprint: begun.fingerprint.clone(),
            by: begun.by.clone(),
            began: begun.began,
            ended: None,
            changes: begun.changes,
            counts: None,
            stopped: None,
            segments,
        }
    }

    /// Returns the summary of the same run at its end.
    pub(super) fn ended(self, end: &End, last: u64) -> Self {
        Self {
            ended: Some(end.at),
            counts: Some(end.counts),
            stopped: end.stopped.clone(),
            segments: SegmentRange { last, ..self.segments },
            ..self
        }
    }

    /// Writes the summary in the place of an earlier one.
    pub(super) async fn write(&self, runs: &TenantRuns) -> Result<(), StoreFault> {
        // The shape has no map with keys that are no text, so it always has a form as JSON.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        runs.store.journals.replace(&runs.summary_name(&self.run), &bytes).await
    }
}

//! What an apply did, in numbers: as JSON, as a summary in Markdown, and as three words for the next step of a
//! job. No user is named, so a pipeline can keep all of it.
//!
//! Not here: the result for a terminal (`apply`), or where a job expects it (`commands::job`).

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::disclose::Discloser;
use crate::plan::Plan;
use crate::plan::approval::{ApprovalCheck, ChangeStanding};
use crate::render::apply::tally;
use crate::render::approval;
use crate::render::counts::json::Count;
use crate::render::plan::grouping;
use crate::results::ChangeCounts;

/// The version of the shape below.
const FORMAT_VERSION: &str = "1.1";

/// What an apply did, as it became known.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    pub end: AppliedEnd,
    /// The name of the run, if one began.
    pub run: Option<String>,
    pub fingerprint: Option<String>,
    pub planned: usize,
    pub withheld: usize,
    /// `None` if nothing was written.
    pub counts: Option<ChangeCounts>,
    pub approval: Option<ApprovalCheck>,
    /// The changes that the plan after the writes still has, and the users that they concern.
    pub left: Option<(usize, usize)>,
    pub worse_off: usize,
    /// The changes of objects of the tenant that are planned. This version makes none.
    pub objects: usize,
    /// Something that decides what is left could not be read.
    pub is_incomplete: bool,
    /// A person was asked, and declined.
    pub is_declined: bool,
    /// Why the run ended early or was refused, without names where they are hidden.
    pub why: Option<String>,
}

/// How an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AppliedEnd {
    /// Everything that this apply could do is done.
    Done,
    /// A person declined, and nothing was written.
    Declined,
    /// Something was not done, or is unknown.
    Partly,
    /// Refused before the first write.
    Refused,
    /// Nothing is wrong, and a later apply may do it: another one is in progress, or the tenant cannot be
    /// reached.
    NotNow,
    /// It could not be begun.
    #[default]
    Failed,
}

/// What the next step of a job asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobOutputs {
    /// Something was written, or perhaps.
    pub changed: bool,
    /// Nothing was written, because something forbids it.
    pub refused: bool,
    /// Something is left to do, or it is unknown.
    pub left: bool,
}

impl AppliedEnd {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::NotNow => "notNow",
            Self::Failed => "failed",
        }
    }
}

impl Applied {
    /// Notes the plan that is about to be applied.
    pub fn plans(&mut self, plan: &Plan) {
        self.fingerprint = Some(plan.fingerprint.to_string());
        self.planned = plan.changes.len();
        self.withheld = plan.summary.withheld;
        self.objects = plan.objects.len();
        self.is_incomplete = !plan.is_complete();
    }

    /// Notes the plan after the writes.
    pub fn leaves(&mut self, plan: &Plan) {
        self.left = Some((plan.changes.len(), plan.summary.users_changed));
        self.objects = plan.objects.len();
        self.is_incomplete = !plan.is_complete();
    }

    /// Returns the answers for the next step of a job.
    #[must_use]
    pub fn outputs(&self) -> JobOutputs {
        let of_approval = self.approval.as_ref().is_some_and(ApprovalCheck::is_left);
        let is_more = of_approval || self.objects > 0 || self.is_incomplete;
        let left = match (self.counts, self.left) {
            (_, Some((changes, _))) => changes > 0,
            // It was written, and nobody looked again.
            (Some(_), None) => true,
            (None, None) => self.planned > 0,
        };
        JobOutputs {
            changed: self.counts.is_some_and(|counts| counts.done + counts.unknown > 0),
            refused: self.end == AppliedEnd::Refused,
            left: left || is_more || self.end != AppliedEnd::Done,
        }
    }

    /// Returns a summary in Markdown.
    #[must_use]
    pub fn markdown(&self, disclose: &Discloser) -> String {
        let mut out = format!("### mfactl apply: {}\n\n", self.end.as_str());
        if let Some(check) = &self.approval {
            _ = writeln!(out, "- Approval: {}", approval::tally(check, disclose));
        }
        match self.counts {
            Some(counts) => _ = writeln!(out, "- Apply: {}", tally(counts, disclose)),
            None => out += "- Nothing was written.\n",
        }
        if let Some((changes, users)) = self.left {
            let (changes, users) = (disclose.count(changes), disclose.count(users));
            _ = writeln!(out, "- Left: changes {changes}, users {users}");
        }
        out
    }

    /// Returns the document, with a final line feed.
    #[must_use]
    pub fn json(&self, disclose: &Discloser) -> String {
        let count = |number| Count::of(disclose.count(number));
        let counts = self.counts.unwrap_or_default();
        let JobOutputs { changed, refused, left } = self.outputs();
        let document = Document {
            format_version: FORMAT_VERSION,
            outcome: self.end.as_str(),
            changed,
            refused,
            anything_left: left,
            run: self.run.as_deref(),
            fingerprint: self.fingerprint.as_deref(),
            changes: ChangesRow {
                planned: count(self.planned),
                done: count(counts.done),
                done_before: count(counts.done_before),
                failed: count(counts.failed),
                unknown: count(counts.unknown),
                changed_since_plan: count(counts.moved_on),
                not_tried: count(counts.not_tried),
                withheld: count(self.withheld),
            },
            approval: self.approval.as_ref().map(|check| ApprovalRow::of(check, count)),
            left: self
                .left
                .map(|(changes, users)| LeftRow { changes: count(changes), users: count(users) }),
            objects_left: self.objects,
            worse_off: count(self.worse_off),
            why: self.why.as_deref(),
        };
        let mut bytes = Vec::new();
        // Writing to memory does not fail, and neither do the shapes of this module.
        _ = grouping::write(&document, &mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// What an apply of mfactl did, in numbers.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Apply")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    /// `done` (all that this apply could do), `declined`, `partly`, `refused` (nothing was written), `notNow` (the same,
    /// and a later apply may do it) or `failed` (it could not be begun).
    outcome: &'static str,
    /// Whether something was written, or perhaps.
    changed: bool,
    /// Whether everything was refused.
    refused: bool,
    /// Whether something is left to do, or that is unknown.
    anything_left: bool,
    /// The name of the run, for `mfactl runs show`; null if nothing was written.
    run: Option<&'a str>,
    fingerprint: Option<&'a str>,
    changes: ChangesRow,
    /// What became of the approval. Absent without `--approved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalRow>,
    /// What the plan after the writes still has; null if there is none.
    left: Option<LeftRow>,
    /// The changes of objects of the tenant that are planned. This version makes none.
    objects_left: usize,
    /// The users that are open, stuck or worse off after the run.
    worse_off: Count,
    /// Why the run ended early or was refused.
    why: Option<&'a str>,
}

/// The numbers of changes.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppliedChanges")]
struct ChangesRow {
    planned: Count,
    done: Count,
    done_before: Count,
    failed: Count,
    /// Sent, and the outcome is unknown.
    unknown: Count,
    changed_since_plan: Count,
    not_tried: Count,
    withheld: Count,
}

/// The numbers of an approval.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppliedApproval")]
struct ApprovalRow {
    approved: Count,
    planned: Count,
    needs_nothing: Count,
    /// Wanted, and there is no value for it now.
    no_value: Count,
    withheld: Count,
    needs_another: Count,
    unknown: Count,
    /// Different from what was approved.
    changed: Count,
    /// Planned and not approved.
    new: Count,
    /// Approved and planned changes of objects of the tenant. This version makes none.
    objects_planned: usize,
    /// Planned changes of objects that were not approved.
    objects_new: usize,
}

/// What is left.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppliedLeft")]
struct LeftRow {
    changes: Count,
    users: Count,
}

impl ApprovalRow {
    fn of(check: &ApprovalCheck, count: impl Fn(usize) -> Count) -> Self {
        let of = |standing| count(check.count(standing));
        Self {
            approved: count(check.approved),
            planned: of(ChangeStanding::Planned),
            needs_nothing: of(ChangeStanding::NeedsNothing),
            no_value: of(ChangeStanding::NoValue),
            withheld: of(ChangeStanding::Withheld),
            needs_another: of(ChangeStanding::NeedsAnother),
            unknown: of(ChangeStanding::Unknown),
            changed: of(ChangeStanding::Changed),
            new: of(ChangeStanding::New),
            objects_planned: check.objects_planned,
            objects_new: check.objects_new,
        }
    }
}

/// Returns the JSON Schema of the document.
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("what an apply of mfactl did")
}

//! Applies a plan: makes one or opens a saved one, shows it, asks for confirmation, writes it, and checks
//! what is left.
//!
//! Not here: the confirmation and the writing (`write`), or the plan after the writes (`remaining`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::approved::ApprovalRequest;
use super::closing;
use super::events::{Event, Frontend, RunEnd, RunOutput};
use super::fault::RunFault;
use super::locked::{locked, unless_written, with_cut_off};
use super::plan::PlanPart;
use super::remaining;
use super::reviewed::DifferenceRequest;
use super::session::Session;
use super::write::{ApprovedPlan, CarriedOut, WriteConditions, WriteRun};
use super::{approved, plan, reviewed, saved, undo};
use crate::apply::own_writes::OwnWrites;
use crate::apply::verify::Refusal;
use crate::plan::approval::{ApprovalCheck, ChangeStanding};
use crate::plan::fingerprint::Fingerprint;
use crate::plan::pipeline::WholePlan;
use crate::plan::{Plan, PlanPurpose};
use crate::policy::PolicySet;

/// What to apply, and under which conditions.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    pub source: PlanSource,
    pub conditions: WriteConditions,
    /// Only the plan with this fingerprint is applied, and no confirmation is asked for.
    pub expect: Option<Fingerprint>,
    /// The plan is made only if the change of the files does nothing that was not reviewed.
    pub difference: Option<DifferenceRequest>,
}

/// Where the plan comes from.
#[derive(Debug, Clone)]
pub enum PlanSource {
    /// A new plan, or this part of it.
    New(PlanPart),
    /// A saved plan, if it is not older than this.
    Saved { file: PathBuf, max_age: SignedDuration },
    /// What is planned now and was approved then.
    Approved(ApprovalRequest),
}

/// Applies a plan.
///
/// # Errors
/// The plan could not be made, is refused, or could not be begun. After the first write, errors are
/// reported as events.
pub async fn apply<F: Frontend>(
    session: &Session,
    policies: &PolicySet,
    request: &ApplyRequest,
    frontend: &F,
) -> Result<RunEnd, RunFault> {
    let work = async |writer: &WriteRun<'_, F>| apply_locked(writer, request).await;
    locked((session, policies), &request.conditions, frontend, work).await
}

/// Applies a plan while no other run may.
async fn apply_locked<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &ApplyRequest,
) -> Result<RunEnd, RunFault> {
    let frontend = writer.frontend;
    let SourcedPlan { plan, saved_at, approval } = plan_or_open(writer, request).await?;
    frontend.show(RunOutput::Plan(&plan)).map_err(RunFault::Output)?;
    if let Some(approval) = &approval {
        frontend.show(RunOutput::Approval(approval)).map_err(RunFault::Output)?;
    }
    refuse_unexpected(&plan, request.expect)?;
    let mut has_written = false;
    let is_known = approval.is_none_or(|check| check.count(ChangeStanding::Unknown) == 0);
    let end = match plan.changes.is_empty() {
        true => nothing_to_write(&plan),
        false => match write(writer, request, &plan, saved_at).await? {
            Some(carried) => {
                has_written = true;
                unless_written(writer, true, check(writer, request, plan, carried).await)?
            }
            None => RunEnd::Whole,
        },
    };
    Ok(with_cut_off(writer, (end, has_written)).await?.and(is_known))
}

/// A plan, and what came with it.
struct SourcedPlan {
    plan: Plan,
    /// The time of a saved plan.
    saved_at: Option<Timestamp>,
    /// What became of the approval.
    approval: Option<ApprovalCheck>,
}

/// Makes the plan, or opens the saved one.
async fn plan_or_open<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &ApplyRequest,
) -> Result<SourcedPlan, RunFault> {
    let (session, policies) = (writer.session, writer.policies);
    Ok(match &request.source {
        PlanSource::Saved { file, max_age } => {
            let (plan, made) = saved::open_to_apply(session, policies, file, *max_age)?;
            SourcedPlan { plan, saved_at: Some(made), approval: None }
        }
        PlanSource::New(part) => {
            let whole = plan_whole(writer, request).await?;
            let plan = plan::part_of(whole, session, policies, part)?;
            SourcedPlan { plan, saved_at: None, approval: None }
        }
        PlanSource::Approved(approval) => {
            // An approval that does not count is refused before the tenant is read.
            let saved = approved::open(session, policies, approval)?;
            let whole = plan_whole(writer, request).await?;
            let part = approved::approved_part(whole, session, policies, (&saved, approval));
            let (plan, check) = part?;
            SourcedPlan { plan, saved_at: None, approval: Some(check) }
        }
    })
}

/// Makes a new plan, under a review if there is one.
async fn plan_whole<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &ApplyRequest,
) -> Result<WholePlan, RunFault> {
    let (session, policies) = (writer.session, writer.policies);
    let planning = async {
        match &request.difference {
            Some(difference) => reviewed::plan(session, policies, difference).await,
            None => plan::whole(session, policies).await,
        }
    };
    writer.frontend.accompany(writer.client, planning).await
}

fn refuse_unexpected(plan: &Plan, expected: Option<Fingerprint>) -> Result<(), RunFault> {
    match expected.filter(|expected| *expected != plan.fingerprint) {
        Some(approved) => {
            Err(RunFault::Refused(Refusal::NotApproved { approved, is: plan.fingerprint }))
        }
        None => Ok(()),
    }
}

fn nothing_to_write(plan: &Plan) -> RunEnd {
    match plan.purpose {
        PlanPurpose::Policies => RunEnd::Whole,
        PlanPurpose::Undo { .. } => undo::end_of(plan, true),
    }
}

/// Writes the plan. Changes that an earlier run of a saved plan made are not made again.
async fn write<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &ApplyRequest,
    plan: &Plan,
    saved_at: Option<Timestamp>,
) -> Result<Option<CarriedOut>, RunFault> {
    let own = match saved_at {
        Some(made) => own_writes(writer, plan, made).await?,
        None => OwnWrites::default(),
    };
    let changed = match &plan.purpose {
        PlanPurpose::Policies => BTreeMap::new(),
        PlanPurpose::Undo { run } => undo::changed_since(writer.journals(), run, plan).await?,
    };
    let approved = ApprovedPlan {
        plan,
        is_approved: match request.source {
            PlanSource::New(_) => request.expect.is_some(),
            PlanSource::Saved { .. } | PlanSource::Approved(_) => true,
        },
        own: &own,
        changed: &changed,
    };
    writer.carry_out(approved).await
}

async fn own_writes<F: Frontend>(
    writer: &WriteRun<'_, F>,
    plan: &Plan,
    made: Timestamp,
) -> Result<OwnWrites, RunFault> {
    let own = OwnWrites::since(writer.journals(), plan, made).await;
    let own = own.map_err(RunFault::PastRun)?;
    let (of, left) = (plan.changes.len(), own.left(plan));
    for (run, wrote) in &own.runs {
        writer.frontend.tell(Event::OwnRun { run, wrote: *wrote, of, left });
    }
    Ok(own)
}

/// Checks the users after the writes, and what is left of the plan.
async fn check<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &ApplyRequest,
    plan: Plan,
    carried: CarriedOut,
) -> Result<RunEnd, RunFault> {
    let is_undo = matches!(plan.purpose, PlanPurpose::Undo { .. });
    if carried.report.stopped.is_some() || is_undo {
        let end = closing::check_written(writer, &plan, &carried).await?;
        return Ok(if is_undo { undo::end_of(&plan, end == RunEnd::Whole) } else { end });
    }
    remaining::check(writer, &request.source, plan, carried).await
}

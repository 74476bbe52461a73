//! Undoes a run: plans to put back its changes, shows the plan, asks for confirmation, and writes it like
//! any other plan.
//!
//! Not here: what goes into the plan (`plan::undo`), what the run wrote (`past`), or the writing (`write`).

use std::collections::BTreeMap;

use super::closing;
use super::events::{Frontend, RunEnd, RunOutput};
use super::fault::RunFault;
use super::locked::{locked, unless_written, with_cut_off};
use super::observe;
use super::past::{self, PastWrites};
use super::plan::identified;
use super::session::Session;
use super::write::{ApprovedPlan, WriteConditions, WriteRun};
use crate::apply::own_writes::OwnWrites;
use crate::id::UserId;
use crate::journal::{JournalFault, RunId, TenantRuns};
use crate::observed::Observed;
use crate::plan::recheck::ChangedSincePlan;
use crate::plan::undo::{self, KeptValue, Run, RunWrite};
use crate::plan::{Plan, UserPlan};
use crate::policy::PolicySet;
use crate::settings::Value;
use crate::tenant::directory::UserIndex;

/// The run to undo, and the conditions.
#[derive(Debug, Clone)]
pub struct UndoRequest {
    pub run: RunId,
    pub conditions: WriteConditions,
}

/// Makes the plan that undoes the run.
///
/// # Errors
/// The journal of the run or the tenant could not be read, or guards do not resolve.
pub async fn plan<F: Frontend>(
    session: &Session,
    policies: &PolicySet,
    request: &UndoRequest,
    frontend: &F,
) -> Result<Plan, RunFault> {
    let work = async |writer: &WriteRun<'_, F>| {
        let plan = plan_to_put_back(writer, &request.run).await?;
        closing::check_cut_off(writer).await?;
        Ok(plan)
    };
    locked((session, policies), &request.conditions, frontend, work).await
}

/// Undoes the run.
///
/// # Errors
/// The plan could not be made, is refused, or could not be begun. After the first write, errors are
/// reported as events.
pub async fn undo<F: Frontend>(
    session: &Session,
    policies: &PolicySet,
    request: &UndoRequest,
    frontend: &F,
) -> Result<RunEnd, RunFault> {
    let work = async |writer: &WriteRun<'_, F>| undo_locked(writer, request).await;
    locked((session, policies), &request.conditions, frontend, work).await
}

/// Undoes the run while no other run may write.
async fn undo_locked<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &UndoRequest,
) -> Result<RunEnd, RunFault> {
    let frontend = writer.frontend;
    let plan = plan_to_put_back(writer, &request.run).await?;
    frontend.show(RunOutput::Plan(&plan)).map_err(RunFault::Output)?;
    let (end, has_written) = match plan.changes.is_empty() {
        true => (end_of(&plan, true), false),
        false => put_back(writer, request, &plan).await?,
    };
    with_cut_off(writer, (end, has_written)).await
}

/// Writes the plan. Returns how that ended, and whether something was written.
async fn put_back<F: Frontend>(
    writer: &WriteRun<'_, F>,
    request: &UndoRequest,
    plan: &Plan,
) -> Result<(RunEnd, bool), RunFault> {
    let changed = changed_since(writer.journals(), request.run.as_str(), plan).await?;
    let own = &OwnWrites::default();
    let approved = ApprovedPlan { plan, is_approved: false, own, changed: &changed };
    let Some(carried) = writer.carry_out(approved).await? else {
        return Ok((RunEnd::Whole, false));
    };
    let end = closing::check_written(writer, plan, &carried).await;
    let end = unless_written(writer, true, end)?;
    Ok((end_of(plan, end == RunEnd::Whole), true))
}

/// Returns the end of an undo: `Partly` if a change of the run is not put back.
pub(super) fn end_of(plan: &Plan, is_carried_out: bool) -> RunEnd {
    RunEnd::of(is_carried_out && undo::is_whole(plan))
}

async fn plan_to_put_back<F: Frontend>(
    writer: &WriteRun<'_, F>,
    run: &RunId,
) -> Result<Plan, RunFault> {
    let PastWrites { written, lost } = past::writes_of(writer.journals(), run).await?;
    let (observed, policies_known) = observe_written(writer, &written).await?;
    let journal = format!("runs/{run}.json");
    let (name, lost) = (run.as_str(), lost.as_deref());
    let run = Run { name, journal: &journal, written: &written, lost, policies_known };
    Ok(identified(writer.session, undo::undo(writer.policies, observed, run)))
}

/// Observes the users that the run wrote to. The second value says whether the users in scope are known.
async fn observe_written<F: Frontend>(
    writer: &WriteRun<'_, F>,
    written: &[RunWrite],
) -> Result<(Observed, bool), RunFault> {
    let (session, policies) = (writer.session, writer.policies);
    let mut users: Vec<UserId> = written.iter().map(|one| one.user).collect();
    users.sort_unstable();
    users.dedup();
    // A number that was overwritten or removed can belong to another user by now.
    let gives_number =
        |one: &RunWrite| matches!(one.kept, KeptValue::Values { before: Value::Phone(_), .. });
    match written.iter().any(gives_number) {
        true => Ok((observe::these_users_and_scope(session, policies, &users).await?, true)),
        false => observe::these_users(session, policies, &users).await,
    }
}

/// Returns the users of an undo plan whose changes do not follow from the run any more. The saved plan
/// may be older than the journal here, or may have been edited.
pub(super) async fn changed_since(
    journals: &TenantRuns,
    run: &str,
    plan: &Plan,
) -> Result<BTreeMap<UserIndex, ChangedSincePlan>, RunFault> {
    let run = RunId::named(run).ok_or(RunFault::PastRun(JournalFault::NoName))?;
    let PastWrites { written, .. } = past::writes_of(journals, &run).await?;
    let mut by_user: BTreeMap<UserId, Vec<&RunWrite>> = BTreeMap::new();
    for one in &written {
        by_user.entry(one.user).or_default().push(one);
    }
    let is_back = |user: &UserPlan| {
        let id = plan.directory.user(user.user).map(|user| user.id);
        let of_user = id.and_then(|id| by_user.get(&id)).map(Vec::as_slice).unwrap_or_default();
        plan.changes_of(user).iter().all(|change| undo::is_back(change, of_user, &user.facts))
    };
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    let moved = changed.filter(|user| !is_back(user));
    Ok(moved.map(|user| (user.user, ChangedSincePlan::Undo)).collect())
}

//! Plans again after an apply, and reports what is left and which written users are worse off.
//!
//! Not here: how the users are compared (`closing`).

use std::collections::BTreeSet;

use super::apply::PlanSource;
use super::closing::{self, LISTED_AFTER, WrittenUsers};
use super::events::{Event, Frontend, RunEnd, RunOutput};
use super::fault::RunFault;
use super::observe;
use super::plan::{PlanPart, without_contradiction};
use super::write::{CarriedOut, WriteRun};
use crate::id::UserId;
use crate::plan::{Plan, pipeline};
use crate::results::{ApplyReport, ChangeCounts, WorseUser};
use crate::settings::Setting;
use crate::settings::change::Change;

/// A setting of a user. It uses the id, because two plans have different directories.
type Written = (UserId, Setting);

/// Plans again, and reports what is left and which written users are worse off.
pub(super) async fn check<F: Frontend>(
    writer: &WriteRun<'_, F>,
    source: &PlanSource,
    plan: Plan,
    carried: CarriedOut,
) -> Result<RunEnd, RunFault> {
    let counts = carried.report.counts();
    let planned = settings_of(&plan, plan.changes.iter());
    let done = done(&plan, &carried.report);
    let written = WrittenUsers::of(writer, &plan, &carried.report);
    let run = (&carried.run, carried.is_noted);
    // Avoids two plans of a large tenant in memory at the same time.
    drop((plan, carried.report));
    match plan_again(writer, source, &done, &written).await {
        Ok((left, worse)) => {
            let is_well = closing::report_worse(writer, run, worse).await?;
            if let Err(error) = writer.frontend.show(RunOutput::Left { plan: &left, is_well }) {
                writer.frontend.tell(Event::Problem(&RunFault::Output(error)));
                return Ok(RunEnd::Partly);
            }
            let holds = carried.is_noted && !counts.lacks();
            let is_done = is_done(source, counts, &left, &planned);
            Ok(RunEnd::of(holds && is_well && is_done))
        }
        // The result was printed already, and the end must show that something was written.
        Err(fault) => {
            writer.frontend.tell(Event::NotPlannedAgain(&fault));
            closing::report_worse(writer, run, written.not_known()).await?;
            Ok(RunEnd::Partly)
        }
    }
}

/// Whether nothing of the plan is left.
fn is_done(
    source: &PlanSource,
    counts: ChangeCounts,
    left: &Plan,
    planned: &BTreeSet<Written>,
) -> bool {
    let (is_part, is_saved) = match source {
        PlanSource::New(part) => (part.limit.is_some(), false),
        PlanSource::Saved { .. } => (true, true),
        PlanSource::Approved(_) => (true, false),
    };
    // If only a part was planned, changes outside that part do not count. A user that changed since
    // a plan was saved counts if a change of the plan is still left for them.
    let is_left = if is_part { asks_for(left, planned) } else { !left.changes.is_empty() };
    match counts.moved_on {
        0 => is_part || !is_left,
        // A change may be left for a user that could not be read.
        _ => is_saved && !is_left && left.is_complete(),
    }
}

/// Returns the plan of the remaining changes, and the users that are worse off. Lists of methods can lag
/// behind: if one still asks for a finished change, or shows a user worse off, it is read again later.
async fn plan_again<F: Frontend>(
    writer: &WriteRun<'_, F>,
    source: &PlanSource,
    done: &BTreeSet<Written>,
    written: &WrittenUsers<'_, F>,
) -> Result<(Plan, Vec<WorseUser>), RunFault> {
    let (session, policies) = (writer.session, writer.policies);
    let part = match source {
        PlanSource::New(part) => PlanPart { limit: None, ..part.clone() },
        PlanSource::Saved { .. } | PlanSource::Approved(_) => PlanPart::default(),
    };
    let mut waits = LISTED_AFTER.into_iter();
    loop {
        let observing = async {
            let observed = observe::for_policies(session, policies).await?;
            let found = written.worse_in(&observed).await?;
            Ok::<_, RunFault>((observed, found))
        };
        let (observed, found) = writer.frontend.accompany(writer.client, observing).await?;
        let left = without_contradiction(pipeline::plan(policies, observed), policies)?;
        let left = part.of(left, policies)?;
        let late = asks_for(&left, done) || found.may_be_late;
        let wait = waits.next().filter(|_| late);
        let Some(wait) = wait else { return Ok((left, found.worse)) };
        tokio::time::sleep(wait).await;
    }
}

fn settings_of<'c>(plan: &Plan, changes: impl Iterator<Item = &'c Change>) -> BTreeSet<Written> {
    let setting_of =
        |change: &Change| plan.directory.user(change.user).map(|user| (user.id, change.setting));
    changes.filter_map(setting_of).collect()
}

fn asks_for(left: &Plan, done: &BTreeSet<Written>) -> bool {
    !settings_of(left, left.changes.iter()).is_disjoint(done)
}

fn done(plan: &Plan, report: &ApplyReport) -> BTreeSet<Written> {
    let done = report.of(plan).filter(|(_, result)| result.is_there());
    settings_of(plan, done.map(|(change, _)| change))
}

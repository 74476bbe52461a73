//! Opens a saved plan, and refuses one that is not for this tenant, these files and this day.
//!
//! Not here: the file format (`saved`), or saving a plan (`commands::saved`).

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::fault::RunFault;
use super::session::Session;
use crate::age::WrongAge;
use crate::apply::verify::Refusal;
use crate::plan::brakes::brakes;
use crate::plan::{Plan, PlanPurpose, pipeline};
use crate::policy::PolicySet;
use crate::policy::meaning::Meaning;
use crate::saved::{self, Saved};

/// Reads a plan from its file.
///
/// # Errors
/// The file could not be read, or contains no plan of a known format.
pub fn open(path: &Path) -> Result<Saved, RunFault> {
    saved::read(path).map_err(|fault| RunFault::SavedPlan { path: path.to_owned(), fault })
}

/// Reads a plan to apply it, and returns it with its time. The plan must be for this tenant, from these
/// files, and recent enough.
pub(super) fn open_to_apply(
    session: &Session,
    policies: &PolicySet,
    path: &Path,
    max_age: SignedDuration,
) -> Result<(Plan, Timestamp), RunFault> {
    let saved = open(path)?;
    let reached = policies.project.cloud.as_str();
    let (planned, here) = (saved.plan.identity.id, session.identity.id);
    let refusal = if planned != here {
        Some(Refusal::OtherTenant { planned, reached: here })
    } else if saved.cloud != reached {
        Some(Refusal::OtherCloud { planned: saved.cloud.clone(), reached: reached.to_owned() })
    } else {
        refusal(session, policies, &saved, max_age)
    };
    if let Some(refusal) = refusal {
        return Err(RunFault::Refused(refusal));
    }
    let Saved { mut plan, made, .. } = saved;
    if plan.purpose == PlanPurpose::Policies {
        // The policies mean the same, but may be on other lines by now.
        plan.policies = pipeline::labels(policies);
    }
    plan.brakes = brakes(&plan.changes, plan.in_scope, &policies.project.brakes);
    Ok((plan, made))
}

/// Returns why a plan of this tenant is refused with these files.
fn refusal(
    session: &Session,
    policies: &PolicySet,
    saved: &Saved,
    max_age: SignedDuration,
) -> Option<Refusal> {
    let Some(is_as_named) = saved.is_as_named(session.fingerprint_key.as_ref()) else {
        return Some(Refusal::OldFormat(saved.format));
    };
    let differences = saved.plan.meaning.differences(&Meaning::of(policies));
    if !differences.is_empty() {
        return Some(Refusal::Files(differences));
    }
    let old = WrongAge::check(saved.made, Timestamp::now(), max_age).err().map(Refusal::Age);
    old.or_else(|| (!is_as_named).then_some(Refusal::Fingerprint))
}

//! Opens a saved plan, and refuses one that is not for this tenant, these files and this day.
//!
//! Not here: the file format (`saved`), or saving a plan (`commands::saved`).

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::fault::RunFault;
use super::session::Session;
use crate::apply::verify::Refusal;
use crate::plan::brakes::brakes;
use crate::plan::{Plan, PlanPurpose, pipeline};
use crate::policy::PolicySet;
use crate::policy::meaning::Meaning;
use crate::saved::{self, Saved};

/// The largest accepted difference between the clocks of two machines.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

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
    let old = too_old(saved.made, Timestamp::now(), max_age);
    old.or_else(|| (!is_as_named).then_some(Refusal::Fingerprint))
}

pub(super) fn too_old(made: Timestamp, now: Timestamp, most: SignedDuration) -> Option<Refusal> {
    let age = now.duration_since(made);
    if age < -CLOCKS_DIFFER {
        return Some(Refusal::FromTheFuture);
    }
    (age > most).then(|| Refusal::Age { minutes: age.as_mins(), most: most.as_mins() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_that_are_too_old_or_from_the_future_are_refused() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let day = SignedDuration::from_hours(24);
        let ago = |span: &str| now - span.parse::<SignedDuration>().unwrap();
        assert_eq!(too_old(ago("24h"), now, day), None);
        let age = Refusal::Age { minutes: 1441, most: 1440 };
        assert_eq!(too_old(ago("24h 1m 1s"), now, day), Some(age));
        assert_eq!(too_old(ago("-4m"), now, day), None);
        assert_eq!(too_old(ago("-6m"), now, day), Some(Refusal::FromTheFuture));
    }
}

//! Saves plans to files, opens them to be shown or applied, and computes the fingerprint for approval.
//!
//! Not here: the file format (`saved`), or the targets of `--out` (`out`).

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::connect::ConnectedTenant;
use super::fault::Fault;
use super::ignored;
use super::out::OutputTarget;
use crate::apply::verify::Refusal;
use crate::plan::brakes::brakes;
use crate::plan::fingerprint::{Fingerprint, Key};
use crate::plan::{Plan, PlanPurpose, pipeline};
use crate::policy::PolicySet;
use crate::policy::meaning::Meaning;
use crate::saved::{self, FileFault, Saved, SavedExtras};
use crate::terminal::say;
use crate::untrusted::printable;

/// Environment variable with the secret key. With it, the fingerprint of a plan covers full numbers.
const KEY: &str = "MFACTL_FINGERPRINT_KEY";

/// The largest accepted difference between the clocks of two machines.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Returns the plan as it is shown and approved: without users that it is not about, and with the
/// fingerprint for the key.
pub(crate) fn named(plan: Plan) -> Plan {
    let mut plan = plan.only_concerned();
    plan.fingerprint = Fingerprint::of(&plan, key().as_ref());
    plan
}

fn key() -> Option<Key> {
    std::env::var(KEY).ok().and_then(|text| Key::new(&text))
}

/// Saves the plan, and prints a message about the content of the file.
pub(crate) fn save(
    plan: &Plan,
    path: &Path,
    set: &PolicySet,
    tenant: &ConnectedTenant,
) -> Result<(), Fault> {
    let key = key();
    let about = SavedExtras {
        cloud: set.project.cloud.as_str(),
        sandbox: tenant.is_sandbox(),
        made: Timestamp::now(),
        key: key.as_ref(),
    };
    let shown = path.display().to_string();
    let shown = printable(&shown);
    let out = OutputTarget::look(path)?;
    let is_file = matches!(out, OutputTarget::File(..));
    out.write(|mut out| saved::write(plan, about, &mut out)).map_err(|error| Fault::Machine {
        what: format!("the plan could not be saved in `{shown}`"),
        error,
    })?;
    say(&match is_file {
        true => format!(
            "saved in `{shown}` with phone numbers in full; apply it with `mfactl apply {shown}`"
        ),
        false => "the plan was written with phone numbers in full".to_owned(),
    });
    if let Some(warning) = ignored::warning(path).filter(|_| is_file) {
        say(&warning);
    }
    Ok(())
}

/// Reads a plan from its file.
fn open(path: &Path) -> Result<Saved, Fault> {
    saved::read(path).map_err(|fault| Fault::SavedPlan { path: path.to_owned(), fault })
}

/// Reads a plan to show it. Refuses a plan that does not match its fingerprint.
pub(crate) fn open_to_show(path: &Path) -> Result<Saved, Fault> {
    let saved = open(path)?;
    match saved.is_as_named(key().as_ref()) {
        Some(true) => {}
        Some(false) => return Err(Fault::Refused(Refusal::Fingerprint)),
        None => say(&format!(
            "warning: this plan has format {}, whose fingerprints cover less than what is shown; `apply` refuses it",
            saved.format
        )),
    }
    Ok(saved)
}

/// Reads a plan to apply it, and returns it with its time. The plan must be for this tenant, from these
/// files, and recent enough.
pub(crate) fn open_to_apply(
    path: &Path,
    set: &PolicySet,
    tenant: &ConnectedTenant,
    max_age: SignedDuration,
) -> Result<(Plan, Timestamp), Fault> {
    let saved = open(path)?;
    let reached = set.project.cloud.as_str();
    let (planned, here) = (saved.plan.identity.id, tenant.identity.id);
    let refusal = if planned != here {
        Some(Refusal::OtherTenant { planned, reached: here })
    } else if saved.cloud != reached {
        Some(Refusal::OtherCloud { planned: saved.cloud.clone(), reached: reached.to_owned() })
    } else {
        refusal(&saved, set, max_age)
    };
    if let Some(refusal) = refusal {
        return Err(Fault::Refused(refusal));
    }
    let Saved { mut plan, made, .. } = saved;
    if plan.purpose == PlanPurpose::Policies {
        // The policies mean the same, but may be on other lines by now.
        plan.policies = pipeline::labels(set);
    }
    plan.brakes = brakes(&plan.changes, plan.in_scope, &set.project.brakes);
    Ok((plan, made))
}

/// Returns why a plan of this tenant is refused with these files.
fn refusal(saved: &Saved, set: &PolicySet, max_age: SignedDuration) -> Option<Refusal> {
    let Some(is_as_named) = saved.is_as_named(key().as_ref()) else {
        return Some(Refusal::OldFormat(saved.format));
    };
    let differences = saved.plan.meaning.differences(&Meaning::of(set));
    if !differences.is_empty() {
        return Some(Refusal::Files(differences));
    }
    let old = too_old(saved.made, Timestamp::now(), max_age);
    old.or_else(|| (!is_as_named).then_some(Refusal::Fingerprint))
}

fn too_old(made: Timestamp, now: Timestamp, most: SignedDuration) -> Option<Refusal> {
    let age = now.duration_since(made);
    if age < -CLOCKS_DIFFER {
        return Some(Refusal::FromTheFuture);
    }
    (age > most).then(|| Refusal::Age { minutes: age.as_mins(), most: most.as_mins() })
}

/// Parses a duration on the command line.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(span) if !span.is_negative() => Ok(span),
        _ => Err("write it as `24h`, `90m` or `30s`".to_owned()),
    }
}

impl Fault {
    /// Whether a file is refused because of its content, and not because it could not be read.
    pub(crate) const fn is_of_content(fault: &FileFault) -> bool {
        !matches!(fault, FileFault::Io(_))
    }
}

/// Returns the folder next to `mfactl.yaml` for the files of runs on this machine.
pub(crate) fn folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or_else(|| Path::new("")).join(".mfactl")
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

//! Plans in files: how one is saved, how one is opened to be applied, and the fingerprint by which
//! one is approved.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::connect::Tenant;
use super::fault::Fault;
use super::out::Out;
use crate::apply::basis::Refusal;
use crate::plan::brakes::brakes;
use crate::plan::file::{self, About, FileFault, Saved};
use crate::plan::fingerprint::{Fingerprint, Key};
use crate::plan::{Plan, SourceDigest};
use crate::policy::PolicySet;
use crate::terminal::say;

/// The secret over which a plan's fingerprint covers full numbers.
const KEY: &str = "MFACTL_FINGERPRINT_KEY";

/// How far apart two machines' clocks may be.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// The plan as it is shown and approved: without those whom it is not about, and under the name
/// that the key gives it.
pub(super) fn named(plan: Plan) -> Plan {
    let mut plan = plan.only_concerned();
    plan.fingerprint = Fingerprint::of(&plan, key().as_ref());
    plan
}

fn key() -> Option<Key> {
    std::env::var(KEY).ok().and_then(|text| Key::new(&text))
}

/// Saves the plan, and says what is in the file.
pub(super) fn save(
    plan: &Plan,
    path: &Path,
    set: &PolicySet,
    tenant: &Tenant,
) -> Result<(), Fault> {
    let about = About {
        cloud: set.project.cloud.as_str(),
        sandbox: tenant.is_sandbox(),
        made: Timestamp::now(),
    };
    let shown = path.display();
    let out = Out::look(path)?;
    let is_file = matches!(out, Out::File(..));
    out.write(|mut out| file::write(plan, about, &mut out)).map_err(|error| Fault::Machine {
        what: format!("the plan could not be saved in `{shown}`"),
        error,
    })?;
    say(&match is_file {
        true => format!(
            "saved in `{shown}`, with phone numbers in full: apply it with `mfactl apply {shown}`"
        ),
        false => "the plan was written with phone numbers in full".to_owned(),
    });
    Ok(())
}

/// Reads a plan from its file.
pub(super) fn open(path: &Path) -> Result<Saved, Fault> {
    file::read(path).map_err(|fault| Fault::SavedPlan { path: path.to_owned(), fault })
}

/// Reads a plan that is to be applied, and when it was made: for this tenant, from these files, not
/// long ago.
pub(super) fn open_to_apply(
    path: &Path,
    set: &PolicySet,
    tenant: &Tenant,
    max_age: SignedDuration,
) -> Result<(Plan, Timestamp), Fault> {
    let Saved { mut plan, cloud, made, .. } = open(path)?;
    let reached = set.project.cloud.as_str();
    let refusal = if plan.identity.id != tenant.identity.id {
        Some(Refusal::OtherTenant { planned: plan.identity.id, reached: tenant.identity.id })
    } else if cloud != reached {
        Some(Refusal::OtherCloud { planned: cloud, reached: reached.to_owned() })
    } else {
        let files = other_file(&plan.sources, &SourceDigest::all(&set.sources));
        files.map(Refusal::Files).or_else(|| too_old(made, Timestamp::now(), max_age))
    };
    let refusal = refusal.or_else(|| {
        let is = Fingerprint::of(&plan, key().as_ref());
        (is != plan.fingerprint).then_some(Refusal::Fingerprint)
    });
    if let Some(refusal) = refusal {
        return Err(Fault::Refused(refusal));
    }
    plan.brakes = brakes(&plan.changes, plan.in_scope, &set.project.brakes);
    Ok((plan, made))
}

/// A file that is not the same, or is there on one side only.
fn other_file(planned: &[SourceDigest], now: &[SourceDigest]) -> Option<String> {
    let missing = |from: &[SourceDigest], of: &[SourceDigest]| {
        of.iter().find(|file| !from.contains(file)).map(|file| file.path.clone())
    };
    missing(now, planned).or_else(|| missing(planned, now))
}

fn too_old(made: Timestamp, now: Timestamp, most: SignedDuration) -> Option<Refusal> {
    let age = now.duration_since(made);
    if age < -CLOCKS_DIFFER {
        return Some(Refusal::FromTheFuture);
    }
    (age > most).then(|| Refusal::Age { minutes: age.as_mins(), most: most.as_mins() })
}

/// How the command line writes a span of time.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(span) if !span.is_negative() => Ok(span),
        _ => Err("write it as `24h`, `90m` or `30s`".to_owned()),
    }
}

impl Fault {
    /// Whether a file is refused for what it holds, or could not be read at all.
    pub(super) const fn is_of_content(fault: &FileFault) -> bool {
        !matches!(fault, FileFault::Io(_))
    }
}

/// The folder beside `mfactl.yaml` for what a run leaves on this machine.
pub(super) fn folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or_else(|| Path::new("")).join(".mfactl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_grows_old_and_is_not_of_tomorrow() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let day = SignedDuration::from_hours(24);
        let ago = |span: &str| now - span.parse::<SignedDuration>().unwrap();
        assert_eq!(too_old(ago("24h"), now, day), None);
        let age = Refusal::Age { minutes: 1441, most: 1440 };
        assert_eq!(too_old(ago("24h 1m 1s"), now, day), Some(age));
        assert_eq!(too_old(ago("-4m"), now, day), None);
        assert_eq!(too_old(ago("-6m"), now, day), Some(Refusal::FromTheFuture));
    }

    #[test]
    fn a_file_more_or_less_or_other_is_named() {
        let file =
            |path: &str, digest: &str| SourceDigest { path: path.into(), digest: digest.into() };
        let planned = [file("a", "1"), file("b", "2")];
        for (now, other) in [
            (vec![file("a", "1"), file("b", "2")], None),
            (vec![file("a", "1"), file("b", "3")], Some("b")),
            (vec![file("a", "1")], Some("b")),
            (vec![file("a", "1"), file("b", "2"), file("c", "1")], Some("c")),
        ] {
            assert_eq!(other_file(&planned, &now).as_deref(), other);
        }
    }
}

//! Saves plans to files, and opens them to be shown. Reads the secret key of fingerprints.
//!
//! Not here: the file format (`saved`), opening a plan to apply it (`run::saved`), or the targets of
//! `--out` (`out`).

use std::path::Path;

use jiff::Timestamp;

use super::fault::Fault;
use super::ignored;
use super::out::{FileKind, OutputTarget};
use crate::apply::verify::Refusal;
use crate::plan::Plan;
use crate::plan::fingerprint::Key;
use crate::policy::PolicySet;
use crate::run;
use crate::run::fault::RunFault;
use crate::run::session::Session;
use crate::saved::{self, Saved, SavedExtras};
use crate::terminal::say;
use crate::untrusted::printable;

/// Environment variable with the secret key. With it, the fingerprint of a plan covers full numbers.
pub(super) const KEY: &str = "MFACTL_FINGERPRINT_KEY";

/// Returns the secret key, if there is one.
pub(super) fn key() -> Option<Key> {
    std::env::var(KEY).ok().and_then(|text| Key::new(&text))
}

/// Saves the plan, and prints a message about the content of the file.
pub(super) fn save(
    plan: &Plan,
    path: &Path,
    set: &PolicySet,
    session: &Session,
) -> Result<(), Fault> {
    let about = SavedExtras {
        cloud: set.project.cloud.as_str(),
        sandbox: session.is_sandbox,
        made: Timestamp::now(),
        key: session.fingerprint_key.as_ref(),
    };
    let shown = path.display().to_string();
    let shown = printable(&shown);
    let out = OutputTarget::look(path, FileKind::Plan)?;
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

/// Reads a plan to show it. Refuses a plan that does not match its fingerprint.
pub(super) fn open_to_show(path: &Path) -> Result<Saved, Fault> {
    checked(run::saved::open(path)?)
}

/// Refuses a plan that does not match its fingerprint.
pub(super) fn checked(saved: Saved) -> Result<Saved, Fault> {
    match saved.is_as_named(key().as_ref()) {
        Some(true) => {}
        Some(false) => return Err(RunFault::Refused(Refusal::Fingerprint).into()),
        None => say(&format!(
            "warning: this plan has format {}, whose fingerprints cover less than what is shown; `apply` refuses it",
            saved.format
        )),
    }
    Ok(saved)
}

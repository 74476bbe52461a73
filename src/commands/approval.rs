//! Saves the approval of a plan to a file.
//!
//! Not here: the file format (`saved::approval`), or applying an approval (`run::approved`).

use std::path::Path;

use jiff::Timestamp;

use super::fault::Fault;
use super::out::{FileKind, OutputTarget};
use super::{random, saved};
use crate::plan::Plan;
use crate::plan::approval::{Approval, ApprovalKey, Salt};
use crate::plan::fingerprint::Key;
use crate::policy::PolicySet;
use crate::run::session::Session;
use crate::saved::approval::{self, ApprovalExtras};
use crate::terminal::say;
use crate::untrusted::printable;

/// Checks that an approval can be saved there, before anything is read for it.
pub(super) fn room(path: &Path, secret: Option<&Key>) -> Result<(), Fault> {
    if secret.is_some_and(Key::is_short) {
        return Err(Fault::ShortKey {
            variable: saved::KEY,
            least: Key::LEAST,
            what: "an approval",
        });
    }
    OutputTarget::look(path, FileKind::Approval).map(|_| ())
}

/// Saves the approval, and says what the file holds.
pub(super) fn save(
    plan: &Plan,
    path: &Path,
    set: &PolicySet,
    session: &Session,
) -> Result<(), Fault> {
    let shown = path.display().to_string();
    let shown = printable(&shown);
    let unsaved = |error| Fault::Machine {
        what: format!("the approval could not be saved in `{shown}`"),
        error,
    };
    let secret = session.fingerprint_key.as_ref();
    let salt = random::bytes().map(Salt).map_err(unsaved)?;
    let approval = Approval::of(plan, &ApprovalKey::new(salt, secret));
    let cloud = set.project.cloud.as_str();
    let extras = ApprovalExtras { cloud, made: Timestamp::now(), salt, secret };
    let out = OutputTarget::look(path, FileKind::Approval)?;
    let is_file = matches!(out, OutputTarget::File(..));
    out.write(|mut out| approval::write(&approval, extras, &mut out)).map_err(unsaved)?;
    let about = match secret {
        Some(_) => "it covers numbers in full",
        None => "without `MFACTL_FINGERPRINT_KEY` it covers numbers as they are shown",
    };
    say(&match is_file {
        true => format!(
            "approval saved in `{shown}`, without names and numbers; {about}; apply it with `mfactl apply --approved {shown}`"
        ),
        false => format!("the approval was written without names and numbers; {about}"),
    });
    Ok(())
}

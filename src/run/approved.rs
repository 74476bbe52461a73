//! Applies under an approval: opens it, refuses one that does not count here and now, and keeps of a new plan
//! what was approved.
//!
//! Not here: the comparison (`plan::approval`), the file (`saved::approval`), or the writes (`write`).

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::fault::RunFault;
use super::plan::identified;
use super::session::Session;
use crate::age::WrongAge;
use crate::apply::verify::Refusal;
use crate::plan::Plan;
use crate::plan::approval::ApprovalCheck;
use crate::plan::narrow::narrow;
use crate::plan::pipeline::WholePlan;
use crate::policy::PolicySet;
use crate::saved::approval::{self, ApprovalFault, SavedApproval};

/// The approval to apply.
#[derive(Debug, Clone)]
pub struct ApprovalRequest {
    pub file: PathBuf,
    /// An older approval is refused.
    pub max_age: SignedDuration,
    /// Whether the run is refused if anything is planned that was not approved.
    pub strict: bool,
    /// Only the first users with changes.
    pub limit: Option<usize>,
}

/// Opens the approval. It must be for this tenant and recent enough.
///
/// # Errors
/// The file is no approval, or is refused.
pub(super) fn open(
    session: &Session,
    policies: &PolicySet,
    request: &ApprovalRequest,
) -> Result<SavedApproval, RunFault> {
    let secret = session.fingerprint_key.as_ref();
    let saved = approval::read(&request.file, secret).map_err(|fault| unusable(request, fault))?;
    let (planned, here) = (saved.approval.tenant, session.identity.id);
    let reached = policies.project.cloud.as_str();
    let why = if planned != here {
        Some(ApprovalFault::OtherTenant { planned, here })
    } else if saved.cloud != reached {
        Some(ApprovalFault::OtherCloud { planned: saved.cloud.clone(), here: reached })
    } else {
        let age = WrongAge::check(saved.made, Timestamp::now(), request.max_age);
        age.err().map(ApprovalFault::Age)
    };
    why.map_or(Ok(saved), |fault| Err(unusable(request, fault)))
}

fn unusable(request: &ApprovalRequest, fault: ApprovalFault) -> RunFault {
    RunFault::Approval { path: request.file.clone(), fault }
}

/// Keeps the approved changes that are still planned.
///
/// # Errors
/// What the approval is bound to has changed; or, in a strict run, something was not approved.
pub(super) fn approved_part(
    whole: WholePlan,
    session: &Session,
    policies: &PolicySet,
    (saved, request): (&SavedApproval, &ApprovalRequest),
) -> Result<(Plan, ApprovalCheck), RunFault> {
    let SavedApproval { approval, key, .. } = saved;
    let held = approval.basis.holds(&whole.plan, key);
    held.map_err(|changed| RunFault::Refused(Refusal::ApprovalBasis(changed)))?;
    let check = ApprovalCheck::of(approval, &whole, key);
    let plan = narrow(whole.plan, &check.narrow(request.limit), policies);
    let check = check.after(&plan);
    if request.strict && check.waiting() > 0 {
        return Err(RunFault::Refused(Refusal::NotAllApproved(check.waiting())));
    }
    Ok((identified(session, plan), check))
}

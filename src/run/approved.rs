//! Plans anew under an approval: opens it, refuses one that does not count here and now, and keeps of the new
//! plan what was approved.
//!
//! Not here: the comparison (`plan::approval`), the file (`saved::approval`), or the writes (`write`).

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::fault::RunFault;
use super::observe;
use super::plan::{identified, without_contradiction};
use super::review::{self, Base};
use super::saved::too_old;
use super::session::Session;
use crate::apply::verify::Refusal;
use crate::plan::approval::ApprovalCheck;
use crate::plan::difference_kinds::{DifferenceKinds, ReviewedDifference};
use crate::plan::narrow::narrow;
use crate::plan::{Plan, pipeline};
use crate::policy::PolicySet;
use crate::saved::approval::{self, SavedApproval};

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

/// What was reviewed of the change of the files, and the base of that change.
#[derive(Debug, Clone)]
pub struct DifferenceRequest {
    pub base: Base,
    pub reviewed: ReviewedDifference,
}

/// Compares the files with the base in the tenant of today.
///
/// # Errors
/// A read failed, the base cannot be compared, or the change does something that was not reviewed.
pub(super) async fn check_difference(
    session: &Session,
    policies: &PolicySet,
    request: &DifferenceRequest,
) -> Result<(), RunFault> {
    let (_, review) = review::plan_against(session, request.base.clone(), policies).await?;
    let refused = |what| Err(RunFault::Refused(Refusal::OtherDifference(what)));
    match review.result {
        Err(not_compared) => refused(not_compared.why),
        Ok(comparison) => {
            let digest = comparison.difference.digest(session.fingerprint_key.as_ref());
            let kinds = DifferenceKinds::of(&comparison);
            request.reviewed.permits(digest, &kinds).or_else(refused)
        }
    }
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
    let saved = read(&request.file, session)?;
    let (planned, here) = (saved.approval.tenant, session.identity.id);
    let reached = policies.project.cloud.as_str();
    let refusal = if planned != here {
        Some(Refusal::OtherTenant { planned, reached: here })
    } else if saved.cloud != reached {
        Some(Refusal::OtherCloud { planned: saved.cloud.clone(), reached: reached.to_owned() })
    } else {
        too_old(saved.made, Timestamp::now(), request.max_age)
    };
    refusal.map_or(Ok(saved), |refusal| Err(RunFault::Refused(refusal)))
}

fn read(path: &Path, session: &Session) -> Result<SavedApproval, RunFault> {
    approval::read(path, session.fingerprint_key.as_ref())
        .map_err(|fault| RunFault::Approval { path: path.to_owned(), fault })
}

/// Makes a new plan, and keeps the approved changes that are still planned.
///
/// # Errors
/// As for every plan; or what the approval is bound to has changed; or, in a strict run, something was not
/// approved.
pub(super) async fn plan(
    session: &Session,
    policies: &PolicySet,
    saved: &SavedApproval,
    request: &ApprovalRequest,
) -> Result<(Plan, ApprovalCheck), RunFault> {
    let observed = observe::for_policies(session, policies).await?;
    let plan = without_contradiction(pipeline::plan(policies, observed), policies)?;
    let SavedApproval { approval, key, .. } = saved;
    let held = approval.basis.holds(&plan, key);
    held.map_err(|changed| RunFault::Refused(Refusal::ApprovalBasis(changed)))?;
    let check = ApprovalCheck::of(approval, &plan, key);
    let plan = narrow(plan, &check.narrow(request.limit), policies);
    let check = check.after(&plan);
    if request.strict && check.waiting() > 0 {
        return Err(RunFault::Refused(Refusal::NotAllApproved(check.waiting())));
    }
    Ok((identified(session, plan), check))
}

//! Plans under a review: compares the files with a base in the tenant of today, and refuses if that is not the
//! change that was reviewed. The plan is made from the same reading.
//!
//! Not here: what is compared (`plan::reviewed_difference`), or the review itself (`review`).

use super::fault::RunFault;
use super::review::{self, Base};
use super::session::Session;
use crate::apply::verify::Refusal;
use crate::plan::pipeline::WholePlan;
use crate::plan::reviewed_difference::ReviewedDifference;
use crate::policy::PolicySet;

/// What was reviewed of the change of the files, and the base of that change.
#[derive(Debug, Clone)]
pub struct DifferenceRequest {
    pub base: Base,
    pub reviewed: ReviewedDifference,
}

/// Makes the plan, if the change of the files is the reviewed one.
///
/// # Errors
/// As for every plan; or the base cannot be compared, or the change does something that was not reviewed.
pub(super) async fn plan(
    session: &Session,
    policies: &PolicySet,
    request: &DifferenceRequest,
) -> Result<WholePlan, RunFault> {
    let (plan, review) = review::compared(session, request.base.clone(), policies).await?;
    let refusal = match review.result {
        Err(why) => Some(Refusal::NotCompared(why)),
        Ok(comparison) => {
            let now = ReviewedDifference::of(&comparison);
            request.reviewed.permits(&now).err().map(Refusal::NotReviewed)
        }
    };
    refusal.map_or(Ok(plan), |refusal| Err(RunFault::Refused(refusal)))
}

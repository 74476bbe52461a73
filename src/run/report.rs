//! Makes the report of a tenant: observes every enabled account, and evaluates each on the day of the
//! session. Nothing is written.
//!
//! Not here: the numbers of the report (`report`), or how it looks (`render::report`).

use jiff::civil::Date;

use super::fault::RunFault;
use super::observe;
use super::session::Session;
use crate::policy::PolicySet;
use crate::report::{PostureReport, report};

/// Makes the report. `today` is the current day, which the day of the session may not be.
///
/// # Errors
/// A read failed, or names do not fit the tenant.
pub async fn posture(
    session: &Session,
    policies: &PolicySet,
    today: Date,
) -> Result<PostureReport, RunFault> {
    let (observed, roles) = observe::for_everybody(session, policies).await?;
    Ok(report(policies, observed, &roles, today))
}

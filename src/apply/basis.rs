//! Whether what a plan rests on still holds.

use std::fmt;

use crate::id::TenantId;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::guard::guard;
use crate::plan::{Difference, Plan, TenantBasis, UserPlan};
use crate::tenant::facts::Facts;

/// A plan whose tenant-wide basis was read again and found the same: the only kind that can be run.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    pub(super) plan: &'a Plan,
    /// What was just read, and the day it is.
    pub(super) now: &'a TenantBasis,
}

/// Why a plan is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    OtherTenant {
        planned: TenantId,
        reached: TenantId,
    },
    OtherCloud {
        planned: String,
        reached: String,
    },
    /// What the files mean is not what they meant: at least one difference.
    Files(Vec<Difference>),
    /// A plan of a format whose fingerprint does not cover all that it shows.
    OldFormat(u32),
    /// Older than it may be, by whole minutes.
    Age {
        minutes: i64,
        most: i64,
    },
    /// Made at a time that is yet to come, by this machine's clock.
    FromTheFuture,
    /// What it holds is not what its fingerprint names.
    Fingerprint,
    /// Not the plan that was approved.
    NotApproved {
        approved: Fingerprint,
        is: Fingerprint,
    },
    MethodPolicy,
    Demand,
    Delivery,
    BreakGlass,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherTenant { planned, reached } => {
                write!(f, "the plan was made for tenant `{planned}`, and this is `{reached}`")
            }
            Self::OtherCloud { planned, reached } => {
                write!(f, "the plan was made for cloud `{planned}`, and this is `{reached}`")
            }
            Self::Files(differences) => files(differences, f),
            Self::OldFormat(format) => write!(
                f,
                "the plan is of format {format}, whose fingerprint does not cover all that it shows"
            ),
            Self::Age { minutes, most } => {
                write!(f, "the plan is {minutes} minutes old, and {most} is the most")
            }
            Self::FromTheFuture => {
                f.write_str("the plan was made in the future, by the clock of this machine")
            }
            Self::Fingerprint => f.write_str(
                "the plan in the file was edited, or `MFACTL_FINGERPRINT_KEY` is not the one it was made with",
            ),
            Self::NotApproved { approved, is } => {
                write!(f, "the plan that was approved is {approved}, and this one is {is}")
            }
            Self::MethodPolicy => {
                f.write_str("the tenant's authentication methods policy has changed since the plan")
            }
            Self::Demand => f.write_str(
                "what demands MFA in the tenant, or of whom, has changed since the plan",
            ),
            Self::Delivery => f.write_str(
                "the days until which texts and calls are delivered have changed since the plan",
            ),
            Self::BreakGlass => {
                f.write_str("the set of break-glass accounts has changed since the plan")
            }
        }
    }
}

/// Differences of the files that are named one by one.
const MOST_NAMED: usize = 3;

fn files(differences: &[Difference], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (place, difference) in differences.iter().take(MOST_NAMED).enumerate() {
        f.write_str(if place == 0 { "" } else { "; " })?;
        write!(f, "{difference}")?;
    }
    match differences.len().saturating_sub(MOST_NAMED) {
        0 => Ok(()),
        more => write!(f, "; and {more} more"),
    }
}

/// Holds the plan against the tenant that was reached and its basis as it is now.
///
/// # Errors
/// What no longer is as it was.
pub fn hold<'a>(
    plan: &'a Plan,
    reached: TenantId,
    now: &'a TenantBasis,
) -> Result<Held<'a>, Refusal> {
    if plan.identity.id != reached {
        return Err(Refusal::OtherTenant { planned: plan.identity.id, reached });
    }
    // What becomes of those whom the plan does nothing to is no reason not to do it.
    let changed = plan.changed_users();
    if plan.basis.method_policy.only(&changed) != now.method_policy.only(&changed) {
        return Err(Refusal::MethodPolicy);
    }
    if plan.basis.demand.only(&changed) != now.demand.only(&changed) {
        return Err(Refusal::Demand);
    }
    if plan.basis.delivery != now.delivery {
        return Err(Refusal::Delivery);
    }
    if plan.basis.break_glass != now.break_glass {
        return Err(Refusal::BreakGlass);
    }
    Ok(Held { plan, now })
}

/// Whether the user is still as the plan saw them, and every step is still safe on what was read
/// just now.
#[must_use]
pub(super) fn still(held: Held<'_>, user: &UserPlan, now: &Facts) -> bool {
    let steps = held.plan.changes_of(user);
    user.facts == *now && guard(&held.now.judge(), user.user, now, steps).steps == steps
}

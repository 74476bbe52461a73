//! Whether what a plan rests on still holds.

use std::fmt;

use crate::id::TenantId;
use crate::plan::guard::guard;
use crate::plan::{Plan, TenantBasis, UserPlan};
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
    OtherTenant { planned: TenantId, reached: TenantId },
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
    if plan.basis.method_policy != now.method_policy {
        return Err(Refusal::MethodPolicy);
    }
    if plan.basis.demand != now.demand {
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

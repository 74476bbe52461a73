//! Plans and reviews without single users: only kinds of changes, and numbers of users.
//!
//! A plan alone is shown as the difference from a plan that changes nothing, so a plan and a review have the
//! same groups.
//!
//! Not here: how users are grouped (`review::kinds`), or the text (`plan::text`).

pub mod json;

use crate::plan::Plan;
use crate::plan::content::{Governed, PlanContent};
use crate::plan::review::Comparison;

/// Returns everything that the plan does, as the difference from a plan that changes nothing.
#[must_use]
pub fn alone(plan: &Plan) -> Comparison {
    let head = PlanContent::of(plan, Governed::new());
    Comparison::of(&PlanContent::default(), &head, Vec::new())
}

//! Guards in `mfactl.yaml` that a change makes weaker.
//!
//! Not here: policies (`policies`).

use super::{Loosening, Sides};
use crate::finding::Code;
use crate::plan::brakes::BrakeName;
use crate::policy::{Brakes, Limit};

pub(super) fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    brakes(sides)
}

/// Reports each brake that lets a larger plan pass.
fn brakes(sides: Sides<'_>) -> Vec<Loosening> {
    let (base, head) = (sides.base.policies.project.brakes, sides.head.policies.project.brakes);
    let raised = BrakeName::ALL.into_iter().filter_map(|name| {
        let (before, after) = (limit(base, name), limit(head, name));
        let is_raised = after.percent > before.percent || after.floor > before.floor;
        let message = format!(
            "brake `{}` lets larger plans pass: {} before, {} now",
            name.as_str(),
            words(before),
            words(after)
        );
        is_raised.then(|| Loosening::new(Code::BrakeRaised, message))
    });
    raised.collect()
}

const fn limit(brakes: Brakes, name: BrakeName) -> Limit {
    match name {
        BrakeName::ChangedUsers => brakes.changed_users,
        BrakeName::WeakenedUsers => brakes.weakened_users,
        BrakeName::ReplacedNumbers => brakes.replaced_numbers,
    }
}

fn words(limit: Limit) -> String {
    format!("{} % or {} users", limit.percent, limit.floor)
}

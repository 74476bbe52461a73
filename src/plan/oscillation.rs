//! Detects feedback: the result of a plan must not change what the policies want. If a policy itself makes
//! a `where.registered` true, the next plan would have more changes.
//!
//! Not here: which policies apply (`scope`), or the finding (`findings`).

use crate::desired::{Candidates, DecisionResult, Desired, PolicyView, SettingDecision, desired};
use crate::settings::change::PolicyIndex;
use crate::settings::{Setting, Values};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// A setting whose wanted value changes once the plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Oscillation {
    pub(super) setting: Setting,
    /// The policy that decides now, if one does.
    pub(super) now: Option<PolicyIndex>,
    /// The policy that decides after the plan.
    pub(super) then: PolicyIndex,
}

/// Evaluates the policies again on the planned facts of the user.
pub(super) fn turns(
    candidates: Candidates<'_>,
    index: UserIndex,
    user: &User,
    now: &Desired,
    planned: &Facts,
) -> Vec<Oscillation> {
    let then = desired(candidates, PolicyView::Real, index, user, planned);
    let turn = |said: &SettingDecision| {
        let before = now.said.iter().find(|before| before.setting == said.setting);
        let turned = match said.outcome {
            // The same value can be wanted with a wider mandate, which permits what was withheld before.
            DecisionResult::Wanted(_) => {
                let wanted = then.values.get(said.setting);
                let is_there = Values::observed(planned).get(said.setting).meets(wanted);
                let has_other_mandate = before.is_some_and(|before| before.mandate != said.mandate);
                wanted != now.values.get(said.setting) || (has_other_mandate && !is_there)
            }
            DecisionResult::Conflict(_) => {
                !before.is_some_and(|before| matches!(before.outcome, DecisionResult::Conflict(_)))
            }
            DecisionResult::Nothing(_) | DecisionResult::Unmanaged => false,
        };
        let now = before.map(|before| before.policy);
        turned.then_some(Oscillation { setting: said.setting, now, then: said.policy })
    };
    then.said.iter().filter_map(turn).collect()
}

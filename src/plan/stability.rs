//! No feedback: what policies want must not turn because of what they did. A `where.registered` that
//! a policy itself makes true would have the next plan go on where this one ended.
//!
//! Not here: which policies apply (`scope`), or what is said of it (`remarks`).

use crate::desired::{Candidates, Desired, Outcome, Said, View, desired};
use crate::settings::change::PolicyIndex;
use crate::settings::{Setting, Values};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// A setting of which something else is wanted once the plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) setting: Setting,
    /// Whose rule counts now, if anybody's does.
    pub(super) now: Option<PolicyIndex>,
    pub(super) then: PolicyIndex,
}

/// Asks the policies again about the user as planned.
pub(super) fn turns(
    candidates: Candidates<'_>,
    index: UserIndex,
    user: &User,
    now: &Desired,
    planned: &Facts,
) -> Vec<Turn> {
    let then = desired(candidates, View::Real, index, user, planned);
    let turn = |said: &Said| {
        let before = now.said.iter().find(|before| before.setting == said.setting);
        let turned = match said.outcome {
            // The same value can be wanted more strictly, which does what was withheld before.
            Outcome::Wanted(_) => {
                let wanted = then.values.get(said.setting);
                let is_there = Values::observed(planned).get(said.setting).meets(wanted);
                let stricter = before.is_some_and(|before| before.mandate != said.mandate);
                wanted != now.values.get(said.setting) || (stricter && !is_there)
            }
            Outcome::Conflict(_) => {
                !before.is_some_and(|before| matches!(before.outcome, Outcome::Conflict(_)))
            }
            Outcome::Nothing(_) | Outcome::Unmanaged => false,
        };
        let now = before.map(|before| before.policy);
        turned.then_some(Turn { setting: said.setting, now, then: said.policy })
    };
    then.said.iter().filter_map(turn).collect()
}

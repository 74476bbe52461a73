//! The changes of one user: where what was observed does not meet what is desired.

use crate::desired::{Desired, Outcome};
use crate::settings::change::Change;
use crate::settings::{Setting, Values};
use crate::tenant::directory::UserIndex;

/// The changes, in the order of writing. What is unmanaged cannot differ, and what is unknown was
/// never desired to be otherwise.
#[must_use]
pub fn diff(user: UserIndex, observed: &Values, desired: &Desired) -> Vec<Change> {
    let policy_of = |setting: Setting| {
        desired
            .said
            .iter()
            .find(|said| said.setting == setting && matches!(said.outcome, Outcome::Wanted(_)))
            .map(|said| said.policy)
    };
    Setting::ALL
        .into_iter()
        .filter_map(|setting| {
            let (before, after) = (observed.get(setting), desired.values.get(setting));
            let policy = policy_of(setting)?;
            (!before.meets(after)).then_some(Change { user, setting, before, after, policy })
        })
        .collect()
}

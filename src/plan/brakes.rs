//! Brakes: limits that refuse a plan which changes more than intended.
//!
//! Not here: what a refusal looks like or how a brake is lifted (`commands`).

use std::collections::BTreeSet;

use crate::policy::{Brakes, Limit};
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;

/// One brake, compared with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Brake {
    pub name: BrakeName,
    /// The number that the plan reaches.
    pub actual: usize,
    /// The number of users in scope.
    pub of: usize,
    /// The largest number that passes.
    pub limit: usize,
}

/// The name of a brake.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum BrakeName {
    ChangedUsers,
    WeakenedUsers,
    ReplacedNumbers,
}

impl BrakeName {
    pub const ALL: [Self; 3] = [Self::ChangedUsers, Self::WeakenedUsers, Self::ReplacedNumbers];

    /// Returns the key in `brakes`, which is also the word that lifts the brake.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChangedUsers => "changedUsers",
            Self::WeakenedUsers => "weakenedUsers",
            Self::ReplacedNumbers => "replacedNumbers",
        }
    }
}

impl Brake {
    /// Whether the plan exceeds the limit.
    #[must_use]
    pub const fn tripped(&self) -> bool {
        self.actual > self.limit
    }
}

/// Compares the changes with the limits. `in_scope` counts all users in scope, changed or not.
#[must_use]
pub fn brakes(changes: &[Change], in_scope: usize, limits: &Brakes) -> Vec<Brake> {
    BrakeName::ALL
        .into_iter()
        .map(|name| {
            let (actual, limit) = match name {
                BrakeName::ChangedUsers => (users(changes, |_| true), limits.changed_users),
                BrakeName::WeakenedUsers => {
                    (users(changes, Change::weakens), limits.weakened_users)
                }
                BrakeName::ReplacedNumbers => (
                    changes.iter().filter(|change| change.replaces_number()).count(),
                    limits.replaced_numbers,
                ),
            };
            Brake { name, actual, of: in_scope, limit: most(limit, in_scope) }
        })
        .collect()
}

fn users(changes: &[Change], counts: impl Fn(&Change) -> bool) -> usize {
    let users: BTreeSet<UserIndex> =
        changes.iter().filter(|change| counts(change)).map(|change| change.user).collect();
    users.len()
}

/// Returns the percentage, rounded down, or the floor if that is larger.
fn most(limit: Limit, of: usize) -> usize {
    let share = of as u128 * u128::from(limit.percent) / 100;
    usize::try_from(share).unwrap_or(usize::MAX).max(limit.floor as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Extension, PhoneNumber};
    use crate::settings::change::{Mandate, PolicyIndex};
    use crate::settings::{Setting, Value};
    use crate::tenant::facts::MfaState;

    #[test]
    fn limit_is_the_larger_of_percentage_and_floor() {
        let share = |percent, floor| Limit { percent, floor };
        for (limit, of, most_passes) in [
            (share(30, 10), 100, 30),
            (share(30, 10), 20, 10),
            (share(30, 10), 34, 10),
            (share(30, 10), 37, 11),
            (share(0, 0), 1_000_000, 0),
            (share(2, 3), 149, 3),
            (share(2, 3), 200, 4),
            (share(100, 0), 7, 7),
            (share(30, 10), 0, 10),
        ] {
            assert_eq!(most(limit, of), most_passes, "{limit:?} of {of}");
        }
    }

    #[test]
    fn each_brake_counts_its_own_changes() {
        let number =
            |text| Value::Phone(PhoneNumber::read(text, None, Extension::Refused).unwrap());
        let (one, other) = (number("+31612345678"), number("+31687654321"));
        let state = |state| (Setting::PerUserMfa, Value::State(state));
        let change = |user, setting, before, after| {
            let (user, policy) = (UserIndex::new(user), PolicyIndex::new(0));
            Change { user, setting, before, after, policy, mandate: Mandate::default() }
        };
        let disabled = Value::State(MfaState::Disabled);
        let changes = [
            change(0, Setting::MobilePhone, Value::Nothing, one),
            change(0, state(MfaState::Enabled).0, disabled, state(MfaState::Enabled).1),
            change(1, Setting::MobilePhone, one, other),
            change(2, Setting::PerUserMfa, state(MfaState::Enforced).1, disabled),
            change(3, Setting::MobilePhone, one, Value::Nothing),
            change(3, Setting::PerUserMfa, state(MfaState::Enforced).1, disabled),
        ];
        let judged = brakes(&changes, 1000, &Brakes::default());
        let counts: Vec<_> = judged.iter().map(|brake| (brake.name, brake.actual)).collect();
        assert_eq!(
            counts,
            [
                (BrakeName::ChangedUsers, 4),
                (BrakeName::WeakenedUsers, 2),
                (BrakeName::ReplacedNumbers, 1)
            ]
        );
        let tripped: Vec<_> =
            judged.iter().filter(|brake| brake.tripped()).map(|brake| brake.name).collect();
        assert_eq!(tripped, [BrakeName::WeakenedUsers]);
    }
}

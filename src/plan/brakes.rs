//! Limits that refuse a plan: how much of it is more than anybody meant.
//!
//! Not here: what a refusal looks like or how a brake is lifted (`commands`).

use std::collections::BTreeSet;

use crate::policy::{Brakes, Limit};
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;

/// One brake, held against a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Brake {
    pub name: Name,
    /// What the plan comes to.
    pub actual: usize,
    /// Of how many: all users in scope.
    pub of: usize,
    /// The most that passes.
    pub limit: usize,
}

/// Which brake.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Name {
    ChangedUsers,
    WeakenedUsers,
    ReplacedNumbers,
}

impl Name {
    pub const ALL: [Self; 3] = [Self::ChangedUsers, Self::WeakenedUsers, Self::ReplacedNumbers];

    /// The key in `brakes`, and the word that lifts it.
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
    /// Whether the plan goes over it.
    #[must_use]
    pub const fn tripped(&self) -> bool {
        self.actual > self.limit
    }
}

/// Holds changes against the limits. `in_scope` is everybody in scope, however few are changed.
#[must_use]
pub fn brakes(changes: &[Change], in_scope: usize, limits: &Brakes) -> Vec<Brake> {
    Name::ALL
        .into_iter()
        .map(|name| {
            let (actual, limit) = match name {
                Name::ChangedUsers => (users(changes, |_| true), limits.changed_users),
                Name::WeakenedUsers => (users(changes, Change::weakens), limits.weakened_users),
                Name::ReplacedNumbers => (
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

/// The share, rounded down, or the floor where that is more.
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
    fn a_brake_holds_above_its_share_and_its_floor() {
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
    fn each_brake_counts_what_it_is_for() {
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
            [(Name::ChangedUsers, 4), (Name::WeakenedUsers, 2), (Name::ReplacedNumbers, 1)]
        );
        let tripped: Vec<_> =
            judged.iter().filter(|brake| brake.tripped()).map(|brake| brake.name).collect();
        assert_eq!(tripped, [Name::WeakenedUsers]);
    }
}

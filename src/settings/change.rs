//! The one type of change: one setting of one user, before and after. Whether it creates, updates
//! or deletes follows from which side is there.

use super::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MfaState, Read};

/// A policy, by its place among the run's policies. With a setting it names a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyIndex(u32);

impl PolicyIndex {
    #[must_use]
    pub fn new(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    #[must_use]
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// One setting of one user, before → after, and the policy that wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change {
    pub user: UserIndex,
    pub setting: Setting,
    pub before: Value,
    pub after: Value,
    pub policy: PolicyIndex,
}

/// What a change does to the side that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Create,
    Update,
    Delete,
}

impl Change {
    #[must_use]
    pub const fn action(&self) -> Action {
        match (self.before, self.after) {
            (Value::Nothing, _) => Action::Create,
            (_, Value::Nothing) => Action::Delete,
            _ => Action::Update,
        }
    }

    /// Whether it demands MFA of a user of whom it was not demanded so strictly.
    #[must_use]
    pub fn raises(&self) -> bool {
        self.state_steps().is_some_and(|(before, after)| before < after)
    }

    /// Whether it demands MFA of a user whose state demanded none.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.raises() && self.before == Value::State(MfaState::Disabled)
    }

    /// Whether it demands less than before.
    #[must_use]
    pub fn lowers(&self) -> bool {
        self.state_steps().is_some_and(|(before, after)| before > after)
    }

    /// Whether the user is less protected after it: demanded of less strictly, or a method fewer.
    #[must_use]
    pub fn weakens(&self) -> bool {
        let removes = self.setting == Setting::MobilePhone && self.action() == Action::Delete;
        self.lowers() || removes
    }

    /// Whether a number that is registered gives way to another.
    #[must_use]
    pub const fn replaces_number(&self) -> bool {
        let had_one = matches!(self.before, Value::Phone(_) | Value::UndialablePhone);
        had_one && matches!(self.after, Value::Phone(_))
    }

    const fn state_steps(&self) -> Option<(MfaState, MfaState)> {
        match (self.before, self.after) {
            (Value::State(before), Value::State(after)) => Some((before, after)),
            _ => None,
        }
    }

    /// The facts once this change is done, by the service's own rules.
    #[must_use]
    pub fn applied_to(&self, facts: Facts) -> Facts {
        match self.after {
            Value::Phone(number) => {
                Facts { methods: facts.methods.map(|methods| methods.with_mobile(number)), ..facts }
            }
            Value::State(state) => Facts { state: Read::Known(settle(state, &facts)), ..facts },
            Value::Nothing | Value::UndialablePhone | Value::Unknown(_) => facts,
        }
    }
}

/// The state as it stands after the service has had its say: `enabled` written for a user who has a
/// method becomes `enforced`.
fn settle(state: MfaState, facts: &Facts) -> MfaState {
    let has_factor = facts.methods.known().is_some_and(|methods| methods.kinds.has_second_factor());
    if state == MfaState::Enabled && has_factor { MfaState::Enforced } else { state }
}

impl Action {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_a_million_users_fit() {
        assert!(size_of::<Change>() <= 64, "{} bytes", size_of::<Change>());
    }
}

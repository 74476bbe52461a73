//! The one type of change: one setting of one user, before and after. Whether a change creates, updates or
//! deletes follows from which of the two values exists.
//!
//! Not here: the values (the module above), or whether a change is safe (`plan::guard`).

pub use super::registry::Stage;

use super::kind::Effect;
use super::phone::ReadAs;
use super::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MfaState};

/// A policy, by its place among the policies of the run. Together with a setting it identifies a rule.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct PolicyIndex(u32);

impl PolicyIndex {
    pub const FIRST: Self = Self(0);

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
    pub mandate: Mandate,
}

/// What the policy permits explicitly. Without a mandate, such a change is not made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Mandate {
    /// The change is made even if it leaves something weaker.
    pub exactly: bool,
    /// `appliesTo` names a role of the user.
    pub names_role: bool,
    /// The policy says if SMS sign-in is on or off.
    pub settles_sms_sign_in: bool,
    /// The change puts back the value from before a run, and the value there now is what that run wrote.
    /// Plans saved by older programs lack this field.
    #[serde(default)]
    pub puts_back: bool,
    /// The phone is removed after the other phones, because it is the default method. Only the guard sets
    /// this. Plans saved by older programs lack this field.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goes_last: bool,
    /// The country by which the number was read, if it has no country code.
    #[serde(default)]
    pub read_as: Option<ReadAs>,
}

/// Whether a change creates, updates or deletes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Create,
    Update,
    Delete,
}

impl Change {
    #[must_use]
    pub const fn action(&self) -> Action {
        Action::between(self.before, self.after)
    }

    /// Whether more is required of the user.
    #[must_use]
    pub fn raises(&self) -> bool {
        self.effect() == Effect::Raises
    }

    /// Whether the per-user state requires MFA and did not before.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.raises() && self.before == Value::State(MfaState::Disabled)
    }

    /// Whether less is required of the user.
    #[must_use]
    pub fn lowers(&self) -> bool {
        self.effect() == Effect::Lowers
    }

    /// Whether the change protects the user less: less is required, one method fewer is registered, or the
    /// prompt asks for a weaker method.
    #[must_use]
    pub fn weakens(&self) -> bool {
        matches!(self.effect(), Effect::Lowers | Effect::Weakens)
    }

    /// Whether the change removes a registered method.
    #[must_use]
    pub fn removes_method(&self) -> bool {
        self.setting.phone().is_some() && self.action() == Action::Delete
    }

    /// Whether the change overwrites a registered number with another.
    #[must_use]
    pub fn replaces_number(&self) -> bool {
        let had_one = matches!(self.before, Value::Phone(_) | Value::UndialablePhone);
        had_one && matches!(self.after, Value::Phone(_))
    }

    /// Whether the change can harm the user if someone else changes something meanwhile: it removes
    /// something that the user may need, or changes what is required.
    #[must_use]
    pub fn can_harm(&self) -> bool {
        self.raises() || self.lowers() || self.removes_method() || self.replaces_number()
    }

    /// Returns when the change is written.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        Stage::of(self.setting, self.action(), self.mandate.goes_last)
    }

    /// Returns the facts once this change is done, by Entra's own rules. The change must name one default
    /// method, not several preferred ones.
    #[must_use]
    pub fn applied_to(&self, facts: Facts) -> Facts {
        self.setting.applied(self.after, facts)
    }

    fn effect(&self) -> Effect {
        self.setting.effect(self.before, self.after)
    }
}

impl Action {
    /// Returns the action that leads from one value to the other.
    #[must_use]
    pub const fn between(before: Value, after: Value) -> Self {
        match (before, after) {
            (Value::Nothing, _) => Self::Create,
            (_, Value::Nothing) => Self::Delete,
            _ => Self::Update,
        }
    }

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
    fn change_stays_small_enough_for_a_million_users() {
        assert!(size_of::<Change>() <= 64, "{} bytes", size_of::<Change>());
    }
}

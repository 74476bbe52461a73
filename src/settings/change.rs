//! The one type of change: one setting of one user, before and after. Whether a change creates, updates or
//! deletes follows from which of the two values exists.
//!
//! Not here: the values (the module above), or whether a change is safe (`plan::guard`).

use super::phone::ReadAs;
use super::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Methods, MfaState, Phone, Read, SmsSignIn};

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
    /// The country by which the number was read, if it has no country code.
    #[serde(default)]
    pub read_as: Option<ReadAs>,
}

/// When a change is written, in the order of writing. If a run stops between two stages, an extra method does
/// no harm, and MFA without a method does.
// INVARIANT: the variants are in the order of [`Stage::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    AddMobile,
    /// Needs a mobile phone.
    AddAlternateMobile,
    AddOffice,
    ReplaceMobile,
    ReplaceAlternateMobile,
    ReplaceOffice,
    /// Right after the number that may have switched it on.
    SmsSignIn,
    DefaultMethod,
    SystemPreferredMfa,
    State,
    DeleteOffice,
    /// Comes before the mobile phone, which Entra does not delete while an alternate one exists.
    DeleteAlternateMobile,
    DeleteMobile,
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
        match (self.before, self.after) {
            (Value::Nothing, _) => Action::Create,
            (_, Value::Nothing) => Action::Delete,
            _ => Action::Update,
        }
    }

    /// Whether the per-user state becomes stricter.
    #[must_use]
    pub fn raises(&self) -> bool {
        self.state_steps().is_some_and(|(before, after)| before < after)
    }

    /// Whether the per-user state requires MFA and did not before.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.raises() && self.before == Value::State(MfaState::Disabled)
    }

    /// Whether the per-user state becomes less strict.
    #[must_use]
    pub fn lowers(&self) -> bool {
        self.state_steps().is_some_and(|(before, after)| before > after)
    }

    /// Whether the change protects the user less: a less strict state, one method fewer, or a prompt for a
    /// weaker method.
    #[must_use]
    pub fn weakens(&self) -> bool {
        let asks_weaker = match (self.before, self.after) {
            (Value::Default(before), Value::Default(after)) => before.is_stronger_than(after),
            (Value::Switch(true), Value::Switch(false)) => {
                self.setting == Setting::SystemPreferredMfa
            }
            _ => false,
        };
        self.lowers() || self.removes_method() || asks_weaker
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
    pub fn stage(&self) -> Stage {
        let phone = |add, replace, delete| match self.action() {
            Action::Create => add,
            Action::Update => replace,
            Action::Delete => delete,
        };
        match self.setting {
            Setting::MobilePhone => {
                phone(Stage::AddMobile, Stage::ReplaceMobile, Stage::DeleteMobile)
            }
            Setting::AlternateMobilePhone => phone(
                Stage::AddAlternateMobile,
                Stage::ReplaceAlternateMobile,
                Stage::DeleteAlternateMobile,
            ),
            Setting::OfficePhone => {
                phone(Stage::AddOffice, Stage::ReplaceOffice, Stage::DeleteOffice)
            }
            Setting::SmsSignIn => Stage::SmsSignIn,
            Setting::DefaultMethod => Stage::DefaultMethod,
            Setting::SystemPreferredMfa => Stage::SystemPreferredMfa,
            Setting::PerUserMfa => Stage::State,
        }
    }

    const fn state_steps(&self) -> Option<(MfaState, MfaState)> {
        match (self.before, self.after) {
            (Value::State(before), Value::State(after)) => Some((before, after)),
            _ => None,
        }
    }

    /// Returns the facts once this change is done, by Entra's own rules. The change must name one default
    /// method, not several preferred ones.
    #[must_use]
    pub fn applied_to(&self, mut facts: Facts) -> Facts {
        match (self.setting.phone(), self.after) {
            (Some(kind), Value::Phone(number)) => {
                facts.methods =
                    facts.methods.map(|methods| methods.with_phone(kind, Phone::Number(number)));
            }
            (Some(kind), Value::Nothing) => {
                facts.methods = facts.methods.map(|methods| methods.with_phone(kind, Phone::None));
                // Entra deletes the phone of the default method only as the last method, and without
                // methods there is no default.
                facts.default_method = facts
                    .default_method
                    .map(|default| default.filter(|method| method.phone() != Some(kind)));
            }
            (None, Value::State(state)) => facts.state = Read::Known(settle(state, &facts)),
            (None, Value::Default(method)) => facts.default_method = Read::Known(Some(method)),
            (None, Value::Switch(on)) if self.setting == Setting::SystemPreferredMfa => {
                facts.system_preferred = Read::Known(on);
            }
            (None, Value::Switch(on)) => {
                let sms_sign_in = if on { SmsSignIn::On } else { SmsSignIn::Off };
                facts.methods = facts.methods.map(|methods| Methods { sms_sign_in, ..methods });
            }
            _ => {}
        }
        facts
    }
}

/// Returns the state that Entra settles on: `enabled` becomes `enforced` for a user who has a method.
fn settle(state: MfaState, facts: &Facts) -> MfaState {
    let has_factor = facts.methods.known().is_some_and(|methods| methods.kinds.has_second_factor());
    if state == MfaState::Enabled && has_factor { MfaState::Enforced } else { state }
}

impl Stage {
    pub const ALL: [Self; 13] = [
        Self::AddMobile,
        Self::AddAlternateMobile,
        Self::AddOffice,
        Self::ReplaceMobile,
        Self::ReplaceAlternateMobile,
        Self::ReplaceOffice,
        Self::SmsSignIn,
        Self::DefaultMethod,
        Self::SystemPreferredMfa,
        Self::State,
        Self::DeleteOffice,
        Self::DeleteAlternateMobile,
        Self::DeleteMobile,
    ];
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
    fn change_stays_small_enough_for_a_million_users() {
        assert!(size_of::<Change>() <= 64, "{} bytes", size_of::<Change>());
    }
}

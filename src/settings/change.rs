//! The one type of change: one setting of one user, before and after. Whether it creates, updates
//! or deletes follows from which side is there.

use super::phone::ReadAs;
use super::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Methods, MfaState, Phone, Read, SmsSignIn};

/// A policy, by its place among the run's policies. With a setting it names a rule.
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

/// What the policy says in so many words, and what nobody does without being told to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Mandate {
    /// Also where something weaker is left.
    pub exactly: bool,
    /// A role of the user is named in `appliesTo`.
    pub names_role: bool,
    /// What becomes of signing in by text.
    pub settles_sms_sign_in: bool,
    /// No policy wants it: it puts back what a run wrote, and what is there now is what that run
    /// wrote. Plans saved by older programs do not say so.
    #[serde(default)]
    pub puts_back: bool,
    /// The country that the number was taken to be of, where it does not say so itself.
    #[serde(default)]
    pub read_as: Option<ReadAs>,
}

/// When a change is written. The order is that of the field: wherever a run is cut off between two
/// of them, a method too many harms nobody, and a demand without a method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    AddMobile,
    /// A mobile phone must be there by then.
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
    /// Goes before the mobile phone, which cannot be deleted without it.
    DeleteAlternateMobile,
    DeleteMobile,
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

    /// Whether the user is less protected after it: demanded of less strictly, a method fewer, or
    /// asked for a weaker one.
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

    /// Whether a registered method goes.
    #[must_use]
    pub fn removes_method(&self) -> bool {
        self.setting.phone().is_some() && self.action() == Action::Delete
    }

    /// Whether a number that is registered gives way to another.
    #[must_use]
    pub fn replaces_number(&self) -> bool {
        let had_one = matches!(self.before, Value::Phone(_) | Value::UndialablePhone);
        had_one && matches!(self.after, Value::Phone(_))
    }

    /// When it is written.
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

    /// The facts once this change is done, by the service's own rules. Which of several preferences
    /// it comes to must have been settled.
    #[must_use]
    pub fn applied_to(&self, mut facts: Facts) -> Facts {
        match (self.setting.phone(), self.after) {
            (Some(kind), Value::Phone(number)) => {
                facts.methods =
                    facts.methods.map(|methods| methods.with_phone(kind, Phone::Number(number)));
            }
            (Some(kind), Value::Nothing) => {
                facts.methods = facts.methods.map(|methods| methods.with_phone(kind, Phone::None));
                // The service deletes the phone of the default method only as the last method, and
                // there is no default among no methods.
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

/// The state as it stands after the service has had its say: `enabled` written for a user who has a
/// method becomes `enforced`.
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
    fn changes_of_a_million_users_fit() {
        assert!(size_of::<Change>() <= 64, "{} bytes", size_of::<Change>());
    }
}

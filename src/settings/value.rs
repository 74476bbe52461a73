//! The value of a setting: how it prints, which value satisfies which, and what it looks like to a reader.
//!
//! Not here: the value with its number in full (`full_value`), or how one setting gets it (its own file).

use std::fmt;

use super::Setting;
use super::default_method::Preference;
use crate::number::PhoneNumber;
use crate::tenant::facts::{Facts, MfaState, UnknownReason};
use crate::tenant::preferences::DefaultMethod;

/// The value of a setting, desired or observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Nothing,
    Phone(PhoneNumber),
    /// A phone is registered, but its number cannot be dialled.
    UndialablePhone,
    Switch(bool),
    Default(DefaultMethod),
    /// Only desired, never observed. Which of these methods becomes the default depends on what the user has.
    Preference(Preference),
    State(MfaState),
    Unknown(UnknownReason),
}

/// One value for each setting. An unmanaged setting has the observed value, so it can never differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Values([Value; Setting::ALL.len()]);

/// A value without the parts that differ from user to user. Users with the same shapes are shown together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    Nothing,
    Phone,
    /// The value itself: users who have it are alike.
    Same(Value),
    Other,
}

/// A value as a document shows it, with its number masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    Nothing,
    Number(String),
    Switch(bool),
    Word(&'static str),
    /// In the order of preference.
    Words(Vec<&'static str>),
    /// The reason as a word.
    Unknown(&'static str),
}

impl Value {
    /// Whether the observed value satisfies the desired one. Entra turns `enabled` into `enforced` by itself
    /// for a user who has a method (Graph documentation of strongAuthenticationRequirements, checked
    /// 2026-11), so `enforced` meets `enabled`. Without a phone there is no SMS sign-in, so both switch
    /// positions are met.
    #[must_use]
    pub fn meets(self, desired: Self) -> bool {
        match (self, desired) {
            (Self::State(MfaState::Enforced), Self::State(MfaState::Enabled))
            | (Self::Nothing, Self::Switch(_)) => true,
            (Self::Default(method), Self::Preference(preference)) => {
                preference.only() == Some(method)
            }
            (observed, desired) => observed == desired,
        }
    }

    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Returns the shape by which users are grouped.
    #[must_use]
    pub const fn shape(self) -> Shape {
        match self {
            Self::Nothing => Shape::Nothing,
            Self::Phone(_) => Shape::Phone,
            Self::Switch(_) | Self::Default(_) | Self::Preference(_) | Self::State(_) => {
                Shape::Same(self)
            }
            Self::UndialablePhone | Self::Unknown(_) => Shape::Other,
        }
    }

    /// Returns the value as a document shows it.
    #[must_use]
    pub fn form(self) -> Form {
        match self {
            Self::Nothing => Form::Nothing,
            Self::Phone(number) => Form::Number(number.to_string()),
            Self::UndialablePhone => Form::Number("undialable".to_owned()),
            Self::Switch(on) => Form::Switch(on),
            Self::Default(method) => Form::Word(method.as_str()),
            Self::Preference(preference) => {
                Form::Words(preference.iter().map(DefaultMethod::as_str).collect())
            }
            Self::State(state) => Form::Word(state.as_str()),
            Self::Unknown(why) => Form::Unknown(why.as_str()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Phone(number) => number.fmt(f),
            Self::UndialablePhone => f.write_str("a number that cannot be dialled"),
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Default(method) => method.fmt(f),
            Self::Preference(preference) => preference.fmt(f),
            Self::State(state) => state.fmt(f),
            Self::Unknown(why) => write!(f, "unknown ({})", why.as_str()),
        }
    }
}

impl Values {
    /// Returns the observed value of each setting.
    #[must_use]
    pub fn observed(facts: &Facts) -> Self {
        Self(Setting::ALL.map(|setting| setting.observed(facts)))
    }

    #[must_use]
    pub fn get(&self, setting: Setting) -> Value {
        let value = self.0.get(setting as usize).copied();
        // INVARIANT: every setting has a place (see `Setting`).
        value.unwrap_or(Value::Unknown(UnknownReason::NotRead))
    }

    pub fn set(&mut self, setting: Setting, value: Value) {
        if let Some(slot) = self.0.get_mut(setting as usize) {
            *slot = value;
        }
    }
}

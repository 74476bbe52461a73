//! A value as the content of a plan has it. A plan that was read from JSON has its numbers only masked.
//!
//! Not here: the values themselves (`settings::value`), or how JSON is read (`saved::json`).

use std::fmt;

use crate::number::MaskedNumber;
use crate::settings::change::Action;
use crate::settings::{Form, Shape, Value};

/// A value of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlannedValue {
    Exact(Value),
    /// A number of which only the mask is known. Two numbers can have the same mask.
    MaskedNumber(MaskedNumber),
}

impl PlannedValue {
    pub const NOTHING: Self = Self::Exact(Value::Nothing);

    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::NOTHING
    }

    /// Whether it is a number, whole or masked.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::MaskedNumber(_) | Self::Exact(Value::Phone(_)))
    }

    /// Whether it is a phone, with a number that can be dialled or without one.
    #[must_use]
    pub const fn is_phone(&self) -> bool {
        self.is_number() || matches!(self, Self::Exact(Value::UndialablePhone))
    }

    /// Returns the value to judge an effect by. An effect depends on whether there is a number, and not on
    /// which one it is.
    #[must_use]
    pub const fn to_judge(&self) -> Value {
        match self {
            Self::Exact(value) => *value,
            Self::MaskedNumber(_) => Value::UndialablePhone,
        }
    }

    /// Returns the shape by which users are grouped.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        match self {
            Self::Exact(value) => value.shape(),
            Self::MaskedNumber(_) => Shape::Phone,
        }
    }

    /// Returns the value as a document shows it.
    #[must_use]
    pub fn form(&self) -> Form {
        match self {
            Self::Exact(value) => value.form(),
            Self::MaskedNumber(number) => Form::Number(number.to_string()),
        }
    }

    /// Returns the action that leads from one value to the other.
    #[must_use]
    pub fn action(before: &Self, after: &Self) -> Action {
        match (before.is_nothing(), after.is_nothing()) {
            (true, _) => Action::Create,
            (false, true) => Action::Delete,
            (false, false) => Action::Update,
        }
    }
}

impl From<Value> for PlannedValue {
    fn from(value: Value) -> Self {
        Self::Exact(value)
    }
}

impl fmt::Display for PlannedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(value) => value.fmt(f),
            Self::MaskedNumber(number) => number.fmt(f),
        }
    }
}

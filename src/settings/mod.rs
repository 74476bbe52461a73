//! What is managed: one file a setting with its YAML block, its rule, and the two functions that
//! make its value, one from a rule and one from facts. Both values are of one type and are compared
//! by one relation, [`Value::meets`], in the diff, before a write, after it and in every re-check.
//!
//! Not here: which rule wins (`desired`), or whether a change is safe (`plan::guard`).

pub mod change;
pub mod mobile_phone;
pub mod per_user_mfa;

use std::fmt;

use crate::finding::Code;
use crate::number::{NumberFault, PhoneNumber};
use crate::tenant::facts::{Facts, MfaState, Why};

/// A managed setting, in the order in which changes of one user are written: a method is added
/// before the state that relies on it is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    MobilePhone,
    PerUserMfa,
}

/// The value of a setting, desired or observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    Nothing,
    Phone(PhoneNumber),
    /// A phone is registered, but not a number that can be dialled.
    UndialablePhone,
    State(MfaState),
    Unknown(Why),
}

/// One value for each setting. What is unmanaged is completed from what was observed, so that it
/// can never differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Values {
    pub mobile_phone: Value,
    pub per_user_mfa: Value,
}

/// What a policy says of a setting that it mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stance<R> {
    /// Hands off, whatever policies of a larger priority want.
    Unmanaged,
    Managed(R),
}

/// The word for [`Stance::Unmanaged`] in a policy.
pub const UNMANAGED: &str = "unmanaged";

/// What a rule comes to for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// `None` where the rule cannot say anything of this user.
    pub value: Option<Value>,
    pub remark: Option<Remark>,
}

/// Something to report of one user and one setting that is no fault of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remark {
    NoNumber,
    NumberInvalid(NumberFault),
    RegionUnknown,
    NotSmsCapable,
    NumberKept,
    Unreadable(Why),
}

impl<R> Stance<R> {
    pub const fn is_unmanaged(&self) -> bool {
        matches!(self, Self::Unmanaged)
    }
}

impl Wish {
    #[must_use]
    pub const fn value(value: Value) -> Self {
        Self { value: Some(value), remark: None }
    }

    #[must_use]
    pub const fn only(remark: Remark) -> Self {
        Self { value: None, remark: Some(remark) }
    }
}

impl Remark {
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NoNumber => Code::NoNumberInDirectory,
            Self::NumberInvalid(_) => Code::NumberInvalid,
            Self::RegionUnknown => Code::NumberRegionUnknown,
            Self::NotSmsCapable => Code::NumberNotSmsCapable,
            Self::NumberKept => Code::NumberKept,
            Self::Unreadable(_) => Code::Unreadable,
        }
    }

    /// The remark in a clause that says what it is about.
    #[must_use]
    pub fn about(self, setting: Setting) -> String {
        match self {
            Self::Unreadable(_) => format!("the {} {self}", setting.name()),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("no number in the directory"),
            Self::NumberInvalid(fault) => {
                write!(f, "the number in the directory {fault}")
            }
            Self::RegionUnknown => {
                f.write_str("a national number in the directory, and nothing says of which country")
            }
            Self::NotSmsCapable => f.write_str(
                "the number in the directory is on a line that receives no text message",
            ),
            Self::NumberKept => {
                f.write_str("another number is registered than the directory holds, and it is kept")
            }
            Self::Unreadable(why) => write!(f, "could not be read: {}", why.about()),
        }
    }
}

impl Setting {
    pub const ALL: [Self; 2] = [Self::MobilePhone, Self::PerUserMfa];

    /// The path of the setting inside `desired`, as a person writes it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MobilePhone => "phones.mobile",
            Self::PerUserMfa => "perUserMfa",
        }
    }

    /// The setting in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MobilePhone => "mobile phone",
            Self::PerUserMfa => "per-user MFA",
        }
    }
}

impl Value {
    /// Whether what was observed is as good as what is desired. Entra turns `enabled` into
    /// `enforced` by itself for a user who has a method (Graph documentation of
    /// strongAuthenticationRequirements, checked 2026-11), so `enforced` meets `enabled`.
    #[must_use]
    pub fn meets(self, desired: Self) -> bool {
        match (self, desired) {
            (Self::State(MfaState::Enforced), Self::State(MfaState::Enabled)) => true,
            (observed, desired) => observed == desired,
        }
    }

    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Phone(number) => number.fmt(f),
            Self::UndialablePhone => f.write_str("a number that cannot be dialled"),
            Self::State(state) => state.fmt(f),
            Self::Unknown(why) => write!(f, "unknown ({})", why.as_str()),
        }
    }
}

impl Values {
    /// What the user has, setting by setting.
    #[must_use]
    pub fn observed(facts: &Facts) -> Self {
        Self {
            mobile_phone: mobile_phone::from_facts(facts),
            per_user_mfa: per_user_mfa::from_facts(facts),
        }
    }

    #[must_use]
    pub const fn get(&self, setting: Setting) -> Value {
        match setting {
            Setting::MobilePhone => self.mobile_phone,
            Setting::PerUserMfa => self.per_user_mfa,
        }
    }

    pub const fn set(&mut self, setting: Setting, value: Value) {
        match setting {
            Setting::MobilePhone => self.mobile_phone = value,
            Setting::PerUserMfa => self.per_user_mfa = value,
        }
    }
}

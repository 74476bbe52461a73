//! A phone that a user has registered for MFA, taken from a directory attribute: the mobile, the
//! alternate mobile and the office phone are one kind of setting in three places.
//!
//! Not here: the phone of the directory itself, which is never written; or whether it is safe to
//! write one (`plan::guard`).

mod block;
mod words;

use std::fmt;

pub use block::{Block, Mobile, Numbers};

use super::{Remark, Setting, UNMANAGED, Value, Wish};
use crate::number::{Extension, NumberFault, PhoneNumber, Region};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, Kind, Phone, Read, Why};

/// How a national number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RegionRule {
    /// By the user's own `usageLocation`.
    #[default]
    UsageLocation,
    Country(Region),
}

/// What becomes of a number that is registered already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum IfRegistered {
    /// It is left as it is.
    #[default]
    Keep,
    /// The directory wins.
    Replace,
}

/// What is wanted in one place for a phone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Absent,
    Number(Source),
}

/// Where a number comes from, and what it may do to one that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The first of these that holds something counts.
    pub from: Vec<Attribute>,
    pub region: RegionRule,
    pub if_registered: IfRegistered,
    /// Whether the number signs the user in by text; `None` where the policy does not say. Only a
    /// mobile phone can.
    pub sms_sign_in: Option<bool>,
}

/// The kind of method that stands in the place of this setting.
#[must_use]
pub const fn kind_of(setting: Setting) -> Option<Kind> {
    match setting {
        Setting::MobilePhone => Some(Kind::MobilePhone),
        Setting::AlternateMobilePhone => Some(Kind::AlternateMobilePhone),
        Setting::OfficePhone => Some(Kind::OfficePhone),
        Setting::SmsSignIn
        | Setting::DefaultMethod
        | Setting::SystemPreferredMfa
        | Setting::PerUserMfa => None,
    }
}

/// What is registered there.
#[must_use]
pub const fn from_facts(kind: Kind, facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match methods.phone(kind) {
            Phone::None => Value::Nothing,
            Phone::Number(number) => Value::Phone(number),
            Phone::Undialable => Value::UndialablePhone,
            Phone::Masked => Value::Unknown(Why::Masked),
        },
    }
}

/// What the rule wants of this user, given what is registered: a number that is there is kept
/// unless the policy says otherwise, a directory that says nothing has no opinion, and a number
/// that cannot be trusted is never wanted.
#[must_use]
pub fn from_rule(rule: &Rule, setting: Setting, user: &User, observed: Value) -> Wish {
    let source = match (rule, observed) {
        (_, Value::Unknown(why)) => return Wish::only(Remark::Unreadable(why)),
        (Rule::Absent, _) => return Wish::value(Value::Nothing),
        (Rule::Number(source), _) => source,
    };
    let read = source.read(setting, user);
    match (observed, read, source.if_registered) {
        (Value::Nothing, Ok(number), _) | (_, Ok(number), IfRegistered::Replace) => {
            Wish::value(Value::Phone(number))
        }
        // An empty attribute has no opinion on a number that is there, and a bad one none to follow.
        (Value::Nothing, Err(remark), _) => Wish::only(remark),
        (kept, Err(Remark::NoNumber), _) | (kept, Err(_), IfRegistered::Keep) => Wish::value(kept),
        (_, Err(remark), IfRegistered::Replace) => Wish::only(remark),
        (kept, Ok(number), IfRegistered::Keep) => Wish {
            value: Some(kept),
            remark: (kept != Value::Phone(number)).then_some(Remark::NumberKept),
        },
    }
}

impl Source {
    fn read(&self, setting: Setting, user: &User) -> Result<PhoneNumber, Remark> {
        let mut held = self.from.iter().filter_map(|attribute| attribute.of(user));
        let raw = held.next().ok_or(Remark::NoNumber)?;
        let region = match self.region {
            RegionRule::UsageLocation => user.usage_location,
            RegionRule::Country(region) => Some(region),
        };
        let extension = match setting {
            Setting::OfficePhone => Extension::Allowed,
            _ => Extension::Refused,
        };
        let number = PhoneNumber::read(raw.expose(), region, extension).map_err(fault)?;
        // Texts go to the mobile phone alone; the others are called.
        match setting {
            Setting::MobilePhone if !number.can_receive_text() => Err(Remark::NotSmsCapable),
            _ if !number.can_receive_call() => Err(Remark::NotCallable),
            _ => Ok(number),
        }
    }
}

const fn fault(fault: NumberFault) -> Remark {
    match fault {
        NumberFault::Empty => Remark::NoNumber,
        NumberFault::Masked => Remark::Unreadable(Why::Masked),
        NumberFault::RegionUnknown => Remark::RegionUnknown,
        fault => Remark::NumberInvalid(fault),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self {
            Self::Absent => return f.write_str(ABSENT),
            Self::Number(source) => source,
        };
        for (place, attribute) in source.from.iter().enumerate() {
            write!(f, "{}{attribute}", if place == 0 { "from " } else { ", " })?;
        }
        match source.if_registered {
            IfRegistered::Keep => Ok(()),
            IfRegistered::Replace => f.write_str(", replacing"),
        }
    }
}

/// The word for [`Rule::Absent`] in a policy.
const ABSENT: &str = "absent";

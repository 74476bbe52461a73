//! The mobile phone that a user has registered for MFA, taken from a directory attribute.
//!
//! Not here: the phone of the directory itself, which is never written.

use super::{Remark, Value, Wish};
use crate::number::{Extension, NumberFault, PhoneNumber, Region};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, Phone, Read, Why};

/// How a national number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RegionRule {
    /// By the user's own `usageLocation`.
    #[default]
    UsageLocation,
    Country(Region),
}

/// `phones.mobile: { from, region }`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    pub from: Attribute,
    pub region: RegionRule,
}

/// What is registered.
#[must_use]
pub const fn from_facts(facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match methods.mobile {
            Phone::None => Value::Nothing,
            Phone::Number(number) => Value::Phone(number),
            Phone::Undialable => Value::UndialablePhone,
            Phone::Masked => Value::Unknown(Why::Masked),
        },
    }
}

/// What the rule wants of this user, given what is registered: a number that is there is kept, a
/// directory that says nothing has no opinion, and a number that cannot be trusted is never wanted.
#[must_use]
pub fn from_rule(rule: &Rule, user: &User, observed: Value) -> Wish {
    match observed {
        Value::Nothing => match read(rule, user) {
            Ok(number) => Wish::value(Value::Phone(number)),
            Err(remark) => Wish::only(remark),
        },
        Value::Unknown(why) => Wish::only(Remark::Unreadable(why)),
        kept => Wish { value: Some(kept), remark: differs(rule, user, kept).then_some(Remark::NumberKept) },
    }
}

/// Whether the directory holds a good number that is not the registered one.
fn differs(rule: &Rule, user: &User, kept: Value) -> bool {
    read(rule, user).is_ok_and(|number| kept != Value::Phone(number))
}

fn read(rule: &Rule, user: &User) -> Result<PhoneNumber, Remark> {
    let raw = rule.from.of(user).ok_or(Remark::NoNumber)?;
    let region = match rule.region {
        RegionRule::UsageLocation => user.usage_location,
        RegionRule::Country(region) => Some(region),
    };
    let number = PhoneNumber::read(raw.expose(), region, Extension::Refused).map_err(|fault| match fault {
        NumberFault::Empty => Remark::NoNumber,
        NumberFault::Masked => Remark::Unreadable(Why::Masked),
        NumberFault::RegionUnknown => Remark::RegionUnknown,
        fault => Remark::NumberInvalid(fault),
    })?;
    if number.can_receive_text() { Ok(number) } else { Err(Remark::NotSmsCapable) }
}

//! Whether SMS sign-in is on for the registered mobile phone: `phones.mobile.smsSignIn`. It is a separate
//! setting because it is written separately, although it is part of the phone's block.
//!
//! Not here: whether the tenant allows SMS sign-in for the user (`tenant::method_policy`).

use super::{Remark, RuleResult, Value};
use crate::tenant::facts::{Facts, Phone, Read, SmsSignIn, UnknownReason};

/// Returns the observed value: `Nothing` without a phone.
#[must_use]
pub const fn from_facts(facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match (methods.mobile, methods.sms_sign_in) {
            (Phone::None, _) => Value::Nothing,
            (_, SmsSignIn::Off | SmsSignIn::Taken) => Value::Switch(false),
            (_, SmsSignIn::On) => Value::Switch(true),
            (_, SmsSignIn::Unknown) => Value::Unknown(UnknownReason::Failed),
        },
    }
}

/// Returns what the rule wants, or a remark if the present value is unknown.
#[must_use]
pub const fn from_rule(on: bool, observed: Value) -> RuleResult {
    match observed {
        Value::Unknown(why) => RuleResult::only(Remark::Unreadable(why)),
        _ => RuleResult::value(Value::Switch(on)),
    }
}

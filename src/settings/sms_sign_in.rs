//! Whether the registered mobile phone signs the user in by text: `phones.mobile.smsSignIn`, a
//! setting of its own because it is written by itself, though it stands in the phone's block.
//!
//! Not here: whether the tenant lets the user (`tenant::method_policy`).

use super::{Remark, Value, Wish};
use crate::tenant::facts::{Facts, Phone, Read, SmsSignIn, Why};

/// What was observed: nothing where there is no phone.
#[must_use]
pub const fn from_facts(facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match (methods.mobile, methods.sms_sign_in) {
            (Phone::None, _) => Value::Nothing,
            (_, SmsSignIn::Off | SmsSignIn::Taken) => Value::Switch(false),
            (_, SmsSignIn::On) => Value::Switch(true),
            (_, SmsSignIn::Unknown) => Value::Unknown(Why::Failed),
        },
    }
}

/// What the rule wants, unless nobody knows what is there.
#[must_use]
pub const fn from_rule(on: bool, observed: Value) -> Wish {
    match observed {
        Value::Unknown(why) => Wish::only(Remark::Unreadable(why)),
        _ => Wish::value(Value::Switch(on)),
    }
}

//! What goes back of one write.

use super::*;
use crate::number::{Extension, PhoneNumber};
use crate::tenant::facts::MfaState::{Disabled, Enabled, Enforced};
use crate::tenant::facts::Why;
use crate::tenant::preferences::DefaultMethod;

#[test]
fn only_what_is_as_the_run_left_it_goes_back() {
    let number = |text| Value::Phone(PhoneNumber::read(text, None, Extension::Refused).unwrap());
    let (one, other) = (number("+31612345678"), number("+31687654321"));
    let state = Value::State;
    let sms = Value::Default(DefaultMethod::Sms);
    for (setting, before, after, now, back) in [
        (Setting::MobilePhone, Value::Nothing, one, one, Back::To(Value::Nothing)),
        (Setting::MobilePhone, Value::Nothing, one, other, Back::Changed),
        (Setting::MobilePhone, other, one, one, Back::To(other)),
        (Setting::MobilePhone, one, Value::Nothing, Value::Nothing, Back::To(one)),
        (Setting::MobilePhone, Value::UndialablePhone, one, one, Back::Impossible),
        (Setting::MobilePhone, Value::Nothing, one, Value::Unknown(Why::Forbidden), Back::Changed),
        (
            Setting::PerUserMfa,
            state(Disabled),
            state(Enabled),
            state(Enforced),
            Back::To(state(Disabled)),
        ),
        (Setting::PerUserMfa, state(Disabled), state(Enabled), state(Disabled), Back::Changed),
        (
            Setting::PerUserMfa,
            state(Enabled),
            state(Disabled),
            state(Disabled),
            Back::To(state(Enabled)),
        ),
        (Setting::PerUserMfa, state(Enabled), state(Enforced), state(Enforced), Back::Along),
        (Setting::DefaultMethod, Value::Nothing, sms, sms, Back::Impossible),
        (
            Setting::SmsSignIn,
            Value::Nothing,
            Value::Switch(false),
            Value::Switch(false),
            Back::Along,
        ),
    ] {
        let (user, name) = (UserId::from_uuid(uuid::Uuid::nil()), String::new());
        let written = Written { user, name, setting, before: Some(before), after: Some(after) };
        assert_eq!(written.back(now), back, "{setting:?} {before} → {after}, now {now}");
        let forgotten = Written { before: None, ..written };
        assert_eq!(forgotten.back(now), Back::NotKept);
    }
}

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
        (Setting::MobilePhone, Value::Nothing, one, Value::Unknown(Why::Forbidden), Back::Unread),
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
        let written = Written {
            user,
            name,
            setting,
            before: Some(before),
            after: Some(after),
            is_sure: true,
        };
        assert_eq!(written.back(now), back, "{setting:?} {before} → {after}, now {now}");
        let unread = Value::Unknown(Why::Forbidden);
        assert_eq!(written.back(unread), Back::Unread, "unreadable is not changed");
        let forgotten = Written { before: None, ..written };
        assert_eq!(forgotten.back(now), Back::NotKept);
    }
}

#[test]
fn what_may_never_have_been_done_is_put_back_only_where_it_shows() {
    let phone = |digits: &str| Value::Phone(PhoneNumber::from_graph(digits).unwrap());
    let (old, new, other) = (Value::Nothing, phone("+31 612345678"), phone("+31 687654321"));
    let written = Written {
        user: UserId::from_uuid(uuid::Uuid::nil()),
        name: String::new(),
        setting: Setting::MobilePhone,
        before: Some(old),
        after: Some(new),
        is_sure: false,
    };
    assert_eq!(written.back(new), Back::To(old));
    assert_eq!(written.back(old), Back::Along, "nothing is left to put back");
    assert_eq!(written.back(other), Back::Changed);
    let certain = Written { is_sure: true, ..written };
    assert_eq!(certain.back(old), Back::Changed);
}

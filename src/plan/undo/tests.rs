//! Tests what is put back of one write.

use super::*;
use crate::number::{Extension, PhoneNumber};
use crate::tenant::facts::MfaState::{Disabled, Enabled, Enforced};
use crate::tenant::facts::UnknownReason as NotRead;
use crate::tenant::preferences::DefaultMethod;

#[test]
fn only_values_that_the_run_wrote_are_put_back() {
    let number = |text| Value::Phone(PhoneNumber::read(text, None, Extension::Refused).unwrap());
    let (one, other) = (number("+31612345678"), number("+31687654321"));
    let state = Value::State;
    let sms = Value::Default(DefaultMethod::Sms);
    let left = Back::Left;
    for (setting, before, after, now, back) in [
        (Setting::MobilePhone, Value::Nothing, one, one, Back::To(Value::Nothing)),
        (Setting::MobilePhone, Value::Nothing, one, other, left(NotPutBackReason::Changed)),
        (Setting::MobilePhone, Value::Nothing, one, Value::Nothing, Back::Along),
        (Setting::MobilePhone, other, one, one, Back::To(other)),
        (Setting::MobilePhone, other, one, other, Back::Along),
        (Setting::MobilePhone, other, one, Value::Nothing, left(NotPutBackReason::Changed)),
        (Setting::MobilePhone, one, Value::Nothing, Value::Nothing, Back::To(one)),
        (
            Setting::MobilePhone,
            Value::UndialablePhone,
            one,
            one,
            left(NotPutBackReason::Impossible),
        ),
        (
            Setting::MobilePhone,
            Value::Nothing,
            one,
            Value::Unknown(NotRead::Forbidden),
            left(NotPutBackReason::Unread),
        ),
        (
            Setting::PerUserMfa,
            state(Disabled),
            state(Enabled),
            state(Enforced),
            Back::To(state(Disabled)),
        ),
        (Setting::PerUserMfa, state(Disabled), state(Enabled), state(Disabled), Back::Along),
        (
            Setting::PerUserMfa,
            state(Disabled),
            state(Enforced),
            state(Enabled),
            left(NotPutBackReason::Changed),
        ),
        (
            Setting::PerUserMfa,
            state(Enabled),
            state(Disabled),
            state(Disabled),
            Back::To(state(Enabled)),
        ),
        (Setting::PerUserMfa, state(Enabled), state(Enforced), state(Enforced), Back::Along),
        (Setting::DefaultMethod, Value::Nothing, sms, sms, left(NotPutBackReason::Impossible)),
        (
            Setting::SmsSignIn,
            Value::Nothing,
            Value::Switch(false),
            Value::Switch(false),
            Back::Along,
        ),
    ] {
        let written = of(setting, KeptValue::Values { before, after });
        assert_eq!(written.back(now), back, "{setting:?} {before} → {after}, now {now}");
        for (kept, why) in [
            (KeptValue::NotKept, NotPutBackReason::NotKept),
            (KeptValue::Differs, NotPutBackReason::Differs),
            (KeptValue::Lost, NotPutBackReason::Lost),
        ] {
            assert_eq!(of(setting, kept).back(now), left(why));
        }
        let unsure = RunWrite { is_sure: false, ..written };
        assert!(!matches!(unsure.back(now), Back::To(_)), "it is unknown whether the run wrote it");
    }
}

#[test]
fn two_writes_of_one_setting_are_put_back_as_one() {
    let number = |text| Value::Phone(PhoneNumber::read(text, None, Extension::Refused).unwrap());
    let (one, other) = (number("+31612345678"), number("+31687654321"));
    let values = |before, after| of(Setting::MobilePhone, KeptValue::Values { before, after });
    let gone_and_back = net([values(one, Value::Nothing), values(Value::Nothing, one)]);
    let [back] = gone_and_back.as_slice() else { panic!("{gone_and_back:?}") };
    assert_eq!(back.back(one), Back::Along);
    let twice = net([values(Value::Nothing, one), values(one, other)]);
    let [back] = twice.as_slice() else { panic!("{twice:?}") };
    assert_eq!(back.back(other), Back::To(Value::Nothing));
    let lost = net([values(Value::Nothing, one), of(Setting::MobilePhone, KeptValue::Lost)]);
    assert_eq!(lost.first().map(|one| one.kept), Some(KeptValue::Lost));
    assert_eq!(net([values(one, other), of(Setting::OfficePhone, KeptValue::Lost)]).len(), 2);
}

fn of(setting: Setting, kept: KeptValue) -> RunWrite {
    let user = UserId::from_uuid(uuid::Uuid::nil());
    RunWrite { user, name: String::new(), setting, is_sure: true, kept }
}

//! Values and facts with phone numbers in full, for the two files that need them: the saved plan and the
//! restore file. These are separate types, so that no other output contains a full number by accident.
//!
//! Not here: how a value is shown to a reader (`Display`, `render`).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::PhoneNumber;
use crate::settings::Value;
use crate::settings::default_method::Preference;
use crate::tenant::facts::{
    Facts, Kinds, Methods, MfaState, Phone, Read, SmsSignIn, UnknownReason,
};
use crate::tenant::preferences::DefaultMethod;

/// The value of a setting, with numbers in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FullValue {
    Nothing,
    Phone(Number),
    UndialablePhone,
    Switch(bool),
    Default(DefaultMethodWord),
    Preference(Vec<DefaultMethodWord>),
    State(MfaState),
    Unknown(UnknownReason),
}

/// A number in full, in Graph's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub PhoneNumber);

/// A default method, serialised as its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultMethodWord(pub DefaultMethod);

/// The facts of a user, with numbers in full.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FullFacts {
    methods: Read<FullMethods>,
    state: Read<MfaState>,
    default_method: Read<Option<DefaultMethodWord>>,
    system_preferred: Read<bool>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FullMethods {
    mobile: FullPhone,
    alternate_mobile: FullPhone,
    office: FullPhone,
    kinds: Kinds,
    sms_sign_in: SmsSignIn,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum FullPhone {
    None,
    Number(Number),
    Undialable,
    Masked,
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.expose_for_graph())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        PhoneNumber::from_graph(&text).map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for DefaultMethodWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for DefaultMethodWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let method = DefaultMethod::from_word(&word);
        method.map(Self).ok_or_else(|| D::Error::custom("no default method of that name"))
    }
}

impl From<Value> for FullValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Nothing => Self::Nothing,
            Value::Phone(number) => Self::Phone(Number(number)),
            Value::UndialablePhone => Self::UndialablePhone,
            Value::Switch(on) => Self::Switch(on),
            Value::Default(method) => Self::Default(DefaultMethodWord(method)),
            Value::Preference(preference) => {
                Self::Preference(preference.iter().map(DefaultMethodWord).collect())
            }
            Value::State(state) => Self::State(state),
            Value::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<FullValue> for Value {
    fn from(value: FullValue) -> Self {
        match value {
            FullValue::Nothing => Self::Nothing,
            FullValue::Phone(Number(number)) => Self::Phone(number),
            FullValue::UndialablePhone => Self::UndialablePhone,
            FullValue::Switch(on) => Self::Switch(on),
            FullValue::Default(DefaultMethodWord(method)) => Self::Default(method),
            FullValue::Preference(words) => {
                let methods: Vec<DefaultMethod> =
                    words.into_iter().map(|DefaultMethodWord(one)| one).collect();
                Self::Preference(Preference::new(&methods))
            }
            FullValue::State(state) => Self::State(state),
            FullValue::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<Phone> for FullPhone {
    fn from(phone: Phone) -> Self {
        match phone {
            Phone::None => Self::None,
            Phone::Number(number) => Self::Number(Number(number)),
            Phone::Undialable => Self::Undialable,
            Phone::Masked => Self::Masked,
        }
    }
}

impl From<FullPhone> for Phone {
    fn from(phone: FullPhone) -> Self {
        match phone {
            FullPhone::None => Self::None,
            FullPhone::Number(Number(number)) => Self::Number(number),
            FullPhone::Undialable => Self::Undialable,
            FullPhone::Masked => Self::Masked,
        }
    }
}

impl From<Facts> for FullFacts {
    fn from(facts: Facts) -> Self {
        Self {
            methods: facts.methods.map(|methods| FullMethods {
                mobile: methods.mobile.into(),
                alternate_mobile: methods.alternate_mobile.into(),
                office: methods.office.into(),
                kinds: methods.kinds,
                sms_sign_in: methods.sms_sign_in,
            }),
            state: facts.state,
            default_method: facts.default_method.map(|method| method.map(DefaultMethodWord)),
            system_preferred: facts.system_preferred,
        }
    }
}

// INVARIANT: `kinds` agrees with the phones, because this program wrote both. A digest refuses a file that was
// edited.
impl From<FullFacts> for Facts {
    fn from(facts: FullFacts) -> Self {
        Self {
            methods: facts.methods.map(|methods| Methods {
                mobile: methods.mobile.into(),
                alternate_mobile: methods.alternate_mobile.into(),
                office: methods.office.into(),
                kinds: methods.kinds,
                sms_sign_in: methods.sms_sign_in,
            }),
            state: facts.state,
            default_method: facts
                .default_method
                .map(|method| method.map(|DefaultMethodWord(one)| one)),
            system_preferred: facts.system_preferred,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Extension;
    use crate::tenant::facts::MethodKind;

    #[test]
    fn values_and_facts_survive_a_round_trip() {
        let number = |text| PhoneNumber::read(text, None, Extension::Allowed).unwrap();
        let numbers = ["+31612345678", "+12065550123", "+390612345678", "+31201234567x123"];
        let values = numbers.map(|text| Value::Phone(number(text))).into_iter().chain([
            Value::Nothing,
            Value::UndialablePhone,
            Value::Switch(true),
            Value::Default(DefaultMethod::Sms),
            Value::Preference(Preference::new(&[DefaultMethod::Push, DefaultMethod::Sms])),
            Value::State(MfaState::Enforced),
            Value::Unknown(UnknownReason::Forbidden),
        ]);
        for value in values {
            let text = serde_json::to_string(&FullValue::from(value)).unwrap();
            let read: FullValue = serde_json::from_str(&text).unwrap();
            assert_eq!(Value::from(read), value, "{text}");
        }
        let methods = Methods {
            mobile: Phone::Number(number("+31612345678")),
            office: Phone::Masked,
            kinds: [MethodKind::MobilePhone, MethodKind::OfficePhone].into_iter().collect(),
            sms_sign_in: SmsSignIn::Taken,
            ..Methods::default()
        };
        let facts = Facts {
            methods: Read::Known(methods),
            state: Read::Known(MfaState::Disabled),
            default_method: Read::Known(None),
            system_preferred: Read::Unknown(UnknownReason::NotRead),
        };
        for facts in [facts, Facts::NOT_READ] {
            let text = serde_json::to_string(&FullFacts::from(facts)).unwrap();
            let read: FullFacts = serde_json::from_str(&text).unwrap();
            assert_eq!(Facts::from(read), facts, "{text}");
        }
    }
}

//! What is managed: one file a setting with its YAML block, its rule, and the two functions that
//! make its value, one from a rule and one from facts. Both values are of one type and are compared
//! by one relation, [`Value::meets`], in the diff, before a write, after it and in every re-check.
//!
//! Not here: which rule wins (`desired`), or whether a change is safe (`plan::guard`).

pub mod change;
pub mod default_method;
pub mod one_or_more;
pub mod per_user_mfa;
pub mod phone;
pub mod sms_sign_in;
pub mod system_preferred_mfa;

use std::fmt;

use crate::finding::Code;
use crate::number::{NumberFault, PhoneNumber, Region};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, Kind, MfaState, Why};
use crate::tenant::preferences::DefaultMethod;
use default_method::Preference;
use phone::ReadAs;

/// A managed setting, in the order in which they are shown. The order of writing is
/// [`change::Stage`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Setting {
    MobilePhone,
    AlternateMobilePhone,
    OfficePhone,
    /// Whether the mobile phone signs the user in by text; part of the rule for that phone.
    SmsSignIn,
    DefaultMethod,
    SystemPreferredMfa,
    PerUserMfa,
}

/// The value of a setting, desired or observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Nothing,
    Phone(PhoneNumber),
    /// A phone is registered, but not a number that can be dialled.
    UndialablePhone,
    Switch(bool),
    Default(DefaultMethod),
    /// Desired only: which of these it comes to depends on what the user has.
    Preference(Preference),
    State(MfaState),
    Unknown(Why),
}

/// One value for each setting. What is unmanaged is completed from what was observed, so that it
/// can never differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Values([Value; Setting::ALL.len()]);

/// What a policy wants of one setting, checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Phone(phone::Rule),
    SmsSignIn(bool),
    DefaultMethod(default_method::Rule),
    SystemPreferredMfa(system_preferred_mfa::Rule),
    PerUserMfa(per_user_mfa::Rule),
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
    /// The country that a national number was taken to be of.
    pub read_as: Option<ReadAs>,
}

/// Something to report of one user and one setting that is no fault of the policy.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Remark {
    NoNumber,
    NumberInvalid(NumberFault),
    RegionUnknown,
    /// `usageLocation` and `country` make two numbers of one text.
    #[serde(rename_all = "camelCase")]
    RegionsDisagree {
        usage_location: Region,
        country: Region,
    },
    /// A national number was read without the user's `country`, which is no country.
    CountryUnread,
    NotSmsCapable,
    NotCallable,
    NumberKept,
    Unreadable(Why),
}

impl<R> Stance<R> {
    pub fn map<S>(self, f: impl FnOnce(R) -> S) -> Stance<S> {
        match self {
            Self::Unmanaged => Stance::Unmanaged,
            Self::Managed(rule) => Stance::Managed(f(rule)),
        }
    }

    pub const fn is_unmanaged(&self) -> bool {
        matches!(self, Self::Unmanaged)
    }
}

impl Wish {
    #[must_use]
    pub const fn value(value: Value) -> Self {
        Self { value: Some(value), remark: None, read_as: None }
    }

    #[must_use]
    pub const fn only(remark: Remark) -> Self {
        Self { value: None, remark: Some(remark), read_as: None }
    }
}

impl Remark {
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NoNumber => Code::NoNumberInDirectory,
            Self::NumberInvalid(_) => Code::NumberInvalid,
            Self::RegionUnknown => Code::NumberRegionUnknown,
            Self::RegionsDisagree { .. } => Code::NumberRegionConflict,
            Self::CountryUnread => Code::CountryUnread,
            Self::NotSmsCapable => Code::NumberNotSmsCapable,
            Self::NotCallable => Code::NumberInvalid,
            Self::NumberKept => Code::NumberKept,
            Self::Unreadable(_) => Code::Unreadable,
        }
    }

    /// The remark in a clause that says what it is about.
    #[must_use]
    pub fn about(self, setting: Setting) -> String {
        match self {
            Self::Unreadable(_) => format!("the {} {self}", setting.name()),
            _ if setting == Setting::MobilePhone => self.to_string(),
            _ => format!("{self}, for the {}", setting.name()),
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
            Self::RegionsDisagree { usage_location, country } => write!(
                f,
                "a national number in the directory, which `usageLocation` {usage_location} and `country` {country} make two different numbers of"
            ),
            Self::CountryUnread => f.write_str(
                "a national number in the directory was read without `country`, which holds no country that mfactl knows",
            ),
            Self::NotSmsCapable => f.write_str(
                "the number in the directory is on a line that receives no text message",
            ),
            Self::NotCallable => f.write_str(
                "the number in the directory is on a line that nobody answers a call at",
            ),
            Self::NumberKept => {
                f.write_str("another number is registered than the directory holds, and it is kept")
            }
            Self::Unreadable(why) => write!(f, "could not be read: {}", why.about()),
        }
    }
}

impl Setting {
    pub const ALL: [Self; 7] = [
        Self::MobilePhone,
        Self::AlternateMobilePhone,
        Self::OfficePhone,
        Self::SmsSignIn,
        Self::DefaultMethod,
        Self::SystemPreferredMfa,
        Self::PerUserMfa,
    ];

    /// The path of the setting inside `desired`, as a person writes it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MobilePhone => "phones.mobile",
            Self::AlternateMobilePhone => "phones.alternateMobile",
            Self::OfficePhone => "phones.office",
            Self::SmsSignIn => "phones.mobile.smsSignIn",
            Self::DefaultMethod => "defaultMethod",
            Self::SystemPreferredMfa => "systemPreferredMfa",
            Self::PerUserMfa => "perUserMfa",
        }
    }

    /// The setting in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MobilePhone => "mobile phone",
            Self::AlternateMobilePhone => "alternate mobile",
            Self::OfficePhone => "office phone",
            Self::SmsSignIn => "SMS sign-in",
            Self::DefaultMethod => "default method",
            Self::SystemPreferredMfa => "system-preferred MFA",
            Self::PerUserMfa => "per-user MFA",
        }
    }

    /// The kind of method that it places, where it is a phone.
    #[must_use]
    pub const fn phone(self) -> Option<Kind> {
        phone::kind_of(self)
    }

    const fn place(self) -> usize {
        self as usize
    }
}

impl Rule {
    /// What the rule comes to for a user of whom this was observed.
    #[must_use]
    pub fn wish(&self, setting: Setting, user: &User, observed: Value) -> Wish {
        match self {
            Self::Phone(rule) => phone::from_rule(rule, setting, user, observed),
            Self::SmsSignIn(on) => sms_sign_in::from_rule(*on, observed),
            Self::DefaultMethod(rule) => default_method::from_rule(rule, observed),
            Self::SystemPreferredMfa(rule) => system_preferred_mfa::from_rule(rule, observed),
            Self::PerUserMfa(rule) => per_user_mfa::from_rule(rule, observed),
        }
    }

    /// What it wants, as far as that does not depend on the user.
    #[must_use]
    pub const fn wanted(&self) -> Value {
        match self {
            Self::Phone(_) => Value::Nothing,
            Self::SmsSignIn(on) => Value::Switch(*on),
            Self::DefaultMethod(rule) => Value::Preference(rule.preference),
            Self::SystemPreferredMfa(rule) => Value::Switch(rule.on),
            Self::PerUserMfa(rule) => Value::State(rule.0),
        }
    }

    /// The directory attributes that it reads.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        match self {
            Self::Phone(phone::Rule::Number(source)) => &source.from,
            _ => &[],
        }
    }

    /// Whether the default method has to be known to follow it, or to follow it safely.
    #[must_use]
    pub const fn needs_preferences(&self) -> bool {
        match self {
            Self::Phone(rule) => matches!(rule, phone::Rule::Absent),
            Self::DefaultMethod(_) | Self::SystemPreferredMfa(_) => true,
            Self::SmsSignIn(_) | Self::PerUserMfa(_) => false,
        }
    }

    /// Whether it is to be followed also where that leaves something weaker.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        match self {
            Self::DefaultMethod(rule) => rule.exactly,
            Self::SystemPreferredMfa(rule) => rule.exactly,
            Self::Phone(_) | Self::SmsSignIn(_) | Self::PerUserMfa(_) => false,
        }
    }

    /// Whether it may take what another has: a number, or signing in with one.
    #[must_use]
    pub const fn concerns_others(&self) -> bool {
        match self {
            Self::Phone(phone::Rule::Number(source)) => {
                matches!(source.if_registered, phone::IfRegistered::Replace)
            }
            Self::SmsSignIn(on) => *on,
            _ => false,
        }
    }

    /// Whether it says what becomes of signing in by text.
    #[must_use]
    pub const fn settles_sms_sign_in(&self) -> bool {
        match self {
            Self::Phone(phone::Rule::Number(source)) => source.sms_sign_in.is_some(),
            _ => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(rule) => rule.fmt(f),
            Self::SmsSignIn(on) => Value::Switch(*on).fmt(f),
            Self::DefaultMethod(rule) => rule.fmt(f),
            Self::SystemPreferredMfa(rule) => rule.fmt(f),
            Self::PerUserMfa(rule) => rule.0.fmt(f),
        }
    }
}

impl Value {
    /// Whether what was observed is as good as what is desired. Entra turns `enabled` into
    /// `enforced` by itself for a user who has a method (Graph documentation of
    /// strongAuthenticationRequirements, checked 2026-11), so `enforced` meets `enabled`; and where
    /// there is no phone, nothing signs in by text or should.
    #[must_use]
    pub fn meets(self, desired: Self) -> bool {
        match (self, desired) {
            (Self::State(MfaState::Enforced), Self::State(MfaState::Enabled))
            | (Self::Nothing, Self::Switch(_)) => true,
            (Self::Default(method), Self::Preference(preference)) => {
                preference.only() == Some(method)
            }
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
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Default(method) => method.fmt(f),
            Self::Preference(preference) => preference.fmt(f),
            Self::State(state) => state.fmt(f),
            Self::Unknown(why) => write!(f, "unknown ({})", why.as_str()),
        }
    }
}

impl Values {
    /// What the user has, setting by setting.
    #[must_use]
    pub fn observed(facts: &Facts) -> Self {
        Self(Setting::ALL.map(|setting| match setting {
            Setting::MobilePhone => phone::from_facts(Kind::MobilePhone, facts),
            Setting::AlternateMobilePhone => phone::from_facts(Kind::AlternateMobilePhone, facts),
            Setting::OfficePhone => phone::from_facts(Kind::OfficePhone, facts),
            Setting::SmsSignIn => sms_sign_in::from_facts(facts),
            Setting::DefaultMethod => default_method::from_facts(facts),
            Setting::SystemPreferredMfa => system_preferred_mfa::from_facts(facts),
            Setting::PerUserMfa => per_user_mfa::from_facts(facts),
        }))
    }

    #[must_use]
    pub fn get(&self, setting: Setting) -> Value {
        self.0.get(setting.place()).copied().unwrap_or(Value::Unknown(Why::NotRead))
    }

    pub fn set(&mut self, setting: Setting, value: Value) {
        if let Some(slot) = self.0.get_mut(setting.place()) {
            *slot = value;
        }
    }
}

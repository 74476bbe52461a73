//! The settings that policies manage. Each setting has a file with its YAML block, its rule, and two
//! functions that make its value: one from a rule, one from facts. Both values have the same type, and one
//! relation compares them, [`Value::meets`]: in the diff, before a write, after it and in every re-check.
//!
//! Not here: which rule wins (`desired`), or whether a change is safe (`plan::guard`).

pub mod change;
pub mod default_method;
pub mod full_value;
pub mod one_or_more;
pub mod per_user_mfa;
pub mod phone;
pub mod sms_sign_in;
pub mod system_preferred_mfa;

use std::fmt;

use crate::finding::Code;
use crate::number::{NumberFault, PhoneNumber, Region};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, MethodKind, MfaState, UnknownReason};
use crate::tenant::preferences::DefaultMethod;
use default_method::Preference;
use phone::ReadAs;

/// A managed setting, in the order of showing. The order of writing is that of [`change::Stage`].
// INVARIANT: the variants are in the order of [`Setting::ALL`], because `place` is an index into it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Setting {
    MobilePhone,
    AlternateMobilePhone,
    OfficePhone,
    /// Whether the user can use SMS sign-in with the mobile phone. Part of the rule for that phone.
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
    /// A phone is registered, but its number cannot be dialled.
    UndialablePhone,
    Switch(bool),
    Default(DefaultMethod),
    /// Only desired, never observed. Which of these methods becomes the default depends on what the user has.
    Preference(Preference),
    State(MfaState),
    Unknown(UnknownReason),
}

/// One value for each setting. An unmanaged setting has the observed value, so it can never differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Values([Value; Setting::ALL.len()]);

/// What a policy wants for one setting, checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingRule {
    Phone(phone::PhoneRule),
    SmsSignIn(bool),
    DefaultMethod(default_method::DefaultMethodRule),
    SystemPreferredMfa(system_preferred_mfa::SystemPreferredRule),
    PerUserMfa(per_user_mfa::PerUserMfaRule),
}

/// The position of a policy on a setting that it mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Management<R> {
    /// The setting stays as it is, whatever policies with a larger priority number want.
    Unmanaged,
    Managed(R),
}

/// The word for [`Management::Unmanaged`] in a policy.
pub const UNMANAGED: &str = "unmanaged";

/// The result of a rule for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleResult {
    /// `None` if the rule yields no value for this user.
    pub value: Option<Value>,
    pub remark: Option<Remark>,
    /// The country by which a national number was read.
    pub read_as: Option<ReadAs>,
}

/// Something to report about one user and one setting that is not an error of the policy.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Remark {
    NoNumber,
    NumberInvalid(NumberFault),
    RegionUnknown,
    /// `usageLocation` and `country` turn one text into two different numbers.
    #[serde(rename_all = "camelCase")]
    RegionsDisagree {
        usage_location: Region,
        country: Region,
    },
    /// A national number was read without the user's `country`, because its text is not a country.
    CountryUnread,
    NotSmsCapable,
    NotCallable,
    NumberKept,
    Unreadable(UnknownReason),
}

impl<R> Management<R> {
    pub fn map<S>(self, f: impl FnOnce(R) -> S) -> Management<S> {
        match self {
            Self::Unmanaged => Management::Unmanaged,
            Self::Managed(rule) => Management::Managed(f(rule)),
        }
    }

    pub const fn is_unmanaged(&self) -> bool {
        matches!(self, Self::Unmanaged)
    }
}

impl RuleResult {
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

    /// Returns the remark as a clause that names the setting.
    #[must_use]
    pub fn about(self, setting: Setting) -> String {
        match self {
            Self::Unreadable(_) => format!("the {} {self}", setting.name()),
            _ if setting == Setting::MobilePhone => self.to_string(),
            _ => format!("{self} (for the {})", setting.name()),
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
                f.write_str("the number in the directory has no country code, and its country is unknown")
            }
            Self::RegionsDisagree { usage_location, country } => write!(
                f,
                "the number in the directory has no country code, and `usageLocation` {usage_location} and `country` {country} turn it into two different numbers"
            ),
            Self::CountryUnread => f.write_str(
                "the number in the directory has no country code and was read without `country`, which holds no country that mfactl knows",
            ),
            Self::NotSmsCapable => f.write_str(
                "the number in the directory is on a line that cannot receive text messages",
            ),
            Self::NotCallable => f.write_str(
                "the number in the directory is on a line that cannot take a call",
            ),
            Self::NumberKept => {
                f.write_str("the registered number differs from the one in the directory, and it is kept")
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

    /// Returns the path of the setting inside `desired`, as a policy has it.
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

    /// Returns the name of the setting for a sentence.
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

    /// Returns the kind of method that the setting registers, if it is a phone.
    #[must_use]
    pub const fn phone(self) -> Option<MethodKind> {
        phone::kind_of(self)
    }

    const fn place(self) -> usize {
        self as usize
    }
}

impl SettingRule {
    /// Returns the result of the rule for a user with the observed value.
    #[must_use]
    pub fn wish(&self, setting: Setting, user: &User, observed: Value) -> RuleResult {
        match self {
            Self::Phone(rule) => phone::from_rule(rule, setting, user, observed),
            Self::SmsSignIn(on) => sms_sign_in::from_rule(*on, observed),
            Self::DefaultMethod(rule) => default_method::from_rule(rule, observed),
            Self::SystemPreferredMfa(rule) => system_preferred_mfa::from_rule(rule, observed),
            Self::PerUserMfa(rule) => per_user_mfa::from_rule(rule, observed),
        }
    }

    /// Returns what the rule wants, as far as that does not depend on the user.
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

    /// Returns the directory attributes that the rule reads.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        match self {
            Self::Phone(phone::PhoneRule::Number(source)) => &source.from,
            _ => &[],
        }
    }

    /// Whether the default method must be known to follow the rule, or to follow it safely.
    #[must_use]
    pub const fn needs_preferences(&self) -> bool {
        match self {
            Self::Phone(rule) => matches!(rule, phone::PhoneRule::Absent),
            Self::DefaultMethod(_) | Self::SystemPreferredMfa(_) => true,
            Self::SmsSignIn(_) | Self::PerUserMfa(_) => false,
        }
    }

    /// Whether the rule counts even if it leaves something weaker.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        match self {
            Self::DefaultMethod(rule) => rule.exactly,
            Self::SystemPreferredMfa(rule) => rule.exactly,
            Self::Phone(_) | Self::SmsSignIn(_) | Self::PerUserMfa(_) => false,
        }
    }

    /// Whether the rule can conflict with another user: over a number, or over SMS sign-in with one.
    #[must_use]
    pub const fn concerns_others(&self) -> bool {
        match self {
            Self::Phone(phone::PhoneRule::Number(source)) => {
                matches!(source.if_registered, phone::IfRegistered::Replace)
            }
            Self::SmsSignIn(on) => *on,
            _ => false,
        }
    }

    /// Whether the rule says if SMS sign-in is on or off.
    #[must_use]
    pub const fn settles_sms_sign_in(&self) -> bool {
        match self {
            Self::Phone(phone::PhoneRule::Number(source)) => source.sms_sign_in.is_some(),
            _ => false,
        }
    }
}

impl fmt::Display for SettingRule {
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
    /// Whether the observed value satisfies the desired one. Entra turns `enabled` into `enforced` by itself
    /// for a user who has a method (Graph documentation of strongAuthenticationRequirements, checked
    /// 2026-11), so `enforced` meets `enabled`. Without a phone there is no SMS sign-in, so both switch
    /// positions are met.
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
    /// Returns the observed value of each setting.
    #[must_use]
    pub fn observed(facts: &Facts) -> Self {
        Self(Setting::ALL.map(|setting| match setting {
            Setting::MobilePhone => phone::from_facts(MethodKind::MobilePhone, facts),
            Setting::AlternateMobilePhone => {
                phone::from_facts(MethodKind::AlternateMobilePhone, facts)
            }
            Setting::OfficePhone => phone::from_facts(MethodKind::OfficePhone, facts),
            Setting::SmsSignIn => sms_sign_in::from_facts(facts),
            Setting::DefaultMethod => default_method::from_facts(facts),
            Setting::SystemPreferredMfa => system_preferred_mfa::from_facts(facts),
            Setting::PerUserMfa => per_user_mfa::from_facts(facts),
        }))
    }

    #[must_use]
    pub fn get(&self, setting: Setting) -> Value {
        self.0.get(setting.place()).copied().unwrap_or(Value::Unknown(UnknownReason::NotRead))
    }

    pub fn set(&mut self, setting: Setting, value: Value) {
        if let Some(slot) = self.0.get_mut(setting.place()) {
            *slot = value;
        }
    }
}

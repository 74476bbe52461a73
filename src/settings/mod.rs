//! The settings that policies manage. Each setting has a file with its YAML block, its rule, and its
//! [`kind::SettingKind`]: two functions make its value, one from a rule and one from facts. Both values have
//! the same type, and one relation compares them, [`Value::meets`]: in the diff, before a write, after it and
//! in every re-check. `registry` lists the settings, and everything that goes through all of them follows from
//! its table.
//!
//! Not here: which rule wins (`desired`), or whether a change is safe (`plan::guard`).

pub mod change;
pub mod default_method;
pub mod digest;
pub mod full_value;
pub mod kind;
pub mod one_or_more;
pub mod per_user_mfa;
pub mod phone;
mod registry;
pub mod sms_sign_in;
pub mod system_preferred_mfa;
mod value;

use std::fmt;

pub use registry::{Setting, SettingRule};
pub use value::{Form, Shape, Value, Values};

use crate::finding::Code;
use crate::number::{NumberFault, Region};
use crate::tenant::facts::UnknownReason;
use phone::ReadAs;

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

    /// Returns the value, or a remark if the present value is unknown.
    #[must_use]
    pub const fn if_known(observed: Value, wanted: Value) -> Self {
        match observed {
            Value::Unknown(why) => Self::only(Remark::Unreadable(why)),
            _ => Self::value(wanted),
        }
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

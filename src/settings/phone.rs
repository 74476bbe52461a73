//! A phone that a user has registered for MFA, taken from a directory attribute: the mobile, the
//! alternate mobile and the office phone are one kind of setting in three places.
//!
//! Not here: the phone of the directory itself, which is never written; or whether it is safe to
//! write one (`plan::guard`).

mod block;
mod words;

use std::fmt;

pub use block::{Block, Mobile, Numbers};

use super::{Remark, Setting, UNMANAGED, Value, Wish};
use crate::number::{Extension, NumberFault, PhoneNumber, Region};
use crate::tenant::directory::{Attribute, Country, User};
use crate::tenant::facts::{Facts, Kind, Phone, Read, Why};

/// What says of which country a national number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegionRule {
    /// The user's own `usageLocation`.
    UsageLocation,
    /// The user's own `country`.
    Country,
    /// The policy.
    Named(Region),
}

impl RegionRule {
    /// What counts where a policy says nothing. It gives way to nothing, and where `country` says
    /// otherwise, to nobody.
    pub const DEFAULT: [Self; 1] = [Self::UsageLocation];

    fn of(self, user: &User) -> Option<ReadAs> {
        let (region, by) = match self {
            Self::UsageLocation => (user.usage_location, RegionSource::UsageLocation),
            Self::Country => (user.country.known(), RegionSource::Country),
            Self::Named(region) => (Some(region), RegionSource::Policy),
        };
        region.map(|region| ReadAs { region, by })
    }
}

impl fmt::Display for RegionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsageLocation => f.write_str("usageLocation"),
            Self::Country => f.write_str("country"),
            Self::Named(region) => region.fmt(f),
        }
    }
}

/// The country that a national number was taken to be of, and what said so.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ReadAs {
    pub region: Region,
    pub by: RegionSource,
}

/// What decided of which country a national number is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum RegionSource {
    UsageLocation,
    Country,
    Policy,
}

impl RegionSource {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsageLocation => "usageLocation",
            Self::Country => "country",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for ReadAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read as {}, by {}", self.region, self.by.as_str())
    }
}

/// What becomes of a number that is registered already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum IfRegistered {
    /// It is left as it is.
    #[default]
    Keep,
    /// The directory wins.
    Replace,
}

/// What is wanted in one place for a phone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Absent,
    Number(Source),
}

/// Where a number comes from, and what it may do to one that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The first of these that holds something counts.
    pub from: Vec<Attribute>,
    /// A national number is read by the first of these that gives one.
    pub region: Vec<RegionRule>,
    pub if_registered: IfRegistered,
    /// Whether the number signs the user in by text; `None` where the policy does not say. Only a
    /// mobile phone can.
    pub sms_sign_in: Option<bool>,
}

/// The kind of method that stands in the place of this setting.
#[must_use]
pub const fn kind_of(setting: Setting) -> Option<Kind> {
    match setting {
        Setting::MobilePhone => Some(Kind::MobilePhone),
        Setting::AlternateMobilePhone => Some(Kind::AlternateMobilePhone),
        Setting::OfficePhone => Some(Kind::OfficePhone),
        Setting::SmsSignIn
        | Setting::DefaultMethod
        | Setting::SystemPreferredMfa
        | Setting::PerUserMfa => None,
    }
}

/// What is registered there.
#[must_use]
pub const fn from_facts(kind: Kind, facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match methods.phone(kind) {
            Phone::None => Value::Nothing,
            Phone::Number(number) => Value::Phone(number),
            Phone::Undialable => Value::UndialablePhone,
            Phone::Masked => Value::Unknown(Why::Masked),
        },
    }
}

/// What the rule wants of this user, given what is registered: a number that is there is kept
/// unless the policy says otherwise, a directory that says nothing has no opinion, and a number
/// that cannot be trusted is never wanted.
#[must_use]
pub fn from_rule(rule: &Rule, setting: Setting, user: &User, observed: Value) -> Wish {
    let source = match (rule, observed) {
        (_, Value::Unknown(why)) => return Wish::only(Remark::Unreadable(why)),
        (Rule::Absent, _) => return Wish::value(Value::Nothing),
        (Rule::Number(source), _) => source,
    };
    let read = source.read(setting, user);
    match (observed, read, source.if_registered) {
        (Value::Nothing, Ok(read), _) | (_, Ok(read), IfRegistered::Replace) => {
            let value = Value::Phone(read.number);
            let remark = read.remark(user).filter(|_| observed != value);
            Wish { value: Some(value), remark, read_as: read.read_as }
        }
        // An empty attribute has no opinion on a number that is there, and a bad one none to follow.
        (Value::Nothing, Err(remark), _) => Wish::only(remark),
        (kept, Err(Remark::NoNumber), _) | (kept, Err(_), IfRegistered::Keep) => Wish::value(kept),
        (_, Err(remark), IfRegistered::Replace) => Wish::only(remark),
        (kept, Ok(read), IfRegistered::Keep) => {
            let differs = kept != Value::Phone(read.number);
            Wish { remark: differs.then_some(Remark::NumberKept), ..Wish::value(kept) }
        }
    }
}

/// A number of the directory.
struct Found {
    number: PhoneNumber,
    /// Where it says no country itself.
    read_as: Option<ReadAs>,
}

impl Found {
    /// What has to be said of how it was read.
    fn remark(&self, user: &User) -> Option<Remark> {
        let unread = self.read_as.is_some() && user.country == Country::Unread;
        unread.then_some(Remark::CountryUnread)
    }
}

impl Source {
    fn read(&self, setting: Setting, user: &User) -> Result<Found, Remark> {
        let mut held = self.from.iter().filter_map(|attribute| attribute.of(user));
        let raw = held.next().ok_or(Remark::NoNumber)?;
        let extension = match setting {
            Setting::OfficePhone => Extension::Allowed,
            _ => Extension::Refused,
        };
        let read = |region| PhoneNumber::read(raw.expose(), region, extension);
        self.agreed(user, read)?;
        let found = self.first(user, read).map_err(fault)?;
        // Texts go to the mobile phone alone; the others are called.
        match setting {
            Setting::MobilePhone if !found.number.can_receive_text() => Err(Remark::NotSmsCapable),
            _ if !found.number.can_receive_call() => Err(Remark::NotCallable),
            _ => Ok(found),
        }
    }

    /// Nobody said which of two countries counts that make two numbers of one text: either could be a
    /// stranger's.
    fn agreed(
        &self,
        user: &User,
        read: impl Fn(Option<Region>) -> Result<PhoneNumber, NumberFault>,
    ) -> Result<(), Remark> {
        let both = user.usage_location.zip(user.country.known());
        let Some((usage_location, country)) = both.filter(|(one, other)| one != other) else {
            return Ok(());
        };
        if self.region != RegionRule::DEFAULT {
            return Ok(());
        }
        match (read(Some(usage_location)), read(Some(country))) {
            (Ok(one), Ok(other)) if one != other => {
                Err(Remark::RegionsDisagree { usage_location, country })
            }
            _ => Ok(()),
        }
    }

    /// The first reading that gives a number. What can be read in two ways by one country is left.
    fn first(
        &self,
        user: &User,
        read: impl Fn(Option<Region>) -> Result<PhoneNumber, NumberFault>,
    ) -> Result<Found, NumberFault> {
        let alone = read(None);
        let mut missed = None;
        for read_as in self.region.iter().filter_map(|rule| rule.of(user)) {
            match read(Some(read_as.region)) {
                Ok(number) => {
                    let read_as = (alone != Ok(number)).then_some(read_as);
                    return Ok(Found { number, read_as });
                }
                Err(NumberFault::Ambiguous) => return Err(NumberFault::Ambiguous),
                Err(fault) => _ = missed.get_or_insert(fault),
            }
        }
        match missed {
            Some(fault) => Err(fault),
            None => alone.map(|number| Found { number, read_as: None }),
        }
    }
}

const fn fault(fault: NumberFault) -> Remark {
    match fault {
        NumberFault::Empty => Remark::NoNumber,
        NumberFault::Masked => Remark::Unreadable(Why::Masked),
        NumberFault::RegionUnknown => Remark::RegionUnknown,
        fault => Remark::NumberInvalid(fault),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self {
            Self::Absent => return f.write_str(ABSENT),
            Self::Number(source) => source,
        };
        for (place, attribute) in source.from.iter().enumerate() {
            write!(f, "{}{attribute}", if place == 0 { "from " } else { ", " })?;
        }
        if source.region != RegionRule::DEFAULT {
            for (place, rule) in source.region.iter().enumerate() {
                write!(f, "{}{rule}", if place == 0 { ", read by " } else { ", else " })?;
            }
        }
        match source.if_registered {
            IfRegistered::Keep => Ok(()),
            IfRegistered::Replace => f.write_str(", replacing"),
        }
    }
}

/// The word for [`Rule::Absent`] in a policy.
const ABSENT: &str = "absent";

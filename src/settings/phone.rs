//! A phone that is registered for MFA, with a number from a directory attribute. The mobile, the alternate
//! mobile and the office phone are three settings of this kind.
//!
//! Not here: the phone attributes of the directory, which are never written, or whether a write is safe
//! (`plan::guard`).

mod block;
mod setting;
mod words;

use std::fmt;

pub use block::{Mobile, Numbers, PhoneBlock};
pub use setting::{
    AlternateMobilePhoneSetting, MobilePhoneSetting, OfficePhoneSetting, PhoneSetting,
};

use super::{Remark, RuleResult, Setting, UNMANAGED, Value};
use crate::number::{Extension, NumberFault, PhoneNumber, Region};
use crate::tenant::directory::{Attribute, Country, User};
use crate::tenant::facts::{Facts, MethodKind, Phone, Read, UnknownReason};

/// Where the country of a national number comes from.
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
    /// The rule if the policy has none. There is no second choice; if `country` gives a different number, no
    /// number is used.
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

/// The country by which a national number was read, and where that country came from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ReadAs {
    pub region: Region,
    pub by: RegionSource,
}

/// What decided the country of a national number.
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

/// What happens to a number that is registered already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum IfRegistered {
    /// It stays.
    #[default]
    Keep,
    /// The number of the directory overwrites it.
    Replace,
}

/// What a policy wants for one of the three phones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhoneRule {
    Absent,
    Number(NumberSource),
}

/// Where a number comes from, and whether it may overwrite a registered one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberSource {
    /// The first attribute with a value counts.
    pub from: Vec<Attribute>,
    /// The first rule that gives a number counts for a national number.
    pub region: Vec<RegionRule>,
    pub if_registered: IfRegistered,
    /// Whether SMS sign-in is on for the number. `None` if the policy does not say. Only a mobile phone can
    /// have it.
    pub sms_sign_in: Option<bool>,
}

/// Returns the registered value.
#[must_use]
pub const fn from_facts(kind: MethodKind, facts: &Facts) -> Value {
    match &facts.methods {
        Read::Unknown(why) => Value::Unknown(*why),
        Read::Known(methods) => match methods.phone(kind) {
            Phone::None => Value::Nothing,
            Phone::Number(number) => Value::Phone(number),
            Phone::Undialable => Value::UndialablePhone,
            Phone::Masked => Value::Unknown(UnknownReason::Masked),
        },
    }
}

/// Returns what the rule wants for this user, given the registered value. A registered number is kept unless
/// the policy says otherwise, an empty attribute changes nothing, and an unreliable number is never wanted.
#[must_use]
pub fn from_rule(rule: &PhoneRule, setting: Setting, user: &User, observed: Value) -> RuleResult {
    let source = match (rule, observed) {
        (_, Value::Unknown(why)) => return RuleResult::only(Remark::Unreadable(why)),
        (PhoneRule::Absent, _) => return RuleResult::value(Value::Nothing),
        (PhoneRule::Number(source), _) => source,
    };
    let read = source.read(setting, user);
    match (observed, read, source.if_registered) {
        (Value::Nothing, Ok(read), _) | (_, Ok(read), IfRegistered::Replace) => {
            let value = Value::Phone(read.number);
            let remark = read.remark(user).filter(|_| observed != value);
            RuleResult { value: Some(value), remark, read_as: read.read_as }
        }
        // An empty or invalid attribute does not change a registered number.
        (Value::Nothing, Err(remark), _) => RuleResult::only(remark),
        (kept, Err(Remark::NoNumber), _) | (kept, Err(_), IfRegistered::Keep) => {
            RuleResult::value(kept)
        }
        (_, Err(remark), IfRegistered::Replace) => RuleResult::only(remark),
        (kept, Ok(read), IfRegistered::Keep) => {
            let differs = kept != Value::Phone(read.number);
            RuleResult { remark: differs.then_some(Remark::NumberKept), ..RuleResult::value(kept) }
        }
    }
}

/// A number from the directory.
struct Found {
    number: PhoneNumber,
    /// The country by which it was read, if it has no country code.
    read_as: Option<ReadAs>,
}

impl Found {
    /// Returns what to report about how the number was read.
    fn remark(&self, user: &User) -> Option<Remark> {
        let unread = self.read_as.is_some() && user.country == Country::Unread;
        unread.then_some(Remark::CountryUnread)
    }
}

impl NumberSource {
    fn read(&self, setting: Setting, user: &User) -> Result<Found, Remark> {
        let mut held = self.from.iter().filter_map(|attribute| attribute.of(user));
        let raw = held.next().ok_or(Remark::NoNumber)?;
        let extension = match setting {
            Setting::OfficePhone => Extension::Allowed,
            _ => Extension::Refused,
        };
        let read = |region| raw.read(region, extension);
        let found = if raw.has_country_code() {
            // Most numbers of a directory have one. Reading them once halves the work of a plan.
            read(None).map(|number| Found { number, read_as: None })
        } else {
            self.agreed(user, read)?;
            self.first(user, read)
        };
        let found = found.map_err(fault)?;
        // Only the mobile phone gets text messages; the other phones get calls.
        match setting {
            Setting::MobilePhone if !found.number.can_receive_text() => Err(Remark::NotSmsCapable),
            _ if !found.number.can_receive_call() => Err(Remark::NotCallable),
            _ => Ok(found),
        }
    }

    /// Refuses a text that two countries turn into two numbers, if the policy does not say which country
    /// counts: either number could belong to another person.
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
            (Err(NumberFault::NotRecorded), _) | (_, Err(NumberFault::NotRecorded)) => {
                Err(Remark::Unreadable(UnknownReason::NotRecorded))
            }
            (Ok(one), Ok(other)) if one != other => {
                Err(Remark::RegionsDisagree { usage_location, country })
            }
            _ => Ok(()),
        }
    }

    /// Returns the first reading that gives a number. A text that is ambiguous in one country gives none.
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
                // What a snapshot does not know may be the number that counts.
                Err(fault @ (NumberFault::Ambiguous | NumberFault::NotRecorded)) => {
                    return Err(fault);
                }
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
        NumberFault::Masked => Remark::Unreadable(UnknownReason::Masked),
        NumberFault::NotRecorded => Remark::Unreadable(UnknownReason::NotRecorded),
        NumberFault::RegionUnknown => Remark::RegionUnknown,
        fault => Remark::NumberInvalid(fault),
    }
}

impl fmt::Display for PhoneRule {
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

/// The word for [`PhoneRule::Absent`] in a policy.
const ABSENT: &str = "absent";

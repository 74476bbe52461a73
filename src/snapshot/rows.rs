//! The lines of a snapshot, each a JSON object with one key: what it is, then the rules and roles, the users in the
//! order of their names, the groups with their members, and at last a digest of all lines before it.
//!
//! Not here: the order of writing (`write`), or what a whole file must have (`read`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pseudonym::{NameRecord, PersonDigest, PersonSalt};
use super::{AboutSnapshot, NamedInFiles};
use crate::id::{GroupId, UserId};
use crate::number::{NotRecorded, NumberFault, PhoneNumber, RecordedNumber, Region};
use crate::tenant::demand::MfaRules;
use crate::tenant::directory::{Account, Group};
use crate::tenant::facts::{Kinds, MfaState, Phone, Read, SmsSignIn, UnknownReason};
use crate::tenant::membership::Guarding;
use crate::tenant::method_policy::Settings;
use crate::tenant::roles::Roles;
use crate::untrusted::Untrusted;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum SnapshotRow {
    Snapshot(Box<HeadRow>),
    Rules(Box<RulesRow>),
    Roles(Box<Read<Roles>>),
    User(Box<UserRow>),
    Group(Box<GroupRow>),
    Members(MembersRow),
    /// SHA-256 of all bytes before this line, in hex.
    Digest(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HeadRow {
    pub(super) format: u32,
    pub(super) program: String,
    pub(super) about: AboutSnapshot,
    pub(super) salt: PersonSalt,
    pub(super) named: NamedInFiles,
    /// The names and ids of users in the files. An id has its pseudonym even if there is no such user.
    pub(super) people: Vec<(PersonDigest, Option<UserId>)>,
    pub(super) guarded: Guarding,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RulesRow {
    pub(super) rules: MfaRules,
    pub(super) settings: Read<Settings>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserRow {
    pub(super) id: UserId,
    pub(super) name: NameRecord,
    pub(super) account: Account,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<Region>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<CountryRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) department: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) numbers: BTreeMap<String, Vec<ReadingRow>>,
    pub(super) methods: Read<MethodsRow>,
    pub(super) state: Read<MfaState>,
    pub(super) default: Read<Option<String>>,
    pub(super) system_preferred: Read<bool>,
}

/// The `country` of a user.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CountryRow {
    Known(Region),
    Unread,
}

/// What one country makes of the text of an attribute: the country, and a number or why there is none. `*` is
/// every country, because the text begins with a country code; `-` is none.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingRow {
    #[serde(rename = "by")]
    pub(super) region: String,
    #[serde(rename = "is")]
    pub(super) alone: ReadNumber,
    /// The same where an extension is allowed, if that differs.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(super) extended: Option<ReadNumber>,
}

/// A number, or why a text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ReadNumber {
    Number(NumberText),
    Fault(NumberFault),
}

/// A number of a snapshot as one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberText(pub(super) PhoneNumber);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MethodsRow {
    pub(super) kinds: Kinds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mobile: Option<PhoneRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alternate_mobile: Option<PhoneRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) office: Option<PhoneRow>,
    pub(super) sms_sign_in: SmsSignIn,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum PhoneRow {
    Number(NumberText),
    Undialable,
    Masked,
}

/// Which groups a row is about: the same group can be in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum GroupsOf {
    /// Groups that policies can name.
    Directory,
    /// Groups that the rules of the tenant name.
    Rules,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GroupRow {
    pub(super) of: GroupsOf,
    pub(super) id: GroupId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<AboutGroup>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unreadable: Option<UnknownReason>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AboutGroup {
    name: Untrusted,
    security: bool,
    role_assignable: bool,
    dynamic: bool,
}

/// Members of the group of the last [`GroupRow`]: the place of the first user among all users, then the distance
/// of each one to the one before.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MembersRow {
    pub(super) users: Vec<u32>,
    /// Whether only one of two reads shows them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) disputed: bool,
}

impl AboutGroup {
    pub(super) fn of(group: &Group) -> Self {
        Self {
            name: group.name.clone(),
            security: group.is_security,
            role_assignable: group.is_role_assignable,
            dynamic: group.is_dynamic,
        }
    }

    pub(super) fn group(self, id: GroupId) -> Group {
        Group {
            id,
            name: self.name,
            is_security: self.security,
            is_role_assignable: self.role_assignable,
            is_dynamic: self.dynamic,
        }
    }
}

impl ReadNumber {
    pub(super) fn of(read: Result<PhoneNumber, NumberFault>) -> Self {
        read.map_or_else(Self::Fault, |number| Self::Number(NumberText(number)))
    }

    pub(super) const fn read(self) -> Result<PhoneNumber, NumberFault> {
        match self {
            Self::Number(NumberText(number)) => Ok(number),
            Self::Fault(fault) => Err(fault),
        }
    }
}

impl PhoneRow {
    /// Returns the phone, if there is one. Its number is already one of a snapshot.
    pub(super) const fn of(phone: Phone) -> Option<Self> {
        match phone {
            Phone::None => None,
            Phone::Number(number) => Some(Self::Number(NumberText(number))),
            Phone::Undialable => Some(Self::Undialable),
            Phone::Masked => Some(Self::Masked),
        }
    }

    pub(super) fn phone(row: Option<Self>) -> Phone {
        match row {
            None => Phone::None,
            Some(Self::Number(NumberText(number))) => Phone::Number(number),
            Some(Self::Undialable) => Phone::Undialable,
            Some(Self::Masked) => Phone::Masked,
        }
    }
}

impl Serialize for NumberText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match RecordedNumber::again(self.0) {
            Some(number) => serializer.collect_str(&number),
            // A number in full never reaches the file.
            None => Err(serde::ser::Error::custom(NotRecorded)),
        }
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number: Result<RecordedNumber, NotRecorded> = text.parse();
        number.map(|number| Self(number.number())).map_err(serde::de::Error::custom)
    }
}

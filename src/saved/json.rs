//! Reads a plan in JSON, as `plan --format json` prints it, into its content. Numbers are masked there, and
//! reasons are words.
//!
//! Not here: the shape as it is published (`render::plan::json`), or a plan that can be applied: JSON is only
//! compared.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Deserialize;
use serde_json::Value as Json;

use super::plan_file::PlanFile;
use crate::finding::{Code, Severity, without_numbers};
use crate::id::{TenantId, UserId};
use crate::number::MaskedNumber;
use crate::plan::brakes::{Brake, BrakeName};
use crate::plan::content::{
    ChangeContent, FindingContent, ObjectContent, PlanContent, ReasonContent, UserContent,
    WithheldContent,
};
use crate::plan::planned_value::PlannedValue;
use crate::plan::summary::PostureCounts;
use crate::posture::Posture;
use crate::resources::{ObjectKind, ObjectValue};
use crate::settings::change::Mandate;
use crate::settings::default_method::Preference;
use crate::settings::{Setting, Value};
use crate::tenant::directory::Identity;
use crate::tenant::preferences::DefaultMethod;
use crate::untrusted::Untrusted;

/// The major format version that this program reads.
const MAJOR: &str = "1";

/// Why a file is not accepted as a plan in JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonFault {
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    #[error(
        "it is no plan: `plan --out` did not save it, and `plan --format json` did not print it"
    )]
    NoPlan,
    #[error("its JSON has another version, and this program reads versions {MAJOR}.*")]
    OtherVersion,
    #[error("it was made with `--disclose {0}`, so it does not say which users it is about")]
    WithoutUsers(&'static str),
    #[error("it has no valid plan: see line {0}, column {1}")]
    Place(usize, usize),
    #[error("it has a phone number that is not masked")]
    NotMasked,
    #[error("it has a value of a setting that this program does not know")]
    UnknownValue,
    #[error("it names {0} that this program does not know")]
    UnknownWord(&'static str),
    #[error("it has two rows for one user and one setting")]
    Twice,
    #[error("it has a change of a user that is not in its `users`")]
    NoUser,
}

impl JsonFault {
    /// Returns what the user can do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::WithoutUsers(_) => {
                "make the plan with `--disclose names`, or save it with `--out`"
            }
            Self::OtherVersion | Self::UnknownWord(_) | Self::UnknownValue => {
                "make both plans with the same version of mfactl"
            }
            Self::Io(_)
            | Self::NoPlan
            | Self::NoUser
            | Self::Twice
            | Self::NotMasked
            | Self::Place(..) => {
                "name a file that `mfactl plan --out` saved, or the output of `mfactl plan --format json`"
            }
        }
    }
}

/// The keys that tell the kind of document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    format_version: Option<Untrusted>,
    counts_version: Option<Untrusted>,
    disclosed: Option<Untrusted>,
    changes: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    tenant: TenantRow,
    complete: bool,
    summary: Summary,
    posture: PostureCounts,
    users: BTreeMap<UserId, UserRow>,
    changes: Vec<ChangeRow>,
    withheld: Vec<WithheldRow>,
    reported: Reported,
    #[serde(default)]
    objects: Vec<ObjectRow>,
    findings: Vec<FindingRow>,
    brakes: Vec<Brake>,
    fingerprint: Untrusted,
}

#[derive(Deserialize)]
struct TenantRow {
    id: TenantId,
    name: Untrusted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    users_in_scope: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserRow {
    user_principal_name: Untrusted,
    posture: BeforeAfter,
    policies: Vec<Untrusted>,
}

#[derive(Deserialize)]
struct BeforeAfter {
    before: Posture,
    after: Posture,
}

#[derive(Deserialize)]
struct ChangeRow {
    user: UserId,
    setting: Untrusted,
    before: Json,
    after: Json,
    policy: Untrusted,
}

#[derive(Deserialize)]
struct WithheldRow {
    user: UserId,
    setting: Untrusted,
    wanted: Json,
    code: Code,
    reason: Untrusted,
    policy: Untrusted,
}

#[derive(Deserialize)]
struct Reported {
    changes: Vec<ChangeRow>,
    withheld: Vec<WithheldRow>,
}

#[derive(Deserialize)]
struct ObjectRow {
    object: Untrusted,
    before: Untrusted,
    after: Untrusted,
    users: BTreeMap<UserId, BeforeAfter>,
}

#[derive(Deserialize)]
struct FindingRow {
    code: Code,
    severity: Severity,
    user: Option<UserId>,
    #[serde(default)]
    users: Vec<UserId>,
    policy: Option<String>,
    message: String,
    help: Option<String>,
}

/// Reads a plan in JSON from an open file.
///
/// # Errors
/// The file cannot be read, or has no plan with users of a known version.
pub fn read_from(file: impl io::Read) -> Result<PlanFile, JsonFault> {
    match io::read_to_string(file) {
        Ok(text) => parse(text.strip_prefix('\u{feff}').unwrap_or(&text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(JsonFault::NoPlan),
        Err(error) => Err(error.into()),
    }
}

/// Parses a plan in JSON.
///
/// # Errors
/// The text has no plan with users of a known version.
pub fn parse(text: &str) -> Result<PlanFile, JsonFault> {
    let probe: Probe = serde_json::from_str(text).map_err(|_| JsonFault::NoPlan)?;
    if probe.counts_version.is_some() {
        return Err(JsonFault::WithoutUsers("counts"));
    }
    let version = probe.format_version.filter(|_| probe.changes.is_some());
    let version = version.ok_or(JsonFault::NoPlan)?;
    if version.raw().split_once('.').is_none_or(|(major, _)| major != MAJOR) {
        return Err(JsonFault::OtherVersion);
    }
    if probe.disclosed.is_some() {
        return Err(JsonFault::WithoutUsers("pseudonyms"));
    }
    let document: Document = serde_json::from_str(text)
        .map_err(|error| JsonFault::Place(error.line(), error.column()))?;
    document.plan()
}

impl Document {
    fn plan(self) -> Result<PlanFile, JsonFault> {
        let users = self.users.into_iter().map(|(id, row)| (id, row.content()));
        let mut content = PlanContent {
            users: users.collect(),
            postures: self.posture,
            in_scope: self.summary.users_in_scope,
            brakes: self
                .brakes
                .iter()
                .map(|brake| (brake.name, *brake))
                .collect::<BTreeMap<BrakeName, _>>(),
            ..PlanContent::default()
        };
        let of = |user: &mut UserContent, row: ChangeRow| {
            let (setting, change) = row.content()?;
            Ok(user.changes.insert(setting, change).is_none())
        };
        each(&mut content, self.changes, |row| row.user, of)?;
        let reported = |user: &mut UserContent, row: ChangeRow| {
            let (setting, change) = row.content()?;
            Ok(user.reported.insert(setting, change).is_none())
        };
        each(&mut content, self.reported.changes, |row| row.user, reported)?;
        let withheld =
            |user: &mut UserContent, row: WithheldRow| Ok(user.withheld.insert(row.content()?));
        each(&mut content, self.withheld, |row| row.user, withheld)?;
        let reported = |user: &mut UserContent, row: WithheldRow| {
            Ok(user.reported_withheld.insert(row.content()?))
        };
        each(&mut content, self.reported.withheld, |row| row.user, reported)?;
        let objects: Result<_, JsonFault> =
            self.objects.into_iter().map(ObjectRow::content).collect();
        content.objects = objects?;
        for finding in self.findings {
            *content.findings.entry(finding.content()).or_default() += 1;
        }
        Ok(PlanFile {
            identity: Identity { id: self.tenant.id, domain: masked(&self.tenant.name) },
            complete: self.complete,
            fingerprint: masked(&self.fingerprint),
            policies: Vec::new(),
            content,
        })
    }
}

/// Adds each row to its user. `add` returns whether the row is new.
fn each<Row>(
    content: &mut PlanContent,
    rows: Vec<Row>,
    user: impl Fn(&Row) -> UserId,
    add: impl Fn(&mut UserContent, Row) -> Result<bool, JsonFault>,
) -> Result<(), JsonFault> {
    for row in rows {
        let id = user(&row);
        let user = content.users.get_mut(&id);
        let user = user.ok_or(JsonFault::NoUser)?;
        if !add(user, row)? {
            return Err(JsonFault::Twice);
        }
    }
    Ok(())
}

impl UserRow {
    fn content(self) -> UserContent {
        UserContent {
            name: self.user_principal_name,
            is_administrator: None,
            before: self.posture.before,
            after: self.posture.after,
            policies: self.policies.iter().map(masked).collect(),
            changes: BTreeMap::new(),
            withheld: BTreeSet::new(),
            reported: BTreeMap::new(),
            reported_withheld: BTreeSet::new(),
        }
    }
}

impl ChangeRow {
    fn content(self) -> Result<(Setting, ChangeContent), JsonFault> {
        let content = ChangeContent {
            before: value(&self.before)?,
            after: value(&self.after)?,
            policy: masked(&self.policy),
            mandate: Mandate::default(),
        };
        Ok((setting(&self.setting)?, content))
    }
}

impl WithheldRow {
    fn content(self) -> Result<WithheldContent, JsonFault> {
        Ok(WithheldContent {
            setting: setting(&self.setting)?,
            wanted: value(&self.wanted)?,
            policy: masked(&self.policy),
            reason: ReasonContent::InWords(self.code, masked(&self.reason)),
            cause: None,
        })
    }
}

impl ObjectRow {
    fn content(self) -> Result<(ObjectKind, ObjectContent), JsonFault> {
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.key() == self.object.raw());
        let kind = kind.ok_or(JsonFault::UnknownWord("an object of the tenant"))?;
        let affected = self.users.into_iter().map(|(id, row)| (id, (row.before, row.after)));
        let (before, after) = (object_value(&self.before)?, object_value(&self.after)?);
        Ok((kind, ObjectContent { before, after, affected: affected.collect() }))
    }
}

impl FindingRow {
    fn content(self) -> FindingContent {
        FindingContent {
            severity: self.severity,
            code: self.code,
            policy: self.policy.map(|name| without_numbers(&name)),
            message: without_numbers(&self.message),
            help: self.help.map(|help| without_numbers(&help)),
            users: self.users.into_iter().chain(self.user).collect(),
        }
    }
}

/// Masks what may be a phone number: a file can be edited.
fn masked(text: &Untrusted) -> Untrusted {
    without_numbers(text.raw()).into()
}

fn setting(key: &Untrusted) -> Result<Setting, JsonFault> {
    let known = Setting::ALL.into_iter().find(|setting| setting.key() == key.raw());
    known.ok_or(JsonFault::UnknownWord("a setting"))
}

fn object_value(word: &Untrusted) -> Result<ObjectValue, JsonFault> {
    let all = [ObjectValue::Switch(true), ObjectValue::Switch(false), ObjectValue::Unknown];
    let known = all.into_iter().find(|value| value.to_string() == word.raw());
    known.ok_or(JsonFault::UnknownValue)
}

/// Reads a value by its form, as `render::plan::grouping` writes it.
fn value(json: &Json) -> Result<PlannedValue, JsonFault> {
    let unknown = || JsonFault::UnknownValue;
    let value = match json {
        Json::Null => Value::Nothing,
        Json::Bool(on) => Value::Switch(*on),
        Json::String(word) => match DefaultMethod::from_word(word) {
            Some(method) => Value::Default(method),
            None => Value::State(serde_json::from_value(json.clone()).map_err(|_| unknown())?),
        },
        Json::Array(words) => {
            let methods = words.iter().map(|word| DefaultMethod::from_word(word.as_str()?));
            let methods: Option<Vec<DefaultMethod>> = methods.collect();
            Value::Preference(Preference::new(&methods.ok_or_else(unknown)?))
        }
        Json::Object(keys) => match (keys.get("number"), keys.get("unknown")) {
            (Some(Json::String(number)), None) if number == "undialable" => Value::UndialablePhone,
            (Some(Json::String(number)), None) => {
                let number = MaskedNumber::parse(number).ok_or(JsonFault::NotMasked)?;
                return Ok(PlannedValue::MaskedNumber(number));
            }
            (None, Some(why)) => {
                Value::Unknown(serde_json::from_value(why.clone()).map_err(|_| unknown())?)
            }
            _ => return Err(unknown()),
        },
        Json::Number(_) => return Err(unknown()),
    };
    Ok(value.into())
}

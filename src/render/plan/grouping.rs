//! The common parts of the JSON documents of plans, explanations and reports: how a document is written,
//! how its schema is made, and the types that several of them use.
//!
//! Not here: the shape of one document (`plan::json`, `explain::json`, `report`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::disclose::Discloser;
use crate::finding::Finding;
use crate::id::UserId;
use crate::settings::Form;
use crate::settings::phone::ReadAs;
use crate::tenant::directory::Identity;
use crate::tenant::user_set::Tristate;
use crate::untrusted::Json;

/// Writes a document and a final line feed.
pub(crate) fn write(document: &impl Serialize, mut out: impl io::Write) -> io::Result<()> {
    let mut lines = serde_json::Serializer::with_formatter(&mut out, Json::default());
    document.serialize(&mut lines)?;
    out.write_all(b"\n")
}

/// Returns the JSON Schema of a document.
pub(crate) fn schema<Document: JsonSchema>(title: &str) -> Schema {
    let mut schema = schemars::generate::SchemaSettings::draft07()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), title.into());
    schema
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Tenant")]
pub(crate) struct TenantShape<'a> {
    id: String,
    name: &'a str,
}

impl<'a> TenantShape<'a> {
    pub(crate) fn of(identity: &'a Identity) -> Self {
        Self { id: identity.id.to_string(), name: identity.domain.raw() }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct BeforeAfter<T> {
    pub(crate) before: T,
    pub(crate) after: T,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct WithoutWith<T> {
    pub(crate) without: T,
    pub(crate) with: T,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub(crate) struct FindingRow<'a> {
    code: &'static str,
    severity: &'static str,
    /// The user, if the finding is about one user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The number of users, if the finding is about several.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// All users, if the finding is about several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Origin")]
pub(crate) struct ShapePlace<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The country that was assumed for a national number.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReadAs")]
pub(crate) struct ReadAsRow {
    /// Two letters.
    country: String,
    /// `usageLocation`, `country` (of the user) or `policy`.
    by: &'static str,
}

impl ReadAsRow {
    pub(crate) fn of(read_as: ReadAs) -> Self {
        Self { country: read_as.region.to_string(), by: read_as.by.as_str() }
    }
}

/// A value as a reader may see it.
pub(crate) struct Shown(pub(crate) Form);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Nothing => serializer.serialize_none(),
            Form::Number(number) => BTreeMap::from([("number", number)]).serialize(serializer),
            Form::Switch(on) => serializer.serialize_bool(*on),
            Form::Word(word) => serializer.serialize_str(word),
            Form::Words(words) => serializer.collect_seq(words),
            Form::Unknown(why) => BTreeMap::from([("unknown", why)]).serialize(serializer),
        }
    }
}

impl JsonSchema for Shown {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "null (no value), a string, true or false, a list of strings (the first possible one counts), a masked number, or the reason why the value is unknown",
            "oneOf": [
                { "type": "null" },
                { "type": "string" },
                { "type": "boolean" },
                { "type": "array", "items": { "type": "string" } },
                { "type": "object", "required": ["number"], "properties": { "number": { "type": "string" } } },
                { "type": "object", "required": ["unknown"], "properties": { "unknown": { "type": "string" } } },
            ],
        })
    }
}

/// Rows that are created while they are written.
pub(crate) struct Rows<'a, T>(Box<dyn Fn() -> Box<dyn Iterator<Item = T> + 'a> + 'a>);

impl<'a, T> Rows<'a, T> {
    pub(crate) fn new<I: Iterator<Item = T> + 'a>(rows: impl Fn() -> I + 'a) -> Self {
        Self(Box::new(move || Box::new(rows())))
    }
}

impl<T: Serialize> Serialize for Rows<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl<T: JsonSchema> JsonSchema for Rows<'_, T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

pub(crate) fn finding_row(finding: &Finding) -> FindingRow<'_> {
    disclosed_finding(finding, &Discloser::of_names())
}

/// Returns a finding whose message is already disclosed as it may be.
pub(crate) fn disclosed_finding<'a>(finding: &'a Finding, disclose: &Discloser) -> FindingRow<'a> {
    let id = |user: &UserId| disclose.id(*user);
    let several = finding.users.len() > 1;
    FindingRow {
        code: finding.code.as_str(),
        severity: finding.severity.as_str(),
        user: if several { None } else { finding.users.first().map(id) },
        count: several.then_some(finding.users.len()),
        users: if several { finding.users.iter().map(id).collect() } else { Vec::new() },
        policy: finding.policy.as_deref(),
        message: &finding.message,
        help: finding.help.as_deref(),
    }
}

pub(crate) fn place(place: &crate::plan::FilePlace) -> ShapePlace<'_> {
    ShapePlace { file: place.file.raw(), line: place.line, column: place.column }
}

pub(crate) const fn judged(judged: Tristate) -> &'static str {
    match judged {
        Tristate::Yes => "yes",
        Tristate::No => "no",
        Tristate::Unknown => "unknown",
    }
}

//! The permissions of an identity, for a terminal and for programs. The output contains no phone numbers
//! and no tokens.
//!
//! Not here: the checks (`entra::permission_check`).

use std::fmt::Write as _;
use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::finding::quoted;
use crate::journal::StoreTrial;
use crate::render::plan::grouping::{self, TenantShape};
use crate::tenant::access::{Access, AccessPurpose, AccessVerdict, Check};
use crate::tenant::directory::Identity;
use crate::untrusted::printable;

/// The version of the shape below.
const FORMAT_VERSION: &str = "1.1";

/// The identity, and the purpose it was checked for.
#[derive(Debug, Clone, Copy)]
pub struct AccessSubject<'a> {
    pub tenant: &'a Identity,
    /// How the identity signed in, in words.
    pub credential: &'a str,
    pub purpose: AccessPurpose,
    /// The subject of the job's identity token, if too many jobs get it, and what to do.
    pub loose_subject: Option<(&'a str, &'static str)>,
    /// What the identity may do with the run store, if it is in a cloud.
    pub store: &'a [StoreRow],
}

/// Something that was tried at the run store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRow {
    pub trial: StoreTrial,
    /// The address of the container.
    pub place: String,
    /// The least privileged role for it.
    pub role: &'static str,
    /// What the store refused; `None` if it is fine.
    pub fault: Option<String>,
}

impl StoreRow {
    const fn word(&self) -> &'static str {
        if self.fault.is_some() { "REFUSED" } else { "fine" }
    }
}

/// Returns how many things are missing, at Graph and at the run store.
#[must_use]
pub fn missing(about: AccessSubject<'_>, access: &Access) -> usize {
    access.missing().count() + about.store.iter().filter(|row| row.fault.is_some()).count()
}

/// Returns the result for a terminal: one line for each required operation.
#[must_use]
pub fn text(about: AccessSubject<'_>, access: &Access) -> String {
    let mut out = format!(
        "mfactl doctor   tenant {}   signed in by {}\n",
        about.tenant.domain,
        printable(about.credential)
    );
    let mut purpose = None;
    for check in &access.checks {
        if purpose != Some(check.purpose) {
            purpose = Some(check.purpose);
            _ = writeln!(out, "\n{}", check.purpose.as_str());
        }
        _ = writeln!(out, "  {:<13} {:<44} {}", word(check), check.what, check.permission);
        if let Some(help) = check.help(access.is_person) {
            _ = writeln!(out, "      {help}");
        }
    }
    for row in about.store {
        if Some(row) == about.store.first() {
            out += "\nrun store\n";
        }
        let what = format!("{} in {}", row.trial.what(), printable(&row.place));
        _ = writeln!(out, "  {:<13} {what:<44} {}", row.word(), row.role);
        if let Some(fault) = &row.fault {
            _ = writeln!(out, "      {}", printable(fault));
        }
    }
    out.push('\n');
    for warning in warnings(about, access) {
        _ = writeln!(out, "warning: {}", printable(&warning));
    }
    let all = access.checks.len() + about.store.len();
    _ = match missing(about, access) {
        0 => writeln!(out, "Nothing is missing."),
        count => writeln!(out, "{count} of {all} are missing."),
    };
    out
}

fn word(check: &Check) -> String {
    match (&check.verdict, check.licence) {
        (AccessVerdict::Fine, _) => "fine".to_owned(),
        (AccessVerdict::NoPermission, _) => "MISSING".to_owned(),
        (AccessVerdict::Refused, _) => "REFUSED".to_owned(),
        (AccessVerdict::NoLicence, Some(licence)) => {
            format!("no {}", licence.rsplit(' ').next().unwrap_or(licence))
        }
        (AccessVerdict::NoLicence, None) => "no licence".to_owned(),
        (AccessVerdict::NotThere, _) => "NOT THERE".to_owned(),
        (AccessVerdict::Unreachable(_), _) => "NO ANSWER".to_owned(),
        (AccessVerdict::NotKnown, _) => "unknown".to_owned(),
    }
}

/// Returns warnings if an identity for plans could write, and if too many jobs can use the identity.
fn warnings(about: AccessSubject<'_>, access: &Access) -> Vec<String> {
    let mut warnings = Vec::new();
    if about.purpose == AccessPurpose::Plan && !access.writes.is_empty() {
        let names: Vec<String> = access.writes.iter().map(quoted).collect();
        let names = names.join(", ");
        warnings.push(format!("this identity can write, but plans do not need that: {names}"));
    }
    if let Some((subject, what)) = about.loose_subject {
        warnings.push(format!(
            "the token of this job has the subject {}, which a changed workflow on any branch can get, unless the federated credential asks for more: {what}",
            quoted(subject)
        ));
    }
    warnings
}

/// What `doctor` finds about an identity.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Doctor")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    tenant: TenantShape<'a>,
    /// How the identity signed in, in words.
    credential: &'a str,
    /// Whether nothing is missing.
    complete: bool,
    checks: Vec<Row<'a>>,
    /// What was tried at the run store, if it is in a cloud.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    run_store: Vec<StoreShape<'a>>,
    /// The permissions of the token that allow writes.
    could_write: &'a [String],
    warnings: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Check")]
struct Row<'a> {
    /// `plan` or `apply`.
    purpose: &'a str,
    what: &'a str,
    /// The least privileged permission for it.
    permission: &'a str,
    /// `fine`, `noLicence` (so there is nothing to read), `notKnown` (no user to try it with), or what is
    /// missing: `noPermission`, `refused`, `notThere`, `unreachable`.
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RunStoreCheck")]
struct StoreShape<'a> {
    what: &'a str,
    /// The address of the container.
    place: &'a str,
    /// The least privileged role for it.
    role: &'a str,
    /// `fine` or `refused`.
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

/// Writes the result for programs.
///
/// # Errors
/// The write failed.
pub fn json(about: AccessSubject<'_>, access: &Access, out: impl io::Write) -> io::Result<()> {
    let row = |check: &'_ Check| Row {
        purpose: check.purpose.as_str(),
        what: check.what,
        permission: check.permission,
        verdict: check.verdict.as_str(),
        help: check.help(access.is_person),
    };
    let document = Document {
        format_version: FORMAT_VERSION,
        tenant: TenantShape::of(about.tenant),
        credential: about.credential,
        complete: missing(about, access) == 0,
        checks: access.checks.iter().map(row).collect(),
        run_store: about.store.iter().map(StoreShape::of).collect(),
        could_write: &access.writes,
        warnings: warnings(about, access),
    };
    grouping::write(&document, out)
}

impl<'a> StoreShape<'a> {
    fn of(row: &'a StoreRow) -> Self {
        Self {
            what: row.trial.what(),
            place: &row.place,
            role: row.role,
            verdict: if row.fault.is_some() { "refused" } else { "fine" },
            help: row.fault.as_deref(),
        }
    }
}

/// Returns the JSON Schema of the output of [`json`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("the result of mfactl doctor")
}

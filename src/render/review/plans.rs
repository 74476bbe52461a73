//! The difference of two plans from files, as text and as JSON.
//!
//! Not here: what a change of the files does (`text`, `json`). Two files do not say what the policies are and
//! which users they manage, so neither weaker guards nor scope are shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::json::{self, ChangeRow, FindingLine, WaitingRow, WithheldRow};
use super::text::{ReviewText, ReviewWords};
use crate::disclose::Discloser;
use crate::plan::review::Comparison;
use crate::render::plan::grouping::{self, TenantShape, WithoutWith};
use crate::render::plan::text::{FAINT, HEAD};
use crate::saved::PlanFile;
use crate::untrusted::Untrusted;

/// The version of the JSON below.
pub const FORMAT_VERSION: &str = "1.0";

/// The difference of two plans of mfactl from files. `without` is what the old plan says, and `with` is what the
/// new plan says.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlansDifference")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    /// `pseudonyms` if names and ids of users are pseudonyms; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosed: Option<&'static str>,
    tenant: TenantShape<'a>,
    old: FileRow<'a>,
    new: FileRow<'a>,
    /// Whether the plans differ.
    has_effect: bool,
    /// The number of users with each posture after an apply.
    posture: WithoutWith<BTreeMap<&'static str, usize>>,
    /// The changes that the two plans make differently.
    changes: Vec<ChangeRow<'a>>,
    /// The withheld changes that only one plan has.
    withheld: WithoutWith<Vec<WithheldRow<'a>>>,
    /// The users that the new plan protects less than the old one.
    weakened: Vec<String>,
    /// The objects of the tenant that the two plans change differently.
    objects: Vec<&'static str>,
    /// The findings that only one plan has.
    findings: WithoutWith<Vec<FindingLine<'a>>>,
    /// The brakes that refuse each plan, if only one is refused or the numbers differ.
    brakes: WithoutWith<Vec<&'static str>>,
    /// The names of all users above, by object id.
    users: BTreeMap<String, &'a str>,
    /// The changes that both plans make.
    in_both: WaitingRow,
}

/// One of the two plans.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlanFile")]
struct FileRow<'a> {
    /// As it was named.
    file: Cow<'a, str>,
    fingerprint: &'a str,
    /// False if a fact that matters could not be read.
    complete: bool,
}

impl<'a> FileRow<'a> {
    fn of(name: &'a Untrusted, plan: &'a PlanFile, disclose: &Discloser) -> Self {
        let (fingerprint, complete) = (plan.fingerprint.raw(), plan.complete);
        Self { file: disclose.text(name.raw()), fingerprint, complete }
    }
}

/// Two plans of one tenant, and their difference.
#[derive(Debug, Clone, Copy)]
pub struct TwoPlans<'a> {
    pub old: &'a PlanFile,
    pub new: &'a PlanFile,
    /// The names of the files.
    pub names: [&'a Untrusted; 2],
    pub comparison: &'a Comparison,
}

/// Returns the difference as text, with an empty line at its end.
#[must_use]
pub fn text(plans: &TwoPlans<'_>, disclose: &Discloser) -> String {
    let [old, new] = plans.names;
    let mut out = format!("{HEAD}`{new}`{HEAD:#}, compared with `{old}`\n\n");
    let page = ReviewText {
        comparison: plans.comparison,
        policies: &plans.new.policies,
        against: old,
        disclose,
        words: ReviewWords::PLANS,
    };
    _ = page.compared(&mut out);
    for (name, plan) in [(old, plans.old), (new, plans.new)] {
        if !plan.complete {
            out += &format!(
                "  {FAINT}note: some data could not be read for `{name}`, so some results are unknown{FAINT:#}\n\n"
            );
        }
    }
    out
}

/// Writes the difference as JSON and a final line feed.
///
/// # Errors
/// The write failed.
pub fn json(plans: &TwoPlans<'_>, disclose: &Discloser, out: impl io::Write) -> io::Result<()> {
    let TwoPlans { old, new, names: [old_name, new_name], comparison } = *plans;
    let difference = &comparison.difference;
    let document = Document {
        format_version: FORMAT_VERSION,
        disclosed: (!disclose.shows_names()).then(|| disclose.level().as_str()),
        tenant: TenantShape::of(&new.identity),
        old: FileRow::of(old_name, old, disclose),
        new: FileRow::of(new_name, new, disclose),
        has_effect: comparison.has_effect(),
        posture: json::postures(comparison),
        changes: json::changes(difference, disclose),
        withheld: json::withheld(difference, disclose),
        weakened: json::ids(&difference.weakened(), disclose),
        objects: difference.objects.keys().map(|object| object.key()).collect(),
        findings: json::findings(difference, disclose),
        brakes: json::brakes(difference),
        users: json::users(difference, disclose),
        in_both: json::waiting(comparison),
    };
    grouping::write(&document, out)
}

/// Returns the JSON Schema of the output of [`json()`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("the difference of two plans of mfactl")
}

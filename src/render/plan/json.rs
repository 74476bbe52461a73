//! A plan as JSON: versioned, sorted, without a time stamp and without phone numbers in full. It is
//! written row by row, so that a plan for a million users needs no second copy in memory.
//!
//! The types here are the published shape; `schemas/plan.schema.json` is generated from them. A minor
//! format version adds keys, a major one breaks readers. Readers ignore keys that they do not know.
//! Not here: the content of a plan (`plan`), or a saved plan (`saved`).

use std::collections::BTreeMap;
use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::disclose::{Discloser, Disclosure};
use crate::plan::brakes::Brake;
use crate::plan::objects::{AffectedUser, ObjectChange};
use crate::plan::phase::{Phase, Step};
use crate::plan::review::Review;
use crate::plan::{Plan, PlanPurpose, UserPlan, Withheld, undo};
use crate::posture::Posture;
use crate::render::plan::grouping::{
    self, BeforeAfter, FindingRow, ReadAsRow, Rows, ShapePlace, Shown as ShownValue, TenantShape,
    disclosed_finding, place,
};
use crate::render::review::{self, json::ReviewRow};
use crate::render::{counts, disclosed};
use crate::settings::Setting;
use crate::settings::change::{Action, Change, PolicyIndex};
use crate::tenant::directory::UserIndex;

/// The version of the shape below. A plan with names, without a base, or without objects has only the keys of an
/// earlier version.
pub const FORMAT_VERSION: &str = "1.4";
const WITH_NAMES: &str = "1.3";
const WITHOUT_BASE: &str = "1.2";
const WITHOUT_OBJECTS: &str = "1.1";

/// Writes the plan and a final line feed.
///
/// # Errors
/// The write failed.
pub fn plan(plan: &Plan, out: impl io::Write) -> io::Result<()> {
    disclosed(plan, None, &Discloser::of_names(), out)
}

/// Writes the plan with what a change of the files does, and a final line feed.
///
/// # Errors
/// The write failed.
pub fn reviewed(plan: &Plan, review: &Review, out: impl io::Write) -> io::Result<()> {
    disclosed(plan, Some(review), &Discloser::of_names(), out)
}

/// Writes the plan, perhaps with a review, and says as much about single users as may be said. Without
/// single users it is another document: that of `counts`.
///
/// # Errors
/// The write failed.
pub fn disclosed(
    plan: &Plan,
    review: Option<&Review>,
    disclose: &Discloser,
    out: impl io::Write,
) -> io::Result<()> {
    match disclose.level() {
        Disclosure::Names => grouping::write(&document(Shown { plan, disclose }, review), out),
        Disclosure::Pseudonyms => {
            let review = review.map(|one| disclosed::review(one, plan, disclose));
            let plan = disclosed::plan(plan, disclose);
            let shown = Shown { plan: &plan, disclose };
            grouping::write(&document(shown, review.as_ref()), out)
        }
        Disclosure::Counts => counts::json::json(plan, review, disclose, out),
    }
}

/// A plan, and what may be said about its users.
#[derive(Clone, Copy)]
struct Shown<'a> {
    plan: &'a Plan,
    disclose: &'a Discloser,
}

/// Returns the JSON Schema of the output of [`plan`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("a plan of mfactl")
}

/// A plan of mfactl: the changes, the withheld changes, and the findings.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Plan")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    /// `pseudonyms` if names and ids of users are pseudonyms; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosed: Option<&'static str>,
    tenant: TenantShape<'a>,
    /// False if a fact that matters could not be read.
    complete: bool,
    /// Whether `apply` would change anything. False for a plan from a snapshot.
    applyable: bool,
    /// When the tenant was recorded, if the plan is from a snapshot; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    /// The run that the plan undoes; absent in a plan of policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<UndoRow<'a>>,
    summary: SummaryRow,
    /// The number of users in scope with each posture.
    posture: BeforeAfter<BTreeMap<&'static str, usize>>,
    /// The users with changes or withheld changes, by object id.
    users: BTreeMap<String, UserRow<'a>>,
    changes: Rows<'a, ChangeRow<'a>>,
    withheld: Rows<'a, WithheldRow<'a>>,
    reported: Reported<'a>,
    /// The objects of the tenant that differ from the files, in the order of writing. An apply of this
    /// version does not write them. Absent if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    objects: Vec<ObjectRow<'a>>,
    findings: Rows<'a, FindingRow<'a>>,
    /// Every brake, compared with the plan.
    brakes: Vec<BrakeRow>,
    /// A hash that identifies exactly this plan.
    fingerprint: String,
    /// What the change of the files does, compared with a base. Absent without `--against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<ReviewRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Undo")]
struct UndoRow<'a> {
    run: &'a str,
    /// False if a change of the run is withheld or not put back.
    whole: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Summary")]
struct SummaryRow {
    policies: usize,
    users_in_scope: usize,
    users_changed: usize,
    phones_to_add: usize,
    phones_to_replace: usize,
    phones_to_remove: usize,
    /// Users whose per-user MFA becomes stricter.
    mfa_raised: usize,
    /// The users among them whose per-user MFA was already on.
    mfa_tightened: usize,
    mfa_lowered: usize,
    /// Changes of default methods, system-preferred MFA and SMS sign-in.
    preferences_changed: usize,
    withheld: usize,
    findings: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "User")]
struct UserRow<'a> {
    user_principal_name: &'a str,
    posture: BeforeAfter<&'static str>,
    /// The policies that apply to the user.
    policies: Vec<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeRow<'a> {
    user: String,
    setting: &'static str,
    action: &'static str,
    before: ShownValue,
    after: ShownValue,
    /// The country, if the number does not contain it.
    #[serde(rename = "readAs", skip_serializing_if = "Option::is_none")]
    read_as: Option<ReadAsRow>,
    policy: &'a str,
    origin: Option<ShapePlace<'a>>,
    reason: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Withheld")]
struct WithheldRow<'a> {
    user: String,
    setting: &'static str,
    wanted: ShownValue,
    code: &'static str,
    reason: String,
    /// What the admin can do about it, in an undo; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
    policy: &'a str,
    origin: Option<ShapePlace<'a>>,
}

/// The change of one object of the tenant.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ObjectChange")]
struct ObjectRow<'a> {
    object: &'static str,
    name: &'static str,
    action: &'static str,
    phase: &'static str,
    before: String,
    after: String,
    /// The number of enabled accounts whose posture would become another one, by that posture.
    affected: BTreeMap<&'static str, usize>,
    /// The affected accounts, by object id, with the posture before and after.
    users: BTreeMap<String, BeforeAfter<&'static str>>,
    origin: ShapePlace<'a>,
}

/// What policies in report mode would do if they were enforced too. This is never applied.
#[derive(Serialize, JsonSchema)]
struct Reported<'a> {
    changes: Rows<'a, ChangeRow<'a>>,
    withheld: Rows<'a, WithheldRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Brake")]
struct BrakeRow {
    name: &'static str,
    /// The number of the plan.
    actual: usize,
    /// The number of users in scope.
    of: usize,
    /// The largest number that passes.
    limit: usize,
    tripped: bool,
    /// The value of `--allow` that lifts the brake for this plan.
    allow: String,
}

fn document<'a>(shown: Shown<'a>, review: Option<&'a Review>) -> Document<'a> {
    let Shown { plan, disclose } = shown;
    let names = |counts: &BTreeMap<Posture, usize>| {
        counts.iter().map(|(posture, count)| (posture.as_str(), *count)).collect()
    };
    Document {
        format_version: match (review, plan.objects.is_empty()) {
            _ if !disclose.shows_names() => FORMAT_VERSION,
            (None, true) => WITHOUT_OBJECTS,
            (None, false) => WITHOUT_BASE,
            (Some(_), _) => WITH_NAMES,
        },
        disclosed: (!disclose.shows_names()).then(|| disclose.level().as_str()),
        tenant: TenantShape::of(&plan.identity),
        complete: plan.is_complete(),
        applyable: !plan.changes.is_empty() && plan.recorded.is_none(),
        snapshot: plan.recorded.map(|made| made.to_string()),
        undo: match &plan.purpose {
            PlanPurpose::Policies => None,
            PlanPurpose::Undo { run } => Some(UndoRow { run, whole: undo::is_whole(plan) }),
        },
        summary: summary(plan),
        posture: BeforeAfter {
            before: names(&plan.postures.before),
            after: names(&plan.postures.after),
        },
        users: plan.users.iter().map(|user| (id(shown, user.user), user_row(plan, user))).collect(),
        changes: changes(shown, &plan.changes),
        withheld: withheld(shown, &plan.withheld),
        reported: Reported {
            changes: changes(shown, &plan.reported),
            withheld: withheld(shown, &plan.reported_withheld),
        },
        objects: objects(shown),
        findings: Rows::new(move || {
            plan.findings.iter().map(|one| disclosed_finding(one, disclose))
        }),
        brakes: plan.brakes.iter().map(brake_row).collect(),
        fingerprint: plan.fingerprint.to_string(),
        difference: review.map(|review| review::json::row(review, disclose)),
    }
}

fn changes<'a>(shown: Shown<'a>, changes: &'a [Change]) -> Rows<'a, ChangeRow<'a>> {
    Rows::new(move || changes.iter().map(move |change| change_row(shown, change)))
}

fn withheld<'a>(shown: Shown<'a>, all: &'a [Withheld]) -> Rows<'a, WithheldRow<'a>> {
    Rows::new(move || all.iter().map(move |withheld| withheld_row(shown, withheld)))
}

fn summary(plan: &Plan) -> SummaryRow {
    let summary = plan.summary;
    SummaryRow {
        policies: plan.policies.len(),
        users_in_scope: plan.in_scope,
        users_changed: summary.users_changed,
        phones_to_add: summary.phones_to_add,
        phones_to_replace: summary.phones_to_replace,
        phones_to_remove: summary.phones_to_remove,
        mfa_raised: summary.mfa_begun + summary.mfa_tightened,
        mfa_tightened: summary.mfa_tightened,
        mfa_lowered: summary.mfa_lowered,
        preferences_changed: summary.preferences_changed,
        withheld: summary.withheld,
        findings: plan.findings.len(),
    }
}

fn user_row<'a>(plan: &'a Plan, user: &UserPlan) -> UserRow<'a> {
    UserRow {
        user_principal_name: plan.directory.name(user.user).raw(),
        posture: BeforeAfter { before: user.before.as_str(), after: user.after.as_str() },
        policies: user
            .policies
            .iter()
            .filter_map(|index| plan.policy(*index))
            .map(|policy| policy.name.raw())
            .collect(),
    }
}

fn change_row<'a>(shown: Shown<'a>, change: &Change) -> ChangeRow<'a> {
    let plan = shown.plan;
    ChangeRow {
        user: id(shown, change.user),
        setting: change.setting.key(),
        action: change.action().as_str(),
        before: ShownValue(change.before.form()),
        after: ShownValue(change.after.form()),
        read_as: change.mandate.read_as.map(ReadAsRow::of),
        policy: policy_name(plan, change.policy),
        origin: origin(plan, change.policy, change.setting),
        reason: plan
            .policy(change.policy)
            .and_then(|policy| policy.rule(change.setting))
            .map_or("", |rule| rule.wants.raw()),
    }
}

fn objects(shown: Shown<'_>) -> Vec<ObjectRow<'_>> {
    let of = |phase| {
        shown.plan.steps_of(phase).filter_map(move |step| match step {
            Step::Object(change) => Some(object_row(shown, change)),
            Step::User(_) => None,
        })
    };
    Phase::ALL.into_iter().flat_map(of).collect()
}

fn object_row<'a>(shown: Shown<'a>, change: &'a ObjectChange) -> ObjectRow<'a> {
    let count = |posture| (Posture::as_str(posture), change.becoming(posture).count());
    let postures = |one: &AffectedUser| {
        let posture = BeforeAfter { before: one.before.as_str(), after: one.after.as_str() };
        (id(shown, one.user), posture)
    };
    ObjectRow {
        object: change.object.key(),
        name: change.object.name(),
        action: Action::Update.as_str(),
        phase: change.phase().as_str(),
        before: change.before.to_string(),
        after: change.after.to_string(),
        affected: Posture::ALL.map(count).into(),
        users: change.affected.iter().map(postures).collect(),
        origin: place(&change.origin),
    }
}

fn withheld_row<'a>(shown: Shown<'a>, withheld: &Withheld) -> WithheldRow<'a> {
    let plan = shown.plan;
    WithheldRow {
        user: id(shown, withheld.user),
        setting: withheld.setting.key(),
        wanted: ShownValue(withheld.wanted.form()),
        code: withheld.reason.code().as_str(),
        reason: withheld.explain(plan),
        help: match plan.purpose {
            PlanPurpose::Policies => None,
            PlanPurpose::Undo { .. } => Some(withheld.reason.way_out()),
        },
        policy: policy_name(plan, withheld.policy),
        origin: origin(plan, withheld.policy, withheld.setting),
    }
}

fn brake_row(brake: &Brake) -> BrakeRow {
    let name = brake.name.as_str();
    BrakeRow {
        name,
        actual: brake.actual,
        of: brake.of,
        limit: brake.limit,
        tripped: brake.tripped(),
        allow: format!("{name}={}", brake.actual),
    }
}

fn id(shown: Shown<'_>, user: UserIndex) -> String {
    let user = shown.plan.directory.user(user);
    user.map_or_else(String::new, |user| shown.disclose.id(user.id))
}

fn policy_name(plan: &Plan, policy: PolicyIndex) -> &str {
    plan.policy(policy).map_or("", |policy| policy.name.raw())
}

fn origin(plan: &Plan, policy: PolicyIndex, setting: Setting) -> Option<ShapePlace<'_>> {
    Some(place(&plan.policy(policy)?.rule(setting)?.place))
}

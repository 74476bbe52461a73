//! An explanation as JSON: versioned, sorted, without phone numbers in full. Its only time stamp is the
//! time of the reading.
//!
//! The types here are the published shape; `schemas/explain.schema.json` is generated from them, by the
//! same rules as the schema of a plan.
//!
//! Not here: the content of an explanation (`explain`), or its text (`explain::text`).

use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::compared;
use crate::explain::{
    By, Decision, ExplainedUser, Explanation, Matching, MethodState, NotApplied, NotWritten,
    PostureBeforeAfter, RequiredBy, RuleInForce, UserReview,
};
use crate::render::plan::grouping::{
    self, BeforeAfter, FindingRow, ReadAsRow, ShapePlace, Shown, TenantShape, finding_row, judged,
    place,
};
use crate::tenant::facts::UnknownReason;
use crate::untrusted::Untrusted;

/// The version of the shape below. An explanation without a base has only the keys of the version before.
pub const FORMAT_VERSION: &str = "1.2";
const WITHOUT_BASE: &str = "1.1";

/// Writes the explanation and a final line feed.
///
/// # Errors
/// The write failed.
pub fn json(
    explanation: &Explanation,
    review: Option<&UserReview>,
    out: impl io::Write,
) -> io::Result<()> {
    grouping::write(&document(explanation, review), out)
}

/// Returns the JSON Schema of the output of [`json`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("an explanation of mfactl")
}

/// The state of one user, the reasons for it, and what would change it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Explanation")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    tenant: TenantShape<'a>,
    user: UserRow<'a>,
    posture: PostureRow,
    /// The rules that require MFA of the user, or may.
    demanded: Vec<DemandRow<'a>>,
    methods: MethodsRow,
    /// Every policy, matched or not.
    policies: Vec<PolicyRow<'a>>,
    /// Every setting, with the rules that mention it.
    settings: Vec<SettingRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    reading: ReadingRow<'a>,
    /// What the change of the files does for the user. Absent without `--against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<compared::UserReviewRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Person")]
struct UserRow<'a> {
    id: String,
    user_principal_name: &'a str,
    /// `inScope`, `notManaged`, `breakGlass` or `outOfScope`.
    part: &'static str,
    account_enabled: bool,
    guest: bool,
    /// Signs in from another tenant.
    homed_elsewhere: bool,
    synced: bool,
    usage_location: Option<&'a str>,
    /// Read only if a policy reads numbers; `unread` if mfactl does not know the country.
    country: Option<&'a str>,
    /// Read only if a policy asks for it.
    department: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Posture")]
struct PostureRow {
    before: &'static str,
    after: &'static str,
    /// Whether MFA is required at the admin portals and nowhere else after the plan: `yes`, `no` or
    /// `unknown`.
    portals_only: &'static str,
    /// Where it is decided whether MFA is required and which methods count: `here`, `anotherTenant`,
    /// `provider` (of a federated domain) or `unknown`.
    decided: &'static str,
    /// The day from which no registered method will work.
    expiring: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Demand")]
struct DemandRow<'a> {
    /// `perUserMfa`, `securityDefaults`, `conditionalAccess` or `adminRole`.
    by: &'static str,
    text: &'a str,
    /// Whether it requires MFA at the admin portals only.
    portals_only: bool,
    /// `yes`, `no` or `unknown`.
    demanded: BeforeAfter<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Methods")]
struct MethodsRow {
    /// Why the methods are unknown.
    unknown: Option<&'static str>,
    /// The registered methods, and those that the plan registers.
    list: Vec<MethodRow>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Method")]
struct MethodRow {
    kind: &'static str,
    /// The number of a phone, masked.
    number: Option<String>,
    /// `yes`, `no`, `absent`, `bound`, `never` or `unknown`.
    answers: &'static str,
    /// Not registered yet.
    planned: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PolicyMatch")]
struct PolicyRow<'a> {
    policy: &'a str,
    origin: ShapePlace<'a>,
    priority: u32,
    /// `enforce` or `report`.
    mode: &'static str,
    applies: bool,
    /// The entries of `appliesTo` that name the user.
    named: Vec<EntryRow<'a>>,
    left_out: Option<LeftOutRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Entry")]
struct EntryRow<'a> {
    /// `everyone`, `group`, `role` or `user`.
    by: &'static str,
    id: Option<String>,
    name: Option<&'a str>,
    /// For a role: `active`, `scoped` or `eligible`.
    standing: Option<&'static str>,
    origin: Option<ShapePlace<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LeftOut")]
struct LeftOutRow<'a> {
    /// `notNamed`, `breakGlass`, `exception`, `directorySync`, `where` or `methodsUnread`.
    because: &'static str,
    text: &'a str,
    exception: Option<ExceptionRow<'a>>,
    /// The tests of `where` that fail.
    tests: Vec<TestRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Exception")]
struct ExceptionRow<'a> {
    entry: EntryRow<'a>,
    reason: Option<&'a str>,
    until: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Test")]
struct TestRow<'a> {
    test: &'static str,
    wants: &'a str,
    has: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Decision")]
struct SettingRow<'a> {
    setting: &'static str,
    /// `unmentioned`, `unmanaged`, `asWanted`, `changes`, `nothing`, `withheld` or `conflict`.
    verdict: &'static str,
    observed: Shown,
    planned: Shown,
    /// The country, if the number does not contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_as: Option<ReadAsRow>,
    /// The value that Entra turns the planned value into by itself.
    settles: Option<Shown>,
    /// Every rule that applies, the deciding one first.
    rules: Vec<RuleRow<'a>>,
    withheld: Option<RefusedRow<'a>>,
    /// The results that policies in report mode would have.
    reported: Vec<ReportedRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rule")]
struct RuleRow<'a> {
    policy: &'a str,
    origin: ShapePlace<'a>,
    priority: u32,
    wants: &'a str,
    /// `decides`, `agrees`, `conflicts`, `beaten` or `reportsOnly`.
    heard: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refused")]
struct RefusedRow<'a> {
    wanted: Shown,
    code: &'static str,
    why: &'a str,
    /// What the admin can do about it.
    help: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reported")]
struct ReportedRow<'a> {
    policy: &'a str,
    value: Shown,
    withheld: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reading")]
struct ReadingRow<'a> {
    /// The time of the first read: no data is older.
    since: &'a str,
    /// When the tenant was recorded, if this is from a snapshot; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    calls: Vec<CallRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Call")]
struct CallRow<'a> {
    what: &'a str,
    /// The path at Microsoft Graph, without a query.
    path: &'a str,
    /// Why it had no answer.
    unknown: Option<&'static str>,
}

fn document<'a>(one: &'a Explanation, review: Option<&'a UserReview>) -> Document<'a> {
    Document {
        format_version: if review.is_some() { FORMAT_VERSION } else { WITHOUT_BASE },
        tenant: TenantShape::of(&one.tenant),
        user: user(&one.user, one.part.as_str()),
        posture: PostureRow {
            before: one.standing.before.as_str(),
            after: one.standing.after.as_str(),
            portals_only: judged(one.standing.portals_only),
            decided: one.standing.decided.as_str(),
            expiring: one.standing.expiring.map(|day| day.to_string()),
        },
        demanded: one.standing.demanded.iter().map(demand).collect(),
        methods: methods(&one.standing),
        policies: one.policies.iter().map(policy).collect(),
        settings: one.settings.iter().map(setting).collect(),
        findings: one.findings.iter().map(finding_row).collect(),
        reading: ReadingRow {
            since: &one.reading.since,
            snapshot: one.reading.recorded.map(|made| made.to_string()),
            calls: one
                .reading
                .calls
                .iter()
                .map(|call| CallRow {
                    what: &call.what,
                    path: &call.path,
                    unknown: call.unknown.map(UnknownReason::as_str),
                })
                .collect(),
        },
        difference: review.map(compared::row),
    }
}

fn user<'a>(person: &'a ExplainedUser, part: &'static str) -> UserRow<'a> {
    UserRow {
        id: person.id.to_string(),
        user_principal_name: person.name.raw(),
        part,
        account_enabled: person.account.enabled,
        guest: person.account.guest,
        homed_elsewhere: person.account.homed_elsewhere,
        synced: person.account.synced,
        usage_location: person.usage_location.as_deref(),
        country: person.country.as_deref(),
        department: person.department.as_ref().map(Untrusted::raw),
    }
}

fn demand(demand: &RequiredBy) -> DemandRow<'_> {
    let demanded = BeforeAfter { before: judged(demand.before), after: judged(demand.after) };
    DemandRow { by: demand.kind, text: &demand.text, portals_only: demand.portals_only, demanded }
}

fn methods(standing: &PostureBeforeAfter) -> MethodsRow {
    match &standing.methods {
        Err(why) => MethodsRow { unknown: Some(why.as_str()), list: Vec::new() },
        Ok(list) => MethodsRow { unknown: None, list: list.iter().map(method).collect() },
    }
}

fn method(has: &MethodState) -> MethodRow {
    MethodRow {
        kind: has.kind.key(),
        number: has.number(),
        answers: has.usable.as_str(),
        planned: has.planned,
    }
}

fn policy(one: &Matching) -> PolicyRow<'_> {
    PolicyRow {
        policy: &one.policy,
        origin: place(&one.place),
        priority: one.priority,
        mode: if one.reports_only { "report" } else { "enforce" },
        applies: one.left_out.is_none(),
        named: one.named.iter().map(entry).collect(),
        left_out: one.left_out.as_ref().map(left_out),
    }
}

fn entry(by: &By) -> EntryRow<'_> {
    let (id, name) = by.named.id_and_name();
    EntryRow {
        by: by.named.key(),
        id,
        name,
        standing: by.named.standing(),
        origin: by.place.as_ref().map(place),
    }
}

fn left_out(out: &NotApplied) -> LeftOutRow<'_> {
    LeftOutRow {
        because: out.because.as_str(),
        text: &out.text,
        exception: out.exception.as_ref().map(|exception| ExceptionRow {
            entry: entry(&exception.by),
            reason: exception.reason.as_ref().map(Untrusted::raw),
            until: exception.until.map(|day| day.to_string()),
        }),
        tests: out
            .tests
            .iter()
            .map(|test| TestRow {
                test: test.test,
                wants: test.wants.raw(),
                has: test.has.as_ref().map(Untrusted::raw),
            })
            .collect(),
    }
}

fn setting(decision: &Decision) -> SettingRow<'_> {
    SettingRow {
        setting: decision.setting.key(),
        verdict: decision.verdict.as_str(),
        observed: Shown(decision.observed.form()),
        planned: Shown(decision.planned.form()),
        read_as: decision.read_as.map(ReadAsRow::of),
        settles: decision.settles.map(|one| Shown(one.form())),
        rules: decision.voices.iter().map(rule).collect(),
        withheld: decision.refused.as_ref().map(refused),
        reported: decision
            .reported
            .iter()
            .map(|one| ReportedRow {
                policy: &one.policy,
                value: Shown(one.value.form()),
                withheld: one.withheld.as_deref(),
            })
            .collect(),
    }
}

fn rule(voice: &RuleInForce) -> RuleRow<'_> {
    RuleRow {
        policy: &voice.policy,
        origin: place(&voice.place),
        priority: voice.priority,
        wants: &voice.wants,
        heard: voice.heard.as_str(),
    }
}

fn refused(refused: &NotWritten) -> RefusedRow<'_> {
    RefusedRow {
        wanted: Shown(refused.wanted.form()),
        code: refused.code.as_str(),
        why: &refused.why,
        help: &refused.help,
    }
}

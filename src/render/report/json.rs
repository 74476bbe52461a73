//! A report as JSON: versioned, sorted, without a time stamp and without phone numbers in full. It is
//! written row by row, so that a report on a million users needs no second copy in memory.
//!
//! The types here are the published shape; `schemas/report.schema.json` is generated from them, by the
//! same rules as the schema of a plan.
//!
//! Not here: the content of a report (`report`).

use std::collections::BTreeMap;
use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::disclose::Discloser;
use crate::posture::Posture;
use crate::render::plan::grouping::{
    self, FindingRow, Rows, TenantShape, disclosed_finding, judged,
};
use crate::report::{
    AccountCounts, BreakGlassAccount, BreakGlassReport, Condition, Doubt, GroupName, MethodCounts,
    PolicyName, PostureReport, ReportedUser, RoleName, SharedNumber, Slice, Weakness,
};
use crate::tenant::directory::{Directory, UserIndex};
use crate::untrusted::Untrusted;

/// The version of the shape below.
pub const FORMAT_VERSION: &str = "1.2";
/// With names, there are only the keys of an earlier version.
const WITH_NAMES: &str = "1.1";

/// Writes the report and a final line feed.
///
/// # Errors
/// The write failed.
pub fn json(report: &PostureReport, disclose: &Discloser, out: impl io::Write) -> io::Result<()> {
    grouping::write(&document(report, disclose), out)
}

/// Returns the JSON Schema of the output of [`json`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("a report of mfactl")
}

/// The posture of every enabled account in a tenant.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Report")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    /// `pseudonyms` if names and ids of users are pseudonyms; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosed: Option<&'static str>,
    tenant: TenantShape<'a>,
    /// The day that the report is about.
    day: String,
    /// False if a fact that matters could not be read.
    complete: bool,
    /// When the tenant was recorded, if the report is from a snapshot; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    accounts: AccountsRow,
    counts: CountsRow,
    /// The result of each condition of `--fail-on`.
    conditions: BTreeMap<&'static str, TallyRow>,
    /// The users that each policy applies to.
    policies: Vec<PolicyRow<'a>>,
    /// The members of each group that a policy names.
    groups: Vec<GroupRow<'a>>,
    /// The users that hold each role or are eligible for it.
    roles: Vec<RoleRow<'a>>,
    methods: MethodsRow,
    break_glass: BreakGlassRow<'a>,
    shared_numbers: Rows<'a, SharedRow>,
    findings: Rows<'a, FindingRow<'a>>,
    /// Every enabled account, sorted by name.
    users: Rows<'a, UserRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Accounts")]
struct AccountsRow {
    /// Enabled accounts. They are the ones that are counted.
    enabled: usize,
    /// The enabled accounts that are guests, or members homed in another tenant.
    guests: usize,
    /// Disabled accounts. They are not counted.
    disabled: usize,
}

/// The number of users with each posture.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Counts")]
struct CountsRow {
    users: usize,
    posture: BTreeMap<&'static str, usize>,
    /// For each day, the number of users that can answer now and will be open or stuck from that day.
    expiring: BTreeMap<String, usize>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Tally")]
struct TallyRow {
    certain: usize,
    /// More that may meet the condition, because they could not be read.
    possible: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PolicyCounts")]
struct PolicyRow<'a> {
    policy: &'a str,
    /// `enforce` or `report`.
    mode: &'static str,
    counts: CountsRow,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GroupCounts")]
struct GroupRow<'a> {
    id: String,
    name: &'a str,
    counts: CountsRow,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RoleCounts")]
struct RoleRow<'a> {
    /// The template id. Built-in roles have the same one in every tenant.
    id: String,
    name: &'a str,
    counts: CountsRow,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MethodCounts")]
struct MethodsRow {
    /// For each kind, the number of users that have it, and the number of users that can answer every MFA
    /// prompt with it.
    kinds: BTreeMap<&'static str, KindRow>,
    /// Users without any second factor.
    nothing: usize,
    /// Users whose methods are unknown.
    unknown: usize,
    /// Users with a phone whose number Graph masks.
    hidden: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KindCounts")]
struct KindRow {
    registered: usize,
    answers: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BreakGlass")]
struct BreakGlassRow<'a> {
    /// The required number of enabled break-glass accounts.
    minimum: usize,
    enabled: usize,
    too_few: bool,
    accounts: Vec<AccountRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BreakGlassAccount")]
struct AccountRow<'a> {
    id: String,
    user_principal_name: &'a str,
    /// `disabled`, `noMethod`, `cannotAnswer`, `unknown`, `phoneOnly`, `phishable`, `synced`,
    /// `elsewhere`, `federated` or `notGlobalAdministrator`.
    weaknesses: Vec<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SharedNumber")]
struct SharedRow {
    /// Masked.
    number: String,
    /// The users that have it, by object id.
    users: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "User")]
struct UserRow<'a> {
    id: String,
    user_principal_name: &'a str,
    /// `protected`, `open`, `stuck`, `unprotected` or `unknown`.
    posture: &'static str,
    /// Why the posture is unknown: `elsewhere`, `federated`, `unread` or `undecided`.
    doubt: Option<&'static str>,
    /// Whether MFA is required, even if only at the admin portals: `yes`, `no` or `unknown`.
    demanded: &'static str,
    /// Whether MFA is required only at the admin portals, so that a password is enough for mail and
    /// files: `yes`, `no` or `unknown`.
    portals_only: &'static str,
    /// The day from which no registered method will work.
    expiring: Option<String>,
    /// `inScope`, `notManaged`, `breakGlass` or `outOfScope`.
    part: &'static str,
    /// The registered methods, and whether each can answer: `yes`, `no`, `absent`, `bound`, `never` or
    /// `unknown`; null if the registered methods are unknown.
    methods: Option<BTreeMap<&'static str, &'static str>>,
    policies: Vec<&'a str>,
    /// The groups of the user that policies name, by object id.
    groups: Vec<String>,
    /// By template id.
    roles: Vec<String>,
}

fn document<'a>(report: &'a PostureReport, disclose: &'a Discloser) -> Document<'a> {
    let directory = (&*report.directory, disclose);
    Document {
        format_version: if disclose.shows_names() { WITH_NAMES } else { FORMAT_VERSION },
        disclosed: (!disclose.shows_names()).then(|| disclose.level().as_str()),
        tenant: TenantShape::of(&report.identity),
        day: report.day().to_string(),
        complete: report.is_complete(),
        snapshot: report.recorded.map(|made| made.to_string()),
        accounts: AccountsRow {
            enabled: report.people.len(),
            guests: report.guests,
            disabled: report.disabled,
        },
        counts: counts(&report.counts),
        conditions: Condition::ALL
            .into_iter()
            .map(|one| (one.as_str(), tally(one, report)))
            .collect(),
        policies: report.policies.iter().map(policy).collect(),
        groups: report.groups.iter().map(group).collect(),
        roles: report.roles.iter().map(role).collect(),
        methods: methods(&report.methods),
        break_glass: break_glass(&report.break_glass, directory),
        shared_numbers: Rows::new(move || {
            report.shared.iter().map(move |one| shared(one, directory))
        }),
        findings: Rows::new(move || {
            report.findings.iter().map(|one| disclosed_finding(one, disclose))
        }),
        users: Rows::new(move || {
            report.people.iter().map(move |person| user(person, report, disclose))
        }),
    }
}

fn counts(counts: &AccountCounts) -> CountsRow {
    CountsRow {
        users: counts.users,
        posture: Posture::ALL.into_iter().map(|one| (one.as_str(), counts.of(one))).collect(),
        expiring: counts.expiring.iter().map(|(day, count)| (day.to_string(), *count)).collect(),
    }
}

fn tally(condition: Condition, report: &PostureReport) -> TallyRow {
    let tally = condition.of(report);
    TallyRow { certain: tally.certain, possible: tally.possible }
}

fn policy(slice: &Slice<PolicyName>) -> PolicyRow<'_> {
    PolicyRow {
        policy: slice.of.name.raw(),
        mode: if slice.of.reports_only { "report" } else { "enforce" },
        counts: counts(&slice.counts),
    }
}

fn group(slice: &Slice<GroupName>) -> GroupRow<'_> {
    GroupRow {
        id: slice.of.id.to_string(),
        name: slice.of.name.raw(),
        counts: counts(&slice.counts),
    }
}

fn role(slice: &Slice<RoleName>) -> RoleRow<'_> {
    RoleRow {
        id: slice.of.id.to_string(),
        name: slice.of.name.raw(),
        counts: counts(&slice.counts),
    }
}

fn methods(methods: &MethodCounts) -> MethodsRow {
    let kinds = methods.kinds().map(|(kind, count)| {
        (kind.key(), KindRow { registered: count.registered, answers: count.answers })
    });
    MethodsRow {
        kinds: kinds.collect(),
        nothing: methods.nothing,
        unknown: methods.unknown,
        hidden: methods.hidden,
    }
}

fn break_glass<'a>(all: &'a BreakGlassReport, directory: Shown<'a>) -> BreakGlassRow<'a> {
    let account = |account: &'a BreakGlassAccount| AccountRow {
        id: id(directory, account.user),
        user_principal_name: directory.0.name(account.user).raw(),
        weaknesses: account.weaknesses.iter().copied().map(Weakness::as_str).collect(),
    };
    BreakGlassRow {
        minimum: all.minimum,
        enabled: all.enabled,
        too_few: all.is_too_few(),
        accounts: all.accounts.iter().map(account).collect(),
    }
}

fn shared(shared: &SharedNumber, directory: Shown<'_>) -> SharedRow {
    SharedRow {
        number: shared.number.to_string(),
        users: shared.users.iter().map(|user| id(directory, *user)).collect(),
    }
}

fn user<'a>(person: &ReportedUser, report: &'a PostureReport, disclose: &Discloser) -> UserRow<'a> {
    let of_user = report.methods_of(person.user);
    UserRow {
        id: id((&report.directory, disclose), person.user),
        user_principal_name: report.directory.name(person.user).raw(),
        posture: person.posture.as_str(),
        doubt: person.doubt.map(Doubt::as_str),
        demanded: judged(person.demanded),
        portals_only: judged(person.portals_only),
        expiring: person.expiring.map(|day| day.to_string()),
        part: person.part.as_str(),
        methods: of_user.map(|methods| {
            methods.into_iter().map(|(kind, usable)| (kind.key(), usable.as_str())).collect()
        }),
        policies: report.policies_of(person.user).map(Untrusted::raw).collect(),
        groups: report.groups_of(person.user).map(|group| group.id.to_string()).collect(),
        roles: report.roles_of(person.user).map(|role| role.id.to_string()).collect(),
    }
}

/// The users, and what may be said about them.
type Shown<'a> = (&'a Directory, &'a Discloser);

fn id((directory, disclose): Shown<'_>, user: UserIndex) -> String {
    directory.user(user).map_or_else(String::new, |user| disclose.id(user.id))
}

//! A review as JSON: the key `difference` in the document of a plan.
//!
//! Not here: the rest of the document (`plan::json`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::kinds;
use super::text::reason_words;
use crate::disclose::Discloser;
use crate::id::UserId;
use crate::plan::brakes::Brake;
use crate::plan::content::{ChangeContent, GovernedUser, WithheldContent};
use crate::plan::difference::{Delta, PlanDifference, SettingDelta};
use crate::plan::loosening::{Loosening, LooseningPlace};
use crate::plan::review::{Comparison, Review};
use crate::render::plan::grouping::{ShapePlace, Shown, WithoutWith, place};

/// What the change of the files does, compared with the base.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Difference")]
pub(in crate::render) struct ReviewRow<'a> {
    /// The base, as it was named.
    against: &'a str,
    /// Whether the plan could be compared. If not, it is unknown what the change does.
    compared: bool,
    /// Why not; absent if compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// Absent if not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ComparedRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Compared")]
struct ComparedRow<'a> {
    /// Whether anything in the tenant is planned differently, or a guard is weaker.
    has_effect: bool,
    /// The guards that the change makes weaker.
    loosenings: Vec<LooseningRow<'a>>,
    /// The number of users with each posture after an apply; `ungoverned` for users that only the other side
    /// manages.
    posture: WithoutWith<BTreeMap<&'static str, usize>>,
    /// The changes that the two plans make differently.
    changes: Vec<ChangeRow<'a>>,
    /// The withheld changes of which only one plan knows.
    withheld: WithoutWith<Vec<WithheldRow<'a>>>,
    /// The users that each policy starts and ceases to manage.
    governed: BTreeMap<&'a str, ScopeRow>,
    /// The users that no policy manages any more.
    orphaned: Vec<String>,
    /// The users for which the change makes something weaker.
    weakened: Vec<String>,
    /// The users with an administrator role, or perhaps with one, that the change concerns.
    privileged: Vec<String>,
    /// The objects of the tenant that the two plans change differently.
    objects: Vec<&'static str>,
    /// The findings of which only one plan knows.
    findings: WithoutWith<Vec<FindingLine<'a>>>,
    /// The brakes that refuse one of the plans, without and with the change.
    brakes: WithoutWith<Vec<&'static str>>,
    /// The names of all users above, by object id.
    users: BTreeMap<String, &'a str>,
    /// The changes that wait with the change of the files or without it.
    waiting: WaitingRow,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Loosening")]
struct LooseningRow<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<ShapePlace<'a>>,
    /// `head`, or `base` if the place is in the files of the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    /// The number of users that it concerns; absent if it is a guard of all users.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<usize>,
    /// The users among them with an administrator role, or perhaps with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    administrators: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChangeDifference")]
pub(super) struct ChangeRow<'a> {
    user: String,
    setting: &'static str,
    /// What is planned without the change of the files; null if nothing.
    without: Option<SideRow<'a>>,
    /// What is planned with it; null if nothing.
    with: Option<SideRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlannedChange")]
struct SideRow<'a> {
    action: &'static str,
    before: Shown,
    after: Shown,
    policy: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WithheldDifference")]
pub(super) struct WithheldRow<'a> {
    user: String,
    setting: &'static str,
    code: &'static str,
    reason: String,
    policy: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ScopeDifference")]
struct ScopeRow {
    added: Vec<String>,
    removed: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FindingDifference")]
pub(super) struct FindingLine<'a> {
    code: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    message: &'a str,
    users: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
pub(super) struct WaitingRow {
    users: usize,
    changes: usize,
}

pub(in crate::render) fn row<'a>(review: &'a Review, disclose: &Discloser) -> ReviewRow<'a> {
    ReviewRow {
        against: review.against.raw(),
        compared: review.result.is_ok(),
        why: review.result.as_ref().err().map(|not| not.why.as_str()),
        change: review.result.as_ref().ok().map(|one| compared(one, disclose)),
    }
}

fn compared<'a>(comparison: &'a Comparison, disclose: &Discloser) -> ComparedRow<'a> {
    let ids = |users: &[UserId]| ids(users, disclose);
    let difference = &comparison.difference;
    let scope = difference.scope().into_iter().map(|(name, delta)| {
        (name.raw(), ScopeRow { added: ids(&delta.added), removed: ids(&delta.removed) })
    });
    ComparedRow {
        has_effect: comparison.has_effect(),
        loosenings: comparison.loosenings.iter().map(loosening).collect(),
        posture: postures(comparison),
        changes: changes(difference, disclose),
        withheld: withheld(difference, disclose),
        governed: scope.collect(),
        orphaned: difference.orphaned().map(|(user, _)| disclose.id(user)).collect(),
        weakened: ids(&difference.weakened()),
        privileged: ids(&difference.privileged()),
        objects: difference.objects.keys().map(|object| object.key()).collect(),
        findings: findings(difference, disclose),
        brakes: brakes(difference),
        users: users(difference, disclose),
        waiting: waiting(comparison),
    }
}

pub(super) const fn waiting(comparison: &Comparison) -> WaitingRow {
    WaitingRow { users: comparison.waiting.users, changes: comparison.waiting.changes }
}

pub(super) fn postures(comparison: &Comparison) -> WithoutWith<BTreeMap<&'static str, usize>> {
    let counts = kinds::postures(comparison);
    WithoutWith {
        without: counts.iter().map(|row| (row.key, row.without)).collect(),
        with: counts.iter().map(|row| (row.key, row.with)).collect(),
    }
}

pub(super) fn changes<'a>(
    difference: &'a PlanDifference,
    disclose: &Discloser,
) -> Vec<ChangeRow<'a>> {
    let mut rows: Vec<ChangeRow<'a>> =
        difference.settings().map(|one| change(one, disclose)).collect();
    if !disclose.shows_names() {
        // The order of object ids would tell which pseudonym belongs to which id.
        rows.sort_by(|one, other| one.user.cmp(&other.user));
    }
    rows
}

pub(super) fn ids(users: &[UserId], disclose: &Discloser) -> Vec<String> {
    let mut ids: Vec<String> = users.iter().map(|user| disclose.id(*user)).collect();
    if !disclose.shows_names() {
        ids.sort_unstable();
    }
    ids
}

fn loosening(one: &Loosening) -> LooseningRow<'_> {
    LooseningRow {
        code: one.code.as_str(),
        message: &one.message,
        policy: one.policy.as_ref().map(|name| name.raw()),
        origin: one.place.as_ref().map(|one| place(one.file_place())),
        side: one.place.as_ref().map(|place| match place {
            LooseningPlace::Head(_) => "head",
            LooseningPlace::Base(_) => "base",
        }),
        users: one.concerned.as_ref().map(|concerned| concerned.users.len()),
        administrators: one.concerned.as_ref().map(|concerned| concerned.administrators),
    }
}

fn change<'a>(delta: SettingDelta<'a>, disclose: &Discloser) -> ChangeRow<'a> {
    ChangeRow {
        user: disclose.id(delta.user),
        setting: delta.setting.key(),
        without: delta.without.map(side),
        with: delta.with.map(side),
    }
}

fn side(change: &ChangeContent) -> SideRow<'_> {
    SideRow {
        action: change.action().as_str(),
        before: Shown(change.before.form()),
        after: Shown(change.after.form()),
        policy: change.policy.raw(),
    }
}

pub(super) fn withheld<'a>(
    difference: &'a PlanDifference,
    disclose: &Discloser,
) -> WithoutWith<Vec<WithheldRow<'a>>> {
    let mut rows = WithoutWith { without: Vec::new(), with: Vec::new() };
    for (user, delta) in &difference.users {
        let row = |one| withheld_row(disclose.id(*user), one);
        rows.without.extend(kinds::only_in(delta.base(), delta.head()).map(row));
        rows.with.extend(kinds::only_in(delta.head(), delta.base()).map(row));
    }
    if !disclose.shows_names() {
        rows.without.sort_by(|one, other| one.user.cmp(&other.user));
        rows.with.sort_by(|one, other| one.user.cmp(&other.user));
    }
    rows
}

fn withheld_row(user: String, withheld: &WithheldContent) -> WithheldRow<'_> {
    WithheldRow {
        user,
        setting: withheld.setting.key(),
        code: withheld.reason.code().as_str(),
        reason: reason_words(&withheld.reason),
        policy: withheld.policy.raw(),
    }
}

pub(super) fn findings<'a>(
    difference: &'a PlanDifference,
    disclose: &Discloser,
) -> WithoutWith<Vec<FindingLine<'a>>> {
    let mut lines = WithoutWith { without: Vec::new(), with: Vec::new() };
    for (finding, delta) in &difference.findings {
        let line = || FindingLine {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            policy: finding.policy.as_deref(),
            message: &finding.message,
            users: ids(&finding.users.iter().copied().collect::<Vec<_>>(), disclose),
        };
        lines.without.extend(delta.base().map(|_| line()));
        lines.with.extend(delta.head().map(|_| line()));
    }
    lines
}

pub(super) fn brakes(difference: &PlanDifference) -> WithoutWith<Vec<&'static str>> {
    let mut names = WithoutWith { without: Vec::new(), with: Vec::new() };
    for (name, delta) in &difference.brakes {
        let tripped = |brake: Option<&Brake>| brake.is_some_and(Brake::tripped);
        names.without.extend(tripped(delta.base()).then_some(name.as_str()));
        names.with.extend(tripped(delta.head()).then_some(name.as_str()));
    }
    names
}

/// Returns the names of the users that the difference is about.
pub(super) fn users<'a>(
    difference: &'a PlanDifference,
    disclose: &Discloser,
) -> BTreeMap<String, &'a str> {
    let planned = difference
        .users
        .iter()
        .filter_map(|(user, delta)| Some((disclose.id(*user), either(delta)?.name.raw())));
    let governed = difference.governed.iter().filter_map(|(user, delta)| {
        Some((disclose.id(*user), either::<GovernedUser>(delta)?.name.raw()))
    });
    planned.chain(governed).collect()
}

fn either<T>(delta: &Delta<T>) -> Option<&T> {
    delta.head().or_else(|| delta.base())
}

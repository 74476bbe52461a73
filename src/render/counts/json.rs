//! A plan as JSON without single users. It is a document of its own: its key `countsVersion` replaces
//! `formatVersion`, so that no program takes it for a plan.
//!
//! Not here: the plan with its users (`plan::json`), or the groups (`review::kinds`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::alone;
use crate::disclose::{Discloser, UserCount};
use crate::plan::Plan;
use crate::plan::brakes::Brake;
use crate::plan::content::ReasonContent;
use crate::plan::loosening::Loosening;
use crate::plan::review::{Comparison, Review};
use crate::posture::Posture;
use crate::render::plan::grouping::{
    self, BeforeAfter, ShapePlace, TenantShape, WithoutWith, place,
};
use crate::render::review::finding_rows::{FindingDelta, finding_rows};
use crate::render::review::kinds::{self, Kind, KindSide};
use crate::render::review::text::{reason_words, value};
use crate::settings::Setting;

/// The version of the shape below.
pub const COUNTS_VERSION: &str = "1.0";

/// Writes the plan, perhaps with a review, and a final line feed.
///
/// # Errors
/// The write failed.
pub fn json(
    plan: &Plan,
    review: Option<&Review>,
    disclose: &Discloser,
    out: impl io::Write,
) -> io::Result<()> {
    let comparison = alone(plan);
    let rows = Rows { plan, disclose };
    grouping::write(&rows.document(&comparison, review), out)
}

/// Returns the JSON Schema of the output of [`json`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("the numbers of a plan of mfactl")
}

/// The numbers of a plan of mfactl, without single users.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Counts")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    counts_version: &'static str,
    /// `counts`: the document says nothing about single users.
    disclosed: &'static str,
    tenant: TenantShape<'a>,
    /// False if a fact that matters could not be read.
    complete: bool,
    /// Whether `apply` would change anything. False for a plan from a snapshot.
    applyable: bool,
    /// When the tenant was recorded, if the plan is from a snapshot; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    users_in_scope: Count,
    users_changed: Count,
    /// The number of users in scope with each posture.
    posture: BeforeAfter<BTreeMap<&'static str, Count>>,
    changes: Vec<KindRow<'a>>,
    withheld: Vec<WithheldRow>,
    findings: Vec<FindingLine<'a>>,
    brakes: Vec<BrakeRow>,
    /// A hash that identifies exactly this plan.
    fingerprint: String,
    /// What the change of the files does, compared with a base. Absent without `--against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<ReviewRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Difference")]
struct ReviewRow<'a> {
    /// The base, as it was named.
    against: &'a str,
    /// Whether the plan could be compared. If not, it is unknown what the change does.
    compared: bool,
    /// Absent if not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ComparedRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Compared")]
struct ComparedRow<'a> {
    has_effect: bool,
    loosenings: Vec<LooseningRow<'a>>,
    posture: BTreeMap<&'static str, WithoutWith<Count>>,
    changes: Vec<KindRow<'a>>,
    withheld: Vec<WithheldRow>,
    /// The number of users that each policy starts and ceases to manage.
    governed: BTreeMap<&'a str, ScopeRow>,
    /// Users that no policy manages any more.
    orphaned: Count,
    weakened: Count,
    privileged: Count,
    findings: Vec<FindingLine<'a>>,
    waiting: WaitingRow,
}

/// One kind of change.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Kind")]
struct KindRow<'a> {
    setting: &'static str,
    /// What is planned without the change of the files; null if nothing.
    without: Option<SideRow<'a>>,
    with: Option<SideRow<'a>>,
    /// Whether the users have an administrator role, or perhaps have one.
    administrators: bool,
    users: Count,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Side")]
struct SideRow<'a> {
    action: &'static str,
    value: String,
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<ShapePlace<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Withheld")]
struct WithheldRow {
    setting: &'static str,
    code: &'static str,
    reason: String,
    without: Count,
    with: Count,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Loosening")]
struct LooseningRow<'a> {
    code: &'static str,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<ShapePlace<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Count>,
    #[serde(skip_serializing_if = "Option::is_none")]
    administrators: Option<Count>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
struct FindingLine<'a> {
    /// `new` or `gone` in a difference; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'static str>,
    code: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    message: Cow<'a, str>,
    users: Count,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Brake")]
struct BrakeRow {
    name: &'static str,
    actual: Count,
    of: Count,
    limit: usize,
    tripped: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Scope")]
struct ScopeRow {
    added: Count,
    removed: Count,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
struct WaitingRow {
    users: Count,
    changes: Count,
}

/// A number of users.
pub(in crate::render) struct Count(UserCount);

impl Count {
    pub(in crate::render) const fn of(number: UserCount) -> Self {
        Self(number)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UserCount::Exactly(number) => number.serialize(serializer),
            UserCount::Few => serializer.collect_str(&self.0),
        }
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a number; `<5` means 1 to 4",
            "oneOf": [{ "type": "integer", "minimum": 0 }, { "const": "<5" }],
        })
    }
}

struct Rows<'a> {
    plan: &'a Plan,
    disclose: &'a Discloser,
}

impl<'a> Rows<'a> {
    fn document(&self, alone: &'a Comparison, review: Option<&'a Review>) -> Document<'a> {
        let plan = self.plan;
        let postures = |counts: &BTreeMap<Posture, usize>| {
            counts.iter().map(|(posture, number)| (posture.as_str(), self.count(*number))).collect()
        };
        let finding = |finding: &'a crate::finding::Finding| FindingLine {
            when: None,
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            policy: finding.policy.as_deref(),
            message: self.disclose.message(finding),
            users: self.count(finding.users.len()),
        };
        Document {
            counts_version: COUNTS_VERSION,
            disclosed: self.disclose.level().as_str(),
            tenant: TenantShape::of(&plan.identity),
            complete: plan.is_complete(),
            applyable: !plan.changes.is_empty() && plan.recorded.is_none(),
            snapshot: plan.recorded.map(|made| made.to_string()),
            users_in_scope: self.count(plan.in_scope),
            users_changed: self.count(plan.summary.users_changed),
            posture: BeforeAfter {
                before: postures(&plan.postures.before),
                after: postures(&plan.postures.after),
            },
            changes: self.kinds(alone),
            withheld: self.withheld(alone),
            findings: plan.findings.iter().map(finding).collect(),
            brakes: plan.brakes.iter().map(|one| self.brake(one)).collect(),
            fingerprint: plan.fingerprint.to_string(),
            difference: review.map(|review| ReviewRow {
                against: review.against.raw(),
                compared: review.result.is_ok(),
                change: review.result.as_ref().ok().map(|one| self.compared(one)),
            }),
        }
    }

    fn compared(&self, comparison: &'a Comparison) -> ComparedRow<'a> {
        let difference = &comparison.difference;
        let postures = kinds::postures(comparison).into_iter().map(|row| {
            let [without, with] = [row.without, row.with].map(|number| self.count(number));
            (row.key, WithoutWith { without, with })
        });
        let scope = difference.scope().into_iter().map(|(name, delta)| {
            let [added, removed] =
                [delta.added.len(), delta.removed.len()].map(|number| self.count(number));
            (name.raw(), ScopeRow { added, removed })
        });
        let findings = finding_rows(difference).into_iter();
        ComparedRow {
            has_effect: comparison.has_effect(),
            loosenings: comparison.loosenings.iter().map(|one| self.loosening(one)).collect(),
            posture: postures.collect(),
            changes: self.kinds(comparison),
            withheld: self.withheld(comparison),
            governed: scope.collect(),
            orphaned: self.count(difference.orphaned().count()),
            weakened: self.count(difference.weakened().len()),
            privileged: self.count(difference.privileged().len()),
            findings: findings.map(|row| self.finding(row)).collect(),
            waiting: WaitingRow {
                users: self.count(comparison.waiting.users),
                changes: self.count(comparison.waiting.changes),
            },
        }
    }

    fn kinds(&self, comparison: &'a Comparison) -> Vec<KindRow<'a>> {
        let row = |kind: Kind<'a>| KindRow {
            setting: kind.setting.key(),
            without: kind.without.as_ref().map(|side| self.side(side, kind.setting)),
            with: kind.with.as_ref().map(|side| self.side(side, kind.setting)),
            administrators: kind.is_privileged,
            users: self.count(kind.users.len()),
        };
        kinds::kinds(&comparison.difference).into_iter().map(row).collect()
    }

    fn side(&self, side: &KindSide<'a>, setting: Setting) -> SideRow<'a> {
        let policy = &side.example.policy;
        let rule = kinds::rule(&self.plan.policies, policy, setting);
        SideRow {
            action: side.example.action().as_str(),
            value: value(side),
            policy: policy.raw(),
            origin: rule.map(|rule| place(&rule.place)),
        }
    }

    fn withheld(&self, comparison: &Comparison) -> Vec<WithheldRow> {
        let groups = kinds::withheld(&comparison.difference).into_iter();
        let row =
            |((setting, reason), counts): ((Setting, &ReasonContent), kinds::WithheldCounts)| {
                WithheldRow {
                    setting: setting.key(),
                    code: reason.code().as_str(),
                    reason: reason_words(reason),
                    without: self.count(counts.without),
                    with: self.count(counts.with),
                }
            };
        groups.map(row).collect()
    }

    fn loosening(&self, one: &'a Loosening) -> LooseningRow<'a> {
        LooseningRow {
            code: one.code.as_str(),
            message: self.disclose.of_files(&one.message, one.code.about()),
            policy: one.policy.as_ref().map(|name| name.raw()),
            origin: one.place.as_ref().map(|one| place(one.file_place())),
            users: one.concerned.as_ref().map(|some| self.count(some.users.len())),
            administrators: one.concerned.as_ref().map(|some| self.count(some.administrators)),
        }
    }

    fn finding(&self, row: FindingDelta<'a>) -> FindingLine<'a> {
        let finding = row.finding;
        FindingLine {
            when: Some(row.when()),
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            policy: finding.policy.as_deref(),
            message: row.message(self.disclose).into_owned().into(),
            users: self.count(row.users().len()),
        }
    }

    fn brake(&self, brake: &Brake) -> BrakeRow {
        BrakeRow {
            name: brake.name.as_str(),
            actual: self.count(brake.actual),
            of: self.count(brake.of),
            limit: brake.limit,
            tripped: brake.tripped(),
        }
    }

    const fn count(&self, number: usize) -> Count {
        Count(self.disclose.count(number))
    }
}

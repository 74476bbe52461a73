//! A saved plan: a file of JSON rows, one in each line. The last row is a digest over all others.
//! `write` writes the rows; `read` reads them and refuses a damaged file or another format; `object` is the row
//! of an object of the tenant. `json` reads a plan that was printed in JSON, and `plan_file` is what both formats
//! have in common. `approval` is another file: what was approved of a plan. `settings::full_value` holds numbers in full, which is why only the owner
//! may read the file.
//!
//! Not here: the file itself (`files`), whether a plan is still valid (`apply::verify`), or how it is
//! shown (`render`).

pub mod approval;
pub mod json;
mod object;
mod plan_file;
mod read;
mod write;

pub use plan_file::PlanFile;
pub use read::{FileFault, begins_as_plan, read, read_from};
pub use write::write;

use object::ObjectRow;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::id::UserId;
use crate::observed::TenantBasis;
use crate::plan::brakes::Brake;
use crate::plan::fingerprint::{Fingerprint, Key};
use crate::plan::rows_of;
use crate::plan::summary::PostureCounts;
use crate::plan::{Cause, Plan, PlanPurpose, PolicyLabel, Reason, UserPlan, Withheld};
use crate::policy::meaning::Meaning;
use crate::posture::Posture;
use crate::settings::Setting;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::settings::full_value::{FullFacts, FullValue};
use crate::tenant::directory::{Account, Identity, UserIndex};
use crate::untrusted::Untrusted;

/// The format that this program writes.
pub const FORMAT: u32 = 2;

/// The oldest format that this program still shows. It does not apply plans of that format, because their
/// fingerprint covers less than what they show.
const OLDEST: u32 = 1;

/// A plan that was read from a file.
#[derive(Debug)]
pub struct Saved {
    pub plan: Plan,
    /// [`FORMAT`], or an older one.
    pub format: u32,
    /// The fingerprint over everything that the plan showed when it was saved. Older formats have none.
    shown: Option<Fingerprint>,
    pub cloud: String,
    /// Whether the tenant is the sandbox.
    pub sandbox: bool,
    pub made: Timestamp,
    /// The version of the program that made the plan.
    pub program: String,
}

/// What the file of a plan contains in addition to the plan.
#[derive(Debug, Clone, Copy)]
pub struct SavedExtras<'a> {
    pub cloud: &'a str,
    pub sandbox: bool,
    pub made: Timestamp,
    /// The key of the fingerprint.
    pub key: Option<&'a Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Row {
    Plan(Box<Header>),
    User(Box<UserRow>),
    /// A plan without objects has no such row, so older programs still read it.
    Object(Box<ObjectRow>),
    Finding(Box<Finding>),
    /// SHA-256 of all bytes before this line, in hex.
    Digest(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    format: u32,
    program: String,
    tenant: Identity,
    cloud: String,
    sandbox: bool,
    made: Timestamp,
    purpose: PlanPurpose,
    /// A field of format 1, which identified policies by the text of their files.
    #[serde(default, skip_serializing, rename = "sources")]
    _sources: IgnoredAny,
    #[serde(default)]
    meaning: Meaning,
    policies: Vec<PolicyLabel>,
    basis: TenantBasis,
    in_scope: usize,
    postures: PostureCounts,
    brakes: Vec<Brake>,
    fingerprint: String,
    /// The fingerprint that also covers the places of rules.
    #[serde(default)]
    shown: Option<String>,
}

/// A user, and the user's part of the plan.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserRow {
    id: UserId,
    name: Untrusted,
    account: Account,
    /// `None` for a user that only a finding names.
    part: Option<PartRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PartRow {
    facts: FullFacts,
    before: Posture,
    after: Posture,
    policies: Vec<PolicyIndex>,
    changes: Vec<ChangeRow>,
    withheld: Vec<WithheldRow>,
    reported: Vec<ChangeRow>,
    reported_withheld: Vec<WithheldRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeRow {
    setting: Setting,
    before: FullValue,
    after: FullValue,
    policy: PolicyIndex,
    mandate: Mandate,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WithheldRow {
    setting: Setting,
    wanted: FullValue,
    policy: PolicyIndex,
    reason: Reason,
    cause: Option<Cause>,
}

impl Saved {
    /// Whether the plan matches its fingerprint and shows what it showed when it was saved. `None` if the
    /// format is too old to tell.
    #[must_use]
    pub fn is_as_named(&self, key: Option<&Key>) -> Option<bool> {
        let shown = self.shown?;
        let Self { plan, cloud, sandbox, made, .. } = self;
        let about = SavedExtras { cloud, sandbox: *sandbox, made: *made, key };
        Some(Fingerprint::of(plan, key) == plan.fingerprint && about.shown(plan) == shown)
    }
}

impl SavedExtras<'_> {
    /// Returns a digest over everything that is shown or asked for when the plan is applied.
    fn shown(&self, plan: &Plan) -> Fingerprint {
        let Self { cloud, sandbox, made, key } = self;
        Fingerprint::with_places(plan, &[cloud, &sandbox.to_string(), &made.to_string()], *key)
    }
}

impl PartRow {
    fn of(plan: &Plan, user: &UserPlan) -> Self {
        let index = user.user;
        let withheld = |all| {
            let rows: &[Withheld] = rows_of(all, index, |one: &Withheld| one.user);
            rows.iter().map(WithheldRow::of).collect()
        };
        let reported = rows_of(&plan.reported, index, |change| change.user);
        Self {
            facts: user.facts.into(),
            before: user.before,
            after: user.after,
            policies: user.policies.clone(),
            changes: plan.changes_of(user).iter().map(ChangeRow::of).collect(),
            withheld: withheld(&plan.withheld),
            reported: reported.iter().map(ChangeRow::of).collect(),
            reported_withheld: withheld(&plan.reported_withheld),
        }
    }
}

impl ChangeRow {
    fn of(change: &Change) -> Self {
        let Change { setting, before, after, policy, mandate, .. } = *change;
        Self { setting, before: before.into(), after: after.into(), policy, mandate }
    }

    fn change(self, user: UserIndex) -> Change {
        let Self { setting, before, after, policy, mandate } = self;
        Change { user, setting, before: before.into(), after: after.into(), policy, mandate }
    }
}

impl WithheldRow {
    fn of(withheld: &Withheld) -> Self {
        let Withheld { setting, wanted, policy, reason, cause, .. } = *withheld;
        Self { setting, wanted: wanted.into(), policy, reason, cause }
    }

    fn withheld(self, user: UserIndex) -> Withheld {
        let Self { setting, wanted, policy, reason, cause } = self;
        Withheld { user, setting, wanted: wanted.into(), policy, reason, cause }
    }
}

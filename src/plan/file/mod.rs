//! A plan in a file: JSON, one row a line, the last of them a digest over all the others. `write`
//! puts it there whole or not at all, `read` takes it back and refuses what is damaged or of
//! another format, `value` holds numbers in full, which is why the file is for its owner alone.
//!
//! Not here: whether a plan still holds (`apply::basis`), or how it is shown (`render`).

mod read;
pub mod value;
mod write;

pub use read::{FileFault, begins_as_plan, read};
pub use write::write;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::brakes::Brake;
use super::fingerprint::{Fingerprint, Key};
use super::summary::PostureCounts;
use super::{Cause, Plan, PolicyLabel, Purpose, Reason, TenantBasis, UserPlan, Withheld};
use crate::finding::Finding;
use crate::id::UserId;
use crate::policy::meaning::Meaning;
use crate::posture::Posture;
use crate::settings::Setting;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::tenant::directory::{Account, Identity, UserIndex};
use crate::untrusted::Untrusted;
use value::{FullFacts, FullValue};

/// The format that this program writes.
pub const FORMAT: u32 = 2;

/// The oldest one that it still shows. Plans of it are not applied: their fingerprint covers less than
/// what they show.
const OLDEST: u32 = 1;

/// A plan as it was saved.
#[derive(Debug)]
pub struct Saved {
    pub plan: Plan,
    /// [`FORMAT`], or an older one.
    pub format: u32,
    /// Over all that it shows, as it was when it was saved. Older formats have none.
    shown: Option<Fingerprint>,
    pub cloud: String,
    /// Of the embedded tenant.
    pub sandbox: bool,
    pub made: Timestamp,
    /// The program that made it.
    pub program: String,
}

/// What stands beside a plan in its file.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub cloud: &'a str,
    pub sandbox: bool,
    pub made: Timestamp,
    /// What its fingerprint was made with.
    pub key: Option<&'a Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Row {
    Plan(Box<Header>),
    User(Box<UserRow>),
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
    purpose: Purpose,
    /// Of format 1, which went by the text of the files.
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
    /// The fingerprint over places as well.
    #[serde(default)]
    shown: Option<String>,
}

/// A person, and what the plan does with them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserRow {
    id: UserId,
    name: Untrusted,
    account: Account,
    /// Nothing for somebody whom only a finding names.
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
    /// Whether the plan is what its fingerprint names and shows what it showed when it was saved;
    /// nothing where the format is too old to tell.
    #[must_use]
    pub fn is_as_named(&self, key: Option<&Key>) -> Option<bool> {
        let shown = self.shown?;
        let Self { plan, cloud, sandbox, made, .. } = self;
        let about = About { cloud, sandbox: *sandbox, made: *made, key };
        Some(Fingerprint::of(plan, key) == plan.fingerprint && about.shown(plan) == shown)
    }
}

impl About<'_> {
    /// A digest of the plan with all that is shown or asked for when it is applied.
    fn shown(&self, plan: &Plan) -> Fingerprint {
        let Self { cloud, sandbox, made, key } = self;
        Fingerprint::with_places(plan, &[cloud, &sandbox.to_string(), &made.to_string()], *key)
    }
}

impl PartRow {
    fn of(plan: &Plan, user: &UserPlan) -> Self {
        let index = user.user;
        let withheld = |all| {
            let rows: &[Withheld] = between(all, |one: &Withheld| one.user, index);
            rows.iter().map(WithheldRow::of).collect()
        };
        let reported = between(&plan.reported, |change| change.user, index);
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

/// The rows of one user among rows in the order of users.
fn between<T>(rows: &[T], user: impl Fn(&T) -> UserIndex, index: UserIndex) -> &[T] {
    let from = rows.partition_point(|row| user(row) < index);
    let to = rows.partition_point(|row| user(row) <= index);
    rows.get(from..to).unwrap_or_default()
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

//! The approval of a plan: what was planned when a person agreed, without a name and without a number. A later
//! plan may do what was approved and is still planned, and nothing else.
//!
//! - An approval holds one pair of digests for each change (`digest`): one for the setting of the user, one
//!   for the change itself.
//! - It is bound to the files, to the rules of the tenant and to the break-glass accounts (`bound`): if one of
//!   them differs, nothing of it counts.
//! - `check` compares it with a later plan.
//!
//! Not here: the file of an approval (`saved::approval`), or carrying it out (`run::approved`).

mod bound;
mod check;
mod digest;

pub use bound::{ApprovalBasis, ChangedBasis};
pub use check::{ApprovalCheck, ChangeStanding, CheckedChange};
pub use digest::{ApprovalDigest, ApprovalKey, Salt};

use std::collections::BTreeSet;

use super::Plan;
use crate::id::TenantId;

/// What was approved of a plan.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    pub tenant: TenantId,
    pub basis: ApprovalBasis,
    pub changes: BTreeSet<ApprovedChange>,
    /// The changes of objects of the tenant.
    pub objects: BTreeSet<ApprovedChange>,
}

/// One approved change, without what it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovedChange {
    /// The digest of the user and the setting, or of the object.
    pub what: ApprovalDigest,
    /// The digest of all of the change: its values, its policy and what the policy permits.
    pub change: ApprovalDigest,
}

impl Approval {
    /// Returns the approval of all changes of the plan.
    #[must_use]
    pub fn of(plan: &Plan, key: &ApprovalKey) -> Self {
        Self {
            tenant: plan.identity.id,
            basis: ApprovalBasis::of(plan, key),
            changes: plan.changes.iter().map(|change| key.change(plan, change)).collect(),
            objects: plan.objects.iter().map(|change| key.object(change)).collect(),
        }
    }
}

//! The observed state of a tenant, and the part of it that a plan depends on.
//!
//! Not here: reading it (`run::observe`), or the facts of one user (`tenant::facts`).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::finding::Finding;
use crate::id::UserId;
use crate::posture::Judge;
use crate::scope::Scope;
use crate::tenant::delivery::Delivery;
use crate::tenant::demand::MfaRequirements;
use crate::tenant::directory::{Directory, Identity, UserIndex};
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::rules_digest::RulesDigest;

/// The observed state of a tenant, as the input of a plan.
#[derive(Debug, Clone)]
pub struct Observed {
    pub identity: Identity,
    /// Two policy sets that are observed together share it.
    pub directory: Arc<Directory>,
    pub scope: Scope,
    /// In the order of the users in the directory.
    pub facts: Vec<Facts>,
    pub basis: TenantBasis,
    /// The findings from resolving names and reading the rules of the tenant.
    pub findings: Vec<Finding>,
    /// When the tenant was recorded, if this is from a snapshot.
    pub recorded: Option<Timestamp>,
}

/// The part of the basis that concerns the whole tenant; each user's facts are the other part. Apply
/// reads it again and applies nothing if it has changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantBasis {
    pub method_policy: MethodPolicy,
    pub demand: MfaRequirements,
    pub delivery: Delivery,
    /// The day of the evaluation. Apply evaluates on its own day.
    pub today: Date,
    /// The accounts that are never written.
    pub break_glass: BTreeSet<UserId>,
    /// What was read of the users in addition to methods and state.
    pub extra: Extra,
    /// The rules of the tenant as they are configured. Plans saved by older programs lack this.
    #[serde(default)]
    pub rules: RulesDigest,
}

impl Observed {
    #[must_use]
    pub fn facts(&self, user: UserIndex) -> Facts {
        self.facts.get(user.place()).copied().unwrap_or(Facts::NOT_READ)
    }

    /// Returns the number of users whose registered methods are known.
    #[must_use]
    pub fn people_read(&self) -> usize {
        self.facts.iter().filter(|facts| facts.methods.known().is_some()).count()
    }
}

impl TenantBasis {
    /// Returns the judge that decides with this basis.
    #[must_use]
    pub const fn judge(&self) -> Judge<'_> {
        Judge {
            method_policy: &self.method_policy,
            demand: &self.demand,
            delivery: self.delivery,
            today: self.today,
        }
    }
}

impl TenantBasis {
    /// Returns the basis of these users alone, renumbered in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        Self {
            method_policy: self.method_policy.only(users),
            demand: self.demand.only(users),
            break_glass: self.break_glass.clone(),
            ..*self
        }
    }
}

//! A plan from a file of either format, as far as plans can be compared.
//!
//! Not here: reading the two formats (`read`, `json`), or the comparison (`plan::difference`).

use super::Saved;
use crate::plan::PolicyLabel;
use crate::plan::content::{Governed, PlanContent};
use crate::tenant::directory::Identity;
use crate::untrusted::Untrusted;

/// The plan in a file.
#[derive(Debug, Clone)]
pub struct PlanFile {
    pub identity: Identity,
    /// False if a fact that matters could not be read.
    pub complete: bool,
    /// As the file has it.
    pub fingerprint: Untrusted,
    /// The places of rules. A plan in JSON has none here.
    pub policies: Vec<PolicyLabel>,
    /// Without the users that no plan changes: the file does not say which of them are in scope.
    pub content: PlanContent,
}

impl From<&Saved> for PlanFile {
    fn from(saved: &Saved) -> Self {
        let plan = &saved.plan;
        Self {
            identity: plan.identity.clone(),
            complete: plan.is_complete(),
            fingerprint: plan.fingerprint.to_string().into(),
            policies: plan.policies.clone(),
            content: PlanContent::of(plan, Governed::new()),
        }
    }
}

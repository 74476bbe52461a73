//! Reads authentication strengths: which combinations of factors each one accepts (Graph documentation
//! of authenticationStrengthPolicy, v1.0, checked 2026-11).
//!
//! Not here: the policies that require a strength (`conditional_access`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::null_is_empty;
use crate::graph::{Client, Consistency, Continued, Error, Identified, identity_of};
use crate::tenant::strength::Accepted;

pub(super) const PATH: &str = "/v1.0/policies/authenticationStrengthPolicies";

/// The strengths of a tenant, by id; empty if they cannot be read.
#[derive(Debug, Default)]
pub(super) struct Strengths(BTreeMap<String, Strength>);

/// A strength, or the part of it that is shown inside a policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Strength {
    #[serde(default)]
    id: String,
    #[serde(default)]
    requirements_satisfied: Option<String>,
    #[serde(default)]
    allowed_combinations: Option<Vec<String>>,
    #[serde(default)]
    combination_configurations: Option<Vec<Restriction>>,
    #[serde(flatten)]
    continued: Continued,
}

impl Identified for Strength {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

/// A restriction: some combinations are accepted from some devices or issuers only.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restriction {
    #[serde(default, deserialize_with = "null_is_empty")]
    applies_to_combinations: Vec<String>,
}

pub(super) async fn read(client: &Client) -> Result<Strengths, Error> {
    match client.list::<Strength>(PATH, Consistency::Default).await {
        Ok(list) => Ok(Strengths(list.into_iter().map(|one| (one.id.clone(), one)).collect())),
        // The request is refused, or this cloud does not have strengths.
        Err(error) if matches!(error.status(), Some(400 | 403 | 404 | 405 | 501)) => {
            Ok(Strengths::default())
        }
        Err(error) => Err(error),
    }
}

impl Strengths {
    /// Returns what is accepted, and whether it is certainly MFA; `None` if it certainly is not. The
    /// list shows more of a strength than the policy that names it.
    pub(super) fn accepts(&self, named: &Strength) -> Option<(Accepted, bool)> {
        let strength = self.0.get(&named.id).unwrap_or(named);
        let is_mfa = match strength.requirements_satisfied.as_deref() {
            Some("none") => return None,
            satisfied => satisfied.is_some_and(|satisfied| satisfied.contains("mfa")),
        };
        // If the list continues elsewhere, it is unknown what is missing here.
        let Some(allowed) =
            strength.allowed_combinations.as_ref().filter(|_| !strength.continued.any())
        else {
            return Some((Accepted::UNKNOWN, is_mfa));
        };
        let restrictions = strength.combination_configurations.as_deref().unwrap_or_default();
        let restricted = |combination: &str| {
            let mut all = restrictions.iter().flat_map(|one| &one.applies_to_combinations);
            all.any(|one| one == combination)
        };
        Some((Accepted::by_combinations(allowed.iter().map(String::as_str), restricted), is_mfa))
    }
}

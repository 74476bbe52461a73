//! The requests of mfactl to Microsoft Graph, with the reading and writing of each path in one place,
//! and the permission that each request needs.
//!
//! Not here: how a request is sent, retried or refused (`graph`), or what the answers mean for a user
//! (`posture`, `plan`).

pub mod accounts;
mod bulk_states;
pub mod conditional_access;
pub mod directory;
mod domains;
pub mod facts;
mod groups;
mod membership;
pub mod method_policy;
mod methods;
pub mod permission_check;
pub mod permissions;
pub mod phones;
pub mod prefetch;
mod read_strategy;
pub mod roles;
mod strengths;
pub mod tenant_rules;
mod unsettled;
mod users;
pub mod write;

use serde::{Deserialize, Deserializer};

use crate::id::{GroupId, UserId};
use crate::tenant::lookup::UserFact;
use tenant_rules::SafetyRule;

/// Returns the paths at which a run reads the tenant-wide basis, without the query.
#[must_use]
pub fn paths_of_tenant() -> [(SafetyRule, &'static str); 6] {
    [
        (SafetyRule::ConditionalAccess, conditional_access::POLICIES),
        (SafetyRule::SecurityDefaults, conditional_access::SECURITY_DEFAULTS),
        (SafetyRule::MethodPolicy, method_policy::PATH),
        (SafetyRule::Domains, without_query(domains::PATH)),
        (SafetyRule::Roles, without_query(roles::ASSIGNMENTS)),
        (SafetyRule::Eligibility, without_query(roles::ELIGIBILITY)),
    ]
}

/// Returns the path at which a run reads the directory entry of a user, by `word`: the id or the name.
// This and the facts are sent in batches, and a batch has one API version.
#[must_use]
pub fn path_of_user(word: &str) -> String {
    format!("/beta/users/{word}")
}

/// Returns the path of the documented request for a fact of a user.
#[must_use]
pub fn path_of_fact(fact: UserFact, user: UserId) -> String {
    format!("/beta{}", facts::fact_url(fact, user))
}

/// Returns the path at which a run reads the members of a group.
#[must_use]
pub fn path_of_members(group: GroupId) -> String {
    without_query(&groups::members(group, "id")).to_owned()
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Reads null as the empty value: Graph shows an empty list in both ways.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(value).map(Option::unwrap_or_default)
}

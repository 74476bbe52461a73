//! What mfactl asks of Microsoft Graph, with reading and writing of each path side by side, and
//! what every call needs permission for.
//!
//! Not here: how a request travels, is repeated or refused (`graph`), or what the answers mean for
//! anybody (`posture`, `plan`).

pub mod access;
pub mod accounts;
pub mod ahead;
pub mod conditional_access;
pub mod directory;
mod domains;
pub mod facts;
mod groups;
mod membership;
pub mod method_policy;
mod methods;
pub mod permissions;
pub mod phones;
pub mod roles;
pub mod safety;
mod states;
mod strengths;
mod unsettled;
mod users;
mod ways;
pub mod write;

use serde::{Deserialize, Deserializer};

use crate::id::{GroupId, UserId};
use safety::Rule;

/// Where a run reads of every tenant what its safety rests on, without the query.
#[must_use]
pub fn paths_of_tenant() -> [(Rule, &'static str); 6] {
    [
        (Rule::ConditionalAccess, conditional_access::POLICIES),
        (Rule::SecurityDefaults, conditional_access::SECURITY_DEFAULTS),
        (Rule::MethodPolicy, method_policy::PATH),
        (Rule::Domains, without_query(domains::PATH)),
        (Rule::Roles, without_query(roles::ASSIGNMENTS)),
        (Rule::Eligibility, without_query(roles::ELIGIBILITY)),
    ]
}

/// Where it reads of one user the entry in the directory, asked for by that word, the registered
/// methods, the per-user MFA state and, where a policy needs them, the preferences.
#[must_use]
pub fn paths_of_user(user: UserId, word: &str) -> [String; 4] {
    // All go in batches, and a batch is of one version.
    [
        format!("/users/{word}"),
        facts::methods_url(user),
        facts::state_url(user),
        facts::preferences_url(user),
    ]
    .map(|path| format!("/beta{path}"))
}

/// Where it reads who is in a group.
#[must_use]
pub fn path_of_members(group: GroupId) -> String {
    without_query(&groups::members(group, "id")).to_owned()
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Reads null as nothing: Graph shows an empty list as either.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(value).map(Option::unwrap_or_default)
}

//! Whether the tenant allows SMS sign-in for a user. If it does, registering a mobile phone switches
//! SMS sign-in on.
//!
//! Graph documentation (smsAuthenticationMethodConfiguration): it is enabled, and the user is in a
//! target with `isUsableForSignIn` and in no exclude target. Not here: which user already signs in
//! with a number (`store`).

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use crate::records::Document;

/// Whether the `authenticationMethodsPolicy` allows it for a user who is in `groups`, nested groups
/// included.
pub(crate) fn allowed(policy: &Document, user: Uuid, groups: &BTreeSet<Uuid>) -> bool {
    let configurations = policy.get("authenticationMethodConfigurations");
    let sms = configurations
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|configuration| configuration.get("id").and_then(Value::as_str) == Some("Sms"));
    let Some(sms) = sms.filter(|sms| sms.get("state").and_then(Value::as_str) == Some("enabled"))
    else {
        return false;
    };
    let included = targets(sms, "includeTargets")
        .filter(|target| target.get("isUsableForSignIn") == Some(&Value::Bool(true)))
        .any(|target| covers(target, user, groups));
    included && !targets(sms, "excludeTargets").any(|target| covers(target, user, groups))
}

fn targets<'p>(sms: &'p Value, name: &str) -> impl Iterator<Item = &'p Value> {
    sms.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn covers(target: &Value, user: Uuid, groups: &BTreeSet<Uuid>) -> bool {
    match target.get("id").and_then(Value::as_str) {
        Some("all_users") => true,
        Some(id) => id.parse().is_ok_and(|id: Uuid| id == user || groups.contains(&id)),
        None => false,
    }
}

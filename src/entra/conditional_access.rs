//! Reads what requires MFA in the tenant: Conditional Access policies, authentication strengths and
//! security defaults (Graph documentation of conditionalAccessPolicy, authenticationStrengthPolicy and
//! identitySecurityDefaultsEnforcementPolicy, v1.0, checked 2026-11).
//!
//! Graph answers one Conditional Access request per second for a whole tenant, so all policies are read
//! in one list call. Not here: what the controls of a policy require (`grant`).

mod grant;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::null_is_empty;
use super::permissions::wants_licence;
use super::strengths::{self, Strengths};
use crate::graph::{Client, Consistency, Continued, Error, Identified, identity_of};
use crate::tenant::demand::{Apps, ConditionalAccessRule, Guests, Targets};
use crate::tenant::user_set::Tristate;
use grant::Grant;

pub(super) const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";
pub(super) const SECURITY_DEFAULTS: &str =
    "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy";

/// Reads the policies that are on, or may be on, and that can require MFA, in the order of Graph.
///
/// # Errors
/// The error of Graph. If only strengths are refused, it is unknown what their policies accept, which is
/// no error.
pub async fn read(client: &Client) -> Result<Vec<ConditionalAccessRule>, Error> {
    let mut policies: Vec<Policy> = match client.list(POLICIES, Consistency::Default).await {
        Err(error) if wants_licence(&error) => return Ok(Vec::new()),
        answer => answer?,
    };
    policies.retain(|policy| policy.is_on() != Tristate::No);
    let strengths = if policies.iter().any(Policy::has_strength) {
        strengths::read(client).await?
    } else {
        Strengths::default()
    };
    Ok(policies.iter().filter_map(|policy| policy.rule(&strengths)).collect())
}

/// Reads whether security defaults are on.
///
/// # Errors
/// The error of Graph.
pub async fn security_defaults(client: &Client) -> Result<bool, Error> {
    client
        .get::<SecurityDefaults>(SECURITY_DEFAULTS, Consistency::Default)
        .await
        .map(|defaults| defaults.is_enabled)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecurityDefaults {
    is_enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    state: Option<String>,
    conditions: Conditions,
    #[serde(default)]
    grant_controls: Option<Grant>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Conditions {
    #[serde(default, deserialize_with = "null_is_empty")]
    users: Map<String, Value>,
    #[serde(default, deserialize_with = "null_is_empty")]
    applications: Map<String, Value>,
    #[serde(default, deserialize_with = "null_is_empty")]
    client_app_types: Vec<String>,
    /// Conditions of all other kinds, including future ones.
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Identified for Policy {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl Policy {
    /// Returns whether the policy is on: unknown for a state that this program does not know.
    fn is_on(&self) -> Tristate {
        match self.state.as_deref() {
            Some("enabled") => Tristate::Yes,
            Some("disabled" | "enabledForReportingButNotEnforced") => Tristate::No,
            _ => Tristate::Unknown,
        }
    }

    fn has_strength(&self) -> bool {
        self.grant_controls.as_ref().is_some_and(Grant::has_strength)
    }

    fn rule(&self, strengths: &Strengths) -> Option<ConditionalAccessRule> {
        let (narrowed, apps) = self.conditions.scope()?;
        let grant = self.grant_controls.as_ref()?;
        let holds_always = !narrowed && apps == Apps::Any;
        let required = grant.required(strengths, holds_always)?;
        Some(ConditionalAccessRule {
            name: self.display_name.clone().unwrap_or_default().into(),
            narrowed: narrowed || required.perhaps || self.is_on() != Tristate::Yes,
            apps,
            accepts: required.accepts,
            include: targets(&self.conditions.users, "include"),
            exclude: targets(&self.conditions.users, "exclude"),
        })
    }
}

/// The name by which a policy covers all apps of the admin portals (Entra documentation of Conditional
/// Access apps, "Microsoft Admin Portals", checked 2026-11).
const PORTALS: &str = "MicrosoftAdminPortals";

impl Conditions {
    /// Returns whether the policy applies to only some of the sign-ins to its apps, and its apps; `None`
    /// if it applies to no sign-in to an app, but to actions such as registering.
    fn scope(&self) -> Option<(bool, Apps)> {
        let words = words(self.applications.get("includeApplications"));
        let lists = ["includeApplications", "excludeApplications"];
        if lists.iter().any(|list| is_part(&self.applications, list)) {
            return Some((true, Apps::Any));
        }
        let has_value = |key: &str| !is_blank(self.applications.get(key));
        if words.iter().all(|app| app == "None") && !has_value("applicationFilter") {
            return None;
        }
        let (apps, covers_them) = match (words.contains("All"), words.contains(PORTALS)) {
            (true, _) => (Apps::Any, !has_value("applicationFilter")),
            (false, true) if words.len() == 1 && !has_value("applicationFilter") => {
                (Apps::Portals, true)
            }
            (false, true) => (Apps::PortalsAndOthers, true),
            (false, false) => (Apps::Any, false),
        };
        let all_clients = self.client_app_types.iter().any(|kind| kind == "all");
        let plain = self.others.iter().all(|(name, value)| is_open(name, value));
        let is_whole = covers_them && !has_value("excludeApplications") && all_clients && plain;
        Some((!is_whole, apps))
    }
}

/// Returns whether a condition includes every sign-in.
fn is_open(name: &str, value: &Value) -> bool {
    let all_of = |key: &str, all: &str, excluded: &str| {
        words(value.get(key)).iter().any(|word| word.eq_ignore_ascii_case(all))
            && is_blank(value.get(excluded))
    };
    let is_continued = |key: &String| Continued::list_of(key).is_some();
    is_blank(Some(value))
        || match name {
            _ if value.as_object().is_some_and(|lists| lists.keys().any(is_continued)) => false,
            "platforms" => all_of("includePlatforms", "all", "excludePlatforms"),
            "locations" => all_of("includeLocations", "All", "excludeLocations"),
            _ => name.starts_with('@'),
        }
}

/// Returns whether only a part of a list is shown, or the value is no list.
fn is_part(object: &Map<String, Value>, list: &str) -> bool {
    let odd = |value: &Value| !value.is_array() && !value.is_null();
    object.get(list).is_some_and(odd)
        || object.iter().any(|(key, link)| Continued::list_of(key) == Some(list) && !link.is_null())
}

/// Returns whether the value is empty: null, an empty list or text, or an object with nothing else in
/// it.
fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(members)) => {
            members.iter().all(|(name, value)| name.starts_with('@') || is_blank(Some(value)))
        }
        Some(Value::Bool(_) | Value::Number(_)) => false,
    }
}

fn words(value: Option<&Value>) -> BTreeSet<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the users, groups and roles in the lists with this prefix. An id of an undocumented shape
/// counts as another target, and so does the rest of a list that is not shown completely.
fn targets(users: &Map<String, Value>, prefix: &str) -> Targets {
    let list = |kind: &str| words(users.get(&format!("{prefix}{kind}")));
    let parts = ["Users", "Groups", "Roles"];
    let others = parts.iter().any(|kind| is_part(users, &format!("{prefix}{kind}")));
    let mut targets = Targets { others, ..Targets::default() };
    for word in list("Users") {
        match word.as_str() {
            "All" => targets.everybody = true,
            "None" => {}
            "GuestsOrExternalUsers" => targets.guests = Guests::All,
            id => match id.parse() {
                Ok(id) => _ = targets.users.insert(id),
                Err(_) => targets.others = true,
            },
        }
    }
    if targets.guests != Guests::All {
        targets.guests = guests(users.get(&format!("{prefix}GuestsOrExternalUsers")));
    }
    for id in list("Groups") {
        match id.parse() {
            Ok(id) => _ = targets.groups.insert(id),
            Err(_) => targets.others = true,
        }
    }
    for id in list("Roles") {
        match id.parse() {
            Ok(id) => _ = targets.roles.insert(id),
            Err(_) => targets.others = true,
        }
    }
    targets
}

/// Returns whether the policy covers guests whose account is in the tenant: `internalGuest` (Graph
/// documentation of conditionalAccessGuestsOrExternalUsers, checked 2026-11).
fn guests(named: Option<&Value>) -> Guests {
    let Some(named) = named.filter(|named| !is_blank(Some(named))) else { return Guests::None };
    let kinds = named.get("guestOrExternalUserTypes").and_then(Value::as_str).unwrap_or_default();
    let kinds: Vec<&str> = kinds.split(',').map(str::trim).collect();
    let known = |kind: &&str| {
        matches!(
            *kind,
            "none"
                | "b2bCollaborationGuest"
                | "b2bCollaborationMember"
                | "b2bDirectConnectUser"
                | "otherExternalUser"
                | "serviceProvider"
        )
    };
    // The listed tenants are the home tenants of guests, and an internal guest has none of them.
    let all_tenants = named
        .get("externalTenants")
        .and_then(|tenants| tenants.get("membershipKind"))
        .and_then(Value::as_str)
        .is_none_or(|kind| kind == "all");
    match () {
        () if kinds.contains(&"internalGuest") && all_tenants => Guests::All,
        () if kinds.iter().all(known) => Guests::None,
        () => Guests::Perhaps,
    }
}

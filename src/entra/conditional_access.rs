//! What demands MFA in the tenant: Conditional Access policies, authentication strengths and
//! security defaults (Graph documentation of conditionalAccessPolicy,
//! authenticationStrengthPolicy and identitySecurityDefaultsEnforcementPolicy, v1.0, checked
//! 2026-11).
//!
//! Conditional Access answers one request a second for a whole tenant: it is one list call.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::null_is_empty;
use super::permissions::wants_licence;
use super::strengths::{self, Strength, Strengths};
use crate::graph::{Client, Consistency, Error};
use crate::tenant::demand::{Rule, Targets};
use crate::tenant::strength::Accepted;

pub(super) const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";
pub(super) const SECURITY_DEFAULTS: &str =
    "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy";

/// The policies that are on and can demand MFA, in the order Graph lists them.
///
/// # Errors
/// As Graph answers; where only strengths are refused, what those policies accept is unknown.
pub async fn read(client: &Client) -> Result<Vec<Rule>, Error> {
    let mut policies: Vec<Policy> = match client.list(POLICIES, Consistency::Default).await {
        Err(error) if wants_licence(&error) => return Ok(Vec::new()),
        answer => answer?,
    };
    policies.retain(|policy| policy.state.as_deref() == Some("enabled"));
    let strengths = if policies.iter().any(Policy::has_strength) {
        strengths::read(client).await?
    } else {
        Strengths::default()
    };
    Ok(policies.iter().filter_map(|policy| policy.rule(&strengths)).collect())
}

/// Whether security defaults are on.
///
/// # Errors
/// As Graph answers.
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
    /// Conditions of all other kinds, those that are not invented yet among them.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    #[serde(default)]
    operator: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    built_in_controls: Vec<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    custom_authentication_factors: Vec<Value>,
    #[serde(default, deserialize_with = "null_is_empty")]
    terms_of_use: Vec<Value>,
    #[serde(default)]
    authentication_strength: Option<Strength>,
}

/// What a policy's controls demand.
struct Demanded {
    accepts: Accepted,
    /// Something else would do instead, or it is not sure that MFA is meant.
    perhaps: bool,
}

impl Policy {
    fn has_strength(&self) -> bool {
        self.grant_controls.as_ref().is_some_and(|grant| grant.authentication_strength.is_some())
    }

    fn rule(&self, strengths: &Strengths) -> Option<Rule> {
        let demanded = self.grant_controls.as_ref()?.demanded(strengths)?;
        let scope = self.conditions.scope()?;
        Some(Rule {
            name: self.display_name.clone().unwrap_or_default(),
            narrowed: demanded.perhaps || scope == Scope::Narrowed,
            accepts: demanded.accepts,
            include: targets(&self.conditions.users, "include"),
            exclude: targets(&self.conditions.users, "exclude"),
        })
    }
}

impl Grant {
    fn demanded(&self, strengths: &Strengths) -> Option<Demanded> {
        let others = self.built_in_controls.iter().filter(|control| *control != "mfa").count()
            + self.custom_authentication_factors.len()
            + self.terms_of_use.len();
        let instead = others > 0 && self.operator.as_deref() != Some("AND");
        if let Some(strength) = &self.authentication_strength {
            let (accepts, is_mfa) = strengths.accepts(strength)?;
            return Some(Demanded { accepts, perhaps: instead || !is_mfa });
        }
        let asks = self.built_in_controls.iter().any(|control| control == "mfa");
        asks.then_some(Demanded { accepts: Accepted::ANY, perhaps: instead })
    }
}

/// At which sign-ins a policy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Every,
    Narrowed,
}

impl Conditions {
    /// `None` where it holds at no sign-in to an app, but at actions such as registering.
    fn scope(&self) -> Option<Scope> {
        let apps = words(self.applications.get("includeApplications"));
        if apps.iter().all(|app| app == "None")
            && is_blank(self.applications.get("applicationFilter"))
        {
            return None;
        }
        let all_apps = apps.contains("All")
            && ["excludeApplications", "applicationFilter"]
                .iter()
                .all(|key| is_blank(self.applications.get(*key)));
        let all_clients = self.client_app_types.iter().any(|kind| kind == "all");
        let plain = self.others.iter().all(|(name, value)| is_open(name, value));
        Some(if all_apps && all_clients && plain { Scope::Every } else { Scope::Narrowed })
    }
}

/// Whether a condition lets every sign-in through to the policy.
fn is_open(name: &str, value: &Value) -> bool {
    let all_of = |key: &str, all: &str, left_out: &str| {
        words(value.get(key)).iter().any(|word| word.eq_ignore_ascii_case(all))
            && is_blank(value.get(left_out))
    };
    is_blank(Some(value))
        || match name {
            "platforms" => all_of("includePlatforms", "all", "excludePlatforms"),
            "locations" => all_of("includeLocations", "All", "excludeLocations"),
            _ => name.starts_with('@'),
        }
}

/// Whether nothing is said: null, an empty list or text, or an object with nothing else in it.
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

/// Whom the lists with this prefix name. Ids of another shape than documented name somebody all the
/// same.
fn targets(users: &Map<String, Value>, prefix: &str) -> Targets {
    let list = |kind: &str| words(users.get(&format!("{prefix}{kind}")));
    let mut targets = Targets::default();
    for word in list("Users") {
        match word.as_str() {
            "All" => targets.everybody = true,
            "None" | "GuestsOrExternalUsers" => {}
            id => match id.parse() {
                Ok(id) => _ = targets.users.insert(id),
                Err(_) => targets.others = true,
            },
        }
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

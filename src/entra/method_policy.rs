//! The tenant's authentication methods policy (Graph documentation of authenticationMethodsPolicy,
//! checked 2026-11), read from beta because hardware OATH tokens are configured there alone.

use serde::Deserialize;

use crate::graph::{Client, Consistency, Error};
use crate::tenant::method_policy::{Allowed, MethodPolicy};

const PATH: &str = "/beta/policies/authenticationMethodsPolicy";

/// What is allowed for everybody.
///
/// # Errors
/// As Graph answers; a caller that goes on takes [`MethodPolicy::default`], in which nothing is said.
pub async fn read(client: &Client) -> Result<MethodPolicy, Error> {
    client.get::<Policy>(PATH, Consistency::Default).await.map(|policy| policy.said())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    #[serde(default)]
    policy_migration_state: Option<String>,
    #[serde(default)]
    authentication_method_configurations: Vec<Configuration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    include_targets: Vec<Target>,
    #[serde(default)]
    exclude_targets: Vec<Target>,
    #[serde(default)]
    is_office_phone_allowed: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Target {
    id: String,
}

impl Policy {
    fn said(&self) -> MethodPolicy {
        let voice = self.allowed("voice");
        MethodPolicy {
            sms: self.allowed("sms"),
            voice,
            office_voice: match self.find("voice").and_then(|voice| voice.is_office_phone_allowed) {
                Some(true) => voice,
                Some(false) => self.denied(),
                None => Allowed::Unsaid,
            },
            authenticator: self.allowed("microsoftAuthenticator"),
            software_oath: self.allowed("softwareOath"),
            hardware_oath: self.allowed("hardwareOath"),
            passkey: self.allowed("fido2"),
            certificate: self.allowed("x509Certificate"),
            external: self.allowed("external"),
        }
    }

    fn find(&self, name: &str) -> Option<&Configuration> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Configuration> {
        let wanted = format!("#microsoft.graph.{name}AuthenticationMethodConfiguration");
        self.authentication_method_configurations
            .iter()
            .filter(move |one| one.kind.as_deref() == Some(wanted.as_str()))
    }

    /// Of several configurations of a kind, as external methods have, each for methods of its own:
    /// what all of them say, or nothing.
    fn allowed(&self, name: &str) -> Allowed {
        let mut all = self.all(name).map(|one| self.allowed_by(one));
        let first = all.next().unwrap_or_default();
        if all.all(|other| other == first) { first } else { Allowed::Unsaid }
    }

    fn allowed_by(&self, found: &Configuration) -> Allowed {
        match found.state.as_deref() {
            Some("disabled") => self.denied(),
            Some("enabled") => found.targeted(),
            _ => Allowed::Unsaid,
        }
    }

    /// Until the migration is complete, the old per-user settings, which Graph does not show, may
    /// still allow what this policy does not.
    fn denied(&self) -> Allowed {
        if self.policy_migration_state.as_deref() == Some("migrationComplete") {
            Allowed::No
        } else {
            Allowed::Unsaid
        }
    }
}

impl Configuration {
    fn targeted(&self) -> Allowed {
        let everybody = self.include_targets.iter().any(|target| target.id == "all_users");
        if everybody && self.exclude_targets.is_empty() { Allowed::Yes } else { Allowed::Unsaid }
    }
}

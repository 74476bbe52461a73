//! Reads the tenant's authentication methods policy (Graph documentation of authenticationMethodsPolicy,
//! checked 2026-11), from beta because hardware OATH tokens are configured there only.
//!
//! Not here: which users a method is allowed for (`tenant::method_policy`).

use serde::{Deserialize, Deserializer};

use super::null_is_empty;
use crate::graph::{Client, Consistency, Continued, Error, Identified, identity_of};
use crate::id::ExternalMethodId;
use crate::tenant::method_policy::{Configuration, MethodTarget, Settings, Target};
use crate::tenant::strength::Way;
use crate::tenant::user_set::Tristate;

pub(super) const PATH: &str = "/beta/policies/authenticationMethodsPolicy";

/// Reads the policy as it is configured.
///
/// # Errors
/// The error of Graph.
pub async fn read(client: &Client) -> Result<Settings, Error> {
    let mut policy: Policy = client.get(PATH, Consistency::Default).await?;
    if policy.continued.has("authenticationMethodConfigurations") {
        let list = format!("{PATH}/authenticationMethodConfigurations");
        policy.authentication_method_configurations =
            client.list(&list, Consistency::Default).await?;
    }
    Ok(policy.settings())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    #[serde(default)]
    policy_migration_state: Option<String>,
    /// Required: an answer without them does not mean that nothing is allowed.
    authentication_method_configurations: Vec<Row>,
    #[serde(flatten)]
    continued: Continued,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
    #[serde(default)]
    state: Option<String>,
    /// `None` if it is not shown; null is an empty list.
    #[serde(default, deserialize_with = "shown")]
    include_targets: Option<Vec<TargetRow>>,
    #[serde(default, deserialize_with = "shown")]
    exclude_targets: Option<Vec<TargetRow>>,
    #[serde(flatten)]
    continued: Continued,
    #[serde(default)]
    is_office_phone_allowed: Option<bool>,
    #[serde(default)]
    is_software_oath_enabled: Option<bool>,
    #[serde(default)]
    key_restrictions: Option<KeyRestrictions>,
}

impl Identified for Row {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

fn shown<'de, D: Deserializer<'de>>(list: D) -> Result<Option<Vec<TargetRow>>, D::Error> {
    null_is_empty(list).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetRow {
    id: String,
    #[serde(default)]
    target_type: Option<String>,
    /// For the Authenticator: `deviceBasedPush` allows sign-in without a password, and no push after a
    /// password.
    #[serde(default)]
    authentication_mode: Option<String>,
    /// For SMS: it can be used for SMS sign-in too, not only as a second factor.
    #[serde(default)]
    is_usable_for_sign_in: Option<bool>,
}

/// The allowed models of security keys.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyRestrictions {
    #[serde(default)]
    is_enforced: Option<bool>,
}

impl Policy {
    /// Returns whether the migration is complete. Tenants that were created after the migration show no
    /// state at all, and never will (field reports in maester365/maester#647,
    /// KelvinTegelaar/CIPP-API#1567 and cisagov/ScubaGear#1774, checked 2026-11).
    fn migrated(&self) -> Tristate {
        match self.policy_migration_state.as_deref() {
            None | Some("migrationComplete") => Tristate::Yes,
            Some("preMigration" | "migrationInProgress") => Tristate::No,
            Some(_) => Tristate::Unknown,
        }
    }

    fn settings(&self) -> Settings {
        let rows = self.authentication_method_configurations.iter();
        let codes = rows.clone().any(|row| row.is_software_oath_enabled == Some(true));
        Settings {
            migrated: self.migrated(),
            codes_in_authenticator: codes,
            configurations: rows.clone().flat_map(Row::configurations).collect(),
            sms_sign_in: rows.clone().find_map(Row::sms_sign_in),
            external: rows.filter_map(Row::external).collect(),
        }
    }
}

impl Row {
    /// Returns the name of the method that the row is about.
    fn name(&self) -> &str {
        let name = self.kind.as_deref().and_then(|kind| kind.strip_prefix("#microsoft.graph."));
        let name = name.and_then(|name| name.strip_suffix("AuthenticationMethodConfiguration"));
        name.unwrap_or_default()
    }

    fn included(&self) -> &[TargetRow] {
        self.include_targets.as_deref().unwrap_or_default()
    }

    fn excluded(&self) -> &[TargetRow] {
        self.exclude_targets.as_deref().unwrap_or_default()
    }

    /// Returns the configurations in the row: one row can govern two methods.
    fn configurations(&self) -> Vec<Configuration> {
        let one = |way| vec![self.configuration(way)];
        match self.name() {
            "sms" => one(Way::Sms),
            "voice" => vec![self.configuration(Way::Voice), self.office()],
            "microsoftAuthenticator" => one(Way::Authenticator),
            "softwareOath" => one(Way::SoftwareOath),
            "hardwareOath" => one(Way::HardwareOath),
            "fido2" => one(Way::Passkey),
            "x509Certificate" => one(Way::Certificate),
            "external" => one(Way::External),
            _ => Vec::new(),
        }
    }

    fn configuration(&self, way: Way) -> Configuration {
        // The model of a registered key is unknown.
        let restricted =
            self.key_restrictions.as_ref().is_some_and(|one| one.is_enforced == Some(true));
        let target = |row: &TargetRow| {
            let passwordless = row.authentication_mode.as_deref() == Some("deviceBasedPush");
            Some(Target { who: row.who()?, partly: restricted || passwordless })
        };
        let excluded = |row: &TargetRow| Some(Target { who: row.who()?, partly: false });
        // An exclusion that is not understood may cover any user, and so may a list that is not shown,
        // or not shown completely.
        let understood = self.excluded().iter().all(|row| row.who().is_some())
            && self.include_targets.is_some()
            && self.exclude_targets.is_some()
            && !["includeTargets", "excludeTargets"].iter().any(|list| self.continued.has(list));
        Configuration {
            way,
            enabled: match self.state.as_deref() {
                Some("disabled") => Tristate::No,
                Some("enabled") if understood => Tristate::Yes,
                _ => Tristate::Unknown,
            },
            include: self.included().iter().filter_map(target).collect(),
            exclude: self.excluded().iter().filter_map(excluded).collect(),
        }
    }

    /// Returns the configuration that says which users may use SMS sign-in. The switch is on unless an admin changed it,
    /// so a target that does not show it may be one (Entra documentation of SMS sign-in, checked
    /// 2026-11).
    fn sms_sign_in(&self) -> Option<Configuration> {
        if self.name() != "sms" {
            return None;
        }
        let target = |row: &TargetRow| match row.is_usable_for_sign_in {
            Some(false) => None,
            shown => {
                let partly = shown.is_none() || row.who().is_none();
                Some(Target { who: row.who().unwrap_or(MethodTarget::Everybody), partly })
            }
        };
        let include = self.included().iter().filter_map(target).collect();
        Some(Configuration { include, ..self.configuration(Way::Sms) })
    }

    fn external(&self) -> Option<ExternalMethodId> {
        if self.name() == "external" { self.id.as_deref()?.parse().ok() } else { None }
    }

    /// Returns the configuration of calls to office phones: for the users that may be called, if the
    /// switch is on.
    fn office(&self) -> Configuration {
        let calls = self.configuration(Way::OfficeVoice);
        let switch = match self.is_office_phone_allowed {
            Some(true) => Tristate::Yes,
            Some(false) => Tristate::No,
            None => Tristate::Unknown,
        };
        Configuration { enabled: calls.enabled.and(switch), ..calls }
    }
}

impl TargetRow {
    fn who(&self) -> Option<MethodTarget> {
        match (self.id.as_str(), self.target_type.as_deref()) {
            ("all_users", _) => Some(MethodTarget::Everybody),
            (id, Some("user")) => id.parse().ok().map(MethodTarget::User),
            (id, Some("group") | None) => id.parse().ok().map(MethodTarget::Group),
            _ => None,
        }
    }
}

//! The same people with other settings of the tenant.
//!
//! Not here: the default settings (`tenant`).

use serde_json::{Value, json};

use super::super::ids::{BREAK_GLASS_ACCOUNTS, MFA_PILOT};
use super::exchangelabs;
use super::tenant::configuration;
use crate::records::{Document, Seed, document};

pub(in crate::seeds) const VARIANTS: &[&str] = &[
    "exchangelabs",
    "exchangelabs-conditional-access",
    "exchangelabs-conditional-access-narrowed",
    "exchangelabs-conditional-access-strength",
    "exchangelabs-security-defaults",
    "exchangelabs-sms-for-pilot",
    "exchangelabs-sms-sign-in",
    "exchangelabs-migration-in-progress",
];

pub(in crate::seeds) fn variant(name: &str) -> Option<Seed> {
    let mut seed = exchangelabs();
    let tenant = &mut seed.tenant;
    match name {
        "exchangelabs" => {}
        "exchangelabs-conditional-access" => {
            tenant.conditional_access.push(mfa_for_everybody(Value::Null));
        }
        "exchangelabs-conditional-access-narrowed" => {
            tenant.conditional_access.push(mfa_for_everybody(
                json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
            ));
        }
        "exchangelabs-conditional-access-strength" => {
            tenant.conditional_access.push(phishing_resistant_for_everybody());
        }
        "exchangelabs-security-defaults" => {
            tenant.security_defaults.insert("isEnabled".to_owned(), Value::Bool(true));
        }
        "exchangelabs-sms-for-pilot" => {
            set_sms_target(&mut tenant.authentication_methods_policy, &json!(MFA_PILOT), false);
        }
        "exchangelabs-sms-sign-in" => {
            set_sms_target(&mut tenant.authentication_methods_policy, &json!("all_users"), true);
            for user in &mut seed.users {
                user.methods.iter_mut().for_each(switch_sms_sign_in_on);
            }
        }
        "exchangelabs-migration-in-progress" => {
            tenant
                .authentication_methods_policy
                .insert("policyMigrationState".to_owned(), json!("migrationInProgress"));
        }
        _ => return None,
    }
    seed.name = name.to_owned();
    Some(seed)
}

fn mfa_for_everybody(locations: Value) -> Document {
    document(json!({
        "id": "4be0c2d7-95a1-4f38-86cd-7e2b90f1a35c",
        "displayName": "Require MFA for all users",
        "description": null,
        "templateId": null,
        "createdDateTime": "2026-03-02T10:00:00Z",
        "modifiedDateTime": null,
        "state": "enabled",
        "conditions": {
            "users": {
                "includeUsers": ["All"],
                "excludeUsers": [],
                "includeGroups": [],
                "excludeGroups": [BREAK_GLASS_ACCOUNTS],
                "includeRoles": [],
                "excludeRoles": [],
                "includeGuestsOrExternalUsers": null,
                "excludeGuestsOrExternalUsers": null
            },
            "applications": {
                "includeApplications": ["All"],
                "excludeApplications": [],
                "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [],
                "applicationFilter": null
            },
            "clientAppTypes": ["all"],
            "platforms": null,
            "locations": locations,
            "signInRiskLevels": [],
            "userRiskLevels": [],
            "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": null,
            "devices": null,
            "clientApplications": null,
            "authenticationFlows": null
        },
        "grantControls": {
            "operator": "OR",
            "builtInControls": ["mfa"],
            "customAuthenticationFactors": [],
            "termsOfUse": [],
            "authenticationStrength": null
        },
        "sessionControls": null
    }))
}

/// Requires a strength that no phone satisfies.
fn phishing_resistant_for_everybody() -> Document {
    let mut policy = mfa_for_everybody(Value::Null);
    let strength = json!({"id": "00000000-0000-0000-0000-000000000004"});
    let controls = json!({
        "operator": "OR",
        "builtInControls": [],
        "customAuthenticationFactors": [],
        "termsOfUse": [],
        "authenticationStrength": strength
    });
    policy.insert("grantControls".to_owned(), controls);
    policy
}

fn set_sms_target(policy: &mut Document, target: &Value, for_sign_in: bool) {
    let configurations = policy
        .get_mut("authenticationMethodConfigurations")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for one in configurations {
        if one.get("id") == Some(&json!("Sms")) {
            let target = json!({"id": target, "targetType": "group", "isRegistrationRequired": false, "isUsableForSignIn": for_sign_in});
            *one = configuration("Sms", "sms", "enabled", &target, json!({}));
        }
    }
}

/// Sets the state that registering a mobile phone has if the tenant allows SMS sign-in.
fn switch_sms_sign_in_on(method: &mut Document) {
    if method.get("phoneType") == Some(&json!("mobile")) {
        method.insert("smsSignInState".to_owned(), json!("ready"));
    }
}

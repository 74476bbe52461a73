//! The documents of the tenant as a whole: its names, its methods policy, its strengths.
//!
//! Not here: roles and their assignments (`roles`).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::super::ids::{DOMAIN, EXTERNAL_METHOD, INITIAL_DOMAIN};
use super::roles;
use crate::records::{Document, TenantDocuments, document, managed_domains};

const TENANT: Uuid = uuid!("e1c8a7b4-2f60-4d93-b58e-0a7d6c3f9214");

pub(super) fn documents() -> TenantDocuments {
    TenantDocuments {
        id: TENANT,
        display_name: "ExchangeLabs".to_owned(),
        domains: managed_domains(&[DOMAIN, INITIAL_DOMAIN]),
        federation: BTreeMap::new(),
        authentication_methods_policy: authentication_methods_policy(),
        conditional_access: Vec::new(),
        authentication_strengths: authentication_strengths(),
        security_defaults: document(json!({
            "id": "00000000-0000-0000-0000-000000000005",
            "displayName": "Security Defaults",
            "description": "A set of basic identity security mechanisms that Microsoft recommends.",
            "isEnabled": false
        })),
        role_definitions: roles::definitions(),
        role_assignments: roles::assignments(),
        role_eligibility: roles::eligibility(),
        group_eligibility: Vec::new(),
    }
}

/// The same tenant with the roles of the break-glass accounts only.
pub(in crate::seeds) fn with_break_glass_only() -> TenantDocuments {
    TenantDocuments {
        role_assignments: roles::break_glass_assignments(),
        role_eligibility: Vec::new(),
        ..documents()
    }
}

fn authentication_methods_policy() -> Document {
    let everybody =
        json!({"id": "all_users", "targetType": "group", "isRegistrationRequired": false});
    let aimed = |extra: Value| {
        let mut target = document(everybody.clone());
        target.extend(document(extra));
        Value::Object(target)
    };
    let configurations = vec![
        configuration(
            "Sms",
            "sms",
            "enabled",
            &aimed(json!({"isUsableForSignIn": false})),
            json!({}),
        ),
        configuration(
            "Voice",
            "voice",
            "enabled",
            &everybody,
            json!({"isOfficePhoneAllowed": true}),
        ),
        configuration(
            "MicrosoftAuthenticator",
            "microsoftAuthenticator",
            "enabled",
            &aimed(json!({"authenticationMode": "any"})),
            json!({"isSoftwareOathEnabled": true, "featureSettings": feature_settings()}),
        ),
        configuration(
            "Fido2",
            "fido2",
            "enabled",
            &everybody,
            json!({
                "isSelfServiceRegistrationAllowed": true,
                "isAttestationEnforced": false,
                "keyRestrictions": {"isEnforced": false, "enforcementType": "block", "aaGuids": []}
            }),
        ),
        configuration("SoftwareOath", "softwareOath", "enabled", &everybody, json!({})),
        configuration(
            "TemporaryAccessPass",
            "temporaryAccessPass",
            "enabled",
            &everybody,
            json!({
                "defaultLength": 8,
                "defaultLifetimeInMinutes": 60,
                "minimumLifetimeInMinutes": 60,
                "maximumLifetimeInMinutes": 480,
                "isUsableOnce": false
            }),
        ),
        configuration(
            "Email",
            "email",
            "enabled",
            &everybody,
            json!({"allowExternalIdToUseEmailOtp": "default"}),
        ),
        configuration("X509Certificate", "x509Certificate", "disabled", &everybody, json!({})),
        configuration(
            &EXTERNAL_METHOD.to_string(),
            "external",
            "enabled",
            &everybody,
            json!({
                "displayName": "Contoso ID",
                "appId": "9d40f6e2-1b7c-4853-8ae0-2c6f7b51d390",
                "openIdConnectSetting": {
                    "clientId": "exchangelabs",
                    "discoveryUrl": "https://id.contoso.com/.well-known/openid-configuration"
                }
            }),
        ),
    ];
    document(json!({
        "id": "authenticationMethodsPolicy",
        "displayName": "Authentication Methods Policy",
        "description": "The tenant-wide policy that controls which authentication methods are allowed.",
        "lastModifiedDateTime": "2026-04-14T13:22:00Z",
        "policyVersion": "1.5",
        "policyMigrationState": "migrationComplete",
        "reconfirmationInDays": null,
        "registrationEnforcement": {
            "authenticationMethodsRegistrationCampaign": {
                "state": "disabled",
                "snoozeDurationInDays": 1,
                "includeTargets": [],
                "excludeTargets": []
            }
        },
        "authenticationMethodConfigurations": configurations
    }))
}

/// The configuration of one method in the policy, for one target.
pub(super) fn configuration(
    id: &str,
    kind: &str,
    state: &str,
    target: &Value,
    own: Value,
) -> Value {
    let mut configuration = document(json!({
        "@odata.type": format!("#microsoft.graph.{kind}AuthenticationMethodConfiguration"),
        "id": id,
        "state": state,
        "includeTargets": [target],
        "excludeTargets": []
    }));
    configuration.extend(document(own));
    Value::Object(configuration)
}

fn feature_settings() -> Value {
    let setting = json!({
        "state": "default",
        "includeTarget": {"id": "all_users", "targetType": "group"},
        "excludeTarget": {"id": "00000000-0000-0000-0000-000000000000", "targetType": "group"}
    });
    json!({
        "displayAppInformationRequiredState": setting,
        "displayLocationInformationRequiredState": setting
    })
}

fn authentication_strengths() -> Vec<Document> {
    let phishing_resistant = ["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"];
    let passwordless = ["deviceBasedPush"];
    let rest = [
        "temporaryAccessPassOneTime",
        "temporaryAccessPassMultiUse",
        "password,microsoftAuthenticatorPush",
        "password,softwareOath",
        "password,hardwareOath",
        "password,sms",
        "password,voice",
        "federatedMultiFactor",
        "microsoftAuthenticatorPush,federatedSingleFactor",
        "softwareOath,federatedSingleFactor",
        "hardwareOath,federatedSingleFactor",
        "sms,federatedSingleFactor",
        "voice,federatedSingleFactor",
    ];
    let built_in = |id: &str, name: &str, description: &str, parts: &[&[&str]]| {
        document(json!({
            "id": id,
            "createdDateTime": "2021-12-01T08:00:00Z",
            "modifiedDateTime": "2021-12-01T08:00:00Z",
            "displayName": name,
            "description": description,
            "policyType": "builtIn",
            "requirementsSatisfied": "mfa",
            "allowedCombinations": parts.concat(),
            "combinationConfigurations": []
        }))
    };
    vec![
        built_in(
            "00000000-0000-0000-0000-000000000002",
            "Multifactor authentication",
            "Any two factors",
            &[&phishing_resistant, &passwordless, &rest],
        ),
        built_in(
            "00000000-0000-0000-0000-000000000003",
            "Passwordless MFA",
            "Strong factors that need no password",
            &[&phishing_resistant, &passwordless],
        ),
        built_in(
            "00000000-0000-0000-0000-000000000004",
            "Phishing-resistant MFA",
            "Factors that cannot be relayed",
            &[&phishing_resistant],
        ),
    ]
}

//! The policies of the tenant, from the words in `tests/posture.yaml`: Conditional Access, strengths
//! and the methods policy.

use mfactl_sandbox::records::Document;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::row::{COMPANY, GLOBAL_ADMINISTRATOR, HELPDESK, ME, OTHER, OUTSIDERS, STAFF};
use crate::support::tenant_builder::document;

const CUSTOM: Uuid = Uuid::from_u128(0xd1);

/// A Conditional Access policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default = "mfa")]
    pub(super) demands: String,
    #[serde(rename = "for")]
    pub(super) include: Vec<String>,
    #[serde(default)]
    pub(super) except: Vec<String>,
    #[serde(default)]
    pub(super) when: Option<String>,
    #[serde(default)]
    pub(super) state: Option<String>,
}

fn mfa() -> String {
    "mfa".to_owned()
}

impl Written {
    pub(super) fn document(&self) -> Document {
        let mut policy = json!({
            "id": Uuid::new_v5_like(&format!("{self:?}")),
            "displayName": format!("{} for {}", self.demands, self.include.join(" and ")),
            "state": self.state.as_deref().unwrap_or("enabled"),
            "conditions": {
                "users": {
                    "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null
                },
                "applications": {
                    "includeApplications": ["All"], "excludeApplications": [],
                    "includeUserActions": [], "includeAuthenticationContextClassReferences": [],
                    "applicationFilter": null
                },
                "clientAppTypes": ["all"], "platforms": null, "locations": null,
                "signInRiskLevels": [], "userRiskLevels": [], "servicePrincipalRiskLevels": [],
                "insiderRiskLevels": null, "devices": null, "clientApplications": null,
                "authenticationFlows": null
            },
            "grantControls": self.controls(),
            "sessionControls": null
        });
        for (prefix, words) in [("include", &self.include), ("exclude", &self.except)] {
            for (kind, ids) in named(words) {
                policy["conditions"]["users"][format!("{prefix}{kind}")] = ids;
            }
            let guests = words.iter().find_map(|word| guests(word));
            policy["conditions"]["users"][format!("{prefix}GuestsOrExternalUsers")] = json!(guests);
        }
        self.narrow(&mut policy["conditions"]);
        document(policy)
    }

    fn controls(&self) -> Value {
        let strength = |id: Uuid, mut controls: Value| {
            controls["authenticationStrength"] = json!({ "id": id });
            controls
        };
        if self.demands.starts_with("strength of ") {
            return strength(CUSTOM, controls("OR", &[]));
        }
        let (operator, parts) = match self.demands.split_once(" and ") {
            Some((one, other)) => ("AND", vec![one, other]),
            None => ("OR", self.demands.split(" or ").collect()),
        };
        let mut all = controls(operator, &[]);
        for part in parts {
            let mut add = |key: &str, word: &str| {
                all[key].as_array_mut().unwrap().push(json!(word));
            };
            match part {
                "mfa" => add("builtInControls", "mfa"),
                "a compliant device" => add("builtInControls", "compliantDevice"),
                "an approved app" => add("builtInControls", "approvedApplication"),
                "a block" => add("builtInControls", "block"),
                "a control of a later day" => add("builtInControls", "brainwave"),
                "a custom control" => add("customAuthenticationFactors", "RequireDuoMfa"),
                "terms of use" => add("termsOfUse", "7a0f8d0c-8b0e-4d55-a9a1-5d3a3a0c7b11"),
                "the strength of any mfa" => all = strength(Uuid::from_u128(2), all),
                "the passwordless strength" => all = strength(Uuid::from_u128(3), all),
                "the phishing-resistant strength" => all = strength(Uuid::from_u128(4), all),
                other => panic!("no such demand: {other}"),
            }
        }
        all
    }

    fn narrow(&self, conditions: &mut Value) {
        let Some(word) = self.when.as_deref() else { return };
        let (key, value) = match word {
            "elsewhere than trusted places" => (
                "locations",
                json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
            ),
            "at all places" => {
                ("locations", json!({"includeLocations": ["All"], "excludeLocations": []}))
            }
            "on iOS" => ("platforms", json!({"includePlatforms": ["iOS"], "excludePlatforms": []})),
            "on all platforms" => {
                ("platforms", json!({"includePlatforms": ["all"], "excludePlatforms": []}))
            }
            "in a browser" => ("clientAppTypes", json!(["browser"])),
            "at risky sign-ins" => ("signInRiskLevels", json!(["high"])),
            "for risky users" => ("userRiskLevels", json!(["high"])),
            "at insider risk" => ("insiderRiskLevels", json!("elevated")),
            "on unmanaged devices" => (
                "devices",
                json!({"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}),
            ),
            "with a device code" => {
                ("authenticationFlows", json!({"transferMethods": "deviceCodeFlow"}))
            }
            "at the admin portals on iOS" => {
                let platforms = json!({"includePlatforms": ["iOS"], "excludePlatforms": []});
                conditions["platforms"] = platforms;
                ("applications", json!({"includeApplications": ["MicrosoftAdminPortals"]}))
            }
            "at the admin portals" => {
                ("applications", json!({"includeApplications": ["MicrosoftAdminPortals"]}))
            }
            "at the admin portals and for Office 365" => (
                "applications",
                json!({"includeApplications": ["MicrosoftAdminPortals", "Office365"]}),
            ),
            "for all apps but the admin portals" => (
                "applications",
                json!({"includeApplications": ["All"],
                    "excludeApplications": ["MicrosoftAdminPortals"]}),
            ),
            "for Office 365" => ("applications", json!({"includeApplications": ["Office365"]})),
            "for all apps but one" => (
                "applications",
                json!({"includeApplications": ["All"], "excludeApplications": [Uuid::from_u128(7)]}),
            ),
            "when registering" => (
                "applications",
                json!({"includeApplications": [],
                    "includeUserActions": ["urn:user:registersecurityinfo"]}),
            ),
            other => panic!("no such condition: {other}"),
        };
        conditions[key] = value;
    }
}

fn controls(operator: &str, built_in: &[&str]) -> Value {
    json!({"operator": operator, "builtInControls": built_in, "customAuthenticationFactors": [],
        "termsOfUse": [], "authenticationStrength": null})
}

/// The guest types that a word means, if it means guests.
fn guests(word: &str) -> Option<Value> {
    let kinds = match word {
        "internal guests" => "internalGuest,b2bDirectConnectUser",
        "invited guests" => "b2bCollaborationGuest,b2bCollaborationMember",
        "guests of a later day" => "unknownFutureValue",
        _ => return None,
    };
    Some(json!({"guestOrExternalUserTypes": kinds, "externalTenants": {"membershipKind": "all"}}))
}

/// Makes an id that is the same for the same words.
trait Named {
    fn new_v5_like(name: &str) -> Self;
}

impl Named for Uuid {
    fn new_v5_like(name: &str) -> Self {
        let sum = name.bytes().fold(0_u128, |sum, byte| sum.wrapping_mul(257) + u128::from(byte));
        Self::from_u128(sum)
    }
}

/// The lists of ids that words for users result in.
fn named(words: &[String]) -> [(&'static str, Value); 3] {
    let (mut users, mut groups, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for word in words {
        match word.as_str() {
            "everybody" => users.push("All".to_owned()),
            "nobody" => users.push("None".to_owned()),
            "guests" => users.push("GuestsOrExternalUsers".to_owned()),
            "me" => users.push(ME.to_string()),
            "another" => users.push(OTHER.to_string()),
            "staff" => groups.push(STAFF.to_string()),
            "company" => groups.push(COMPANY.to_string()),
            "outsiders" => groups.push(OUTSIDERS.to_string()),
            "global administrators" => roles.push(GLOBAL_ADMINISTRATOR.to_owned()),
            "helpdesk" => roles.push(HELPDESK.to_owned()),
            other if guests(other).is_some() => {}
            other => panic!("no such users: {other}"),
        }
    }
    [("Users", json!(users)), ("Groups", json!(groups)), ("Roles", json!(roles))]
}

/// The custom strengths: `strength of`, followed by the combinations.
pub(super) fn add_strengths(written: &[Written], strengths: &mut Vec<Document>) {
    for policy in written {
        if let Some(combinations) = policy.demands.strip_prefix("strength of ") {
            let combinations: Vec<&str> = combinations.split(" and ").collect();
            strengths.push(document(json!({
                "id": CUSTOM, "displayName": "Custom", "policyType": "custom",
                "requirementsSatisfied": "mfa", "allowedCombinations": combinations,
                "combinationConfigurations": []
            })));
        }
    }
}

/// A methods policy that allows every method to all users, except as the words say.
pub(super) fn allow(words: &[String], policy: &mut Document) {
    let all_users = || json!({"id": "all_users", "targetType": "group"});
    let list = policy["authenticationMethodConfigurations"].as_array_mut().unwrap();
    list.push(json!({
        "@odata.type": "#microsoft.graph.hardwareOathAuthenticationMethodConfiguration",
        "id": "HardwareOath", "state": "enabled", "includeTargets": [all_users()],
        "excludeTargets": []
    }));
    for one in list.iter_mut() {
        one["state"] = json!("enabled");
    }
    for word in words {
        let state = match word.as_str() {
            "not migrated" => Some(json!("migrationInProgress")),
            "migration state null" | "no migration state" => Some(Value::Null),
            "migration state of a later day" => Some(json!("migrationForgotten")),
            _ => None,
        };
        if let Some(state) = state {
            policy.insert("policyMigrationState".to_owned(), state);
            if word == "no migration state" {
                policy.remove("policyMigrationState");
            }
            continue;
        }
        let list = policy["authenticationMethodConfigurations"].as_array_mut().unwrap();
        let (subject, rest) = word.split_once(": ").unwrap();
        let id = match subject {
            "text" => "Sms",
            "call" | "office call" => "Voice",
            "authenticator" | "codes of the authenticator" => "MicrosoftAuthenticator",
            "software token" => "SoftwareOath",
            "hardware token" => "HardwareOath",
            "passkey" => "Fido2",
            "certificate" => "X509Certificate",
            "external" => "external",
            other => panic!("no such method: {other}"),
        };
        let one = list.iter_mut().find(|one| {
            one["id"] == id || one["@odata.type"].as_str().unwrap().contains(&format!(".{id}Auth"))
        });
        change(one.unwrap(), subject, rest);
    }
}

fn change(one: &mut Value, subject: &str, rest: &str) {
    let group = |id: Uuid| json!({"id": id, "targetType": "group"});
    match rest {
        "no" if subject == "office call" => one["isOfficePhoneAllowed"] = json!(false),
        "no" if subject == "codes of the authenticator" => {
            one["isSoftwareOathEnabled"] = json!(false);
        }
        "no" => one["state"] = json!("disabled"),
        "staff" => one["includeTargets"] = json!([group(STAFF)]),
        "company" => one["includeTargets"] = json!([group(COMPANY)]),
        "outsiders" => one["includeTargets"] = json!([group(OUTSIDERS)]),
        "all but staff" => one["excludeTargets"] = json!([group(STAFF)]),
        "all but company" => one["excludeTargets"] = json!([group(COMPANY)]),
        "all but outsiders" => one["excludeTargets"] = json!([group(OUTSIDERS)]),
        "passwordless only" => {
            one["includeTargets"][0]["authenticationMode"] = json!("deviceBasedPush")
        }
        "some models" => {
            one["keyRestrictions"] =
                json!({"isEnforced": true, "enforcementType": "allow", "aaGuids": []});
        }
        other => panic!("no such target: {other}"),
    }
}

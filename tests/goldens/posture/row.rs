//! A row of `tests/posture.yaml`, and the tenant that it describes in words.

use mfactl_sandbox::records::{Document, GroupRecord, Seed, UserRecord};
use mfactl_sandbox::seeds;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::policies;
use crate::support::tenant_builder::document;

pub(super) const ME: Uuid = Uuid::from_u128(0xa1);
pub(super) const OTHER: Uuid = Uuid::from_u128(0xa2);
/// The user of the row is a member.
pub(super) const STAFF: Uuid = Uuid::from_u128(0xb1);
/// The staff group is a member.
pub(super) const COMPANY: Uuid = Uuid::from_u128(0xb2);
/// The user of the row is no member.
pub(super) const OUTSIDERS: Uuid = Uuid::from_u128(0xb3);
/// A group with roles. The user of the row is a member only if the row says so.
const TIER: Uuid = Uuid::from_u128(0xb4);

/// The external method that the tenant has configured.
const EXTERNAL: &str = "5c9a1b6e-74d2-4e08-a3f1-d8b06e25c947";

/// An external method whose configuration was removed.
const REMOVED: &str = "5c9a1b6e-74d2-4e08-a3f1-d8b06e25c949";

pub(super) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
pub(super) const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const SYNCHRONISATION: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Table {
    pub(super) sources: std::collections::BTreeMap<String, String>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Row {
    pub(super) case: String,
    #[serde(default)]
    pub(super) methods: Vec<String>,
    #[serde(default = "disabled")]
    pub(super) state: String,
    /// `member`, `guest`, `guest who lives here`, `member from elsewhere`.
    #[serde(default)]
    pub(super) account: Option<String>,
    /// The difference of the domain from one that is listed and managed.
    #[serde(default)]
    pub(super) domain: Option<String>,
    #[serde(default)]
    pub(super) role: Option<String>,
    /// The differences of the methods policy from one that allows every method to all users.
    #[serde(default)]
    pub(super) policy: Vec<String>,
    #[serde(default)]
    pub(super) security_defaults: bool,
    #[serde(default)]
    pub(super) conditional_access: Vec<policies::Written>,
    /// The request that Graph answers with 403.
    #[serde(default)]
    pub(super) refused: Option<String>,
    #[serde(default)]
    pub(super) cloud: Option<String>,
    #[serde(default)]
    pub(super) delivery: Option<String>,
    #[serde(default)]
    pub(super) on: Option<String>,
    pub(super) posture: String,
    /// Whether MFA is required at the admin portals and at no other sign-in.
    #[serde(default)]
    pub(super) portals_only: Option<String>,
    #[serde(default)]
    pub(super) expires: Option<String>,
    /// The verdict of the judge of sign-ins, if it differs from the posture.
    #[serde(default)]
    pub(super) judge: Option<String>,
    /// The verdict for an ordinary sign-in, if the portals require more.
    #[serde(default)]
    pub(super) ordinary: Option<String>,
    #[serde(default)]
    pub(super) because: Option<String>,
    pub(super) source: String,
}

fn disabled() -> String {
    "disabled".to_owned()
}

impl Row {
    /// The principal name of the user of the row.
    pub(super) fn name(&self) -> &'static str {
        match self.account.as_deref() {
            Some("guest" | "member from elsewhere") => {
                "me_there.nl#EXT#@exchangelabs.onmicrosoft.com"
            }
            _ if self.domain.as_deref().is_some_and(|word| word.contains("subdomain")) => {
                "me@sub.exchangelabs.nl"
            }
            _ => "me@exchangelabs.nl",
        }
    }

    pub(super) fn seed(&self) -> Seed {
        let mut seed = seeds::by_name("exchangelabs").unwrap();
        let blank = seed.users.swap_remove(0);
        seed.users = vec![
            self.user(&blank, ME, self.name()),
            self.user(&blank, OTHER, "other@exchangelabs.nl"),
        ];
        let tier = match self.role.as_deref() {
            Some(role) if role.contains("in a group") => vec![ME],
            _ => Vec::new(),
        };
        seed.groups = vec![
            group(COMPANY, "Company", vec![STAFF]),
            group(STAFF, "Staff", vec![ME]),
            group(OUTSIDERS, "Outsiders", vec![OTHER]),
            group(TIER, "Tier 0", tier),
        ];
        seed.tenant.role_assignments.clear();
        seed.tenant.role_eligibility.clear();
        self.add_role(&mut seed);
        seed.tenant.security_defaults.insert("isEnabled".to_owned(), json!(self.security_defaults));
        seed.tenant.conditional_access =
            self.conditional_access.iter().map(policies::Written::document).collect();
        policies::add_strengths(
            &self.conditional_access,
            &mut seed.tenant.authentication_strengths,
        );
        policies::allow(&self.policy, &mut seed.tenant.authentication_methods_policy);
        self.federate(&mut seed);
        seed
    }

    fn federate(&self, seed: &mut Seed) {
        let Some(word) = self.domain.as_deref() else { return };
        let tenant = &mut seed.tenant;
        let domain = |name: &str, kind: &str| {
            document(json!({
                "id": name, "authenticationType": kind, "isVerified": word != "not verified",
                "isDefault": false, "isInitial": false
            }))
        };
        let behaviour = match word {
            "federated, mfa rejected" => json!("rejectMfaByFederatedIdp"),
            "federated, mfa at the provider" => json!("enforceMfaByFederatedIdp"),
            "federated, nothing said" => Value::Null,
            "federated, in a word of a later day" => json!("askNobody"),
            _ => json!("acceptIfMfaDoneByFederatedIdp"),
        };
        let (name, kind) = match word {
            "federated subdomain" => ("sub.exchangelabs.nl", "Federated"),
            "managed subdomain of a federated one" => ("sub.exchangelabs.nl", "Managed"),
            "another is federated" => ("elsewhere.nl", "Federated"),
            "not listed" => ("elsewhere.nl", "Managed"),
            "not verified" => ("exchangelabs.nl", "Managed"),
            "of a type of a later day" => ("exchangelabs.nl", "Brainwave"),
            "in capitals" => ("ExchangeLabs.NL", "Managed"),
            other if other.starts_with("federated") => ("exchangelabs.nl", "Federated"),
            other => panic!("no such domain: {other}"),
        };
        let listed = |one: &Document| one["id"] == "exchangelabs.nl";
        if word != "another is federated" && !word.contains("subdomain") {
            tenant.domains.retain(|one| !listed(one));
        }
        if word.starts_with("managed subdomain") {
            let root = tenant.domains.iter_mut().find(|one| listed(one)).unwrap();
            root.insert("authenticationType".to_owned(), json!("Federated"));
        }
        tenant.domains.push(domain(name, kind));
        if kind == "Federated" && word != "federated subdomain" {
            let federation = json!({
                "@odata.type": "#microsoft.graph.internalDomainFederation",
                "id": Uuid::from_u128(0xfe), "federatedIdpMfaBehavior": behaviour
            });
            tenant.federation.insert(name.to_owned(), document(federation));
        }
    }

    fn add_role(&self, seed: &mut Seed) {
        let Some(word) = self.role.as_deref() else { return };
        let role = match () {
            () if word.contains("helpdesk") => HELPDESK,
            () if word.contains("synchronisation") => SYNCHRONISATION,
            () => GLOBAL_ADMINISTRATOR,
        };
        let by_group = word.contains("group");
        let row = document(json!({
            "id": "r", "principalId": if by_group { TIER } else { ME }, "roleDefinitionId": role,
            "directoryScopeId": if word.contains("unit") { "/administrativeUnits/1" } else { "/" },
        }));
        if word.starts_with("eligible") && !by_group {
            seed.tenant.role_eligibility.push(row);
        } else {
            seed.tenant.role_assignments.push(row);
        }
        if word.contains("may join") {
            seed.tenant.group_eligibility.push(document(json!({
                "id": "g", "groupId": TIER, "principalId": ME, "accessId": "member"
            })));
        }
    }

    fn user(&self, blank: &UserRecord, id: Uuid, name: &str) -> UserRecord {
        let mut record = blank.clone();
        let is_guest = matches!(self.account.as_deref(), Some("guest" | "guest who lives here"));
        let kind = if is_guest { "Guest" } else { "Member" };
        for (property, value) in [
            ("id", json!(id)),
            ("userPrincipalName", json!(name)),
            ("userType", json!(kind)),
            ("accountEnabled", json!(true)),
        ] {
            record.user.insert(property.to_owned(), value);
        }
        let methods = self.methods.iter().enumerate().map(|(place, word)| method(place, word));
        record.methods = methods.map(document).collect();
        record.requirements = document(json!({ "perUserMfaState": self.state }));
        record
    }
}

/// A method as Graph returns it, from its word and the number of a phone.
fn method(place: usize, word: &str) -> Value {
    let (kind, rest) = word.split_once(' ').unwrap_or((word, ""));
    let number = if rest.is_empty() { "+31 612345678" } else { rest };
    let phone = |id: &str, phone_type: &str| {
        json!({
            "@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": id,
            "phoneNumber": number, "phoneType": phone_type, "smsSignInState": "notAllowedByPolicy"
        })
    };
    let plain = |name: &str| {
        json!({
            "@odata.type": format!("#microsoft.graph.{name}AuthenticationMethod"),
            "id": Uuid::from_u128(0xc0 + u128::try_from(place).unwrap())
        })
    };
    match kind {
        "mobile" => phone("3179e48a-750b-4051-897c-87b9720928f7", "mobile"),
        "alternate" => phone("b6332ec1-7057-4abe-9331-3d72feddfe41", "alternateMobile"),
        "office" => phone("e37fc753-ff3b-4958-9484-eaa9425c82bc", "office"),
        "authenticator" => plain("microsoftAuthenticator"),
        "software-token" => plain("softwareOath"),
        "hardware-token" => plain("hardwareOath"),
        "passkey" => plain("fido2"),
        "certificate" => plain("x509Certificate"),
        "external" => {
            let mut external = plain("external");
            let known = rest.is_empty();
            external["configurationId"] = json!(if known { EXTERNAL } else { REMOVED });
            external
        }
        "windows-hello" => plain("windowsHelloForBusiness"),
        "platform-credential" => plain("platformCredential"),
        "e-mail" => plain("email"),
        "password" => plain("password"),
        "qr-code" => plain("qrCodePin"),
        "access-pass" => {
            let mut pass = plain("temporaryAccessPass");
            pass["isUsable"] = json!(rest.is_empty());
            pass["lifetimeInMinutes"] = json!(480);
            pass["startDateTime"] = json!("2026-11-22T07:00:00Z");
            pass["methodUsabilityReason"] =
                json!(if rest.is_empty() { "EnabledByPolicy" } else { "Expired" });
            pass
        }
        "something-new" => plain("brainwave"),
        other => panic!("no such method: {other}"),
    }
}

fn group(id: Uuid, name: &str, members: Vec<Uuid>) -> GroupRecord {
    GroupRecord {
        group: document(json!({
            "id": id, "displayName": name, "groupTypes": [], "securityEnabled": true
        })),
        members,
        owners: Vec::new(),
        every_generated_user: false,
    }
}

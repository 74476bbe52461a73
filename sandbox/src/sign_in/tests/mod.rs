//! One table for each step of the sign-in, and the user that all tables share.

mod answers;
mod applications;
mod demand;
mod methods;
mod outside;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::super::records::{Document, TenantDocuments, UserRecord};
use super::{Application, Evidence, Verdict, judge};
use Application::AdminPortals;
use Verdict::{Blocked, Elsewhere, MustRegister, Ok, PasswordOnly};

const ME: Uuid = uuid!("00000000-0000-4000-8000-000000000001");
const GROUP: Uuid = uuid!("00000000-0000-4000-8000-0000000000a1");
const OTHER_GROUP: Uuid = uuid!("00000000-0000-4000-8000-0000000000a2");
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const STRENGTH: &str = "00000000-0000-0000-0000-000000000004";
const TODAY: Date = date(2026, 11, 22);

fn object(value: Value) -> Document {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

fn objects(value: Value) -> Vec<Document> {
    let Value::Array(items) = value else { panic!("not an array: {value}") };
    items.into_iter().map(object).collect()
}

/// A user with a valid mobile number and per-user MFA, in a tenant that allows all methods.
#[derive(Clone)]
struct Case {
    user: Value,
    methods: Value,
    state: &'static str,
    preferences: Value,
    groups: Vec<Uuid>,
    policy: Value,
    conditional_access: Value,
    security_defaults: bool,
    roles: Value,
    strength: Value,
    /// Domains that are federated, with `federatedIdpMfaBehavior`.
    federated: Vec<(&'static str, Option<&'static str>)>,
    application: Application,
    on: Date,
}

impl Case {
    fn new() -> Self {
        Self {
            user: json!({"id": ME, "userPrincipalName": "j.brown@exchangelabs.nl", "accountEnabled": true, "userType": "Member"}),
            methods: json!([phone("mobile", "+31 612345678")]),
            state: "enforced",
            preferences: json!({}),
            groups: vec![GROUP],
            policy: policy(
                "migrationComplete",
                json!([
                    on("Sms"),
                    voice(true),
                    on("Fido2"),
                    on("SoftwareOath"),
                    on("HardwareOath"),
                    on("TemporaryAccessPass"),
                    on("Email"),
                    on("MicrosoftAuthenticator"),
                    on("QRCodePin"),
                    on("5c9a1b6e-0000-4000-8000-000000000001")
                ]),
            ),
            conditional_access: json!([]),
            security_defaults: false,
            roles: json!([]),
            strength: json!({"id": STRENGTH, "requirementsSatisfied": "mfa", "allowedCombinations": ["windowsHelloForBusiness", "fido2", "password,voice", "temporaryAccessPassOneTime", "deviceBasedPush"]}),
            federated: Vec::new(),
            application: Application::Ordinary,
            on: TODAY,
        }
    }

    fn verdict(&self) -> Verdict {
        let record = UserRecord {
            user: object(self.user.clone()),
            methods: objects(self.methods.clone()),
            requirements: object(json!({"perUserMfaState": self.state})),
            sign_in_preferences: object(self.preferences.clone()),
        };
        let mut tenant = TenantDocuments {
            id: Uuid::nil(),
            display_name: String::new(),
            domains: Vec::new(),
            federation: BTreeMap::new(),
            authentication_methods_policy: object(self.policy.clone()),
            conditional_access: objects(self.conditional_access.clone()),
            authentication_strengths: vec![object(self.strength.clone())],
            security_defaults: object(json!({"isEnabled": self.security_defaults})),
            role_definitions: objects(json!([
                {"id": "cccccccc-0000-4000-8000-000000000001", "templateId": "cccccccc-0000-4000-8000-0000000000ff"}
            ])),
            role_assignments: objects(self.roles.clone()),
            group_eligibility: Vec::new(),
            role_eligibility: objects(
                json!([{"principalId": ME, "roleDefinitionId": GLOBAL_ADMINISTRATOR}]),
            ),
        };
        for (domain, behaviour) in &self.federated {
            tenant.federate(domain, *behaviour);
        }
        let groups: BTreeSet<_> = self.groups.iter().copied().collect();
        judge(&Evidence {
            record: &record,
            groups: &groups,
            tenant: &tenant,
            application: self.application,
            on: self.on,
        })
    }
}

fn phone(kind: &str, number: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "phoneType": kind, "phoneNumber": number})
}

fn method(kind: &str) -> Value {
    json!({"@odata.type": format!("#microsoft.graph.{kind}AuthenticationMethod")})
}

fn on(id: &str) -> Value {
    json!({"id": id, "state": "enabled", "includeTargets": [{"id": "all_users", "targetType": "group"}], "excludeTargets": []})
}

fn voice(office: bool) -> Value {
    let mut voice = on("Voice");
    voice["isOfficePhoneAllowed"] = json!(office);
    voice
}

fn policy(state: &str, configurations: Value) -> Value {
    json!({"policyMigrationState": state, "authenticationMethodConfigurations": configurations})
}

/// A policy that requires MFA of all users for all applications, with changes merged into it.
fn access(changes: Value) -> Value {
    let mut policy = json!({
        "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"]
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}
    });
    merge(&mut policy, changes);
    policy
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}

fn check<T: std::fmt::Debug>(rows: impl IntoIterator<Item = (T, Case, Verdict)>) {
    let wrong: Vec<_> = rows
        .into_iter()
        .filter_map(|(name, case, wanted)| {
            let got = case.verdict();
            (got != wanted).then(|| format!("{name:?}: {got}, wanted {wanted}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Step 1. Microsoft Graph, `user.accountEnabled`.
#[test]
fn disabled_account_is_blocked_whatever_its_state() {
    for state in ["disabled", "enabled", "enforced"] {
        let mut case = Case { state, ..Case::new() };
        case.user["accountEnabled"] = json!(false);
        assert_eq!(case.verdict(), Blocked, "{state}");
    }
}

// The default decides which method is offered first, not which methods are accepted.
#[test]
fn default_method_does_not_change_the_verdict() {
    for default in [json!(null), json!("push"), json!("sms"), json!("voiceOffice")] {
        for system in [true, false] {
            let preferences = json!({
                "userPreferredMethodForSecondaryAuthentication": default,
                "isSystemPreferredAuthenticationMethodEnabled": system,
            });
            let mut case = Case { preferences, ..Case::new() };
            assert_eq!(case.verdict(), Ok, "{default}");
            case.methods = json!([]);
            assert_eq!(case.verdict(), MustRegister, "{default}");
        }
    }
}

#[test]
fn verdict_as_str_and_display() {
    assert_eq!(
        [Ok, MustRegister, Blocked, PasswordOnly, Elsewhere].map(Verdict::as_str),
        ["ok", "mustRegister", "blocked", "passwordOnly", "elsewhere"]
    );
    assert_eq!(format!("{:<14}|", MustRegister), "mustRegister  |");
}

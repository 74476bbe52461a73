//! One table for each step of the sign-in.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::super::records::{Document, TenantDocuments, UserRecord};
use super::{Evidence, Verdict, judge};
use Verdict::{Blocked, MustRegister, Ok, PasswordOnly};

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
    let Value::Array(items) = value else {
        panic!("not an array: {value}")
    };
    items.into_iter().map(object).collect()
}

/// Somebody with a valid mobile number that per-user MFA asks for, in a tenant that allows all.
#[derive(Clone)]
struct Case {
    user: Value,
    methods: Value,
    state: &'static str,
    groups: Vec<Uuid>,
    policy: Value,
    conditional_access: Value,
    security_defaults: bool,
    roles: Value,
    strength: Value,
    on: Date,
}

impl Case {
    fn new() -> Self {
        Self {
            user: json!({"id": ME, "userPrincipalName": "j.brown@exchangelabs.nl", "accountEnabled": true, "userType": "Member"}),
            methods: json!([phone("mobile", "+31 612345678")]),
            state: "enforced",
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
            on: TODAY,
        }
    }

    fn verdict(&self) -> Verdict {
        let record = UserRecord {
            user: object(self.user.clone()),
            methods: objects(self.methods.clone()),
            requirements: object(json!({"perUserMfaState": self.state})),
            sign_in_preferences: Document::new(),
        };
        let tenant = TenantDocuments {
            id: Uuid::nil(),
            display_name: String::new(),
            domains: Vec::new(),
            authentication_methods_policy: object(self.policy.clone()),
            conditional_access: objects(self.conditional_access.clone()),
            authentication_strengths: vec![object(self.strength.clone())],
            security_defaults: object(json!({"isEnabled": self.security_defaults})),
            role_definitions: objects(json!([
                {"id": "cccccccc-0000-4000-8000-000000000001", "templateId": "cccccccc-0000-4000-8000-0000000000ff"}
            ])),
            role_assignments: objects(self.roles.clone()),
            role_eligibility: objects(
                json!([{"principalId": ME, "roleDefinitionId": GLOBAL_ADMINISTRATOR}]),
            ),
        };
        let groups: BTreeSet<_> = self.groups.iter().copied().collect();
        judge(&Evidence {
            record: &record,
            groups: &groups,
            tenant: &tenant,
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

/// A policy for everybody at everything that asks for MFA, with changes merged over it.
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

// Step 1.
#[test]
fn a_disabled_account_is_blocked_before_anything_else() {
    for state in ["disabled", "enabled", "enforced"] {
        let mut case = Case {
            state,
            ..Case::new()
        };
        case.user["accountEnabled"] = json!(false);
        assert_eq!(case.verdict(), Blocked, "{state}");
    }
}

// Step 2, without Conditional Access.
#[test]
fn who_is_asked_for_a_second_factor() {
    let role = |principal: Uuid| json!([{"principalId": principal, "roleDefinitionId": HELPDESK, "directoryScopeId": "/"}]);
    let quiet = Case {
        state: "disabled",
        ..Case::new()
    };
    check([
        (
            "nothing asks; an eligible role does not",
            quiet.clone(),
            PasswordOnly,
        ),
        (
            "enabled",
            Case {
                state: "enabled",
                ..Case::new()
            },
            Ok,
        ),
        (
            "enforced",
            Case {
                state: "enforced",
                ..Case::new()
            },
            Ok,
        ),
        (
            "security defaults",
            Case {
                security_defaults: true,
                ..quiet.clone()
            },
            Ok,
        ),
        (
            "a role",
            Case {
                roles: role(ME),
                ..quiet.clone()
            },
            Ok,
        ),
        (
            "a role by a group",
            Case {
                roles: role(GROUP),
                ..quiet.clone()
            },
            Ok,
        ),
        (
            "somebody else's role",
            Case {
                roles: role(OTHER_GROUP),
                ..quiet
            },
            PasswordOnly,
        ),
    ]);
}

// Step 2 (c): whom a Conditional Access policy covers.
#[test]
fn whom_conditional_access_covers() {
    let users = |users: Value| {
        let mut policy = access(json!({}));
        policy["conditions"]["users"] = users;
        Case {
            state: "disabled",
            conditional_access: json!([policy]),
            ..Case::new()
        }
    };
    let guest = |users_: Value, upn: &str, kind: Value| {
        let mut case = users(users_);
        case.user["userPrincipalName"] = json!(upn);
        case.user["userType"] = kind;
        case
    };
    let holding = |role: &str, users_: Value| Case {
        roles: json!([{"principalId": ME, "roleDefinitionId": role}]),
        // The role itself would ask for MFA; without any method the two cannot be told apart, so
        // tell them apart by a strength below.
        ..users(users_)
    };
    let external = "v.sanders_contoso.com#EXT#@exchangelabs.onmicrosoft.com";
    let visitors = |kinds: &str| json!({"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": kinds, "externalTenants": {"membershipKind": "all"}}});
    check([
        ("all", users(json!({"includeUsers": ["All"]})), Ok),
        (
            "none",
            users(json!({"includeUsers": ["None"]})),
            PasswordOnly,
        ),
        ("by id", users(json!({"includeUsers": [ME]})), Ok),
        (
            "by another id",
            users(json!({"includeUsers": [GROUP]})),
            PasswordOnly,
        ),
        ("by group", users(json!({"includeGroups": [GROUP]})), Ok),
        (
            "by a group not mine",
            users(json!({"includeGroups": [OTHER_GROUP]})),
            PasswordOnly,
        ),
        (
            "but me",
            users(json!({"includeUsers": ["All"], "excludeUsers": [ME]})),
            PasswordOnly,
        ),
        (
            "but my group",
            users(json!({"includeUsers": ["All"], "excludeGroups": [GROUP]})),
            PasswordOnly,
        ),
        (
            "but another group",
            users(json!({"includeUsers": ["All"], "excludeGroups": [OTHER_GROUP]})),
            Ok,
        ),
        (
            "guests, and I am none",
            users(json!({"includeUsers": ["GuestsOrExternalUsers"]})),
            PasswordOnly,
        ),
        (
            "guests",
            guest(
                json!({"includeUsers": ["GuestsOrExternalUsers"]}),
                external,
                json!("Guest"),
            ),
            Ok,
        ),
        (
            "external member",
            guest(
                json!({"includeUsers": ["GuestsOrExternalUsers"]}),
                external,
                json!("Member"),
            ),
            Ok,
        ),
        (
            "internal guest",
            guest(
                json!({"includeUsers": ["GuestsOrExternalUsers"]}),
                "v.sanders@exchangelabs.nl",
                json!("Guest"),
            ),
            Ok,
        ),
        (
            "kind of visitor",
            guest(
                visitors("internalGuest,b2bCollaborationGuest"),
                external,
                json!("Guest"),
            ),
            Ok,
        ),
        (
            "other kind",
            guest(visitors("internalGuest"), external, json!("Guest")),
            PasswordOnly,
        ),
        (
            "no type is a member",
            guest(visitors("b2bCollaborationMember"), external, Value::Null),
            Ok,
        ),
        (
            "visitors but me",
            guest(
                json!({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest"}}),
                external,
                json!("Guest"),
            ),
            PasswordOnly,
        ),
    ]);
    let strict = |case: Case| {
        let mut case = case;
        case.conditional_access[0]["grantControls"] = json!({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": STRENGTH}});
        case.methods = json!([method("softwareOath")]);
        case
    };
    let custom = "cccccccc-0000-4000-8000-000000000001";
    let template = "cccccccc-0000-4000-8000-0000000000ff";
    check([
        (
            "role",
            strict(holding(HELPDESK, json!({"includeRoles": [HELPDESK]}))),
            Blocked,
        ),
        (
            "another role",
            strict(holding(
                HELPDESK,
                json!({"includeRoles": [GLOBAL_ADMINISTRATOR]}),
            )),
            Ok,
        ),
        (
            "custom role by template",
            strict(holding(custom, json!({"includeRoles": [template]}))),
            Blocked,
        ),
        (
            "all but the role",
            strict(holding(
                HELPDESK,
                json!({"includeUsers": ["All"], "excludeRoles": [HELPDESK]}),
            )),
            Ok,
        ),
    ]);
}

// Step 2 (c): which policies ask at every ordinary sign-in.
#[test]
fn what_conditional_access_asks() {
    let asks = |changes: Value| Case {
        state: "disabled",
        conditional_access: json!([access(changes)]),
        ..Case::new()
    };
    let when = |conditions: Value| asks(json!({"conditions": conditions}));
    let grants = |controls: Value| asks(json!({"grantControls": controls}));
    check([
        ("as it is", asks(json!({})), Ok),
        ("disabled", asks(json!({"state": "disabled"})), PasswordOnly),
        (
            "reports only",
            asks(json!({"state": "enabledForReportingButNotEnforced"})),
            PasswordOnly,
        ),
        (
            "one application",
            when(json!({"applications": {"includeApplications": ["Office365"]}})),
            PasswordOnly,
        ),
        (
            "user actions",
            when(
                json!({"applications": {"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]}}),
            ),
            PasswordOnly,
        ),
        (
            "no platform condition",
            when(json!({"platforms": null})),
            Ok,
        ),
        (
            "platforms",
            when(json!({"platforms": {"includePlatforms": ["android"], "excludePlatforms": []}})),
            PasswordOnly,
        ),
        (
            "every location",
            when(json!({"locations": {"includeLocations": ["All"], "excludeLocations": []}})),
            Ok,
        ),
        (
            "locations",
            when(
                json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}),
            ),
            PasswordOnly,
        ),
        (
            "browsers",
            when(json!({"clientAppTypes": ["browser"]})),
            PasswordOnly,
        ),
        (
            "sign-in risk",
            when(json!({"signInRiskLevels": ["high"]})),
            PasswordOnly,
        ),
        (
            "user risk",
            when(json!({"userRiskLevels": ["high"]})),
            PasswordOnly,
        ),
        (
            "no risk",
            when(json!({"userRiskLevels": [], "signInRiskLevels": []})),
            Ok,
        ),
        (
            "devices",
            when(
                json!({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}}),
            ),
            PasswordOnly,
        ),
        (
            "flows",
            when(json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}})),
            PasswordOnly,
        ),
        (
            "mfa or a good device",
            grants(json!({"builtInControls": ["mfa", "compliantDevice"]})),
            Ok,
        ),
        (
            "mfa and a good device",
            grants(json!({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]})),
            Ok,
        ),
        (
            "mfa or terms",
            grants(json!({"builtInControls": ["mfa"], "termsOfUse": ["3b"]})),
            PasswordOnly,
        ),
        (
            "only a good device",
            grants(json!({"builtInControls": ["compliantDevice"]})),
            PasswordOnly,
        ),
        ("only a session", grants(Value::Null), PasswordOnly),
    ]);
}

// Step 3: what is a second factor at all.
#[test]
fn which_methods_count() {
    let pass = |usable: bool| {
        let mut pass = method("temporaryAccessPass");
        pass["isUsable"] = json!(usable);
        pass
    };
    let mut over = pass(true);
    over["startDateTime"] = json!("2026-11-20T08:00:00Z");
    over["lifetimeInMinutes"] = json!(60);
    let mut external = method("external");
    external["configurationId"] = json!("5c9a1b6e-0000-4000-8000-000000000001");
    let mut foreign = method("external");
    foreign["configurationId"] = json!("5c9a1b6e-0000-4000-8000-000000000002");
    check(
        [
            ("mobile", phone("mobile", "+31 612345678"), Ok),
            (
                "alternate mobile",
                phone("alternateMobile", "+31 612345678"),
                Ok,
            ),
            ("office", phone("office", "+31 201234567"), Ok),
            ("authenticator", method("microsoftAuthenticator"), Ok),
            ("passkey", method("fido2"), Ok),
            ("authenticator code", method("softwareOath"), Ok),
            ("code token", method("hardwareOath"), Ok),
            ("windows hello", method("windowsHelloForBusiness"), Ok),
            ("mac", method("platformCredential"), Ok),
            ("external", external, Ok),
            ("external of no configuration", foreign, MustRegister),
            ("pass", pass(true), Ok),
            ("used pass", pass(false), MustRegister),
            ("pass of the day before yesterday", over, MustRegister),
            ("password", method("password"), MustRegister),
            ("e-mail", method("email"), MustRegister),
            (
                "security questions",
                method("securityQuestions"),
                MustRegister,
            ),
            ("qr code", method("qrCodePin"), MustRegister),
        ]
        .map(|(name, one, wanted)| {
            (
                name,
                Case {
                    methods: json!([one]),
                    ..Case::new()
                },
                wanted,
            )
        }),
    );
}

// Step 3: what the methods policy does to what is registered.
#[test]
fn which_methods_the_policy_allows() {
    let aimed = |include: Value, exclude: Value| {
        let mut sms = on("Sms");
        sms["includeTargets"] = include;
        sms["excludeTargets"] = exclude;
        policy("migrationComplete", json!([sms]))
    };
    let target = |id: Value| json!([{"id": id, "targetType": "group"}]);
    let mut off = on("Sms");
    off["state"] = json!("disabled");
    let mobile = |policy: Value| Case {
        policy,
        ..Case::new()
    };
    let office = |policy: Value| Case {
        methods: json!([phone("office", "+31 201234567")]),
        policy,
        ..Case::new()
    };
    let complete = |configurations: Value| policy("migrationComplete", configurations);
    check([
        (
            "all",
            mobile(aimed(target(json!("all_users")), json!([]))),
            Ok,
        ),
        (
            "my group",
            mobile(aimed(target(json!(GROUP)), json!([]))),
            Ok,
        ),
        (
            "another group",
            mobile(aimed(target(json!(OTHER_GROUP)), json!([]))),
            MustRegister,
        ),
        (
            "but my group",
            mobile(aimed(target(json!("all_users")), target(json!(GROUP)))),
            MustRegister,
        ),
        ("off", mobile(complete(json!([off.clone()]))), MustRegister),
        (
            "off, yet to migrate",
            mobile(policy("migrationInProgress", json!([off.clone()]))),
            Ok,
        ),
        (
            "off, before migration",
            mobile(policy("preMigration", json!([off]))),
            Ok,
        ),
        (
            "a mobile called",
            mobile(complete(json!([voice(false)]))),
            Ok,
        ),
        (
            "an office called",
            office(complete(json!([voice(true)]))),
            Ok,
        ),
        (
            "no office allowed",
            office(complete(json!([voice(false)]))),
            MustRegister,
        ),
        (
            "no texts to the office",
            office(complete(json!([on("Sms")]))),
            MustRegister,
        ),
    ]);
}

// Step 4.
#[test]
fn a_strength_counts_only_what_it_allows() {
    let strict = |methods: Value| Case {
        methods,
        state: "disabled",
        conditional_access: json!([access(
            json!({"grantControls": {"builtInControls": [], "authenticationStrength": {"id": STRENGTH}}})
        )]),
        ..Case::new()
    };
    let mut device = method("microsoftAuthenticator");
    device["device"] = json!({"id": ME});
    let mut once = method("temporaryAccessPass");
    once["isUsable"] = json!(true);
    once["isUsableOnce"] = json!(true);
    let mut many = once.clone();
    many["isUsableOnce"] = json!(false);
    let mut no_calls = strict(json!([phone("mobile", "+31 612345678")]));
    no_calls.policy = policy("migrationComplete", json!([on("Sms")]));
    let mut harmless = strict(json!([method("password")]));
    harmless.strength["requirementsSatisfied"] = json!("none");
    let mut both = strict(json!([method("fido2")]));
    both.conditional_access.as_array_mut().unwrap().push(access(json!({
        "grantControls": {"builtInControls": [], "authenticationStrength": {"id": "cccccccc-0000-4000-8000-000000000002",
            "requirementsSatisfied": "mfa", "allowedCombinations": ["password,softwareOath"]}}})));
    let mut each = both.clone();
    each.methods = json!([method("fido2"), method("softwareOath")]);
    check([
        ("passkey", strict(json!([method("fido2")])), Ok),
        (
            "mac as windows hello",
            strict(json!([method("platformCredential")])),
            Ok,
        ),
        (
            "code only",
            strict(json!([method("softwareOath")])),
            Blocked,
        ),
        (
            "code and passkey",
            strict(json!([method("softwareOath"), method("fido2")])),
            Ok,
        ),
        (
            "push",
            strict(json!([method("microsoftAuthenticator")])),
            Blocked,
        ),
        ("phone sign-in", strict(json!([device])), Ok),
        ("pass for once", strict(json!([once])), Ok),
        ("pass for more", strict(json!([many])), Blocked),
        (
            "a call",
            strict(json!([phone("mobile", "+31 612345678")])),
            Ok,
        ),
        ("a text where only calls count", no_calls, Blocked),
        (
            "nothing registered",
            strict(json!([method("password")])),
            MustRegister,
        ),
        ("satisfied without MFA", harmless, PasswordOnly),
        ("two strengths, one met", both, Blocked),
        ("two strengths, both met", each, Ok),
    ]);
}

// Step 6 and the end of step 7.
#[test]
fn which_phones_answer() {
    let texts = policy("migrationComplete", json!([on("Sms")]));
    let calls = policy("migrationComplete", json!([voice(true)]));
    let numbers = [
        ("+31 612345678", Ok, Ok),
        ("+31 201234567", Blocked, Ok),
        ("+1 2065550123", Ok, Ok),
        ("+1 2065550123x42", Blocked, Ok),
        ("+39 0669812345", Blocked, Ok),
        ("0612345678", Blocked, Blocked),
        ("+31 61234567", Blocked, Blocked),
        ("+31 0031612345678", Blocked, Blocked),
        ("+XX XXXXXX78", Blocked, Blocked),
        ("", Blocked, Blocked),
    ];
    for (policy, wanted) in [(texts, 1), (calls, 2)] {
        check(numbers.map(|row| {
            let case = Case {
                methods: json!([phone("mobile", row.0)]),
                policy: policy.clone(),
                ..Case::new()
            };
            (row.0, case, if wanted == 1 { row.1 } else { row.2 })
        }));
    }
    check([(
        "another method beside a bad number",
        Case {
            methods: json!([phone("mobile", "+31 61234567"), method("softwareOath")]),
            ..Case::new()
        },
        Ok,
    )]);
}

// Step 7, with the dates of the retirement.
#[test]
fn when_texts_and_calls_end() {
    let external = "v.sanders_contoso.com#EXT#@exchangelabs.onmicrosoft.com";
    let case = |on: Date, methods: Value, upn: &str, role: Option<&str>| {
        let mut case = Case {
            on,
            methods,
            ..Case::new()
        };
        case.user["userPrincipalName"] = json!(upn);
        case.user["userType"] = json!(if upn.contains("guest") || upn.contains('#') {
            "Guest"
        } else {
            "Member"
        });
        case.roles = role.map_or_else(
            || json!([]),
            |role| json!([{"principalId": GROUP, "roleDefinitionId": role}]),
        );
        case
    };
    let mobile = json!([phone("mobile", "+31 612345678")]);
    let both = json!([phone("mobile", "+31 612345678"), method("fido2")]);
    let wrong = json!([phone("mobile", "+31 61234567")]);
    let member = "j.brown@exchangelabs.nl";
    let (last, first) = (date(2027, 1, 31), date(2027, 2, 1));
    let (later_last, later_first) = (date(2027, 6, 30), date(2027, 7, 1));
    check([
        ("last day", case(last, mobile.clone(), member, None), Ok),
        (
            "first day without",
            case(first, mobile.clone(), member, None),
            MustRegister,
        ),
        ("another method", case(first, both, member, None), Ok),
        (
            "a number that never answered",
            case(first, wrong, member, None),
            MustRegister,
        ),
        (
            "another role",
            case(first, mobile.clone(), member, Some(HELPDESK)),
            MustRegister,
        ),
        (
            "global administrator",
            case(
                later_last,
                mobile.clone(),
                member,
                Some(GLOBAL_ADMINISTRATOR),
            ),
            Ok,
        ),
        (
            "global administrator later",
            case(
                later_first,
                mobile.clone(),
                member,
                Some(GLOBAL_ADMINISTRATOR),
            ),
            MustRegister,
        ),
        (
            "visitor",
            case(later_last, mobile.clone(), external, None),
            Ok,
        ),
        (
            "visitor later",
            case(later_first, mobile.clone(), external, None),
            MustRegister,
        ),
        (
            "internal guest",
            case(first, mobile, "guest@exchangelabs.nl", None),
            MustRegister,
        ),
    ]);
}

#[test]
fn a_verdict_has_a_word() {
    assert_eq!(
        [Ok, MustRegister, Blocked, PasswordOnly].map(Verdict::as_str),
        ["ok", "mustRegister", "blocked", "passwordOnly"]
    );
    assert_eq!(format!("{:<14}|", MustRegister), "mustRegister  |");
}

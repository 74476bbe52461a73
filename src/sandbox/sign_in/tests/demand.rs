//! Step 2: who is asked for a second factor.

use super::*;

// Step 2, without Conditional Access. Entra docs: `howto-mfa-userstates`, `security-defaults`.
#[test]
fn who_is_asked_for_a_second_factor() {
    let role = |principal: Uuid| json!([{"principalId": principal, "roleDefinitionId": HELPDESK, "directoryScopeId": "/"}]);
    let quiet = Case { state: "disabled", ..Case::new() };
    check([
        ("nothing asks; an eligible role does not", quiet.clone(), PasswordOnly),
        ("enabled", Case { state: "enabled", ..Case::new() }, Ok),
        ("enforced", Case { state: "enforced", ..Case::new() }, Ok),
        ("security defaults", Case { security_defaults: true, ..quiet.clone() }, Ok),
        ("a role asks for nothing here", Case { roles: role(ME), ..quiet }, PasswordOnly),
    ]);
}

// Step 2 (c): whom a policy covers. Graph, `conditionalAccessUsers`.
#[test]
fn whom_conditional_access_covers() {
    let users = |users: Value| {
        let mut policy = access(json!({}));
        policy["conditions"]["users"] = users;
        Case { state: "disabled", conditional_access: json!([policy]), ..Case::new() }
    };
    let guest = |scope: Value, upn: &str, kind: Value| {
        let mut case = users(scope);
        case.user["userPrincipalName"] = json!(upn);
        case.user["userType"] = kind;
        case
    };
    let holding = |role: &str, scope: Value| Case {
        roles: json!([{"principalId": ME, "roleDefinitionId": role}]),
        ..users(scope)
    };
    let external = "v.sanders_contoso.com#EXT#@exchangelabs.onmicrosoft.com";
    let visitors = |kinds: &str| json!({"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": kinds, "externalTenants": {"membershipKind": "all"}}});
    check([
        ("all", users(json!({"includeUsers": ["All"]})), Ok),
        ("none", users(json!({"includeUsers": ["None"]})), PasswordOnly),
        ("by id", users(json!({"includeUsers": [ME]})), Ok),
        ("by another id", users(json!({"includeUsers": [GROUP]})), PasswordOnly),
        ("by group", users(json!({"includeGroups": [GROUP]})), Ok),
        ("by a group not mine", users(json!({"includeGroups": [OTHER_GROUP]})), PasswordOnly),
        ("but me", users(json!({"includeUsers": ["All"], "excludeUsers": [ME]})), PasswordOnly),
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
            guest(json!({"includeUsers": ["GuestsOrExternalUsers"]}), external, json!("Guest")),
            Ok,
        ),
        (
            "external member",
            guest(json!({"includeUsers": ["GuestsOrExternalUsers"]}), external, json!("Member")),
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
            guest(visitors("internalGuest,b2bCollaborationGuest"), external, json!("Guest")),
            Ok,
        ),
        ("other kind", guest(visitors("internalGuest"), external, json!("Guest")), PasswordOnly),
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
    // At the portals a role asks for MFA by itself, so whether a policy reaches it shows only by a
    // strength.
    let strict = |case: Case| {
        let mut case = case;
        case.conditional_access[0]["grantControls"] = json!({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": STRENGTH}});
        case.methods = json!([method("softwareOath")]);
        case.application = AdminPortals;
        case
    };
    let custom = "cccccccc-0000-4000-8000-000000000001";
    let template = "cccccccc-0000-4000-8000-0000000000ff";
    check([
        ("role", strict(holding(HELPDESK, json!({"includeRoles": [HELPDESK]}))), Blocked),
        (
            "another role",
            strict(holding(HELPDESK, json!({"includeRoles": [GLOBAL_ADMINISTRATOR]}))),
            Ok,
        ),
        (
            "custom role by template",
            strict(holding(custom, json!({"includeRoles": [template]}))),
            Blocked,
        ),
        (
            "all but the role",
            strict(holding(HELPDESK, json!({"includeUsers": ["All"], "excludeRoles": [HELPDESK]}))),
            Ok,
        ),
    ]);
}

// Step 2 (c): which policies ask at every ordinary sign-in. Graph, `conditionalAccessConditionSet` and
// `conditionalAccessGrantControls`.
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
        ("reports only", asks(json!({"state": "enabledForReportingButNotEnforced"})), PasswordOnly),
        (
            "user actions",
            when(
                json!({"applications": {"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]}}),
            ),
            PasswordOnly,
        ),
        ("no platform condition", when(json!({"platforms": null})), Ok),
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
        ("browsers", when(json!({"clientAppTypes": ["browser"]})), PasswordOnly),
        ("sign-in risk", when(json!({"signInRiskLevels": ["high"]})), PasswordOnly),
        ("user risk", when(json!({"userRiskLevels": ["high"]})), PasswordOnly),
        ("no risk", when(json!({"userRiskLevels": [], "signInRiskLevels": []})), Ok),
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
            "mfa or terms, or a control",
            grants(
                json!({"builtInControls": ["mfa"], "termsOfUse": ["3b"], "customAuthenticationFactors": ["Duo"]}),
            ),
            PasswordOnly,
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

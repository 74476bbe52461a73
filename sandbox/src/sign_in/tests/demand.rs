//! Step 2: when a second factor is required.

use super::*;

// Step 2, without Conditional Access. Entra docs: `howto-mfa-userstates`, `security-defaults`.
#[test]
fn state_and_security_defaults_require_a_second_factor() {
    let role = |principal: Uuid| json!([{"principalId": principal, "roleDefinitionId": HELPDESK, "directoryScopeId": "/"}]);
    let quiet = Case { state: "disabled", ..Case::new() };
    check([
        ("nothing requires it; an eligible role", quiet.clone(), PasswordOnly),
        ("enabled", Case { state: "enabled", ..Case::new() }, Ok),
        ("enforced", Case { state: "enforced", ..Case::new() }, Ok),
        ("security defaults", Case { security_defaults: true, ..quiet.clone() }, Ok),
        ("a role requires nothing here", Case { roles: role(ME), ..quiet }, PasswordOnly),
    ]);
}

// Step 2 (c): the users that a policy covers. Graph, `conditionalAccessUsers`.
#[test]
fn conditional_access_covers_the_included_users_without_the_excluded() {
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
        ("by another group", users(json!({"includeGroups": [OTHER_GROUP]})), PasswordOnly),
        ("except me", users(json!({"includeUsers": ["All"], "excludeUsers": [ME]})), PasswordOnly),
        (
            "except my group",
            users(json!({"includeUsers": ["All"], "excludeGroups": [GROUP]})),
            PasswordOnly,
        ),
        (
            "except another group",
            users(json!({"includeUsers": ["All"], "excludeGroups": [OTHER_GROUP]})),
            Ok,
        ),
        (
            "guests, and I am a member",
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
            "all except visitors",
            guest(
                json!({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest"}}),
                external,
                json!("Guest"),
            ),
            PasswordOnly,
        ),
    ]);
    // At the portals a role already requires MFA, so only a strength shows whether a policy covers the
    // role.
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
            "all except the role",
            strict(holding(HELPDESK, json!({"includeUsers": ["All"], "excludeRoles": [HELPDESK]}))),
            Ok,
        ),
    ]);
}

// Step 2 (c): the policies that require MFA at every ordinary sign-in. Graph,
// `conditionalAccessConditionSet` and `conditionalAccessGrantControls`.
#[test]
fn only_unconditional_policies_with_mfa_require_it() {
    let asks = |changes: Value| Case {
        state: "disabled",
        conditional_access: json!([access(changes)]),
        ..Case::new()
    };
    let when = |conditions: Value| asks(json!({"conditions": conditions}));
    let grants = |controls: Value| asks(json!({"grantControls": controls}));
    check([
        ("unchanged", asks(json!({})), Ok),
        ("disabled", asks(json!({"state": "disabled"})), PasswordOnly),
        ("report-only", asks(json!({"state": "enabledForReportingButNotEnforced"})), PasswordOnly),
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
            "mfa or a compliant device",
            grants(json!({"builtInControls": ["mfa", "compliantDevice"]})),
            Ok,
        ),
        (
            "mfa and a compliant device",
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
            "only a compliant device",
            grants(json!({"builtInControls": ["compliantDevice"]})),
            PasswordOnly,
        ),
        ("only session controls", grants(Value::Null), PasswordOnly),
    ]);
}

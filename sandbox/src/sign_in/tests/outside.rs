//! Verdicts that a system outside the tenant decides: federated domains, and controls of other
//! providers.

use super::*;

// Graph, `internalDomainFederation` (`federatedIdpMfaBehavior`), checked 2026-11.
#[test]
fn federated_provider_decides_unless_its_mfa_is_rejected() {
    let of = |domain: &'static str, behaviour: Option<&'static str>| Case {
        federated: vec![(domain, behaviour)],
        ..Case::new()
    };
    let (mine, rejects) = ("exchangelabs.nl", Some("rejectMfaByFederatedIdp"));
    let not_required = |case: Case| Case { state: "disabled", ..case };
    let without_methods = |case: Case| Case { methods: json!([]), ..case };
    let mut disabled = of(mine, Some("enforceMfaByFederatedIdp"));
    disabled.user["accountEnabled"] = json!(false);
    let mut invited = of(mine, Some("enforceMfaByFederatedIdp"));
    invited.user["userPrincipalName"] =
        json!("x_exchangelabs.nl#EXT#@exchangelabs.onmicrosoft.com");
    check([
        ("the provider does MFA", of(mine, Some("enforceMfaByFederatedIdp")), Elsewhere),
        ("the provider may do MFA", of(mine, Some("acceptIfMfaDoneByFederatedIdp")), Elsewhere),
        ("not set", of(mine, None), Elsewhere),
        ("a future value", of(mine, Some("unknownFutureValue")), Elsewhere),
        ("in capitals", of("ExchangeLabs.NL", None), Elsewhere),
        ("MFA not required", not_required(of(mine, None)), Elsewhere),
        ("no method registered", without_methods(of(mine, None)), Elsewhere),
        ("Entra does MFA", of(mine, rejects), Ok),
        ("Entra does MFA, not required", not_required(of(mine, rejects)), PasswordOnly),
        ("Entra does MFA, no method", without_methods(of(mine, rejects)), MustRegister),
        ("another domain", of("contoso.nl", None), Ok),
        ("a parent domain", of("nl", None), Ok),
        ("a disabled account", disabled, Blocked),
        ("a visitor's name belongs to the domain of this tenant", invited, Ok),
    ]);
}

// Entra docs: Conditional Access custom controls, checked 2026-11.
#[test]
fn custom_control_decides_unless_entra_decides_alone() {
    let with = |controls: Value| Case {
        state: "disabled",
        conditional_access: json!([access(json!({"grantControls": controls}))]),
        ..Case::new()
    };
    let alone = json!({"builtInControls": [], "customAuthenticationFactors": ["RequireDuoMfa"]});
    let either =
        json!({"builtInControls": ["mfa"], "customAuthenticationFactors": ["RequireDuoMfa"]});
    let both = json!({"operator": "AND", "builtInControls": ["mfa"], "customAuthenticationFactors": ["RequireDuoMfa"]});
    let strength = json!({"builtInControls": [], "authenticationStrength": {"id": STRENGTH}, "customAuthenticationFactors": ["RequireDuoMfa"]});
    let device = json!({"builtInControls": ["compliantDevice"], "customAuthenticationFactors": ["RequireDuoMfa"]});
    let required = |case: Case| Case { state: "enforced", ..case };
    let bad_number =
        |case: Case| Case { methods: json!([phone("mobile", "+31 61234567")]), ..case };
    let without_methods = |case: Case| Case { methods: json!([]), ..case };
    let mut of_others = with(alone.clone());
    of_others.conditional_access[0]["conditions"]["users"]["includeUsers"] = json!([GROUP]);
    let mut reports = with(alone.clone());
    reports.conditional_access[0]["state"] = json!("enabledForReportingButNotEnforced");
    check([
        ("a control", with(alone.clone()), Elsewhere),
        ("a control or a compliant device", with(device), Elsewhere),
        ("a control, and MFA by another rule", required(with(alone.clone())), Elsewhere),
        ("a control, and a bad number", bad_number(required(with(alone.clone()))), Blocked),
        ("a control, and no method", without_methods(required(with(alone))), Elsewhere),
        ("MFA or a control", with(either.clone()), Elsewhere),
        ("MFA or a control, and MFA by another rule", required(with(either.clone())), Ok),
        (
            "MFA or a control, MFA by another rule, no method",
            without_methods(required(with(either))),
            MustRegister,
        ),
        ("MFA and a control", with(both.clone()), Elsewhere),
        ("MFA and a control, and a bad number", bad_number(with(both)), Blocked),
        ("a strength or a control", with(strength.clone()), Elsewhere),
        ("a strength or a control, and MFA by another rule", required(with(strength)), Elsewhere),
        ("a control for others", of_others, PasswordOnly),
        ("a control in report mode", reports, PasswordOnly),
    ]);
}

// An internal guest has the account in this tenant and no home tenant, so it is judged like a member.
#[test]
fn internal_guest_is_judged_like_a_member() {
    let guest = |case: Case| {
        let mut case = case;
        case.user["userType"] = json!("Guest");
        case
    };
    let not_required = Case { state: "disabled", ..Case::new() };
    check([
        ("can answer", guest(Case::new()), Ok),
        ("no method", guest(Case { methods: json!([]), ..Case::new() }), MustRegister),
        ("MFA not required", guest(not_required), PasswordOnly),
        (
            "in a federated domain",
            guest(Case { federated: vec![("exchangelabs.nl", None)], ..Case::new() }),
            Elsewhere,
        ),
    ]);
}

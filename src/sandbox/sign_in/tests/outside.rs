//! What is decided outside the tenant: federated domains, and controls of other providers.

use super::*;

// Graph, `internalDomainFederation` (`federatedIdpMfaBehavior`), checked 2026-11.
#[test]
fn who_signs_in_at_a_provider_of_their_own() {
    let of = |domain: &'static str, behaviour: Option<&'static str>| Case {
        federated: vec![(domain, behaviour)],
        ..Case::new()
    };
    let (mine, rejects) = ("exchangelabs.nl", Some("rejectMfaByFederatedIdp"));
    let quiet = |case: Case| Case { state: "disabled", ..case };
    let empty = |case: Case| Case { methods: json!([]), ..case };
    let mut disabled = of(mine, Some("enforceMfaByFederatedIdp"));
    disabled.user["accountEnabled"] = json!(false);
    let mut invited = of(mine, Some("enforceMfaByFederatedIdp"));
    invited.user["userPrincipalName"] =
        json!("x_exchangelabs.nl#EXT#@exchangelabs.onmicrosoft.com");
    check([
        ("the provider does MFA", of(mine, Some("enforceMfaByFederatedIdp")), Elsewhere),
        ("perhaps it did", of(mine, Some("acceptIfMfaDoneByFederatedIdp")), Elsewhere),
        ("not set", of(mine, None), Elsewhere),
        ("a word of the future", of(mine, Some("unknownFutureValue")), Elsewhere),
        ("in capitals", of("ExchangeLabs.NL", None), Elsewhere),
        ("nobody asks", quiet(of(mine, None)), Elsewhere),
        ("nothing registered", empty(of(mine, None)), Elsewhere),
        ("Entra does its own", of(mine, rejects), Ok),
        ("Entra does its own, and nobody asks", quiet(of(mine, rejects)), PasswordOnly),
        ("Entra does its own, and nothing is registered", empty(of(mine, rejects)), MustRegister),
        ("another domain", of("contoso.nl", None), Ok),
        ("a domain above", of("nl", None), Ok),
        ("an account that is switched off", disabled, Blocked),
        ("a visitor's name is of the domain that is their host", invited, Ok),
    ]);
}

// Entra docs: Conditional Access custom controls, checked 2026-11.
#[test]
fn controls_of_other_providers() {
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
    let asked = |case: Case| Case { state: "enforced", ..case };
    let wrong = |case: Case| Case { methods: json!([phone("mobile", "+31 61234567")]), ..case };
    let empty = |case: Case| Case { methods: json!([]), ..case };
    let mut of_others = with(alone.clone());
    of_others.conditional_access[0]["conditions"]["users"]["includeUsers"] = json!([GROUP]);
    let mut reports = with(alone.clone());
    reports.conditional_access[0]["state"] = json!("enabledForReportingButNotEnforced");
    check([
        ("a control", with(alone.clone()), Elsewhere),
        ("a control or a good device", with(device), Elsewhere),
        ("a control beside MFA that somebody else asks for", asked(with(alone.clone())), Elsewhere),
        ("a control, and who is stuck is stuck", wrong(asked(with(alone.clone()))), Blocked),
        ("a control, and nothing registered", empty(asked(with(alone))), Elsewhere),
        ("MFA or a control", with(either.clone()), Elsewhere),
        ("MFA or a control, and MFA is asked for", asked(with(either.clone())), Ok),
        (
            "MFA or a control, MFA is asked for and missing",
            empty(asked(with(either))),
            MustRegister,
        ),
        ("MFA and a control", with(both.clone()), Elsewhere),
        ("MFA and a control, and who is stuck is stuck", wrong(with(both)), Blocked),
        ("a strength or a control", with(strength.clone()), Elsewhere),
        ("a strength or a control, and MFA is asked for", asked(with(strength)), Elsewhere),
        ("a control for others", of_others, PasswordOnly),
        ("a control in report mode", reports, PasswordOnly),
    ]);
}

// Guests by type whose account lives here have no home elsewhere: judged like members.
#[test]
fn an_internal_guest_is_an_ordinary_account() {
    let guest = |case: Case| {
        let mut case = case;
        case.user["userType"] = json!("Guest");
        case
    };
    let quiet = Case { state: "disabled", ..Case::new() };
    check([
        ("and can answer", guest(Case::new()), Ok),
        ("and has nothing", guest(Case { methods: json!([]), ..Case::new() }), MustRegister),
        ("and nobody asks", guest(quiet), PasswordOnly),
        (
            "and lives in a federated domain",
            guest(Case { federated: vec![("exchangelabs.nl", None)], ..Case::new() }),
            Elsewhere,
        ),
    ]);
}

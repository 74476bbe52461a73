//! Steps 3 and 4: which methods count as a second factor.

use super::*;

// Step 3: the methods that are a second factor at all. Entra docs: `concept-authentication-methods`.
// Administrators report that a factor that is not allowed is treated like no factor.
#[test]
fn only_second_factors_that_are_usable_count() {
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
            ("alternate mobile", phone("alternateMobile", "+31 612345678"), Ok),
            ("office", phone("office", "+31 201234567"), Ok),
            ("authenticator", method("microsoftAuthenticator"), Ok),
            ("passkey", method("fido2"), Ok),
            ("authenticator code", method("softwareOath"), Ok),
            ("code token", method("hardwareOath"), Ok),
            ("windows hello", method("windowsHelloForBusiness"), Ok),
            ("platform credential", method("platformCredential"), Ok),
            ("external", external, Ok),
            ("external without a configuration", foreign, MustRegister),
            ("pass", pass(true), Ok),
            ("used pass", pass(false), MustRegister),
            ("pass of the day before yesterday", over, MustRegister),
            ("password", method("password"), MustRegister),
            ("e-mail", method("email"), MustRegister),
            ("security questions", method("securityQuestions"), MustRegister),
            ("qr code", method("qrCodePin"), MustRegister),
        ]
        .map(|(name, one, wanted)| (name, Case { methods: json!([one]), ..Case::new() }, wanted)),
    );
}

// Step 3: the effect of the method policy on registered methods. Graph,
// `authenticationMethodConfiguration`, `voiceAuthenticationMethodConfiguration` and
// `policyMigrationState`.
#[test]
fn methods_count_only_if_the_policy_allows_them() {
    let aimed = |include: Value, exclude: Value| {
        let mut sms = on("Sms");
        sms["includeTargets"] = include;
        sms["excludeTargets"] = exclude;
        policy("migrationComplete", json!([sms]))
    };
    let target = |id: Value| json!([{"id": id, "targetType": "group"}]);
    let mut off = on("Sms");
    off["state"] = json!("disabled");
    let mobile = |policy: Value| Case { policy, ..Case::new() };
    let office = |policy: Value| Case {
        methods: json!([phone("office", "+31 201234567")]),
        policy,
        ..Case::new()
    };
    let complete = |configurations: Value| policy("migrationComplete", configurations);
    // Graph documentation (authenticationMethodsPolicy), checked 2026-11: null means that there is
    // nothing to migrate, so only this policy counts.
    let born_migrated = |configurations: Value| {
        let mut policy = policy("", configurations);
        policy["policyMigrationState"] = Value::Null;
        policy
    };
    check([
        ("all", mobile(aimed(target(json!("all_users")), json!([]))), Ok),
        ("my group", mobile(aimed(target(json!(GROUP)), json!([]))), Ok),
        ("another group", mobile(aimed(target(json!(OTHER_GROUP)), json!([]))), MustRegister),
        (
            "except my group",
            mobile(aimed(target(json!("all_users")), target(json!(GROUP)))),
            MustRegister,
        ),
        ("off", mobile(complete(json!([off.clone()]))), MustRegister),
        ("off, during migration", mobile(policy("migrationInProgress", json!([off.clone()]))), Ok),
        ("off, before migration", mobile(policy("preMigration", json!([off.clone()]))), Ok),
        ("off, nothing to migrate", mobile(born_migrated(json!([off]))), MustRegister),
        ("on, nothing to migrate", mobile(born_migrated(json!([on("Sms")]))), Ok),
        ("a call to a mobile", mobile(complete(json!([voice(false)]))), Ok),
        ("a call to an office", office(complete(json!([voice(true)]))), Ok),
        ("office phones not allowed", office(complete(json!([voice(false)]))), MustRegister),
        ("no texts to the office", office(complete(json!([on("Sms")]))), MustRegister),
    ]);
}

// Step 4. Graph, `authenticationStrengthPolicy`. Administrators report that no method can be registered
// from here.
#[test]
fn strength_accepts_only_its_combinations() {
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
        ("platform credential as windows hello", strict(json!([method("platformCredential")])), Ok),
        ("code only", strict(json!([method("softwareOath")])), Blocked),
        ("code and passkey", strict(json!([method("softwareOath"), method("fido2")])), Ok),
        ("push", strict(json!([method("microsoftAuthenticator")])), Blocked),
        ("phone sign-in", strict(json!([device])), Ok),
        ("one-time pass", strict(json!([once])), Ok),
        ("multi-use pass", strict(json!([many])), Blocked),
        ("a call", strict(json!([phone("mobile", "+31 612345678")])), Ok),
        ("a text, and only calls count", no_calls, Blocked),
        ("nothing registered", strict(json!([method("password")])), MustRegister),
        ("satisfied without MFA", harmless, PasswordOnly),
        ("two strengths, one met", both, Blocked),
        ("two strengths, both met", each, Ok),
    ]);
}

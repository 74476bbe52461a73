//! The sources that require MFA in the tenant, and their effect on a run of the program.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use mfactl_sandbox::{Fault, Faults};
use serde_json::Value;

use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::World;

/// The program with one policy for all staff.
fn for_all_staff(tenant: TenantBuilder, desired: &str) -> World {
    let policy = format!(
        "version: 1\npolicies:\n  staff:\n    appliesTo:\n      groups: [All Staff]\n    desired:\n      {desired}\n"
    );
    tenant.world().file("policies/staff.yaml", policy)
}

fn plan(world: &World) -> Value {
    let run = world.run(&["plan", "--format", "json"]);
    serde_json::from_str(&run.stdout).expect(&run.stderr)
}

fn codes(plan: &Value) -> BTreeSet<String> {
    let findings = plan["findings"].as_array().unwrap();
    findings.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

fn has(plan: &Value, code: &str) -> bool {
    codes(plan).contains(code)
}

#[test]
fn state_is_lowered_only_if_another_source_requires_mfa() {
    for (seed, lowers) in [
        ("exchangelabs", false),
        ("exchangelabs-conditional-access-narrowed", false),
        ("exchangelabs-conditional-access", true),
        ("exchangelabs-security-defaults", true),
    ] {
        let plan = plan(&for_all_staff(TenantBuilder::named(seed), "perUserMfa: disabled"));
        let summary = &plan["summary"];
        assert_eq!(summary["mfaLowered"].as_u64().unwrap() > 0, lowers, "{seed} {summary}");
        assert_eq!(summary["withheld"].as_u64().unwrap() == 0, lowers, "{seed} {summary}");
    }
}

#[test]
fn plan_after_lowering_lowers_no_other_user() {
    let tenant = TenantBuilder::named("exchangelabs-conditional-access");
    let world = for_all_staff(tenant, "perUserMfa: disabled");
    // Some lowered users are open before and after the apply, so the run reports them and exits with 5.
    world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(!world.server().store().writes().is_empty());
    let plan = plan(&world);
    assert_eq!(plan["summary"]["mfaLowered"], 0);
}

#[test]
fn other_requirements_and_unreadable_rules_are_findings() {
    is_a_finding(3);
}

#[test]
#[ignore = "long: every requirement and every unreadable rule"]
fn each_other_requirement_and_unreadable_rule_is_a_finding() {
    is_a_finding(1);
}

/// Takes every `step`-th row.
fn is_a_finding(step: usize) {
    let enforced = "perUserMfa: enforced";
    let refusing = |words, status, code| exchangelabs().refusing(words, status, code);
    let named = TenantBuilder::named;
    for (tenant, what, code) in [
        (named("exchangelabs-conditional-access"), "Conditional Access", "mfa-demanded-elsewhere"),
        (named("exchangelabs-security-defaults"), "security defaults", "mfa-demanded-elsewhere"),
        (named("exchangelabs-migration-in-progress"), "migration", "legacy-method-policy"),
        (refusing("/conditionalAccess/", 403, "accessDenied"), "rules refused", "unreadable"),
        (refusing("/privilegedAccess", 404, "notFound"), "no groups with roles", "unreadable"),
        (
            refusing("/identitySecurityDefaults", 403, "accessDenied"),
            "security defaults refused",
            "unreadable",
        ),
        (refusing("/roleAssignments", 403, "accessDenied"), "roles refused", "unreadable"),
        (
            refusing("/authenticationMethodsPolicy", 403, "accessDenied"),
            "method policy refused",
            "unreadable",
        ),
        (exchangelabs(), "phones only", "phone-only-retirement"),
    ]
    .into_iter()
    .step_by(step)
    {
        let plan = plan(&for_all_staff(tenant, enforced));
        assert!(has(&plan, code), "{what}: {code} not in {:?}", codes(&plan));
    }
    let plan = plan(&for_all_staff(exchangelabs(), enforced));
    for code in ["mfa-demanded-elsewhere", "legacy-method-policy", "unreadable"] {
        assert!(!has(&plan, code), "{code}");
    }
}

/// A tenant without the licence has no Conditional Access and no eligible users.
#[test]
fn missing_licence_is_not_reported_as_unreadable() {
    for path in ["/conditionalAccess/", "/roleEligibility"] {
        let tenant = exchangelabs().refusing(path, 403, "AadPremiumLicenseRequired");
        let plan = plan(&for_all_staff(tenant, "perUserMfa: enforced"));
        assert!(!has(&plan, "unreadable"), "{path}");
    }
}

#[test]
fn fewer_users_get_mfa_after_phone_delivery_ends() {
    let world = for_all_staff(exchangelabs(), "perUserMfa: enforced");
    let before = plan(&world);
    let world = world.with("MFACTL_TODAY", "2027-02-01");
    let after = plan(&world);
    let raised = |plan: &Value| plan["summary"]["mfaRaised"].as_u64().unwrap();
    assert!(raised(&after) < raised(&before), "{} {}", before["summary"], after["summary"]);
    let far = plan(&world.with("MFACTL_TODAY", "2026-10-01"));
    assert!(!has(&far, "phone-only-retirement"));
}

#[test]
fn plan_is_refused_if_conditional_access_becomes_unreadable() {
    let asked = AtomicUsize::new(0);
    let faults = Faults::by(move |part| {
        let is_list = part.path.ends_with("/conditionalAccess/policies");
        if is_list && asked.fetch_add(1, Ordering::SeqCst) > 0 {
            Fault::Status { status: 403, code: "accessDenied".to_owned(), retry_after: None }
        } else {
            Fault::None
        }
    });
    let tenant = TenantBuilder::named("exchangelabs-conditional-access").faults(faults);
    let world = for_all_staff(tenant, "perUserMfa: disabled");
    let run = world.run(&["apply", "--auto-approve"]);
    let why = "the rules that require MFA, or the users that they apply to, could be";
    assert!(run.stderr.contains(why), "{}", run.text());
    assert!(world.server().store().writes().is_empty());
}

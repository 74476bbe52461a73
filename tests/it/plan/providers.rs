//! Users of federated domains whose provider may do MFA: withheld changes, reports, and a plan whose domain
//! turns federated.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::network_faults::{Front, Weather};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{PROJECT, World};

const DOMAIN: &str = "exchangelabs.nl";

fn provider(behaviour: &str) -> World {
    exchangelabs().federated(DOMAIN, behaviour).james_and_jane()
}

fn as_json(world: &World, arguments: &[&str]) -> Value {
    let run = world.run(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&run.stdout).expect("JSON")
}

#[test]
fn mfa_is_not_raised_for_users_of_a_provider_that_may_do_mfa() {
    let world = provider("acceptIfMfaDoneByFederatedIdp");
    let plan = world.run(&["plan"]).ends(0).stdout;
    let reason =
        "the user's domain `exchangelabs.nl` is federated, so its identity provider decides";
    assert!(plan.contains(reason), "{plan}");
    assert_eq!(as_json(&world, &["plan"])["summary"]["mfaRaised"], 0);
    let plan = provider("rejectMfaByFederatedIdp").run(&["plan"]).ends(0).stdout;
    assert!(!plan.contains("federated"), "Entra does MFA itself: {plan}");
    assert_eq!(
        as_json(&provider("rejectMfaByFederatedIdp"), &["plan"])["summary"],
        as_json(&exchangelabs().james_and_jane(), &["plan"])["summary"]
    );
}

#[test]
fn posture_of_users_in_a_federated_domain_is_unknown() {
    let world = provider("enforceMfaByFederatedIdp");
    let report = as_json(&world, &["report"]);
    let rows = report["users"].as_array().expect("users");
    let here = rows.iter().filter(|row| {
        let name = row["userPrincipalName"].as_str().expect("a name");
        name.ends_with(DOMAIN)
    });
    let mut count = 0;
    for row in here {
        let standing = (&row["posture"], &row["doubt"], &row["demanded"]);
        assert_eq!(standing, (&json!("unknown"), &json!("federated"), &json!("unknown")), "{row}");
        count += 1;
    }
    assert!(count > 50, "{count}");
    assert_eq!(report["complete"], true, "everything was read");
    let weaknesses = &report["breakGlass"]["accounts"][0]["weaknesses"];
    assert!(weaknesses.as_array().is_some_and(|all| all.contains(&json!("federated"))));
    let text = world.run(&["report", "--fail-on", "unknown"]).ends(2).stdout;
    assert!(text.contains("in a federated domain, whose identity provider decides"), "{text}");
    let text = world.run(&["explain", "j.smith@exchangelabs.nl"]).ends(0).stdout;
    assert!(text.contains("federated domain: "), "{text}");
    assert!(text.contains("/v1.0/domains"), "{text}");
    let explained = as_json(&world, &["explain", "j.smith@exchangelabs.nl"]);
    assert_eq!(explained["posture"]["decided"], "provider");
}

#[test]
fn unreadable_domains_are_a_finding_and_make_postures_unknown() {
    let denied =
        |tenant: TenantBuilder, path| tenant.refusing(path, 403, "Authorization_RequestDenied");
    for (tenant, what, permission) in [
        (
            denied(exchangelabs(), "/domains"),
            "domains and whether they are federated",
            "`Domain.Read.All`",
        ),
        (
            denied(
                exchangelabs().federated(DOMAIN, "rejectMfaByFederatedIdp"),
                "/federationConfiguration",
            ),
            "whether the provider of a federated domain does MFA",
            "`Domain-InternalFederation.Read.All`",
        ),
    ] {
        let world = tenant.james_and_jane();
        let run = world.run(&["report", "--fail-on", "open"]).ends(2);
        assert!(run.stdout.contains(what) && run.stdout.contains(permission), "{}", run.text());
        let report = as_json(&world, &["report"]);
        assert_eq!(report["complete"], false);
        let doubts = report["users"].as_array().expect("users").iter();
        assert!(doubts.filter(|row| row["doubt"] == "unread").count() > 50);
        let plan = as_json(&world, &["plan"]);
        assert_eq!(plan["summary"]["mfaRaised"], 0, "{plan}");
        let text = world.run(&["plan"]).ends(0).stdout;
        assert!(text.contains("how the user's domain `exchangelabs.nl` handles sign-in"), "{text}");
    }
}

/// The plan was made while the domain was managed.
#[test]
fn domain_that_turns_federated_stops_the_run() {
    let world = exchangelabs().james_and_jane();
    let url = world.server().url().to_owned();
    let asked = AtomicUsize::new(0);
    let front = Front::before(&url, move |seen, _| match () {
        () if seen.path.contains("/federationConfiguration") => Weather::json(r#"{"value":[]}"#),
        () if !seen.path.contains("/domains") => Weather::Fine,
        () if asked.fetch_add(1, Ordering::SeqCst) == 0 => Weather::Fine,
        () => Weather::body(|body| body.replace("Managed", "Federated")),
    });
    let front = front.url();
    let world = world.behind(PROJECT, &front, &front);
    let run = world.run(&["apply", "--auto-approve"]).ends(4);
    assert!(run.stderr.contains("the rules that require MFA"), "{}", run.text());
    assert!(world.server().store().writes().is_empty());
}

/// New tenants, which never needed the migration, have no state of it.
#[test]
fn null_migration_state_counts_as_complete() {
    let with = |state: Value| {
        let tenant = exchangelabs().changed(|seed| {
            let policy = &mut seed.tenant.authentication_methods_policy;
            policy.insert("policyMigrationState".to_owned(), state);
        });
        // No user may use a phone.
        tenant.without_method("Sms").without_method("Voice").james_and_jane()
    };
    let opens = |world: &World| as_json(world, &["report"])["counts"]["posture"]["open"].clone();
    let (complete, null) = (with(json!("migrationComplete")), with(Value::Null));
    assert_eq!(opens(&null), opens(&complete));
    null.run(&["report", "--fail-on", "open"]).ends(2);
    let findings = |world: &World| world.run(&["report"]).ends(0).stdout;
    assert!(!findings(&null).contains("legacy-method-policy"));
    for state in ["migrationInProgress", "migrationForgotten"] {
        let world = with(json!(state));
        assert!(opens(&world).as_u64() < opens(&null).as_u64(), "{state}");
        assert!(findings(&world).contains("legacy-method-policy"), "{state}");
    }
}

#[test]
fn doctor_checks_federation_only_if_a_domain_is_federated() {
    let what = "whether providers of federated domains do MFA";
    let run = exchangelabs().james_and_jane().run(&["doctor"]).ends(0);
    assert!(run.stdout.contains("domains and whether they are federated"), "{}", run.text());
    assert!(!run.stdout.contains(what), "{}", run.text());
    let tenant = exchangelabs().federated(DOMAIN, "rejectMfaByFederatedIdp");
    let run = tenant.clone().james_and_jane().run(&["doctor"]).ends(0);
    assert!(run.stdout.contains(what), "{}", run.text());
    let tenant = tenant.refusing("/federationConfiguration", 403, "Authorization_RequestDenied");
    let run = tenant.james_and_jane().run(&["doctor"]).ends(1);
    assert!(run.stdout.contains("Domain-InternalFederation.Read.All"), "{}", run.text());
}

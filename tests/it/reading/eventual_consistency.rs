//! The promises with a service that shows writes late: a state that is promoted after the run, and lists of
//! methods that are late.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::future::pending;
use std::thread;
use std::time::Duration;

use mfactl::disclose::Discloser;
use mfactl::plan::pipeline;
use mfactl::render::apply;
use mfactl_sandbox::Lateness;
use proptest::prelude::*;

use crate::plan::promises::{holds, is_unstable, policies};
use crate::support::promise_checks::nobody_signs_in_worse;
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::World;

/// Checks that an apply succeeds, and that a plan has no changes once all lists show the writes.
fn apply_converges_with_lateness(methods: Duration, promotion: Duration, cases: u32, long: bool) {
    let changed = Cell::new(0);
    holds(cases, long, |case, _| {
        let late = Lateness { methods, promotion, ..Lateness::default() };
        let inside = case.tenant().lateness(late).inside();
        let seen = policies(case).and_then(|set| inside.observe(&set).ok().map(|seen| (set, seen)));
        let Some((set, observed)) = seen else { return Ok(()) };
        let plan = pipeline::plan(&set, observed);
        if is_unstable(&plan) {
            return Ok(());
        }
        let report = inside.apply(&plan, pending()).expect("an end");
        prop_assert!(
            report.is_whole(),
            "{}",
            apply::report(&plan, &report, &Discloser::of_names())
        );
        nobody_signs_in_worse(&inside.server.store())?;
        thread::sleep(methods);
        let again = pipeline::plan(&set, inside.observe(&set).expect("the same tenant as before"));
        prop_assert!(again.changes.is_empty(), "{:#?}", again.changes);
        changed.set(changed.get() + plan.changes.len());
        Ok(())
    });
    assert!(changed.get() > cases as usize, "only {} changes", changed.get());
}

const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

#[test]
fn unpromoted_state_is_no_change() {
    apply_converges_with_lateness(Duration::ZERO, NEVER, 12, false);
}

#[test]
fn state_is_raised_although_the_new_method_is_listed_late() {
    apply_converges_with_lateness(SOON, NEVER, 2, false);
}

#[test]
#[ignore = "long: waits for lists in a hundred tenants"]
fn late_lists_and_promotions_change_nothing_in_a_hundred_tenants() {
    apply_converges_with_lateness(SOON, NEVER, 100, true);
}

fn late_world(tenant: TenantBuilder, listed_after: Duration, policy: &str) -> World {
    tenant.methods_late(listed_after).world().file("policies/staff.yaml", policy)
}

fn wants(setting: &str) -> String {
    format!(
        "version: 1\npolicies:\n  staff:\n    appliesTo: {{ users: [j.brown@exchangelabs.nl] }}\n    desired: {{ {setting} }}\n"
    )
}

/// Another writer just removed the other phone, and the list still shows it.
#[test]
fn last_phone_stays_even_if_a_late_list_shows_another() {
    const JAMES: &str = "j.brown@exchangelabs.nl";
    let tenant = exchangelabs().phones(JAMES, &["mobile", "office"], "disabled");
    // The list shows the removed phone for as long as the test runs.
    let world = late_world(tenant, NEVER, &wants("phones: { mobile: absent }"));
    let methods = format!("/v1.0/users/{JAMES}/authentication/phoneMethods");
    let office = format!("{methods}/e37fc753-ff3b-4958-9484-eaa9425c82bc");
    assert_eq!(world.call("DELETE", &office, None).0, 204);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stdout.contains("- mobile phone"), "the removal was planned: {}", run.text());
    assert!(run.stdout.contains("no usable method would be left"), "{}", run.text());
    let mobile = format!("{methods}/3179e48a-750b-4051-897c-87b9720928f7");
    assert_eq!(world.call("GET", &mobile, None).0, 200, "the mobile phone is still registered");
}

#[test]
fn apply_waits_until_lists_show_its_writes() {
    let policy = wants("phones: { mobile: { from: mobilePhone } }");
    let world = late_world(exchangelabs(), Duration::from_secs(2), &policy);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("nothing is left to do"), "{}", run.text());
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

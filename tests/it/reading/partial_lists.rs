//! Lists that end early: every list of the tenant, alone, in a batch or inside an object, can stop
//! after some rows with a link to the rest. A part never counts as the whole: the rest is read, or the
//! facts that depend on it are unknown.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::future::pending;

use mfactl_sandbox::records::Document;
use mfactl_sandbox::{Answering, Fault, Faults, PartInfo, Store, Undocumented, seeds};
use serde_json::Value;

use crate::reading::read_costs::EVERYBODY;
use crate::support::inside::load;
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{Run, World};

const STAFF: &str = "\
version: 1
policies:
  all:
    appliesTo: { everyone: true }
    desired:
      phones: { mobile: { from: mobilePhone, smsSignIn: off } }
      perUserMfa: enforced
      systemPreferredMfa: false
";

fn faults(fault: impl Fn(&PartInfo) -> Option<Fault> + Send + Sync + 'static) -> Faults {
    Faults::by(move |part| fault(part).unwrap_or_default())
}

fn reads(part: &PartInfo) -> bool {
    part.method == "GET" && part.version.is_some()
}

fn world(seed: &str, faults: Faults) -> World {
    TenantBuilder::named(seed).faults(faults).james_and_jane().file("policies/staff.yaml", STAFF)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).expect("JSON")
}

fn planned(seed: &str, faults: Faults) -> (World, Run) {
    let world = world(seed, faults);
    let run = world.run(&["plan", "--all", "--format", "json"]).ends(0);
    (world, run)
}

/// The report with all users.
fn report(world: &World) -> Value {
    json(&world.run(&["report", "--format", "json"]).ends(0))
}

fn posture<'r>(report: &'r Value, name: &str) -> &'r str {
    let users = report.get("users").and_then(Value::as_array).expect("users");
    let is_meant = |user: &&Value| {
        let own = user.get("userPrincipalName").and_then(Value::as_str);
        own.is_some_and(|own| own.starts_with(name))
    };
    let user = users.iter().find(is_meant).expect("a user of that name");
    user.get("posture").and_then(Value::as_str).expect("a posture")
}

#[test]
fn tenant_with_partial_lists_gives_the_same_plan() {
    partial_lists_change_no_plan(["exchangelabs-conditional-access-strength"]);
}

#[test]
#[ignore = "long: three plans of each seed"]
fn every_tenant_with_partial_lists_gives_the_same_plan() {
    partial_lists_change_no_plan(seeds::names().iter().copied());
}

fn partial_lists_change_no_plan<'s>(seeds: impl IntoIterator<Item = &'s str>) {
    for seed in seeds {
        let whole = planned(seed, Faults::none()).1;
        for rows in [1, 3] {
            let parts = faults(move |part| reads(part).then_some(Fault::ShortPage(rows)));
            let run = planned(seed, parts).1;
            assert_eq!(run.stdout, whole.stdout, "{seed} by {rows}");
            assert_eq!(run.stderr, whole.stderr, "{seed} by {rows}");
        }
    }
}

/// A user has three methods, and a list of one row shows only the password.
#[test]
fn methods_beyond_the_end_of_a_partial_list_are_not_absent() {
    let parts = || {
        faults(|part| part.path.ends_with("/authentication/methods").then_some(Fault::ShortPage(1)))
    };
    let whole = report(&world("exchangelabs", Faults::none()));
    let cut = report(&world("exchangelabs", parts()));
    assert_eq!(whole.get("users"), cut.get("users"));
    assert_eq!(posture(&cut, "h.peters"), "protected");

    // The reads of an apply before its writes are partial too.
    let (one, other) = (world("exchangelabs", Faults::none()), world("exchangelabs", parts()));
    for world in [&one, &other] {
        // Two of the written users are open or stuck before and after the apply.
        world.run(&["apply", "--auto-approve"]).ends(5);
    }
    let writes = |world: &World| {
        let store = world.server().store();
        let mut writes: Vec<String> =
            store.writes().iter().map(|write| format!("{} {}", write.method, write.path)).collect();
        writes.sort();
        writes
    };
    assert!(writes(&one).len() > 50, "{}", writes(&one).len());
    assert_eq!(writes(&one), writes(&other));
}

#[test]
fn forbidden_rest_of_a_list_leaves_the_methods_unknown() {
    rest_is_refused_inside(403);
}

#[test]
fn missing_rest_of_a_list_leaves_the_methods_unknown() {
    rest_is_refused_inside(404);
}

#[test]
#[ignore = "long: the program waits for some seconds, three times, until lists show its writes"]
fn apply_writes_to_no_user_with_a_refused_rest_of_a_list() {
    for refusal in [403, 404] {
        let world = world("exchangelabs", refused_rest(refusal));
        let run = world.run(&["apply", "--auto-approve"]);
        only_known_users_are_written(&world.server().store(), &run.text());
    }
}

/// Lists of methods end after one row, and their rest is refused.
fn refused_rest(refusal: u16) -> Faults {
    faults(move |part| match part.path.ends_with("/authentication/methods") {
        true if part.continued => {
            Some(Fault::Status { status: refusal, code: "x".to_owned(), retry_after: None })
        }
        true => Some(Fault::ShortPage(1)),
        false => None,
    })
}

/// Checks that each written user had a complete list, because it had at most one row.
fn only_known_users_are_written(store: &Store, about: &str) {
    let written = store.writes().iter().filter(|write| write.path.contains("/authentication/"));
    let paths: Vec<&str> = written.map(|write| write.path.as_str()).collect();
    assert!(!paths.is_empty(), "{about}");
    for path in paths {
        let user = path.split('/').nth(3).expect("a user");
        let was_known = store.after(0).user(user).is_some_and(|user| user.methods.len() < 2);
        assert!(was_known, "{path}\n{about}");
    }
}

/// The apply runs inside the test, where it waits less than the program.
fn rest_is_refused_inside(refusal: u16) {
    let world = world("exchangelabs", refused_rest(refusal));
    let report = report(&world);
    assert_eq!(posture(&report, "h.peters"), "unknown", "{refusal}");
    // The list of a user with only a password is complete.
    assert_eq!(posture(&report, "j.brown"), "open", "{refusal}");
    let inside = exchangelabs().faults(refused_rest(refusal)).inside();
    let plan = inside.plan(&load(&world.path("")).expect("policies")).expect("a plan");
    let report = inside.apply(&plan, pending()).expect("an end");
    only_known_users_are_written(&inside.server.store(), &format!("{refusal}: {report:?}"));
}

#[test]
fn partial_methods_in_one_answer_are_read_with_documented_requests() {
    let tenant = |faults: Faults| {
        let undocumented =
            Undocumented { one_request_read: Answering::Allow, ..Undocumented::default() };
        let tenant = TenantBuilder::generated(1_000).undocumented(undocumented).faults(faults);
        let world = tenant.world().file("policies/staff.yaml", EVERYBODY);
        world.run(&["plan", "--all", "--format", "json"]).ends(0).stdout
    };
    let inside =
        faults(|part| part.path.ends_with("/authentication").then_some(Fault::ShortLists(1)));
    assert_eq!(tenant(inside), tenant(Faults::none()));
}

#[test]
fn method_policy_is_read_to_its_end() {
    const POLICY: &str = "/authenticationMethodsPolicy";
    let whole = planned("exchangelabs", Faults::none()).1;
    let cut = faults(|part| part.path.ends_with(POLICY).then_some(Fault::ShortLists(2)));
    assert_eq!(planned("exchangelabs", cut).1.stdout, whole.stdout);

    let refused = faults(|part| match () {
        () if part.path.ends_with(POLICY) => Some(Fault::ShortLists(2)),
        () if part.path.contains(POLICY) => {
            Some(Fault::Status { status: 403, code: "accessDenied".to_owned(), retry_after: None })
        }
        () => None,
    });
    let world = world("exchangelabs", refused);
    assert_eq!(posture(&report(&world), "h.peters"), "unknown");
    let run = world.run(&["plan"]).ends(0);
    assert!(run.text().contains("authentication methods policy"), "{}", run.text());
}

/// The rest of the list may exclude a user, so it is unknown whether the user is allowed.
#[test]
fn partial_targets_of_a_method_leave_its_users_unknown() {
    let cut = faults(|part| {
        part.path.ends_with("/authenticationMethodsPolicy").then_some(Fault::ShortLists(0))
    });
    let listed = faults(|part| match part.path.contains("/authenticationMethodConfigurations") {
        true => Some(Fault::ShortLists(0)),
        false => {
            part.path.ends_with("/authenticationMethodsPolicy").then_some(Fault::ShortLists(1))
        }
    });
    let whole = report(&world("exchangelabs", cut));
    assert_eq!(posture(&whole, "h.peters"), "protected", "the separate list shows all targets");
    assert_eq!(posture(&report(&world("exchangelabs", listed)), "h.peters"), "unknown");
}

#[test]
fn partial_strength_accepts_no_method_for_certain() {
    const SEED: &str = "exchangelabs-conditional-access-strength";
    assert_eq!(posture(&report(&world(SEED, Faults::none())), "w.kok"), "protected");
    let cut = faults(|part| {
        let strengths = part.path.contains("authenticationStrengthPolicies");
        strengths.then_some(Fault::ShortLists(1))
    });
    assert_eq!(posture(&report(&world(SEED, cut)), "w.kok"), "unknown");
}

/// The users, exclusions and controls of a policy are lists too.
#[test]
fn partial_conditional_access_policy_makes_the_posture_unknown() {
    const SEED: &str = "exchangelabs-conditional-access";
    let rows = |rows: usize| {
        faults(move |part| {
            part.path.ends_with("/conditionalAccess/policies").then_some(Fault::ShortLists(rows))
        })
    };
    assert_eq!(posture(&report(&world(SEED, Faults::none())), "w.kok"), "protected");
    assert_eq!(posture(&report(&world(SEED, rows(1))), "w.kok"), "protected");
    assert_eq!(posture(&report(&world(SEED, rows(0))), "w.kok"), "unknown");
}

#[test]
fn doctor_finds_groups_with_roles_in_the_whole_list() {
    let checks = |faults: Faults| {
        let tenant = exchangelabs().faults(faults).changed(|seed| {
            let groups = seed.groups.iter().filter_map(|group| group.group.get("id"));
            let groups: Vec<Value> = groups.cloned().collect();
            let is_of_group = |row: &Document| groups.contains(&row["principalId"]);
            let rows = &mut seed.tenant.role_assignments;
            rows.sort_by_key(is_of_group);
            assert!(!is_of_group(&rows[0]) && rows.iter().any(is_of_group));
        });
        tenant.james_and_jane().run(&["doctor"]).text()
    };
    let cut = faults(|part| part.path.ends_with("/roleAssignments").then_some(Fault::ShortPage(1)));
    assert_eq!(checks(cut), checks(Faults::none()));
}

//! Lists that end early: every list of the tenant, alone, in a batch or inside something else, can stop
//! after some rows and say where it goes on. A part is never taken for the whole: the rest is read, or
//! what rests on it is unknown.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use mfactl_sandbox::records::Document;
use mfactl_sandbox::{Answering, Fault, Faults, Options, PartInfo, Undocumented, seeds};
use serde_json::Value;

use crate::cli::program::{exchangelabs, james_and_jane};
use crate::reading::read_costs::EVERYBODY;
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
    let seed = seeds::by_name(seed).expect("a seed");
    let options = Options { faults, ..Options::in_memory(seed) };
    james_and_jane(options).file("policies/staff.yaml", STAFF)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).expect("JSON")
}

fn planned(seed: &str, faults: Faults) -> (World, Run) {
    let world = world(seed, faults);
    let run = world.run(&["plan", "--all", "--format", "json"]).ends(0);
    (world, run)
}

/// How everybody stands, by name.
fn report(world: &World) -> Value {
    json(&world.run(&["report", "--format", "json"]).ends(0))
}

fn posture<'r>(report: &'r Value, name: &str) -> &'r str {
    let users = report.get("users").and_then(Value::as_array).expect("users");
    let is_meant = |user: &&Value| {
        let own = user.get("userPrincipalName").and_then(Value::as_str);
        own.is_some_and(|own| own.starts_with(name))
    };
    let user = users.iter().find(is_meant).expect("somebody of that name");
    user.get("posture").and_then(Value::as_str).expect("a posture")
}

#[test]
fn a_tenant_whose_lists_all_come_in_parts_is_the_same_tenant() {
    for seed in seeds::names() {
        let whole = planned(seed, Faults::none()).1;
        for rows in [1, 3] {
            let parts = faults(move |part| reads(part).then_some(Fault::ShortPage(rows)));
            let run = planned(seed, parts).1;
            assert_eq!(run.stdout, whole.stdout, "{seed} by {rows}");
            assert_eq!(run.stderr, whole.stderr, "{seed} by {rows}");
        }
    }
}

/// Somebody with three methods, of which a list of one shows the password alone.
#[test]
fn what_is_registered_is_not_absent_because_a_list_ended_early() {
    let parts = || {
        faults(|part| part.path.ends_with("/authentication/methods").then_some(Fault::ShortPage(1)))
    };
    let whole = report(&world("exchangelabs", Faults::none()));
    let cut = report(&world("exchangelabs", parts()));
    assert_eq!(whole.get("users"), cut.get("users"));
    assert_eq!(posture(&cut, "h.peters"), "protected");

    // What an apply reads right before it writes comes in parts too.
    let (one, other) = (world("exchangelabs", Faults::none()), world("exchangelabs", parts()));
    for world in [&one, &other] {
        // Two of those to whom it writes are open or stuck before it and after it.
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
fn a_rest_that_may_not_be_read_leaves_the_methods_unknown() {
    a_rest_is_refused(403);
}

#[test]
fn a_rest_that_is_not_found_leaves_the_methods_unknown() {
    a_rest_is_refused(404);
}

fn a_rest_is_refused(refusal: u16) {
    let parts = faults(move |part| match part.path.ends_with("/authentication/methods") {
        true if part.continued => {
            Some(Fault::Status { status: refusal, code: "x".to_owned(), retry_after: None })
        }
        true => Some(Fault::ShortPage(1)),
        false => None,
    });
    let world = world("exchangelabs", parts);
    let report = report(&world);
    assert_eq!(posture(&report, "h.peters"), "unknown", "{refusal}");
    // Whoever has the password alone has a list that is whole.
    assert_eq!(posture(&report, "j.brown"), "open", "{refusal}");
    let run = world.run(&["apply", "--auto-approve"]);
    let store = world.server().store();
    let written = store.writes().iter().filter(|write| write.path.contains("/authentication/"));
    let of_known = |path: &str| {
        let user = path.split('/').nth(3).expect("a user");
        store.after(0).user(user).is_some_and(|user| user.methods.len() < 2)
    };
    for write in written {
        assert!(of_known(&write.path), "{refusal}: {}\n{}", write.path, run.text());
    }
}

#[test]
fn methods_that_go_on_in_an_answer_about_everything_are_read_as_documented() {
    let tenant = |faults: Faults| {
        let undocumented =
            Undocumented { one_request_read: Answering::Allow, ..Undocumented::default() };
        let seed = seeds::generated(1_000);
        let options = Options { undocumented, faults, ..Options::in_memory(seed) };
        let world = World::of(options).file("policies/staff.yaml", EVERYBODY);
        world.run(&["plan", "--all", "--format", "json"]).ends(0).stdout
    };
    let inside =
        faults(|part| part.path.ends_with("/authentication").then_some(Fault::ShortLists(1)));
    assert_eq!(tenant(inside), tenant(Faults::none()));
}

#[test]
fn what_the_methods_policy_allows_is_read_to_its_end() {
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

/// Whoever is excluded by the rest of the list is not known to be allowed.
#[test]
fn targets_that_go_on_leave_open_who_is_meant() {
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
    assert_eq!(posture(&whole, "h.peters"), "protected", "the list beside it shows them whole");
    assert_eq!(posture(&report(&world("exchangelabs", listed)), "h.peters"), "unknown");
}

#[test]
fn a_strength_of_which_a_part_is_shown_accepts_nothing_for_sure() {
    const SEED: &str = "exchangelabs-conditional-access-strength";
    assert_eq!(posture(&report(&world(SEED, Faults::none())), "w.kok"), "protected");
    let cut = faults(|part| {
        let strengths = part.path.contains("authenticationStrengthPolicies");
        strengths.then_some(Fault::ShortLists(1))
    });
    assert_eq!(posture(&report(&world(SEED, cut)), "w.kok"), "unknown");
}

/// Whom a policy names, what it leaves out and what it demands stand in lists too.
#[test]
fn a_policy_of_which_a_part_is_shown_is_no_demand_for_sure_and_no_silence() {
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
fn doctor_looks_for_groups_that_hold_roles_in_the_whole_list() {
    let told = |faults: Faults| {
        let mut options = Options { faults, ..exchangelabs() };
        let groups = options.seed.groups.iter().filter_map(|group| group.group.get("id"));
        let groups: Vec<Value> = groups.cloned().collect();
        let held_by_group = |row: &Document| groups.contains(&row["principalId"]);
        let rows = &mut options.seed.tenant.role_assignments;
        rows.sort_by_key(held_by_group);
        assert!(!held_by_group(&rows[0]) && rows.iter().any(held_by_group));
        james_and_jane(options).run(&["doctor"]).text()
    };
    let cut = faults(|part| part.path.ends_with("/roleAssignments").then_some(Fault::ShortPage(1)));
    assert_eq!(told(cut), told(Faults::none()));
}

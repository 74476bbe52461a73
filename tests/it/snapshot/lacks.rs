//! What a snapshot does not have is unknown, and never absent: groups, users and countries that other files name
//! than those that it was taken with.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use serde_json::{Value, json};

use super::refusals::with_project;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, Run, World};

const FILE: &str = "tenant.snapshot";
const PILOT: &str = "5a8f1c52-9d0e-4f6b-8b1a-1f2f6c7f5a01";

fn recorded(arguments: &[&str]) -> World {
    let world = exchangelabs()
        .with_group(PILOT.parse().expect("an id"), "Pilot", vec![])
        .property("j.brown@exchangelabs.nl", "mobilePhone", "06 12345678")
        .property("j.brown@exchangelabs.nl", "usageLocation", Value::Null)
        .world()
        .file("policies/staff.yaml", JAMES_AND_JANE);
    world.run(&[&["snapshot", "--out", FILE], arguments].concat()).ends(0);
    world
}

fn plan(world: &World) -> Run {
    world.run(&["plan", "--snapshot", FILE])
}

#[test]
fn group_that_is_not_in_the_snapshot_is_unknown() {
    let policy = JAMES_AND_JANE
        .replace("users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl]", "groups: [Pilot]");
    let world = recorded(&[]).file("policies/staff.yaml", &policy);
    let run = plan(&world).ends(3);
    assert!(
        run.stderr.contains("could not be read: the snapshot does not have it"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("take a new snapshot with these files, or one with `--groups all`"),
        "{}",
        run.text()
    );
    let by_id =
        policy.replace("groups: [Pilot]", &format!("groups: [{{ id: {PILOT}, name: Pilot }}]"));
    let run = plan(&world.file("policies/staff.yaml", by_id)).ends(3);
    assert!(run.stderr.contains("the snapshot does not have it"), "{}", run.text());
    // A snapshot of all groups has it, and knows which ones there are not.
    let world = recorded(&["--groups", "all"]).file("policies/staff.yaml", &policy);
    plan(&world).ends(0);
    let world = world.file("policies/staff.yaml", policy.replace("Pilot", "Pilots"));
    let run = plan(&world).ends(3);
    assert!(run.stderr.contains("no security group is named `Pilots`"), "{}", run.text());
}

#[test]
fn excluded_group_that_is_not_in_the_snapshot_stops_the_plan() {
    let policy = JAMES_AND_JANE.replace(
        "    desired:",
        &format!("    except:\n      - groups: [{{ id: {PILOT}, name: Pilot }}]\n        reason: a pilot\n    desired:"),
    );
    let world = recorded(&[]).file("policies/staff.yaml", policy);
    let run = plan(&world).ends(3);
    assert!(run.stderr.contains("guard-unresolved"), "{}", run.text());
    assert!(run.stderr.contains("the snapshot does not have it"), "{}", run.text());
}

#[test]
fn user_that_is_not_in_the_snapshot_is_unknown() {
    let add = |name: &str| JAMES_AND_JANE.replace("users: [", &format!("users: [{name}, "));
    let world = recorded(&[]).file("policies/staff.yaml", add("a.jansen@exchangelabs.nl"));
    let run = plan(&world).ends(0);
    assert!(run.stdout.contains("the snapshot does not know whether there is a user `a.jansen@exchangelabs.nl`   [snapshot-lacks]"), "{}", run.text());
    let run = world.run(&["plan", "--snapshot", FILE, "--format", "json"]).ends(0);
    let json: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["complete"], json!(false));
    // With names, the snapshot knows everybody.
    world.run(&["snapshot", "--out", FILE, "--names"]).ends(0);
    let run = plan(&world.file("policies/staff.yaml", add("nobody@exchangelabs.nl"))).ends(0);
    assert!(
        run.stdout.contains("no user `nobody@exchangelabs.nl` in this tenant"),
        "{}",
        run.text()
    );
}

#[test]
fn user_of_a_snapshot_is_explained_by_pseudonym() {
    let world = recorded(&[]);
    let explain = |user: &str| world.run(&["explain", user, "--snapshot", FILE]);
    let run = explain("a.jansen@exchangelabs.nl").ends(1);
    let why = "error: the snapshot does not know the user `a.jansen@exchangelabs.nl`\nhelp: name the pseudonym";
    assert!(run.stderr.starts_with(why), "{}", run.text());
    // The files name this user.
    let run = explain("j.brown@exchangelabs.nl").ends(0);
    assert!(!run.stdout.contains("j.brown"), "{}", run.text());
    let pseudonym = run.stdout.split_whitespace().find(|word| word.starts_with("u-"));
    let again = explain(pseudonym.expect("a pseudonym")).ends(0);
    assert_eq!(again.stdout.lines().nth(1), run.stdout.lines().nth(1));
}

#[test]
fn user_that_was_not_there_when_the_files_named_it_is_absent() {
    let policy = JAMES_AND_JANE.replace("users: [", "users: [nobody@exchangelabs.nl, ");
    let world = recorded(&[]).file("policies/staff.yaml", policy);
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let run = plan(&world).ends(0);
    assert!(
        run.stdout.contains("no user `nobody@exchangelabs.nl` in this tenant"),
        "{}",
        run.text()
    );
}

#[test]
fn break_glass_account_that_is_not_in_the_snapshot_stops_the_plan() {
    let world = recorded(&[]);
    let more = PROJECT.replace(
        "    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61",
        "    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b77, name: third@exchangelabs.nl }\n    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61",
    );
    let run = plan(&with_project(world, &more)).ends(3);
    assert!(run.stderr.contains("is not in the snapshot"), "{}", run.text());
}

/// A group that was recorded by its id has a name, and another group can have it too.
#[test]
fn group_that_was_recorded_by_id_does_not_answer_for_its_name() {
    let named = |groups: &str| {
        JAMES_AND_JANE.replace(
            "users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl]",
            &format!("groups: [{groups}]"),
        )
    };
    let world = recorded(&[])
        .file("policies/staff.yaml", named(&format!("{{ id: {PILOT}, name: Pilot }}")));
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let run = plan(&world.file("policies/staff.yaml", named("Pilot"))).ends(3);
    assert!(
        run.stderr.contains("group `Pilot` could not be read: the snapshot does not have it"),
        "{}",
        run.text()
    );
}

/// Groups that are no security groups are in no list of a snapshot.
#[test]
fn id_of_a_group_that_is_in_no_list_is_unknown() {
    let unknown = "{ id: 69215c38-1ebd-47aa-b87e-45c7bd2e66df, name: Operations }";
    let policy = JAMES_AND_JANE.replace(
        "users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl]",
        &format!("groups: [{unknown}]"),
    );
    let world = recorded(&["--groups", "all"]).file("policies/staff.yaml", policy);
    let run = plan(&world).ends(3);
    assert!(
        run.stderr.contains("could not be read: the snapshot does not have it"),
        "{}",
        run.text()
    );
}

/// A change for a user that the snapshot does not know may do anything.
#[test]
fn change_for_an_unknown_user_meets_every_condition() {
    let world = recorded(&[]);
    let world = ["mfactl.yaml", "policies/staff.yaml"].into_iter().fold(world, |world, file| {
        let text = std::fs::read(world.path(file)).expect("a file");
        world.file(&format!("old/{file}"), text)
    });
    let weak = "version: 1\npolicies:\n  weak:\n    priority: 1\n    appliesTo: { users: [d.dejong@exchangelabs.nl] }\n    desired: { perUserMfa: disabled }\n";
    let world = world.file("policies/weak.yaml", weak);
    let arguments =
        ["plan", "--snapshot", FILE, "--against", "./old", "--fail-on", "loosened,weakened"];
    let run = world.run(&arguments).ends(2);
    assert!(run.text().contains("so it is unknown what the change does"), "{}", run.text());
}

/// A name that is new in the files cannot be compared, so no account counts as renamed.
#[test]
fn new_name_of_a_break_glass_account_is_no_difference() {
    let bare =
        PROJECT.replace(", name: breakglass1@exchangelabs.nl }", ", name: wrong@exchangelabs.nl }");
    let world = with_project(recorded(&[]), &bare);
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let run = plan(&world).ends(0);
    assert!(run.stdout.contains("[name-differs]"), "{}", run.text());
    let run = plan(&with_project(world, PROJECT)).ends(0);
    assert!(!run.stdout.contains("[name-differs]"), "{}", run.text());
}

#[test]
fn plan_of_one_user_translates_the_name() {
    let world = recorded(&[]);
    let of = |user: &str| world.run(&["plan", "--snapshot", FILE, "--user", user]);
    let run = of("j.brown@exchangelabs.nl").ends(0);
    assert!(run.stdout.contains("from a snapshot of "), "{}", run.text());
    let run = of("a.jansen@exchangelabs.nl").ends(1);
    assert!(
        run.stderr.contains("the snapshot does not know the user `a.jansen@exchangelabs.nl`"),
        "{}",
        run.text()
    );
}

#[test]
fn number_of_a_country_that_was_not_read_is_unknown() {
    let policy = |region: &str| {
        JAMES_AND_JANE
            .replace("from: mobilePhone }", &format!("from: mobilePhone, region: [{region}] }}"))
    };
    let world = recorded(&[]).file("policies/staff.yaml", policy("NL"));
    let run = plan(&world).ends(0);
    assert!(run.stdout.contains("the snapshot does not have it"), "{}", run.text());
    assert!(!run.stdout.contains("+31 6••••••78"), "{}", run.text());
    // Taken with these files, the number is read.
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let run = plan(&world).ends(0);
    assert!(run.stdout.contains("+31 6••••••78"), "{}", run.text());
}

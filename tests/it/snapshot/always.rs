//! `mfactl test --snapshot`: what always holds, over the users of a snapshot.

use std::fs;

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, World};

const FILE: &str = "tenant.snapshot";

fn checked(always: &str) -> World {
    let text = format!("version: 1\npeople:\n  ann: {{}}\nalways:\n{always}");
    let world = exchangelabs()
        .world()
        .file("policies/staff.yaml", JAMES_AND_JANE)
        .file("checks/staff.yaml", text);
    world.run(&["snapshot", "--out", FILE]).ends(0);
    world
}

#[test]
fn what_always_holds_is_compared_with_the_users_of_a_snapshot() {
    let world = checked("  - atMost: { people: 1, of: { policy: staff } }\n");
    let run = world.run(&["test"]).ends(0);
    assert_eq!(
        run.stdout,
        "ok      checks/staff.yaml: 1 check, 1 person\n1 check in 1 file: no failures\n"
    );
    let run = world.run(&["test", "--snapshot", FILE]).ends(2);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "ok      checks/staff.yaml: 1 check, 1 person");
    assert!(
        lines[1].starts_with("FAILED  checks/staff.yaml: 1 failure, 1 check, "),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("expected at most 1 people, found "), "{}", run.text());
    assert!(run.stderr.contains("checks/staff.yaml:5"), "{}", run.text());
    let run = world.run(&["test", "--snapshot", FILE, "--format", "junit"]).ends(2);
    assert!(run.stdout.contains("expected at most 1 people"), "{}", run.text());
}

#[test]
fn users_of_a_snapshot_are_named_only_where_that_is_allowed() {
    let world = checked("  - everybody: { has: { policies: [staff] } }\n");
    world.run(&["snapshot", "--out", FILE, "--names"]).ends(0);
    let run = world.run(&["test", "--snapshot", FILE]).ends(2);
    assert!(run.stderr.contains("@exchangelabs.nl`: policies"), "{}", run.text());
    for level in ["counts", "pseudonyms"] {
        for format in ["text", "junit", "github"] {
            let arguments = ["test", "--snapshot", FILE, "--disclose", level, "--format", format];
            let run = world.run(&arguments).ends(2);
            assert!(!run.text().contains("@exchangelabs.nl"), "{}", run.text());
        }
    }
}

/// A disabled account cannot sign in, and another tenant decides about a guest. Both were read.
#[test]
fn users_whose_posture_nobody_can_know_do_not_fail_the_check() {
    let world = checked("  - nobody: { becomes: [unprotected] }\n");
    let run = world.run(&["test", "--snapshot", FILE, "--disclose", "names"]).ends(2);
    assert!(run.stderr.contains("becomes `unprotected`, and nobody may"), "{}", run.text());
    assert!(!run.stderr.contains("it is unknown what"), "{}", run.text());
}

#[test]
fn few_failures_are_not_counted_exactly_where_counts_are_told() {
    let world = checked("  - atMost: { people: 1, of: { policy: staff } }\n");
    let run = world.run(&["test", "--snapshot", FILE, "--disclose", "counts"]).ends(2);
    assert!(
        run.stdout.contains("FAILED  checks/staff.yaml: <5 failures, 1 check, "),
        "{}",
        run.text()
    );
    assert!(run.stdout.ends_with("2 checks in 1 file: <5 failures\n"), "{}", run.text());
}

/// What could not be read may be anything.
#[test]
fn users_who_could_not_be_read_fail_the_check() {
    let world = exchangelabs()
        .refusing("/authentication/methods", 403, "accessDenied")
        .world()
        .file("policies/staff.yaml", JAMES_AND_JANE)
        .file(
            "checks/staff.yaml",
            "version: 1\npeople:\n  ann: {}\nalways:\n  - nobody: { becomes: [stuck] }\n",
        );
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let run = world.run(&["test", "--snapshot", FILE]).ends(2);
    assert!(run.stderr.contains("it is unknown what `u-"), "{}", run.text());
    assert!(run.stderr.contains("not everything is known: "), "{}", run.text());
}

#[test]
fn snapshot_that_cannot_be_used_ends_the_checks() {
    let world = checked("  - nobody: { becomes: [stuck] }\n");
    fs::write(world.path(FILE), "nothing").unwrap();
    let run = world.run(&["test", "--snapshot", FILE]).ends(4);
    assert!(run.stderr.contains("it is not a snapshot"), "{}", run.text());
}

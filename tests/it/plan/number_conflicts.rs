//! Numbers that are somebody else's: what is refused to one user has a say in what another gets.

use mfactl_sandbox::{Fault, Faults, Options, seeds};
use serde_json::json;

use crate::apply::faults::id_of;
use crate::support::world::World;

const POLICIES: &str = "version: 1
policies:
  directory:
    appliesTo: { users: [a.jansen@exchangelabs.nl, b.devries@exchangelabs.nl] }
    desired: { phones: { mobile: { from: mobilePhone, ifRegistered: replace }, alternateMobile: absent } }
  desks:
    appliesTo: { users: [c.bakker@exchangelabs.nl] }
    desired: { phones: { office: { from: businessPhones } } }
";

/// Carla has the number that the directory says is Anna's, and Anna has Bart's as her alternate, which
/// she can give up only for one that works.
fn numbers(policies: &str) -> World {
    let world = World::of(Options::in_memory(seeds::exchangelabs()));
    for (user, kind, number) in [
        ("a.jansen", "mobile", "+31 61234"),
        ("a.jansen", "alternateMobile", "+31 625836914"),
        ("b.devries", "mobile", "+31 612340002"),
        ("c.bakker", "mobile", "+31 614725836"),
    ] {
        let path = format!("/v1.0/users/{user}@exchangelabs.nl/authentication/phoneMethods");
        let body = json!({ "phoneNumber": number, "phoneType": kind });
        assert_eq!(world.call("POST", &path, Some(&body)).0, 201);
    }
    world.file("policies/staff.yaml", policies)
}

#[test]
fn a_number_that_is_kept_because_of_a_third_is_not_free() {
    let world = numbers(POLICIES);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    let refused = "mobile phone withheld: the number is registered for another user, or would be";
    let both = "! a.jansen@exchangelabs.nl, b.devries@exchangelabs.nl\n      ".to_owned() + refused;
    assert!(run.stdout.contains(&both), "{}", run.text());
    assert!(run.stdout.contains("no usable method would be left"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 4, "those of this test");
}

#[test]
fn a_policy_that_reports_would_take_nobodys_number_either() {
    let reports = POLICIES.replace("  directory:\n", "  directory:\n    mode: report\n");
    let world = numbers(&reports);
    let run = world.run(&["plan"]).ends(0);
    let refused = "would be withheld: the number is registered for another user, or would be";
    assert!(run.stdout.contains(refused), "{}", run.text());
    assert!(!run.stdout.contains("? mobile phone"), "{}", run.text());
}

const HAND_ON: &str = "version: 1
policies:
  directory:
    appliesTo: { users: [a.jansen@exchangelabs.nl, b.devries@exchangelabs.nl] }
    desired: { phones: { mobile: { from: mobilePhone, ifRegistered: replace } } }
";

/// The numbers that Anna and Bart have by now.
fn handing_on(faults: Faults, anna: &str, bart: &str) -> World {
    let world = World::of(Options { faults, ..Options::in_memory(seeds::exchangelabs()) });
    for (user, number) in [("a.jansen", anna), ("b.devries", bart)] {
        let path = format!("/v1.0/users/{user}@exchangelabs.nl/authentication/phoneMethods");
        let body = json!({ "phoneNumber": number, "phoneType": "mobile" });
        assert_eq!(world.call("POST", &path, Some(&body)).0, 201);
    }
    world.file("policies/staff.yaml", HAND_ON)
}

/// The directory says that Anna's is what Bart has, who gets another.
const ANNAS: &str = "+31 614725836";
const BARTS: &str = "+31 625836914";

#[test]
fn who_lets_go_of_a_number_is_written_before_whoever_takes_it() {
    let world = handing_on(Faults::none(), "+31 612340002", ANNAS);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let store = world.server().store();
    let written: Vec<bool> = store
        .writes()
        .iter()
        .filter(|line| line.method == "PATCH")
        .map(|line| line.path.contains(&id_of("b.devries@exchangelabs.nl")))
        .collect();
    assert_eq!(written, [true, false], "Bart, then Anna");
}

#[test]
fn a_number_that_its_holder_could_not_let_go_of_is_not_taken() {
    let bart = id_of("b.devries@exchangelabs.nl");
    let refused =
        Faults::by(move |part| match part.method == "PATCH" && part.path.contains(&bart) {
            true => {
                Fault::Status { status: 400, code: "invalidRequest".to_owned(), retry_after: None }
            }
            false => Fault::None,
        });
    let world = handing_on(refused, "+31 612340002", ANNAS);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(
        run.stdout.contains("0 changes done · 1 failed · 0 changed since the plan · 1 not tried"),
        "{}",
        run.text()
    );
    assert!(
        run.stdout.contains("another user still has the number, or may have it"),
        "{}",
        run.text()
    );
    assert_eq!(world.server().store().writes().len(), 2, "those of this test");
}

#[test]
fn numbers_that_two_have_of_each_other_are_left() {
    let world = handing_on(Faults::none(), BARTS, ANNAS);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("2 withheld"), "{}", run.text());
    assert!(run.stdout.contains("the number is registered for another user"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 2, "those of this test");
}

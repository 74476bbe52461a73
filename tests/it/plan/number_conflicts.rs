//! Numbers of other users: a change that is withheld from one user affects what another user can get.

use mfactl_sandbox::{Fault, Faults};
use serde_json::json;

use crate::apply::faults::id_of;
use crate::support::tenant_builder::exchangelabs;
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

/// Carla has the number that the directory gives to Anna. Anna has the number of Bart as her alternate, and
/// she can release it only if she gets another working number.
fn numbers(policies: &str) -> World {
    let world = exchangelabs().world();
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
fn number_that_its_holder_must_keep_is_not_free() {
    let world = numbers(POLICIES);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    let refused = "mobile phone withheld: the number is registered for another user, or would be";
    let both = "! a.jansen@exchangelabs.nl, b.devries@exchangelabs.nl\n      ".to_owned() + refused;
    assert!(run.stdout.contains(&both), "{}", run.text());
    assert!(run.stdout.contains("no usable method would be left"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 4, "only the writes of the test");
}

#[test]
fn report_mode_also_withholds_a_number_of_another_user() {
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

/// A world in which Anna and Bart have registered these numbers.
fn handing_on(faults: Faults, anna: &str, bart: &str) -> World {
    let world = exchangelabs().faults(faults).world();
    for (user, number) in [("a.jansen", anna), ("b.devries", bart)] {
        let path = format!("/v1.0/users/{user}@exchangelabs.nl/authentication/phoneMethods");
        let body = json!({ "phoneNumber": number, "phoneType": "mobile" });
        assert_eq!(world.call("POST", &path, Some(&body)).0, 201);
    }
    world.file("policies/staff.yaml", HAND_ON)
}

/// The numbers of Anna and Bart in the directory.
const ANNAS: &str = "+31 614725836";
const BARTS: &str = "+31 625836914";

#[test]
fn number_is_released_by_one_user_before_another_registers_it() {
    let world = handing_on(Faults::none(), "+31 612340002", ANNAS);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let store = world.server().store();
    let written: Vec<bool> = store
        .writes()
        .iter()
        .filter(|line| line.method == "PATCH")
        .map(|line| line.path.contains(&id_of("b.devries@exchangelabs.nl")))
        .collect();
    assert_eq!(written, [true, false], "first Bart, then Anna");
}

#[test]
fn number_is_not_reused_if_its_release_failed() {
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
    assert_eq!(world.server().store().writes().len(), 2, "only the writes of the test");
}

#[test]
fn two_users_do_not_swap_their_numbers() {
    let world = handing_on(Faults::none(), BARTS, ANNAS);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("2 withheld"), "{}", run.text());
    assert!(run.stdout.contains("the number is registered for another user"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 2, "only the writes of the test");
}

//! Plans that are narrowed to some users or policies, and brakes.

use serde_json::json;

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

const STAFF: &str = "version: 1
policies:
  phones:
    appliesTo: { groups: [All Staff] }
    desired: { phones: { mobile: { from: mobilePhone } } }
  states:
    appliesTo: { groups: [All Staff] }
    desired: { perUserMfa: enabled }
";

fn staff() -> World {
    exchangelabs().world().file("policies/staff.yaml", STAFF)
}

/// The world with the default brakes.
fn braked() -> World {
    let world = staff();
    let (project, _) = PROJECT.split_once("brakes:").unwrap();
    let project = world.project(project);
    world.file("mfactl.yaml", project)
}

#[test]
fn user_option_narrows_the_plan_to_one_user() {
    let world = staff();
    let whole = world.run(&["plan", "--all"]).ends(0).stdout;
    assert!(whole.contains("\n  j.smith@") && whole.contains("\n  j.brown@"), "{whole}");
    let run = world.run(&["plan", "--all", "--user", "J.Brown@exchangelabs.nl"]).ends(0);
    assert!(run.stdout.contains("j.brown@exchangelabs.nl"), "{}", run.text());
    assert!(run.stdout.contains("Plan: 1 phone to add"), "{}", run.text());
    // A finding about several users still names the others, but the plan does not change them.
    assert!(!run.stdout.contains("\n  j.smith@"), "{}", run.text());
    let scope = |text: &str| text.lines().next().map(str::to_owned);
    assert_eq!(scope(&whole), scope(&run.stdout), "the same number of users is evaluated");
    let run = world.run(&["plan", "--user", "nobody@exchangelabs.nl"]).ends(1);
    assert!(run.stderr.contains("no user `nobody@exchangelabs.nl` in the plan"), "{}", run.text());
}

#[test]
fn state_that_needs_a_phone_outside_the_narrowed_plan_is_withheld() {
    let world = staff();
    let run = world.run(&["apply", "--auto-approve", "--policy", "states"]).ends(0);
    let store = world.server().store();
    assert!(!store.writes().is_empty(), "{}", run.text());
    assert!(store.writes().iter().all(|write| write.path.ends_with("/requirements")));
    assert!(run.stdout.contains("the account would be open"), "{}", run.text());
    for line in mfactl_sandbox::user_lines(&store) {
        let before = store.after(0).judge(&line.user_principal_name);
        let bad = line.sign_in.as_str() == "mustRegister" || line.sign_in.as_str() == "blocked";
        assert!(!bad || before == Some(line.sign_in), "{}", line.user_principal_name);
    }
    let run = world.run(&["plan", "--policy", "nothing"]).ends(1);
    assert!(run.stderr.contains("no policy `nothing` in the plan"), "{}", run.text());
}

#[test]
fn limit_applies_the_first_users_and_leaves_the_rest_planned() {
    let world = staff();
    let names = |text: &str| -> Vec<String> {
        let users =
            text.lines().filter(|line| line.contains("@exchangelabs.nl") && line.contains(" → "));
        users.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    let mut whole = names(&world.run(&["plan", "--all"]).ends(0).stdout);
    whole.sort();
    let run = world.run(&["apply", "--auto-approve", "--all", "--limit", "2"]).ends(0);
    let mut two = names(&run.stdout);
    two.sort();
    assert_eq!(two, whole.iter().take(2).cloned().collect::<Vec<_>>(), "{}", run.text());
    let left = names(&world.run(&["plan", "--all"]).ends(0).stdout);
    assert_eq!(left.len(), whole.len() - 2);
    world.run(&["apply", "--auto-approve", "--limit", "1000"]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn brake_is_lifted_only_by_the_number_of_the_plan() {
    let world = braked();
    let run = world.run(&["apply", "--auto-approve"]).ends(4);
    assert!(run.stdout.contains("Brake: `changedUsers`"), "the plan is shown: {}", run.text());
    let allow = run.stderr.split("--allow ").nth(1).and_then(|text| text.split('`').next());
    let number: usize = allow.and_then(|text| text.split_once('=')?.1.parse().ok()).unwrap();
    let allow = |number: usize| format!("--allow=changedUsers={number}");
    for wrong in [number - 1, number + 1] {
        let run = world.run(&["apply", "--auto-approve", &allow(wrong)]).ends(4);
        assert!(run.stderr.contains("is not the number of the plan"), "{}", run.text());
    }
    world.run(&["apply", "--auto-approve", "--allow=weakenedUsers=0"]).ends(4);
    world.run(&["apply", "--auto-approve", "--allow=everything=1"]).ends(1);
    assert!(world.server().store().writes().is_empty(), "nothing was written");
    world.run(&["apply", "--auto-approve", &allow(number)]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn brakes_of_a_narrowed_plan_compare_with_all_users_in_scope() {
    let world = braked();
    let run = world.run(&["apply", "--auto-approve", "--user", "j.brown@exchangelabs.nl"]).ends(0);
    assert!(!run.stdout.contains("Brake:"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 1);
    world.run(&["apply", "--auto-approve", "--limit", "3"]).ends(0);
    world.run(&["apply", "--auto-approve"]).ends(4);
}

/// The directory gives Eva the number that James has registered. In the whole plan James releases it.
#[test]
fn number_of_a_user_outside_the_narrowed_plan_is_not_reused() {
    let (eva, james) = ("e.willemsen@exchangelabs.nl", "j.brown@exchangelabs.nl");
    let phones = |user: &str| format!("/v1.0/users/{user}/authentication/phoneMethods");
    let world = exchangelabs().world().file(
        "policies/staff.yaml",
        format!("version: 1\npolicies:\n  staff:\n    appliesTo: {{ users: [{eva}, {james}] }}\n    desired: {{ phones: {{ mobile: {{ from: mobilePhone, ifRegistered: replace }} }} }}\n"),
    );
    let place = format!("{}/3179e48a-750b-4051-897c-87b9720928f7", phones(eva));
    let number = |number: &str| json!({ "phoneNumber": number, "phoneType": "mobile" });
    world.call("POST", &phones(james), Some(&number("+31 658672314")));
    world.call("PATCH", &place, Some(&number("+31 612345604")));
    let whole = world.run(&["plan"]).ends(0).stdout;
    assert!(whole.contains("2 to replace") && whole.contains("0 withheld"), "{whole}");
    let run = world.run(&["apply", "--auto-approve", "--user", eva]).ends(0);
    assert!(
        run.stdout.contains("the number is registered for another user, or would be"),
        "{}",
        run.text()
    );
    assert_eq!(world.server().store().writes().len(), 2, "only the writes of the test");
    // Eva gets the number after James has released it.
    for _ in 0..2 {
        world.run(&["apply", "--auto-approve", "--limit", "1"]).ends(0);
    }
    assert_eq!(world.server().store().writes().len(), 4);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

//! Runs that are taken back: what goes back, what stays, and that nobody is opened or stuck by it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;

use mfactl::sandbox::sign_in::Verdict;
use mfactl::sandbox::{Options, seeds};
use serde_json::{Value, json};

use crate::killed::journals;
use crate::privacy::{numbers, shows_none};
use crate::program::{exchangelabs, james_and_jane};
use crate::world::{PROJECT, World};

/// Has the Authenticator, a number in the directory, and nothing registered from it.
const XUAN: &str = "x.tran@exchangelabs.nl";

fn last_run(world: &World) -> String {
    journals(world).last().expect("a run").begun.run.to_string()
}

fn phones(world: &World, user: &str) -> Value {
    let path = format!("/v1.0/users/{user}/authentication/phoneMethods");
    world.call("GET", &path, None).1["value"].clone()
}

fn policy(user: &str, desired: &str) -> String {
    format!(
        "version: 1\npolicies:\n  one:\n    appliesTo: {{ users: [{user}] }}\n    desired: {desired}\n"
    )
}

fn writes(world: &World) -> usize {
    world.server().store().writes().len()
}

#[test]
fn who_would_be_open_or_stuck_keeps_what_the_run_wrote() {
    let world = james_and_jane(exchangelabs());
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = last_run(&world);
    let undo = world.run(&["undo", &run, "--auto-approve"]).ends(0);
    assert!(
        undo.stdout.contains("mobile phone withheld: no method that answers would be left"),
        "{}",
        undo.text()
    );
    assert!(
        undo.stdout.contains("per-user MFA withheld: nothing else provably demands MFA"),
        "{}",
        undo.text()
    );
    assert_eq!(writes(&world), 3);
    shows_none(&undo.text(), &numbers(&world.server().store()));
}

/// A phone that a run added to somebody who has more goes again, and comes back by undoing that.
#[test]
fn what_was_added_is_removed_and_what_was_removed_is_added_again() {
    let world = World::of(exchangelabs());
    assert_eq!(phones(&world, XUAN), json!([]));
    let world = world
        .file("policies/one.yaml", policy(XUAN, "{ phones: { mobile: { from: mobilePhone } } }"));
    world.run(&["apply", "--auto-approve"]).ends(0);
    let added = phones(&world, XUAN);
    assert_eq!(added.as_array().map(Vec::len), Some(1), "{added}");
    let run = last_run(&world);
    // Taking a method away is what the brake on weakened users is for, and this world has none.
    let undo = world.run(&["undo", &run, "--auto-approve"]).ends(0);
    assert!(undo.stdout.contains("- mobile phone"), "{}", undo.text());
    assert!(undo.stdout.contains("undo  runs/"), "{}", undo.text());
    assert_eq!(phones(&world, XUAN), json!([]));
    let again = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(again.stdout.contains("+ mobile phone"), "{}", again.text());
    assert_eq!(phones(&world, XUAN)[0]["phoneNumber"], added[0]["phoneNumber"]);
    let list = world.run(&["runs"]).ends(0).stdout;
    assert!(list.contains("undo of RUN"), "{list}");
}

/// James with a number of his own, overwritten from the directory.
fn replaced(project: &str) -> World {
    const JAMES: &str = "j.brown@exchangelabs.nl";
    let world = World::of(exchangelabs());
    let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    let path = format!("/v1.0/users/{JAMES}/authentication/phoneMethods");
    assert_eq!(world.call("POST", &path, Some(&own)).0, 201);
    let desired = "{ phones: { mobile: { from: mobilePhone, ifRegistered: replace } } }";
    let project = world.project(&(PROJECT.to_owned() + project));
    let world =
        world.file("policies/one.yaml", policy(JAMES, desired)).file("mfactl.yaml", project);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("1 to replace"), "{}", run.text());
    assert_eq!(phones(&world, JAMES)[0]["phoneNumber"], "+31 612345678");
    world
}

#[test]
fn a_number_that_was_overwritten_is_put_back_from_the_restore_file() {
    let world = replaced("");
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(undo.stdout.contains("+31 6••••••78 → +32 4••••••67"), "{}", undo.text());
    assert_eq!(phones(&world, "j.brown@exchangelabs.nl")[0]["phoneNumber"], "+32 471234567");
    shows_none(&undo.text(), &numbers(&world.server().store()));
}

/// Xuan got the number in the meantime: one phone would answer for two.
#[test]
fn a_number_that_is_somebody_elses_by_now_is_not_put_back() {
    let world = replaced("").file(
        "policies/two.yaml",
        policy(XUAN, "{ phones: { office: { from: businessPhones } } }").replace("one:", "two:"),
    );
    let path = format!("/v1.0/users/{XUAN}/authentication/phoneMethods");
    let body = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    assert_eq!(world.call("POST", &path, Some(&body)).0, 201);
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    let withheld = "mobile phone withheld: the number is registered for somebody else, or would be";
    assert!(undo.stdout.contains(withheld), "{}", undo.text());
    assert_eq!(writes(&world), before);
}

#[test]
fn who_was_changed_since_is_left_and_named() {
    let world = replaced("");
    let path = "/v1.0/users/j.brown@exchangelabs.nl/authentication/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7";
    let other = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234568" });
    let (status, answer) = world.call("PATCH", path, Some(&other));
    assert!(status < 300, "{answer}");
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(
        undo.stdout.contains("was changed since the run, and stays as it is   [changed-since-run]"),
        "{}",
        undo.text()
    );
    assert!(undo.stdout.contains("No changes. Nothing of the run is put back."), "{}", undo.text());
    assert_eq!(writes(&world), before);
    let (status, _) = world.call("DELETE", "/v1.0/users/j.brown@exchangelabs.nl", None);
    assert_eq!(status, 204);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(
        undo.stdout.contains("no longer there, nothing is put back   [changed-since-run]"),
        "{}",
        undo.text()
    );
}

#[test]
fn a_number_that_was_not_kept_is_not_put_back() {
    let world = replaced("runs: { keepNumbers: false }\n");
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(
        undo.stdout.contains("because `keepNumbers` was off   [not-put-back]"),
        "{}",
        undo.text()
    );
    assert_eq!(writes(&world), before);
}

#[test]
fn a_saved_undo_is_applied_and_only_while_the_run_says_so() {
    let world = replaced("");
    let run = last_run(&world);
    let saved = world.run(&["undo", &run, "--out", "back.plan"]).ends(0);
    assert!(saved.stderr.contains("saved in `back.plan`"), "{}", saved.text());
    let before = writes(&world);
    assert_eq!(world.run(&["show", "back.plan"]).ends(0).stdout, saved.stdout);
    let kept = world.path(&format!(".mfactl/restore/{run}"));
    let good = fs::read_to_string(&kept).expect("a restore file");
    fs::write(&kept, good.replace("+32 471234567", "+32 471234569")).expect("ours");
    let apply = world.run(&["apply", "back.plan"]).ends(5);
    assert!(apply.stdout.contains("no longer there to be put back"), "{}", apply.text());
    assert_eq!(writes(&world), before);
    fs::write(&kept, good).expect("ours");
    world.run(&["apply", "back.plan"]).ends(0);
    assert_eq!(phones(&world, "j.brown@exchangelabs.nl")[0]["phoneNumber"], "+32 471234567");
}

/// Where Conditional Access covers everybody, a state that a run raised goes back down.
#[test]
fn a_state_is_lowered_only_where_something_else_demands_mfa() {
    let seed = seeds::by_name("exchangelabs-conditional-access").expect("a seed");
    let world = World::of(Options::in_memory(seed))
        .file("policies/one.yaml", policy(XUAN, "{ perUserMfa: enforced }"));
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(writes(&world), 1, "{}", apply.text());
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(undo.stdout.contains("enforced → disabled"), "{}", undo.text());
    assert_eq!(writes(&world), 2);
    assert_eq!(
        world.server().store().judge(XUAN),
        Some(Verdict::Ok),
        "still asked, by Conditional Access"
    );
}

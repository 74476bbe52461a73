//! An approval is for one plan: saved plans, their fingerprints and output, and everything that can change
//! between the plan and the apply.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mfactl_sandbox::{Fault, Faults};
use serde_json::{Value, json};

use crate::apply::killed::everybody;
use crate::support::golden::compare;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, Run, World};

const JANE: &str = "/v1.0/users/j.smith@exchangelabs.nl";
const FILE: &str = "staff.plan";

/// The raw standard output of a run.
fn stdout_of(world: &World, arguments: &[&str]) -> String {
    let output = world.command(arguments).output().expect("the program");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn fingerprint(world: &World) -> String {
    let plan: Value =
        serde_json::from_str(&stdout_of(world, &["plan", "--format", "json"])).expect("JSON");
    plan["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

fn writes(world: &World) -> usize {
    world.server().store().writes().len()
}

/// James and Jane, with a saved plan of three changes.
fn planned() -> World {
    let world = exchangelabs().james_and_jane();
    let run = world.run(&["plan", "--out", FILE]).ends(0);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert!(run.stderr.contains("with phone numbers in full"), "{}", run.text());
    world
}

/// Checks that an apply of the saved plan writes nothing and says why.
#[track_caller]
fn refused(world: &World, arguments: &[&str], why: &str) -> Run {
    let before = writes(world);
    let run = world.run(&[&["apply", FILE], arguments].concat()).ends(4);
    assert!(run.stderr.contains(why), "{}", run.text());
    assert!(run.stderr.contains("help: "), "{}", run.text());
    assert_eq!(writes(world), before);
    run
}

#[test]
fn show_prints_the_same_as_the_plan() {
    prints_the_same(&[&["--all"], &["--format", "json"]]);
}

#[test]
#[ignore = "long: each view of a plan"]
fn show_prints_the_same_as_the_plan_in_each_view() {
    prints_the_same(&[
        &[],
        &["--all"],
        &["--format", "json"],
        &["--user", "j.brown@exchangelabs.nl"],
    ]);
}

fn prints_the_same(views: &[&[&str]]) {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let world = exchangelabs().world().copy(&policies, "policies");
    for &arguments in views {
        let plan = stdout_of(&world, &[&["plan", "--out", FILE], arguments].concat());
        assert!(plan.len() > 300);
        let view: &[&str] = if arguments.first() == Some(&"--user") { &[] } else { arguments };
        assert_eq!(stdout_of(&world, &[&["show", FILE], view].concat()), plan, "{arguments:?}");
    }
}

#[test]
#[cfg(unix)]
fn saved_plan_is_private_and_replaces_an_older_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = planned();
    let (path, mode) =
        (world.path(FILE), |path: &Path| fs::metadata(path).expect("a file").permissions().mode());
    assert_eq!(mode(&path) & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
    world.run(&["plan", "--out", FILE]).ends(0);
    assert_eq!(mode(&path) & 0o777, 0o600, "the file is new");
    let entries = fs::read_dir(world.path("")).expect("a folder");
    let names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names.len(), 3, "no temporary file stays: {names:?}");
    let run = world.run(&["plan", "--out", "no/such/folder.plan"]).ends(1);
    assert!(run.stderr.contains("could not be saved"), "{}", run.text());
}

#[test]
fn saved_plan_is_applied_as_shown_and_only_once() {
    let world = planned();
    let run = world.run(&["apply", FILE]).ends(0);
    assert!(
        run.stdout.contains("Apply: 3 changes done · 0 failed · 0 changed since the plan"),
        "{}",
        run.text()
    );
    assert_eq!(writes(&world), 3);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
    let again = world.run(&["apply", FILE]).ends(0);
    assert!(again.stdout.contains("3 done before"), "{}", again.text());
    assert_eq!(writes(&world), 3, "nothing is written twice");
}

#[test]
fn user_changed_since_the_plan_is_named_and_not_written() {
    let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    let phones = format!("{JANE}/authentication/phoneMethods");
    let cases = [
        ("POST", phones, Some(own), "the user was changed since the plan", 5),
        // Nothing is left to do for a deleted or disabled account.
        ("DELETE", JANE.to_owned(), None, "the account no longer exists", 0),
        (
            "PATCH",
            JANE.to_owned(),
            Some(json!({ "accountEnabled": false })),
            "the account was changed",
            0,
        ),
    ];
    for (method, path, body, why, code) in cases {
        let world = planned();
        let (status, answer) = world.call(method, &path, body.as_ref());
        assert!(status < 300, "{method} {path}: {status} {answer}");
        let run = world.run(&["apply", FILE]).ends(code);
        assert!(
            run.stdout.contains("1 change done · 0 failed · 2 changed since the plan"),
            "{}",
            run.text()
        );
        assert!(run.stdout.contains("j.smith@exchangelabs.nl"), "{}", run.text());
        assert!(run.stdout.contains(why), "{}", run.text());
        assert_eq!(writes(&world), 2, "the request of the test, and the phone of James");
    }
}

#[test]
fn user_no_longer_in_a_policy_is_named_and_not_written() {
    // Two cloud users in a group, because their attributes can be changed here.
    let world = exchangelabs().world();
    let person = |name: &str, number: &str| {
        let body = json!({
            "accountEnabled": true, "displayName": name, "mailNickname": name,
            "userPrincipalName": format!("{name}@exchangelabs.nl"), "mobilePhone": number,
            "passwordProfile": { "password": "Xk2-wonderful", "forceChangePasswordNextSignIn": false },
        });
        let (status, answer) = world.call("POST", "/v1.0/users", Some(&body));
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    };
    let (one, other) = (person("one", "+31 612345671"), person("other", "+31 612345672"));
    let body = json!({
        "displayName": "Two", "mailEnabled": false, "mailNickname": "two", "securityEnabled": true,
    });
    let (status, group) = world.call("POST", "/v1.0/groups", Some(&body));
    assert_eq!(status, 201, "{group}");
    let group = group["id"].as_str().expect("an id").to_owned();
    let join = |id: &str| {
        let member = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}") });
        let path = format!("/v1.0/groups/{group}/members/$ref");
        assert_eq!(world.call("POST", &path, Some(&member)).0, 204);
    };
    join(&one);
    join(&other);
    let policy = "version: 1\npolicies:\n  two:\n    appliesTo: { groups: [Two] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";
    let world = world.file("policies/two.yaml", policy);
    let run = world.run(&["plan", "--out", FILE]).ends(0);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    let before = writes(&world);
    // The number of one user changes, then the other user leaves the group, then the group is empty.
    let number = json!({ "mobilePhone": "+31 612345679" });
    assert_eq!(world.call("PATCH", &format!("/v1.0/users/{one}"), Some(&number)).0, 204);
    assert_eq!(
        world.call("DELETE", &format!("/v1.0/groups/{group}/members/{other}/$ref"), None).0,
        204
    );
    let run = world.run(&["apply", FILE]).ends(5);
    assert!(
        run.stdout.contains("0 changes done · 0 failed · 2 changed since the plan"),
        "{}",
        run.text()
    );
    assert!(run.stdout.contains("the policies no longer want this"), "{}", run.text());
    assert_eq!(
        world.call("DELETE", &format!("/v1.0/groups/{group}/members/{one}/$ref"), None).0,
        204
    );
    let run = world.run(&["apply", FILE]).ends(0);
    assert!(
        run.stdout.contains("0 changes done · 0 failed · 2 changed since the plan"),
        "{}",
        run.text()
    );
    assert_eq!(writes(&world), before + 3, "the requests of the test, and none of the program");
}

#[test]
fn change_that_concerns_all_users_refuses_the_whole_plan() {
    let changed = Arc::new(AtomicBool::new(false));
    let by_now = Arc::clone(&changed);
    let faults = Faults::by(move |part| {
        let is_policy = part.path.ends_with("/authenticationMethodsPolicy");
        match is_policy && by_now.load(Ordering::SeqCst) {
            true => Fault::Status { status: 403, code: "accessDenied".into(), retry_after: None },
            false => Fault::None,
        }
    });
    let world = exchangelabs().faults(faults).james_and_jane();
    world.run(&["plan", "--out", FILE]).ends(0);
    changed.store(true, Ordering::SeqCst);
    refused(
        &world,
        &[],
        "the tenant's authentication methods policy, or one of its groups, could be read",
    );

    let world = planned();
    let policy = crate::support::world::JAMES_AND_JANE;
    let world = world.file("policies/staff.yaml", policy.replace(": enabled", ": enforced"));
    refused(&world, &[], "policy `staff` was changed since the plan");

    let project = world.project(&PROJECT.replace("brakes:\n", "cloud: usGov\nbrakes:\n"));
    let world = world.file("policies/staff.yaml", policy).file("mfactl.yaml", project);
    refused(&world, &[], "made for cloud `global`, but this is `usGov`");

    let project = world.project(PROJECT);
    let world = world.file("mfactl.yaml", project);
    refused(&world, &["--max-age", "0s"], "minutes old, but the maximum is 0");

    // The same plan in another tenant.
    let other =
        exchangelabs().james_and_jane().file(FILE, fs::read(world.path(FILE)).expect("a plan"));
    refused(&other, &[], "was changed since the plan");
}

#[test]
fn incomplete_plan_file_is_refused_with_one_error() {
    incomplete_file_is_refused(3);
}

#[test]
#[ignore = "long: every kind of damage"]
fn plan_file_that_is_incomplete_in_any_way_is_refused_with_one_error() {
    incomplete_file_is_refused(1);
}

/// Takes every `step`-th row.
fn incomplete_file_is_refused(step: usize) {
    let world = planned();
    let good = fs::read_to_string(world.path(FILE)).expect("a plan");
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let cases = [
        (String::new(), "it is not a saved plan"),
        ("{}\n".to_owned(), "it is not a saved plan"),
        ("not a plan".to_owned(), "it is not a saved plan"),
        (good[..good.len() / 2].to_owned(), "its end is missing"),
        (lines[..lines.len() - 1].concat(), "its end is missing"),
        (good.replace("\"disabled\"", "\"enforced\""), "damaged or edited"),
        (lines[..1].concat() + &lines[2..].concat(), "damaged or edited"),
        (good.clone() + "{}\n", "damaged or edited"),
        (
            good.replacen("\"format\":2", "\"format\":3", 1),
            "a plan of format 3, but this program reads formats 1 to 2",
        ),
        ("{\"plan\":{\"format\":7,\"new\":true}}\n".to_owned(), "a plan of format 7"),
        ("{\"plan\":{\"format\":0}}\n".to_owned(), "a plan of format 0"),
    ];
    let mut world = world;
    for (text, why) in cases.into_iter().step_by(step) {
        world = world.file(FILE, text);
        let run = refused(&world, &[], why);
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.text());
        assert_eq!(run.stdout, "", "{}", run.text());
        assert_eq!(world.run(&["show", FILE]).ends(4).stdout, "");
    }
    let run = world.run(&["apply", "nowhere.plan"]).ends(1);
    assert!(run.stderr.contains("could not be read"), "{}", run.text());
    assert_eq!(writes(&world), 0);
}

/// A person edits the plan and corrects its digest. The plan no longer matches its fingerprint.
#[test]
fn edited_plan_with_a_corrected_digest_is_refused() {
    use sha2::Digest as _;
    let world = planned();
    let good = fs::read_to_string(world.path(FILE)).expect("a plan");
    let bad = good.replace("+31 612345679", "+31 687654321");
    assert_ne!(good, bad, "the number of Jane is in it");
    let end = bad.trim_end().rfind('\n').expect("lines") + 1;
    let digest = sha2::Sha256::digest(&bad.as_bytes()[..end]);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = bad[..end].to_owned() + &format!("{{\"digest\":\"{digest}\"}}\n");
    let world = world.file(FILE, text);
    refused(&world, &[], "the plan file was edited");
    let run = world.run(&["show", FILE]).ends(4);
    assert!(run.stderr.contains("the plan file was edited"), "{}", run.text());
    assert_eq!(run.stdout, "");
}

/// The first program of this format saved this plan, and every later program must show it.
#[test]
fn plan_of_format_1_can_be_shown() {
    let world = World::empty().copy(Path::new("tests/saved/format-1.saved"), FILE);
    let run = world.run(&["show", FILE, "--all"]);
    let difference = compare(Path::new("tests/saved/format-1.txt"), &run.text());
    assert!(difference.is_empty(), "\n{difference}");
}

/// The fingerprint of format 1 does not cover names and places, so an approval cannot depend on it.
#[test]
fn plan_of_format_1_is_not_applied() {
    let world = exchangelabs().james_and_jane().copy(Path::new("tests/saved/format-1.saved"), FILE);
    refused(&world, &[], "the plan has format 1");
}

#[test]
fn only_the_approved_plan_is_applied() {
    let world = exchangelabs().james_and_jane();
    let approved = fingerprint(&world);
    let text = stdout_of(&world, &["plan"]);
    assert!(
        text.contains(&format!("fingerprint {approved}")),
        "the whole fingerprint is shown: {text}"
    );
    let short: String = approved.chars().take(16).collect();
    world.run(&["apply", "--expect", &short]).ends(1);
    let other = approved.chars().rev().collect::<String>();
    let run = world.run(&["apply", "--expect", &other]).ends(4);
    assert!(run.stderr.contains("the approved plan is"), "{}", run.text());
    assert_eq!(writes(&world), 0);
    world.run(&["apply", "--expect", &approved]).ends(0);
    assert_eq!(writes(&world), 3);
    world.run(&["apply", "--expect", &approved]).ends(4);
}

#[test]
fn fingerprint_key_changes_the_fingerprint_and_is_needed_to_apply() {
    let world = exchangelabs().james_and_jane();
    let plain = fingerprint(&world);
    let world = world.with("MFACTL_FINGERPRINT_KEY", "one secret");
    let keyed = fingerprint(&world);
    assert_ne!(plain, keyed);
    assert_eq!(keyed, fingerprint(&world));
    world.run(&["plan", "--out", FILE]).ends(0);
    let world = world.with("MFACTL_FINGERPRINT_KEY", "another secret");
    assert_ne!(fingerprint(&world), keyed);
    refused(&world, &[], "`MFACTL_FINGERPRINT_KEY` is not the key it was made with");
    world.run(&["show", FILE]).ends(4);
    let world = world.with("MFACTL_FINGERPRINT_KEY", "one secret");
    world.run(&["apply", FILE, "--expect", &keyed]).ends(0);
    assert!(!world.run(&["plan"]).text().contains("secret"));
}

#[test]
fn brakes_also_apply_to_a_saved_plan() {
    let world = everybody();
    let brakes = "  changedUsers: { percent: 1, floor: 1 }";
    let project = PROJECT.replace("  changedUsers: { percent: 100, floor: 0 }", brakes);
    let project = world.project(&project);
    let world = world.file("mfactl.yaml", project);
    world.run(&["plan", "--out", FILE]).ends(0);
    let run = refused(&world, &[], "brake `changedUsers`");
    refused(&world, &["--allow", "changedUsers=7"], "which is not the number of the plan");
    let allow = run.stderr.split("add `--allow ").nth(1).and_then(|rest| rest.split('`').next());
    world.run(&["apply", FILE, "--allow", allow.expect("a number")]).ends(0);
}

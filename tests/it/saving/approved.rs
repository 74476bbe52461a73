//! An approval: what it holds, what a later apply does under it, and when it is refused.
//!
//! Not here: the property over invented tenants (`approved_promise`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::sync::atomic::Ordering;

use mfactl_sandbox::PartInfo;
use serde_json::{Value, json};

use crate::apply::faults::id_of;
use crate::saving::applied_again::while_on;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, World};

const FILE: &str = "approval.json";
const KEY: &str = "MFACTL_FINGERPRINT_KEY";
const SECRET: &str = "a secret of 25 characters";
const JAMES: &str = "j.brown@exchangelabs.nl";
const JANE: &str = "j.smith@exchangelabs.nl";

fn writes(world: &World) -> usize {
    world.server().store().writes().len()
}

/// James and Jane with an approval of three changes: two phones, and MFA for Jane. The directory of the tenant
/// is the place of their numbers.
fn approved() -> World {
    let world = exchangelabs()
        .property(JAMES, "onPremisesSyncEnabled", Value::Null)
        .property(JANE, "mobilePhone", "+31 6 12345611")
        .james_and_jane();
    world.run(&["plan", "--approval", FILE]).ends(0);
    world
}

#[track_caller]
fn refused(world: &World, arguments: &[&str], why: &str) {
    let before = writes(world);
    let run = world.run(&[&["apply", "--approved", FILE], arguments].concat()).ends(4);
    assert!(run.stderr.contains(why), "{}", run.text());
    assert_eq!(writes(world), before);
}

fn edited(world: World, edit: impl FnOnce(&mut Value)) -> World {
    let text = fs::read_to_string(world.path(FILE)).expect("the approval");
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    edit(&mut file);
    world.file(FILE, file.to_string())
}

#[test]
fn approved_changes_are_made_without_a_question() {
    let world = approved();
    let run = world.run(&["apply", "--approved", FILE]).ends(0);
    assert!(
        run.stdout.contains("Approval: 3 changes approved · 3 still planned\n"),
        "{}",
        run.text()
    );
    assert_eq!(writes(&world), 3);
    // What is done is not planned again, so nothing can be replayed.
    let again = world.run(&["apply", "--approved", FILE]).ends(0);
    let tally = "Approval: 3 changes approved · 0 still planned · 3 no longer needed\n";
    assert!(again.stdout.contains(tally), "{}", again.text());
    assert_eq!(writes(&world), 3);
}

/// Since the approval, the directory has another number for James, and somebody registered Jane's phone.
#[test]
fn only_what_is_still_planned_and_was_approved_is_made() {
    let world = approved();
    let (status, _) = world.call(
        "PATCH",
        &format!("/v1.0/users/{JAMES}"),
        Some(&json!({ "mobilePhone": "+31 6 58672399" })),
    );
    assert_eq!(status, 204);
    let number = json!({ "phoneNumber": "+31 612345611", "phoneType": "mobile" });
    let phones = format!("/v1.0/users/{JANE}/authentication/phoneMethods");
    assert_eq!(world.call("POST", &phones, Some(&number)).0, 201);
    let before = writes(&world);
    refused(&world, &["--strict"], "a planned change was not approved");
    let run = world.run(&["apply", "--approved", FILE]).ends(0);
    let tally = "Approval: 3 changes approved · 1 still planned · 1 no longer needed · 1 different from what was approved\n";
    assert!(run.stdout.contains(tally), "{}", run.text());
    for row in [
        format!("  no longer needed  mobile phone: {JANE}\n"),
        format!("  different from what was approved  mobile phone: {JAMES}\n"),
        "  What was not approved waits for the next approval; `mfactl plan` shows it.\n".to_owned(),
    ] {
        assert!(run.stdout.contains(&row), "{row}{}", run.text());
    }
    assert_eq!(writes(&world), before + 1);
    let state = format!("/beta/users/{JANE}/authentication/requirements");
    // Entra makes `enforced` of it, because the user has registered.
    assert_eq!(world.call("GET", &state, None).1["perUserMfaState"], json!("enforced"));
}

#[test]
fn approved_change_of_an_unread_user_is_unknown() {
    let jane = id_of(JANE);
    let which = move |part: &PartInfo| part.write.is_none() && part.path.contains(&jane);
    let (faults, on) = while_on(which, 403);
    let world = exchangelabs().faults(faults).james_and_jane();
    world.run(&["plan", "--approval", FILE]).ends(0);
    on.store(true, Ordering::SeqCst);
    let run = world.run(&["apply", "--approved", FILE]).ends(5);
    let tally =
        "3 changes approved · 1 still planned · 2 unknown, because something could not be read";
    assert!(run.stdout.contains(tally), "{}", run.text());
    assert_eq!(writes(&world), 1);
}

/// Without methods it is unknown whether MFA is safe, so the change is withheld. That is not the same as unsafe.
#[test]
fn approved_change_that_may_be_safe_is_unknown() {
    let policy = "version: 1\npolicies:\n  staff:\n    appliesTo: { users: [j.smith@exchangelabs.nl] }\n    desired: { perUserMfa: enforced }\n";
    let jane = id_of(JANE);
    let which = move |part: &PartInfo| {
        part.write.is_none() && part.path.contains(&jane) && part.path.contains("ethods")
    };
    let (faults, on) = while_on(which, 403);
    let world = exchangelabs().phones(JANE, &["mobile"], "disabled").faults(faults).world();
    let world = world.file("policies/staff.yaml", policy);
    world.run(&["plan", "--approval", FILE]).ends(0);
    on.store(true, Ordering::SeqCst);
    let run = world.run(&["apply", "--approved", FILE]).ends(5);
    let tally =
        "1 change approved · 0 still planned · 1 unknown, because something could not be read";
    assert!(run.stdout.contains(tally), "{}", run.text());
    assert_eq!(writes(&world), 0);
}

/// The number in the directory becomes useless. The policy still wants a phone, and MFA needs it.
#[test]
fn approved_change_without_a_value_is_left() {
    let world = exchangelabs()
        .property(JANE, "onPremisesSyncEnabled", Value::Null)
        .property(JANE, "mobilePhone", "+31 6 12345611")
        .james_and_jane();
    world.run(&["plan", "--approval", FILE]).ends(0);
    let useless = json!({ "mobilePhone": "call me" });
    assert_eq!(world.call("PATCH", &format!("/v1.0/users/{JANE}"), Some(&useless)).0, 204);
    let run = world.run(&["apply", "--approved", FILE]).ends(0);
    let tally = "3 changes approved · 1 still planned · 1 wanted, but there is no value for it now · 1 withheld now\n";
    assert!(run.stdout.contains(tally), "{}", run.text());
    let rows = format!(
        "  wanted, but there is no value for it now  mobile phone: {JANE}\n  withheld now  per-user MFA: {JANE}\n"
    );
    assert!(run.stdout.contains(&rows), "{}", run.text());
    let json = world.run(&["apply", "--approved", FILE, "--format", "json"]).ends(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["approval"]["noValue"], &json["anythingLeft"]), (&json!(1), &json!(true)));
}

/// The policy names an account that is gone, which is a warning, and the others get what was approved.
#[test]
fn change_of_an_account_that_is_gone_is_no_longer_needed() {
    let world = approved();
    assert_eq!(world.call("DELETE", &format!("/v1.0/users/{JAMES}"), None).0, 204);
    let run = world.run(&["apply", "--approved", FILE]).ends(0);
    let tally = "3 changes approved · 2 still planned · 1 no longer needed\n  no longer needed: 1 change of users who are gone, or in no policy any more\n";
    assert!(run.stdout.contains(tally), "{}", run.text());
}

/// A user who joins a group gets nothing that nobody approved.
#[test]
fn newcomer_waits_for_the_next_approval() {
    let pilot = "5a8f1c52-9d0e-4f6b-8b1a-1f2f6c7f5a01";
    let id = |name| id_of(name).parse().expect("an id");
    let policy = "version: 1\npolicies:\n  pilot:\n    appliesTo: { groups: [Pilot] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";
    let world = exchangelabs()
        .with_group(pilot.parse().expect("an id"), "Pilot", vec![id(JANE)])
        .world()
        .file("policies/pilot.yaml", policy);
    world.run(&["plan", "--approval", FILE]).ends(0);
    let member = json!({ "@odata.id": format!("{}/v1.0/directoryObjects/{}", world.server().url(), id_of(JAMES)) });
    let added = world.call("POST", &format!("/v1.0/groups/{pilot}/members/$ref"), Some(&member));
    assert_eq!(added.0, 204, "{added:?}");
    refused(&world, &["--strict"], "a planned change was not approved");
    let run = world.run(&["apply", "--approved", FILE]).ends(0);
    let row = format!("  new since the approval  mobile phone: {JAMES}\n");
    assert!(run.stdout.contains(&row), "{}", run.text());
    let james = format!("/v1.0/users/{JAMES}/authentication/phoneMethods");
    assert_eq!(world.call("GET", &james, None).1["value"], json!([]));
    // With the next approval, the change is made.
    world.run(&["plan", "--approval", FILE]).ends(0);
    world.run(&["apply", "--approved", FILE, "--strict"]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn edited_approval_is_refused() {
    let seal = "it was damaged or edited";
    refused(&edited(approved(), |file| file["made"] = json!("2030-01-01T00:00:00Z")), &[], seal);
    let drop = |file: &mut Value| drop(file["approval"]["changes"].as_array_mut().map(Vec::pop));
    refused(&edited(approved(), drop), &[], seal);
    refused(&edited(approved(), |file| file["cloud"] = json!("china")), &[], seal);
    let tenant = json!("00000000-0000-0000-0000-000000000001");
    refused(&edited(approved(), |file| file["approval"]["tenant"] = tenant), &[], seal);
    refused(&edited(approved(), |file| drop_key(file, "seal")), &[], seal);
    refused(&edited(approved(), |file| file["more"] = json!(1)), &[], "it is not an approval");
    let version = |file: &mut Value| file["approvalVersion"] = json!(9);
    refused(&edited(approved(), version), &[], "it has format 9, but this program reads format 1");
    refused(&approved().file(FILE, "{}"), &[], "it is not an approval");
}

fn drop_key(file: &mut Value, key: &str) {
    file.as_object_mut().expect("an object").remove(key);
}

#[test]
fn approval_is_bound_to_the_key_in_both_directions() {
    let world = approved().with(KEY, SECRET);
    refused(&world, &[], "it was made without `MFACTL_FINGERPRINT_KEY`, which is set here");
    world.run(&["plan", "--approval", FILE]).ends(0);
    let world = world.with(KEY, "another secret of 31 characters");
    refused(&world, &[], "`MFACTL_FINGERPRINT_KEY` is not the key it was made with");
    let world = world.without(KEY);
    refused(&world, &[], "it was made with `MFACTL_FINGERPRINT_KEY`, which is not set here");
    let world = world.with(KEY, "short");
    let run = world.run(&["plan", "--approval", FILE]).ends(1);
    assert!(run.stderr.contains("fewer than 16 bytes"), "{}", run.text());
    world.with(KEY, SECRET).run(&["apply", "--approved", FILE]).ends(0);
}

/// The masks of both numbers are alike. With a key, the approval tells them apart.
#[test]
fn number_that_differs_in_a_hidden_digit_was_not_approved_with_a_key() {
    for (key, planned) in [(Some(SECRET), "0 still planned"), (None, "1 still planned")] {
        let world = exchangelabs()
            .property(JAMES, "onPremisesSyncEnabled", Value::Null)
            .property(JAMES, "mobilePhone", "+31 6 12345678")
            .world();
        let policy = JAMES_AND_JANE.replace(", j.smith@exchangelabs.nl", "");
        let policy = policy.replace("      perUserMfa: enabled\n", "");
        let world = world.file("policies/staff.yaml", policy);
        let world = match key {
            Some(key) => world.with(KEY, key),
            None => world,
        };
        world.run(&["plan", "--approval", FILE]).ends(0);
        let number = json!({ "mobilePhone": "+31 6 15345678" });
        assert_eq!(world.call("PATCH", &format!("/v1.0/users/{JAMES}"), Some(&number)).0, 204);
        let run = world.run(&["apply", "--approved", FILE]).ends(0);
        assert!(run.stdout.contains(planned), "{}", run.text());
    }
}

#[test]
fn changed_files_rules_or_guards_refuse_everything() {
    let changed = JAMES_AND_JANE.replace("mobilePhone }", "mobilePhone, ifRegistered: replace }");
    let world = approved().file("policies/staff.yaml", changed);
    refused(&world, &[], "policy `staff` is new or changed since the approval");
    let renamed =
        approved().file("policies/staff.yaml", JAMES_AND_JANE.replace("staff:", "people:"));
    refused(
        &renamed,
        &[],
        "policy `people` is new or changed, and one policy is gone since the approval",
    );
    let world = approved();
    let text = PROJECT.replace("changedUsers: { percent: 100", "changedUsers: { percent: 99");
    let text = world.project(&text);
    refused(
        &world.file("mfactl.yaml", text),
        &[],
        "`brakes` in `mfactl.yaml` changed since the approval",
    );
    let which = |part: &PartInfo| part.path.contains("/conditionalAccess/policies");
    let (faults, on) = while_on(which, 403);
    let world = exchangelabs().faults(faults).james_and_jane();
    world.run(&["plan", "--approval", FILE]).ends(0);
    on.store(true, Ordering::SeqCst);
    refused(&world, &[], "the rules of the tenant");
    // A comment is no change.
    let world = approved().file("policies/staff.yaml", "# who\n".to_owned() + JAMES_AND_JANE);
    world.run(&["apply", "--approved", FILE]).ends(0);
}

#[test]
fn old_approval_and_one_of_another_tenant_are_refused() {
    refused(&approved(), &["--max-age", "0s"], "it is 0 minutes old, but the maximum is 0");
    let file = fs::read(approved().path(FILE)).expect("the approval");
    let id = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
    let other = exchangelabs().changed(|seed| seed.tenant.id = id);
    let other = other.james_and_jane().file(FILE, file);
    refused(&other, &[], "the approval `approval.json` cannot be used: it is of tenant `");
}

/// The file has no name, no id of a user, no number, and no digest that can be tried without its key.
#[test]
fn approval_tells_nothing_about_anybody() {
    for key in [None, Some(SECRET)] {
        let world = exchangelabs().james_and_jane();
        let world = match key {
            Some(key) => world.with(KEY, key),
            None => world,
        };
        world.run(&["plan", "--approval", FILE, "--out", "staff.plan"]).ends(0);
        let file = fs::read_to_string(world.path(FILE)).expect("the approval");
        for user in &exchangelabs().seed().users {
            for key in ["id", "userPrincipalName", "displayName"] {
                let told = user.user[key].as_str().expect("a text");
                assert!(!file.contains(told), "{told}");
            }
        }
        for hidden in ["staff", "mobilePhone", "perUserMfa", "12345604", "••", "exchangelabs"] {
            assert!(!file.contains(hidden), "{hidden}: {file}");
        }
        let plan = fs::read_to_string(world.path("staff.plan")).expect("a plan");
        let header: Value =
            serde_json::from_str(plan.lines().next().expect("a line")).expect("JSON");
        let meaning = &header["plan"]["meaning"];
        let digests =
            meaning["policies"].as_object().into_iter().chain(meaning["project"].as_object());
        let digests: Vec<&str> =
            digests.flat_map(|all| all.values()).filter_map(Value::as_str).collect();
        assert!(digests.len() > 5, "{meaning}");
        for digest in digests {
            assert!(!file.contains(&digest[..16]), "{digest}");
        }
    }
}

#[test]
fn approval_is_written_over_an_approval_alone() {
    let world = approved();
    world.run(&["plan", "--approval", FILE]).ends(0);
    for (target, why) in [
        ("mfactl.yaml", "the file contains something other than an approval"),
        ("-", "the plan is printed there"),
        ("policies", "it is a folder"),
    ] {
        let run = world.run(&["plan", "--approval", target]).ends(1);
        assert!(run.stderr.contains(why), "{}", run.text());
    }
    let json = world.run(&["plan", "--approval", FILE, "--format", "json"]).ends(0);
    assert!(serde_json::from_str::<Value>(&json.stdout).is_ok(), "{}", json.text());
}

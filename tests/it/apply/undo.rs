//! The undo of runs: which values go back and which stay, and that no user is left open or stuck.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use mfactl_sandbox::sign_in::Verdict;
use serde_json::{Value, json};

use crate::apply::killed::journals;
use crate::support::journal_files::JournalFiles;
use crate::support::shown_numbers::{numbers, shows_none};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{PROJECT, World};

/// This user has the Authenticator, and a number in the directory that is not registered.
const XUAN: &str = "x.tran@exchangelabs.nl";
const JAMES: &str = "j.brown@exchangelabs.nl";
const JANE: &str = "j.smith@exchangelabs.nl";

fn last_run(world: &World) -> String {
    journals(world).last().expect("a run").run.to_string()
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

/// James was open before the run, and Jane had neither MFA nor a phone.
#[test]
fn undo_restores_values_but_opens_no_user() {
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = last_run(&world);
    let undo = world.run(&["undo", &run, "--auto-approve"]).ends(5);
    for text in [
        "    mobile phone withheld: no usable method would be left   [removal-withheld]",
        "help: MFA is, or may be, required for the user: have the user register another method",
        "enforced → disabled",
        "- mobile phone",
        "the policies want other values than this undo puts back, so the next apply would change them again",
        "help: first revert the commit that introduced the values, then undo the run",
        "Partial: some changes of run RUN are not put back",
    ] {
        assert!(undo.stdout.contains(text), "{text}: {}", undo.text());
    }
    assert_eq!(writes(&world), 5, "two more writes: first the state, then the number");
    let store = world.server().store();
    let last = &store.writes()[3..];
    assert!(last[0].path.ends_with("/requirements") && last[1].method == "DELETE", "{last:#?}");
    assert_eq!(store.judge(JANE), Some(Verdict::PasswordOnly), "as before the run");
    assert_eq!(store.judge(JAMES), Some(Verdict::Ok));
    assert_eq!(phones(&world, JANE), json!([]));
    shows_none(&undo.text(), &numbers(&store));
    // A second undo writes nothing, and reports again what stays.
    let again = world.run(&["undo", &run, "--auto-approve"]).ends(5);
    assert!(
        again.stdout.contains("No changes. No change of the run is put back"),
        "{}",
        again.text()
    );
    assert_eq!(writes(&world), 5);
}

/// The policy sets the default method, SMS sign-in, system-preferred MFA and the state, as first policies
/// often do.
#[test]
fn whole_rollout_is_undone_and_a_second_undo_changes_nothing() {
    let desired = "{ phones: { mobile: { from: mobilePhone, smsSignIn: off } }, defaultMethod: sms, systemPreferredMfa: true, perUserMfa: enabled }";
    let world = exchangelabs().world().file("policies/one.yaml", policy(JANE, desired));
    let before = record(&world, JANE);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = last_run(&world);
    let shown = world.run(&["runs", "show", &run]).ends(0).stdout;
    assert!(shown.contains("default method"), "{shown}");
    let undo = world.run(&["undo", &run, "--auto-approve"]).ends(0);
    assert!(!undo.stdout.contains("Partial:"), "{}", undo.text());
    assert_eq!(record(&world, JANE), before, "{}", undo.text());
    let count = writes(&world);
    world.run(&["undo", &run, "--auto-approve"]).ends(0);
    assert_eq!(writes(&world), count);
}

#[test]
fn undo_counts_for_the_brake_on_weakened_users() {
    let world = exchangelabs().james_and_jane();
    let tight = PROJECT.replace(
        "weakenedUsers: { percent: 100, floor: 0 }",
        "weakenedUsers: { percent: 0, floor: 0 }",
    );
    let project = world.project(&tight);
    let world = world.file("mfactl.yaml", project);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = last_run(&world);
    let refused = world.run(&["undo", &run, "--auto-approve"]).ends(4);
    assert!(refused.stderr.contains("--allow weakenedUsers=1"), "{}", refused.text());
    assert_eq!(writes(&world), 3);
    world.run(&["undo", &run, "--auto-approve", "--allow", "weakenedUsers=1"]).ends(5);
    assert_eq!(writes(&world), 5);
}

#[test]
fn undo_that_is_withheld_exits_with_5_also_from_a_file() {
    let world = exchangelabs()
        .world()
        .file("policies/one.yaml", policy(JAMES, "{ phones: { mobile: { from: mobilePhone } } }"));
    world.run(&["apply", "--auto-approve"]).ends(0);
    let (run, before) = (last_run(&world), writes(&world));
    world.run(&["undo", &run, "--auto-approve"]).ends(5);
    // Saving the undo as a plan succeeds; the apply of it exits with 5.
    world.run(&["undo", &run, "--out", "back.plan"]).ends(0);
    let apply = world.run(&["apply", "back.plan"]).ends(5);
    assert!(apply.stdout.contains("Partial: some changes of run RUN"), "{}", apply.text());
    assert_eq!(writes(&world), before);
    let text = world.run(&["undo", &run, "--format", "json"]).ends(5).stdout;
    let plan: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(plan["undo"]["whole"], false, "{text}");
    assert_eq!(plan["withheld"][0]["code"], "removal-withheld");
    assert!(plan["withheld"][0]["help"].as_str().is_some_and(|help| help.contains("register")));
    let schema = world.run(&["schema", "plan"]).ends(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert!(jsonschema::draft7::new(&schema).expect("a schema").is_valid(&plan), "{text}");
}

/// The commit is reverted first, as the help line of the undo says.
#[test]
fn still_wanted_is_reported_only_if_a_policy_wants_the_value() {
    let world = exchangelabs()
        .world()
        .file("policies/one.yaml", policy(XUAN, "{ phones: { mobile: { from: mobilePhone } } }"));
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = last_run(&world);
    let wanted = world.run(&["undo", &run, "--out", "back.plan"]).ends(0);
    assert!(wanted.stdout.contains("[still-wanted]"), "{}", wanted.text());
    let other = policy(XUAN, "{ phones: { office: unmanaged } }");
    let world = world.file("policies/one.yaml", other);
    let undo = world.run(&["undo", &run, "--auto-approve"]).ends(0);
    assert!(!undo.stdout.contains("[still-wanted]"), "{}", undo.text());
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(apply.stdout.contains("No changes."), "{}", apply.text());
}

#[test]
fn policy_that_does_not_fit_the_tenant_does_not_stop_an_undo() {
    let world = exchangelabs()
        .world()
        .file("policies/one.yaml", policy(XUAN, "{ phones: { mobile: { from: mobilePhone } } }"));
    world.run(&["apply", "--auto-approve"]).ends(0);
    let nowhere = "version: 1\npolicies:\n  two:\n    appliesTo: { groups: [Nobody Of This Name] }\n    desired: { perUserMfa: enabled }\n";
    let world = world.file("policies/two.yaml", nowhere);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(
        undo.stdout.contains(
            "it is unknown whether the policies want other values than this undo puts back"
        ),
        "{}",
        undo.text()
    );
    assert_eq!(phones(&world, XUAN), json!([]));
}

/// The restore file was edited, or belongs to another run: its numbers differ from the journal.
#[test]
fn number_that_differs_from_the_journal_is_not_put_back() {
    differing_number_is_not_put_back(3);
}

#[test]
#[ignore = "long: every difference"]
fn number_that_differs_from_the_journal_in_any_way_is_not_put_back() {
    differing_number_is_not_put_back(1);
}

/// Takes every `step`-th row.
fn differing_number_is_not_put_back(step: usize) {
    let world = replaced("");
    let run = last_run(&world);
    let files = JournalFiles::of(&world);
    let good = String::from_utf8(files.kept(&run)).expect("text");
    let before = writes(&world);
    let own = "+32 471234567";
    for (from, to) in [
        (own, "+32 471234569"),
        (own, "+33 471234567"),
        (own, "+31 612345678"),
        ("+31 612345678", "+31 612345679"),
        ("\"mobilePhone\"", "\"officePhone\""),
        ("\"number\":0", "\"number\":1"),
        ("{\"phone\":\"+32 471234567\"}", "\"nothing\""),
    ]
    .into_iter()
    .step_by(step)
    {
        files.put_kept(&run, plain(&good.replace(from, to)).as_bytes());
        let undo = world.run(&["undo", &run, "--auto-approve"]).ends(5);
        let differs = "because its value in the restore file differs from the journal";
        let lost = "because the restore file does not hold it";
        assert!(
            undo.stdout.contains(differs) || undo.stdout.contains(lost),
            "{to}: {}",
            undo.text()
        );
        assert_eq!(writes(&world), before, "{to}");
        shows_none(&undo.text(), &numbers(&world.server().store()));
    }
    files.put_kept(&run, good.as_bytes());
    world.run(&["undo", &run, "--auto-approve"]).ends(0);
}

/// The lines of a forged file, without marks of damage.
fn plain(text: &str) -> String {
    text.to_owned()
}

/// Another user registered the number after the run had removed it.
#[test]
fn removed_number_that_another_user_has_now_is_not_put_back() {
    let world = exchangelabs().world();
    let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    let path = |user| format!("/v1.0/users/{user}/authentication/phoneMethods");
    assert_eq!(world.call("POST", &path(XUAN), Some(&own)).0, 201);
    let world = world.file("policies/one.yaml", policy(XUAN, "{ phones: { mobile: absent } }"));
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(phones(&world, XUAN), json!([]));
    let office = "{ phones: { office: unmanaged }, perUserMfa: unmanaged, defaultMethod: sms }";
    let world = world.file("policies/two.yaml", policy(JANE, office).replace("one:", "two:"));
    assert_eq!(world.call("POST", &path(JANE), Some(&own)).0, 201);
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(5);
    let withheld = "mobile phone withheld: the number is registered for another user, or would be";
    assert!(undo.stdout.contains(withheld), "{}", undo.text());
    assert_eq!(writes(&world), before);
}

fn record(world: &World, user: &str) -> String {
    let store = world.server().store();
    let one = store.user(user).expect("a user");
    let mut preferences = one.sign_in_preferences.clone();
    preferences.retain(|_, value| !value.is_null());
    format!("{:?} {:?} {preferences:?}", one.methods, one.requirements)
}

/// A phone that a run added to a user with other methods is removed by the undo, and added again by the
/// undo of the undo.
#[test]
fn added_phone_is_removed_and_removed_phone_is_added_again() {
    let world = exchangelabs().world();
    assert_eq!(phones(&world, XUAN), json!([]));
    let world = world
        .file("policies/one.yaml", policy(XUAN, "{ phones: { mobile: { from: mobilePhone } } }"));
    world.run(&["apply", "--auto-approve"]).ends(0);
    let added = phones(&world, XUAN);
    assert_eq!(added.as_array().map(Vec::len), Some(1), "{added}");
    let run = last_run(&world);
    // The brake on weakened users counts the removal of a method, but this world has no such brake.
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

/// A world in which a run overwrote the number that James registered, with the one of the directory.
fn replaced(project: &str) -> World {
    let world = exchangelabs().world();
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
fn overwritten_number_is_put_back_from_the_restore_file() {
    let world = replaced("");
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(undo.stdout.contains("+31 6••••••78 → +32 4••••••67"), "{}", undo.text());
    assert_eq!(phones(&world, "j.brown@exchangelabs.nl")[0]["phoneNumber"], "+32 471234567");
    shows_none(&undo.text(), &numbers(&world.server().store()));
}

/// Xuan registered the number in the meantime, so one phone would answer for two users.
#[test]
fn overwritten_number_that_another_user_has_now_is_not_put_back() {
    let world = replaced("").file(
        "policies/two.yaml",
        policy(XUAN, "{ phones: { office: { from: businessPhones } } }").replace("one:", "two:"),
    );
    let path = format!("/v1.0/users/{XUAN}/authentication/phoneMethods");
    let body = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    assert_eq!(world.call("POST", &path, Some(&body)).0, 201);
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(5);
    let withheld = "mobile phone withheld: the number is registered for another user, or would be";
    assert!(undo.stdout.contains(withheld), "{}", undo.text());
    assert_eq!(writes(&world), before);
}

#[test]
fn user_changed_since_the_run_is_named_and_not_written() {
    let world = replaced("");
    let path = "/v1.0/users/j.brown@exchangelabs.nl/authentication/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7";
    let other = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234568" });
    let (status, answer) = world.call("PATCH", path, Some(&other));
    assert!(status < 300, "{answer}");
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(5);
    assert!(
        undo.stdout
            .contains("was changed since the run, so it stays as it is   [changed-since-run]"),
        "{}",
        undo.text()
    );
    assert!(
        undo.stdout.contains("No changes. No change of the run is put back."),
        "{}",
        undo.text()
    );
    assert_eq!(writes(&world), before);
    let (status, _) = world.call("DELETE", "/v1.0/users/j.brown@exchangelabs.nl", None);
    assert_eq!(status, 204);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(
        undo.stdout.contains("no longer exists, so nothing is put back   [changed-since-run]"),
        "{}",
        undo.text()
    );
}

#[test]
fn number_that_was_not_kept_is_not_put_back() {
    let world = replaced("runs: { keepNumbers: false }\n");
    let before = writes(&world);
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(5);
    assert!(
        undo.stdout.contains("because `keepNumbers` was off   [not-put-back]"),
        "{}",
        undo.text()
    );
    assert_eq!(writes(&world), before);
}

#[test]
fn saved_undo_is_applied_only_if_the_restore_file_still_matches() {
    let world = replaced("");
    let run = last_run(&world);
    let saved = world.run(&["undo", &run, "--out", "back.plan"]).ends(0);
    assert!(saved.stderr.contains("saved in `back.plan`"), "{}", saved.text());
    let before = writes(&world);
    assert_eq!(world.run(&["show", "back.plan"]).ends(0).stdout, saved.stdout);
    let files = JournalFiles::of(&world);
    let good = String::from_utf8(files.kept(&run)).expect("text");
    files.put_kept(&run, good.replace("+32 471234567", "+32 471234569").as_bytes());
    let apply = world.run(&["apply", "back.plan"]).ends(5);
    assert!(apply.stdout.contains("no longer there, so nothing is put back"), "{}", apply.text());
    assert_eq!(writes(&world), before);
    files.put_kept(&run, good.as_bytes());
    world.run(&["apply", "back.plan"]).ends(0);
    assert_eq!(phones(&world, "j.brown@exchangelabs.nl")[0]["phoneNumber"], "+32 471234567");
}

/// Conditional Access requires MFA for all users, so a state that a run raised can be lowered again.
#[test]
fn undo_lowers_a_state_if_conditional_access_requires_mfa() {
    let world = TenantBuilder::named("exchangelabs-conditional-access")
        .world()
        .file("policies/one.yaml", policy(XUAN, "{ perUserMfa: enforced }"));
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(writes(&world), 1, "{}", apply.text());
    let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
    assert!(undo.stdout.contains("enforced → disabled"), "{}", undo.text());
    assert_eq!(writes(&world), 2);
    assert_eq!(
        world.server().store().judge(XUAN),
        Some(Verdict::Ok),
        "Conditional Access still requires MFA"
    );
}

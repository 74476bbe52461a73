//! Break-glass groups that lose members. An empty group stops every plan. So does a group that lost an
//! account since the last apply, until the files say that this was intended.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use mfactl_sandbox::seeds;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::journal_files::JournalFiles;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, Run, World};

const JAMES: &str = "j.brown@exchangelabs.nl";
const GROUP: Uuid = seeds::BREAK_GLASS_ACCOUNTS;

fn james() -> Uuid {
    let seed = seeds::exchangelabs();
    let user = seed.users.iter().find(|one| one.user["userPrincipalName"] == JAMES);
    user.and_then(|user| user.user["id"].as_str()?.parse().ok()).expect("James")
}

/// The project file with the two named accounts and more lines below `breakGlass`.
fn project(world: &World, more: &str) -> String {
    world.project(&PROJECT.replace("brakes:", &format!("{more}brakes:")))
}

/// A world with the break-glass group, in addition to the named accounts.
fn world() -> World {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let text = project(&world, &format!("  groups: [{{ id: {GROUP} }}]\n"));
    world.file("mfactl.yaml", text)
}

fn with_break_glass(world: World, more: &str) -> World {
    let text = project(&world, more);
    world.file("mfactl.yaml", text)
}

fn member(world: &World, method: &str, user: Uuid) {
    let link = format!("https://graph.microsoft.com/v1.0/directoryObjects/{user}");
    let (path, body) = match method {
        "POST" => {
            (format!("/v1.0/groups/{GROUP}/members/$ref"), Some(json!({ "@odata.id": link })))
        }
        _ => (format!("/v1.0/groups/{GROUP}/members/{user}/$ref"), None),
    };
    let (status, answer) = world.call(method, &path, body.as_ref());
    assert_eq!(status, 204, "{answer}");
}

/// James is in the group at an apply and is removed after it.
fn after_james_left() -> World {
    let world = world();
    member(&world, "POST", james());
    world.run(&["apply", "--auto-approve"]).ends(0);
    member(&world, "DELETE", james());
    world
}

#[track_caller]
fn is_lost(run: Run) {
    let run = run.ends(3);
    assert!(run.stderr.contains("error[break-glass-lost]"), "{}", run.text());
    assert!(run.stderr.contains(&format!("`{JAMES}` (`{}`)", james())), "{}", run.text());
    for way in ["put them back", "`breakGlass.former`", "`allowEmpty: true`"] {
        assert!(run.stderr.contains(way), "{}", run.text());
    }
}

#[test]
fn empty_break_glass_group_is_an_error_even_if_the_minimum_is_met() {
    let world = world();
    for user in [seeds::BREAK_GLASS_1, seeds::BREAK_GLASS_2] {
        member(&world, "DELETE", user);
    }
    for command in [&["plan"][..], &["apply", "--auto-approve"], &["explain", JAMES]] {
        let run = world.run(command).ends(3);
        assert!(run.stderr.contains("error[break-glass-empty]"), "{}", run.text());
    }
    let report = world.run(&["report"]).ends(0);
    assert!(report.stdout.contains("break-glass-empty"), "{}", report.text());
    world.run(&["report", "--fail-on", "break-glass"]).ends(2);
    let world =
        with_break_glass(world, &format!("  groups: [{{ id: {GROUP}, allowEmpty: true }}]\n"));
    world.run(&["plan"]).ends(0);
}

#[test]
fn account_removed_since_the_last_apply_stops_every_plan() {
    let world = after_james_left();
    let before = world.server().store().writes().len();
    is_lost(world.run(&["plan"]));
    is_lost(world.run(&["apply", "--auto-approve"]));
    is_lost(world.run(&["explain", JAMES]));
    assert_eq!(world.server().store().writes().len(), before);
    let report = world.run(&["report"]).ends(0);
    assert!(report.stdout.contains("break-glass-lost"), "{}", report.text());
    world.run(&["report", "--fail-on", "break-glass"]).ends(2);
    member(&world, "POST", james());
    world.run(&["plan"]).ends(0);
}

#[test]
fn removed_account_that_the_files_name_as_former_is_accepted() {
    let group = format!("  groups: [{{ id: {GROUP} }}]\n");
    let former = format!("  former: [{{ id: {}, name: {JAMES} }}]\n", james());
    let world = with_break_glass(after_james_left(), &(group.clone() + &former));
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(!run.text().contains("break-glass-former"), "{}", run.text());
    // The new journal does not list James.
    let world = with_break_glass(world, &group);
    world.run(&["plan"]).ends(0);
    // A member of the group is guarded, also if the files name the account as a former one.
    let world = with_break_glass(world, &(group + &former));
    member(&world, "POST", james());
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("[break-glass-former]"), "{}", run.text());
    assert!(run.stdout.contains("break-glass accounts are never written"), "{}", run.text());
}

#[test]
fn removed_account_that_is_still_guarded_by_name_is_not_lost() {
    let world = after_james_left();
    let named = format!("    - {{ id: {} }}\n  groups: [{{ id: {GROUP} }}]\n", james());
    with_break_glass(world, &named).run(&["plan"]).ends(0);
}

#[test]
fn deleted_account_is_reported_as_lost() {
    let world = world();
    member(&world, "POST", james());
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(world.call("DELETE", &format!("/v1.0/users/{}", james()), None).0, 204);
    let text = JAMES_AND_JANE.replace(&format!("{JAMES}, "), "");
    let world = world.file("policies/staff.yaml", text);
    let run = world.run(&["plan"]).ends(3);
    let account = format!("`{}` (not in this tenant)", james());
    assert!(run.stderr.contains(&account), "{}", run.text());
}

#[test]
fn group_that_may_be_empty_may_lose_all_members() {
    let world = world();
    world.run(&["apply", "--auto-approve"]).ends(0);
    for user in [seeds::BREAK_GLASS_1, seeds::BREAK_GLASS_2] {
        member(&world, "DELETE", user);
    }
    let world =
        with_break_glass(world, &format!("  groups: [{{ id: {GROUP}, allowEmpty: true }}]\n"));
    world.run(&["plan"]).ends(0);
}

#[test]
fn journal_lists_the_break_glass_members_but_may_lack_them() {
    let world = after_james_left();
    let files = JournalFiles::of(&world);
    let run = files.names().pop().expect("a run").to_string();
    let text = String::from_utf8(files.text(&run)).expect("text");
    let (first, rest) = text.split_once('\n').expect("lines");
    let mut first: Value = serde_json::from_str(first).expect("JSON");
    let members = first["run"]["breakGlass"][GROUP.to_string()].clone();
    let mut expected = [seeds::BREAK_GLASS_1, seeds::BREAK_GLASS_2, james()];
    expected.sort();
    assert_eq!(members, json!(expected));
    // A journal of an older program has no such list.
    first["run"].as_object_mut().expect("an object").remove("breakGlass");
    files.put(&run, format!("{first}\n{rest}").as_bytes());
    world.run(&["plan"]).ends(0);
}

#[test]
fn members_are_also_compared_with_journals_in_another_folder() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let world = with_break_glass(world, &format!("  groups: [{{ id: {GROUP} }}]\n"));
    member(&world, "POST", james());
    world.run(&["apply", "--auto-approve", "--journal", "elsewhere"]).ends(0);
    member(&world, "DELETE", james());
    world.run(&["plan"]).ends(0);
    is_lost(world.run(&["plan", "--journal", "elsewhere"]));
    is_lost(world.run(&["apply", "--auto-approve", "--journal", "elsewhere"]));
}

/// A snapshot has the members of the last apply, by pseudonyms, and finds a former account even if it is gone.
#[test]
fn plan_of_a_snapshot_knows_the_accounts_that_a_break_glass_group_lost() {
    let offline = |world: &World| {
        world.run(&["snapshot", "--out", "tenant.snapshot"]).ends(0);
        world.run(&["plan", "--snapshot", "tenant.snapshot"])
    };
    let world = after_james_left();
    let run = offline(&world).ends(3);
    assert!(run.stderr.contains("error[break-glass-lost]"), "{}", run.text());
    assert!(!run.stderr.contains(&james().to_string()), "{}", run.text());
    let former = format!("  groups: [{{ id: {GROUP} }}]\n  former: [{{ id: {} }}]\n", james());
    let world = with_break_glass(world, &former);
    offline(&world).ends(0);
    assert_eq!(world.call("DELETE", &format!("/v1.0/users/{}", james()), None).0, 204);
    world.run(&["plan"]).ends(0);
    offline(&world).ends(0);
}

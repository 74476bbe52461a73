//! `plan --against`: what a change of the files does, apart from what was waiting anyway. The base is in git
//! or in another folder.
//!
//! Not here: the difference as a value (`difference`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use mfactl_sandbox::seeds;
use serde_json::{Value, json};

use crate::apply::faults::id_of;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, Run, World};

/// The same for Jane alone.
const JANE_ALONE: &str = "\
version: 1
policies:
  staff:
    appliesTo: { users: [j.smith@exchangelabs.nl] }
    desired:
      phones:
        mobile: { from: mobilePhone }
      perUserMfa: enabled
";

/// Runs git in the folder of a world.
pub(crate) fn git(world: &World, arguments: &[&str]) {
    let run = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(world.path(""))
        .env("HOME", world.path(""))
        .output()
        .expect("git");
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// A tenant, and a repository whose branch `main` has this policy.
fn with_base(policy: &str) -> World {
    let world = exchangelabs().world().file("policies/staff.yaml", policy);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "base"]);
    world
}

fn with_path(world: World) -> World {
    world.with("PATH", std::env::var("PATH").expect("a path"))
}

fn against(world: &World, more: &[&str]) -> Run {
    world.run(&[&["plan", "--against", "main"], more].concat())
}

fn difference(world: &World) -> Value {
    let plan = against(world, &["--format", "json"]).ends(0).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan["formatVersion"], "1.3");
    plan["difference"].clone()
}

#[test]
fn change_is_shown_apart_from_what_was_waiting() {
    let world = with_path(with_base(JANE_ALONE)).file("policies/staff.yaml", JAMES_AND_JANE);
    let run = against(&world, &[]).ends(0);
    for line in [
        "This change, compared with `main`",
        "  + mobile phone            a number   1 user ",
        "  governed: `staff` +1 −0",
        "  2 changes of 1 user wait with this change or without it.",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.text());
    }
    assert!(!run.stdout.contains("j.smith@exchangelabs.nl     "), "{}", run.text());
    let found = difference(&world);
    let change = &found["change"];
    assert_eq!((&found["compared"], &change["hasEffect"]), (&json!(true), &json!(true)));
    assert_eq!(change["waiting"], json!({ "users": 1, "changes": 2 }));
    assert_eq!(change["changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(change["loosenings"], json!([]));
}

#[test]
fn same_files_have_no_effect() {
    let world = with_path(with_base(JAMES_AND_JANE))
        .file("policies/staff.yaml", format!("# a comment\n{JAMES_AND_JANE}"));
    let run = against(&world, &["--detailed-exitcode"]).ends(0);
    assert!(run.stdout.contains("No effect: nothing in this tenant is planned"), "{}", run.text());
    assert!(run.stdout.contains("wait with this change or without it."), "{}", run.text());
    assert_eq!(difference(&world)["change"]["hasEffect"], json!(false));
}

#[test]
fn exit_code_is_about_the_change_alone() {
    let world = with_path(with_base(JANE_ALONE));
    // The plan has a change, and the change of the files has none.
    world.run(&["plan", "--detailed-exitcode"]).ends(2);
    against(&world, &["--detailed-exitcode"]).ends(0);
    let world = world.file("policies/staff.yaml", JAMES_AND_JANE);
    against(&world, &["--detailed-exitcode"]).ends(2);
    against(&world, &["--fail-on", "weakened,orphaned,loosened"]).ends(0);
    let world = world.file("policies/staff.yaml", JANE_ALONE.replace("j.smith", "x.tran"));
    let run = against(&world, &["--fail-on", "weakened,orphaned"]).ends(2);
    assert!(run.stderr.contains("--fail-on orphaned: met"), "{}", run.text());
    assert!(run.stdout.contains("governed by no policy any more: 1 user"), "{}", run.text());
}

#[test]
fn base_that_does_not_validate_is_reported() {
    for (base, why) in [
        ("version: 1\npolicies: { staff: { appliesTo: } }\n", "the base does not validate: "),
        (
            "version: 1\npolicies: { staff: { appliesTo: { groups: [No Such Group] }, desired: { perUserMfa: enabled } } }\n",
            "the base does not fit the tenant: ",
        ),
    ] {
        let world = with_path(with_base(base)).file("policies/staff.yaml", JAMES_AND_JANE);
        let run = against(&world, &[]).ends(0);
        assert!(run.stdout.contains(&format!("not compared: {why}")), "{}", run.text());
        assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
        // It is unknown what the change does, and that counts as met.
        against(&world, &["--detailed-exitcode"]).ends(2);
        let run = against(&world, &["--fail-on", "loosened"]).ends(2);
        assert!(run.stderr.contains("perhaps, because it is not compared"), "{}", run.text());
        assert_eq!(difference(&world)["compared"], json!(false));
    }
}

#[test]
fn base_can_be_a_folder() {
    let world = exchangelabs().james_and_jane();
    let project = fs::read(world.path("mfactl.yaml")).expect("a file");
    let world = world.file("old/mfactl.yaml", project).file("old/policies/staff.yaml", JANE_ALONE);
    for name in ["old", "./old"] {
        let run = world.run(&["plan", "--against", name]).ends(0);
        assert!(run.stdout.contains(&format!("compared with `{name}`")), "{}", run.text());
        assert!(run.stdout.contains("governed: `staff` +1 −0"), "{}", run.text());
    }
}

#[test]
fn base_that_does_not_exist_is_an_error() {
    let world = with_path(with_base(JANE_ALONE));
    for name in ["no-such-branch", "--output=x", "main:policies", ""] {
        let run = world.run(&["plan", &format!("--against={name}")]).ends(1);
        assert_eq!(run.stdout, "");
        let error = format!("error: `{name}` cannot be compared with: there is no such revision");
        assert!(run.stderr.starts_with(&error), "{name}: {}", run.text());
        assert!(run.stderr.contains("help: "), "{name}: {}", run.text());
    }
    let world = with_path(exchangelabs().james_and_jane());
    let run = against(&world, &[]).ends(1);
    assert!(run.stderr.contains("is in no git repository"), "{}", run.text());
    let world = with_base(JANE_ALONE).with("PATH", "/nowhere");
    let run = against(&world, &[]).ends(1);
    assert!(run.stderr.contains("git could not be run"), "{}", run.text());
}

/// A change can add a folder with the name of the branch, and files that look like a repository.
#[test]
fn change_does_not_choose_its_own_base() {
    let world = with_path(with_base(JANE_ALONE)).file("policies/staff.yaml", JAMES_AND_JANE);
    let project = fs::read(world.path("mfactl.yaml")).expect("a file");
    let world = world
        .file("main/mfactl.yaml", &project)
        .file("main/policies/staff.yaml", JAMES_AND_JANE)
        .file("elsewhere/mfactl.yaml", &project)
        .file("elsewhere/policies/staff.yaml", JAMES_AND_JANE);
    let run = against(&world, &[]).ends(0);
    assert!(run.stdout.contains("governed: `staff` +1 −0"), "{}", run.text());
    let run = world.run(&["plan", "--against", "./main"]).ends(0);
    assert!(run.stdout.contains("No effect"), "{}", run.text());
    let run = world.run(&["plan", "--against", "elsewhere"]).ends(1);
    assert!(run.stderr.contains("a folder begins with `./`"), "{}", run.text());

    let world = with_path(exchangelabs().world())
        .file("one/mfactl.yaml", &project)
        .file("one/policies/staff.yaml", JANE_ALONE);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "one"]);
    git(&world, &["commit", "--quiet", "--message", "base"]);
    let url = world.server().url().to_owned();
    let project = String::from_utf8(project).expect("text");
    let at = project.find("endpoints:").expect("endpoints");
    let project = format!("{}endpoints:\n  graph: {url}\n  login: {url}\n", &project[..at]);
    let world = world
        .file("one/mfactl.yaml", project)
        .file("one/policies/staff.yaml", JAMES_AND_JANE)
        .file("one/objects/.keep", "")
        .file("one/refs/heads/main", "0123456789012345678901234567890123456789\n")
        .file("one/HEAD", "ref: refs/heads/main\n")
        .file("one/config", "[core]\n\tbare = true\n");
    let command = ["--config", "one/mfactl.yaml", "plan", "--against", "main"];
    let project = fs::read(world.path("one/mfactl.yaml")).expect("a file");
    let world =
        world.file("main/mfactl.yaml", project).file("main/policies/staff.yaml", JAMES_AND_JANE);
    let run = world.run(&command).ends(1);
    assert!(run.stderr.contains("git does not take the folder"), "{}", run.text());
}

/// What a change does is compared with the base, and not with the tenant today.
#[test]
fn weaker_result_is_reported_as_weaker() {
    let world = with_path(with_base(JAMES_AND_JANE));
    let headline = |world: &World, code| {
        let page = against(world, &["--format", "markdown", "--fail-on", "weakened"]).ends(code);
        page.stdout.lines().nth(1).expect("a headline").to_owned()
    };
    // Jane gets MFA in both plans; no longer at all; under another name of the policy.
    let enforced = JAMES_AND_JANE.replace("enabled", "enforced");
    let unmanaged = JAMES_AND_JANE.replace("enabled", "unmanaged");
    let renamed = JAMES_AND_JANE.replace("  staff:", "  people:");
    for (policy, words, code) in [
        (&enforced, "this change raises 2 users", 0),
        (&unmanaged, "this change no longer raises 1 user, loosens 1 guard", 2),
        (&renamed, "this change raises none, lowers none", 0),
    ] {
        let world = with_path(with_base(JAMES_AND_JANE)).file("policies/staff.yaml", policy);
        let headline = headline(&world, code);
        assert!(headline.ends_with(words), "{words}: {headline}");
    }
    let weaker = with_path(with_base(&enforced)).file("policies/staff.yaml", JAMES_AND_JANE);
    let lowers = headline(&weaker, 2);
    assert!(lowers.contains("this change lowers 1 user"), "{lowers}");
    let world = world.file("policies/staff.yaml", &renamed);
    let run = against(&world, &[]).ends(0);
    assert!(run.stdout.contains("disabled → enabled, before by policy `staff`"), "{}", run.text());
    assert!(!run.stdout.contains("loosened"), "{}", run.text());
}

/// Users that leave the scope do not vanish from the table.
#[test]
fn both_columns_of_the_postures_have_as_many_users() {
    let world = with_path(with_base(JAMES_AND_JANE)).file("policies/staff.yaml", JANE_ALONE);
    let page = against(&world, &["--format", "markdown"]).ends(0).stdout;
    assert!(page.contains("| in no policy | 0 | 1 |"), "{page}");
    let posture = &difference(&world)["change"]["posture"];
    let sum = |side: &str| -> u64 {
        let side = posture[side].as_object().expect("counts");
        side.values().map(|number| number.as_u64().expect("a number")).sum()
    };
    assert_eq!((sum("without"), sum("with")), (2, 2), "{posture}");
}

/// A review tells no more than the base allows.
#[test]
fn change_does_not_raise_what_its_review_tells() {
    let world = with_path(with_base(JANE_ALONE)).file("policies/staff.yaml", JAMES_AND_JANE);
    let project = fs::read_to_string(world.path("mfactl.yaml")).expect("a file");
    let world = world.file("mfactl.yaml", format!("{project}disclose: names\n")).with("CI", "true");
    let run = against(&world, &["--all"]).ends(0);
    assert!(!run.text().contains("j.brown"), "{}", run.text());
    let user = "j.brown@exchangelabs.nl";
    let run = world.run(&["explain", user, "--against", "main"]).ends(1);
    assert_eq!(run.stdout, "");
}

/// Files of the base are data: nothing that the repository names is run, and links are not followed.
#[test]
fn base_is_read_as_data() {
    let world = with_path(with_base(JANE_ALONE)).file("policies/staff.yaml", JAMES_AND_JANE);
    let trap = world.path("ran");
    let script = format!("#!/bin/sh\ntouch {}\ncat\n", trap.display());
    let world =
        world.file("trap.sh", script).file(".gitattributes", "*.yaml filter=trap diff=trap\n");
    executable(&world.path("trap.sh"));
    let program = world.path("trap.sh").display().to_string();
    for key in [
        "core.fsmonitor",
        "filter.trap.smudge",
        "filter.trap.process",
        "diff.trap.textconv",
        "core.pager",
        "core.sshCommand",
    ] {
        git(&world, &["config", key, &program]);
    }
    git(&world, &["config", "core.hooksPath", &world.path("hooks").display().to_string()]);
    for hook in ["post-checkout", "reference-transaction", "post-index-change"] {
        let path = format!("hooks/{hook}");
        fs::create_dir_all(world.path("hooks")).expect("a folder");
        fs::copy(world.path("trap.sh"), world.path(&path)).expect("a copy");
        executable(&world.path(&path));
    }
    let run = against(&world, &[]).ends(0);
    assert!(run.stdout.contains("governed: `staff` +1 −0"), "{}", run.text());
    assert!(!trap.exists(), "a program of the repository was run");
}

#[cfg(unix)]
fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[cfg(unix)]
#[test]
fn link_in_the_base_is_not_followed() {
    let world = exchangelabs().world();
    fs::create_dir_all(world.path("policies")).expect("a folder");
    std::os::unix::fs::symlink("/proc/self/environ", world.path("policies/staff.yaml"))
        .expect("a link");
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "base"]);
    fs::remove_file(world.path("policies/staff.yaml")).expect("a link");
    let world = with_path(world).file("policies/staff.yaml", JAMES_AND_JANE);
    let run = against(&world, &[]).ends(0);
    assert!(run.stdout.contains("links are not followed"), "{}", run.text());
}

/// The policies of the base are in a folder above the folder of `mfactl.yaml`, and the path of the folder
/// contains characters that mean something to git.
#[test]
fn base_in_a_folder_of_the_repository_is_found() {
    let world = exchangelabs().world();
    let project = fs::read_to_string(world.path("mfactl.yaml")).expect("a file");
    let project = project.replace("policies: policies", "policies: ../all/[every]*");
    let world = world
        .file("tenants/one/mfactl.yaml", project)
        .file("tenants/all/[every]*/staff.yaml", JANE_ALONE)
        .file("tenants/all/every/other.yaml", JAMES_AND_JANE);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "tenants"]);
    git(&world, &["commit", "--quiet", "--message", "base"]);
    let world = with_path(world).file("tenants/all/[every]*/staff.yaml", JAMES_AND_JANE);
    let run = world.run(&["--config", "tenants/one/mfactl.yaml", "plan", "--against", "HEAD"]);
    let run = run.ends(0);
    assert!(run.stdout.contains("governed: `staff` +1 −0"), "{}", run.text());
}

#[test]
fn explain_shows_what_the_change_does_for_one_user() {
    let world = with_path(with_base(JANE_ALONE)).file("policies/staff.yaml", JAMES_AND_JANE);
    let explained = |user: &str, more: &[&str]| {
        let user = format!("{user}@exchangelabs.nl");
        world.run(&[&["explain", &user, "--against", "main"], more].concat()).ends(0)
    };
    let james = explained("j.brown", &[]);
    for line in [
        "This change, compared with `main`",
        "  posture after an apply  protected, before: open",
        "  applies from now on     staff",
        "  mobile phone            becomes +31 6••••••78 (staff  policies/staff.yaml:8); before: none, left as it is (no policy)",
    ] {
        assert!(james.stdout.contains(line), "{line}\n{}", james.text());
    }
    assert!(explained("j.smith", &[]).stdout.contains("  No effect on this user."));
    let json = explained("j.brown", &["--format", "json"]).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let change = &json["difference"]["change"];
    assert_eq!(change["posture"], json!({ "without": "open", "with": "protected" }));
    assert_eq!(change["starting"], json!(["staff"]));
    assert_eq!(change["settings"][0]["without"]["verdict"], "unmentioned");
    // A user in no policy, on both sides.
    assert!(explained("x.tran", &[]).stdout.contains("  No effect on this user."));
}

/// What a reviewer copies from the last line of the page.
pub(crate) fn reviewed(page: &str) -> String {
    let (_, foot) = page.rsplit_once("for `apply --approved-difference`: ").expect("a difference");
    foot.split('`').nth(1).expect("a code").to_owned()
}

/// Applies under a review, compared with a base.
fn apply_reviewed(world: &World, difference: &str, base: &str) -> Run {
    let held = ["--approved-difference", difference, "--against", base];
    world.run(&[&["apply", "--auto-approve"], &held[..]].concat())
}

#[test]
fn only_the_reviewed_change_of_the_files_is_applied() {
    let world = with_path(with_base(JANE_ALONE)).file("policies/staff.yaml", JAMES_AND_JANE);
    let page = against(&world, &["--format", "markdown"]).ends(0).stdout;
    let difference = reviewed(&page);
    assert!(difference.ends_with(":governs,phones.mobile-adds"), "{difference}");
    // The same kinds for more users, which is another change of the files.
    let more = JAMES_AND_JANE.replace("j.brown@", "a.jansen@exchangelabs.nl, j.brown@");
    let world = world.file("policies/staff.yaml", more);
    let run = apply_reviewed(&world, &difference, "main").ends(4);
    let why =
        "refused: the files now change something else than what was reviewed\nhelp: compare again";
    assert!(run.stderr.contains(why), "{}", run.text());
    // After the merge, the branch is what was merged.
    let world = world.file("policies/staff.yaml", JAMES_AND_JANE);
    git(&world, &["commit", "--quiet", "--all", "--message", "merged"]);
    let run = apply_reviewed(&world, &difference, "main").ends(4);
    let why = "refused: the base has the same policies and keys, so the reviewed change is not compared\nhelp: name the revision before";
    assert!(run.stderr.contains(why), "{}", run.text());
    let run = apply_reviewed(&world, &difference, "gone").ends(1);
    assert!(run.stderr.contains("`gone`"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 0);
    apply_reviewed(&world, &difference, "HEAD^1").ends(0);
    assert_eq!(world.server().store().writes().len(), 3);
    // What is done is no other kind.
    apply_reviewed(&world, &difference, "HEAD^1").ends(0);
}

/// On the day of the review, the change has an effect on Jane alone, who has no administrator role. Later the
/// group has a member with one.
#[test]
fn kind_that_was_not_reviewed_refuses_the_reviewed_change() {
    let pilot = "5a8f1c52-9d0e-4f6b-8b1a-1f2f6c7f5a01";
    let of_pilot = "version: 1\npolicies:\n  pilot:\n    appliesTo: { groups: [Pilot] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";
    let member = id_of("j.smith@exchangelabs.nl").parse().expect("an id");
    let world = exchangelabs()
        .with_group(pilot.parse().expect("an id"), "Pilot", vec![member])
        .world()
        .file("policies/pilot.yaml", of_pilot);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "base"]);
    let mfa = of_pilot.replace("mobilePhone } }", "mobilePhone } }, perUserMfa: enforced");
    let world = with_path(world).file("policies/pilot.yaml", mfa);
    let difference = reviewed(&against(&world, &["--format", "markdown"]).ends(0).stdout);
    assert!(difference.ends_with(":perUserMfa-raises"), "{difference}");
    let roles = seeds::exchangelabs().tenant.role_assignments;
    // The first two are break-glass accounts.
    let admin = roles[2]["principalId"].as_str().expect("an id").to_owned();
    let url = world.server().url();
    let added = json!({ "@odata.id": format!("{url}/v1.0/directoryObjects/{admin}") });
    let added = world.call("POST", &format!("/v1.0/groups/{pilot}/members/$ref"), Some(&added));
    assert_eq!(added.0, 204, "{added:?}");
    let before = world.server().store().writes().len();
    let run = apply_reviewed(&world, &difference, "main").ends(4);
    let why = "refused: the change of the files now does what was not reviewed: privileged";
    assert!(run.stderr.contains(why), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), before);
}

//! Links, pipes and sockets in place of files: the program follows none out of the repository, waits
//! for none, and does not show, empty or overwrite files that it does not own.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, Run, World};

const STAFF: &str = include_str!("../../samples/valid/minimal/policies/staff.yaml");
const SECRET: &str = "AZURE_CLIENT_SECRET=s3cret-of-the-job";

/// A repository in a folder, next to files that must stay secret.
fn repository() -> World {
    World::empty()
        .file("secret", SECRET)
        .file("secret.yaml", SECRET)
        .file("repository/.git/config", SECRET)
        .file("repository/common/all.yaml", STAFF)
        .file("repository/conf/mfactl.yaml", PROJECT.replace("exchangelabs.nl", "sandbox"))
        .file("repository/conf/policies/first.yaml", STAFF.replace("staff", "first"))
}

fn link(world: &World, to: &str, at: &str) {
    symlink(to, world.path(at)).expect("a link");
}

/// Runs `validate`, and checks that it prints no secret and does not wait.
fn validate(world: &World) -> Run {
    let begun = Instant::now();
    let run = world.run(&["validate", "--config", "repository/conf/mfactl.yaml"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "the program waited for something");
    assert!(!run.text().contains("s3cret"), "{}", run.text());
    run
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}

#[test]
fn policy_link_out_of_the_repository_is_refused() {
    let policies = "repository/conf/policies";
    for (to, at) in [
        ("/proc/self/environ", "x.yaml"),
        ("../../../secret", "x.yaml"),
        ("../../../secret.yaml", "x.yaml"),
        ("../../..", "more"),
        ("../../.git/config", "x.yaml"),
        ("../../.git", "more"),
        ("/proc/self", "more"),
    ] {
        let world = repository();
        link(&world, to, &format!("{policies}/{at}"));
        let run = validate(&world).ends(3);
        assert!(run.stderr.contains("error[file-outside]"), "{to}: {}", run.text());
    }
    let world = repository();
    link(&world, "../../secret.yaml", "repository/conf/once.yaml");
    link(&world, "../once.yaml", &format!("{policies}/twice.yaml"));
    assert!(validate(&world).ends(3).stderr.contains("error[file-outside]"));
}

#[test]
fn links_inside_the_repository_are_followed() {
    let world = repository();
    link(&world, "../../common/all.yaml", "repository/conf/policies/linked.yaml");
    link(&world, "../conf", "repository/common/back");
    validate(&world).ends(0);
    // A folder behind a link, and then the whole folder of policies.
    let world = repository();
    link(&world, "../../common", "repository/conf/policies/more");
    validate(&world).ends(0);
    let world = repository();
    fs::rename(world.path("repository/conf/policies"), world.path("repository/files"))
        .expect("moved");
    link(&world, "../files", "repository/conf/policies");
    validate(&world).ends(0);
    // A volume of Kubernetes has its files behind two links.
    let world = World::empty()
        .file("mount/mfactl.yaml", PROJECT.replace("exchangelabs.nl", "sandbox"))
        .file("mount/policies/..2026/staff.yaml", STAFF);
    link(&world, "..2026", "mount/policies/..data");
    link(&world, "..data/staff.yaml", "mount/policies/staff.yaml");
    world.run(&["validate", "--config", "mount/mfactl.yaml"]).ends(0);
}

#[test]
fn linked_file_elsewhere_in_the_repository_is_not_shown() {
    let world = repository().file("repository/deploy/values.yaml", SECRET);
    link(&world, "../../deploy/values.yaml", "repository/conf/policies/x.yaml");
    let run = validate(&world).ends(3);
    assert!(run.stderr.contains("policies/x.yaml"), "{}", run.text());
    // A message does not repeat a word of the file either.
    for text in ["s3cret: 1\n", "version: 1\npolicies: { a: { s3cret: 1 } }\n", "version: s3cret\n"]
    {
        fs::write(world.path("repository/deploy/values.yaml"), text).expect("a file");
        validate(&world).ends(3);
    }
    let valid = STAFF.replace("All Staff", " ").replace("staff:", "s3cret:");
    fs::write(world.path("repository/deploy/values.yaml"), valid).expect("a file");
    validate(&world).ends(3);
}

#[test]
fn links_between_folders_cause_no_loop() {
    let world = repository();
    for name in ["a", "b", "c"] {
        link(&world, ".", &format!("repository/conf/policies/{name}"));
    }
    let run = validate(&world).ends(3);
    assert!(run.stderr.contains("already read"), "{}", run.text());
}

#[test]
fn policies_outside_are_refused_unless_the_project_allows_them() {
    let world = repository().file("others/policies/staff.yaml", STAFF);
    let project = |line: &str| {
        let text =
            PROJECT.replace("exchangelabs.nl", "sandbox").replace("policies: policies", line);
        fs::write(world.path("repository/conf/mfactl.yaml"), text).expect("a file");
    };
    project("policies: ../../others/policies");
    let run = validate(&world).ends(3);
    assert!(run.stderr.contains("error[file-outside]"), "{}", run.text());
    assert!(run.stderr.contains("policiesOutside: true"), "{}", run.text());
    project("policies: ../../others/policies\npoliciesOutside: false");
    validate(&world).ends(3);
    project("policies: ../../others/policies\npoliciesOutside: true");
    validate(&world).ends(0);
    // Links still stay below that folder.
    link(&world, "../../secret.yaml", "others/policies/x.yaml");
    assert!(validate(&world).ends(3).stderr.contains("error[file-outside]"));
    // Another folder of the repository needs no such key.
    project("policies: ../common");
    validate(&world).ends(0);
}

#[test]
fn mfactl_yaml_link_out_of_the_repository_is_refused() {
    for to in ["/proc/self/environ", "../../secret", "../.git/config"] {
        let world = repository();
        fs::remove_file(world.path("repository/conf/mfactl.yaml")).expect("removed");
        link(&world, to, "repository/conf/mfactl.yaml");
        let run = validate(&world).ends(3);
        assert!(run.stderr.contains("error[file-outside]"), "{to}: {}", run.text());
    }
}

#[test]
fn pipes_sockets_and_folders_are_refused_as_policies() {
    let world = repository();
    pipe(&world.path("repository/conf/policies/pipe.yaml"));
    let _socket = UnixListener::bind(world.path("repository/conf/policies/socket.yaml"));
    fs::create_dir(world.path("repository/conf/policies/folder.yaml")).expect("a folder");
    link(&world, "pipe.yaml", "repository/conf/policies/linked.yaml");
    let run = validate(&world).ends(3);
    assert!(run.stderr.ends_with("4 errors\n"), "{}", run.text());
    assert!(run.stderr.contains("is a folder, not a file"), "{}", run.text());
    fs::remove_file(world.path("repository/conf/mfactl.yaml")).expect("removed");
    pipe(&world.path("repository/conf/mfactl.yaml"));
    assert!(validate(&world).ends(3).stderr.contains("not a regular file"));
}

/// A tenant with a policy, and a folder elsewhere that must not be touched.
fn tenant() -> World {
    exchangelabs()
        .world()
        .file("policies/staff.yaml", STAFF)
        .file("elsewhere/file", SECRET)
        .file("elsewhere/runs/keep", "")
}

fn apply(world: &World) -> Run {
    let run = world.run(&["apply", "--auto-approve", "--limit", "1"]);
    assert_eq!(fs::read_to_string(world.path("elsewhere/file")).expect("a file"), SECRET);
    assert!(!run.text().contains("s3cret"), "{}", run.text());
    run
}

#[test]
fn linked_folder_of_runs_is_refused() {
    let id = tenant().server().tenant_id();
    let (own, journal) = (format!(".mfactl/{id}"), format!(".mfactl/{id}/journal"));
    for (to, at) in
        [("elsewhere", ".mfactl"), ("../elsewhere", &own), ("../../elsewhere", &journal)]
    {
        let world = tenant();
        assert_eq!(world.server().tenant_id(), id);
        let inside = world.path(at);
        fs::create_dir_all(inside.parent().expect("a folder")).expect("a folder");
        link(&world, to, at);
        let run = apply(&world).ends(1);
        assert!(run.stderr.contains("is a link"), "{}", run.text());
        assert!(world.server().store().writes().is_empty());
        let inside = fs::read_dir(world.path("elsewhere")).expect("a folder").count();
        assert_eq!(inside, 2, "a file was made behind the link");
    }
    let world = tenant();
    fs::create_dir(world.path(".mfactl")).expect("a folder");
    link(&world, "../elsewhere", ".mfactl/restore");
    assert!(apply(&world).ends(1).stderr.contains("is a link"));
}

#[test]
fn other_file_in_place_of_the_lock_is_not_changed() {
    let lock = |world: &World| {
        let id = world.server().tenant_id();
        world.path(&format!(".mfactl/{id}/lock.json"))
    };
    let world = tenant();
    fs::create_dir_all(lock(&world).parent().expect("a folder")).expect("a folder");
    symlink("../../elsewhere/file", lock(&world)).expect("a link");
    assert!(apply(&world).ends(1).stderr.contains("is a link"));
    fs::remove_file(lock(&world)).expect("removed");
    fs::hard_link(world.path("elsewhere/file"), lock(&world)).expect("a link");
    apply(&world).ends(1);
    fs::remove_file(lock(&world)).expect("removed");
    fs::copy(world.path("elsewhere/file"), lock(&world)).expect("a copy");
    apply(&world).ends(1);
    assert_eq!(fs::read_to_string(lock(&world)).expect("a file"), SECRET);
    fs::remove_file(lock(&world)).expect("removed");
    pipe(&lock(&world));
    apply(&world).ends(1);
    fs::remove_file(lock(&world)).expect("removed");
    assert!(world.server().store().writes().is_empty());
    apply(&world).ends(0);
}

#[test]
fn sandbox_does_not_follow_links() {
    let world = World::empty()
        .file("mfactl.yaml", PROJECT.replace("exchangelabs.nl", "sandbox"))
        .file("policies/staff.yaml", STAFF)
        .file("elsewhere/sandbox/writes.jsonl", SECRET)
        .file("elsewhere/sandbox/lock", SECRET);
    let kept = |world: &World, run: &Run| {
        for file in ["writes.jsonl", "lock"] {
            let text = fs::read_to_string(world.path(&format!("elsewhere/sandbox/{file}")));
            assert_eq!(text.expect("a file"), SECRET);
        }
        assert!(!run.text().contains("s3cret"), "{}", run.text());
    };
    let commands: [&[&str]; 4] =
        [&["plan"], &["apply", "--auto-approve"], &["sandbox", "reset"], &["sandbox", "show"]];
    for (to, at) in [
        ("elsewhere", ".mfactl"),
        ("../elsewhere/sandbox", ".mfactl/sandbox"),
        ("../../elsewhere/sandbox/writes.jsonl", ".mfactl/sandbox/writes.jsonl"),
        ("../../elsewhere/sandbox/lock", ".mfactl/sandbox/lock"),
    ] {
        let parent = world.path(at);
        for command in commands {
            fs::create_dir_all(parent.parent().expect("a parent")).expect("a folder");
            link(&world, to, at);
            let run = world.run(command);
            kept(&world, &run);
            let is_read_only = command.contains(&"show") && at.ends_with("lock");
            // The link itself is removed.
            let is_replaced = command.contains(&"reset") && at.ends_with("writes.jsonl");
            assert!(run.code == Some(1) || is_read_only || is_replaced, "{at}: {}", run.text());
            _ = fs::remove_file(world.path(at));
            _ = fs::remove_dir_all(world.path(".mfactl"));
        }
    }
    // A file that no sandbox wrote.
    for file in ["writes.jsonl", "lock"] {
        let world = World::empty()
            .file("mfactl.yaml", PROJECT.replace("exchangelabs.nl", "sandbox"))
            .file("policies/staff.yaml", STAFF)
            .file(&format!(".mfactl/sandbox/{file}"), SECRET);
        world.run(&["apply", "--auto-approve"]).ends(1);
        let path = world.path(&format!(".mfactl/sandbox/{file}"));
        assert_eq!(fs::read_to_string(path).expect("a file"), SECRET);
    }
}

#[test]
fn plan_is_saved_only_to_a_new_file_or_over_a_plan() {
    plan_is_saved(3);
}

#[test]
#[ignore = "long: every kind of file"]
fn plan_is_saved_over_no_other_kind_of_file() {
    plan_is_saved(1);
}

/// Takes every `step`-th row.
fn plan_is_saved(step: usize) {
    let world = tenant();
    let out = |path: &str| world.run(&["plan", "--out", path]);
    out("staff.plan").ends(0);
    let mode = fs::metadata(world.path("staff.plan")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    out("staff.plan").ends(0);
    let world = world.file("empty", "");
    let out = |path: &str| world.run(&["plan", "--out", path]);
    out("empty").ends(0);
    link(&world, "elsewhere/file", "link");
    link(&world, "nowhere", "dangling");
    link(&world, "staff.plan", "to-plan");
    pipe(&world.path("pipe"));
    let _socket = UnixListener::bind(world.path("socket"));
    for path in [
        "elsewhere",
        "elsewhere/file",
        "link",
        "dangling",
        "to-plan",
        "pipe",
        "socket",
        "policies/staff.yaml",
        "mfactl.yaml",
        "/dev/null",
        "/dev/full",
        "/proc/self/fd/0",
    ]
    .into_iter()
    .step_by(step)
    {
        let before = fs::read(world.path("policies/staff.yaml")).expect("a file");
        let run = out(path).ends(1);
        assert!(run.stderr.contains("the plan cannot be saved in"), "{path}: {}", run.text());
        assert_eq!(fs::read(world.path("policies/staff.yaml")).expect("a file"), before);
    }
    assert_eq!(fs::read_to_string(world.path("elsewhere/file")).expect("a file"), SECRET);
    assert!(!world.path("nowhere").exists());
    assert!(out("no/such/folder").ends(1).stderr.contains("could not be saved"));
    world.run(&["apply", "staff.plan"]).ends(0);
}

#[test]
fn plan_can_be_saved_to_a_pipe() {
    let world = tenant();
    let run = world.run(&["plan", "--out", "-"]).ends(0);
    assert!(run.stdout.starts_with("{\"plan\":{"), "{}", run.text());
    assert!(run.stderr.contains("mfactl plan "), "{}", run.text());
    fs::write(world.path("by-hand.plan"), run.stdout).expect("a file");
    let shown = world.run(&["show", "by-hand.plan"]).ends(0);
    assert_eq!(shown.stdout, world.run(&["plan"]).ends(0).stdout);
    let run = world.run(&["plan", "--out", "/dev/stdout"]).ends(0);
    assert!(run.stdout.starts_with("{\"plan\":{"), "{}", run.text());
    world.run(&["plan", "--out", "-", "--format", "json"]).ends(1);
    // The pipes that the shell makes for `>(…)` and `<(…)`.
    let mut bash = world.command(&[]);
    let program = bash.get_program().to_owned();
    let script = "\"$0\" plan --out >(cat >through.plan) >/dev/null && sleep 1 && \"$0\" show <(cat through.plan)";
    let mut through = Command::new("bash");
    through.arg("-c").arg(script).arg(program).current_dir(world.path(""));
    through.env_clear().env("PATH", "/usr/bin:/bin");
    through.envs(
        bash.env("NO_COLOR", "1").get_envs().filter_map(|(name, value)| Some((name, value?))),
    );
    let output = through.output().expect("bash");
    assert_eq!(world.alike(&output.stdout), shown.stdout, "{}", world.alike(&output.stderr));
}

#[test]
fn token_and_certificate_files_must_be_regular_and_small() {
    secret_files_must_be_regular(4);
}

#[test]
#[ignore = "long: every kind of file for each use"]
fn token_and_certificate_files_must_be_regular_and_small_for_each_use() {
    secret_files_must_be_regular(1);
}

/// Takes every `step`-th row.
fn secret_files_must_be_regular(step: usize) {
    let large = "x".repeat(9 * 1024 * 1024);
    for (variable, argument) in [
        (Some("AZURE_FEDERATED_TOKEN_FILE"), None),
        (Some("AZURE_CLIENT_CERTIFICATE_PATH"), None),
        (None, Some("--ca-file")),
    ] {
        let world = tenant().without("AZURE_CLIENT_SECRET").file("large", &large);
        pipe(&world.path("pipe"));
        link(&world, "pipe", "to-pipe");
        link(&world, "/proc/self/environ", "environ");
        let names = ["large", "pipe", "to-pipe", "elsewhere", "environ", "elsewhere/file"];
        for name in names.into_iter().step_by(step) {
            let path = world.path(name).display().to_string();
            let mut command = world.command(&["plan"]);
            match (variable, argument) {
                (Some(variable), _) => command.env(variable, &path),
                (_, Some(argument)) => command.arg(argument).arg(&path),
                _ => &mut command,
            };
            command.env("JOB_SECRET", "s3cret-of-the-job");
            let output = command.output().expect("the program");
            let text = format!("{}{}", world.alike(&output.stdout), world.alike(&output.stderr));
            assert_eq!(output.status.code(), Some(1), "{name}: {text}");
            assert!(!text.contains("s3cret") && !text.contains("xxxx"), "{name}: {text}");
        }
    }
}

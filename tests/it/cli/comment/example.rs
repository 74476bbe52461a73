//! The example of a pull request: its commands as they are written, and its story with the comment.
//!
//! Not here: the comments of other plans (`planned`, `posting`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::stand_in::{Kind, StandIn};
use crate::plan::against::git;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

fn folder(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pull-request").join(part)
}

/// The branch `main` of the example and a branch for the change, with a tenant.
fn repository() -> World {
    let world = exchangelabs().served().copy(&folder("main"), ".");
    let project = fs::read_to_string(world.path("mfactl.yaml")).expect("a project");
    let project = world.project(&project);
    let world = world.file("mfactl.yaml", project);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "."]);
    git(&world, &["commit", "--quiet", "--message", "Policies"]);
    git(&world, &["switch", "--quiet", "--create", "exception"]);
    world.with("PATH", std::env::var("PATH").unwrap_or_default())
}

fn push(world: World, files: &str) -> World {
    let world = world.copy(&folder(files), ".");
    git(&world, &["commit", "--quiet", "--all", "--message", files]);
    world
}

/// Does what the workflow of the example does. Returns what was done, and the comment.
fn workflow(world: &World, host: &StandIn) -> (String, String) {
    let validate = world.run(&["validate", "--against", "main", "--format", "github"]).ends(0);
    assert!(validate.stdout.starts_with("::warning"), "{}", validate.text());
    let plan = ["plan", "--against", "main", "--format", "markdown", "--disclose", "counts"];
    let page = world.run(&plan).ends(0).stdout;
    let done = super::posted(host, &page, &[]).ends(0).stdout;
    let comments = host.state().comments.clone();
    assert_eq!(comments.len(), 1, "{comments:#?}");
    (done, comments.first().map(|one| one.body.clone()).unwrap_or_default())
}

/// The part of the comment about the change: without the marker, what waits, and the history.
fn about_the_change(comment: &str) -> Vec<&str> {
    let lines = comment.lines().skip(1);
    lines.take_while(|line| !line.starts_with("Waiting with this change")).collect()
}

#[test]
fn comment_follows_the_pushes_and_not_the_tenant() {
    let host = StandIn::new(Kind::GitHub);
    let world = push(repository(), "first-push");
    let (done, first) = workflow(&world, &host);
    assert!(done.starts_with("created comment"), "{done}");
    for part in [
        "this change no longer raises 7 users, no longer adds 10 phones, loosens 1 guard",
        "**loosened**: an exception excludes more users from policy `staff` · \
            `policies/staff.yaml:12` · 14 users · `exception-widened`",
        "**governed by no policy any more**: 14 users",
        "Waiting with this change or without it: 51 changes of 28 users.",
    ] {
        assert!(first.contains(part), "{part}\n{first}");
    }

    // Another administrator switches MFA off for a user that the change does not concern.
    let user = "33241212-2a0c-440b-9428-eafad11fd22f";
    let path = format!("/beta/users/{user}/authentication/requirements");
    let (status, answer) =
        world.call("PATCH", &path, Some(&json!({ "perUserMfaState": "disabled" })));
    assert!(status < 300, "{answer}");
    let (done, again) = workflow(&world, &host);
    assert!(done.starts_with("edited comment"), "{done}");
    assert_eq!(about_the_change(&again), about_the_change(&first));
    assert!(again.contains("without it: 52 changes of 29 users."), "{again}");

    let world = push(world, "second-push");
    let (done, second) = workflow(&world, &host);
    assert!(done.starts_with("edited comment"), "{done}");
    for part in [
        "this change no longer raises &lt;5 users, no longer adds &lt;5 phones, loosens 1 guard",
        "`policies/staff.yaml:12` · &lt;5 users · `exception-widened`",
        "- 1 push ago: difference `",
    ] {
        assert!(second.contains(part), "{part}\n{second}");
    }
    assert!(!second.contains("14 users"), "{second}");
    // The same push in a tenant that nobody else changed.
    let untouched = push(push(repository(), "first-push"), "second-push");
    let (_, alone) = workflow(&untouched, &StandIn::new(Kind::GitHub));
    assert_eq!(about_the_change(&second), about_the_change(&alone));
}

#[test]
fn commands_of_the_example_run_as_written() {
    let text = fs::read_to_string(folder("README.md")).expect("a page");
    let script = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    let script = script.expect("commands");
    let world = World::empty().copy(&folder("."), ".");
    let program = Path::new(env!("CARGO_BIN_EXE_mfactl")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", script]).current_dir(world.path("."));
    shell.env_clear().env("HOME", world.path(".")).env("PATH", path);
    let output = shell.env("MFACTL_TODAY", "2026-11-22").output().expect("a shell");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "governed by no policy any more: 14 users",
        "disabled → enabled is no longer planned   7 users",
        "a guard becomes weaker: status 2",
    ] {
        assert!(stdout.contains(part), "{part}\n{stdout}");
    }
}

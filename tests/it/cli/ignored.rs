//! Git and files with full numbers: the folder of runs is ignored by git, and a saved plan that git
//! does not ignore causes a warning.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

const FILE: &str = ".mfactl/.gitignore";

#[test]
fn folder_of_runs_is_ignored_by_git() {
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve", "--limit", "1"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "*\n");
    // The file is made again if it is missing, and a changed file is kept.
    fs::remove_file(world.path(FILE)).expect("ours");
    world.run(&["apply", "--auto-approve", "--limit", "1"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "*\n");
    let world = world.file(FILE, "restore\n");
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "restore\n");
}

#[test]
fn other_folders_for_runs_and_the_sandbox_are_ignored_by_git() {
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve", "--journal", "made/here"]).ends(0);
    assert_eq!(fs::read_to_string(world.path("made/here/.gitignore")).expect("a file"), "*\n");
    assert!(!world.path("made/.gitignore").exists(), "an existing folder of the user gets no file");
    let world = World::empty();
    world.run(&["sandbox", "reset"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "*\n");
}

/// Runs git in a folder. Returns false if git is missing or fails.
fn git(folder: &Path, arguments: &[&str]) -> bool {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1");
    git.output().is_ok_and(|output| output.status.success())
}

#[test]
fn saved_plan_that_git_does_not_ignore_causes_a_warning() {
    let world = exchangelabs().james_and_jane();
    let run = world.run(&["plan", "--out", "a.plan"]).ends(0);
    assert!(!run.stderr.contains("git"), "no work tree: {}", run.text());
    // This folder looks like a repository but is none, so it is unknown whether git ignores the file.
    fs::create_dir(world.path(".git")).expect("a folder");
    let run = world.run(&["plan", "--out", "b.plan"]).ends(0);
    assert!(run.stderr.contains("it is unknown whether git ignores it"), "{}", run.text());
    fs::remove_dir(world.path(".git")).expect("a folder");
    if !git(&world.path(""), &["init", "--quiet"]) {
        return;
    }
    let warning = "warning: git does not ignore `c.plan`";
    let run = world.run(&["plan", "--out", "c.plan"]).ends(0);
    assert!(run.stderr.contains(warning), "{}", run.text());
    // Variables of a hook and programs that the repository names have no effect.
    let world = world
        .with("GIT_DIR", "/nowhere")
        .file("monitor.sh", "#!/bin/sh\ntouch ran\n")
        .file(".gitignore", "*.plan\n");
    assert!(git(&world.path(""), &["config", "core.fsmonitor", "sh monitor.sh"]));
    let run = world.run(&["plan", "--out", "c.plan"]).ends(0);
    assert!(!run.stderr.contains("git"), "{}", run.text());
    assert!(!world.path("ran").exists(), "a program of the repository ran");
    // A file that is ignored but already tracked goes into the next commit.
    assert!(git(&world.path(""), &["add", "--force", "c.plan"]));
    let run = world.run(&["plan", "--out", "c.plan"]).ends(0);
    assert!(run.stderr.contains(warning), "{}", run.text());
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("d.plan").display().to_string();
    let run = world.run(&["plan", "--out", &path]).ends(0);
    assert!(!run.stderr.contains("git"), "{}", run.text());
}

//! Files with numbers in full and git: the folder of runs tells git to leave it alone, and a saved plan
//! that git would take up is warned of.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::program::{exchangelabs, james_and_jane};
use crate::support::world::World;

const FILE: &str = ".mfactl/.gitignore";

#[test]
fn a_folder_of_runs_keeps_itself_out_of_git() {
    let world = james_and_jane(exchangelabs());
    world.run(&["apply", "--auto-approve", "--limit", "1"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "*\n");
    // One that was made before, and one that somebody wrote.
    fs::remove_file(world.path(FILE)).expect("ours");
    world.run(&["apply", "--auto-approve", "--limit", "1"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "*\n");
    let world = world.file(FILE, "restore\n");
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "restore\n");
}

#[test]
fn every_folder_that_is_made_for_runs_or_the_sandbox_does() {
    let world = james_and_jane(exchangelabs());
    world.run(&["apply", "--auto-approve", "--journal", "made/here"]).ends(0);
    assert_eq!(fs::read_to_string(world.path("made/here/.gitignore")).expect("a file"), "*\n");
    assert!(!world.path("made/.gitignore").exists(), "what is the user's is left alone");
    let world = World::empty();
    world.run(&["sandbox", "reset"]).ends(0);
    assert_eq!(fs::read_to_string(world.path(FILE)).expect("a file"), "*\n");
}

/// Runs git in a folder; false where there is none.
fn git(folder: &Path, arguments: &[&str]) -> bool {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1");
    git.output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_saved_plan_that_git_would_take_up_is_warned_of() {
    let world = james_and_jane(exchangelabs());
    let run = world.run(&["plan", "--out", "a.plan"]).ends(0);
    assert!(!run.stderr.contains("git"), "no work tree: {}", run.text());
    // A folder that is no repository, though it looks like one: nobody can tell.
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
    // Neither what a hook sets nor a program that the repository names has a say.
    let world = world
        .with("GIT_DIR", "/nowhere")
        .file("monitor.sh", "#!/bin/sh\ntouch ran\n")
        .file(".gitignore", "*.plan\n");
    assert!(git(&world.path(""), &["config", "core.fsmonitor", "sh monitor.sh"]));
    let run = world.run(&["plan", "--out", "c.plan"]).ends(0);
    assert!(!run.stderr.contains("git"), "{}", run.text());
    assert!(!world.path("ran").exists(), "a program of the repository ran");
    // What is ignored by name and tracked all the same goes into the next commit.
    assert!(git(&world.path(""), &["add", "--force", "c.plan"]));
    let run = world.run(&["plan", "--out", "c.plan"]).ends(0);
    assert!(run.stderr.contains(warning), "{}", run.text());
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("d.plan").display().to_string();
    let run = world.run(&["plan", "--out", &path]).ends(0);
    assert!(!run.stderr.contains("git"), "{}", run.text());
}

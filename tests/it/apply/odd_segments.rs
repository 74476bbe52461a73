//! Segments that are lost, stray or unreadable: later runs are settled all the same, once, and no command crashes.

use std::fs;

use crate::apply::killed::everybody;
use crate::support::journal_files::JournalFiles;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

const JAMES: [&str; 4] = ["apply", "--auto-approve", "--user", "j.brown@exchangelabs.nl"];

/// A world with one run.
fn one_run() -> (World, JournalFiles) {
    let world = exchangelabs().james_and_jane();
    world.run(&JAMES).ends(0);
    let files = JournalFiles::of(&world);
    (world, files)
}

/// The journal was closed, and the segment with the outcomes of a wave was lost.
#[test]
fn lost_segment_with_outcomes_is_settled_once() {
    let world = everybody();
    world.run(&["apply", "--auto-approve"]).ends(0);
    let files = JournalFiles::of(&world);
    let run = files.names().remove(0).to_string();
    let with_outcomes = files.segments(&run).into_iter().find(|path| {
        let text = fs::read_to_string(path).expect("a segment");
        text.contains("\"outcome\"")
    });
    fs::remove_file(with_outcomes.expect("a segment")).expect("ours");
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(apply.stderr.contains("the outcome was unknown; it was done"), "{}", apply.text());
    let segments = files.segments(&run).len();
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(!apply.stderr.contains("unknown"), "it is settled: {}", apply.text());
    assert_eq!(files.segments(&run).len(), segments, "nothing is added again");
    let pruned = world.run(&["runs", "prune", "--keep", "0d", "--damaged"]).ends(0);
    assert!(pruned.stdout.contains("removed the restore files"), "{}", pruned.text());
}

/// The first line of the oldest segment cannot be read, so it is unknown to which run it belongs.
#[test]
fn unreadable_first_segment_does_not_keep_later_runs_from_being_settled() {
    let (world, files) = one_run();
    let first = files.segment_folder().join("000000000001.jsonl");
    for path in files.segments(&files.names().remove(0).to_string()) {
        let text = fs::read_to_string(&path).expect("a segment");
        let (_, rows) = text.split_once('\n').expect("a head");
        fs::write(&path, format!("?\n{rows}")).expect("ours");
    }
    assert!(first.exists());
    world.run(&["apply", "--auto-approve"]).ends(0);
    // The second run is cut off: its last segment, with the end, is lost.
    let last = fs::read_dir(files.segment_folder()).expect("a folder");
    let last = last.map(|entry| entry.expect("an entry").path()).max().expect("a segment");
    fs::remove_file(last).expect("ours");
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(apply.stderr.contains("was cut off"), "{}", apply.text());
    let verified = world.run(&["runs", "verify"]).ends(2);
    assert!(verified.stdout.contains("the first line of segment 1 is not"), "{}", verified.text());
}

#[test]
fn stray_names_crash_no_command() {
    let (world, files) = one_run();
    for stray in ["999999999999.jsonl", "18446744073709551615.jsonl", "notes.jsonl", "0.jsonl"] {
        let path = files.segment_folder().join(stray);
        fs::write(&path, "").expect("ours");
        for command in [&["plan"][..], &["runs"], &["runs", "prune", "--keep", "0d"]] {
            world.run(command).ends(0);
        }
        let verified = world.run(&["runs", "verify"]);
        assert!(matches!(verified.code, Some(0 | 2)), "{stray}: {}", verified.text());
        fs::remove_file(&path).expect("ours");
    }
}

/// A project can name a folder that is there already, and it must not hide that folder from git.
#[test]
fn git_ignores_the_runs_in_a_folder_of_other_files() {
    let world = exchangelabs().james_and_jane().file("ops/notes.txt", "mine");
    let project = world.project(&format!("{PROJECT}runs: {{ store: ops }}\n"));
    let world = world.file("mfactl.yaml", project);
    world.run(&JAMES).ends(0);
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(!world.path("ops/.gitignore").exists());
    let tenant = world.server().tenant_id();
    for folder in [format!("ops/{tenant}"), "ops/restore".to_owned()] {
        let ignored = fs::read_to_string(world.path(&format!("{folder}/.gitignore")));
        assert_eq!(ignored.expect("a file"), "*\n", "{folder}");
    }
}

/// A process that was killed at the wrong moment leaves a draft, which can have full numbers.
#[test]
fn prune_removes_drafts_of_restore_files() {
    let (world, files) = one_run();
    let folder = files.restore_folder(&files.names().remove(0).to_string());
    let draft = folder.join(".draft-1-2-3");
    fs::write(&draft, "+31 612345678").expect("ours");
    world.run(&["runs", "prune", "--keep", "0d"]).ends(0);
    assert!(!draft.exists() && !folder.exists());
}

//! A store of a cloud and a folder show the same after the same commands.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use mfactl_sandbox::Faults;

use super::{WRITES, world};
use crate::apply::killed::everybody;
use crate::support::shown_numbers::{numbers, shows_none};
use crate::support::store_servers::StoreServer;
use crate::support::world::World;

/// What a user sees of an apply, of the list of runs, and of an undo.
fn story(world: &World) -> String {
    let mut seen = String::new();
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    let list = world.run(&["runs"]).ends(0);
    assert!(list.stdout.contains("68 changes done"), "{}", list.text());
    let run = last_run(world);
    let shown = world.run(&["runs", "show", &run]).ends(0);
    let allow = ["--allow", "weakenedUsers=31"];
    let undo = world.run(&[&["undo", &run, "--auto-approve"][..], &allow].concat());
    let again = world.run(&["apply", "--auto-approve"]).ends(0);
    for one in [apply, list, shown, undo, again] {
        seen += &one.text();
    }
    // The time, the process and the fingerprint, which covers the place of the store.
    let is_same = |line: &&str| !line.starts_with("began ") && !line.starts_with("plan  ");
    seen.lines().filter(is_same).collect::<Vec<_>>().join("\n")
}

/// The name of the last run, which `World::run` makes alike.
fn last_run(world: &World) -> String {
    let output = world.command(&["runs"]).output().expect("the program");
    let text = String::from_utf8(output.stdout).expect("text");
    let last = text.lines().last().expect("a run");
    last.split_whitespace().next().expect("a name").to_owned()
}

#[test]
#[ignore = "long: starts the stores of two clouds"]
fn runs_in_a_cloud_look_like_runs_in_a_folder() {
    let in_folder = story(&everybody());
    for kind in StoreServer::KINDS {
        let server = StoreServer::start(kind);
        let world = world(&server, &server.url(), Faults::none());
        assert_eq!(story(&world), in_folder, "{kind:?}");
        assert!(world.server().store().writes().len() > WRITES);
        let journal = world.run(&["runs", "--format", "json"]).ends(0);
        shows_none(&journal.stdout, &numbers(&world.server().store()));
        let left = std::fs::read_dir(world.path(".mfactl")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{kind:?}: nothing of a run is on this machine");
    }
}

//! `runs verify`: the chain of segments, and what is found if one is altered, missing, replaced or cut off.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::path::PathBuf;

use crate::support::journal_files::JournalFiles;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

/// A world with two runs, and the files of all segments.
fn two_runs() -> (World, Vec<PathBuf>) {
    let world = exchangelabs().james_and_jane();
    for user in ["j.brown@exchangelabs.nl", "j.smith@exchangelabs.nl"] {
        world.run(&["apply", "--auto-approve", "--user", user]).ends(0);
    }
    let files = JournalFiles::of(&world);
    let segments: Vec<PathBuf> =
        files.names().iter().flat_map(|run| files.segments(run.as_str())).collect();
    assert!(segments.len() >= 6, "{segments:?}");
    (world, segments)
}

fn last_digest(world: &World) -> String {
    let run = world.run(&["runs", "verify"]).ends(0);
    let line = run.stdout.lines().find_map(|line| line.trim().strip_prefix("last digest "));
    line.expect("a digest").to_owned()
}

#[test]
fn whole_chain_is_verified_and_its_digest_is_recognised_later() {
    let (world, segments) = two_runs();
    let run = world.run(&["runs", "verify"]).ends(0);
    let counts = format!("2 runs in {} segments", segments.len());
    assert!(run.stdout.contains(&counts), "{}", run.text());
    assert!(run.stdout.contains("everything is as it was written"), "{}", run.text());
    let digest = last_digest(&world);
    world.run(&["runs", "verify", "--expect", &digest]).ends(0);
    // Another run follows, and the digest is still that of a segment.
    world.run(&["undo", "--auto-approve", &JournalFiles::of(&world).names()[0].to_string()]);
    world.run(&["runs", "verify", "--expect", &digest]).ends(0);
    // The end is cut off.
    for path in &segments[segments.len() - 3..] {
        fs::remove_file(path).expect("ours");
    }
    let run = world.run(&["runs", "verify", "--expect", &digest]).ends(2);
    assert!(run.stdout.contains("no segment has the expected digest"), "{}", run.text());
}

#[test]
fn altered_missing_and_replaced_segments_are_found() {
    let (world, segments) = two_runs();
    let middle = &segments[2];
    let good = fs::read_to_string(middle).expect("a segment");
    let altered = good.replacen("\"number\":", "\"number\" :", 1);
    let replaced = good.replacen("\"segment\":3", "\"segment\":4", 1);
    assert!(altered != good && replaced != good, "{good}");
    for (text, words) in [
        (Some(altered), "segment 3 is not the one that segment 4 followed"),
        (Some(replaced), "the first line of segment 3 is not as it was written"),
        (None, "segment 3 is missing"),
    ] {
        match text {
            Some(text) => fs::write(middle, text).expect("ours"),
            None => fs::remove_file(middle).expect("ours"),
        }
        let run = world.run(&["runs", "verify"]).ends(2);
        assert!(run.stdout.contains(words), "{}", run.text());
        fs::write(middle, &good).expect("ours");
    }
    world.run(&["runs", "verify"]).ends(0);
}

//! The pruning of old runs: restore files alone, or with journals, from the beginning of the chain. Runs that are
//! not settled or are damaged stay, and so does everything that is not of a run.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::damaged_journals::{Run, lines};
use crate::support::journal_files::hex;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::runtime;

/// The lines of a run with another name and an old date, without check sums.
fn old_lines(run: &Run, name: &str) -> Vec<String> {
    let mut all = lines(&run.journal());
    let mut first: Value = serde_json::from_str(&all[0]).expect("JSON");
    first["run"]["began"] = json!("2020-01-02T03:04:05Z");
    first["run"]["run"] = json!(name);
    all[0] = format!("{}\n", json!({ "run": first["run"] }));
    let at = all.len() - 1;
    let mut last: Value = serde_json::from_str(&all[at]).expect("JSON");
    last["end"]["digest"] = json!(hex(all[..at].concat().as_bytes()));
    all[at] = format!("{}\n", json!({ "end": last["end"] }));
    all
}

/// Makes a chain of old runs and of the run itself, in this order.
fn made_old(run: &Run, old: &[(&str, Vec<String>)]) {
    let files = run.files();
    let restore = files.kept(&run.name);
    let lines = old.iter().map(|(name, lines)| (*name, lines.concat().into_bytes()));
    let all: Vec<_> = lines.chain([(run.name.as_str(), run.journal())]).collect();
    files.rebuild(&all);
    for (name, _) in old {
        let folder = files.restore_folder(name);
        fs::create_dir_all(&folder).expect("ours");
        fs::write(folder.join("000000000002.jsonl"), &restore).expect("ours");
    }
}

const OLD: &str = "20200102T030405Z-00a1";
const UNENDED: &str = "20200102T030405Z-00a2";
const DAMAGED: &str = "20200102T030405Z-00a3";

/// A chain of an old run, one that has no end, a damaged one, and the run itself.
fn four_runs() -> Run {
    let run = Run::new(exchangelabs());
    let mut unended = old_lines(&run, UNENDED);
    unended.pop();
    let mut damaged = old_lines(&run, DAMAGED);
    damaged[2] = "?\n".to_owned();
    made_old(&run, &[(OLD, old_lines(&run, OLD)), (UNENDED, unended), (DAMAGED, damaged)]);
    run
}

#[test]
fn prune_removes_the_restore_files_of_old_settled_runs() {
    let run = four_runs();
    let files = run.files();
    // Names that are no runs.
    let notes = files.restore_folder("notes");
    fs::create_dir_all(&notes).expect("ours");
    fs::write(notes.join("mine"), "mine").expect("ours");
    fs::write(files.restore_folder(OLD).join("mine"), "mine").expect("ours");

    let nothing = run.world.run(&["runs", "prune", "--keep", "20000d"]).ends(0);
    assert_eq!(nothing.stdout, "no run is old enough\n");
    let pruned = run.world.run(&["runs", "prune", "--keep", "90d"]).ends(0);
    assert!(pruned.stdout.contains("removed the restore files of RUN"), "{}", pruned.text());
    assert!(
        pruned.stdout.contains("1 run pruned; 2 runs kept although old enough"),
        "{}",
        pruned.text()
    );
    assert!(pruned.stderr.contains("stays: it is not settled"), "{}", pruned.text());
    assert!(pruned.stderr.contains("`--damaged` prunes it too"), "{}", pruned.text());
    assert!(!files.has_restore(OLD));
    let mine = fs::read_to_string(files.restore_folder(OLD).join("mine"));
    assert_eq!(mine.expect("a file"), "mine");
    for name in [&run.name, UNENDED, DAMAGED] {
        assert!(files.has_restore(name), "{name}");
    }
    for name in [&run.name, OLD, UNENDED, DAMAGED] {
        assert!(files.has_journal(name), "{name}");
    }
    let pruned = run.world.run(&["runs", "prune", "--keep", "90d", "--damaged"]).ends(0);
    assert!(
        pruned.stdout.contains("1 run pruned; 1 run kept although old enough"),
        "{}",
        pruned.text()
    );
    assert!(!files.has_restore(DAMAGED) && files.has_restore(UNENDED));
    assert!(notes.join("mine").exists());
    let wrong = run.world.run(&["runs", "prune", "--keep", "ninety"]).ends(1);
    assert!(wrong.stderr.contains("write it as `90d`"), "{}", wrong.text());
}

#[test]
fn prune_removes_journals_from_the_beginning_of_the_chain() {
    let run = four_runs();
    let files = run.files();
    let pruned =
        run.world.run(&["runs", "prune", "--keep", "90d", "--journals", "--damaged"]).ends(0);
    let both = "removed the journal and the restore files of RUN";
    assert!(pruned.stdout.contains(both), "{}", pruned.text());
    assert!(!files.has_journal(OLD));
    // The journal before it stays.
    assert!(files.has_journal(UNENDED) && files.has_journal(DAMAGED), "{}", pruned.text());
    assert!(
        pruned.stderr.contains("only its journal, because an older one stays"),
        "{}",
        pruned.text()
    );
    // The next apply settles the run.
    run.world.run(&["apply", "--auto-approve"]);
    let pruned =
        run.world.run(&["runs", "prune", "--keep", "0d", "--journals", "--damaged"]).ends(0);
    assert!(pruned.stderr.contains("only its journal, which is the last"), "{}", pruned.text());
    // The run was settled after the others, so its last segment is the last of all.
    assert!(files.has_journal(UNENDED) && !files.has_restore(UNENDED), "{}", pruned.text());
    assert!(pruned.stderr.contains("journals go from the beginning"), "{}", pruned.text());
    run.world.run(&["runs", "verify"]).ends(2);
    run.world.run(&["runs"]).ends(0);
    run.world.run(&["apply", "--auto-approve"]).ends(0);
}

#[test]
#[cfg(unix)]
fn prune_does_not_follow_links() {
    use std::os::unix::fs::symlink;
    let run = Run::new(exchangelabs());
    let files = run.files();
    made_old(&run, &[(OLD, old_lines(&run, OLD))]);
    let mine = run.world.path("mine");
    fs::rename(files.restore_folder(OLD), &mine).expect("ours");
    symlink(&mine, files.restore_folder(OLD)).expect("a link");
    let pruned = run.world.run(&["runs", "prune", "--keep", "90d"]).ends(1);
    assert!(pruned.stderr.contains("is a link, which is not followed here"), "{}", pruned.text());
    assert!(mine.join("000000000002.jsonl").exists() && files.has_journal(OLD));
}

#[test]
fn prune_is_refused_while_an_apply_holds_the_lock() {
    let run = Run::new(exchangelabs());
    let files = run.files();
    made_old(&run, &[(OLD, old_lines(&run, OLD))]);
    let runs = files.runs();
    let lock = runtime().block_on(mfactl::apply::lock::take(&runs, Duration::ZERO));
    let pruned = run.world.run(&["runs", "prune", "--keep", "90d"]).ends(6);
    assert!(
        pruned.stderr.contains("another run that writes to this tenant is active"),
        "{}",
        pruned.text()
    );
    assert!(files.has_restore(OLD));
    drop(lock);
    run.world.run(&["runs", "prune", "--keep", "90d"]).ends(0);
    assert!(!files.has_restore(OLD));
}

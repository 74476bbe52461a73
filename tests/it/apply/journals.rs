//! The files that an apply leaves behind: journals and restore files, their contents, and the cases in
//! which they cannot be written or another run holds the lock.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mfactl::apply::lock;
use mfactl_sandbox::{Fault, Faults, Lateness};
use serde_json::Value;

use crate::apply::killed::{at_write, everybody, everybody_with, journals};
use crate::support::journal_files::JournalFiles;
use crate::support::shown_numbers::{numbers, shows_none};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World, runtime};

/// Every file in a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn run_of(world: &World) -> String {
    journals(world).last().expect("a run").run.to_string()
}

/// The journal of the last run.
fn journal(world: &World) -> String {
    String::from_utf8(JournalFiles::of(world).text(&run_of(world))).expect("text")
}

fn writes(world: &World) -> usize {
    world.server().store().writes().len()
}

#[test]
fn journal_is_masked_and_full_numbers_are_only_in_the_restore_file() {
    let world = everybody();
    let known = numbers(&world.server().store());
    world.run(&["runs"]).ends(0);
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    let run = run_of(&world);
    assert!(apply.stderr.contains("`mfactl runs show RUN`"), "{}", apply.text());
    let list = world.run(&["runs"]).ends(0).stdout;
    assert!(list.contains("RUN") && list.contains("68 changes done · 0 failed"), "{list}");
    let shown = world.run(&["runs", "show", &run]).ends(0).stdout;
    assert!(shown.contains("done        mobile phone"), "{shown}");
    assert!(shown.contains("none → +31 6••••••"), "{shown}");
    let journal = journal(&world);
    for text in [&list, &shown, &journal] {
        shows_none(text, &known);
    }
    let rows: Vec<Value> =
        journal.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert_eq!(rows.len(), 2 + 2 * 68);
    assert!(rows[0].get("run").is_some() && rows[rows.len() - 1].get("end").is_some());
    let asked = rows.iter().filter(|row| row["outcome"]["requestId"].is_string());
    assert_eq!(asked.count(), 68, "each write has the request ID that Microsoft can find it by");
    let kept = String::from_utf8(JournalFiles::of(&world).kept(&run)).expect("text");
    assert_eq!(kept.lines().count(), 68);
    assert!(
        kept.contains("\"after\":{\"phone\":\"+31 6"),
        "only the restore file has full numbers"
    );
}

#[test]
#[cfg(unix)]
fn journal_and_restore_file_are_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve"]).ends(0);
    let all = files(&world.path(".mfactl"));
    for path in &all {
        let mode = fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let of = |part: &str| all.iter().filter(|path| path.ends_with(part)).count();
    assert!(all.len() > 8 && of("lock.json") == 1, "{all:?}");
}

#[test]
fn json_of_runs_matches_its_schema() {
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve"]).ends(0);
    let schema = world.run(&["schema", "runs"]).ends(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::draft7::new(&schema).expect("a schema");
    let run = run_of(&world);
    for (arguments, writes) in [(&["runs"][..], None), (&["runs", "show", &run], Some(3))] {
        let text = world.run(&[arguments, &["--format", "json"]].concat()).ends(0).stdout;
        let mut runs: Value = serde_json::from_str(&text).expect("JSON");
        assert!(validator.is_valid(&runs), "{text}");
        let one = &runs["runs"][0];
        assert_eq!((one["run"].as_str(), one["done"].as_u64()), (Some("RUN"), Some(3)));
        assert_eq!(one["writes"].as_array().map(Vec::len), writes);
        runs["runs"][0]["done"] = "three".into();
        assert!(!validator.is_valid(&runs), "the schema covers the fields of a run");
    }
    let run = world.run(&["runs", "show", "20200101T000000Z-0000"]).ends(1);
    assert!(run.stderr.contains("there is no run `RUN`"), "{}", run.text());
    let run = world.run(&["runs", "show", "../../etc"]).ends(1);
    assert!(run.stderr.contains("there is no run"), "{}", run.text());
}

#[test]
fn numbers_are_not_kept_if_keep_numbers_is_off() {
    let world = exchangelabs().james_and_jane();
    let project = world.project(&format!("{PROJECT}runs: {{ keepNumbers: false }}\n"));
    let world = world.file("mfactl.yaml", project);
    let known = numbers(&world.server().store());
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(writes(&world), 3);
    let all = files(&world.path(".mfactl"));
    assert!(all.len() > 8, "segments, restore files, a lock and a .gitignore: {all:?}");
    for file in all {
        shows_none(&fs::read_to_string(file).expect("text"), &known);
    }
}

#[test]
fn journal_option_sets_the_folder_of_journals_and_lock() {
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve", "--journal", "elsewhere/deep"]).ends(0);
    assert!(!world.path(".mfactl").exists());
    assert!(files(&world.path("elsewhere/deep")).len() > 8);
    let list = world.run(&["runs", "--journal", "elsewhere/deep"]).ends(0).stdout;
    assert!(list.contains("3 changes done"), "{list}");
    assert_eq!(world.run(&["runs"]).ends(0).stdout, "no runs are recorded here\n");
}

/// At the moment of a mistake in a policy, an operator must still see the runs.
#[test]
fn mistake_in_a_policy_does_not_hide_the_runs() {
    let world = exchangelabs().james_and_jane();
    world.run(&["apply", "--auto-approve"]).ends(0);
    let world = world.file("policies/staff.yaml", "version: 1\npolicy: {}\n");
    world.run(&["plan"]).ends(3);
    let list = world.run(&["runs"]).ends(0).stdout;
    assert!(list.contains("3 changes done"), "{list}");
    world.run(&["runs", "verify"]).ends(0);
    world.run(&["runs", "prune", "--keep", "90d"]).ends(0);
}

/// One clear error, and nothing is written to the tenant.
#[test]
fn nothing_is_written_without_a_journal() {
    let id = exchangelabs().james_and_jane().server().tenant_id();
    let (own, journal) = (format!(".mfactl/{id}"), format!(".mfactl/{id}/journal"));
    for in_the_way in [".mfactl", &own, &journal, ".mfactl/restore"] {
        let world =
            exchangelabs().james_and_jane().file(in_the_way, "a file in the place of a folder");
        let run = world.run(&["apply", "--auto-approve"]).ends(1);
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{in_the_way}: {}", run.text());
        assert!(run.stderr.contains("could not be"), "{in_the_way}: {}", run.text());
        assert!(
            run.stderr.contains("help: nothing is written to a tenant without a journal"),
            "{}",
            run.text()
        );
        assert_eq!(writes(&world), 0, "{in_the_way}");
    }
}

/// The full disk is imitated by a limit on the size of files, because every system has such a limit.
#[test]
#[cfg(unix)]
fn full_disk_ends_the_run_before_the_next_write() {
    let world = everybody();
    let program = env!("CARGO_BIN_EXE_mfactl");
    let limited = format!("ulimit -f 4 && exec {program} apply --auto-approve");
    let mut command = world.command(&[]);
    let path = std::env::var("PATH").expect("a path");
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &limited]).current_dir(world.path("")).env_clear().env("PATH", path);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(Stdio::null()).output().expect("a shell");
    _ = command.stdin(Stdio::null());
    let (stdout, stderr) = (world.alike(&output.stdout), world.alike(&output.stderr));
    assert_eq!(output.status.code(), Some(5), "{stdout}{stderr}");
    stopped_by_its_journal(&world, &stderr, 0);
    finishes(&world);
}

/// A folder in the place of a segment is an error of the disk, too.
#[test]
fn journal_that_fails_at_one_segment_ends_the_run_before_the_next_write() {
    segment_fails(3);
}

#[test]
#[ignore = "long: each segment of a run"]
fn journal_that_fails_at_any_segment_ends_the_run_before_the_next_write() {
    segment_fails(1);
}

/// Takes every `step`-th row.
fn segment_fails(step: usize) {
    // Two waves take turns, so the numbers after the first wave are not always of the same lines.
    for segment in (2..=5).step_by(step) {
        let world = everybody();
        let files = JournalFiles::of(&world);
        let in_the_way = files.segment_folder().join(format!("{segment:012}.jsonl"));
        fs::create_dir_all(&in_the_way).expect("ours");
        let run = world.run(&["apply", "--auto-approve"]).ends(5);
        let before_it = writes(&world);
        assert!(before_it <= 37 * (segment - 1) / 2, "segment {segment}: {before_it} writes");
        stopped_by_its_journal(&world, &run.stderr, before_it);
        fs::remove_dir(&in_the_way).expect("ours");
        finishes(&world);
    }
}

fn stopped_by_its_journal(world: &World, stderr: &str, before_it: usize) {
    assert!(stderr.contains("error: stopped: the journal"), "{stderr}");
    assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
    assert_eq!(writes(world), before_it, "{stderr}");
    shows_none(stderr, &numbers(&world.server().store()));
}

/// The next apply writes the rest, and nothing twice.
fn finishes(world: &World) {
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stderr.contains("was cut off"), "{}", run.text());
    assert_eq!(writes(world), 68, "the rest was written, and nothing twice");
    assert!(journals(world).iter().all(|past| past.end.is_some()));
}

#[test]
fn second_apply_waits_for_the_lock_or_is_refused() {
    let world = exchangelabs().james_and_jane();
    let runs = JournalFiles::of(&world).runs();
    let lock = runtime().block_on(lock::take(&runs, Duration::ZERO)).expect("a lock");
    let run = world.run(&["apply", "--auto-approve"]).ends(6);
    assert_eq!(run.stdout, "", "no plan is made: {}", run.text());
    let me = format!("process {}, since 20", std::process::id());
    assert!(
        run.stderr.contains("another run that writes to this tenant is active"),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains(&me), "{}", run.text());
    assert!(run.stderr.contains("--lock-timeout"), "{}", run.text());
    world.run(&["plan"]).ends(0);
    let begun = Instant::now();
    let run = std::thread::scope(|scope| {
        let waits =
            scope.spawn(|| world.run(&["apply", "--auto-approve", "--lock-timeout", "30s"]));
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(writes(&world), 0);
        drop(lock);
        waits.join().expect("no panic")
    });
    run.ends(0);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(writes(&world), 3);
}

/// The answer to a new phone is lost, and Graph lists the phone later. So the program reads it again.
#[test]
fn phone_that_is_listed_late_is_found_by_a_second_read() {
    let lateness = Lateness { methods: Duration::from_millis(400), ..Lateness::default() };
    let faults = at_write(1, || Fault::CloseAfter);
    let phone = "version: 1\npolicies:\n  james:\n    appliesTo: { users: [j.brown@exchangelabs.nl] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";
    let world = exchangelabs().faults(faults).lateness(lateness).world();
    let world = world.file("policies/james.yaml", phone);
    let run = world.run(&["apply", "--auto-approve"]);
    assert!(run.stdout.contains("Apply: 1 change done · 0 failed"), "{}", run.text());
    assert_eq!(writes(&world), 1);
}

#[test]
fn run_stops_with_a_reason_after_too_many_failures() {
    let refused = |_: &str| Fault::Status {
        status: 400,
        code: "invalidRequest".to_owned(),
        retry_after: None,
    };
    let faults = Faults::by(move |part| match part.write {
        Some(_) => refused(&part.path),
        None => Fault::None,
    });
    let world = everybody_with(faults);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stderr.contains("error: stopped: 37 writes failed in a row"), "{}", run.text());
    assert!(run.stdout.contains("0 changes done · 37 failed"), "{}", run.text());
    let [past] = journals(&world).try_into().expect("one journal");
    assert_eq!(past.end.expect("an end").stopped.as_deref(), Some("37 writes failed in a row"));
    let failed = past.told.iter().filter_map(|write| write.ended.as_ref());
    assert!(
        failed.clone().count() == 37 && failed.clone().all(|outcome| outcome.request_id.is_some())
    );
}

#[test]
fn interrupted_run_stays_open_until_its_write_can_be_read() {
    let hidden = Arc::new(AtomicBool::new(false));
    let hides = Arc::clone(&hidden);
    let faults = Faults::by(move |part| {
        let is_hidden = hides.load(Ordering::Relaxed) && part.path.contains("/authentication/");
        match is_hidden {
            true => {
                Fault::Status { status: 403, code: "accessDenied".to_owned(), retry_after: None }
            }
            false => Fault::None,
        }
    });
    let world = exchangelabs().faults(faults).james_and_jane();
    world.run(&["apply", "--auto-approve", "--user", "j.brown@exchangelabs.nl"]).ends(0);
    // The journal of a run that was interrupted after its first write, with an unknown outcome.
    let (files, name) = (JournalFiles::of(&world), run_of(&world));
    let cut: String = journal(&world).split_inclusive('\n').take(2).collect();
    files.put(&name, cut.as_bytes());

    hidden.store(true, Ordering::Relaxed);
    let run = world.run(&["apply", "--auto-approve"]);
    assert!(run.stderr.contains("the outcome was unknown; it could not be read"), "{}", run.text());
    let now = String::from_utf8(files.text(&name)).expect("text");
    assert_eq!(now, cut, "nothing false is recorded");
    hidden.store(false, Ordering::Relaxed);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stderr.contains("the outcome was unknown; it was done"), "{}", run.text());
    assert!(journals(&world).iter().all(|past| past.end.is_some()));
}

//! Writes with an unknown outcome: every output of the run reports them, and the next apply reads and
//! settles them.
//!
//! Not here: whether the journal is true after any fault (`unknown_results_promise`), or killed runs
//! (`killed`).

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mfactl::journal::Past;
use mfactl::results::WriteResult;
use mfactl_sandbox::{Fault, Faults, PartInfo};
use serde_json::Value;

use crate::apply::faults::is_done;
use crate::apply::killed::journals;
use crate::support::journal_files::JournalFiles;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

/// James and Jane, and a fault that lasts until the switch is turned off.
fn while_on(
    fault: impl Fn(&PartInfo) -> Fault + Send + Sync + 'static,
) -> (World, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(true));
    let is_on = Arc::clone(&on);
    let faults = Faults::by(
        move |part| if is_on.load(Ordering::SeqCst) { fault(part) } else { Fault::None },
    );
    (exchangelabs().faults(faults).james_and_jane(), on)
}

fn refused(code: &str) -> Fault {
    Fault::Status { status: 403, code: code.to_owned(), retry_after: None }
}

fn words(past: &Past) -> Vec<Option<WriteResult>> {
    past.told.iter().map(|write| write.ended.as_ref().map(|noted| noted.result)).collect()
}

fn text(world: &World, place: usize) -> String {
    let run = journals(world)[place].run.to_string();
    String::from_utf8(JournalFiles::of(world).text(&run)).unwrap()
}

/// The first writes are done, and their answers arrive long after the timeout.
fn out_of_time() -> (World, Arc<AtomicBool>) {
    let (world, on) = while_on(|part| match part.write {
        Some(_) => Fault::Slow(Duration::from_secs(300)),
        None => Fault::None,
    });
    let run = world.run(&["apply", "--auto-approve", "--timeout", "8s"]).ends(5);
    let counts =
        "Apply: 0 changes done · 0 failed · 2 unknown · 0 changed since the plan · 1 not tried";
    assert!(run.stdout.contains(counts), "{}", run.text());
    assert!(run.stdout.contains("unknown    mobile phone: "), "{}", run.text());
    assert!(run.stdout.contains("is not known to be done"), "{}", run.text());
    assert!(run.stderr.contains("error: stopped: "), "{}", run.text());
    assert!(
        run.stderr
            .contains("help: the outcome of 2 writes is unknown; the next `mfactl apply` checks"),
        "{}",
        run.text()
    );
    assert_eq!(world.server().store().writes().len(), 2, "the writes were done");
    (world, on)
}

#[test]
fn writes_unknown_at_the_timeout_are_settled_by_the_next_apply() {
    let (world, on) = out_of_time();
    let [past] = journals(&world).try_into().expect("one journal");
    assert_eq!(words(&past), [Some(WriteResult::Unknown); 2]);
    let counts = past.end.expect("it was closed").counts;
    assert_eq!((counts.done, counts.failed, counts.unknown, counts.not_tried), (0, 0, 2, 1));
    let list = world.run(&["runs"]).ends(0).stdout;
    assert!(list.contains("0 failed · 2 unknown · 0 changed since the plan"), "{list}");
    assert!(list.contains("the next apply checks the writes in doubt"), "{list}");
    let text = world.run(&["runs", "--format", "json"]).ends(0).stdout;
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["runs"][0]["unknown"], 2, "{text}");
    let schema = world.run(&["schema", "runs"]).ends(0).stdout;
    let schema = jsonschema::draft7::new(&serde_json::from_str(&schema).expect("JSON"));
    assert!(schema.expect("a schema").is_valid(&json), "{text}");

    on.store(false, Ordering::SeqCst);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stderr.contains("run RUN ended with 2 changes in doubt"), "{}", run.text());
    assert_eq!(
        run.stderr.matches("the outcome was unknown; it was done").count(),
        2,
        "{}",
        run.text()
    );
    is_done(&world);
    let past = &journals(&world)[0];
    assert_eq!(words(past), [Some(WriteResult::Done); 2]);
    let end = past.end.as_ref().expect("closed again");
    assert_eq!((end.counts.done, end.counts.unknown, end.counts.not_tried), (2, 0, 1));
    assert!(end.stopped.is_some(), "the reason of the stop is kept");
    let list = world.run(&["runs"]).ends(0).stdout;
    assert!(!list.contains("unknown"), "{list}");
    let again = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(!again.stderr.contains("in doubt"), "the run is settled: {}", again.text());
}

/// The digest of a closed journal also covers the lines that were added later.
#[test]
fn settled_journal_is_closed_under_its_digest() {
    let (world, on) = out_of_time();
    let first = text(&world, 0);
    on.store(false, Ordering::SeqCst);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = journals(&world)[0].run.to_string();
    let settled = text(&world, 0);
    assert!(settled.starts_with(&first), "nothing is written over");
    let added: Vec<&str> = settled[first.len()..].split_inclusive('\n').collect();
    assert_eq!(added.len(), 3, "two outcomes and an end: {added:?}");
    for bad in [
        first.replacen("unknown", "notTried", 1),
        first.clone() + &added[0].replace("done", "failed") + added[1] + added[2],
        first.clone() + added[1] + added[2],
        settled.clone() + added[0],
        settled.clone() + added[2],
        first.clone() + first.lines().nth(1).expect("an intent") + "\n",
        first.clone() + first.lines().last().expect("an end") + "\n",
    ] {
        JournalFiles::of(&world).put(&run, bad.as_bytes());
        let shown = world.run(&["runs", "show", &run]);
        assert!(shown.text().contains("is damaged: "), "{bad}\n{}", shown.text());
    }
    // If the second check was interrupted, it is repeated. No run began after it.
    let files = JournalFiles::of(&world);
    let later: Vec<_> = files.names().into_iter().filter(|name| name.as_str() != run).collect();
    for name in &later {
        files.remove_journal(name.as_str());
        std::fs::remove_dir_all(files.restore_folder(name.as_str())).expect("ours");
    }
    for cut in [first.clone(), first.clone() + added[0], first + added[0] + &added[1][..9]] {
        JournalFiles::of(&world).put(&run, cut.as_bytes());
        let again = world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(again.stderr.contains("in doubt"), "{}", again.text());
        let past = &journals(&world)[0];
        assert_eq!(words(past), [Some(WriteResult::Done); 2]);
        let counts = past.end.as_ref().expect("closed").counts;
        assert_eq!((counts.done, counts.unknown, counts.not_tried), (2, 0, 1));
    }
}

/// The answer is lost and the user cannot be read, so the write is reported neither as done nor as failed.
#[test]
fn lost_answer_is_unknown_until_a_read_shows_the_write() {
    AnswerLost::of(true).and_found("the outcome was unknown; it was done");
}

#[test]
#[ignore = "long: waits for a user that cannot be read and for a write that does not show"]
fn lost_answer_is_unknown_until_a_read_shows_no_write() {
    AnswerLost::of(false).and_found("the outcome was unknown; it was not done");
}

/// An apply waits for a user that cannot be read, so that this and the two tests before it wait at the same time.
#[test]
#[ignore = "long: waits twice for a user that cannot be read"]
fn write_stays_unknown_while_its_user_cannot_be_read() {
    AnswerLost::of(true).and_cannot_be_read();
}

#[test]
#[ignore = "long: three applies in a row, of which the quick tests run two each"]
fn lost_answer_is_unknown_through_an_apply_that_cannot_read() {
    for (done, found) in [(true, "it was done"), (false, "it was not done")] {
        let lost = AnswerLost::of(done);
        lost.and_cannot_be_read();
        lost.and_found(&format!("the outcome was unknown; {found}"));
    }
}

const ONLY_JAMES: [&str; 4] = ["apply", "--auto-approve", "--user", "j.brown@exchangelabs.nl"];

/// An apply whose first answer was lost, and whose user cannot be read since.
struct AnswerLost {
    world: World,
    on: Arc<AtomicBool>,
    /// Whether the write was done.
    done: bool,
}

impl AnswerLost {
    fn of(done: bool) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let is_lost = Arc::clone(&lost);
        let (world, on) = while_on(move |part| {
            if part.write.is_some() && !is_lost.swap(true, Ordering::SeqCst) {
                return if done { Fault::CloseAfter } else { Fault::CloseBefore };
            }
            let hides = is_lost.load(Ordering::SeqCst) && part.path.contains("/authentication/");
            if hides { refused("accessDenied") } else { Fault::None }
        });
        let run = world.run(&ONLY_JAMES).ends(5);
        let counts = "Apply: 0 changes done · 0 failed · 1 unknown";
        assert!(run.stdout.contains(counts), "{}", run.text());
        assert!(run.stdout.contains("could not be read again"), "{}", run.text());
        assert_eq!(world.server().store().writes().len(), usize::from(done));
        Self { world, on, done }
    }

    /// Applies again. The user still cannot be read, and no outcome is recorded.
    fn and_cannot_be_read(&self) {
        let before = text(&self.world, 0);
        let run = self.world.run(&ONLY_JAMES);
        assert!(run.stderr.contains("could not be read; the next apply checks"), "{}", run.text());
        assert_eq!(text(&self.world, 0), before);
    }

    /// Applies again. The user can be read.
    fn and_found(&self, found: &str) {
        self.on.store(false, Ordering::SeqCst);
        let run = self.world.run(&ONLY_JAMES).ends(0);
        assert!(run.stderr.contains(found), "{}", run.text());
        let word = if self.done { WriteResult::Done } else { WriteResult::Failed };
        assert_eq!(words(&journals(&self.world)[0]), [Some(word)]);
        assert_eq!(self.world.server().store().writes().len(), 1, "the phone is written once");
    }
}

/// The service can carry out a request later, after the connection of its client is lost.
#[test]
fn write_that_does_not_show_yet_is_unknown_and_not_failed() {
    let late = Arc::new(AtomicBool::new(false));
    let is_late = Arc::clone(&late);
    let (world, on) = while_on(move |part| {
        if part.write.is_some() && !is_late.swap(true, Ordering::SeqCst) {
            return Fault::CloseBefore;
        }
        Fault::None
    });
    let only = ["apply", "--auto-approve", "--user", "j.brown@exchangelabs.nl"];
    let run = world.run(&only).ends(5);
    assert!(run.stdout.contains("0 failed · 1 unknown"), "{}", run.text());
    assert!(run.stdout.contains("re-reading does not show the change yet"), "{}", run.text());
    on.store(false, Ordering::SeqCst);
    let run = world.run(&only).ends(0);
    assert!(run.stderr.contains("the outcome was unknown; it was not done"), "{}", run.text());
}

/// Another value is registered by the time of the check, so the outcome can never be known. This is
/// reported once.
#[test]
fn write_that_can_never_be_known_keeps_no_run_open() {
    let (world, on) = while_on(|part| match part.write {
        Some(_) => Fault::CloseBefore,
        None => Fault::None,
    });
    let only = ["apply", "--auto-approve", "--user", "j.brown@exchangelabs.nl"];
    let run = world.run(&only).ends(5);
    assert!(run.stdout.contains("1 unknown"), "{}", run.text());
    on.store(false, Ordering::SeqCst);
    let body = serde_json::json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    let path = "/v1.0/users/j.brown@exchangelabs.nl/authentication/phoneMethods";
    assert_eq!(world.call("POST", path, Some(&body)).0, 201);
    let run = world.run(&only).ends(0);
    assert!(run.stderr.contains("another value is there now"), "{}", run.text());
    assert_eq!(words(&journals(&world)[0]), [Some(WriteResult::NeverKnown)]);
    let shown = world.run(&["runs"]).ends(0).stdout;
    assert!(shown.contains("1 unknown"), "{shown}");
    assert!(!shown.contains("the next apply checks"), "{shown}");
    let run = world.run(&only).ends(0);
    assert!(!run.stderr.contains("the outcome was unknown"), "{}", run.text());
}

/// A run with unknown writes can be undone, because a read shows what was written.
#[test]
fn undo_reads_the_outcome_of_unknown_writes() {
    const XUAN: &str = "x.tran@exchangelabs.nl";
    let on = Arc::new(AtomicBool::new(true));
    let is_on = Arc::clone(&on);
    let written = AtomicBool::new(false);
    let faults = Faults::by(move |part| {
        if part.write.is_some() && is_on.load(Ordering::SeqCst) {
            written.store(true, Ordering::SeqCst);
            return Fault::CloseAfter;
        }
        let hides = is_on.load(Ordering::SeqCst) && written.load(Ordering::SeqCst);
        match hides && part.path.contains("/phoneMethods/") {
            true => refused("accessDenied"),
            false => Fault::None,
        }
    });
    let policy = format!(
        "version: 1\npolicies:\n  one:\n    appliesTo: {{ users: [{XUAN}] }}\n    desired: {{ phones: {{ mobile: {{ from: mobilePhone }} }} }}\n"
    );
    let world = exchangelabs().faults(faults).world().file("policies/one.yaml", policy);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stdout.contains("1 unknown"), "{}", run.text());
    let name = journals(&world)[0].run.to_string();
    // The check before the undo cannot read the phone, so the outcome stays unknown.
    let undo = world.run(&["undo", &name, "--auto-approve"]).ends(5);
    assert!(undo.stderr.contains("could not be read; the next apply checks"), "{}", undo.text());
    assert_eq!(world.server().store().writes().len(), 1, "{}", undo.text());
    on.store(false, Ordering::SeqCst);
    world.run(&["undo", &name, "--auto-approve"]).ends(0);
    let path = format!("/v1.0/users/{XUAN}/authentication/phoneMethods");
    assert_eq!(world.call("GET", &path, None).1["value"], serde_json::json!([]), "{}", undo.text());
}

//! Journals and restore files that are damaged at any place: readable lines are used, damaged ones are
//! reported, no run is hidden and no write is invented.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use mfactl::journal::{self, Past, RunId};
use mfactl_sandbox::{Fault, Faults};
use serde_json::Value;

use crate::apply::killed::journals;
use crate::support::journal_files::JournalFiles;
use crate::support::shown_numbers::{numbers, shows_none};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::World;

const JAMES: &str = "j.brown@exchangelabs.nl";
const JANE: &str = "j.smith@exchangelabs.nl";

/// A world in which a run added two phones and raised one state.
pub(super) struct Run {
    pub(super) world: World,
    pub(super) name: String,
}

impl Run {
    pub(super) fn new(tenant: TenantBuilder) -> Self {
        let world = tenant.james_and_jane();
        world.run(&["apply", "--auto-approve"]).ends(0);
        let name = journals(&world).last().expect("a run").run.to_string();
        Self { world, name }
    }

    pub(super) fn files(&self) -> JournalFiles {
        JournalFiles::of(&self.world)
    }

    fn id(&self) -> RunId {
        RunId::named(&self.name).expect("a name")
    }

    pub(super) fn journal(&self) -> Vec<u8> {
        self.files().text(&self.name)
    }

    fn put(&self, lines: &[String]) {
        self.files().put(&self.name, lines.concat().as_bytes());
    }

    fn restore(&self) -> Vec<u8> {
        self.files().kept(&self.name)
    }

    fn writes(&self) -> usize {
        self.world.server().store().writes().len()
    }

    fn phones(&self, user: &str) -> usize {
        let path = format!("/v1.0/users/{user}/authentication/phoneMethods");
        self.world.call("GET", &path, None).1["value"].as_array().map_or(0, Vec::len)
    }
}

pub(super) fn lines(text: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(text).expect("text");
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// The index of the line that contains all these words.
fn line_of(lines: &[String], words: &[&str]) -> usize {
    let has_all = |line: &String| words.iter().all(|word| line.contains(word));
    lines.iter().position(has_all).expect("a line")
}

/// Every text that differs from the good text by one line, or by one byte at every `step`-th place.
fn altered(good: &[u8], step: usize) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for at in (0..good.len()).step_by(step) {
        let mut note = |what: &str, bytes: Vec<u8>| all.push((format!("{what} at {at}"), bytes));
        note("cut off", good[..at].to_vec());
        note("deleted", [&good[..at], &good[at + 1..]].concat());
        for byte in [b'0', b'"', b'}', b'\n', 0, 0xff, good[at] ^ 1, good[at].wrapping_add(1)] {
            if byte != good[at] {
                let mut bytes = good.to_vec();
                bytes[at] = byte;
                note("altered", bytes);
            }
            note("inserted", [&good[..at], &[byte], &good[at..]].concat());
        }
    }
    let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() {
        let mut note = |what: &str, lines: Vec<&[u8]>| {
            all.push((format!("line {what} at {at}"), lines.concat()));
        };
        let without: Vec<&[u8]> = [&lines[..at], &lines[at + 1..]].concat();
        note("deleted", without.clone());
        for to in 0..lines.len() {
            let mut moved = without.clone();
            moved.insert(to.min(without.len()), lines[at]);
            note("moved", moved);
            let mut twice = lines.clone();
            twice.insert(to, lines[at]);
            note("repeated", twice);
        }
    }
    all
}

fn json_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("JSON")
}

/// Each write with its outcome.
fn outcomes(past: &Past) -> BTreeSet<(String, Option<String>)> {
    let ended = |write: &journal::PastWrite| write.ended.as_ref().map(json_of);
    past.told.iter().map(|write| (json_of(&write.intent), ended(write))).collect()
}

#[test]
fn damaged_journal_hides_no_run_and_invents_no_write() {
    damage_is_noticed(97);
}

#[test]
#[ignore = "long: damages every byte of a journal in twenty ways"]
fn journal_damaged_at_any_byte_hides_no_run_and_invents_no_write() {
    damage_is_noticed(1);
}

/// Damages one journal in many ways, one at a time.
fn damage_is_noticed(step: usize) {
    let run = Run::new(exchangelabs());
    let (files, id) = (run.files(), run.id());
    let good = run.journal();
    let whole = files.past(&id).expect("a run");
    assert!(whole.damage.is_none() && whole.end.is_some());
    let all = outcomes(&whole);
    let (mut damaged, mut lost) = (0, 0);
    for (what, bytes) in altered(&good, step) {
        files.put(&run.name, &bytes);
        assert_eq!(files.names(), std::slice::from_ref(&id), "{what}");
        let past = files.past(&id).expect("a run");
        let now = outcomes(&past);
        for (intent, ended) in &now {
            let of_intent = all.iter().find(|(one, _)| one == intent);
            let (_, was) = of_intent.unwrap_or_else(|| panic!("invented, {what}: {intent}"));
            assert!(ended.is_none() || ended == was, "{what}: {ended:?}");
        }
        let is_cut = past.end.is_none();
        assert!(now == all || is_cut || !past.damage.is_none(), "{what}: silently lost");
        // Only a missing line feed at the end of the file changes nothing.
        let same = bytes == good || [&bytes[..], b"\n"].concat() == good;
        assert!(same || is_cut || !past.damage.is_none(), "{what}: not noticed");
        let intents = |all: &BTreeSet<(String, Option<String>)>| all.len();
        assert!(intents(&now) + 1 >= intents(&all) || is_cut, "{what}: more than a line is lost");
        damaged += usize::from(!past.damage.is_none());
        lost += usize::from(now.len() < all.len());
    }
    assert!(damaged > 1000 / step && lost > 100 / step, "{damaged}, {lost}");
}

#[test]
fn damaged_restore_file_invents_no_value() {
    no_value_is_invented(31);
}

#[test]
#[ignore = "long: damages every byte of a restore file in twenty ways"]
fn restore_file_damaged_at_any_byte_invents_no_value() {
    no_value_is_invented(1);
}

/// Damages one restore file in many ways, one at a time.
fn no_value_is_invented(step: usize) {
    let run = Run::new(exchangelabs());
    let (files, id) = (run.files(), run.id());
    let good = run.restore();
    let (whole, damage) = files.restored(&id);
    assert!(damage.is_none() && whole.len() == 3);
    for (what, bytes) in altered(&good, step) {
        files.put_kept(&run.name, &bytes);
        let (kept, damage) = files.restored(&id);
        for (number, kept) in &kept {
            assert_eq!(json_of(kept), json_of(&whole[number]), "{what}");
        }
        let is_cut = what.starts_with("cut off") || what.starts_with("line deleted at 2");
        assert!(kept.len() == 3 || is_cut || !damage.is_none(), "{what}: silently lost");
        assert!(kept.len() >= 2 || is_cut, "{what}: more than a line is lost");
    }
}

/// A journal of an older program has no check sums.
#[test]
fn journal_without_check_sums_can_be_read() {
    let run = Run::new(exchangelabs());
    let good = journals(&run.world).pop().expect("a run");
    let plain = |text: Vec<u8>| {
        let without = lines(&text).into_iter().map(|line| {
            let at = line.rfind(",\"line\":").expect("a place");
            format!("{}}}\n", &line[..at])
        });
        without.collect::<String>()
    };
    run.files().put(&run.name, plain(run.journal()).as_bytes());
    run.files().put_kept(&run.name, plain(run.restore()).as_bytes());
    let past = journals(&run.world).pop().expect("a run");
    assert_eq!(outcomes(&past), outcomes(&good));
    // The digest was made over the lines with their check sums.
    assert_eq!(past.damage.to_string(), "it does not match its own digest");
    let undo = run.world.run(&["undo", &run.name, "--auto-approve"]).ends(5);
    assert!(undo.stdout.contains("- mobile phone"), "{}", undo.text());
}

#[test]
fn undo_reports_a_damaged_line_and_uses_the_other_lines() {
    damaged_line_is_reported(3);
}

#[test]
#[ignore = "long: each line"]
fn undo_reports_each_damaged_line_and_uses_the_other_lines() {
    damaged_line_is_reported(1);
}

/// Takes every `step`-th row.
fn damaged_line_is_reported(step: usize) {
    for (words, state_back, phone_back) in [
        (["\"intent\"", JAMES, "mobilePhone"], true, true),
        (["\"intent\"", JANE, "mobilePhone"], true, false),
        (["\"intent\"", JANE, "perUserMfa"], false, false),
    ]
    .into_iter()
    .step_by(step)
    {
        let run = Run::new(exchangelabs());
        let mut all = lines(&run.journal());
        let at = line_of(&all, &words);
        all[at] = all[at].replacen("number", "nunber", 1);
        run.put(&all);
        let how =
            format!("line {} is not as it was written, it does not match its own digest", at + 1);
        let list = run.world.run(&["runs"]).ends(0);
        assert!(list.stdout.contains(&format!("damaged: {how}")), "{}", list.text());
        assert!(list.stderr.contains("is damaged: "), "{}", list.text());
        let shown = run.world.run(&["runs", "show", &run.name]).ends(0);
        assert!(shown.stdout.contains("done        mobile phone"), "{}", shown.text());
        let undo = run.world.run(&["undo", &run.name, "--auto-approve"]).ends(5);
        let finding = "something that the run wrote may be missing from this plan   [run-damaged]";
        assert!(undo.stdout.contains(finding), "{}", undo.text());
        assert!(undo.stdout.contains(&how), "{}", undo.text());
        let store = run.world.server().store();
        assert_eq!(undo.stdout.contains("enforced → disabled"), state_back, "{}", undo.text());
        assert_eq!(run.phones(JANE), usize::from(!phone_back), "{}", undo.text());
        assert_eq!(run.phones(JAMES), 1);
        shows_none(&(list.text() + &shown.text() + &undo.text()), &numbers(&store));
    }
}

#[test]
fn values_missing_from_the_restore_file_are_not_put_back() {
    let run = Run::new(exchangelabs());
    let good = lines(&run.restore());
    let mut all = good.clone();
    let at = line_of(&all, &["mobilePhone", "+31 6"]);
    // This digit is hidden in a masked number.
    all[at] = all[at].replacen("+31 61", "+31 63", 1);
    run.files().put_kept(&run.name, all.concat().as_bytes());
    let before = run.writes();
    let undo = run.world.run(&["undo", &run.name, "--out", "back.plan"]).ends(0);
    let lost = "is not put back, because the restore file does not hold it   [not-put-back]";
    assert!(undo.stdout.contains(lost), "{}", undo.text());
    assert!(
        undo.stdout.contains("the restore file is damaged (line 1 is not as"),
        "{}",
        undo.text()
    );
    let (folder, aside) = (run.files().restore_folder(&run.name), run.world.path("aside"));
    fs::rename(&folder, &aside).expect("ours");
    let undo = run.world.run(&["undo", &run.name, "--auto-approve"]).ends(5);
    assert!(undo.stdout.contains(lost), "{}", undo.text());
    assert_eq!(run.writes(), before);
    fs::rename(&aside, &folder).expect("ours");
    run.files().put_kept(&run.name, good.concat().as_bytes());
    // A value that the journal does not name is not written.
    let mut all = lines(&run.journal());
    let at = line_of(&all, &["\"intent\"", JANE, "perUserMfa"]);
    all.truncate(at);
    run.put(&all);
    run.world.run(&["apply", "--auto-approve"]);
    let undo = run.world.run(&["undo", &run.name, "--auto-approve"]).ends(5);
    let finding = "the restore file contains 1 write that the journal does not name";
    assert!(undo.stdout.contains(finding), "{}", undo.text());
}

#[test]
fn damaged_run_without_an_end_is_checked_and_closed() {
    for broken in ["intent", "outcome"] {
        let run = Run::new(exchangelabs());
        let mut all = lines(&run.journal());
        all.pop();
        let at = line_of(&all, &[&format!("\"{broken}\"")]);
        all[at] = all[at].replacen("number", "nunber", 1);
        run.put(&all);
        let list = run.world.run(&["runs"]).ends(0);
        assert!(
            list.stdout.contains("no end: still running, or cut off   damaged: line"),
            "{}",
            list.text()
        );
        let apply = run.world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(apply.stderr.contains("its journal is damaged: line"), "{}", apply.text());
        let past = journals(&run.world).remove(0);
        assert!(past.end.is_some() && !past.damage.is_none());
        let apply = run.world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(!apply.stderr.contains("cut off"), "{}", apply.text());
        assert_eq!(run.writes(), 3);
    }
}

/// Without the first line the tenant of a run is unknown, but its users exist in one tenant only.
#[test]
fn run_without_its_first_line_is_listed_and_undone() {
    let run = Run::new(exchangelabs());
    let all = lines(&run.journal());
    for broken in [all[1..].to_vec(), [&["?\n".to_owned()][..], &all[1..]].concat()] {
        run.put(&broken);
        let list = run.world.run(&["runs"]).ends(0);
        assert!(list.stdout.contains("RUN   ?   3 changes done"), "{}", list.text());
        let text = run.world.run(&["runs", "show", &run.name, "--format", "json"]).ends(0).stdout;
        let runs: Value = serde_json::from_str(&text).expect("JSON");
        let one = &runs["runs"][0];
        assert!(one["tenant"].is_null() && one["damage"].is_string(), "{text}");
        assert_eq!(one["writes"].as_array().map(Vec::len), Some(3));
        let schema = run.world.run(&["schema", "runs"]).ends(0).stdout;
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        assert!(jsonschema::draft7::new(&schema).expect("a schema").is_valid(&runs), "{text}");
    }
    // The run was interrupted and its tenant is unknown, but James and Jane are in this tenant.
    run.put(&all[1..3]);
    let apply = run.world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(apply.stderr.contains("was cut off"), "{}", apply.text());
    run.put(&all[1..]);
    let undo = run.world.run(&["undo", &run.name, "--auto-approve"]).ends(5);
    assert!(undo.stdout.contains("[run-damaged]"), "{}", undo.text());
    assert_eq!((run.phones(JANE), run.phones(JAMES)), (0, 1), "{}", undo.text());
}

#[test]
fn unreadable_journals_are_listed_with_their_fault() {
    unreadable_journal_is_listed(3);
}

#[test]
#[ignore = "long: each fault"]
fn journals_that_are_unreadable_in_any_way_are_listed_with_their_fault() {
    unreadable_journal_is_listed(1);
}

/// Takes every `step`-th row.
fn unreadable_journal_is_listed(step: usize) {
    let run = Run::new(exchangelabs());
    let good = lines(&run.journal());
    let other = good[0].replacen("\"format\":2", "\"format\":9", 1);
    let other = format!("{}}}\n", &other[..other.rfind(",\"line\":").expect("a place")]);
    for (text, how) in [
        (String::new(), "line 1 is not as it was written"),
        ("\0\0\0".to_owned(), "line 1 is not as it was written"),
        ("nothing\n".to_owned(), "line 1 is not as it was written"),
        ("{}\n[]\nnull\n1\n\"\"\n".to_owned(), "lines 1, 2, 3 and 2 more are not as"),
        (other, "has a journal of format 9"),
    ]
    .into_iter()
    .step_by(step)
    {
        run.files().put(&run.name, text.as_bytes());
        let list = run.world.run(&["runs"]).ends(0);
        assert!(list.stdout.contains("RUN") && list.stdout.contains(how), "{}", list.text());
        run.world.run(&["runs", "--format", "json"]).ends(0);
        run.world.run(&["apply", "--auto-approve"]).ends(0);
    }
    run.files().remove_journal(&run.name);
    let list = run.world.run(&["runs"]).ends(0);
    assert!(list.stdout.contains("is missing; only its restore files are left"), "{}", list.text());
    let undo = run.world.run(&["undo", &run.name]).ends(1);
    assert!(undo.stderr.contains("is missing; only its restore files are left"), "{}", undo.text());
    assert_eq!(run.writes(), 3);
}

/// The outcome of a write to a deleted user can never be known, so the run can be closed. The outcome after
/// a refused or failed read is only unknown for now.
#[test]
fn deleted_user_does_not_keep_a_run_open() {
    let answer = Arc::new(AtomicU16::new(0));
    let answers = Arc::clone(&answer);
    let faults = Faults::by(move |part| {
        let status = answers.load(Ordering::Relaxed);
        match status > 0 && part.path.contains("/authentication/") {
            true => Fault::Status { status, code: "accessDenied".to_owned(), retry_after: None },
            false => Fault::None,
        }
    });
    let run = Run::new(exchangelabs().faults(faults));
    let all = lines(&run.journal());
    let cut = all[..2].to_vec();
    assert!(cut[1].contains(JAMES), "{cut:?}");
    run.put(&cut);
    // The reads are refused, so the run stays open. The apply reads the preferences and all other facts
    // too.
    answer.store(403, Ordering::Relaxed);
    let apply = run.world.run(&["apply", "--auto-approve"]);
    assert!(
        apply.stderr.contains("could not be read; the next apply checks it again"),
        "{}",
        apply.text()
    );
    assert!(journals(&run.world).remove(0).end.is_none());
    answer.store(0, Ordering::Relaxed);
    assert_eq!(run.world.call("DELETE", &format!("/v1.0/users/{JAMES}"), None).0, 204);
    let apply = run.world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(apply.stderr.contains("the account is deleted now"), "{}", apply.text());
    let past = journals(&run.world).remove(0);
    assert!(past.end.is_some() && past.told[0].ended.is_some());
    let apply = run.world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(!apply.stderr.contains("the outcome was unknown"), "{}", apply.text());
    // The test itself removed the other lines of the run.
    let undo = run.world.run(&["undo", &run.name, "--auto-approve"]).ends(5);
    assert!(undo.stdout.contains("no longer exists, so nothing is put back"), "{}", undo.text());
}

//! Past runs, as text and as JSON: one line for each, or one run with all its writes.
//!
//! Not here: the result of an apply that just ended (`apply`).

use std::fmt::Write as _;
use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::apply;
use super::apply::tally;
use crate::disclose::Discloser;
use crate::journal::{Begun, ChainFault, Goes, Listed, Past, PastWrite, Verification};
use crate::plan::PlanPurpose;
use crate::render::plan::grouping::{self, Rows};
use crate::render::plan::text::{count, pad};
use crate::results::ChangeCounts;
use crate::results::WorseUser;
use crate::results::WriteResult;
use crate::untrusted::{label, printable};

/// The version of the shape below.
const FORMAT_VERSION: &str = "1.1";

/// Where the second and third columns of one run begin.
const SECOND: usize = 14;
const THIRD: usize = 40;

/// Returns one line for each run.
#[must_use]
pub fn list(runs: &[Listed], disclose: &Discloser) -> String {
    let mut out = String::new();
    for listed in runs {
        let damage = listed
            .damage()
            .map_or_else(String::new, |how| format!("   damaged: {}", printable(&how)));
        let what = listed.past.as_ref().map(|past| noted(past, disclose)).unwrap_or_default();
        _ = writeln!(out, "{}{what}{damage}", label(listed.run.as_str()));
    }
    if runs.is_empty() {
        out.push_str("no runs are recorded here\n");
    }
    out
}

/// Returns the tenant of a run, and its result.
fn noted(past: &Past, disclose: &Discloser) -> String {
    let begun = past.begun.as_ref();
    let undo = begun.and_then(undo_of);
    let undo = undo.map_or_else(String::new, |run| format!("   undo of {}", label(run)));
    let domain = begun.map_or("?", |begun| begun.domain.as_str());
    format!("   {}   {}{undo}{}", label(domain), tally(counts(past), disclose), ending(past))
}

/// The message if an expected digest is that of no segment.
pub const NOT_EXPECTED: &str =
    "no segment has the expected digest: something was cut off or replaced\n";

/// Returns what a check of the chain found.
#[must_use]
pub fn verified(found: &Verification) -> String {
    let Verification { tenant, segments, first, last_digest, faults, .. } = found;
    let mut text = format!(
        "tenant {tenant}: {} in {}",
        count(found.runs, "run", "runs"),
        count(*segments, "segment", "segments")
    );
    if *first > 1 {
        _ = write!(text, ", from segment {first} on");
    }
    text.push('\n');
    for fault in faults {
        _ = writeln!(text, "  {}", fault_line(fault));
    }
    if found.is_whole() {
        text += "  everything is as it was written\n";
    }
    if let Some(digest) = last_digest {
        _ = writeln!(text, "  last digest {digest}");
    }
    text
}

fn fault_line(fault: &ChainFault) -> String {
    match fault {
        ChainFault::Missing { from, to } if from == to => format!("segment {from} is missing"),
        ChainFault::Missing { from, to } => format!("segments {from} to {to} are missing"),
        ChainFault::Head(number) => {
            format!("the first line of segment {number} is not as it was written")
        }
        ChainFault::Before(number) => {
            format!("segment {} is not the one that segment {number} followed", number - 1)
        }
        ChainFault::Run(how) => how.clone(),
    }
}

/// Returns what was removed of a run.
#[must_use]
pub fn removed(goes: &Goes) -> String {
    let what = match (goes.restore, goes.journal) {
        (true, true) => "the journal and the restore files",
        (false, _) => "the journal",
        (true, false) => "the restore files",
    };
    format!("removed {what} of {}\n", goes.run)
}

/// Returns the result of pruning.
#[must_use]
pub fn pruned(removed: usize, kept: usize) -> String {
    let runs = |number| count(number, "run", "runs");
    match (removed, kept) {
        (0, 0) => "no run is old enough\n".to_owned(),
        (removed, 0) => format!("{} pruned\n", runs(removed)),
        (removed, kept) => {
            format!("{} pruned; {} kept although old enough\n", runs(removed), runs(kept))
        }
    }
}

/// Returns one run with all its writes.
#[must_use]
pub fn one(listed: &Listed) -> String {
    let disclose = Discloser::of_names();
    let mut out = list(std::slice::from_ref(listed), &disclose);
    let Ok(past) = &listed.past else { return out };
    if let Some(begun) = &past.begun {
        _ = writeln!(out, "began {}   by {}", begun.began, printable(&begun.by.to_string()));
        _ = writeln!(out, "plan  {}   {} planned", printable(&begun.fingerprint), begun.changes);
    }
    out.push('\n');
    for told in &past.told {
        let word = word(told);
        let (setting, name) = (told.intent.setting.name(), label(&told.intent.name));
        _ = writeln!(
            out,
            "  {word}{}{setting}{}{name}   {} → {}",
            pad(2 + word.len(), SECOND),
            pad(SECOND + setting.len(), THIRD),
            printable(&told.intent.before),
            printable(&told.intent.after),
        );
        let noted = told.ended.as_ref();
        if let Some(why) = noted.and_then(|noted| noted.why.as_ref()) {
            _ = writeln!(out, "      {}", printable(why));
        }
    }
    if let Some(why) = past.end.as_ref().and_then(|end| end.stopped.as_ref()) {
        _ = writeln!(out, "\nstopped: {}", printable(why));
    }
    if let Some(end) = past.end.as_ref().filter(|end| !end.worse.is_empty()) {
        _ = write!(out, "\n{}", apply::worse(&end.worse, &disclose));
    }
    out
}

fn word(told: &PastWrite) -> &'static str {
    match told.ended.as_ref().map(|noted| noted.result) {
        Some(WriteResult::Done) => "done",
        Some(WriteResult::Failed) => "failed",
        Some(WriteResult::NotTried) => "notTried",
        Some(WriteResult::Unknown | WriteResult::NeverKnown) | None => "unknown",
    }
}

fn ending(past: &Past) -> &'static str {
    match &past.end {
        None => "   no end: still running, or cut off",
        Some(end) if end.stopped.is_some() && is_open(past) => {
            "   stopped; the next apply checks the writes in doubt"
        }
        Some(_) if is_open(past) => "   the next apply checks the writes in doubt",
        Some(end) if end.stopped.is_some() => "   stopped",
        Some(_) => "",
    }
}

/// Whether a later apply still has to check writes in doubt.
fn is_open(past: &Past) -> bool {
    past.told
        .iter()
        .any(|told| told.ended.as_ref().is_none_or(|noted| noted.result == WriteResult::Unknown))
}

/// Returns the counts at the end of the run, or those of the writes so far.
fn counts(past: &Past) -> ChangeCounts {
    if let Some(end) = &past.end {
        return end.counts;
    }
    let of = |word| {
        let told = past.told.iter().filter_map(|told| told.ended.as_ref());
        told.filter(|noted| noted.result == word).count()
    };
    let (done, failed) = (of(WriteResult::Done), of(WriteResult::Failed));
    let is_unknown = |told: &&PastWrite| word(told) == "unknown";
    let unknown = past.told.iter().filter(is_unknown).count();
    let planned = past.begun.as_ref().map_or(0, |begun| begun.changes);
    let not_tried = planned.saturating_sub(done + failed + unknown);
    ChangeCounts { done, failed, unknown, not_tried, ..ChangeCounts::default() }
}

/// Writes the runs, with their writes if asked for, and a final line feed.
///
/// # Errors
/// The write failed.
pub fn json(runs: &[Listed], with_writes: bool, out: impl io::Write) -> io::Result<()> {
    let runs = Rows::new(move || runs.iter().map(move |listed| RunRow::of(listed, with_writes)));
    grouping::write(&Document { format_version: FORMAT_VERSION, runs }, out)
}

/// Returns the JSON Schema of the output of [`json`].
#[must_use]
pub fn schema() -> Schema {
    grouping::schema::<Document<'static>>("runs of mfactl")
}

/// Runs of mfactl, oldest first.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Runs")]
struct Document<'a> {
    /// `major.minor`; minor adds keys, major breaks.
    format_version: &'static str,
    runs: Rows<'a, RunRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Run")]
struct RunRow<'a> {
    run: &'a str,
    /// What of the journal of the run could not be read, as a sentence; null if all of it could. Lost values
    /// of the run are null, and this list may lack some of its writes.
    damage: Option<String>,
    tenant: Option<String>,
    name: Option<&'a str>,
    /// The run that this run undoes, if it is an undo.
    undo_of: Option<&'a str>,
    fingerprint: Option<&'a str>,
    began: Option<String>,
    /// Null if the run was cut off or is still running.
    ended: Option<String>,
    by: Option<String>,
    /// Why the run stopped early, if it did.
    stopped: Option<&'a str>,
    planned: Option<usize>,
    done: Option<usize>,
    /// Changes that an earlier run of the same plan had made.
    done_before: Option<usize>,
    failed: Option<usize>,
    /// Writes in doubt: sent, but their outcome is unknown. The next apply checks them.
    unknown: Option<usize>,
    /// Changes of users that changed since the plan.
    moved_on: Option<usize>,
    not_tried: Option<usize>,
    /// The users that the run wrote to and that were worse off at its end.
    worse: Vec<WorseRow<'a>>,
    /// All writes; only for a single run.
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<Vec<WriteRow<'a>>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Write")]
struct WriteRow<'a> {
    user: String,
    name: &'a str,
    setting: &'static str,
    /// Numbers are masked.
    before: &'a str,
    after: &'a str,
    policy: &'a str,
    place: &'a str,
    /// It puts back an earlier write of the same run.
    puts_back: bool,
    /// `done`, `failed`, `unknown` if the outcome is unknown, or `notTried` if it was not sent.
    fate: &'static str,
    why: Option<&'a str>,
    request_id: Option<&'a str>,
    at: String,
}

impl<'a> RunRow<'a> {
    fn of(listed: &'a Listed, with_writes: bool) -> Self {
        let past = listed.past.as_ref().ok();
        let begun = past.and_then(|past| past.begun.as_ref());
        let end = past.and_then(|past| past.end.as_ref());
        let counts = past.map(counts);
        let writes = |past: &'a Past| past.told.iter().map(WriteRow::of).collect();
        Self {
            run: listed.run.as_str(),
            damage: listed.damage(),
            tenant: begun.map(|begun| begun.tenant.to_string()),
            name: begun.map(|begun| begun.domain.as_str()),
            undo_of: begun.and_then(undo_of),
            fingerprint: begun.map(|begun| begun.fingerprint.as_str()),
            began: begun.map(|begun| begun.began.to_string()),
            ended: end.map(|end| end.at.to_string()),
            by: begun.map(|begun| begun.by.to_string()),
            stopped: end.and_then(|end| end.stopped.as_deref()),
            planned: begun.map(|begun| begun.changes),
            done: counts.map(|counts| counts.done),
            done_before: counts.map(|counts| counts.done_before),
            failed: counts.map(|counts| counts.failed),
            unknown: counts.map(|counts| counts.unknown),
            moved_on: counts.map(|counts| counts.moved_on),
            not_tried: counts.map(|counts| counts.not_tried),
            worse: end.into_iter().flat_map(|end| &end.worse).map(WorseRow::of).collect(),
            writes: past.filter(|_| with_writes).map(writes),
        }
    }
}

fn undo_of(begun: &Begun) -> Option<&str> {
    match &begun.purpose {
        PlanPurpose::Policies => None,
        PlanPurpose::Undo { run } => Some(run),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Worse")]
struct WorseRow<'a> {
    user: String,
    name: &'a str,
    /// `open`, `stuck`, `worse`, or `notKnown` if the user could not be read.
    what: &'static str,
    /// The postures before the run and after it.
    before: &'static str,
    now: &'static str,
}

impl<'a> WorseRow<'a> {
    fn of(worse: &'a WorseUser) -> Self {
        Self {
            user: worse.user.to_string(),
            name: worse.name.raw(),
            what: worse.what.as_str(),
            before: worse.before.as_str(),
            now: worse.now.as_str(),
        }
    }
}

impl<'a> WriteRow<'a> {
    fn of(told: &'a PastWrite) -> Self {
        let (intent, noted) = (&told.intent, told.ended.as_ref());
        Self {
            user: intent.user.to_string(),
            name: &intent.name,
            setting: intent.setting.key(),
            before: &intent.before,
            after: &intent.after,
            policy: &intent.policy,
            place: &intent.place,
            puts_back: intent.puts_back.is_some(),
            fate: word(told),
            why: noted.and_then(|noted| noted.why.as_deref()),
            request_id: noted.and_then(|noted| noted.request_id.as_deref()),
            at: intent.at.to_string(),
        }
    }
}

//! The result of an apply, and what is left afterwards, for a terminal.
//!
//! Not here: the plan itself (`plan::text`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::disclose::Discloser;
use crate::id::UserId;
use crate::plan::Plan;
use crate::render::disclosed::names;
use crate::render::plan::text::{count, counted, some_of};
use crate::results::{ApplyReport, ChangeCounts, ChangeResult};
use crate::results::{EndFinding, WorseUser};
use crate::settings::Setting;
use crate::untrusted::{Untrusted, printable};

/// Returns the counts, and the names of the users with a change that was not made.
#[must_use]
pub fn report(plan: &Plan, report: &ApplyReport, disclose: &Discloser) -> String {
    let counts = report.counts();
    let mut out = String::new();
    for ((word, setting, why), names) in failures(plan, report) {
        let users = listed(&names, disclose);
        _ = writeln!(out, "  {word}  {}: {users}", setting.name());
        if !why.is_empty() {
            _ = writeln!(out, "      {}", printable(&disclose.text(why)));
        }
    }
    _ = writeln!(out, "Apply: {}", tally(counts, disclose));
    out
}

/// Returns the counts in a line. Writes in doubt are counted only if there are any.
#[must_use]
pub fn tally(counts: ChangeCounts, disclose: &Discloser) -> String {
    let shown = |number| disclose.count(number);
    let unknown = match counts.unknown {
        0 => String::new(),
        unknown => format!("{} unknown · ", shown(unknown)),
    };
    let before = match counts.done_before {
        0 => String::new(),
        before => format!(" · {} done before", shown(before)),
    };
    format!(
        "{} done · {} failed · {unknown}{} changed since the plan · {} not tried{before}",
        counted(shown(counts.done), "change", "changes"),
        shown(counts.failed),
        shown(counts.moved_on),
        shown(counts.not_tried),
    )
}

/// Returns the names of the users that a run wrote to and that are worse off.
#[must_use]
pub fn worse(worse: &[WorseUser], disclose: &Discloser) -> String {
    let mut groups: BTreeMap<_, Vec<(UserId, &Untrusted)>> = BTreeMap::new();
    for one in worse {
        groups.entry((one.what, one.before, one.now)).or_default().push((one.user, &one.name));
    }
    let mut out = String::new();
    for ((what, before, now), names) in groups {
        let (was, is) = (before.as_str(), now.as_str());
        let (word, about) = match what {
            EndFinding::Open => ("open     ", format!("{was} before the run")),
            EndFinding::Stuck => ("stuck    ", format!("{was} before the run")),
            EndFinding::Worse if before == now => (
                "worse    ",
                "could answer an MFA prompt before the run, and cannot now".to_owned(),
            ),
            EndFinding::Worse => ("worse    ", format!("{was} before the run, {is} now")),
            EndFinding::NotKnown => {
                ("unknown  ", format!("{was} before the run, could not be read now"))
            }
        };
        _ = writeln!(out, "  {word}  {}\n      {about}", listed(&names, disclose));
    }
    _ = writeln!(out, "Checked again: {}", worse_in_short(worse, disclose));
    out
}

/// Returns the number of these users, as a sentence.
#[must_use]
pub fn worse_in_short(worse: &[WorseUser], disclose: &Discloser) -> String {
    let unknown = worse.iter().filter(|one| one.what == EndFinding::NotKnown).count();
    let harmed = worse.len().saturating_sub(unknown);
    let of = |number, is| {
        let users = counted(disclose.count(number), "user", "users");
        format!("{users} that this run wrote to {is}")
    };
    let bad = of(
        harmed,
        if harmed == 1 {
            "is open, stuck or worse off than before"
        } else {
            "are open, stuck or worse off than before"
        },
    );
    let unread = of(unknown, "could not be read afterwards");
    match (harmed, unknown) {
        (_, 0) => bad,
        (0, _) => unread,
        _ => format!("{bad}; {unread}"),
    }
}

/// Returns what is left to do. `is_well` is false if a user is worse off.
#[must_use]
pub fn left(plan: &Plan, is_well: bool, disclose: &Discloser) -> String {
    let summary = plan.summary;
    let withheld = disclose.count(summary.withheld);
    if plan.changes.is_empty() && !is_well {
        format!("Planned again: the policies want no changes ({withheld} withheld)\n")
    } else if plan.changes.is_empty() {
        let read = if plan.is_complete() { "" } else { ", as far as it could be read" };
        let objects = match plan.objects.len() {
            0 => String::new(),
            some => format!(
                ", except for {} of the tenant, which mfactl does not write",
                count(some, "object", "objects")
            ),
        };
        format!("Planned again: nothing is left to do{objects}{read} ({withheld} withheld)\n")
    } else {
        let users = counted(disclose.count(summary.users_changed), "user", "users");
        format!(
            "Planned again: {} left for {users}; see `mfactl plan`\n",
            counted(disclose.count(plan.changes.len()), "change", "changes")
        )
    }
}

/// Users with their names.
type Users<'a> = Vec<(UserId, &'a Untrusted)>;

/// Returns the changes that were not made, grouped by result, setting and reason.
fn failures<'a>(
    plan: &'a Plan,
    report: &'a ApplyReport,
) -> BTreeMap<(&'static str, Setting, &'a str), Users<'a>> {
    let mut groups: BTreeMap<_, Vec<(UserId, &Untrusted)>> = BTreeMap::new();
    for (change, result) in report.of(plan) {
        let (word, why) = match result {
            ChangeResult::Done | ChangeResult::DoneBefore => continue,
            ChangeResult::Failed(why) => ("failed   ", &**why),
            ChangeResult::Unknown(why) => ("unknown  ", &**why),
            ChangeResult::MovedOn(why) => ("changed  ", why.about()),
            ChangeResult::NotTried(why) => ("not tried", &**why),
        };
        groups
            .entry((word, change.setting, why))
            .or_default()
            .extend(plan.directory.user(change.user).map(|user| (user.id, &user.name)));
    }
    groups
}

/// Returns the first names, or only the number of users.
fn listed(users: &[(UserId, &Untrusted)], disclose: &Discloser) -> String {
    match disclose.shows_users() {
        true => some_of(&names(users, disclose)),
        false => counted(disclose.count(users.len()), "user", "users"),
    }
}

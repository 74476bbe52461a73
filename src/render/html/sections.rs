//! The sections that a plan and a review share: brakes, kinds of changes, objects, withheld changes, changes of
//! policies in report mode, and findings. They count users and name none.
//!
//! Not here: what only a review has (`review`), or single users (`people`).

use std::collections::{BTreeMap, BTreeSet};

use super::element::{Element, element, texted};
use super::page::PageSection;
use super::plan::{PlanSubject, posture};
use super::table::{Row, cell, count, more_in_json, number, row_head, table, words};
use crate::disclose::UserCount;
use crate::finding::{Code, Severity};
use crate::id::UserId;
use crate::plan::brakes::Brake;
use crate::plan::content::{ObjectContent, ReasonContent};
use crate::plan::difference::{Delta, PlanDifference};
use crate::posture::Posture;
use crate::render::plan::text::counted;
use crate::render::review::finding_rows::{FindingDelta, finding_rows};
use crate::render::review::kinds::{self, Kind};
use crate::render::review::text::reason_words;
use crate::settings::Setting;
use crate::settings::change::PolicyIndex;
use crate::untrusted::Untrusted;

/// The most single findings on a page. The table of their codes has them all.
const MOST_FINDINGS: usize = 200;

/// Returns the brakes that would refuse the plan, with all brakes in a table.
pub(super) fn brakes(subject: PlanSubject<'_>) -> Option<PageSection> {
    let tripped = subject.plan.brakes.iter().filter(|one| one.tripped()).count();
    if tripped == 0 {
        return None;
    }
    let heads = [
        words("brake"),
        number("this plan"),
        number("limit"),
        number("of users in scope"),
        words("result"),
    ];
    let rows = subject.plan.brakes.iter().map(|brake| brake_row(subject, brake));
    let section = PageSection::new("brakes", "Apply would refuse this plan", tripped).alarm();
    Some(section.with(table("Limits of the project and the numbers of this plan", &heads, rows)))
}

fn brake_row(subject: PlanSubject<'_>, brake: &Brake) -> Row {
    let name = brake.name.as_str();
    let actual = subject.disclose.count(brake.actual);
    let result = match (brake.tripped(), actual) {
        (false, _) => cell().text("passes"),
        (true, UserCount::Exactly(number)) => {
            cell().text("refuses without ").name(&format!("--allow {name}={number}"))
        }
        (true, UserCount::Few) => {
            cell().text("refuses without ").name(&format!("--allow {name}=N"))
        }
    };
    let result = result.text(since(subject, brake));
    vec![
        row_head().name(name),
        count(actual),
        count(brake.limit),
        count(subject.disclose.count(brake.of)),
        result,
    ]
}

/// Returns whether the change of the files trips the brake.
fn since(subject: PlanSubject<'_>, brake: &Brake) -> &'static str {
    if !subject.is_compared || !brake.tripped() {
        return "";
    }
    let delta = subject.comparison.difference.brakes.get(&brake.name);
    match delta.and_then(Delta::base).is_some_and(|base| !base.tripped()) {
        true => ", because of this change",
        false => ", with this change or without it",
    }
}

/// Returns what changes, by kind, with the policy and the place of its rule.
pub(super) fn kinds(subject: PlanSubject<'_>) -> Option<PageSection> {
    let difference = &subject.comparison.difference;
    let all = kinds::kinds(difference);
    let title = if subject.is_compared { "What this change does" } else { "What changes" };
    if all.is_empty() {
        let nothing = match (subject.is_compared, subject.comparison.has_effect()) {
            (true, false) => {
                "Nothing in this tenant is planned differently, and no guard is weaker."
            }
            (true, true) => "No setting of a user is planned differently.",
            (false, _) => "No setting of a user changes.",
        };
        return Some(PageSection::new("changes", title, 0).with(texted("p", nothing)));
    }
    let users: BTreeSet<UserId> =
        all.iter().flat_map(|kind| kind.users.iter().map(|(user, _)| *user)).collect();
    let number = subject.disclose.count(users.len());
    Some(PageSection::new("changes", title, number).with(kinds_table(subject, difference)))
}

/// Returns a table of the kinds of changes of a difference.
pub(super) fn kinds_table(subject: PlanSubject<'_>, difference: &PlanDifference) -> Element {
    let heads = [
        words("setting"),
        words("change"),
        number("users"),
        words("policy"),
        words("place of the rule"),
    ];
    let rows = kinds::kinds(difference);
    let rows = rows.iter().filter_map(|kind| kind_row(subject, kind));
    table("Kinds of changes, and the number of users of each", &heads, rows)
}

fn kind_row(subject: PlanSubject<'_>, kind: &Kind<'_>) -> Option<Row> {
    let side = kind.with.as_ref().or(kind.without.as_ref())?;
    let policy = &side.example.policy;
    let rule = kinds::rule(&subject.plan.policies, policy, kind.setting);
    let place = cell();
    let place = rule.map_or(place.clone(), |rule| place.name(&rule.place.to_string()));
    let what = cell().prose(&kinds::what(kind));
    let what = match kind.is_privileged {
        true => what.text(" ").with(texted("span", "administrators").class("tag")),
        false => what,
    };
    Some(vec![
        row_head().text(kind.setting.name()),
        what,
        count(subject.disclose.count(kind.users.len())),
        cell().name(policy.raw()),
        place,
    ])
}

/// Returns the objects of the tenant that change, or that the two plans change differently.
pub(super) fn objects(subject: PlanSubject<'_>) -> Option<PageSection> {
    let all = &subject.comparison.difference.objects;
    if all.is_empty() {
        return None;
    }
    let heads =
        [words("object"), words("change"), words("accounts that it affects"), words("place")];
    let rows = all.iter().filter_map(|(kind, delta)| {
        let planned = subject.plan.objects.iter().find(|one| one.object == *kind);
        let place = planned.map_or(cell(), |one| cell().name(&one.origin.to_string()));
        object_row(subject, kind.name(), delta, place)
    });
    let note = "Objects are planned only: an apply does not write them.";
    let section = PageSection::new("objects", "Objects of the tenant", all.len());
    Some(section.with(texted("p", note)).with(table("Objects of the tenant", &heads, rows)))
}

fn object_row(
    subject: PlanSubject<'_>,
    name: &str,
    delta: &Delta<ObjectContent>,
    place: Element,
) -> Option<Row> {
    let content = delta.head().or_else(|| delta.base())?;
    let change = cell().text(&format!("{} → {}", content.before, content.after));
    let change = if delta.head().is_none() { change.text(", no longer planned") } else { change };
    Some(vec![row_head().text(name), change, cell().all(affected(subject, content)), place])
}

fn affected(subject: PlanSubject<'_>, content: &ObjectContent) -> Vec<Element> {
    let becoming =
        |one: Posture| content.affected.values().filter(|(_, after)| *after == one).count();
    let numbers = Posture::ALL.map(|one| (one, becoming(one)));
    let some = numbers.into_iter().filter(|(_, number)| *number > 0);
    let line = |(one, number): (Posture, usize)| {
        let number =
            counted(subject.disclose.count(number), "account becomes ", "accounts become ");
        element("div").text(&number).with(posture(one.as_str(), one.as_str()))
    };
    let lines: Vec<Element> = some.map(line).collect();
    match lines.is_empty() {
        true => vec![texted("div", "the posture of no account")],
        false => lines,
    }
}

/// Returns the withheld changes, by setting and reason.
pub(super) fn withheld(subject: PlanSubject<'_>) -> Option<PageSection> {
    let groups = kinds::withheld(&subject.comparison.difference);
    if groups.is_empty() {
        return None;
    }
    let all: usize = groups.values().map(|counts| counts.with.max(counts.without)).sum();
    let row =
        |((setting, reason), counts): (&(Setting, &ReasonContent), &kinds::WithheldCounts)| {
            vec![
                row_head().text(setting.name()),
                cell().prose(&reason_words(reason)),
                cell().text(&counts.in_words(subject.disclose)),
                cell().name(reason.code().as_str()),
            ]
        };
    let heads = [words("setting"), words("why it is withheld"), words("users"), words("code")];
    let section = PageSection::new("withheld", "Withheld", subject.disclose.count(all));
    let note = "These changes are not made, because they could leave an account open or stuck, or are not certain.";
    let rows = groups.iter().map(row);
    Some(section.with(texted("p", note)).with(table("Withheld changes, by reason", &heads, rows)))
}

/// Returns the changes of policies in report mode, by policy and setting.
pub(super) fn reported(subject: PlanSubject<'_>) -> Option<PageSection> {
    if subject.is_compared {
        let words = kinds::reported(&subject.comparison.difference, subject.disclose)?;
        return Some(PageSection::plain("reported", "Reported only").with(texted("p", &words)));
    }
    let mut groups: BTreeMap<(PolicyIndex, Setting), usize> = BTreeMap::new();
    for change in &subject.plan.reported {
        *groups.entry((change.policy, change.setting)).or_default() += 1;
    }
    if groups.is_empty() {
        return None;
    }
    let row = |((policy, setting), number): ((PolicyIndex, Setting), usize)| {
        let name = subject.plan.policy(policy).map_or("", |policy| policy.name.raw());
        vec![
            row_head().name(name),
            cell().text(setting.name()),
            count(subject.disclose.count(number)),
        ]
    };
    let heads = [words("policy"), words("setting"), number("users")];
    let section = PageSection::new("reported", "Reported only", groups.len());
    let note = "Policies in report mode would change these settings. They are never applied.";
    let rows = groups.into_iter().map(row);
    Some(section.with(texted("p", note)).with(table(
        "Changes of policies in report mode",
        &heads,
        rows,
    )))
}

/// Returns the findings, by code, and then each one.
pub(super) fn findings(subject: PlanSubject<'_>) -> Option<PageSection> {
    let lines = finding_rows(&subject.comparison.difference).into_iter().map(|delta| {
        let when = if subject.is_compared { delta.when() } else { "" };
        FindingLine { delta, when }
    });
    let title = if subject.is_compared { "Findings that come or go" } else { "Findings" };
    finding_section(title, lines.collect(), subject)
}

/// A finding of a plan, and what a change of the files does with it.
struct FindingLine<'a> {
    delta: FindingDelta<'a>,
    when: &'static str,
}

/// What findings of one row have in common.
type Alike = (Severity, Code, &'static str);

fn finding_section(
    title: &'static str,
    lines: Vec<FindingLine<'_>>,
    subject: PlanSubject<'_>,
) -> Option<PageSection> {
    if lines.is_empty() {
        return None;
    }
    let mut groups: BTreeMap<Alike, (usize, BTreeSet<UserId>)> = BTreeMap::new();
    for line in &lines {
        let finding = line.delta.finding;
        let key = (finding.severity, finding.code, line.when);
        let (number, users) = groups.entry(key).or_default();
        *number += 1;
        users.extend(line.delta.users());
    }
    let heads = [words("severity"), words("what it means"), number("users"), words("code")];
    let rows = groups.iter().map(|((severity, code, when), (_, users))| {
        let about = cell();
        let about = if when.is_empty() {
            about
        } else {
            about.with(texted("span", when).class("tag")).text(" ")
        };
        vec![
            row_head().with(severity_words(*severity)),
            about.prose(code.about()),
            count(subject.disclose.count(users.len())),
            cell().name(code.as_str()),
        ]
    });
    let section = PageSection::new("findings", title, groups.len());
    let section = section.with(table("Findings, by code", &heads, rows));
    Some(match subject.disclose.shows_users() {
        true => section.with(single_findings(&lines, subject)),
        false => section,
    })
}

fn single_findings(lines: &[FindingLine<'_>], subject: PlanSubject<'_>) -> Element {
    let item = |line: &FindingLine<'_>| {
        let finding = line.delta.finding;
        let item = element("li").with(severity_words(finding.severity)).text(" ");
        let item = if line.when.is_empty() { item } else { item.text(line.when).text(": ") };
        let item = item.prose(&line.delta.message(subject.disclose));
        match &finding.help {
            Some(help) => item.with(element("div").class("help").text("Help: ").prose(help)),
            None => item,
        }
    };
    let list = element("ul").class("lines").all(lines.iter().take(MOST_FINDINGS).map(item));
    let summary = texted("summary", "Each finding in its own words");
    let details = element("details").with(summary).with(list);
    match lines.len().saturating_sub(MOST_FINDINGS) {
        0 => details,
        more => details.with(more_in_json(more)),
    }
}

pub(super) fn severity_words(severity: Severity) -> Element {
    let dot =
        element("span").is("class", format!("dot {}", severity.as_str())).is("aria-hidden", "true");
    element("span").class("posture").with(dot).text(severity.as_str())
}

/// Returns names as a list in a cell.
pub(super) fn names<'a>(all: impl IntoIterator<Item = &'a Untrusted>, most: usize) -> Element {
    let mut list = cell();
    let mut number: usize = 0;
    for name in all {
        number += 1;
        if number > most {
            continue;
        }
        list = if number > 1 { list.text(", ") } else { list };
        list = list.name(name.raw());
    }
    match number.saturating_sub(most) {
        0 => list,
        more => list.text(&format!(" and {more} more")),
    }
}

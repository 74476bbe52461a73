//! The sections that only a review has: guards that become weaker, the users that are governed differently, and
//! what waits anyway.
//!
//! Not here: what a plan has too (`sections`).

use super::element::{Element, element, texted};
use super::page::PageSection;
use super::plan::PlanSubject;
use super::sections;
use super::table::{Row, cell, count, number, row_head, table, words};
use crate::plan::difference::{Delta, PlanDifference};
use crate::plan::loosening::{Loosening, LooseningPlace};
use crate::plan::review::Comparison;

/// Returns why there is no comparison.
pub(super) fn not_compared(subject: PlanSubject<'_>) -> Option<PageSection> {
    let review = subject.review?;
    let not = review.result.as_ref().err()?;
    let why = element("p").text("Not compared with ").name(review.against.raw()).text(": ");
    let why = why.prose(&not.shown(subject.disclose)).text(".");
    let help = element("p").text("Help: ").prose(&subject.disclose.text(&not.help)).text(".");
    let below = texted("p", "Below is the whole plan.");
    Some(PageSection::plain("not-compared", "Not compared").alarm().all([why, help, below]))
}

/// Returns the guards that the change makes weaker.
pub(super) fn loosenings(subject: PlanSubject<'_>) -> Option<PageSection> {
    if !subject.is_compared {
        return None;
    }
    let all = &subject.comparison.loosenings;
    if all.is_empty() {
        let section = PageSection::new("loosened", "Weaker guards", 0);
        return Some(section.with(texted("p", "This change makes no guard weaker.")));
    }
    let heads = [
        words("what is weaker"),
        number("users"),
        number("administrators"),
        words("place"),
        words("code"),
    ];
    let rows = all.iter().map(|one| loosening(subject, one));
    let section = PageSection::new("loosened", "Weaker guards", all.len()).alarm();
    Some(section.with(table("Guards that this change makes weaker", &heads, rows)))
}

fn loosening(subject: PlanSubject<'_>, one: &Loosening) -> Row {
    let disclose = subject.disclose;
    let message = disclose.of_files(&one.message, one.code.about());
    let place = match &one.place {
        Some(LooseningPlace::Head(place)) => cell().name(&place.to_string()),
        Some(LooseningPlace::Base(place)) => cell().name(&place.to_string()).text(" of the base"),
        None => cell(),
    };
    let [users, administrators] = match &one.concerned {
        Some(some) => {
            [some.users.len(), some.administrators].map(|number| count(disclose.count(number)))
        }
        None => [count("all"), cell()],
    };
    vec![row_head().prose(&message), users, administrators, place, cell().name(one.code.as_str())]
}

/// Returns the users that each policy starts and ceases to manage.
pub(super) fn scope(subject: PlanSubject<'_>) -> Option<PageSection> {
    let difference = &subject.comparison.difference;
    let policies = difference.scope();
    if policies.is_empty() || !subject.is_compared {
        return None;
    }
    let rows = policies.iter().map(|(name, delta)| {
        let [added, removed] = [&delta.added, &delta.removed];
        let [added, removed] =
            [added, removed].map(|users| count(subject.disclose.count(users.len())));
        vec![row_head().name(name.raw()), added, removed]
    });
    let heads = [words("policy"), number("starts to manage"), number("ceases to manage")];
    let users = subject.disclose.count(difference.governed.len());
    let section = PageSection::new("governed", "Governed differently", users);
    let section = section.all(orphaned(subject));
    Some(section.with(table("Users that policies start and cease to manage", &heads, rows)))
}

fn orphaned(subject: PlanSubject<'_>) -> Option<Element> {
    let number = subject.comparison.difference.orphaned().count();
    let line = format!("{} governed by no policy any more.", subject.users(number));
    (number > 0).then(|| texted("p", &line).class("warn"))
}

/// Returns what waits with the change of the files or without it.
pub(super) fn waiting(subject: PlanSubject<'_>) -> Option<PageSection> {
    if !subject.is_compared {
        return None;
    }
    let waiting = subject.comparison.waiting;
    if waiting.changes == 0 {
        let section = PageSection::new("waiting", "Waiting anyway", 0);
        let nothing = "No change waits with this change or without it.";
        return Some(section.with(texted("p", nothing)));
    }
    let changes = subject.disclose.count(waiting.changes);
    let users = subject.users(waiting.users);
    let note = format!(
        "An apply would also make these changes of {users}. They wait with this change of the files or without it."
    );
    let unchanged = unchanged(subject.alone, subject.comparison);
    let section = PageSection::new("waiting", "Waiting anyway", changes);
    Some(section.with(texted("p", &note)).with(sections::kinds_table(subject, &unchanged)))
}

/// Returns the changes of the whole plan that the comparison does not have.
fn unchanged(alone: &Comparison, comparison: &Comparison) -> PlanDifference {
    let mut users = alone.difference.users.clone();
    for one in comparison.difference.settings() {
        if let Some(Delta::Added(content)) = users.get_mut(&one.user) {
            content.changes.remove(&one.setting);
        }
    }
    PlanDifference { users, ..PlanDifference::default() }
}

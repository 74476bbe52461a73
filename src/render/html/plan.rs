//! The page of a plan or of the review of a change: the sentence, the facts, the postures before and after, and the
//! sections in the order in which a reviewer reads them.
//!
//! Not here: the sections themselves (`sections`, `review`), or the rows of single users (`people`).

use super::HtmlView;
use super::chart::{Bar, Hue, Part, bars};
use super::element::{Element, element, texted};
use super::page::{HtmlPage, PageSection};
use super::table::{self, Row, number, row_head, words};
use super::{people, review, sections};
use crate::disclose::Discloser;
use crate::plan::brakes::Brake;
use crate::plan::review::{Comparison, Review};
use crate::plan::{Plan, PlanPurpose, undo};
use crate::render::counts::alone;
use crate::render::plan::text::{count, counted};
use crate::render::recorded;
use crate::render::review::kinds::{self, PostureRow};
use crate::render::review::sentence::sentence;

/// What a page is about.
#[derive(Clone, Copy)]
pub(super) struct PlanSubject<'a> {
    pub(super) plan: &'a Plan,
    pub(super) review: Option<&'a Review>,
    /// The change, or the whole plan if there is no comparison.
    pub(super) comparison: &'a Comparison,
    /// The whole plan.
    pub(super) alone: &'a Comparison,
    pub(super) is_compared: bool,
    pub(super) disclose: &'a Discloser,
}

pub(super) fn page(plan: &Plan, review: Option<&Review>, view: HtmlView<'_>) -> HtmlPage {
    let alone = alone(plan);
    let compared = review.and_then(|review| review.result.as_ref().ok());
    let subject = PlanSubject {
        plan,
        review,
        comparison: compared.unwrap_or(&alone),
        alone: &alone,
        is_compared: compared.is_some(),
        disclose: view.disclose,
    };
    let people = view.disclose.shows_users().then(|| people::table(subject));
    let mut sections: Vec<PageSection> = subject.sections().into_iter().flatten().collect();
    sections.extend(people.as_ref().map(people::section));
    HtmlPage {
        title: format!("{} of {}", subject.noun(), plan.identity.domain),
        about: subject.about(view),
        heading: element("h1").text(&subject.heading()),
        facts: subject.facts(),
        sections,
        foot: subject.foot(view),
        people: people.map(people::PeopleTable::data),
    }
}

impl PlanSubject<'_> {
    /// Returns all sections but the one of single users. A section without content is `None`.
    fn sections(self) -> Vec<Option<PageSection>> {
        vec![
            review::not_compared(self),
            review::loosenings(self),
            sections::brakes(self),
            self.postures(),
            sections::kinds(self),
            review::scope(self),
            sections::objects(self),
            sections::withheld(self),
            sections::reported(self),
            sections::findings(self),
            review::waiting(self),
        ]
    }

    pub(super) fn users(self, number: usize) -> String {
        counted(self.disclose.count(number), "user", "users")
    }

    /// What the page is, for a sentence.
    fn noun(self) -> &'static str {
        match (&self.plan.purpose, self.review.is_some()) {
            (PlanPurpose::Undo { .. }, _) => "Undo",
            (_, true) => "Change of the MFA policies",
            (_, false) => "MFA plan",
        }
    }

    fn about(self, view: HtmlView<'_>) -> Element {
        let plan = self.plan;
        let about = element("p").text(self.noun()).text(" · tenant ");
        let about = about.name(plan.identity.domain.raw());
        let about = if view.sandbox { about.text(" (sandbox)") } else { about };
        let about = match plan.recorded {
            Some(made) => about.text(&format!(" · {}", recorded::words(made))),
            None => about,
        };
        let about = match self.review {
            Some(review) => about.text(" · compared with ").name(review.against.raw()),
            None => about,
        };
        match &plan.purpose {
            PlanPurpose::Undo { run } => about.text(" · run ").name(run),
            PlanPurpose::Policies if view.part => about.text(" · only the selected part"),
            PlanPurpose::Policies => about,
        }
    }

    fn heading(self) -> String {
        let sentence = sentence(self.comparison, self.disclose);
        match (self.review, self.is_compared) {
            (None, _) => format!("This plan {sentence}"),
            (Some(_), true) => format!("This change {sentence}"),
            (Some(_), false) => "It is unknown what this change does".to_owned(),
        }
    }

    fn facts(self) -> Vec<Element> {
        let plan = self.plan;
        let accounts = self.disclose.count(plan.basis.break_glass.len());
        let never = counted(accounts, "break-glass account", "break-glass accounts");
        let mut facts = vec![
            texted("li", &format!("{} in scope", self.users(plan.in_scope))),
            texted("li", &format!("{} changed", self.users(plan.summary.users_changed))),
            texted("li", &format!("{never} never written")),
        ];
        if plan.purpose == PlanPurpose::Policies {
            facts.insert(0, texted("li", &count(plan.policies.len(), "policy", "policies")));
        } else if !undo::is_whole(plan) {
            facts.push(texted("li", "some changes of the run are not put back").class("warn"));
        }
        if plan.brakes.iter().any(Brake::tripped) {
            facts.push(texted("li", "apply would refuse this plan").class("alarm"));
        }
        if !plan.is_complete() {
            let unread = "some data could not be read, so some results are unknown";
            facts.push(texted("li", unread).class("warn"));
        }
        facts
    }

    /// Returns the picture and the table of the postures, without an apply and after it, or without the change of
    /// the files and with it.
    fn postures(self) -> Option<PageSection> {
        let rows = match self.is_compared {
            true => kinds::postures(self.comparison),
            false => kinds::postures_of_plan(&self.plan.postures),
        };
        if rows.is_empty() {
            return None;
        }
        let (one, other) = match self.is_compared {
            true => ("without this change", "with this change"),
            false => ("now", "after an apply"),
        };
        let bar = |label: &str, of: fn(&PostureRow) -> usize| Bar {
            label: label.to_owned(),
            parts: rows.iter().map(|row| self.part(row, of(row))).collect(),
        };
        let both = [bar(one, |row| row.without), bar(other, |row| row.with)];
        let title = match self.is_compared {
            true => "Users by posture after an apply, without this change and with it",
            false => "Users by posture, now and after an apply",
        };
        let picture = bars("postures-picture", title, &both);
        let heads = [words("posture"), number(one), number(other)];
        let table = table::table(title, &heads, rows.iter().map(|row| self.posture(row)));
        Some(
            PageSection::plain("postures", "Posture")
                .with(element("div").class("pair").all([picture, table])),
        )
    }

    const fn part(self, row: &PostureRow, number: usize) -> Part {
        Part { hue: Hue(row.key), words: row.words, users: self.disclose.count(number) }
    }

    fn posture(self, row: &PostureRow) -> Row {
        let numbers = [row.without, row.with].map(|number| self.disclose.count(number));
        let head = row_head().with(posture(row.key, row.words));
        let [one, other] = numbers.map(table::count);
        // The style knows a number that moves by this attribute.
        let other = if numbers[0] == numbers[1] { other } else { other.flag("data-moves") };
        vec![head, one, other]
    }

    fn foot(self, view: HtmlView<'_>) -> Vec<Element> {
        let fingerprint = self.plan.fingerprint.to_string();
        let code = |hash: &str| texted("code", hash).class("hash");
        let mut foot = vec![element("p").text("Fingerprint ").with(code(&fingerprint))];
        if let Some(digest) = view.digest.filter(|_| self.is_compared) {
            foot.push(element("p").text("Difference ").with(code(&digest.to_string())));
        }
        foot
    }
}

/// A posture in words, with its colour.
pub(super) fn posture(key: &'static str, words: &str) -> Element {
    let dot = element("span").is("class", format!("dot {key}")).is("aria-hidden", "true");
    element("span").class("posture").with(dot).text(words)
}

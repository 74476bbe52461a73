//! The page of a report: the postures today and on later days, the tables of policies, groups, roles and methods,
//! break-glass accounts, shared numbers, findings and accounts.
//!
//! Not here: the rows of single accounts (`accounts`), or what a report counts (`report`).

use std::collections::BTreeMap;

use super::chart::{Bar, DayBar, Hue, Part, bars, days};
use super::element::{Element, element, texted};
use super::page::{self, HtmlPage, PageSection};
use super::plan::posture;
use super::sections::{names, severity_words};
use super::table::{Row, cell, count, number, row_head, table, words};
use super::{HtmlView, accounts, people};
use crate::disclose::{Discloser, UserCount};
use crate::finding::Finding;
use crate::posture::Posture;
use crate::render::plan::text::counted;
use crate::render::recorded;
use crate::report::{
    AccountCounts, BreakGlassAccount, MethodCount, PostureReport, ReportedUser, SharedNumber,
    Weakness,
};
use crate::tenant::facts::MethodKind;
use crate::untrusted::Untrusted;

/// The most names in a row.
const MOST_NAMES: usize = 10;

/// Returns the report as a page. The names in it are shown as they are.
#[must_use]
pub fn html(report: &PostureReport, view: HtmlView<'_>) -> String {
    let page = Page { report, disclose: view.disclose };
    let people = view.disclose.shows_users().then(|| accounts::table(report));
    let mut sections: Vec<PageSection> = page.sections().into_iter().flatten().collect();
    sections.extend(people.as_ref().map(people::section));
    let about = element("p").text("MFA report · tenant ").name(report.identity.domain.raw());
    let about = if view.sandbox { about.text(" (sandbox)") } else { about };
    let about = match report.recorded {
        Some(made) => about.text(&format!(" · {}", recorded::words(made))),
        None => about,
    };
    page::document(HtmlPage {
        title: format!("MFA report of {} on {}", report.identity.domain, report.day()),
        about: about.text(&format!(" · on {}", report.day())),
        heading: element("h1").text(&page.heading()),
        facts: page.facts(),
        sections,
        foot: Vec::new(),
        people: people.map(people::PeopleTable::data),
    })
}

#[derive(Clone, Copy)]
struct Page<'a> {
    report: &'a PostureReport,
    disclose: &'a Discloser,
}

impl Page<'_> {
    fn sections(self) -> Vec<Option<PageSection>> {
        let report = self.report;
        let policies = report.policies.iter().map(|slice| {
            let mode = if slice.of.reports_only { " (report mode)" } else { "" };
            (row_head().name(slice.of.name.raw()).text(mode), &slice.counts)
        });
        let groups =
            report.groups.iter().map(|slice| (row_head().name(slice.of.name.raw()), &slice.counts));
        let roles =
            report.roles.iter().map(|slice| (row_head().name(slice.of.name.raw()), &slice.counts));
        vec![
            Some(self.postures()),
            self.by_day(),
            self.slices("policies", "Policies", "policy", policies.collect()),
            self.slices("groups", "Groups named in policies", "group", groups.collect()),
            self.slices("roles", "Roles, active or eligible", "role", roles.collect()),
            Some(self.methods()),
            Some(self.break_glass()),
            self.shared(),
            self.findings(),
        ]
    }

    const fn count(self, number: usize) -> UserCount {
        self.disclose.count(number)
    }

    /// Returns what is wrong, in one sentence.
    fn heading(self) -> String {
        let counts = &self.report.counts;
        let is = |number: usize, state: &str| {
            let number = self.count(number);
            let verb = if number == UserCount::Exactly(1) { "is" } else { "are" };
            format!("{number} {verb} {state}")
        };
        let troubles = [Posture::Open, Posture::Stuck].map(|one| (counts.of(one), one.as_str()));
        let mut parts: Vec<String> = troubles
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, state)| is(number, state))
            .collect();
        if parts.is_empty() {
            parts.push("no account is open or stuck".to_owned());
        }
        if let Some(day) = counts.expiring.keys().next() {
            let expiring = self.count(counts.expiring());
            parts.push(format!("{expiring} will become open or stuck from {day} on"));
        }
        let all = counted(self.count(counts.users), "enabled account", "enabled accounts");
        format!("Of {all}, {}", parts.join(", "))
    }

    fn facts(self) -> Vec<Element> {
        let report = self.report;
        let guests = counted(self.count(report.guests), "guest", "guests");
        let mut facts = vec![
            texted("li", &format!("{guests} among them")),
            texted("li", &format!("{} disabled, not counted", self.count(report.disabled))),
        ];
        if report.break_glass.weak() > 0 {
            facts.push(texted("li", "a break-glass account is weak").class("warn"));
        }
        if !report.is_complete() {
            let unread = "some data could not be read, so some results are unknown";
            facts.push(texted("li", unread).class("warn"));
        }
        facts
    }

    fn postures(self) -> PageSection {
        let counts = &self.report.counts;
        let seen = Posture::ALL.into_iter().filter(|one| counts.of(*one) > 0);
        let parts = seen.clone().map(|one| self.part(one.as_str(), one.as_str(), counts.of(one)));
        let title = "Enabled accounts by posture";
        let bar = Bar { label: format!("On {}", self.report.day()), parts: parts.collect() };
        let picture = bars("postures-picture", title, &[bar]);
        let rows = seen.map(|one| {
            let head = row_head().with(posture(one.as_str(), one.as_str()));
            vec![head, cell().text(meaning(one)), count(self.count(counts.of(one)))]
        });
        let table = table(title, &[words("posture"), words("meaning"), number("accounts")], rows);
        PageSection::plain("postures", "Posture").with(picture).with(table)
    }

    const fn part(self, hue: &'static str, words: &'static str, number: usize) -> Part {
        Part { hue: Hue(hue), words, users: self.disclose.count(number) }
    }

    /// Returns the postures from each day on which accounts lose their last usable method.
    fn by_day(self) -> Option<PageSection> {
        let expiring = &self.report.counts.expiring;
        if expiring.is_empty() {
            return None;
        }
        let title = "Accounts by posture, from each day on";
        // The postures of two days would say by subtraction what the table hides.
        let is_exact = |users: &usize| self.count(*users) != UserCount::Few;
        let is_drawn = expiring.values().all(is_exact);
        let picture = is_drawn.then(|| days("days-picture", title, &self.day_bars()));
        let heads = [words("from"), number("lose their last usable method")];
        let rows = expiring.iter().map(|(day, users)| {
            vec![texted("th", &day.to_string()).is("scope", "row"), count(self.count(*users))]
        });
        let note = "Delivery by SMS and voice ends on these days. The accounts have no other usable method, so they will be open or stuck unless they register one.";
        let section = PageSection::new("days", "By day", self.count(self.report.counts.expiring()));
        Some(section.with(texted("p", note)).all(picture).with(table(title, &heads, rows)))
    }

    /// Returns the numbers from each day on.
    fn day_bars(self) -> Vec<DayBar> {
        let report = self.report;
        let first = report.day();
        let changes = report.counts.expiring.keys().copied();
        let days = std::iter::once(first).chain(changes);
        let after = |day: jiff::civil::Date| day.since(first).map_or(0, |span| span.get_days());
        days.map(|day| DayBar {
            after: after(day),
            label: day.to_string(),
            parts: self.parts_on(day),
        })
        .collect()
    }

    fn parts_on(self, day: jiff::civil::Date) -> Vec<Part> {
        let is_lost = |one: &ReportedUser| one.expiring.is_some_and(|end| end <= day);
        let mut kept: BTreeMap<Posture, usize> = BTreeMap::new();
        let mut lost = 0;
        for person in &self.report.people {
            match is_lost(person) {
                true => lost += 1,
                false => *kept.entry(person.posture).or_default() += 1,
            }
        }
        let of = |one: Posture| kept.get(&one).copied().unwrap_or_default();
        let part = |one: Posture| self.part(one.as_str(), one.as_str(), of(one));
        vec![
            part(Posture::Protected),
            part(Posture::Unprotected),
            part(Posture::Unknown),
            self.part("lost", "open or stuck from a day on", lost),
            part(Posture::Stuck),
            part(Posture::Open),
        ]
    }

    /// Returns a table with the postures of each row.
    fn slices(
        self,
        id: &'static str,
        title: &'static str,
        head: &'static str,
        rows: Vec<(Element, &AccountCounts)>,
    ) -> Option<PageSection> {
        if rows.is_empty() {
            return None;
        }
        let mut heads = vec![words(head), number("accounts")];
        heads.extend(Posture::ALL.map(|one| number(one.as_str())));
        heads.push(number("expiring"));
        let number = rows.len();
        let rows = rows.into_iter().map(|(head, counts)| self.slice(head, counts));
        Some(PageSection::new(id, title, number).with(table(title, &heads, rows)))
    }

    fn slice(self, head: Element, counts: &AccountCounts) -> Row {
        let mut row = vec![head, count(self.count(counts.users))];
        for one in Posture::ALL {
            let cell = count(self.count(counts.of(one)));
            let is_trouble = matches!(one, Posture::Open | Posture::Stuck) && counts.of(one) > 0;
            row.push(if is_trouble { cell.flag("data-trouble") } else { cell });
        }
        row.push(count(self.count(counts.expiring())));
        row
    }

    fn methods(self) -> PageSection {
        let methods = &self.report.methods;
        let mut rows: Vec<Row> = Vec::new();
        for (kind, MethodCount { registered, answers }) in methods.kinds() {
            let never =
                matches!(kind, MethodKind::Password | MethodKind::Email | MethodKind::QrCodePin);
            let answers = if never { count("never") } else { count(self.count(answers)) };
            rows.push(vec![row_head().text(kind.name()), count(self.count(registered)), answers]);
        }
        let others = [
            (methods.nothing, "no second factor"),
            (methods.unknown, "unknown"),
            (methods.hidden, "phone number masked by Graph"),
        ];
        let is_shown =
            |(number, label): &(usize, &str)| *number > 0 || *label == "no second factor";
        for (number, label) in others.into_iter().filter(is_shown) {
            rows.push(vec![row_head().text(label), count(self.count(number)), cell()]);
        }
        let title = "Registered methods";
        let heads =
            [words("method"), number("accounts"), number("can answer every MFA prompt with it")];
        PageSection::plain("methods", title).with(table(title, &heads, rows))
    }

    fn break_glass(self) -> PageSection {
        let all = &self.report.break_glass;
        let section =
            PageSection::new("break-glass", "Break-glass accounts", self.count(all.enabled));
        let few = format!(
            "At least {} must be enabled: with fewer accounts, mfactl makes no plan.",
            all.minimum
        );
        let section = match (all.is_too_few(), all.accounts.is_empty()) {
            (true, _) => section.with(texted("p", &few).class("alarm")),
            (false, true) => {
                section.with(texted("p", "No account is named under breakGlass.").class("alarm"))
            }
            (false, false) => section,
        };
        let section = section.with(texted("p", "These accounts are never written."));
        if all.accounts.is_empty() {
            return section;
        }
        match self.disclose.shows_users() {
            true => {
                let rows = all.accounts.iter().map(|account| self.account(account));
                section.with(table(
                    "Break-glass accounts",
                    &[words("account"), words("weakness")],
                    rows,
                ))
            }
            false => section.with(self.weaknesses()),
        }
    }

    fn account(self, account: &BreakGlassAccount) -> Row {
        let weaknesses: Vec<&str> =
            account.weaknesses.iter().copied().map(Weakness::about).collect();
        let words = if weaknesses.is_empty() { "none".to_owned() } else { weaknesses.join("; ") };
        vec![row_head().name(self.report.directory.name(account.user).raw()), cell().text(&words)]
    }

    /// Returns how many accounts have each weakness.
    fn weaknesses(self) -> Element {
        let mut numbers: BTreeMap<Weakness, usize> = BTreeMap::new();
        for weakness in
            self.report.break_glass.accounts.iter().flat_map(|account| &account.weaknesses)
        {
            *numbers.entry(*weakness).or_default() += 1;
        }
        let rows = numbers.into_iter().map(|(weakness, number)| {
            vec![row_head().text(weakness.about()), count(self.count(number))]
        });
        table("Weaknesses of break-glass accounts", &[words("weakness"), number("accounts")], rows)
    }

    fn shared(self) -> Option<PageSection> {
        let all = &self.report.shared;
        if all.is_empty() {
            return None;
        }
        let section = PageSection::new("shared", "Shared numbers", self.count(all.len()));
        let section = section.with(texted(
            "p",
            "Each of the users could answer for the others. Numbers are masked.",
        ));
        if !self.disclose.shows_users() {
            return Some(section);
        }
        let rows = all.iter().map(|one| self.shared_row(one));
        Some(section.with(table("Shared numbers", &[words("number"), words("users")], rows)))
    }

    fn shared_row(self, shared: &SharedNumber) -> Row {
        let users: Vec<&Untrusted> =
            shared.users.iter().map(|user| self.report.directory.name(*user)).collect();
        vec![row_head().text(&shared.number.to_string()), names(users, MOST_NAMES)]
    }

    fn findings(self) -> Option<PageSection> {
        let all = &self.report.findings;
        if all.is_empty() {
            return None;
        }
        let mut rows: Vec<Row> = all.iter().map(|one| self.finding(one)).collect();
        // Without names, findings of one kind can look alike.
        rows.dedup();
        let heads = [words("severity"), words("finding"), number("users"), words("code")];
        let section = PageSection::new("findings", "Findings", all.len());
        Some(section.with(table("Findings", &heads, rows)))
    }

    fn finding(self, finding: &Finding) -> Row {
        let shown = self.disclose.finding(finding);
        let message = cell().prose(&shown.message);
        let message = match &shown.help {
            Some(help) => message.with(element("div").class("help").text("Help: ").prose(help)),
            None => message,
        };
        vec![
            row_head().with(severity_words(finding.severity)),
            message,
            count(self.count(finding.users.len())),
            cell().name(finding.code.as_str()),
        ]
    }
}

/// Returns what a posture means for the account.
const fn meaning(posture: Posture) -> &'static str {
    match posture {
        Posture::Protected => "MFA is required, and a registered method works",
        Posture::Open => "the next person with the password can register their own method",
        Posture::Stuck => "no registered method works: the account is locked out",
        Posture::Unprotected => "a password is enough for mail and files",
        Posture::Unknown => "a fact that decides it is unknown",
    }
}

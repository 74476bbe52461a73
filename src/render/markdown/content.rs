//! The parts of a page: the head with the sentence and the counts, the sections, and the foot.
//!
//! Not here: how much of each fits (`section`), or how the text of others is written (`escape`).

use std::collections::{BTreeMap, BTreeSet};

use super::MarkdownView;
use super::escape::{code, prose};
use super::section::{MarkdownPage, Section};
use crate::disclose::Discloser;
use crate::id::UserId;
use crate::plan::Plan;
use crate::plan::brakes::Brake;
use crate::plan::content::ReasonContent;
use crate::plan::loosening::{Loosening, LooseningPlace};
use crate::plan::review::{Comparison, Review};
use crate::plan::reviewed_difference::ReviewedDifference;
use crate::render::counts::alone;
use crate::render::disclosed::names;
use crate::render::plan::text::counted;
use crate::render::recorded;
use crate::render::review::finding_rows::finding_rows;
use crate::render::review::kinds::{self, Kind};
use crate::render::review::sentence::sentence;
use crate::render::review::text::reason_words;
use crate::settings::Setting;
use crate::untrusted::Untrusted;

/// The most names in a row.
const MOST_NAMES: usize = 3;

/// What a page is about.
struct Subject<'a> {
    plan: &'a Plan,
    review: Option<&'a Review>,
    /// The change, or the whole plan if there is no comparison.
    comparison: &'a Comparison,
    disclose: &'a Discloser,
}

pub(super) fn page(plan: &Plan, review: Option<&Review>, view: MarkdownView<'_>) -> MarkdownPage {
    let alone = alone(plan);
    let compared = review.and_then(|review| review.result.as_ref().ok());
    let comparison = compared.unwrap_or(&alone);
    let subject = Subject { plan, review, comparison, disclose: view.disclose };
    let is_compared = compared.is_some();
    MarkdownPage {
        head: format!(
            "{}\n{}{}{}",
            view.marker,
            subject.title(),
            subject.recorded(),
            subject.postures(is_compared)
        ),
        sections: vec![
            subject.loosenings(),
            subject.brakes(compared),
            subject.kinds(is_compared),
            subject.administrators(),
            subject.scope(),
            subject.withheld(),
            subject.findings(is_compared),
        ],
        foot: subject.foot(compared, view),
    }
}

impl Subject<'_> {
    fn users(&self, number: usize) -> String {
        self.number(number, "user", "users")
    }

    fn number(&self, number: usize, one: &str, many: &str) -> String {
        counted(self.disclose.count(number), one, many).replace('<', "&lt;")
    }

    fn count(&self, number: usize) -> String {
        self.disclose.count(number).to_string().replace('<', "&lt;")
    }

    fn title(&self) -> String {
        let domain = code(self.plan.identity.domain.raw(), false);
        let sentence = sentence(self.comparison, self.disclose).replace('<', "&lt;");
        match self.review.map(|review| (review, &review.result)) {
            None => format!("### MFA plan · {domain} · this plan {sentence}\n\n"),
            Some((_, Ok(_))) => format!("### MFA plan · {domain} · this change {sentence}\n\n"),
            Some((review, Err(not))) => format!(
                "### MFA plan · {domain} · it is unknown what this change does\n\nNot compared with {}: {}. Help: {}. Below is the whole plan.\n\n",
                code(review.against.raw(), false),
                prose(&not.shown(self.disclose)),
                prose(&self.disclose.text(&not.help)),
            ),
        }
    }

    fn recorded(&self) -> String {
        let line = |made| format!("This is {}.\n\n", recorded::words(made));
        self.plan.recorded.map_or_else(String::new, line)
    }

    fn postures(&self, is_compared: bool) -> String {
        let rows = match is_compared {
            true => kinds::postures(self.comparison),
            false => kinds::postures_of_plan(&self.plan.postures),
        };
        if rows.is_empty() {
            return String::new();
        }
        let mut table = match is_compared {
            true => "| users after an apply | without this change | with it |\n",
            false => "| users | now | after an apply |\n",
        }
        .to_owned();
        table += "|---|---:|---:|\n";
        for row in rows {
            let (one, other) = (self.count(row.without), self.count(row.with));
            table += &format!("| {} | {one} | {other} |\n", row.words);
        }
        table + "\n"
    }

    fn loosenings(&self) -> Section {
        let all = &self.comparison.loosenings;
        let rows = all.iter().map(|one| self.loosening(one)).collect();
        let title =
            format!("Loosens {} {}", all.len(), if all.len() == 1 { "guard" } else { "guards" });
        Section { rank: 0, title, is_open: true, rows }
    }

    fn loosening(&self, one: &Loosening) -> String {
        let message = prose(&self.disclose.of_files(&one.message, one.code.about()));
        let place = match &one.place {
            Some(LooseningPlace::Head(place)) => format!(" · {}", code(&place.to_string(), false)),
            Some(LooseningPlace::Base(place)) => {
                format!(" · {} of the base", code(&place.to_string(), false))
            }
            None => String::new(),
        };
        let concerned = one.concerned.as_ref().map_or_else(String::new, |some| {
            let administrators = match some.administrators {
                0 => String::new(),
                number => format!(", {} with an administrator role", self.count(number)),
            };
            format!(" · {}{administrators}", self.users(some.users.len()))
        });
        format!("**loosened**: {message}{place}{concerned} · `{}`", one.code.as_str())
    }

    fn brakes(&self, compared: Option<&Comparison>) -> Section {
        let tripped: Vec<&Brake> = self.plan.brakes.iter().filter(|one| one.tripped()).collect();
        let row = |brake: &&Brake| {
            let name = brake.name.as_str();
            let base = compared.and_then(|one| one.difference.brakes.get(&brake.name)?.base());
            let is_new = compared.is_some() && base.is_some_and(|base| !base.tripped());
            let since = match (compared.is_some(), is_new) {
                (false, _) => "",
                (true, true) => ", because of this change",
                (true, false) => ", with this change or without it",
            };
            let actual = self.count(brake.actual);
            let allow = match actual.starts_with('&') {
                true => format!("without `--allow {name}=N` for the number that `plan` shows"),
                false => format!("without `--allow {name}={actual}`"),
            };
            format!(
                "**brake** `{name}` is {actual} of {}, and the limit is {}{since}: apply refuses this plan {allow}",
                self.count(brake.of),
                brake.limit
            )
        };
        let title = "Apply would refuse this plan".to_owned();
        Section { rank: 1, title, is_open: true, rows: tripped.iter().map(row).collect() }
    }

    fn kinds(&self, is_compared: bool) -> Section {
        let kinds = kinds::kinds(&self.comparison.difference);
        let users: BTreeSet<UserId> =
            kinds.iter().flat_map(|kind| kind.users.iter().map(|(user, _)| *user)).collect();
        let (number, kinds_in) = (self.users(users.len()), kinds.len());
        let because = if is_compared { " because of this change" } else { "" };
        let noun = if kinds_in == 1 { "kind" } else { "kinds" };
        let title = format!("What changes{because}: {number} in {kinds_in} {noun}");
        let rows = kinds.iter().filter_map(|kind| self.kind(kind)).collect();
        Section { rank: 2, title, is_open: false, rows }
    }

    fn kind(&self, kind: &Kind<'_>) -> Option<String> {
        let side = kind.with.as_ref().or(kind.without.as_ref())?;
        let words = prose(&kinds::what(kind));
        let number = match kind.is_privileged {
            true => self.number(kind.users.len(), "administrator", "administrators"),
            false => self.users(kind.users.len()),
        };
        let rule = self.rule(&side.example.policy, kind.setting);
        let some = self.some_of(&kind.users);
        Some(format!("{}: {words} · {number} · {rule}{some}", kind.setting.name()))
    }

    /// Returns the name of a policy and the place of its rule.
    fn rule(&self, policy: &Untrusted, setting: Setting) -> String {
        let name = code(policy.raw(), false);
        match kinds::rule(&self.plan.policies, policy, setting) {
            Some(rule) => format!("{name} · {}", code(&rule.place.to_string(), false)),
            None => name,
        }
    }

    fn some_of(&self, users: &[(UserId, &Untrusted)]) -> String {
        if !self.disclose.shows_users() || users.is_empty() {
            return String::new();
        }
        let names = names(users, self.disclose);
        let shown: Vec<String> =
            names.iter().take(MOST_NAMES).map(|name| code(name.raw(), false)).collect();
        let more = match names.len().saturating_sub(MOST_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" · {}{more}", shown.join(", "))
    }

    /// Names every administrator, because their accounts can do most harm.
    fn administrators(&self) -> Section {
        let kinds = kinds::kinds(&self.comparison.difference);
        let users: BTreeMap<UserId, &Untrusted> = kinds
            .iter()
            .filter(|kind| kind.is_privileged)
            .flat_map(|kind| kind.users.iter().copied())
            .collect();
        let title = format!("Administrators: {}", self.users(users.len()));
        let users: Vec<(UserId, &Untrusted)> = users.into_iter().collect();
        let rows = match self.disclose.shows_users() {
            true => names(&users, self.disclose)
                .iter()
                .map(|name| format!("administrator {}", code(name.raw(), false)))
                .collect(),
            false => Vec::new(),
        };
        Section { rank: 3, title, is_open: false, rows }
    }

    fn scope(&self) -> Section {
        let difference = &self.comparison.difference;
        let mut rows: Vec<String> = Vec::new();
        let orphaned: Vec<(UserId, &Untrusted)> =
            difference.orphaned().map(|(user, one)| (user, &one.name)).collect();
        if !orphaned.is_empty() {
            let (number, some) = (self.users(orphaned.len()), self.some_of(&orphaned));
            rows.push(format!("**governed by no policy any more**: {number}{some}"));
        }
        let policies = difference.scope();
        rows.extend(policies.iter().map(|(name, delta)| {
            let (added, removed) = (self.count(delta.added.len()), self.count(delta.removed.len()));
            format!("policy {}: +{added} −{removed}", code(name.raw(), false))
        }));
        let title = format!("Governed differently: {}", self.users(difference.governed.len()));
        Section { rank: 4, title, is_open: false, rows }
    }

    fn withheld(&self) -> Section {
        let groups = kinds::withheld(&self.comparison.difference);
        let all: usize = groups.values().map(|counts| counts.with.max(counts.without)).sum();
        let row =
            |((setting, reason), counts): (&(Setting, &ReasonContent), &kinds::WithheldCounts)| {
                let number = counts.in_words(self.disclose).replace('<', "&lt;");
                let words = prose(&reason_words(reason));
                format!("{} withheld, {number}: {words} · `{}`", setting.name(), reason.code())
            };
        let title = format!("Withheld, by reason: {}", self.number(all, "change", "changes"));
        Section { rank: 5, title, is_open: false, rows: groups.iter().map(row).collect() }
    }

    fn findings(&self, is_compared: bool) -> Section {
        let findings = finding_rows(&self.comparison.difference);
        let rows = findings.iter().map(|row| {
            let when = if is_compared { format!("{} ", row.when()) } else { String::new() };
            let (severity, code) = (row.finding.severity.as_str(), row.finding.code);
            format!("{when}{severity}: {} · `{code}`", prose(&row.message(self.disclose)))
        });
        let mut rows: Vec<String> = rows.collect();
        // Without names, findings of one kind can look alike.
        rows.dedup();
        let only = if is_compared { "Findings that come or go" } else { "Findings" };
        let title = format!("{only}: {}", rows.len());
        Section { rank: 6, title, is_open: false, rows }
    }

    fn foot(&self, compared: Option<&Comparison>, view: MarkdownView<'_>) -> String {
        let mut foot = String::new();
        let reported = compared.and_then(|one| kinds::reported(&one.difference, self.disclose));
        if let Some(words) = reported {
            foot += &format!("{}.\n\n", prose(&words));
        }
        if let Some(waiting) = compared.map(|one| one.waiting).filter(|one| one.changes > 0) {
            foot += &format!(
                "Waiting with this change or without it: {} of {}.\n\n",
                self.number(waiting.changes, "change", "changes"),
                self.users(waiting.users)
            );
        }
        if !self.plan.is_complete() {
            foot += "Some data could not be read, so some results are unknown.\n\n";
        }
        let fingerprint = self.plan.fingerprint.to_string();
        let short = |hex: &str| hex.get(..8).unwrap_or_default().to_owned();
        foot += &format!("fingerprint {}: `{fingerprint}`", short(&fingerprint));
        if let Some((digest, compared)) = view.digest.zip(compared) {
            let digest = digest.to_string();
            let reviewed = ReviewedDifference::of(compared);
            foot += &format!(" · difference {}: `{digest}`", short(&digest));
            // What was reviewed in a snapshot is no review of the tenant.
            if self.plan.recorded.is_none() {
                foot += &format!("\n\nfor `apply --approved-difference`: `{reviewed}`");
            }
        }
        foot + "\n"
    }
}

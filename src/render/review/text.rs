//! A review as text for a terminal: guards that become weaker, then what the change does, by kind, then
//! counts, and apart from all that what was waiting anyway.
//!
//! Not here: the plan itself (`plan::text`).

use std::fmt::{self, Write as _};

use super::finding_rows::finding_rows;
use super::kinds::{self, Kind, KindSide};
use crate::disclose::Discloser;
use crate::id::UserId;
use crate::plan::brakes::Brake;
use crate::plan::content::ReasonContent;
use crate::plan::loosening::{Concerned, Loosening, LooseningPlace};
use crate::plan::planned_value::PlannedValue;
use crate::plan::review::{Comparison, Review};
use crate::plan::{Plan, PolicyLabel};
use crate::render::disclosed::names;
use crate::render::plan::text::{
    ADD, ALTER, FAINT, HEAD, REMOVE, SECOND, THIRD, counted, pad, some_of,
};
use crate::settings::Setting;
use crate::settings::change::Action;
use crate::untrusted::{Untrusted, printable};

/// Returns the review as text, with an empty line at its end.
#[must_use]
pub fn review(review: &Review, plan: &Plan, disclose: &Discloser) -> String {
    let mut out = String::new();
    _ = write(review, plan, disclose, &mut out);
    out
}

fn write(review: &Review, plan: &Plan, disclose: &Discloser, out: &mut String) -> fmt::Result {
    writeln!(out, "{HEAD}This change{HEAD:#}, compared with `{}`\n", review.against)?;
    match &review.result {
        Ok(comparison) => {
            let (policies, words) = (plan.policies.as_slice(), ReviewWords::CHANGE);
            let against = &review.against;
            ReviewText { comparison, policies, against, disclose, words }.compared(out)
        }
        Err(not) => {
            writeln!(
                out,
                "  {ALTER}warning{ALTER:#}: not compared: {}",
                printable(&not.shown(disclose))
            )?;
            writeln!(out, "      {FAINT}help: {}{FAINT:#}\n", printable(&not.help))
        }
    }
}

pub(in crate::render) struct ReviewText<'a> {
    pub(in crate::render) comparison: &'a Comparison,
    /// The policies of the head, for the places of rules.
    pub(in crate::render) policies: &'a [PolicyLabel],
    pub(in crate::render) against: &'a Untrusted,
    pub(in crate::render) disclose: &'a Discloser,
    pub(in crate::render) words: ReviewWords,
}

/// The words that depend on what is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) struct ReviewWords {
    sides: &'static str,
    no_effect: &'static str,
    /// Whether limits of brakes are compared. A limit in percent follows the number of users in scope, which a
    /// change of the files can alter.
    has_limits: bool,
    /// What the changes of both plans do, singular and plural.
    in_both: [&'static str; 2],
}

impl ReviewWords {
    /// For a change of the files.
    pub(in crate::render) const CHANGE: Self = Self {
        sides: "without → with",
        no_effect: "No effect: nothing in this tenant is planned differently.",
        has_limits: false,
        in_both: ["waits with this change or without it", "wait with this change or without it"],
    };
    /// For two plans from files.
    pub(super) const PLANS: Self = Self {
        sides: "old → new",
        no_effect: "No difference: both plans change the same.",
        has_limits: true,
        in_both: ["is in both plans", "are in both plans"],
    };
}

impl ReviewText<'_> {
    pub(super) fn compared(&self, out: &mut String) -> fmt::Result {
        let begin = out.len();
        for one in &self.comparison.loosenings {
            self.loosening(one, out)?;
        }
        let kinds = kinds::kinds(&self.comparison.difference);
        for kind in &kinds {
            self.kind(kind, out)?;
        }
        self.withheld(out)?;
        self.scope(out)?;
        self.findings(out)?;
        self.brakes(out)?;
        self.postures(out)?;
        self.others(out)?;
        match (self.comparison.has_effect(), out.len() > begin) {
            (false, _) => writeln!(out, "  {}", self.words.no_effect)?,
            (true, true) => {}
            // A difference is never silent.
            (true, false) => writeln!(
                out,
                "  Only names, postures before an apply, policies of users, or numbers of users differ."
            )?,
        }
        self.waiting(out)?;
        writeln!(out)
    }

    fn loosening(&self, one: &Loosening, out: &mut String) -> fmt::Result {
        let place = match &one.place {
            Some(LooseningPlace::Head(place)) => format!(" ({place})"),
            Some(LooseningPlace::Base(place)) => format!(" (`{}`: {place})", self.against),
            None => String::new(),
        };
        let concerned =
            one.concerned.as_ref().map_or_else(String::new, |some| self.concerned(some));
        let message = self.disclose.of_files(&one.message, one.code.about());
        writeln!(
            out,
            "  {REMOVE}loosened{REMOVE:#}: {}{place}{concerned}   {FAINT}[{}]{FAINT:#}",
            printable(&message),
            one.code
        )
    }

    pub(in crate::render) fn kind(&self, kind: &Kind<'_>, out: &mut String) -> fmt::Result {
        let (sign, style, side) = match (&kind.with, &kind.without) {
            (Some(with), _) => (sign(kind.setting, with), style(kind.setting, with), with),
            (None, Some(without)) => ('×', FAINT, without),
            (None, None) => return Ok(()),
        };
        let name = kind.setting.name();
        let what = kinds::what(kind);
        let rule = self.rule(&side.example.policy, kind.setting);
        let people = self.people(kind.users.len(), kind.is_privileged);
        write!(out, "  {style}{sign}{style:#} {name}{}", pad(4 + name.chars().count(), SECOND))?;
        let text = format!("{what}   {people}");
        writeln!(out, "{text}{}{FAINT}{rule}{FAINT:#}", pad(SECOND + text.chars().count(), THIRD))?;
        if !self.disclose.shows_users() {
            return Ok(());
        }
        let names = names(&kind.users, self.disclose);
        writeln!(out, "      {FAINT}{}{FAINT:#}", some_of(&names))
    }

    /// Returns the name of a policy and the place of its rule, in the files of the head.
    fn rule(&self, policy: &Untrusted, setting: Setting) -> String {
        match kinds::rule(self.policies, policy, setting) {
            Some(rule) => format!("{policy}  {}", rule.place),
            None => policy.to_string(),
        }
    }

    pub(in crate::render) fn withheld(&self, out: &mut String) -> fmt::Result {
        for ((setting, reason), counts) in kinds::withheld(&self.comparison.difference) {
            let words = reason_words(reason);
            let (setting, code) = (setting.name(), reason.code());
            let more = counts.in_words(self.disclose);
            writeln!(
                out,
                "  {REMOVE}!{REMOVE:#} {setting} withheld, {more}: {words}   {FAINT}[{code}]{FAINT:#}"
            )?;
        }
        Ok(())
    }

    fn scope(&self, out: &mut String) -> fmt::Result {
        let difference = &self.comparison.difference;
        let scope = difference.scope();
        if scope.is_empty() {
            return Ok(());
        }
        let policies = scope.iter().map(|(name, delta)| {
            let [added, removed] =
                [&delta.added, &delta.removed].map(|some| self.disclose.count(some.len()));
            format!("`{name}` +{added} −{removed}")
        });
        let policies: Vec<String> = policies.collect();
        let orphaned: Vec<(UserId, &Untrusted)> =
            difference.orphaned().map(|(user, governed)| (user, &governed.name)).collect();
        writeln!(out, "  governed: {}", policies.join(" · "))?;
        match orphaned.len() {
            0 => Ok(()),
            number => {
                let named = match self.disclose.shows_users() {
                    true => format!(" ({})", some_of(&names(&orphaned, self.disclose))),
                    false => String::new(),
                };
                writeln!(
                    out,
                    "  {REMOVE}governed by no policy any more{REMOVE:#}: {}{named}",
                    self.users(number)
                )
            }
        }
    }

    /// Writes findings that only one of the plans has, or has for other users.
    fn findings(&self, out: &mut String) -> fmt::Result {
        for row in finding_rows(&self.comparison.difference) {
            writeln!(
                out,
                "  {} {}: {}   {FAINT}[{}]{FAINT:#}",
                row.when(),
                row.finding.severity.as_str(),
                printable(&row.message(self.disclose)),
                row.finding.code
            )?;
        }
        Ok(())
    }

    fn brakes(&self, out: &mut String) -> fmt::Result {
        for delta in self.comparison.difference.brakes.values() {
            let (base, head) = (delta.base(), delta.head());
            let is_tripped = |brake: Option<&Brake>| brake.is_some_and(Brake::tripped);
            let (Some(brake), false) = (head.filter(|one| one.tripped()), is_tripped(base)) else {
                continue;
            };
            let (name, actual) = (brake.name.as_str(), self.disclose.count(brake.actual));
            writeln!(
                out,
                "  {REMOVE}brake{REMOVE:#}: `{name}` would be {actual} of {}, and the limit is {}",
                self.disclose.count(brake.of),
                brake.limit
            )?;
        }
        Ok(())
    }

    fn postures(&self, out: &mut String) -> fmt::Result {
        let counts = kinds::postures(self.comparison);
        let words: Vec<String> = counts
            .iter()
            .filter(|row| row.without != row.with)
            .map(|row| {
                let [without, with] =
                    [row.without, row.with].map(|number| self.disclose.count(number));
                format!("{} {without} → {with}", row.words)
            })
            .collect();
        match words.is_empty() {
            true => Ok(()),
            false => {
                let sides = self.words.sides;
                writeln!(out, "  posture after an apply, {sides}: {}", words.join("   "))
            }
        }
    }

    /// Writes differences that no other line shows, so that a difference is never silent.
    fn others(&self, out: &mut String) -> fmt::Result {
        let difference = &self.comparison.difference;
        if let Some(words) = kinds::reported(difference, self.disclose) {
            writeln!(out, "  {words}")?;
        }
        for (object, delta) in &difference.objects {
            writeln!(out, "  {} object of the tenant: {}", delta.when(), object.name())?;
        }
        for (name, delta) in difference.brakes.iter().filter(|_| self.words.has_limits) {
            let limit = |brake: Option<&Brake>| {
                brake.map_or_else(|| "none".to_owned(), |brake| brake.limit.to_string())
            };
            let (base, head) = (limit(delta.base()), limit(delta.head()));
            if base != head {
                writeln!(out, "  limit of brake `{}`: {base} → {head}", name.as_str())?;
            }
        }
        Ok(())
    }

    fn waiting(&self, out: &mut String) -> fmt::Result {
        let waiting = self.comparison.waiting;
        if waiting.changes == 0 {
            return Ok(());
        }
        let [one, several] = self.words.in_both;
        let (changes, wait) = match waiting.changes {
            1 => ("change", one),
            _ => ("changes", several),
        };
        writeln!(
            out,
            "  {} {changes} of {} {wait}.",
            self.disclose.count(waiting.changes),
            self.users(waiting.users)
        )
    }

    fn users(&self, number: usize) -> String {
        counted(self.disclose.count(number), "user", "users")
    }

    fn people(&self, number: usize, is_privileged: bool) -> String {
        let number = self.disclose.count(number);
        match is_privileged {
            true => counted(number, "administrator", "administrators"),
            false => counted(number, "user", "users"),
        }
    }

    fn concerned(&self, concerned: &Concerned) -> String {
        let users = self.users(concerned.users.len());
        match concerned.administrators {
            0 => format!(": {users}"),
            some => format!(": {users}, {} with an administrator role", self.disclose.count(some)),
        }
    }
}

fn sign(setting: Setting, side: &KindSide<'_>) -> char {
    match (setting.phone(), side.example.action()) {
        (Some(_), Action::Create) => '+',
        (Some(_), Action::Delete) => '-',
        _ => '~',
    }
}

fn style(setting: Setting, side: &KindSide<'_>) -> anstyle::Style {
    match sign(setting, side) {
        '+' => ADD,
        '-' => REMOVE,
        _ => ALTER,
    }
}

/// Returns what happens, without what differs from user to user.
pub(in crate::render) fn value(side: &KindSide<'_>) -> String {
    let words = |value: &PlannedValue| match value.is_number() {
        true => "a number".to_owned(),
        false => value.to_string(),
    };
    let (before, after) = (&side.example.before, &side.example.after);
    match side.example.action() {
        Action::Create => words(after),
        Action::Delete => "removed".to_owned(),
        Action::Update if after.is_number() && before.is_phone() => "another number".to_owned(),
        Action::Update => format!("{} → {}", words(before), words(after)),
    }
}

pub(in crate::render) fn reason_words(reason: &ReasonContent) -> String {
    match reason {
        ReasonContent::Alone(reason) => reason.about().to_owned(),
        ReasonContent::ConflictWith(rival) => {
            format!("policy `{rival}` has the same priority and wants a different value")
        }
        ReasonContent::InWords(_, words) => format!("{words:#}"),
    }
}

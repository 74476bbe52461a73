//! Compares the results for many people with what always holds. The people are those of a file, or all users
//! of a tenant.
//!
//! Not here: what a check expects of one person (`compare`), or who is selected (`selection`).

use super::becomes::ComparedAs;
use super::compare::{Compared, PersonResult};
use super::expected::{AlwaysBlock, AtMostBlock, EverybodyBlock, NobodyBlock, PeopleBlock};
use super::reason;
use super::selection::{SelectedPeople, Unresolved};
use crate::explain::Explanation;
use crate::finding::{Code, Finding, quoted};
use crate::observed::Observed;
use crate::plan::missing_facts::MissingFact;
use crate::policy::PolicySet;
use crate::posture::Posture;
use crate::source::{FileId, Located, Origin, Span};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Read;
use crate::tenant::roles::Roles;

/// The most people that a message names.
const MOST_NAMES: usize = 5;

/// The most failures of one entry. A real tenant can have many thousands.
const MOST_FAILURES: usize = 20;

/// The people that the entries are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Population {
    /// The people of a file. An entry about none of them checks nothing, which is a failure.
    Invented,
    /// The users of a tenant, where a role may well have no holders.
    Tenant,
}

/// The tenant in which entries are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlwaysTenant<'a> {
    pub(super) set: &'a PolicySet,
    pub(super) observed: &'a Observed,
    pub(super) roles: &'a Read<Roles>,
    pub(super) population: Population,
}

/// One person, with the result.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlwaysPerson<'a> {
    pub(super) key: &'a str,
    pub(super) index: UserIndex,
    pub(super) explanation: &'a Explanation,
}

/// The entries of one file, which are compared with one person after the other.
#[derive(Debug)]
pub(super) struct AlwaysEntries<'a> {
    tenant: AlwaysTenant<'a>,
    file: FileId,
    entries: Vec<Entry<'a>>,
}

/// One entry, and what was found so far.
#[derive(Debug)]
struct Entry<'a> {
    rule: Rule<'a>,
    span: Span,
    selection: Result<SelectedPeople<'a>, Unresolved<'a>>,
    selected: usize,
    /// The first people that were selected.
    names: Vec<String>,
    failures: Vec<Finding>,
    /// The number of failures that are not kept.
    more: usize,
}

#[derive(Debug, Clone, Copy)]
enum Rule<'a> {
    Nobody(&'a NobodyBlock),
    Everybody(&'a EverybodyBlock),
    AtMost(&'a AtMostBlock),
}

impl<'a> AlwaysEntries<'a> {
    /// Resolves the names in the entries.
    pub(super) fn of(
        entries: &'a [Located<AlwaysBlock>],
        file: FileId,
        tenant: AlwaysTenant<'a>,
    ) -> Self {
        let entries = entries.iter().flat_map(|entry| Rule::all(&entry.value, entry.span));
        let entry = |(rule, span): (Rule<'a>, Span)| Entry {
            rule,
            span: rule.with().map_or(span, |with| with.span),
            selection: SelectedPeople::of(rule.with().map(|with| &with.value), tenant),
            selected: 0,
            names: Vec::new(),
            failures: Vec::new(),
            more: 0,
        };
        Self { tenant, file, entries: entries.map(entry).collect() }
    }

    /// Compares all entries with one person.
    pub(super) fn compare(&mut self, person: AlwaysPerson<'_>) {
        let AlwaysPerson { key, explanation, .. } = person;
        let result = PersonResult { key, explanation, set: self.tenant.set, file: self.file };
        for entry in &mut self.entries {
            if entry.selection.as_ref().is_ok_and(|these| these.has(person, self.tenant)) {
                entry.add(&result, person.is_unread(self.tenant));
            }
        }
    }

    /// Returns the place of the first entry.
    pub(super) fn begin(&self) -> Option<Origin> {
        self.entries.first().map(|entry| Origin { file: self.file, span: entry.span })
    }

    /// Returns the result of all entries.
    pub(super) fn end(self) -> Compared {
        let Self { tenant, file, entries } = self;
        let checks = entries.len();
        let failures = entries.into_iter().flat_map(|entry| entry.end(file, tenant.population));
        Compared { checks, failures: failures.collect() }
    }
}

impl AlwaysPerson<'_> {
    /// Whether facts of an account that can sign in could not be read. Those of a disabled one are not asked for.
    pub(super) fn is_unread(self, tenant: AlwaysTenant<'_>) -> bool {
        let facts = tenant.observed.facts(self.index);
        self.explanation.user.account.enabled && MissingFact::of(&facts).next().is_some()
    }
}

impl<'a> Rule<'a> {
    fn all(block: &'a AlwaysBlock, span: Span) -> impl Iterator<Item = (Self, Span)> {
        let AlwaysBlock { nobody, everybody, at_most } = block;
        let rules = [
            nobody.as_ref().map(|one| Self::Nobody(&one.value)),
            everybody.as_ref().map(|one| Self::Everybody(&one.value)),
            at_most.as_ref().map(|one| Self::AtMost(&one.value)),
        ];
        rules.into_iter().flatten().map(move |rule| (rule, span))
    }

    const fn with(self) -> Option<&'a Located<PeopleBlock>> {
        match self {
            Self::Nobody(block) => block.with.as_ref(),
            Self::Everybody(block) => block.with.as_ref(),
            Self::AtMost(block) => Some(&block.of),
        }
    }
}

impl Entry<'_> {
    /// Adds a selected person.
    fn add(&mut self, person: &PersonResult<'_>, is_unread: bool) {
        self.selected += 1;
        if self.names.len() < MOST_NAMES {
            self.names.push(quoted(person.key));
        }
        let failures = match self.rule {
            Rule::Nobody(block) => nobody(block, person, is_unread).into_iter().collect(),
            Rule::Everybody(block) => {
                let mut all = Compared::default();
                person.compare(&block.has.value, ComparedAs::Kept, &mut all);
                all.failures
            }
            Rule::AtMost(_) => Vec::new(),
        };
        let free = MOST_FAILURES.saturating_sub(self.failures.len());
        self.more += failures.len().saturating_sub(free);
        self.failures.extend(failures.into_iter().take(free));
    }

    fn end(mut self, file: FileId, population: Population) -> Vec<Finding> {
        let origin = Origin { file, span: self.span };
        if let Err(unresolved) = &self.selection {
            return vec![unresolved.finding(file)];
        }
        if let Rule::AtMost(block) = self.rule {
            return self.too_many(block, file).into_iter().collect();
        }
        if self.selected == 0 && population == Population::Invented {
            return vec![
                Finding::new(Code::CheckFailed, "the check is about nobody, so it proves nothing")
                    .at(origin, "no person of this file")
                    .help("invent a person that is meant, or correct the condition"),
            ];
        }
        if self.more > 0 {
            let message = format!("the check fails {} more times", self.more);
            let help = "correct the failures above first";
            self.failures
                .push(Finding::new(Code::CheckFailed, message).at(origin, "this check").help(help));
        }
        self.failures
    }

    fn too_many(&self, block: &AtMostBlock, file: FileId) -> Option<Finding> {
        let most = block.people.value as usize;
        if self.selected <= most {
            return None;
        }
        let more = match self.selected.saturating_sub(self.names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!(
            "expected at most {most} people, found {}: {}{more}",
            self.selected,
            self.names.join(", ")
        );
        Some(
            Finding::new(Code::CheckFailed, message)
                .at(Origin { file, span: block.people.span }, "expected here")
                .help("correct the policy, or raise the number if the result is intended"),
        )
    }
}

/// Returns a finding if the person gets one of the postures.
fn nobody(block: &NobodyBlock, person: &PersonResult<'_>, is_unread: bool) -> Option<Finding> {
    let after = person.explanation.standing.after;
    let is_open = block.becomes.0.iter().all(|word| word.value.0 != after);
    if after == Posture::Unknown && is_open && is_unread {
        let word = block.becomes.0.first()?;
        let message = format!(
            "it is unknown what {} becomes, and nobody may become `{}`",
            quoted(person.key),
            word.value.0.as_str()
        );
        return Some(
            Finding::new(Code::CheckFailed, message)
                .at(word.origin(person.file), "expected of nobody")
                .help("find out what could not be read with `mfactl explain`"),
        );
    }
    let word = block.becomes.0.iter().find(|word| word.value.0 == after)?;
    let message = format!(
        "{} becomes `{}`, and nobody may; {}",
        quoted(person.key),
        after.as_str(),
        reason::of_posture(person.explanation)
    );
    Some(
        Finding::new(Code::CheckFailed, message)
            .at(word.origin(person.file), "expected of nobody")
            .help("correct the policy, or correct the check if the result is intended"),
    )
}

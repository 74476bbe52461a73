//! Compares the result for one person with what a check expects, and makes a finding of each difference.
//!
//! Not here: the words for values (`becomes`), the reasons (`reason`), or what holds for all people (`always`).

use super::becomes::{Becomes, ComparedAs};
use super::expected::{ExpectBlock, ExpectedSetting};
use super::reason::{self, CheckReason};
use crate::explain::{Decision, Explanation, RuleEffect};
use crate::finding::{Code, Finding, quoted};
use crate::policy::PolicySet;
use crate::source::{FileId, Located, Origin, Span};

/// One person with the result, compared with one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct PersonResult<'a> {
    pub(super) key: &'a str,
    pub(super) explanation: &'a Explanation,
    pub(super) set: &'a PolicySet,
    pub(super) file: FileId,
}

/// The number of comparisons, and a finding for each difference.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) checks: usize,
    pub(super) failures: Vec<Finding>,
}

impl Compared {
    /// Counts one comparison and keeps its failure.
    pub(super) fn add(&mut self, failure: Option<Finding>) {
        self.checks += 1;
        self.failures.extend(failure);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.checks += other.checks;
        self.failures.extend(other.failures);
    }
}

impl PersonResult<'_> {
    /// Compares everything that the block expects.
    pub(super) fn compare(
        &self,
        expected: &ExpectBlock,
        compared: ComparedAs,
        into: &mut Compared,
    ) {
        for (setting, expected) in expected.settings() {
            let decisions = &self.explanation.settings;
            if let Some(decision) = decisions.iter().find(|one| one.setting == setting) {
                self.compare_setting(decision, expected, compared, into);
            }
        }
        if let Some(posture) = expected.posture.as_ref() {
            let found = self.explanation.standing.after;
            into.add((found != posture.value.0).then(|| {
                let reason = self.posture_reason();
                self.differs(
                    "posture",
                    posture.value.0.as_str(),
                    found.as_str(),
                    posture.span,
                    reason,
                )
            }));
        }
        if let Some(policies) = expected.policies.as_ref() {
            into.add(self.compare_policies(policies));
        }
        for policy in expected.excluded_from.as_ref().into_iter().flat_map(|list| &list.0) {
            let is_excluded = reason::is_excluded(self.explanation, &policy.value);
            into.add((!is_excluded).then(|| self.not_excluded(policy)));
        }
    }

    fn compare_setting(
        &self,
        decision: &Decision,
        expected: ExpectedSetting<'_>,
        compared: ComparedAs,
        into: &mut Compared,
    ) {
        let name = decision.setting.name();
        let reason = || reason::of_setting(self.explanation, decision, self.set);
        if let Some((word, span)) = expected.becomes
            && let Some(becomes) = Becomes::of_word(decision.setting, &word.0)
        {
            into.add((!becomes.holds(decision, compared)).then(|| {
                let found = becomes.found(decision, compared);
                self.differs(name, &word.0, &found, span, reason())
            }));
        }
        if let Some(by) = expected.by {
            let decides = decision.voices.iter().find(|voice| voice.heard == RuleEffect::Decides);
            let found = decides.map_or("no policy", |voice| voice.policy.as_str());
            let what = format!("{name}, decided by");
            into.add(
                (found != by.value)
                    .then(|| self.differs(&what, &by.value, found, by.span, reason())),
            );
        }
        if let Some(because) = expected.because {
            let found = decision.refused.as_ref().map_or("nothing", |one| one.code.as_str());
            let what = format!("{name}, not written because of");
            into.add(
                (found != because.value)
                    .then(|| self.differs(&what, &because.value, found, because.span, reason())),
            );
        }
    }

    fn compare_policies(&self, expected: &Located<Vec<Located<String>>>) -> Option<Finding> {
        let mut wanted: Vec<&str> = expected.value.iter().map(|name| name.value.as_str()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let policies = self.explanation.policies.iter();
        let applying = policies.filter(|one| one.left_out.is_none());
        let found: Vec<&str> = applying.map(|one| one.policy.as_str()).collect();
        let other = found.iter().find(|name| !wanted.contains(name));
        let missing = wanted.iter().find(|name| !found.contains(name));
        let about = other.or(missing)?;
        let list = |names: &[&str]| {
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let reason = self.policy_reason(about);
        Some(self.differs("policies", &list(&wanted), &list(&found), expected.span, reason))
    }

    fn not_excluded(&self, policy: &Located<String>) -> Finding {
        let found = match reason::applies(self.explanation, &policy.value) {
            true => "the policy applies",
            false => "no exception names the person",
        };
        let reason = self.policy_reason(&policy.value);
        self.differs("excluded from", &policy.value, found, policy.span, reason)
    }

    fn posture_reason(&self) -> CheckReason {
        let settings = &self.explanation.settings;
        let state = settings.iter().find(|one| one.setting == crate::settings::Setting::PerUserMfa);
        let place = state.and_then(|one| reason::of_setting(self.explanation, one, self.set).place);
        CheckReason { sentence: reason::of_posture(self.explanation), place }
    }

    fn policy_reason(&self, name: &str) -> CheckReason {
        let policy = self.set.policies.iter().find(|policy| policy.name == name);
        let matching = reason::matching(self.explanation, name);
        let why = matching.map(|one| match &one.left_out {
            Some(out) => out.text.clone(),
            None => {
                let named: Vec<String> = one.named.iter().map(|by| by.named.to_string()).collect();
                format!("the person is named: {}", named.join(", "))
            }
        });
        CheckReason {
            sentence: format!("policy {}: {}", quoted(name), why.unwrap_or_default()),
            place: policy.map(|policy| (policy.origin, "this policy".to_owned())),
        }
    }

    fn differs(
        &self,
        what: &str,
        expected: &str,
        found: &str,
        span: Span,
        reason: CheckReason,
    ) -> Finding {
        let message = format!(
            "{}: {what}: expected {}, found {}; {}",
            quoted(self.key),
            quoted(expected),
            quoted(found),
            reason.sentence
        );
        let finding = Finding::new(Code::CheckFailed, message)
            .at(Origin { file: self.file, span }, "expected here")
            .help("correct the policy, or correct the check if the result is intended");
        match reason.place {
            Some((origin, text)) => finding.at(origin, text),
            None => finding,
        }
    }
}

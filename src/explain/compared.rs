//! What a change of the files does for one user: two explanations of the same reading, compared.
//!
//! Not here: the comparison of two whole plans (`plan::difference`).

use std::collections::BTreeSet;

use super::{Decision, ExplainVerdict, Explanation};
use crate::plan::FilePlace;
use crate::plan::review::NotCompared;
use crate::posture::Posture;
use crate::scope::UserPart;
use crate::settings::{Setting, Value};
use crate::untrusted::Untrusted;

/// The comparison of one user with a base.
#[derive(Debug)]
pub struct UserReview {
    /// The base, as it was named.
    pub against: Untrusted,
    pub result: Result<UserDifference, NotCompared>,
}

/// What is different for the user, without the change of the files and with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserDifference {
    pub part: Option<(UserPart, UserPart)>,
    /// The posture after an apply.
    pub posture: Option<(Posture, Posture)>,
    /// The policies that apply only with the change.
    pub starting: Vec<String>,
    /// The policies that apply only without it.
    pub ceasing: Vec<String>,
    pub settings: Vec<(Setting, SettingOutcome, SettingOutcome)>,
}

/// The result for one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingOutcome {
    pub planned: Value,
    pub verdict: ExplainVerdict,
    /// The policy whose rule decides, and the place of the rule.
    pub by: Option<(String, FilePlace)>,
}

impl UserDifference {
    #[must_use]
    pub fn between(base: &Explanation, head: &Explanation) -> Self {
        let (without, with) = (applying(base), applying(head));
        let names = |names: Vec<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect();
        Self {
            part: (base.part != head.part).then_some((base.part, head.part)),
            posture: (base.standing.after != head.standing.after)
                .then_some((base.standing.after, head.standing.after)),
            starting: names(with.difference(&without).collect()),
            ceasing: names(without.difference(&with).collect()),
            settings: settings(base, head),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn applying(one: &Explanation) -> BTreeSet<&str> {
    let applying = one.policies.iter().filter(|policy| policy.left_out.is_none());
    applying.map(|policy| policy.policy.as_str()).collect()
}

fn settings(
    base: &Explanation,
    head: &Explanation,
) -> Vec<(Setting, SettingOutcome, SettingOutcome)> {
    let pairs = head.settings.iter().filter_map(|with| {
        let without = base.settings.iter().find(|one| one.setting == with.setting)?;
        let (before, after) = (SettingOutcome::of(without), SettingOutcome::of(with));
        (!before.is_same(&after)).then_some((with.setting, before, after))
    });
    pairs.collect()
}

impl SettingOutcome {
    fn of(decision: &Decision) -> Self {
        let by = decision.voices.first().map(|rule| (rule.policy.clone(), rule.place.clone()));
        Self { planned: decision.planned, verdict: decision.verdict, by }
    }

    /// Whether both are the same, wherever the rule is in the files.
    fn is_same(&self, other: &Self) -> bool {
        let name = |one: &Self| one.by.as_ref().map(|(policy, _)| policy.clone());
        self.planned == other.planned && self.verdict == other.verdict && name(self) == name(other)
    }
}

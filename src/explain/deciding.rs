//! Explains each setting of one user: which rule decides, which rules it overrules, and the result.
//!
//! Not here: which policies match the user (`matching`).

use crate::desired::{Candidates, DecisionResult, PolicyView, SettingDecision, desired};
use crate::finding::{Code, Finding};
use crate::plan::rows_of;
use crate::plan::{FilePlace, Plan, Withheld};
use crate::policy::{Mode, Policy, PolicySet};
use crate::scope::Scope;
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::phone::ReadAs;
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// The result for one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub setting: Setting,
    pub observed: Value,
    /// The value that is written, or the observed value if nothing is written.
    pub planned: Value,
    /// The country by which a national number was read.
    pub read_as: Option<ReadAs>,
    /// The value that Entra turns the planned one into by itself, if that is a different value.
    pub settles: Option<Value>,
    pub verdict: ExplainVerdict,
    /// Every rule for the setting that applies, the deciding one first.
    pub voices: Vec<RuleInForce>,
    pub refused: Option<NotWritten>,
    /// What policies in report mode would do.
    pub reported: Vec<Reported>,
}

/// The result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainVerdict {
    /// No policy that applies mentions the setting.
    Unmentioned,
    /// A policy declares the setting unmanaged.
    Unmanaged,
    AsWanted,
    Changes,
    /// The rule yields no value for this user.
    Nothing,
    Withheld,
    Conflict,
}

/// A rule for the setting, and its effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInForce {
    pub policy: String,
    pub priority: u32,
    pub place: FilePlace,
    pub wants: String,
    pub heard: RuleEffect,
}

/// The effect of a rule, in the order of showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleEffect {
    Decides,
    /// It has the same priority and wants the same value.
    Agrees,
    /// It is one of several rules of the same priority that want different values.
    Conflicts,
    /// Another rule has a smaller priority.
    Beaten,
    ReportsOnly,
}

/// Why nothing is written, or less than is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWritten {
    pub wanted: Value,
    pub code: Code,
    pub why: String,
    /// What would change it.
    pub help: String,
}

/// A change that is shown and never made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub policy: String,
    pub value: Value,
    /// Why it would be withheld even if the policy were enforced.
    pub withheld: Option<String>,
}

/// The input for asking the policies, taken before the plan consumes the observed state.
pub(super) struct PolicyQuestion<'a> {
    set: &'a PolicySet,
    candidates: Candidates<'a>,
    index: UserIndex,
    user: &'a User,
    facts: &'a Facts,
}

/// What the policies want for one setting.
pub(super) struct SettingResult {
    setting: Setting,
    outcome: Option<DecisionResult>,
    read_as: Option<ReadAs>,
    voices: Vec<RuleInForce>,
}

impl<'a> PolicyQuestion<'a> {
    pub(super) const fn new(
        set: &'a PolicySet,
        scope: &'a Scope,
        index: UserIndex,
        user: &'a User,
        facts: &'a Facts,
    ) -> Self {
        let candidates = Candidates { policies: set.policies.as_slice(), scope };
        Self { set, candidates, index, user, facts }
    }

    pub(super) fn answers(&self) -> Vec<SettingResult> {
        let desired = desired(self.candidates, PolicyView::Real, self.index, self.user, self.facts);
        let one = |setting| {
            let said = desired.said.iter().find(|said| said.setting == setting);
            let outcome = said.map(|said| said.outcome);
            let read_as = said.and_then(|said| said.mandate.read_as);
            SettingResult { setting, outcome, read_as, voices: self.voices(setting, said) }
        };
        Setting::ALL.into_iter().map(one).collect()
    }

    fn voices(&self, setting: Setting, said: Option<&SettingDecision>) -> Vec<RuleInForce> {
        let winner = said.and_then(|said| Some((said.policy, self.policy(said.policy)?)));
        let disagree = said.is_some_and(|said| matches!(said.outcome, DecisionResult::Conflict(_)));
        let voice = |(index, policy): (PolicyIndex, &Policy)| {
            Some(RuleInForce {
                policy: policy.name.clone(),
                priority: policy.priority,
                place: FilePlace::of(policy.rules.origin(setting)?, &self.set.sources),
                wants: policy.rules.describe(setting)?,
                heard: match heard((index, policy), winner, setting) {
                    // If two rules disagree, no rule decides.
                    RuleEffect::Decides | RuleEffect::Agrees if disagree => RuleEffect::Conflicts,
                    heard => heard,
                },
            })
        };
        let mut voices: Vec<RuleInForce> =
            self.candidates.of(self.index, self.facts).filter_map(voice).collect();
        voices.sort_by_key(|voice| (voice.heard, voice.priority));
        voices
    }

    fn policy(&self, index: PolicyIndex) -> Option<&'a Policy> {
        self.set.policies.get(index.place())
    }
}

fn heard(
    (index, policy): (PolicyIndex, &Policy),
    winner: Option<(PolicyIndex, &Policy)>,
    setting: Setting,
) -> RuleEffect {
    let Some((first, winner)) = winner.filter(|_| policy.mode == Mode::Enforce) else {
        return RuleEffect::ReportsOnly;
    };
    match () {
        () if index == first => RuleEffect::Decides,
        () if policy.priority != winner.priority => RuleEffect::Beaten,
        () if policy.rules.agrees(&winner.rules, setting) => RuleEffect::Agrees,
        () => RuleEffect::Conflicts,
    }
}

/// Returns the result for each setting, as the plan has it.
pub(super) fn all(
    answers: Vec<SettingResult>,
    plan: &Plan,
    findings: &[Finding],
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Vec<Decision> {
    let (before, after) = (Values::observed(before), Values::observed(after));
    let changes = plan.changes_of_index(user);
    let withheld = rows_of(&plan.withheld, user, |one| one.user);
    let decide = |answer: SettingResult| {
        let setting = answer.setting;
        let change = changes.iter().find(|change| change.setting == setting);
        let withheld = withheld.iter().find(|one| one.setting == setting);
        let observed = before.get(setting);
        let settled = after.get(setting);
        let planned = change.map_or(observed, |change| change.after);
        Decision {
            setting,
            observed,
            planned,
            read_as: answer.read_as,
            settles: (settled != planned).then_some(settled),
            verdict: verdict(answer.outcome, change, withheld),
            voices: answer.voices,
            refused: refused(answer.outcome, withheld, plan, findings),
            reported: reported(plan, user, setting),
        }
    };
    answers.into_iter().map(decide).collect()
}

fn verdict(
    outcome: Option<DecisionResult>,
    change: Option<&Change>,
    withheld: Option<&Withheld>,
) -> ExplainVerdict {
    match outcome {
        None => ExplainVerdict::Unmentioned,
        Some(DecisionResult::Unmanaged) => ExplainVerdict::Unmanaged,
        Some(DecisionResult::Conflict(_)) => ExplainVerdict::Conflict,
        Some(DecisionResult::Nothing(_)) => ExplainVerdict::Nothing,
        Some(DecisionResult::Wanted(_)) if withheld.is_some() => ExplainVerdict::Withheld,
        Some(DecisionResult::Wanted(_)) if change.is_some() => ExplainVerdict::Changes,
        Some(DecisionResult::Wanted(_)) => ExplainVerdict::AsWanted,
    }
}

fn refused(
    outcome: Option<DecisionResult>,
    withheld: Option<&Withheld>,
    plan: &Plan,
    findings: &[Finding],
) -> Option<NotWritten> {
    let help = |code: Code| {
        findings
            .iter()
            .find(|finding| finding.code == code)
            .and_then(|finding| finding.help.clone())
    };
    match (withheld, outcome?) {
        (Some(withheld), _) => {
            let code = withheld.reason.code();
            let from = withheld.cause.and_then(|cause| cause.code()).unwrap_or(code);
            Some(NotWritten {
                wanted: withheld.wanted,
                code,
                why: withheld.explain(plan),
                help: help(from).unwrap_or_else(|| withheld.reason.remedy().to_owned()),
            })
        }
        (None, DecisionResult::Nothing(remark)) => Some(NotWritten {
            wanted: Value::Nothing,
            code: remark.code(),
            why: remark.to_string(),
            help: help(remark.code()).unwrap_or_default(),
        }),
        (None, _) => None,
    }
}

fn reported(plan: &Plan, user: UserIndex, setting: Setting) -> Vec<Reported> {
    let name =
        |policy| plan.policy(policy).map_or_else(String::new, |label| label.name.raw().to_owned());
    let changes = rows_of(&plan.reported, user, |one| one.user);
    let changes = changes.iter().filter(|one| one.setting == setting).map(|change| Reported {
        policy: name(change.policy),
        value: change.after,
        withheld: None,
    });
    let kept = rows_of(&plan.reported_withheld, user, |one| one.user);
    let kept = kept.iter().filter(|one| one.setting == setting).map(|withheld| Reported {
        policy: name(withheld.policy),
        value: withheld.wanted,
        withheld: Some(withheld.explain(plan)),
    });
    changes.chain(kept).collect()
}

impl ExplainVerdict {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unmentioned => "unmentioned",
            Self::Unmanaged => "unmanaged",
            Self::AsWanted => "asWanted",
            Self::Changes => "changes",
            Self::Nothing => "nothing",
            Self::Withheld => "withheld",
            Self::Conflict => "conflict",
        }
    }
}

impl RuleEffect {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::Agrees => "agrees",
            Self::Conflicts => "conflicts",
            Self::Beaten => "beaten",
            Self::ReportsOnly => "reportsOnly",
        }
    }
}

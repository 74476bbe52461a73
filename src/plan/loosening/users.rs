//! The users of a tenant that a change guards less: for each setting of each user, the policy that decides it
//! in the base and in the head.
//!
//! Each user and setting has one cause. If a policy is gone and another one wants as much of a user, nothing is
//! weaker for the user.
//!
//! Not here: users that an exception or a break-glass entry excludes (`exceptions`, `break_glass`), or what can
//! be said without a tenant (`files`).

use std::collections::{BTreeMap, BTreeSet};

use super::cause::{LooseningCause, code};
use super::policies::Pairs;
use super::unconcerned::SamePolicies;
use super::{Concerned, Side, Sides};
use crate::desired::{Candidates, DecisionResult, Desired, PolicyView, SettingDecision, desired};
use crate::finding::Code;
use crate::observed::Observed;
use crate::policy::{Mode, Policy};
use crate::settings::change::PolicyIndex;
use crate::settings::kind::{Effect, Looser};
use crate::settings::{Setting, SettingRule, Value, Values};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// Returns what the change does, with the users that each cause concerns.
pub(super) fn causes(
    sides: Sides<'_>,
    pairs: &Pairs,
    (base, head): (&Observed, &Observed),
) -> Vec<(LooseningCause, Option<Concerned>)> {
    let mut found: BTreeMap<LooseningCause, BTreeSet<UserIndex>> = BTreeMap::new();
    let same = SamePolicies::of(sides, pairs);
    let causes_of = |index| {
        let user = head.directory.user(index)?;
        let before = decided(sides.base, base, (index, user));
        let now = decided(sides.head, head, (index, user));
        let one = ComparedUser { sides, pairs, head, index, before, now };
        Some(Setting::ALL.into_iter().flat_map(move |setting| one.causes(setting)))
    };
    let users: BTreeSet<UserIndex> = base.scope.users().chain(head.scope.users()).collect();
    for index in users {
        if same.decide_about(sides, (base, head), index) {
            debug_assert_eq!(causes_of(index).into_iter().flatten().next(), None, "unconcerned");
            continue;
        }
        for cause in causes_of(index).into_iter().flatten() {
            found.entry(cause).or_default().insert(index);
        }
    }
    let concerned = |users| Some(Concerned::in_tenant(head, users));
    found.into_iter().map(|(cause, users)| (cause, concerned(users))).collect()
}

/// What one side decides for a user.
struct Decided<'a> {
    policies: &'a [Policy],
    /// What was read of the user for this side.
    facts: Option<Facts>,
    /// None if no policy can apply to the user.
    desired: Option<Desired>,
}

/// The rule that decides one setting.
struct DecidedRule<'a> {
    policy: PolicyIndex,
    rule: &'a SettingRule,
    value: Value,
}

fn decided<'a>(
    side: Side<'a>,
    observed: &Observed,
    (index, user): (UserIndex, &User),
) -> Decided<'a> {
    let policies = &side.policies.policies;
    let facts = observed.facts.get(index.place()).copied();
    let facts = facts.filter(|facts| *facts != Facts::NOT_READ);
    let is_in_scope = observed.scope.is_in_scope(index);
    let candidates = Candidates { policies, scope: &observed.scope };
    let desired = is_in_scope
        .then(|| desired(candidates, PolicyView::Real, index, user, &observed.facts(index)));
    Decided { policies, facts, desired }
}

impl<'a> Decided<'a> {
    fn decision(&self, setting: Setting) -> Option<&SettingDecision> {
        self.desired.as_ref()?.said.iter().find(|one| one.setting == setting)
    }

    fn rule(&self, setting: Setting) -> Option<DecidedRule<'a>> {
        let decision = self.decision(setting)?;
        match decision.outcome {
            DecisionResult::Wanted(_) | DecisionResult::Nothing(_) => {}
            DecisionResult::Unmanaged | DecisionResult::Conflict(_) => return None,
        }
        let policy = self.policies.get(decision.policy.place())?;
        let rule = policy.rules.managed(setting)?;
        let value = self.desired.as_ref()?.values.get(setting);
        Some(DecidedRule { policy: decision.policy, rule, value })
    }
}

/// One user, as both sides see it.
struct ComparedUser<'a> {
    sides: Sides<'a>,
    pairs: &'a Pairs,
    head: &'a Observed,
    index: UserIndex,
    before: Decided<'a>,
    now: Decided<'a>,
}

impl ComparedUser<'_> {
    fn causes(&self, setting: Setting) -> Vec<LooseningCause> {
        match (self.before.rule(setting), self.now.rule(setting)) {
            (None, None) => Vec::new(),
            (None, Some(now)) => self.wanted(setting, &now),
            (Some(before), None) => self.lost(setting, &before, None, &[]).into_iter().collect(),
            (Some(before), Some(now)) => self.altered(setting, &before, &now),
        }
    }

    /// Compares two rules that decide the setting.
    fn altered(
        &self,
        setting: Setting,
        before: &DecidedRule<'_>,
        now: &DecidedRule<'_>,
    ) -> Vec<LooseningCause> {
        let mut looser = now.rule.looser_than(Some(before.rule));
        let is_weaker = is_weaker(setting, before.value, now.value);
        if is_weaker && !looser.contains(&Looser::Value) {
            looser.push(Looser::Value);
        }
        if looser.is_empty() {
            return Vec::new();
        }
        if self.pairs.head_of(before.policy) != Some(now.policy) {
            return self.lost(setting, before, Some(now.policy), &looser);
        }
        let (base, head) = (Some(before.policy), Some(now.policy));
        let cause = |one| LooseningCause { code: code(one), base, head, setting: Some(setting) };
        looser.into_iter().map(cause).collect()
    }

    /// Returns why a policy no longer decides the setting. An exception and a break-glass entry are reported
    /// on their own.
    fn lost(
        &self,
        setting: Setting,
        before: &DecidedRule<'_>,
        winner: Option<PolicyIndex>,
        looser: &[Looser],
    ) -> Vec<LooseningCause> {
        let base = before.policy;
        let Some(head) = self.pairs.head_of(base) else {
            return vec![LooseningCause::of_policy(Code::PolicyRemoved, base, None)];
        };
        let Some(policy) = self.sides.head.policies.policies.get(head.place()) else {
            return Vec::new();
        };
        let scope = &self.head.scope;
        let rule = policy.rules.managed(setting);
        let of_policy = |code| vec![LooseningCause::of_policy(code, base, Some(head))];
        match () {
            () if policy.mode == Mode::Report => of_policy(Code::ModeToReport),
            () if scope.is_break_glass(self.index) || scope.is_excepted(head, self.index) => {
                Vec::new()
            }
            () if !scope.applies(head, policy, self.index, &self.head.facts(self.index)) => {
                of_policy(Code::ScopeNarrowed)
            }
            () if rule.is_none() => self.cause(Code::SettingUnmanaged, base, head, setting),
            () => self.overtaken(setting, (base, head), winner, looser),
        }
    }

    /// Returns that another policy decides the setting.
    fn overtaken(
        &self,
        setting: Setting,
        (base, own): (PolicyIndex, PolicyIndex),
        winner: Option<PolicyIndex>,
        looser: &[Looser],
    ) -> Vec<LooseningCause> {
        let Some(winner) = winner else {
            // SMS sign-in is decided with the mobile phone.
            let decision = self.now.decision(setting);
            let decision = decision.or_else(|| match setting {
                Setting::SmsSignIn => self.now.decision(Setting::MobilePhone),
                _ => None,
            });
            let winner = decision.map_or(own, |one| one.policy);
            return self.cause(Code::SettingUnmanaged, base, winner, setting);
        };
        let code = |one: &Looser| match one {
            Looser::Value => Code::RuleOvertaken,
            other => code(*other),
        };
        looser.iter().flat_map(|one| self.cause(code(one), base, winner, setting)).collect()
    }

    fn cause(
        &self,
        code: Code,
        base: PolicyIndex,
        head: PolicyIndex,
        setting: Setting,
    ) -> Vec<LooseningCause> {
        vec![LooseningCause { code, base: Some(base), head: Some(head), setting: Some(setting) }]
    }

    /// Compares a rule with the present value, which no policy decided.
    fn wanted(&self, setting: Setting, now: &DecidedRule<'_>) -> Vec<LooseningCause> {
        let facts = self.before.facts.or(self.now.facts);
        let present = facts.map(|facts| Values::observed(&facts).get(setting));
        let Some(present) = present.filter(|value| !value.is_unknown()) else { return Vec::new() };
        let looser = now.rule.looser_than(None);
        let differs = present != Value::Nothing && !present.meets(now.value);
        let mut codes = Vec::new();
        if differs && (looser.contains(&Looser::Value) || is_weaker(setting, present, now.value)) {
            codes.push(Code::WeakerWanted);
        }
        if present != Value::Nothing && looser.contains(&Looser::Replaces) {
            codes.push(Code::ReplaceAllowed);
        }
        let (head, setting) = (Some(now.policy), Some(setting));
        codes.into_iter().map(|code| LooseningCause { code, base: None, head, setting }).collect()
    }
}

/// Whether a user with the later value is protected less than with the earlier one.
fn is_weaker(setting: Setting, before: Value, now: Value) -> bool {
    matches!(setting.effect(before, now), Effect::Lowers | Effect::Weakens)
}

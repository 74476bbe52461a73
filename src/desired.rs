//! Computes the desired values of a user from the policies and the facts. Of the policies that apply to
//! the user and mention a setting, the one with the smallest priority wins. A setting that no policy
//! mentions keeps its observed value, so that it never differs. So does a setting for which another policy
//! may win, if the methods that decide about that policy could not be read.
//!
//! A policy in report mode does not change what is desired. [`PolicyView::AsIf`] computes what it would want.
//! Not here: whether the change is safe (`plan::guard`).

use crate::policy::{Mode, Policy};
use crate::scope::Scope;
use crate::settings::change::{Mandate, PolicyIndex};
use crate::settings::{Remark, RuleResult, Setting, Values};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// The desired values of one user, and what decided them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub values: Values,
    pub said: Vec<SettingDecision>,
}

/// The result of one policy, or of two that disagree, for one setting of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingDecision {
    pub setting: Setting,
    pub policy: PolicyIndex,
    pub outcome: DecisionResult,
    pub mandate: Mandate,
}

/// The result of a policy for one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionResult {
    Wanted(Option<Remark>),
    /// The policy cannot set a value, for this reason.
    Nothing(Remark),
    /// The setting stays as it is, because a policy says so.
    Unmanaged,
    /// Another policy of the same priority wants another value.
    Conflict(PolicyIndex),
}

/// The policies that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyView {
    /// The enforced policies.
    Real,
    /// All policies, as if those in report mode were enforced too.
    AsIf,
}

impl PolicyView {
    /// Whether a policy of this mode counts.
    #[must_use]
    pub const fn sees(self, mode: Mode) -> bool {
        matches!((self, mode), (Self::AsIf, _) | (_, Mode::Enforce))
    }
}

/// The policies, and the users in scope of each.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    pub policies: &'a [Policy],
    pub scope: &'a Scope,
}

impl<'a> Candidates<'a> {
    /// Returns the policies that apply to a user with these facts, in the order of their names.
    pub fn of(
        self,
        user: UserIndex,
        facts: &'a Facts,
    ) -> impl Iterator<Item = (PolicyIndex, &'a Policy)> {
        let places = self.policies.iter().enumerate();
        places
            .map(|(place, policy)| (PolicyIndex::new(place), policy))
            .filter(move |(index, policy)| self.scope.applies(*index, policy, user, facts))
    }

    /// Whether a policy of this priority or before it, of which it is unknown if it applies, mentions the
    /// setting. Its unread condition must not let a later policy win.
    fn may_be_decided_by_another(
        self,
        view: PolicyView,
        (user, facts): (UserIndex, &Facts),
        setting: Setting,
        priority: u32,
    ) -> bool {
        let decides = match setting {
            Setting::SmsSignIn => Setting::MobilePhone,
            setting => setting,
        };
        self.policies.iter().enumerate().any(|(place, policy)| {
            view.sees(policy.mode)
                && policy.priority <= priority
                && policy.rules.mentions(decides)
                && self.scope.may_apply(PolicyIndex::new(place), policy, user, facts)
        })
    }

    /// Returns those of them that count in the view.
    pub fn asked(
        self,
        view: PolicyView,
        user: UserIndex,
        facts: &'a Facts,
    ) -> impl Iterator<Item = (PolicyIndex, &'a Policy)> {
        self.of(user, facts).filter(move |(_, policy)| view.sees(policy.mode))
    }
}

/// Returns the desired values of the user.
#[must_use]
pub fn desired(
    candidates: Candidates<'_>,
    view: PolicyView,
    index: UserIndex,
    user: &User,
    facts: &Facts,
) -> Desired {
    let mut values = Values::observed(facts);
    let mut said = Vec::new();
    for setting in Setting::ALL {
        let asked = || candidates.asked(view, index, facts);
        let Some((policy, winner, rival)) = winner(asked, setting) else {
            continue;
        };
        if candidates.may_be_decided_by_another(view, (index, facts), setting, winner.priority) {
            continue;
        }
        if setting == Setting::SmsSignIn && values.get(Setting::MobilePhone).is_unknown() {
            // The unknown phone is reported once already.
            continue;
        }
        let rule = winner.rules.managed(setting);
        let mut read_as = None;
        let outcome = match (rival, rule) {
            (Some(rival), _) => DecisionResult::Conflict(rival),
            (None, None) => DecisionResult::Unmanaged,
            (None, Some(rule)) => match rule.wish(user, values.get(setting)) {
                RuleResult { value: None, remark: Some(remark), .. } => {
                    DecisionResult::Nothing(remark)
                }
                RuleResult { value, remark, read_as: by } => {
                    read_as = by;
                    if let Some(value) = value {
                        values.set(setting, value);
                    }
                    DecisionResult::Wanted(remark)
                }
            },
        };
        let mandate = Mandate {
            exactly: rule.is_some_and(|rule| rule.is_exact()),
            names_role: candidates.scope.names_role(policy, index),
            // An unknown value cannot be settled.
            settles_sms_sign_in: rule.is_some_and(|rule| rule.settles_sms_sign_in())
                && !values.get(Setting::SmsSignIn).is_unknown(),
            puts_back: false,
            goes_last: false,
            read_as,
        };
        said.push(SettingDecision { setting, policy, outcome, mandate });
    }
    Desired { values, said }
}

/// Returns the policy that decides the setting, and a policy of the same priority that disagrees. The
/// rule for SMS sign-in is a part of the rule for the mobile phone: it counts if that rule wins.
fn winner<'a, I: Iterator<Item = (PolicyIndex, &'a Policy)>>(
    asked: impl Fn() -> I,
    setting: Setting,
) -> Option<(PolicyIndex, &'a Policy, Option<PolicyIndex>)> {
    if setting == Setting::SmsSignIn {
        let phone = winner_of(asked, Setting::MobilePhone);
        return phone.filter(|(_, policy, rival)| {
            rival.is_none() && policy.rules.mentions(Setting::SmsSignIn)
        });
    }
    winner_of(asked, setting)
}

fn winner_of<'a, I: Iterator<Item = (PolicyIndex, &'a Policy)>>(
    asked: impl Fn() -> I,
    setting: Setting,
) -> Option<(PolicyIndex, &'a Policy, Option<PolicyIndex>)> {
    let mentioning = || asked().filter(|(_, policy)| policy.rules.mentions(setting));
    let (index, policy) = mentioning().min_by_key(|(index, policy)| (policy.priority, *index))?;
    let rival = mentioning()
        .find(|(_, other)| {
            other.priority == policy.priority && !other.rules.agrees(&policy.rules, setting)
        })
        .map(|(index, _)| index);
    Some((index, policy, rival))
}

//! Candidates × facts → desired: of the policies that apply to a user and mention a setting, the
//! one with the smallest priority wins, and what nobody mentions is completed from what was
//! observed, so that it can never differ.
//!
//! Not here: whether it is safe to make it so (`plan::guard`).

use crate::policy::{Policy, Rules};
use crate::scope::Scope;
use crate::settings::change::PolicyIndex;
use crate::settings::{Remark, Setting, Value, Values, Wish, mobile_phone, per_user_mfa};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// What the policies come to for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub values: Values,
    pub said: Vec<Said>,
}

/// What one policy, or two that disagree, say about one setting of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub setting: Setting,
    pub policy: PolicyIndex,
    pub outcome: Outcome,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Wanted(Option<Remark>),
    /// Nothing can be wanted, and this is why.
    Nothing(Remark),
    /// Another policy of the same priority wants something else.
    Conflict(PolicyIndex),
}

/// What is desired of the user.
#[must_use]
pub fn desired(
    policies: &[Policy],
    scope: &Scope,
    index: UserIndex,
    user: &User,
    facts: &Facts,
) -> Desired {
    let mut values = Values::observed(facts);
    let mut said = Vec::new();
    for setting in Setting::ALL {
        let Some((policy, winner, rival)) = winner(policies, scope, index, setting) else {
            continue;
        };
        if let Some(rival) = rival {
            said.push(Said { setting, policy, outcome: Outcome::Conflict(rival) });
            continue;
        }
        let Some(wish) = wish(&winner.rules, setting, user, values.get(setting)) else {
            continue;
        };
        if let Some(value) = wish.value {
            values.set(setting, value);
        }
        let outcome = match wish {
            Wish { value: None, remark: Some(remark) } => Outcome::Nothing(remark),
            Wish { remark, .. } => Outcome::Wanted(remark),
        };
        said.push(Said { setting, policy, outcome });
    }
    Desired { values, said }
}

/// The policy that decides the setting, and one of the same priority that says otherwise.
fn winner<'a>(
    policies: &'a [Policy],
    scope: &Scope,
    user: UserIndex,
    setting: Setting,
) -> Option<(PolicyIndex, &'a Policy, Option<PolicyIndex>)> {
    let candidates = || {
        let places =
            policies.iter().enumerate().map(|(place, policy)| (PolicyIndex::new(place), policy));
        places
            .filter(|(index, policy)| policy.rules.mentions(setting) && scope.applies(*index, user))
    };
    let (index, policy) = candidates().min_by_key(|(index, policy)| (policy.priority, *index))?;
    let rival = candidates()
        .find(|(_, other)| {
            other.priority == policy.priority && !other.rules.agrees(&policy.rules, setting)
        })
        .map(|(index, _)| index);
    Some((index, policy, rival))
}

fn wish(rules: &Rules, setting: Setting, user: &User, observed: Value) -> Option<Wish> {
    match setting {
        Setting::MobilePhone => {
            rules.mobile.as_ref().map(|(rule, _)| mobile_phone::from_rule(rule, user, observed))
        }
        Setting::PerUserMfa => {
            rules.per_user_mfa.as_ref().map(|(rule, _)| per_user_mfa::from_rule(rule, observed))
        }
    }
}

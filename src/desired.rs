//! Candidates × facts → desired: of the policies that apply to a user and mention a setting, the
//! one with the smallest priority wins, and what nobody mentions is completed from what was
//! observed, so that it can never differ.
//!
//! A policy that only reports has no say in what is desired. What it would come to is a second
//! question, asked with [`View::AsIf`]. Not here: whether it is safe to make it so (`plan::guard`).

use crate::policy::{Mode, Policy};
use crate::scope::Scope;
use crate::settings::change::{Mandate, PolicyIndex};
use crate::settings::{Remark, Setting, Values, Wish};
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
    pub mandate: Mandate,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Wanted(Option<Remark>),
    /// Nothing can be wanted, and this is why.
    Nothing(Remark),
    /// It is left as it is, because a policy says so.
    Unmanaged,
    /// Another policy of the same priority wants something else.
    Conflict(PolicyIndex),
}

/// Which policies are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Those that are enforced.
    Real,
    /// All of them, as if those that report were enforced too.
    AsIf,
}

impl View {
    /// Whether a policy of this mode is asked.
    #[must_use]
    pub const fn sees(self, mode: Mode) -> bool {
        matches!((self, mode), (Self::AsIf, _) | (_, Mode::Enforce))
    }
}

/// Everything that says who is meant: the policies, and whom each is for.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    pub policies: &'a [Policy],
    pub scope: &'a Scope,
}

impl<'a> Candidates<'a> {
    /// The policies that apply to a user of whom this is known, in the order of their names.
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

    /// Those of them that the view asks.
    pub fn asked(
        self,
        view: View,
        user: UserIndex,
        facts: &'a Facts,
    ) -> impl Iterator<Item = (PolicyIndex, &'a Policy)> {
        self.of(user, facts).filter(move |(_, policy)| view.sees(policy.mode))
    }
}

/// What is desired of the user.
#[must_use]
pub fn desired(
    candidates: Candidates<'_>,
    view: View,
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
        if setting == Setting::SmsSignIn && values.get(Setting::MobilePhone).is_unknown() {
            // That the phone is not known is said once.
            continue;
        }
        let rule = winner.rules.managed(setting);
        let mut read_as = None;
        let outcome = match (rival, rule) {
            (Some(rival), _) => Outcome::Conflict(rival),
            (None, None) => Outcome::Unmanaged,
            (None, Some(rule)) => match rule.wish(setting, user, values.get(setting)) {
                Wish { value: None, remark: Some(remark), .. } => Outcome::Nothing(remark),
                Wish { value, remark, read_as: by } => {
                    read_as = by;
                    if let Some(value) = value {
                        values.set(setting, value);
                    }
                    Outcome::Wanted(remark)
                }
            },
        };
        let mandate = Mandate {
            exactly: rule.is_some_and(|rule| rule.is_exact()),
            names_role: candidates.scope.names_role(policy, index),
            // What is not known cannot be settled.
            settles_sms_sign_in: rule.is_some_and(|rule| rule.settles_sms_sign_in())
                && !values.get(Setting::SmsSignIn).is_unknown(),
            puts_back: false,
            read_as,
        };
        said.push(Said { setting, policy, outcome, mandate });
    }
    Desired { values, said }
}

/// The policy that decides the setting, and one of the same priority that says otherwise. What is
/// said of signing in by text is part of the rule for the mobile phone: it counts where that does.
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
    let voices = || asked().filter(|(_, policy)| policy.rules.mentions(setting));
    let (index, policy) = voices().min_by_key(|(index, policy)| (policy.priority, *index))?;
    let rival = voices()
        .find(|(_, other)| {
            other.priority == policy.priority && !other.rules.agrees(&policy.rules, setting)
        })
        .map(|(index, _)| index);
    Some((index, policy, rival))
}

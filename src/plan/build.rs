//! The plan of everybody: each user's diff through the guard, then what is noticed and counted.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;
use super::guard::{Guarded, guard};
use super::remarks::{Noticed, Subject};
use super::summary::{PostureCounts, Summary};
use super::{Place, Plan, PolicyLabel, Reason, RuleLabel, TenantBasis, UserPlan, Withheld};
use crate::desired::{Desired, Outcome, desired};
use crate::finding::{Code, Finding};
use crate::number::PhoneNumber;
use crate::plan::diff::diff;
use crate::policy::{Policy, PolicySet};
use crate::posture::{Answer, Judge, Posture};
use crate::scope::Scope;
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Remark, Setting, Value, Values};
use crate::tenant::crowd::Judged;
use crate::tenant::directory::{Directory, Identity, User, UserIndex};
use crate::tenant::facts::{Facts, Phone};

/// From how many days before phones are no longer delivered to it is said who depends on them.
const DAYS_AHEAD: i32 = 90;

/// Everything observed of a tenant that a plan is made of.
#[derive(Debug)]
pub struct Observed {
    pub identity: Identity,
    pub directory: Directory,
    pub scope: Scope,
    /// By the places of users in the directory.
    pub facts: Vec<Facts>,
    pub basis: TenantBasis,
    /// What was found while names were resolved and rules were read.
    pub findings: Vec<Finding>,
}

impl Observed {
    #[must_use]
    pub fn facts(&self, user: UserIndex) -> Facts {
        self.facts.get(user.place()).copied().unwrap_or(Facts::NOT_READ)
    }
}

/// The plan that brings the tenant to what the policies want, as far as that is safe.
#[must_use]
pub fn plan(set: &PolicySet, observed: Observed) -> Plan {
    let mut draft = Draft::default();
    for index in observed.scope.users() {
        if let Some(user) = observed.directory.user(index) {
            draft.add(set, &observed, index, user);
        }
    }
    draft.note_shared_numbers(&observed);
    draft.note_break_glass(&observed);
    draft.finish(set, observed)
}

/// A plan in the making.
#[derive(Debug, Default)]
struct Draft {
    users: Vec<UserPlan>,
    changes: Vec<Change>,
    withheld: Vec<Withheld>,
    noticed: Noticed,
    postures: PostureCounts,
    in_scope: usize,
}

impl Draft {
    fn add(&mut self, set: &PolicySet, observed: &Observed, index: UserIndex, user: &User) {
        let facts = observed.facts(index);
        let desired = desired(&set.policies, &observed.scope, index, user, &facts);
        let judge = observed.basis.judge();
        let changes = diff(index, &Values::observed(&facts), &desired);
        let guarded = guard(&judge, index, &facts, &changes);
        let (before, after) = (judge.posture(index, &facts), judge.posture(index, &guarded.facts));
        self.in_scope += 1;
        self.postures.count(before, after);
        self.note(index, &desired, after);
        self.note_demand(&judge, index, &guarded);
        let (first_change, first_withheld) = (self.changes.len(), self.withheld.len());
        self.changes.extend(guarded.steps);
        self.withheld.extend(conflicts(&desired, set, index));
        self.withheld.extend(guarded.withheld.iter().map(|(change, reason)| Withheld {
            user: index,
            setting: change.setting,
            wanted: change.after,
            policy: change.policy,
            reason: *reason,
            cause: missing_method(&desired),
        }));
        let new = self.withheld.get(first_withheld..).unwrap_or_default();
        new.iter().for_each(|withheld| self.noticed.note_withheld(withheld));
        if self.changes.len() > first_change || !new.is_empty() {
            let policies = applying(&set.policies, &observed.scope, index);
            self.users.push(UserPlan {
                user: index,
                facts,
                before,
                after,
                changes: first_change..self.changes.len(),
                policies,
            });
        }
    }

    fn note(&mut self, user: UserIndex, desired: &Desired, after: Posture) {
        for said in &desired.said {
            if let Outcome::Wanted(Some(remark)) | Outcome::Nothing(remark) = said.outcome {
                self.noticed.note(Subject::Said(remark, said.setting, said.policy), user);
            }
        }
        match after {
            Posture::Open => self.noticed.note(Subject::Open, user),
            Posture::Stuck => self.noticed.note(Subject::Stuck, user),
            Posture::Protected | Posture::Unprotected | Posture::Unknown => {}
        }
    }

    /// What is demanded elsewhere of those whose state is raised, and for how long phones will do.
    fn note_demand(&mut self, judge: &Judge<'_>, user: UserIndex, guarded: &Guarded) {
        let raised = guarded.steps.iter().find(|change| change.raises());
        if let Some(change) = raised
            && judge.demand.elsewhere(user) == Judged::Yes
        {
            self.noticed.note(Subject::DemandedElsewhere(change.policy), user);
        }
        if let Some(day) = judge.expiring(user, &guarded.facts)
            && (day - judge.today).get_days() <= DAYS_AHEAD
        {
            self.noticed.note(Subject::PhoneOnly(day), user);
        }
    }

    /// A number that somebody else has registered, or that is wanted for two, is worth a look.
    fn note_shared_numbers(&mut self, observed: &Observed) {
        let mut holders: HashMap<PhoneNumber, u32> = HashMap::new();
        for facts in &observed.facts {
            let Some(methods) = facts.methods.known() else {
                continue;
            };
            for phone in [methods.mobile, methods.alternate_mobile, methods.office] {
                if let Phone::Number(number) = phone {
                    *holders.entry(number).or_default() += 1;
                }
            }
        }
        let added = |change: &Change| match change.after {
            Value::Phone(number) => Some(number),
            _ => None,
        };
        for number in self.changes.iter().filter_map(added) {
            *holders.entry(number).or_default() += 1;
        }
        for change in &self.changes {
            if added(change)
                .and_then(|number| holders.get(&number))
                .is_some_and(|holders| *holders > 1)
            {
                self.noticed.note(Subject::NumberShared(change.policy), change.user);
            }
        }
    }

    fn note_break_glass(&mut self, observed: &Observed) {
        for index in observed.scope.break_glass() {
            let enabled = observed.directory.user(index).is_some_and(|user| user.account.enabled);
            if enabled
                && matches!(
                    observed.basis.judge().answer(index, &observed.facts(index)),
                    Answer::Nothing | Answer::Cannot
                )
            {
                self.noticed.note(Subject::BreakGlassNoMethod, index);
            }
        }
    }

    fn finish(self, set: &PolicySet, observed: Observed) -> Plan {
        let basis = observed.basis;
        let mut findings = observed.findings;
        findings.extend(self.noticed.into_findings(set, &observed.directory));
        if basis.method_policy.is_migrated() == Judged::No {
            findings.push(
                Finding::new(Code::LegacyMethodPolicy, "the migration to the authentication methods policy is not complete, so what it denies may still be allowed by older settings")
                    .help("complete the migration; Graph does not show the older settings"),
            );
        }
        let summary = Summary::of(&self.users, &self.changes, &self.withheld);
        let mut plan = Plan {
            identity: observed.identity,
            directory: observed.directory,
            policies: set.policies.iter().map(|policy| label(policy, set)).collect(),
            basis,
            users: self.users,
            changes: self.changes,
            withheld: self.withheld,
            findings,
            in_scope: self.in_scope,
            postures: self.postures,
            summary,
            fingerprint: Fingerprint::default(),
        };
        plan.fingerprint = Fingerprint::of(&plan, &set.sources);
        plan
    }
}

/// A setting on which two policies disagree is left alone, and said to be.
fn conflicts<'a>(
    desired: &'a Desired,
    set: &'a PolicySet,
    user: UserIndex,
) -> impl Iterator<Item = Withheld> + 'a {
    desired.said.iter().filter_map(move |said| match said.outcome {
        Outcome::Conflict(rival) => Some(Withheld {
            user,
            setting: said.setting,
            wanted: set
                .policies
                .get(said.policy.place())
                .map_or(Value::Nothing, |policy| wanted(policy, said.setting)),
            policy: said.policy,
            reason: Reason::Conflict(rival),
            cause: None,
        }),
        Outcome::Wanted(_) | Outcome::Nothing(_) => None,
    })
}

/// What a rule wants, as far as that does not depend on the user.
fn wanted(policy: &Policy, setting: Setting) -> Value {
    match setting {
        Setting::PerUserMfa => {
            policy.rules.per_user_mfa.map_or(Value::Nothing, |(rule, _)| Value::State(rule.0))
        }
        Setting::MobilePhone => Value::Nothing,
    }
}

fn applying(policies: &[Policy], scope: &Scope, user: UserIndex) -> Vec<PolicyIndex> {
    (0..policies.len()).map(PolicyIndex::new).filter(|index| scope.applies(*index, user)).collect()
}

fn label(policy: &Policy, set: &PolicySet) -> PolicyLabel {
    let rules = Setting::ALL.into_iter().filter_map(|setting| {
        let place = Place::of(policy.rules.origin(setting)?, &set.sources);
        Some(RuleLabel { setting, place, wants: policy.rules.describe(setting)? })
    });
    PolicyLabel { name: policy.name.clone(), rules: rules.collect() }
}

/// Why the phone that would have carried the user is not there.
fn missing_method(desired: &Desired) -> Option<Remark> {
    desired.said.iter().find_map(|said| match said.outcome {
        Outcome::Nothing(remark) if said.setting == Setting::MobilePhone => Some(remark),
        _ => None,
    })
}

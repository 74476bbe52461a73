//! What a plan says, by the object ids of users and the names of policies. Two plans of one tenant number
//! their users and policies differently; their contents can be compared.
//!
//! Places in files are no part of the content: a comment that moves a rule by a line changes nothing.
//!
//! Not here: the difference of two contents (`difference`), or how it is shown (`render`).

use std::collections::{BTreeMap, BTreeSet};

use super::brakes::{Brake, BrakeName};
use super::objects::ObjectChange;
use super::planned_value::PlannedValue;
use super::summary::PostureCounts;
use super::{Cause, Plan, Reason, UserPlan, Withheld};
use crate::desired::Candidates;
use crate::finding::{Code, Finding, Severity};
use crate::id::UserId;
use crate::observed::Observed;
use crate::policy::PolicySet;
use crate::policy::meaning::Meaning;
use crate::posture::Posture;
use crate::resources::{ObjectKind, ObjectValue};
use crate::settings::Setting;
use crate::settings::change::{Action, Change, Mandate, PolicyIndex};
use crate::tenant::user_set::Tristate;
use crate::untrusted::Untrusted;

/// The content of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanContent {
    /// The meaning of the files.
    pub meaning: Meaning,
    /// The users with a planned, withheld or reported change.
    pub users: BTreeMap<UserId, UserContent>,
    /// The policies that apply to each user in scope, and what they are: by which policies the user is
    /// managed.
    pub governed: Governed,
    pub objects: BTreeMap<ObjectKind, ObjectContent>,
    /// How many times each finding is there.
    pub findings: BTreeMap<FindingContent, usize>,
    pub postures: PostureCounts,
    pub in_scope: usize,
    pub brakes: BTreeMap<BrakeName, Brake>,
}

/// The names of the enforced policies that apply to each user in scope.
pub type Governed = BTreeMap<UserId, GovernedUser>;

/// One user in scope: the name, and the enforced policies that apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernedUser {
    pub name: Untrusted,
    pub is_administrator: Tristate,
    /// In the order of their names.
    pub policies: Vec<Untrusted>,
}

/// What a plan says about one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserContent {
    pub name: Untrusted,
    /// Absent if the plan was read from JSON, which does not say it.
    pub is_administrator: Option<Tristate>,
    pub before: Posture,
    pub after: Posture,
    /// In the order of their names.
    pub policies: Vec<Untrusted>,
    pub changes: BTreeMap<Setting, ChangeContent>,
    pub withheld: BTreeSet<WithheldContent>,
    pub reported: BTreeMap<Setting, ChangeContent>,
    pub reported_withheld: BTreeSet<WithheldContent>,
}

/// One change of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeContent {
    pub before: PlannedValue,
    pub after: PlannedValue,
    pub policy: Untrusted,
    pub mandate: Mandate,
}

/// One withheld change of a user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WithheldContent {
    pub setting: Setting,
    pub wanted: PlannedValue,
    pub policy: Untrusted,
    pub reason: ReasonContent,
    pub cause: Option<Cause>,
}

/// A reason, with the name of the other policy if it is about one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonContent {
    Alone(Reason),
    ConflictWith(Untrusted),
    /// Of a plan in JSON, which has the words of the reason alone.
    InWords(Code, Untrusted),
}

/// The change of one object of the tenant, and the accounts that it affects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectContent {
    pub before: ObjectValue,
    pub after: ObjectValue,
    /// The posture of each affected account, before and after.
    pub affected: BTreeMap<UserId, (Posture, Posture)>,
}

/// A finding without its places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingContent {
    pub severity: Severity,
    pub code: Code,
    pub policy: Option<String>,
    pub message: String,
    pub help: Option<String>,
    pub users: BTreeSet<UserId>,
}

/// Returns the enforced policies that apply to each user in scope.
#[must_use]
pub fn governed(set: &PolicySet, observed: &Observed) -> Governed {
    let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
    let administrators = &observed.basis.demand;
    // INVARIANT: policies are sorted by name, so the names of each user are too.
    let shared: Vec<Untrusted> =
        set.policies.iter().map(|policy| policy.name.as_str().into()).collect();
    let one = |index| {
        let user = observed.directory.user(index)?;
        let facts = observed.facts(index);
        let names = candidates.of(index, &facts).filter(|(_, policy)| policy.governs());
        let policies: Vec<Untrusted> =
            names.filter_map(|(index, _)| shared.get(index.place()).cloned()).collect();
        let is_administrator = administrators.is_administrator(index);
        let governed = GovernedUser { name: user.name.clone(), is_administrator, policies };
        (!governed.policies.is_empty()).then_some((user.id, governed))
    };
    observed.scope.users().filter_map(one).collect()
}

impl PlanContent {
    /// Returns the content of a plan. `governed` is known if the plan was just made; a saved plan does not
    /// say which users without changes are in scope.
    #[must_use]
    pub fn of(plan: &Plan, governed: Governed) -> Self {
        let mut content = Self {
            meaning: plan.meaning.clone(),
            governed,
            postures: plan.postures.clone(),
            in_scope: plan.in_scope,
            brakes: plan.brakes.iter().map(|brake| (brake.name, *brake)).collect(),
            ..Self::default()
        };
        content.users = plan.users.iter().filter_map(|user| content_of(plan, user)).collect();
        for change in plan.reported.iter() {
            if let Some(user) = content.user_of(plan, change) {
                user.reported.insert(change.setting, ChangeContent::of(plan, change));
            }
        }
        for (withheld, is_reported) in plan
            .withheld
            .iter()
            .map(|one| (one, false))
            .chain(plan.reported_withheld.iter().map(|one| (one, true)))
        {
            let id = plan.directory.user(withheld.user).map(|user| user.id);
            if let Some(user) = id.and_then(|id| content.users.get_mut(&id)) {
                let of_kind =
                    if is_reported { &mut user.reported_withheld } else { &mut user.withheld };
                of_kind.insert(WithheldContent::of(plan, withheld));
            }
        }
        content.objects = plan.objects.iter().map(|one| object(plan, one)).collect();
        for finding in &plan.findings {
            *content.findings.entry(FindingContent::of(finding)).or_default() += 1;
        }
        content
    }

    fn user_of(&mut self, plan: &Plan, change: &Change) -> Option<&mut UserContent> {
        self.users.get_mut(&plan.directory.user(change.user)?.id)
    }
}

fn content_of(plan: &Plan, user: &UserPlan) -> Option<(UserId, UserContent)> {
    let found = plan.directory.user(user.user)?;
    let changes = plan.changes_of(user).iter();
    let content = UserContent {
        name: found.name.clone(),
        is_administrator: Some(plan.basis.demand.is_administrator(user.user)),
        before: user.before,
        after: user.after,
        policies: user.policies.iter().map(|policy| policy_name(plan, *policy)).collect(),
        changes: changes.map(|one| (one.setting, ChangeContent::of(plan, one))).collect(),
        withheld: BTreeSet::new(),
        reported: BTreeMap::new(),
        reported_withheld: BTreeSet::new(),
    };
    Some((found.id, content))
}

fn object(plan: &Plan, change: &ObjectChange) -> (ObjectKind, ObjectContent) {
    let ObjectChange { object, before, after, origin: _, affected } = change;
    let affected = affected
        .iter()
        .filter_map(|one| Some((plan.directory.user(one.user)?.id, (one.before, one.after))));
    let (before, after) = (*before, *after);
    (*object, ObjectContent { before, after, affected: affected.collect() })
}

fn policy_name(plan: &Plan, policy: PolicyIndex) -> Untrusted {
    plan.policy(policy).map(|label| label.name.clone()).unwrap_or_default()
}

impl ChangeContent {
    fn of(plan: &Plan, change: &Change) -> Self {
        let Change { user: _, setting: _, before, after, policy, mandate } = *change;
        let policy = policy_name(plan, policy);
        Self { before: before.into(), after: after.into(), policy, mandate }
    }

    #[must_use]
    pub fn action(&self) -> Action {
        PlannedValue::action(&self.before, &self.after)
    }
}

impl WithheldContent {
    fn of(plan: &Plan, withheld: &Withheld) -> Self {
        let reason = match withheld.reason {
            Reason::Conflict(rival) => ReasonContent::ConflictWith(policy_name(plan, rival)),
            alone => ReasonContent::Alone(alone),
        };
        Self {
            setting: withheld.setting,
            wanted: withheld.wanted.into(),
            policy: policy_name(plan, withheld.policy),
            reason,
            cause: withheld.cause,
        }
    }
}

impl ReasonContent {
    /// Returns the code of the finding for the reason.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Alone(reason) => reason.code(),
            Self::ConflictWith(_) => Code::PolicyConflict,
            Self::InWords(code, _) => *code,
        }
    }
}

impl FindingContent {
    fn of(finding: &Finding) -> Self {
        let Finding { code, severity, message, help, labels: _, users, policy } = finding;
        Self {
            severity: *severity,
            code: *code,
            policy: policy.clone(),
            message: message.clone(),
            help: help.clone(),
            users: users.iter().copied().collect(),
        }
    }
}

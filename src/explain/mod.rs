//! Explains one user: which policies match and why, which line decides each setting and which lines it
//! overrules, what is withheld and what would change that, and the posture. The explanation takes its
//! facts from the plan of all users, so the two cannot differ.
//!
//! `matching` is about policies, `deciding` about settings, `standing` about posture, `compared` about a base.
//!
//! Not here: how an explanation is shown (`render::explain::text`).

mod compared;
mod deciding;
mod matching;
mod standing;

pub use compared::{SettingOutcome, UserDifference, UserReview};
pub use deciding::{Decision, ExplainVerdict, NotWritten, Reported, RuleEffect, RuleInForce};
pub use matching::{Because, By, ByException, Matching, Named, NotApplied, UnmetTest};
pub use standing::{MethodState, PostureBeforeAfter, RequiredBy};

use crate::scope::UserPart;
use std::collections::BTreeMap;

use crate::finding::{Code, Finding};
use crate::id::{GroupId, UserId};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::plan::guard::guard;
use crate::plan::pipeline::plan_and_noticed;
use crate::policy::PolicySet;
use crate::tenant::directory::{Account, Country, Identity, User, UserIndex};
use crate::tenant::facts::{Facts, Read, UnknownReason};
use crate::tenant::roles::Roles;
use crate::untrusted::Untrusted;

/// Everything that explains one user.
#[derive(Debug)]
pub struct Explanation {
    pub tenant: Identity,
    pub user: ExplainedUser,
    pub part: UserPart,
    /// Every policy, in the order of their names.
    pub policies: Vec<Matching>,
    /// Every setting.
    pub settings: Vec<Decision>,
    pub standing: PostureBeforeAfter,
    /// The facts once the plan is carried out.
    pub after: Facts,
    /// The findings about the user. A finding about many users names only this one.
    pub findings: Vec<Finding>,
    pub reading: Reading,
}

/// The user, as the directory describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedUser {
    pub id: UserId,
    pub name: Untrusted,
    pub account: Account,
    pub usage_location: Option<String>,
    /// Known only where a policy reads numbers.
    pub country: Option<String>,
    /// Known only where a policy uses it.
    pub department: Option<Untrusted>,
}

/// How and when the facts were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The moment before the first request: no fact is older.
    pub since: String,
    /// When the tenant was recorded, if this is from a snapshot.
    pub recorded: Option<jiff::Timestamp>,
    pub calls: Vec<Call>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub what: String,
    /// The path at Graph, without a query.
    pub path: String,
    /// Why there was no answer.
    pub unknown: Option<UnknownReason>,
}

/// Explains one user. Returns the plan of all users as well, which the explanation is taken from.
#[must_use]
pub fn explain(
    set: &PolicySet,
    observed: Observed,
    roles: &Read<Roles>,
    index: UserIndex,
    reading: Reading,
) -> Option<(Explanation, Plan)> {
    let before = BeforePlan::of(set, &observed, roles, index)?;
    let asked = before.ask(set, &observed);
    let (plan, mut findings) = plan_and_noticed(set, observed, index);
    let concerns_all = |finding: &&Finding| {
        finding.users.is_empty()
            && matches!(finding.code, Code::Unreadable | Code::LegacyMethodPolicy)
    };
    findings.extend(plan.findings.iter().filter(concerns_all).cloned());
    let explanation = before.explained(asked, &plan, &findings);
    Some((Explanation { findings, reading, ..explanation }, plan))
}

/// Explains one user of a plan that was made of this observed state. The findings are in the plan.
#[must_use]
pub fn explain_planned(
    set: &PolicySet,
    observed: &Observed,
    roles: &Read<Roles>,
    plan: &Plan,
    index: UserIndex,
) -> Option<Explanation> {
    let before = BeforePlan::of(set, observed, roles, index)?;
    let asked = before.ask(set, observed);
    Some(before.explained(asked, plan, &plan.findings))
}

/// What must be asked about one user before the plan consumes the observed state.
struct BeforePlan {
    index: UserIndex,
    user: User,
    facts: Facts,
    policies: Vec<Matching>,
    part: UserPart,
}

impl BeforePlan {
    fn of(
        set: &PolicySet,
        observed: &Observed,
        roles: &Read<Roles>,
        index: UserIndex,
    ) -> Option<Self> {
        let user = observed.directory.user(index)?.clone();
        let facts = observed.facts(index);
        let policies = matching::all(set, observed, roles, index, &user, &facts);
        let part = part(set, observed, index, &facts);
        Some(Self { index, user, facts, policies, part })
    }

    fn ask(&self, set: &PolicySet, observed: &Observed) -> Vec<deciding::SettingResult> {
        let (user, facts) = (&self.user, &self.facts);
        deciding::PolicyQuestion::new(set, &observed.scope, self.index, user, facts).answers()
    }

    fn explained(
        self,
        asked: Vec<deciding::SettingResult>,
        plan: &Plan,
        findings: &[Finding],
    ) -> Explanation {
        let Self { index, user, facts, policies, part } = self;
        let after = planned(plan, index, facts);
        Explanation {
            tenant: plan.identity.clone(),
            part,
            policies,
            settings: deciding::all(asked, plan, findings, index, (&facts, &after)),
            standing: standing::of(&plan.basis.judge(), index, (&facts, &after)),
            findings: Vec::new(),
            reading: Reading::default(),
            user: ExplainedUser::of(user),
            after,
        }
    }
}

fn part(set: &PolicySet, observed: &Observed, index: UserIndex, facts: &Facts) -> UserPart {
    let candidates = crate::desired::Candidates { policies: &set.policies, scope: &observed.scope };
    let mut applying = candidates.of(index, facts).map(|(_, policy)| policy).peekable();
    match () {
        () if observed.scope.break_glass().any(|one| one == index) => UserPart::BreakGlass,
        () if applying.peek().is_none() => UserPart::OutOfScope,
        () if applying.any(crate::policy::Policy::governs) => UserPart::InScope,
        () => UserPart::NotManaged,
    }
}

/// Returns the facts once the plan is carried out.
fn planned(plan: &Plan, user: UserIndex, facts: Facts) -> Facts {
    guard(&plan.basis.judge(), user, &facts, plan.changes_of_index(user)).facts
}

impl Explanation {
    /// Returns the groups by which policies or exceptions name the user, each once.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<GroupId, &Untrusted> {
        let named = self.policies.iter().flat_map(|one| {
            let exception = one.left_out.as_ref().and_then(|out| out.exception.as_ref());
            one.named.iter().chain(exception.map(|exception| &exception.by))
        });
        let groups = named.filter_map(|by| match &by.named {
            Named::Group { id, name } => Some((*id, name)),
            _ => None,
        });
        groups.collect()
    }
}

impl ExplainedUser {
    fn of(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            account: user.account,
            usage_location: user.usage_location.map(|region| region.to_string()),
            country: match user.country {
                Country::None => None,
                Country::Known(region) => Some(region.to_string()),
                Country::Unread => Some("unread".to_owned()),
            },
            department: user.department.map(|name| Untrusted::from(&*name)),
        }
    }
}

impl UserPart {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InScope => "inScope",
            Self::NotManaged => "notManaged",
            Self::BreakGlass => "breakGlass",
            Self::OutOfScope => "outOfScope",
        }
    }

    /// Returns the meaning as a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::InScope => "in scope",
            Self::NotManaged => {
                "not in scope: the policies that apply are in report mode or leave everything unmanaged"
            }
            Self::BreakGlass => "a break-glass account: no policy ever writes to it",
            Self::OutOfScope => "not in scope: no policy applies",
        }
    }
}

//! Makes the plan of a run: observe, plan, select, identify.
//!
//! Not here: how a plan is made (`plan::pipeline`), or how it looks (`render`).

use super::fault::RunFault;
use super::observe;
use super::session::Session;
use crate::finding::Finding;
use crate::observed::Observed;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::narrow::{Narrow, narrow};
use crate::plan::pipeline::WholePlan;
use crate::plan::{Plan, pipeline};
use crate::policy::PolicySet;
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Read;
use crate::tenant::roles::Roles;

/// A part of a plan, as it was asked for. The whole plan is always evaluated.
#[derive(Debug, Clone, Default)]
pub struct PlanPart {
    /// Only these users, by principal name or object id.
    pub users: Vec<String>,
    /// Only the changes of these policies.
    pub policies: Vec<String>,
    /// Only the first users with changes.
    pub limit: Option<usize>,
}

/// Makes the plan for the tenant as it is now, as it is shown and approved.
///
/// # Errors
/// A read failed, names or policies do not fit the tenant, or policies contradict themselves.
pub async fn plan(
    session: &Session,
    policies: &PolicySet,
    part: &PlanPart,
) -> Result<Plan, RunFault> {
    part_of(whole(session, policies).await?, session, policies, part)
}

/// The tenant with the facts of every account, and its plan.
#[derive(Debug)]
pub struct PlannedForAll {
    pub observed: Observed,
    pub roles: Read<Roles>,
    pub plan: Plan,
}

/// Makes the plan, and returns what was observed of everybody.
///
/// # Errors
/// Those of [`plan()`].
pub async fn for_all(session: &Session, policies: &PolicySet) -> Result<PlannedForAll, RunFault> {
    let (observed, roles) = observe::for_policies_and_everybody(session, policies).await?;
    let plan = without_contradiction(pipeline::plan(policies, observed.clone()), policies)?;
    Ok(PlannedForAll { observed, roles, plan })
}

/// Makes the plan before a part of it is selected.
pub(super) async fn whole(session: &Session, policies: &PolicySet) -> Result<WholePlan, RunFault> {
    let observed = observe::for_policies(session, policies).await?;
    consistent(pipeline::whole(policies, observed), policies)
}

/// Returns the part of the plan that is asked for, as it is shown and approved.
pub(super) fn part_of(
    whole: WholePlan,
    session: &Session,
    policies: &PolicySet,
    part: &PlanPart,
) -> Result<Plan, RunFault> {
    Ok(identified(session, part.of(whole.plan, policies)?))
}

/// Returns the whole plan, if the policies do not contradict themselves in it.
pub(super) fn consistent(whole: WholePlan, policies: &PolicySet) -> Result<WholePlan, RunFault> {
    Ok(WholePlan { plan: without_contradiction(whole.plan, policies)?, ..whole })
}

/// Returns the plan, if the policies do not contradict themselves in it.
pub(super) fn without_contradiction(plan: Plan, policies: &PolicySet) -> Result<Plan, RunFault> {
    if plan.is_faulty() {
        let findings = plan.findings.into_iter().filter(Finding::is_error).collect();
        return Err(RunFault::Policies { findings, sources: policies.sources.clone() });
    }
    Ok(plan)
}

/// Returns the plan as it is shown and approved: without users that it is not about, and with the
/// fingerprint for the key.
pub(super) fn identified(session: &Session, plan: Plan) -> Plan {
    let mut plan = plan.only_concerned();
    plan.fingerprint = Fingerprint::of(&plan, session.fingerprint_key.as_ref());
    plan
}

impl PlanPart {
    /// Returns this part of the plan.
    pub(super) fn of(&self, plan: Plan, policies: &PolicySet) -> Result<Plan, RunFault> {
        let users = self.users.iter().map(|user| find_user(&plan, user));
        let named = self.policies.iter().map(|name| find_policy(policies, name));
        let to = Narrow {
            users: users.collect::<Result<_, _>>()?,
            policies: named.collect::<Result<_, _>>()?,
            changes: None,
            limit: self.limit,
        };
        Ok(narrow(plan, &to, policies))
    }
}

fn find_user(plan: &Plan, user: &str) -> Result<UserIndex, RunFault> {
    let by_id = || plan.directory.find(user.parse().ok()?);
    let found = plan.directory.find_by_name(user).or_else(by_id);
    found.ok_or_else(|| RunFault::UserNotInPlan(user.to_owned()))
}

fn find_policy(policies: &PolicySet, name: &str) -> Result<PolicyIndex, RunFault> {
    let place = policies.policies.iter().position(|policy| policy.name == name);
    place.map(PolicyIndex::new).ok_or_else(|| RunFault::PolicyNotInPlan(name.to_owned()))
}

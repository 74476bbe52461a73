//! `--user` and `--policy`: select a part of a finished plan. The whole plan is always evaluated.
//!
//! Not here: how a plan is reduced (`plan::narrow`).

use super::fault::Fault;
use crate::plan::Plan;
use crate::plan::narrow::{Narrow, narrow};
use crate::policy::PolicySet;
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::UserIndex;

/// The selected users and policies of the plan.
#[derive(Debug, Default, clap::Args)]
pub struct Selection {
    /// Only this user, by principal name or object id; can be repeated
    #[arg(long, value_name = "USER")]
    user: Vec<String>,

    /// Only the changes of this policy; can be repeated
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
}

impl Selection {
    /// Whether only a part of the plan is selected.
    pub(super) fn is_part(&self) -> bool {
        !(self.user.is_empty() && self.policy.is_empty())
    }

    /// Returns the selected part of the plan, with at most `limit` users.
    pub(super) fn of(
        &self,
        plan: Plan,
        limit: Option<usize>,
        set: &PolicySet,
    ) -> Result<Plan, Fault> {
        let users = self.user.iter().map(|user| find_user(&plan, user));
        let policies = self.policy.iter().map(|name| find_policy(set, name));
        let to = Narrow {
            users: users.collect::<Result<_, _>>()?,
            policies: policies.collect::<Result<_, _>>()?,
            limit,
        };
        Ok(narrow(plan, &to, set))
    }
}

fn find_user(plan: &Plan, user: &str) -> Result<UserIndex, Fault> {
    let by_id = || plan.directory.find(user.parse().ok()?);
    let found = plan.directory.find_by_name(user).or_else(by_id);
    found.ok_or_else(|| Fault::NotInPlan { what: "user", name: user.to_owned() })
}

fn find_policy(set: &PolicySet, name: &str) -> Result<PolicyIndex, Fault> {
    let place = set.policies.iter().position(|policy| policy.name == name);
    let not_there = || Fault::NotInPlan { what: "policy", name: name.to_owned() };
    place.map(PolicyIndex::new).ok_or_else(not_there)
}

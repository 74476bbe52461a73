//! `--user` and `--policy`: which part of a finished plan is meant. They never narrow what is
//! evaluated.

use super::fault::Fault;
use crate::plan::Plan;
use crate::plan::narrow::{Narrow, narrow};
use crate::policy::PolicySet;
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::UserIndex;

/// Which users and policies of the plan.
#[derive(Debug, Default, clap::Args)]
pub struct Selection {
    /// Only this user, by principal name or object id; may be repeated
    #[arg(long, value_name = "USER")]
    user: Vec<String>,

    /// Only what this policy wants; may be repeated
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
}

impl Selection {
    /// Whether anything is left out.
    pub(super) fn is_part(&self) -> bool {
        !(self.user.is_empty() && self.policy.is_empty())
    }

    /// What is meant of the plan, at most so many users of it.
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

//! `--user` and `--policy`: select a part of a finished plan. The whole plan is always evaluated.
//!
//! Not here: how a plan is reduced (`run::plan`, `plan::narrow`).

use crate::run::plan::PlanPart;

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

    /// Whether single users are selected.
    pub(super) fn names_users(&self) -> bool {
        !self.user.is_empty()
    }

    /// Returns the selected part, with at most `limit` users.
    pub(super) fn part(&self, limit: Option<usize>) -> PlanPart {
        PlanPart { users: self.user.clone(), policies: self.policy.clone(), limit }
    }
}

//! The counts of a plan: changes by kind, and postures before and after.
//!
//! Not here: the limits of these counts (`brakes`).

use std::collections::BTreeMap;

use super::{UserPlan, Withheld};
use crate::posture::Posture;
use crate::settings::change::{Action, Change};
use crate::settings::kind::CountedAs;

/// The numbers of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    pub users_changed: usize,
    pub phones_to_add: usize,
    pub phones_to_replace: usize,
    pub phones_to_remove: usize,
    /// Users who get a requirement by per-user MFA and had none.
    pub mfa_begun: usize,
    /// Users whose requirement by per-user MFA becomes stricter.
    pub mfa_tightened: usize,
    pub mfa_lowered: usize,
    /// Changes of default methods, system-preferred MFA and SMS sign-in.
    pub preferences_changed: usize,
    pub withheld: usize,
}

/// The number of users in scope with each posture, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostureCounts {
    pub before: BTreeMap<Posture, usize>,
    pub after: BTreeMap<Posture, usize>,
}

impl Summary {
    #[must_use]
    pub fn of(users: &[UserPlan], changes: &[Change], withheld: &[Withheld]) -> Self {
        let counted = |kind: CountedAs| {
            changes.iter().filter(move |change| change.setting.counted_as() == kind)
        };
        let phones =
            |action| counted(CountedAs::Phone).filter(|change| change.action() == action).count();
        let requirement = |is: fn(&Change) -> bool| {
            counted(CountedAs::Requirement).filter(|change| is(change)).count()
        };
        Self {
            users_changed: users.iter().filter(|user| !user.changes.is_empty()).count(),
            phones_to_add: phones(Action::Create),
            phones_to_replace: phones(Action::Update),
            phones_to_remove: phones(Action::Delete),
            mfa_begun: requirement(Change::begins),
            mfa_tightened: requirement(|change| change.raises() && !change.begins()),
            mfa_lowered: requirement(Change::lowers),
            preferences_changed: counted(CountedAs::Preference).count(),
            withheld: withheld.len(),
        }
    }
}

impl PostureCounts {
    pub fn count(&mut self, before: Posture, after: Posture) {
        *self.before.entry(before).or_default() += 1;
        *self.after.entry(after).or_default() += 1;
    }

    /// Adds the counts of other users.
    pub(super) fn append(&mut self, others: &Self) {
        for (all, more) in [(&mut self.before, &others.before), (&mut self.after, &others.after)] {
            more.iter().for_each(|(posture, count)| *all.entry(*posture).or_default() += count);
        }
    }

    /// Moves one user from the planned posture to another.
    pub fn correct(&mut self, planned: Posture, now: Posture) {
        if planned == now {
            return;
        }
        if let Some(count) = self.after.get_mut(&planned) {
            *count = count.saturating_sub(1);
        }
        *self.after.entry(now).or_default() += 1;
        self.after.retain(|_, count| *count > 0);
    }
}

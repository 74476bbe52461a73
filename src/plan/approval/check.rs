//! Compares an approval with a later plan: which changes may be made, what became of the approved ones, and
//! what is new.
//!
//! Not here: dropping the other changes (`narrow`), or the words for a terminal (`render::approval`).

use std::collections::{BTreeMap, BTreeSet};

use super::digest::{ApprovalDigest, ApprovalKey};
use super::{Approval, ApprovedChange};
use crate::finding::Code;
use crate::id::UserId;
use crate::plan::Plan;
use crate::plan::narrow::Narrow;
use crate::plan::pipeline::WholePlan;
use crate::settings::Setting;
use crate::tenant::directory::UserIndex;
use crate::untrusted::Untrusted;

/// What became of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApprovalCheck {
    /// The number of approved changes of users.
    pub approved: usize,
    /// Every approved change, and every change that is planned and not approved.
    pub changes: Vec<CheckedChange>,
    /// The approved changes of objects of the tenant that are still planned. This version writes none.
    pub objects_planned: usize,
    /// The planned changes of objects that were not approved.
    pub objects_new: usize,
}

/// One change, with the user if it is still known who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedChange {
    pub of: Option<CheckedSetting>,
    pub standing: ChangeStanding,
}

/// The setting of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSetting {
    pub user: UserIndex,
    pub id: UserId,
    pub name: Untrusted,
    pub setting: Setting,
}

/// How an approved or a planned change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeStanding {
    /// It was approved, is still planned, and is made.
    Planned,
    /// It was approved, and nothing is planned for it any more: it is done, the policies no longer want it, or
    /// the account is gone.
    NeedsNothing,
    /// It was approved, and a policy still has a rule for the setting that gives no value now.
    NoValue,
    /// It was approved, and is unsafe now, or two policies disagree about it.
    Withheld,
    /// It was approved, and needs a change that was not.
    NeedsAnother,
    /// It was approved, and it is unknown whether it is needed or safe: something could not be read.
    Unknown,
    /// Another change of the same setting was approved.
    Changed,
    /// Nothing was approved for the setting.
    New,
}

impl ChangeStanding {
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::NeedsNothing,
        Self::NoValue,
        Self::Withheld,
        Self::NeedsAnother,
        Self::Unknown,
        Self::Changed,
        Self::New,
    ];

    /// Returns the key in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::NeedsNothing => "needsNothing",
            Self::NoValue => "noValue",
            Self::Withheld => "withheld",
            Self::NeedsAnother => "needsAnother",
            Self::Unknown => "unknown",
            Self::Changed => "changed",
            Self::New => "new",
        }
    }

    /// Whether something of the approval or of the plan is left to do, and this apply does not do it.
    #[must_use]
    pub const fn is_left(self) -> bool {
        !matches!(self, Self::Planned | Self::NeedsNothing)
    }

    /// Whether the change waits for another approval.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Changed | Self::New)
    }
}

impl ApprovalCheck {
    /// Compares the approval with a whole plan, whose directory still has every user.
    #[must_use]
    pub fn of(approval: &Approval, whole: &WholePlan, key: &ApprovalKey) -> Self {
        let plan = &whole.plan;
        let mut open: BTreeMap<ApprovalDigest, ApprovalDigest> =
            approval.changes.iter().map(|one| (one.what, one.change)).collect();
        let mut changes = Vec::new();
        for change in &plan.changes {
            let ApprovedChange { what, change: is } = key.change(plan, change);
            let standing = match open.remove(&what) {
                Some(approved) if approved == is => ChangeStanding::Planned,
                Some(_) => ChangeStanding::Changed,
                None => ChangeStanding::New,
            };
            changes.push(CheckedChange::new(plan, (change.user, change.setting), standing));
        }
        for withheld in &plan.withheld {
            let of = (withheld.user, withheld.setting);
            let Some(id) = plan.directory.user(of.0).map(|user| user.id) else { continue };
            if open.remove(&key.what(id, of.1)).is_some() {
                let standing = match withheld.reason.is_unknown() {
                    true => ChangeStanding::Unknown,
                    false => ChangeStanding::Withheld,
                };
                changes.push(CheckedChange::new(plan, of, standing));
            }
        }
        changes.extend(no_longer_planned(whole, key, open));
        let planned: BTreeSet<_> = plan.objects.iter().map(|change| key.object(change)).collect();
        Self {
            approved: approval.changes.len(),
            changes,
            objects_planned: planned.intersection(&approval.objects).count(),
            objects_new: planned.difference(&approval.objects).count(),
        }
    }

    /// Returns what to keep of the plan: the approved changes that are still planned.
    #[must_use]
    pub fn narrow(&self, limit: Option<usize>) -> Narrow {
        let planned = self.changes.iter().filter(|one| one.standing == ChangeStanding::Planned);
        let of = planned.filter_map(|one| one.of.as_ref()).map(|of| (of.user, of.setting));
        Narrow { changes: Some(of.collect()), limit, ..Narrow::default() }
    }

    /// Notes which approved changes are not left in the narrowed plan, because they need others. With a limit,
    /// the rest is still planned.
    #[must_use]
    pub fn after(mut self, narrowed: &Plan) -> Self {
        let withheld: BTreeSet<(UserIndex, Setting)> =
            narrowed.withheld.iter().map(|one| (one.user, one.setting)).collect();
        for one in &mut self.changes {
            let is_withheld = |of: &CheckedSetting| withheld.contains(&(of.user, of.setting));
            if one.standing == ChangeStanding::Planned && one.of.as_ref().is_some_and(is_withheld) {
                one.standing = ChangeStanding::NeedsAnother;
            }
        }
        self
    }

    /// Returns how many changes stand like this.
    #[must_use]
    pub fn count(&self, standing: ChangeStanding) -> usize {
        self.changes.iter().filter(|one| one.standing == standing).count()
    }

    /// Whether something is left that this apply does not do.
    #[must_use]
    pub fn is_left(&self) -> bool {
        let objects = self.objects_planned + self.objects_new;
        objects > 0 || self.changes.iter().any(|one| one.standing.is_left())
    }

    /// Returns how many planned changes wait for another approval.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.changes.iter().filter(|one| one.standing.waits()).count() + self.objects_new
    }
}

impl CheckedChange {
    fn new(plan: &Plan, (user, setting): (UserIndex, Setting), standing: ChangeStanding) -> Self {
        let known = plan.directory.user(user);
        let of = known.map(|known| CheckedSetting {
            user,
            id: known.id,
            name: known.name.clone(),
            setting,
        });
        Self { of, standing }
    }
}

/// Returns the approved changes for which nothing is planned. A change of a user who could not be read is not
/// done. If something could not be read that is not about single users, no change is.
fn no_longer_planned(
    WholePlan { plan, without_value }: &WholePlan,
    key: &ApprovalKey,
    mut open: BTreeMap<ApprovalDigest, ApprovalDigest>,
) -> Vec<CheckedChange> {
    let mut changes = Vec::new();
    if open.is_empty() {
        return changes;
    }
    let unread = || plan.findings.iter().filter(|finding| finding.code == Code::Unreadable);
    let is_blind = unread().any(|finding| finding.users.is_empty());
    let unread: BTreeSet<UserId> = unread().flat_map(|finding| finding.users.clone()).collect();
    let without_value: BTreeSet<&(UserIndex, Setting)> = without_value.iter().collect();
    let standing = |is_unknown: bool, has_value: bool| match (is_unknown || is_blind, has_value) {
        (true, _) => ChangeStanding::Unknown,
        (false, true) => ChangeStanding::NeedsNothing,
        (false, false) => ChangeStanding::NoValue,
    };
    for (index, user) in plan.directory.users() {
        for setting in Setting::ALL {
            if open.remove(&key.what(user.id, setting)).is_some() {
                let is_unknown = user.is_hidden() || unread.contains(&user.id);
                let has_value = !without_value.contains(&(index, setting));
                let standing = standing(is_unknown, has_value);
                changes.push(CheckedChange::new(plan, (index, setting), standing));
            }
        }
    }
    let gone = CheckedChange { of: None, standing: standing(false, true) };
    changes.extend(std::iter::repeat_n(gone, open.len()));
    changes
}

//! One write of a run, and how an undo puts it back.
//!
//! Not here: where writes are recorded (`journal`), or what is safe (`plan::guard`).

use std::collections::BTreeMap;

use crate::id::UserId;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::settings::kind::Removal;
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

/// One write of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunWrite {
    pub user: UserId,
    /// The user's name at the time of the run.
    pub name: String,
    pub setting: Setting,
    /// Whether the write is known to be done.
    pub is_sure: bool,
    pub kept: KeptValue,
}

/// What the run kept of a value that it overwrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptValue {
    Values {
        before: Value,
        after: Value,
    },
    /// The run was configured not to keep numbers.
    NotKept,
    /// The value in the restore file differs from the journal.
    Differs,
    /// The restore file does not contain the value, or no longer does.
    Lost,
}

/// How one write is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    To(Value),
    /// Nothing to do: the value is as before already, or goes away with another setting.
    Along,
    Left(NotPutBackReason),
}

/// Why a value that a run wrote is not put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotPutBackReason {
    /// The value has changed since the run.
    Changed,
    /// The value could not be read.
    Unread,
    /// It is unknown whether the run wrote it.
    Unsettled,
    /// No write can restore the value.
    Impossible,
    NotKept,
    Differs,
    Lost,
}

/// The changes that would put a user back, and what is not put back.
#[derive(Debug, Default)]
pub(super) struct PutBackChanges {
    pub(super) changes: Vec<Change>,
    pub(super) left: Vec<(Setting, NotPutBackReason)>,
}

impl RunWrite {
    /// Returns how to put the write back for a user with the observed value. An undo overwrites only what the
    /// run itself wrote.
    #[must_use]
    pub fn back(&self, observed: Value) -> Back {
        let (before, after) = match self.kept {
            KeptValue::Values { before, after } => (before, after),
            KeptValue::NotKept => return Back::Left(NotPutBackReason::NotKept),
            KeptValue::Differs => return Back::Left(NotPutBackReason::Differs),
            KeptValue::Lost => return Back::Left(NotPutBackReason::Lost),
        };
        match (before, self.setting.removal()) {
            _ if observed == before => Back::Along,
            _ if observed.is_unknown() => Back::Left(NotPutBackReason::Unread),
            _ if !observed.meets(after) => Back::Left(NotPutBackReason::Changed),
            _ if !self.is_sure => Back::Left(NotPutBackReason::Unsettled),
            (Value::Nothing, Removal::Along) => Back::Along,
            (Value::Nothing, Removal::Impossible)
            | (Value::UndialablePhone | Value::Unknown(_) | Value::Preference(_), _) => {
                Back::Left(NotPutBackReason::Impossible)
            }
            _ if observed.meets(before) => Back::Along,
            _ => Back::To(before),
        }
    }

    /// Returns the value before the run, if it is known.
    const fn before(&self) -> Option<Value> {
        match self.kept {
            KeptValue::Values { before, .. } => Some(before),
            KeptValue::NotKept | KeptValue::Differs | KeptValue::Lost => None,
        }
    }

    /// Merges this write with a later one of the same setting.
    fn and_then(self, later: Self) -> Self {
        let kept = match (self.kept, later.kept) {
            (KeptValue::Values { before, .. }, KeptValue::Values { after, .. }) => {
                KeptValue::Values { before, after }
            }
            (KeptValue::Values { .. }, worse) | (worse, _) => worse,
        };
        Self { is_sure: self.is_sure && later.is_sure, kept, ..later }
    }
}

/// Merges the writes of a run so that each setting of a user occurs once: from the value before the first
/// write to the value after the last.
#[must_use]
pub fn net(all: impl IntoIterator<Item = RunWrite>) -> Vec<RunWrite> {
    let mut places: BTreeMap<(UserId, Setting), usize> = BTreeMap::new();
    let mut net: Vec<RunWrite> = Vec::new();
    for one in all {
        let place = *places.entry((one.user, one.setting)).or_insert(net.len());
        match net.get_mut(place) {
            Some(first) => *first = first.clone().and_then(one),
            None => net.push(one),
        }
    }
    net
}

/// Returns the changes that would put back everything that was written to a user with these facts.
pub(super) fn wanted(user: UserIndex, written: &[&RunWrite], facts: &Facts) -> PutBackChanges {
    let values = Values::observed(facts);
    let mut wanted = PutBackChanges::default();
    for one in written {
        let now = values.get(one.setting);
        match one.back(now) {
            Back::To(after) => wanted.changes.push(change(user, one.setting, now, after)),
            Back::Along => {}
            Back::Left(why) => wanted.left.push((one.setting, why)),
        }
    }
    settle_sms_sign_in(user, &mut wanted, written, &values);
    wanted
}

/// Adds the change of SMS sign-in that belongs to a mobile phone that is put back, because registering the
/// phone can switch SMS sign-in on. This needs to know whether it was on before the run.
fn settle_sms_sign_in(
    user: UserIndex,
    wanted: &mut PutBackChanges,
    written: &[&RunWrite],
    values: &Values,
) {
    let sms_sign_in = written.iter().find(|one| one.setting == Setting::SmsSignIn);
    let now = values.get(Setting::SmsSignIn);
    let comes_back = |change: &&mut Change| {
        change.setting == Setting::MobilePhone && matches!(change.after, Value::Phone(_))
    };
    let Some(phone) = wanted.changes.iter_mut().find(comes_back) else { return };
    let before = match sms_sign_in {
        Some(written) => written.before(),
        // The run did not touch it.
        None => Some(now).filter(|_| matches!(phone.before, Value::Phone(_))),
    };
    let Some(before @ Value::Switch(_)) = before else { return };
    phone.mandate.settles_sms_sign_in = true;
    if !wanted.changes.iter().any(|change| change.setting == Setting::SmsSignIn) {
        wanted.changes.push(change(user, Setting::SmsSignIn, now, before));
    }
}

/// Creates a change that puts a value back. It is exact: it may leave something weaker, as far as the guard
/// allows that. It names no role.
const fn change(user: UserIndex, setting: Setting, before: Value, after: Value) -> Change {
    let mandate = Mandate {
        exactly: true,
        names_role: false,
        settles_sms_sign_in: false,
        puts_back: true,
        goes_last: false,
        read_as: None,
    };
    Change { user, setting, before, after, policy: PolicyIndex::FIRST, mandate }
}

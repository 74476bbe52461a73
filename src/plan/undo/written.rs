//! One write of a run, and what can become of it when the run is taken back.
//!
//! Not here: where writes are noted (`apply::journal`), or what is safe (`plan::guard`).

use std::collections::BTreeMap;

use crate::id::UserId;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

/// One write of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub user: UserId,
    /// The user's name at that time.
    pub name: String,
    pub setting: Setting,
    /// Whether it is known that it was done.
    pub is_sure: bool,
    pub kept: Kept,
}

/// What the run kept of a value that it wrote over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Values {
        before: Value,
        after: Value,
    },
    /// Numbers were not to be kept.
    NotKept,
    /// The restore file holds something else than the journal shows.
    Differs,
    /// The restore file does not hold it, or no longer.
    Lost,
}

/// What can come of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    To(Value),
    /// It is as before already, or goes with another setting.
    Along,
    Left(Why),
}

/// Why something that a run wrote is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Something else is there by now.
    Changed,
    /// What is there now could not be read.
    Unread,
    /// Nobody knows whether the run wrote it.
    Unsettled,
    /// No write makes it as it was.
    Impossible,
    NotKept,
    Differs,
    Lost,
}

/// What would put a user back, and what is left.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) changes: Vec<Change>,
    pub(super) left: Vec<(Setting, Why)>,
}

impl Written {
    /// What would put it back for a user who has this now. Only what the run itself wrote is ever
    /// written over.
    #[must_use]
    pub fn back(&self, observed: Value) -> Back {
        let (before, after) = match self.kept {
            Kept::Values { before, after } => (before, after),
            Kept::NotKept => return Back::Left(Why::NotKept),
            Kept::Differs => return Back::Left(Why::Differs),
            Kept::Lost => return Back::Left(Why::Lost),
        };
        match (self.setting, before) {
            _ if observed == before => Back::Along,
            _ if observed.is_unknown() => Back::Left(Why::Unread),
            _ if !observed.meets(after) => Back::Left(Why::Changed),
            _ if !self.is_sure => Back::Left(Why::Unsettled),
            // It goes away with the phone that it belongs to.
            (Setting::SmsSignIn, Value::Nothing) => Back::Along,
            (Setting::DefaultMethod, Value::Nothing)
            | (_, Value::UndialablePhone | Value::Unknown(_) | Value::Preference(_)) => {
                Back::Left(Why::Impossible)
            }
            _ if observed.meets(before) => Back::Along,
            _ => Back::To(before),
        }
    }

    /// What was there before the run, where that is known.
    const fn before(&self) -> Option<Value> {
        match self.kept {
            Kept::Values { before, .. } => Some(before),
            Kept::NotKept | Kept::Differs | Kept::Lost => None,
        }
    }

    /// This write and a later one of the same setting, as one.
    fn and_then(self, later: Self) -> Self {
        let kept = match (self.kept, later.kept) {
            (Kept::Values { before, .. }, Kept::Values { after, .. }) => {
                Kept::Values { before, after }
            }
            (Kept::Values { .. }, worse) | (worse, _) => worse,
        };
        Self { is_sure: self.is_sure && later.is_sure, kept, ..later }
    }
}

/// The writes of a run, each setting of a user once: from what was there before the first of them to
/// what was there after the last.
#[must_use]
pub fn net(all: impl IntoIterator<Item = Written>) -> Vec<Written> {
    let mut places: BTreeMap<(UserId, Setting), usize> = BTreeMap::new();
    let mut net: Vec<Written> = Vec::new();
    for one in all {
        let place = *places.entry((one.user, one.setting)).or_insert(net.len());
        match net.get_mut(place) {
            Some(first) => *first = first.clone().and_then(one),
            None => net.push(one),
        }
    }
    net
}

/// What would put back all that was written to a user of whom this is known now.
pub(super) fn wanted(user: UserIndex, written: &[&Written], facts: &Facts) -> Wanted {
    let values = Values::observed(facts);
    let mut wanted = Wanted::default();
    for one in written {
        let now = values.get(one.setting);
        match one.back(now) {
            Back::To(after) => wanted.changes.push(change(user, one.setting, now, after)),
            Back::Along => {}
            Back::Left(why) => wanted.left.push((one.setting, why)),
        }
    }
    settle_texts(user, &mut wanted, written, &values);
    wanted
}

/// Registering a mobile phone can let the user sign in by text. Where it is known whether the phone
/// did so before the run, that is settled with it.
fn settle_texts(user: UserIndex, wanted: &mut Wanted, written: &[&Written], values: &Values) {
    let of_texts = written.iter().find(|one| one.setting == Setting::SmsSignIn);
    let now = values.get(Setting::SmsSignIn);
    let comes_back = |change: &&mut Change| {
        change.setting == Setting::MobilePhone && matches!(change.after, Value::Phone(_))
    };
    let Some(phone) = wanted.changes.iter_mut().find(comes_back) else { return };
    let before = match of_texts {
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

/// What a run wrote is put back in so many words: also where something weaker comes of it, as far as
/// the guard lets it. No role is named.
const fn change(user: UserIndex, setting: Setting, before: Value, after: Value) -> Change {
    let mandate = Mandate {
        exactly: true,
        names_role: false,
        settles_sms_sign_in: false,
        puts_back: true,
        read_as: None,
    };
    Change { user, setting, before, after, policy: PolicyIndex::FIRST, mandate }
}

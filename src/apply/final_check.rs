//! Compares the users that a run wrote to with what was expected, at the end of the run. A user who is
//! open, stuck, or worse off than before the run and than planned must be named. Other writers may have
//! had a part in it.
//!
//! Not here: reading the users (`run::closing`), or what is put back during a run (`post_write_check`).

use crate::results::EndFinding;
use crate::results::WorseUser;

use crate::id::UserId;
use crate::plan::{Plan, UserPlan};
use crate::posture::{MethodVerdict, Posture};
use crate::results::ApplyReport;
use crate::settings::Setting;
use crate::settings::change::Change;
use crate::tenant::facts::{Facts, Kinds, MethodKind, Phone, Read};
use crate::untrusted::Untrusted;

/// The settings whose value is a phone.
pub const PHONES: [Setting; 3] =
    [Setting::MobilePhone, Setting::AlternateMobilePhone, Setting::OfficePhone];

/// A user that a run wrote to, with their state before the run and the state that the run planned.
#[derive(Debug, Clone)]
pub struct Expected {
    pub user: UserId,
    pub name: Untrusted,
    before: Posture,
    after: Posture,
    /// True if the user could answer an MFA prompt before the run, and should be able to after it.
    answers: bool,
    /// True if a write could have harmed the user, so that no list is trusted.
    pub can_be_harmed: bool,
    /// Phones that should be registered.
    pub phones: Vec<Setting>,
    /// Methods other than phones that were registered before.
    others: Kinds,
    /// Whether methods and MFA state were known before.
    known: (bool, bool),
}

/// Current state of a user.
#[derive(Debug, Clone, Copy)]
pub struct CurrentPosture {
    pub posture: Posture,
    pub answer: MethodVerdict,
    /// Whether methods and MFA state could be read.
    pub known: (bool, bool),
}

impl Expected {
    /// Returns all users that a run wrote to.
    #[must_use]
    pub fn of(plan: &Plan, report: &ApplyReport) -> Vec<Self> {
        let touched = plan.users.iter().filter(|user| report.touched.contains(&user.user));
        touched.filter_map(|user| Self::one(plan, user)).collect()
    }

    fn one(plan: &Plan, user: &UserPlan) -> Option<Self> {
        let about = plan.directory.user(user.user)?;
        let (judge, changes) = (plan.basis.judge(), plan.changes_of(user));
        let planned = changes.iter().fold(user.facts, |facts, change| change.applied_to(facts));
        let can = |facts: &Facts| judge.answer(user.user, facts) == MethodVerdict::Can;
        Some(Self {
            user: about.id,
            name: plan.directory.name(user.user).clone(),
            before: user.before,
            after: user.after,
            answers: can(&user.facts) && can(&planned),
            can_be_harmed: changes.iter().any(Change::can_harm),
            phones: phones(&planned),
            others: others(&user.facts),
            known: known(&user.facts),
        })
    }

    /// Returns what is wrong with the user's current state, if anything.
    #[must_use]
    pub fn compare(&self, now: CurrentPosture) -> Option<WorseUser> {
        let was_known = self.before != Posture::Unknown && self.after != Posture::Unknown;
        let is_lost = self.known.0 && !now.known.0 || self.known.1 && !now.known.1;
        let what = match now.posture {
            Posture::Open => EndFinding::Open,
            Posture::Stuck => EndFinding::Stuck,
            _ if is_lost => EndFinding::NotKnown,
            Posture::Unknown if was_known => EndFinding::NotKnown,
            Posture::Unprotected if self.is_protected() => EndFinding::Worse,
            _ if !self.answers || now.answer == MethodVerdict::Can => return None,
            _ if now.answer == MethodVerdict::Unknown => EndFinding::NotKnown,
            _ => EndFinding::Worse,
        };
        Some(self.named(what, now.posture))
    }

    /// Returns whether the list may simply not show yet the methods other than phones that the user has.
    /// Phones are read by their own addresses, and are never late.
    #[must_use]
    pub fn may_be_late(&self, now: &Facts) -> bool {
        let now = others(now);
        now != self.others && self.others.iter().any(|kind| !now.has(kind))
    }

    /// Returns the report that nothing could be read of the user.
    #[must_use]
    pub fn not_known(&self) -> WorseUser {
        self.named(EndFinding::NotKnown, Posture::Unknown)
    }

    /// Returns whether the user was protected before the run and should be protected after it.
    fn is_protected(&self) -> bool {
        self.before == Posture::Protected && self.after == Posture::Protected
    }

    fn named(&self, what: EndFinding, now: Posture) -> WorseUser {
        WorseUser { user: self.user, name: self.name.clone(), what, before: self.before, now }
    }
}

/// Returns whether methods and MFA state are known.
#[must_use]
pub const fn known(facts: &Facts) -> (bool, bool) {
    (facts.methods.known().is_some(), facts.state.known().is_some())
}

/// Returns the registered kinds of methods other than phones.
fn others(facts: &Facts) -> Kinds {
    let methods = facts.methods.known().copied().unwrap_or_default();
    let phones =
        [MethodKind::MobilePhone, MethodKind::AlternateMobilePhone, MethodKind::OfficePhone];
    phones.into_iter().fold(methods.kinds, Kinds::without)
}

/// Returns the registered phones.
#[must_use]
pub fn phones(facts: &Facts) -> Vec<Setting> {
    let methods = facts.methods.known().copied().unwrap_or_default();
    let is_there =
        |setting: &Setting| setting.phone().is_some_and(|kind| methods.phone(kind) != Phone::None);
    Setting::ALL.into_iter().filter(is_there).collect()
}

/// Returns the facts with one phone replaced by what its own address showed.
#[must_use]
pub fn with_phone(mut facts: Facts, setting: Setting, phone: Read<Phone>) -> Facts {
    let Some(kind) = setting.phone() else { return facts };
    facts.methods = facts.methods.map(|methods| match phone {
        Read::Known(phone) if methods.phone(kind) == phone => methods,
        Read::Known(phone) => methods.with_phone(kind, phone),
        // The number, and whether it can answer, is unknown.
        Read::Unknown(_) => methods.with_phone(kind, Phone::Masked),
    });
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(before: Posture, after: Posture, answers: bool) -> Expected {
        let user = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap();
        Expected {
            user,
            name: "a".into(),
            before,
            after,
            answers,
            can_be_harmed: false,
            phones: Vec::new(),
            others: Kinds::default(),
            known: (true, true),
        }
    }

    #[test]
    fn open_stuck_worse_and_unknown_users_are_distinguished() {
        use MethodVerdict::{Can, Nothing};
        use Posture::{Open, Protected, Stuck, Unknown, Unprotected};
        let unknown = MethodVerdict::Unknown;
        for (before, after, answers, posture, answer, what) in [
            (Protected, Protected, true, Protected, Can, None),
            (Protected, Protected, true, Open, Nothing, Some(EndFinding::Open)),
            (Open, Open, false, Open, Nothing, Some(EndFinding::Open)),
            (Open, Open, false, Protected, Can, None),
            (Unprotected, Protected, false, Stuck, MethodVerdict::Cannot, Some(EndFinding::Stuck)),
            (Protected, Protected, true, Unprotected, Can, Some(EndFinding::Worse)),
            // An undo lowers the state on purpose.
            (Protected, Unprotected, true, Unprotected, Can, None),
            (Unprotected, Protected, false, Unprotected, Nothing, None),
            (Unprotected, Unprotected, true, Unprotected, Nothing, Some(EndFinding::Worse)),
            (Unprotected, Unprotected, true, Unprotected, unknown, Some(EndFinding::NotKnown)),
            (Protected, Protected, true, Unknown, unknown, Some(EndFinding::NotKnown)),
            (Unknown, Unknown, false, Unknown, unknown, None),
        ] {
            let now = CurrentPosture { posture, answer, known: (true, true) };
            let found = expected(before, after, answers).compare(now);
            let case = (before, after, answers, posture, answer);
            assert_eq!(found.map(|one| one.what), what, "{case:?}");
        }
    }

    #[test]
    fn facts_that_can_no_longer_be_read_are_reported_as_unknown() {
        let (posture, answer) = (Posture::Unknown, MethodVerdict::Unknown);
        let one = expected(Posture::Unknown, Posture::Unknown, false);
        for known in [(false, true), (true, false)] {
            let found = one.compare(CurrentPosture { posture, answer, known });
            assert_eq!(found.map(|one| one.what), Some(EndFinding::NotKnown));
        }
        let never = Expected { known: (true, false), ..one };
        let found = never.compare(CurrentPosture { posture, answer, known: (true, false) });
        assert_eq!(found, None, "it was not known before either");
    }
}

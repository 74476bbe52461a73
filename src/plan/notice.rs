//! What is worth a look besides the changes: numbers that people share, break-glass accounts without
//! a method, demand from elsewhere, people who depend on a phone.
//!
//! Not here: the sentences (`remarks`).

use std::collections::HashMap;

use super::build::Observed;
use super::guard::Guarded;
use super::remarks::{Noticed, Subject};
use crate::finding::{Code, Finding};
use crate::number::PhoneNumber;
use crate::posture::{Answer, Judge};
use crate::settings::Value;
use crate::settings::change::Change;
use crate::tenant::crowd::Judged;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Phone};

/// From how many days before phones are no longer delivered to it is said who depends on them.
const DAYS_AHEAD: i32 = 90;

/// A number that somebody else has registered, or that is wanted for two.
pub(super) fn shared_numbers(noticed: &mut Noticed, changes: &[Change], facts: &[Facts]) {
    let mut holders: HashMap<PhoneNumber, u32> = HashMap::new();
    for methods in facts.iter().filter_map(|facts| facts.methods.known()) {
        for phone in [methods.mobile, methods.alternate_mobile, methods.office] {
            if let Phone::Number(number) = phone {
                *holders.entry(number).or_default() += 1;
            }
        }
    }
    let added = |change: &Change| match change.after {
        Value::Phone(number) => Some(number),
        _ => None,
    };
    for number in changes.iter().filter_map(added) {
        *holders.entry(number).or_default() += 1;
    }
    for change in changes {
        let holders = added(change).and_then(|number| holders.get(&number));
        if holders.is_some_and(|holders| *holders > 1) {
            noticed.note(Subject::NumberShared(change.policy), change.user);
        }
    }
}

/// Break-glass accounts are never written; what they lack is said.
pub(super) fn break_glass(noticed: &mut Noticed, observed: &Observed) {
    let judge = observed.basis.judge();
    for index in observed.scope.break_glass() {
        let enabled = observed.directory.user(index).is_some_and(|user| user.account.enabled);
        let answer = judge.answer(index, &observed.facts(index));
        if enabled && matches!(answer, Answer::Nothing | Answer::Cannot) {
            noticed.note(Subject::BreakGlassNoMethod, index);
        }
    }
}

/// What is demanded elsewhere of those whose state is raised, and for how long phones will do.
pub(super) fn demand(noticed: &mut Noticed, judge: &Judge<'_>, user: UserIndex, guarded: &Guarded) {
    let raised = guarded.steps.iter().find(|change| change.raises());
    if let Some(change) = raised
        && judge.demand.elsewhere(user) == Judged::Yes
    {
        noticed.note(Subject::DemandedElsewhere(change.policy), user);
    }
    if let Some(day) = judge.expiring(user, &guarded.facts)
        && (day - judge.today).get_days() <= DAYS_AHEAD
    {
        noticed.note(Subject::PhoneOnly(day), user);
    }
}

/// Until the migration is complete, settings that Graph does not show count as well.
#[must_use]
pub fn legacy_method_policy() -> Finding {
    Finding::new(
        Code::LegacyMethodPolicy,
        "the migration to the authentication methods policy is not complete, so what it denies may still be allowed by older settings",
    )
    .help("complete the migration; Graph does not show the older settings")
}

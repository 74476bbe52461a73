//! What is worth a look besides the changes: numbers that people share, break-glass accounts without
//! a method, demand from elsewhere, people who depend on a phone.
//!
//! Not here: the sentences (`remarks`).

use super::UserPlan;
use super::build::Observed;
use super::guard::Guarded;
use super::holders::Holders;
use super::remarks::{Noticed, Subject};
use crate::desired::{Desired, Outcome, Said};
use crate::finding::{Code, Finding};
use crate::posture::{Answer, Judge, Posture};
use crate::settings::change::Change;
use crate::settings::{Setting, Value};
use crate::tenant::crowd::Judged;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MfaState, Read};
use crate::tenant::method_policy::MethodPolicy;

/// From how many days before phones are no longer delivered to it is said who depends on them.
const DAYS_AHEAD: i32 = 90;

/// A number that somebody else has registered, or that is wanted for two.
pub(super) fn shared_numbers(noticed: &mut Noticed, changes: &[Change], facts: &[Facts]) {
    let holders = Holders::of(facts).after(changes, facts);
    for change in changes {
        if let Value::Phone(number) = change.after
            && holders.count(number) > 1
        {
            noticed.note(Subject::NumberShared(change.policy), change.user);
        }
    }
}

/// Programs that cannot ask for MFA stop working for whoever is enforced, by the policy or, having a
/// method, by Entra itself.
pub(super) fn legacy_protocols(noticed: &mut Noticed, changes: &[Change], users: &[UserPlan]) {
    for user in users {
        let changes = changes.get(user.changes.clone()).unwrap_or_default();
        let is_enforced = |change: &Change| match change.after {
            Value::State(MfaState::Enforced) => change.raises(),
            Value::State(MfaState::Enabled) => change.raises() && user.after == Posture::Protected,
            _ => false,
        };
        if changes.iter().any(is_enforced) {
            noticed.note(Subject::LegacyProtocols, user.user);
        }
    }
}

/// Stronger defaults that stay, and defaults that nobody is asked for.
pub(super) fn preferences(
    noticed: &mut Noticed,
    user: UserIndex,
    desired: &Desired,
    guarded: &Guarded,
) {
    for kept in &guarded.kept {
        noticed.note(Subject::DefaultKept(kept.policy), user);
    }
    let wants_default = |said: &&Said| {
        said.setting == Setting::DefaultMethod && matches!(said.outcome, Outcome::Wanted(_))
    };
    if let Some(said) = desired.said.iter().find(wants_default)
        && guarded.facts.system_preferred == Read::Known(true)
    {
        noticed.note(Subject::DefaultMoot(said.policy), user);
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

/// Numbers that are overwritten without a look at everybody.
pub(super) fn not_compared(replaced: usize, read: usize) -> Finding {
    let numbers = if replaced == 1 { "number is" } else { "numbers are" };
    Finding::new(
        Code::NumbersNotCompared,
        format!("{replaced} registered {numbers} overwritten, compared with those of the {read} people read; nobody outside the policies was looked at"),
    )
    .help("say `numbers: { compareWith: everyone }` in `mfactl.yaml` to read everybody's")
}

/// Until the migration is complete, settings that Graph does not show count as well.
#[must_use]
pub fn legacy_method_policy(policy: &MethodPolicy) -> Option<Finding> {
    let message = match policy.is_migrated() {
        Judged::No => {
            "the migration to the authentication methods policy is not complete, so what it denies may still be allowed by older settings"
        }
        Judged::Unknown if policy.is_read() => {
            "how far the migration to the authentication methods policy is stands in a word that mfactl does not know, so what it denies may still be allowed by older settings"
        }
        Judged::Yes | Judged::Unknown => return None,
    };
    let finding = Finding::new(Code::LegacyMethodPolicy, message);
    Some(finding.help("complete the migration; Graph does not show the older settings"))
}

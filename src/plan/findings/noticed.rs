//! Notices what deserves a finding in addition to the changes: shared numbers, break-glass accounts
//! without a method, MFA that is already required elsewhere, users that depend on a phone.
//!
//! Not here: the sentences (`findings`).

use crate::desired::{DecisionResult, Desired, SettingDecision};
use crate::finding::{Code, Finding};
use crate::observed::Observed;
use crate::plan::UserPlan;
use crate::plan::findings::{Noticed, Subject};
use crate::plan::guard::Guarded;
use crate::plan::numbers::owners::NumberOwners;
use crate::posture::{Judge, MethodVerdict, Posture};
use crate::settings::change::Change;
use crate::settings::{Setting, Value};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MfaState, Read};
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::user_set::Tristate;

/// The number of days before the end of delivery to phones from which users that depend on one are reported.
const DAYS_AHEAD: i32 = 90;

/// Notes the users whose number is also registered or wanted for another user.
pub(crate) fn shared_numbers(noticed: &mut Noticed, changes: &[Change], facts: &[Facts]) {
    let holders = NumberOwners::of(facts).after(changes, facts);
    for change in changes {
        if let Value::Phone(number) = change.after
            && holders.count(number) > 1
        {
            noticed.note(Subject::NumberShared(change.policy), change.user);
        }
    }
}

/// Notes the users who become enforced: programs that cannot ask for MFA stop working for them. The policy
/// enforces, or Entra itself does for an `enabled` user who has a method.
pub(crate) fn legacy_protocols(noticed: &mut Noticed, changes: &[Change], users: &[UserPlan]) {
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

/// Notes stronger defaults that stay, and defaults that Entra never asks for.
pub(crate) fn preferences(
    noticed: &mut Noticed,
    user: UserIndex,
    desired: &Desired,
    guarded: &Guarded,
) {
    for kept in &guarded.kept {
        noticed.note(Subject::DefaultKept(kept.policy), user);
    }
    let wants_default = |said: &&SettingDecision| {
        said.setting == Setting::DefaultMethod && matches!(said.outcome, DecisionResult::Wanted(_))
    };
    if let Some(said) = desired.said.iter().find(wants_default)
        && guarded.facts.system_preferred == Read::Known(true)
    {
        noticed.note(Subject::DefaultMoot(said.policy), user);
    }
}

/// Notes break-glass accounts without a usable method. mfactl never writes to them, so it reports.
pub(crate) fn break_glass(noticed: &mut Noticed, observed: &Observed) {
    let judge = observed.basis.judge();
    for index in observed.scope.break_glass() {
        let enabled = observed.directory.user(index).is_some_and(|user| user.account.enabled);
        let answer = judge.answer(index, &observed.facts(index));
        if enabled && matches!(answer, MethodVerdict::Nothing | MethodVerdict::Cannot) {
            noticed.note(Subject::BreakGlassNoMethod, index);
        }
    }
}

/// Notes users whose state is raised although MFA is already required elsewhere, and users whose only usable
/// method is a phone that soon receives nothing.
pub(crate) fn demand(noticed: &mut Noticed, judge: &Judge<'_>, user: UserIndex, guarded: &Guarded) {
    let raised = guarded.steps.iter().find(|change| change.raises());
    if let Some(change) = raised
        && judge.demand.elsewhere(user) == Tristate::Yes
    {
        noticed.note(Subject::DemandedElsewhere(change.policy), user);
    }
    if let Some(day) = judge.expiring(user, &guarded.facts)
        && (day - judge.today).get_days() <= DAYS_AHEAD
    {
        noticed.note(Subject::PhoneOnly(day), user);
    }
}

/// Builds the finding that numbers are overwritten without comparing them with those of all users.
pub(crate) fn not_compared(replaced: usize, read: usize) -> Finding {
    let numbers = if replaced == 1 { "number is" } else { "numbers are" };
    Finding::new(
        Code::NumbersNotCompared,
        format!("{replaced} registered {numbers} overwritten, but compared only with the numbers of the {read} users read; users outside the policies were not checked"),
    )
    .help("set `numbers: { compareWith: everyone }` in `mfactl.yaml` to read the numbers of all users")
}

/// Returns a finding while the migration is not complete: until then, settings that Graph does not show
/// count as well.
#[must_use]
pub fn legacy_method_policy(policy: &MethodPolicy) -> Option<Finding> {
    let message = match policy.is_migrated() {
        Tristate::No => {
            "the migration to the authentication methods policy is not complete, so older settings may still allow what the policy denies"
        }
        Tristate::Unknown if policy.is_read() => {
            "the migration to the authentication methods policy is in a state that mfactl does not know, so older settings may still allow what the policy denies"
        }
        Tristate::Yes | Tristate::Unknown => return None,
    };
    let finding = Finding::new(Code::LegacyMethodPolicy, message);
    Some(finding.help("complete the migration; Graph does not show the older settings"))
}

//! Checks whether the policies want other values than an undo puts back: then the next apply would change
//! them again.
//!
//! Not here: what is put back (the module above).

use super::Run;
use super::left::who;
use crate::desired::{Candidates, DecisionResult, PolicyView, desired};
use crate::finding::{Code, Finding, Severity};
use crate::id::UserId;
use crate::observed::Observed;
use crate::plan::guard::Guarded;
use crate::policy::PolicySet;
use crate::settings::{Value, Values};
use crate::tenant::directory::UserIndex;

/// Returns the finding about users whose values the next apply would change again.
pub(super) fn still_wanted(
    set: &PolicySet,
    observed: &Observed,
    guarded: &[(UserIndex, Guarded)],
    run: Run<'_>,
) -> Option<Finding> {
    if !run.policies_known {
        let message = "it is unknown whether the policies want other values than this undo puts back, because a name in the policies could not be resolved";
        let mut finding = Finding::new(Code::StillWanted, message)
            .help("`mfactl plan` shows which name; correct it before the next apply");
        finding.severity = Severity::Note;
        return Some(finding);
    }
    let again = guarded.iter().filter(|(user, guarded)| is_wanted(set, observed, *user, guarded));
    let users: Vec<UserId> =
        again.filter_map(|(user, _)| observed.directory.user(*user)).map(|user| user.id).collect();
    (!users.is_empty()).then(|| {
        let who = who(&users, run);
        let message = format!(
            "{who}: the policies want other values than this undo puts back, so the next apply would change them again"
        );
        Finding::new(Code::StillWanted, message)
            .help("first revert the commit that introduced the values, then undo the run")
            .users(users)
    })
}

/// Whether a policy wants another value than a step puts back.
fn is_wanted(set: &PolicySet, observed: &Observed, index: UserIndex, guarded: &Guarded) -> bool {
    let Some(user) = observed.directory.user(index) else { return false };
    let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
    let desired = desired(candidates, PolicyView::Real, index, user, &guarded.facts);
    let then = Values::observed(&guarded.facts);
    guarded.steps.iter().any(|step| {
        let mut said = desired.said.iter();
        said.any(|said| {
            said.setting == step.setting
                && matches!(said.outcome, DecisionResult::Wanted(_))
                && !is_met(then.get(step.setting), desired.values.get(step.setting))
        })
    })
}

/// Whether the value meets the wanted one. Any of several preferred methods does, because the guard chooses
/// among them.
fn is_met(then: Value, wanted: Value) -> bool {
    match (then, wanted) {
        (Value::Default(method), Value::Preference(preference)) => {
            preference.iter().any(|preferred| preferred == method)
        }
        (then, wanted) => then.meets(wanted),
    }
}

//! Whether the policies still want what an undo takes back: then the next apply does it again.
//!
//! Not here: what is taken back (the module above).

use super::Run;
use super::left::who;
use crate::desired::{Candidates, Outcome, View, desired};
use crate::finding::{Code, Finding, Severity};
use crate::id::UserId;
use crate::plan::build::Observed;
use crate::plan::guard::Guarded;
use crate::policy::PolicySet;
use crate::settings::{Value, Values};
use crate::tenant::directory::UserIndex;

/// Who would get back what is taken from them.
pub(super) fn still_wanted(
    set: &PolicySet,
    observed: &Observed,
    guarded: &[(UserIndex, Guarded)],
    run: Run<'_>,
) -> Option<Finding> {
    if !run.policies_known {
        let message = "whether the policies still want what is put back is not known, because a name in them does not fit the tenant";
        let mut finding = Finding::new(Code::StillWanted, message)
            .help("`mfactl plan` says which; correct it before the next apply");
        finding.severity = Severity::Note;
        return Some(finding);
    }
    let again = guarded.iter().filter(|(user, guarded)| is_wanted(set, observed, *user, guarded));
    let users: Vec<UserId> =
        again.filter_map(|(user, _)| observed.directory.user(*user)).map(|user| user.id).collect();
    (!users.is_empty()).then(|| {
        let who = who(&users, run);
        let message = format!(
            "{who}: the policies still want what is put back, and the next apply would do it again"
        );
        Finding::new(Code::StillWanted, message)
            .help("revert the commit that brought it first, then undo the run")
            .users(users)
    })
}

/// Whether a policy wants something else than a step puts back.
fn is_wanted(set: &PolicySet, observed: &Observed, index: UserIndex, guarded: &Guarded) -> bool {
    let Some(user) = observed.directory.user(index) else { return false };
    let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
    let desired = desired(candidates, View::Real, index, user, &guarded.facts);
    let then = Values::observed(&guarded.facts);
    guarded.steps.iter().any(|step| {
        let mut said = desired.said.iter();
        said.any(|said| {
            said.setting == step.setting
                && matches!(said.outcome, Outcome::Wanted(_))
                && !is_met(then.get(step.setting), desired.values.get(step.setting))
        })
    })
}

/// Of several preferences any will do here: which of them it comes to is the guard's to say.
fn is_met(then: Value, wanted: Value) -> bool {
    match (then, wanted) {
        (Value::Default(method), Value::Preference(preference)) => {
            preference.iter().any(|liked| liked == method)
        }
        (then, wanted) => then.meets(wanted),
    }
}

//! Builds the plan of all users: plans each user, then adds the findings and the counts.
//!
//! Not here: the plan of one user (`per_user`), or the sentences of the findings (`findings`).

use super::brakes::brakes;
use super::fingerprint::Fingerprint;
use super::guard::Guarded;
use super::per_user::{Draft, Given, UserInPlan};
use super::summary::Summary;
use super::{FilePlace, Plan, PlanPurpose, PolicyLabel, RuleLabel};
use crate::desired::PolicyView;
use crate::finding::Finding;
use crate::observed::Observed;
use crate::parallel::share_out;
use crate::plan::findings::noticed;
use crate::plan::numbers::conflicts::{self, RefusedChanges};
use crate::policy::meaning::Meaning;
use crate::policy::{Mode, Policy, PolicySet};
use crate::settings::Setting;
use crate::tenant::directory::UserIndex;

/// Plans how to bring the tenant to the state that the policies want, as far as that is safe.
#[must_use]
pub fn plan(set: &PolicySet, observed: Observed) -> Plan {
    drafted(set, &observed).finish(set, observed)
}

/// Returns the same plan, and what was noticed about one user on the way.
#[must_use]
pub fn plan_and_noticed(
    set: &PolicySet,
    observed: Observed,
    user: UserIndex,
) -> (Plan, Vec<Finding>) {
    let draft = drafted(set, &observed);
    let noticed = draft.noticed.of(user, set, (&observed.directory, observed.people_read()));
    (draft.finish(set, observed), noticed)
}

fn drafted(set: &PolicySet, observed: &Observed) -> Draft {
    let users: Vec<UserIndex> = observed.scope.users().collect();
    let real = refused(set, observed, (PolicyView::Real, &users));
    let only_reports = |policy: &Policy| policy.mode == Mode::Report;
    let as_if = match set.policies.iter().any(only_reports) {
        true => refused(set, observed, (PolicyView::AsIf, &users)),
        false => RefusedChanges::default(),
    };
    let given = Given { set, observed, refused: &real, refused_as_if: &as_if };
    let parts = share_out(&users, |users| {
        let mut draft = Draft::default();
        users.iter().filter_map(|user| given.person(*user)).for_each(|one| draft.add(given, &one));
        draft
    });
    let mut draft = Draft::default();
    parts.into_iter().for_each(|part| draft.append(part));
    noticed::shared_numbers(&mut draft.noticed, &draft.changes, &observed.facts);
    noticed::legacy_protocols(&mut draft.noticed, &draft.changes, &draft.users);
    noticed::break_glass(&mut draft.noticed, observed);
    draft
}

/// Returns the changes that are refused because of other users. Nothing is computed if no policy can
/// lead to such a refusal. After a refusal everything is computed again, because another change of
/// the same user may depend on the refused one.
fn refused(
    set: &PolicySet,
    observed: &Observed,
    (view, users): (PolicyView, &[UserIndex]),
) -> RefusedChanges {
    let mut refused = RefusedChanges::default();
    let mut asked = set.policies.iter().filter(|policy| view.sees(policy.mode));
    if !asked.any(|policy| policy.rules.concern_others()) {
        return refused;
    }
    loop {
        let guarded = share_out(users, |users| -> Vec<(UserIndex, Guarded)> {
            let guarded = users.iter().filter_map(|user| {
                let one = UserInPlan::of(set, observed, *user)?;
                let guarded = one.guarded(&one.desired(view), &refused);
                (!guarded.steps.is_empty()).then_some((*user, guarded))
            });
            guarded.collect()
        });
        let guarded = guarded.concat();
        if !refused.extend(conflicts::refused(&guarded, &observed.facts)) {
            return refused;
        }
    }
}

impl Draft {
    fn finish(self, set: &PolicySet, observed: Observed) -> Plan {
        let read = observed.people_read();
        let basis = observed.basis;
        let mut findings = observed.findings;
        findings.extend(self.noticed.into_findings(set, (&observed.directory, read)));
        let replaced = self.changes.iter().filter(|change| change.replaces_number()).count();
        if replaced > 0 && !set.compare_with_everyone() {
            findings.push(noticed::not_compared(replaced, read));
        }
        findings.extend(noticed::legacy_method_policy(&basis.method_policy));
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        let summary = Summary::of(&self.users, &self.changes, &self.withheld);
        Plan {
            identity: observed.identity,
            directory: observed.directory,
            purpose: PlanPurpose::Policies,
            meaning: Meaning::of(set),
            policies: labels(set),
            basis,
            users: self.users,
            brakes: brakes(&self.changes, self.in_scope, &set.project.brakes),
            withheld: self.withheld,
            reported: self.reported,
            reported_withheld: self.reported_withheld,
            findings,
            changes: self.changes,
            in_scope: self.in_scope,
            postures: self.postures,
            summary,
            fingerprint: Fingerprint::default(),
        }
    }
}

/// Returns the policies as a plan shows them.
#[must_use]
pub fn labels(set: &PolicySet) -> Vec<PolicyLabel> {
    set.policies.iter().map(|policy| label(policy, set)).collect()
}

fn label(policy: &Policy, set: &PolicySet) -> PolicyLabel {
    let rules = Setting::ALL.into_iter().filter_map(|setting| {
        let place = FilePlace::of(policy.rules.origin(setting)?, &set.sources);
        Some(RuleLabel { setting, place, wants: policy.rules.describe(setting)?.into() })
    });
    PolicyLabel { name: policy.name.as_str().into(), rules: rules.collect() }
}

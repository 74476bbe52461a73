//! Builds the plan of all users: plans each user, then adds the findings and the counts.
//!
//! Not here: the plan of one user (`per_user`), or the sentences of the findings (`findings`).

use super::brakes::brakes;
use super::fingerprint::Fingerprint;
use super::guard::Guarded;
use super::objects::{self, ObjectChange, PlannedUsers};
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

/// The plan of all users, and what does not show in it.
#[derive(Debug)]
pub struct WholePlan {
    pub plan: Plan,
    /// The settings of users for which a policy has a rule that gives no value now: the number in the directory
    /// is not valid, or the rule wants something that could not be read.
    pub without_value: Vec<(UserIndex, Setting)>,
}

/// Plans how to bring the tenant to the state that the policies want, as far as that is safe.
#[must_use]
pub fn plan(policies: &PolicySet, observed: Observed) -> Plan {
    whole(policies, observed).plan
}

/// Returns the same plan, with what does not show in it.
#[must_use]
pub fn whole(policies: &PolicySet, observed: Observed) -> WholePlan {
    let mut builder = Builder::new(policies, observed);
    builder.resolve_number_conflicts();
    builder.plan_each_user();
    builder.note_what_concerns_several_users();
    builder.plan_objects();
    let without_value = std::mem::take(&mut builder.draft.without_value);
    WholePlan { plan: builder.finish(), without_value }
}

/// Returns the same plan without objects of the tenant, and what was noticed about one user on the way. Not
/// every account was read for it, so it is unknown which ones an object affects.
#[must_use]
pub fn plan_and_noticed(
    policies: &PolicySet,
    observed: Observed,
    user: UserIndex,
) -> (Plan, Vec<Finding>) {
    let mut builder = Builder::new(policies, observed);
    builder.resolve_number_conflicts();
    builder.plan_each_user();
    builder.note_what_concerns_several_users();
    let noticed = builder.noticed_of(user);
    (builder.finish(), noticed)
}

/// A plan that is being made.
struct Builder<'a> {
    policies: &'a PolicySet,
    observed: Observed,
    /// The changes that are refused because of other users.
    refused: RefusedChanges,
    /// The same, as if policies in report mode were enforced.
    refused_as_if: RefusedChanges,
    draft: Draft,
    objects: Vec<ObjectChange>,
}

impl<'a> Builder<'a> {
    fn new(policies: &'a PolicySet, observed: Observed) -> Self {
        Self {
            policies,
            observed,
            refused: RefusedChanges::default(),
            refused_as_if: RefusedChanges::default(),
            draft: Draft::default(),
            objects: Vec::new(),
        }
    }

    /// Refuses numbers that other users have or get.
    fn resolve_number_conflicts(&mut self) {
        self.refused = self.refused(PolicyView::Real);
        if self.policies.policies.iter().any(|policy| policy.mode == Mode::Report) {
            self.refused_as_if = self.refused(PolicyView::AsIf);
        }
    }

    /// Returns the changes that are refused because of other users. Nothing is computed if no policy can
    /// lead to such a refusal.
    fn refused(&self, view: PolicyView) -> RefusedChanges {
        let mut seen = self.policies.policies.iter().filter(|policy| view.sees(policy.mode));
        if !seen.any(|policy| policy.rules.concern_others()) {
            return RefusedChanges::default();
        }
        let users: Vec<UserIndex> = self.observed.scope.users().collect();
        conflicts::settle(&self.observed.facts, |refused| {
            let parts = share_out(&users, |users| -> Vec<(UserIndex, Guarded)> {
                let guarded = users.iter().filter_map(|user| {
                    let one = UserInPlan::of(self.policies, &self.observed, *user)?;
                    let guarded = one.guarded(&one.desired(view), refused);
                    (!guarded.steps.is_empty()).then_some((*user, guarded))
                });
                guarded.collect()
            });
            parts.concat()
        })
    }

    /// Plans each user in scope: desired state, difference, guard, posture.
    fn plan_each_user(&mut self) {
        let given = Given {
            set: self.policies,
            observed: &self.observed,
            refused: &self.refused,
            refused_as_if: &self.refused_as_if,
        };
        let users: Vec<UserIndex> = self.observed.scope.users().collect();
        let parts = share_out(&users, |users| {
            let mut draft = Draft::default();
            let planned = users.iter().filter_map(|user| given.person(*user));
            planned.for_each(|one| draft.add(given, &one));
            draft
        });
        parts.into_iter().for_each(|part| self.draft.append(part));
    }

    fn note_what_concerns_several_users(&mut self) {
        let Draft { noticed, changes, users, .. } = &mut self.draft;
        noticed::shared_numbers(noticed, changes, &self.observed.facts);
        noticed::legacy_protocols(noticed, changes, users);
        noticed::break_glass(noticed, &self.observed);
    }

    fn noticed_of(&self, user: UserIndex) -> Vec<Finding> {
        let read = (&*self.observed.directory, self.observed.people_read());
        self.draft.noticed.of(user, self.policies, read)
    }

    /// Plans the objects of the tenant, after the users: the methods that users get decide how many an
    /// object affects.
    fn plan_objects(&mut self) {
        let planned = PlannedUsers { users: &self.draft.users, changes: &self.draft.changes };
        self.objects = objects::plan(self.policies, &self.observed, planned);
    }

    /// Adds the findings, the counts and the brakes.
    fn finish(mut self) -> Plan {
        let findings = self.findings();
        let Self { policies, observed, draft, objects, .. } = self;
        Plan {
            identity: observed.identity,
            directory: observed.directory,
            purpose: PlanPurpose::Policies,
            meaning: Meaning::of(policies),
            policies: labels(policies),
            basis: observed.basis,
            summary: Summary::of(&draft.users, &draft.changes, &draft.withheld),
            brakes: brakes(&draft.changes, draft.in_scope, &policies.project.brakes),
            users: draft.users,
            changes: draft.changes,
            withheld: draft.withheld,
            reported: draft.reported,
            reported_withheld: draft.reported_withheld,
            objects,
            findings,
            in_scope: draft.in_scope,
            postures: draft.postures,
            recorded: observed.recorded,
            fingerprint: Fingerprint::default(),
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let (policies, observed) = (self.policies, &self.observed);
        let read = observed.people_read();
        let noticed = std::mem::take(&mut self.draft.noticed);
        let mut findings = observed.findings.clone();
        findings.extend(noticed.into_findings(policies, (&observed.directory, read)));
        let replaced = self.draft.changes.iter().filter(|change| change.replaces_number()).count();
        if replaced > 0 && !policies.compare_with_everyone() {
            findings.push(noticed::not_compared(replaced, read));
        }
        findings.extend(noticed::legacy_method_policy(&observed.basis.method_policy));
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        findings
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

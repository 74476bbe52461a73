//! The plan of everybody: each user's diff through the guard, then what is noticed and counted.

use super::brakes::brakes;
use super::fingerprint::Fingerprint;
use super::guard::Guarded;
use super::notice;
use super::remarks::{Noticed, Subject};
use super::replacing::{self, Refused};
use super::stability::turns;
use super::summary::{PostureCounts, Summary};
use super::unread::Missing;
use super::{
    Cause, Place, Plan, PolicyLabel, Purpose, Reason, RuleLabel, SourceDigest, TenantBasis,
    UserPlan, Withheld,
};
use crate::desired::{Candidates, Desired, Outcome, Said, View, desired};
use crate::finding::Finding;
use crate::plan::diff::diff;
use crate::policy::{Mode, Policy, PolicySet};
use crate::posture::{Judge, Posture};
use crate::scope::Scope;
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Remark, Rule, Setting, Value, Values};
use crate::tenant::crowd::Judged;
use crate::tenant::directory::{Directory, Identity, User, UserIndex};
use crate::tenant::facts::Facts;

/// Everything observed of a tenant that a plan is made of.
#[derive(Debug)]
pub struct Observed {
    pub identity: Identity,
    pub directory: Directory,
    pub scope: Scope,
    /// By the places of users in the directory.
    pub facts: Vec<Facts>,
    pub basis: TenantBasis,
    /// What was found while names were resolved and rules were read.
    pub findings: Vec<Finding>,
}

impl Observed {
    #[must_use]
    pub fn facts(&self, user: UserIndex) -> Facts {
        self.facts.get(user.place()).copied().unwrap_or(Facts::NOT_READ)
    }
}

/// The plan that brings the tenant to what the policies want, as far as that is safe.
#[must_use]
pub fn plan(set: &PolicySet, observed: Observed) -> Plan {
    drafted(set, &observed).finish(set, observed)
}

/// The same plan, and what was noticed about one user on the way.
#[must_use]
pub(super) fn plan_and_noticed(
    set: &PolicySet,
    observed: Observed,
    user: UserIndex,
) -> (Plan, Vec<Finding>) {
    let draft = drafted(set, &observed);
    let noticed = draft.noticed.of(user, set, &observed.directory);
    (draft.finish(set, observed), noticed)
}

fn drafted(set: &PolicySet, observed: &Observed) -> Draft {
    let real = refused(set, observed, View::Real);
    let only_reports = |policy: &Policy| policy.mode == Mode::Report;
    let as_if = match set.policies.iter().any(only_reports) {
        true => refused(set, observed, View::AsIf),
        false => Refused::default(),
    };
    let mut draft = Draft { refused: real, refused_as_if: as_if, ..Draft::default() };
    for index in observed.scope.users() {
        if let Some(user) = observed.directory.user(index) {
            draft.add(set, observed, index, user);
        }
    }
    notice::shared_numbers(&mut draft.noticed, &draft.changes, &observed.facts);
    notice::legacy_protocols(&mut draft.noticed, &draft.changes, &draft.users);
    notice::break_glass(&mut draft.noticed, observed);
    draft
}

/// What users cannot have because of others. Looked into only where a policy can ask for such; and
/// once more after a refusal, on which a change of the same user may have rested.
fn refused(set: &PolicySet, observed: &Observed, view: View) -> Refused {
    let mut refused = Refused::default();
    let mut asked = set.policies.iter().filter(|policy| view.sees(policy.mode));
    if !asked.any(|policy| policy.rules.concern_others()) {
        return refused;
    }
    loop {
        let guarded: Vec<(UserIndex, Guarded)> = observed
            .scope
            .users()
            .filter_map(|index| {
                let one = Person::of(set, observed, index, observed.directory.user(index)?);
                let guarded = one.guarded(&one.desired(view), &refused);
                (!guarded.steps.is_empty()).then_some((index, guarded))
            })
            .collect();
        if !refused.extend(replacing::refused(&guarded, &observed.facts)) {
            return refused;
        }
    }
}

/// A plan in the making.
#[derive(Debug, Default)]
struct Draft {
    users: Vec<UserPlan>,
    changes: Vec<Change>,
    withheld: Vec<Withheld>,
    reported: Vec<Change>,
    reported_withheld: Vec<Withheld>,
    noticed: Noticed,
    postures: PostureCounts,
    in_scope: usize,
    refused: Refused,
    /// The same, with policies that only report.
    refused_as_if: Refused,
}

/// One user with everything that is known.
#[derive(Clone, Copy)]
struct Person<'a> {
    index: UserIndex,
    user: &'a User,
    facts: Facts,
    candidates: Candidates<'a>,
    judge: Judge<'a>,
}

impl<'a> Person<'a> {
    fn of(set: &'a PolicySet, observed: &'a Observed, index: UserIndex, user: &'a User) -> Self {
        let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
        let (facts, judge) = (observed.facts(index), observed.basis.judge());
        Self { index, user, facts, candidates, judge }
    }

    fn desired(&self, view: View) -> Desired {
        desired(self.candidates, view, self.index, self.user, &self.facts)
    }

    fn guarded(&self, desired: &Desired, refused: &Refused) -> Guarded {
        let changes = diff(self.index, &Values::observed(&self.facts), desired);
        refused.guard(&self.judge, self.index, &self.facts, changes)
    }
}

impl Draft {
    fn add(&mut self, set: &PolicySet, observed: &Observed, index: UserIndex, user: &User) {
        let one = Person::of(set, observed, index, user);
        let (facts, judge) = (one.facts, one.judge);
        self.note_unread(set, &one);
        let policies: Vec<(PolicyIndex, &Policy)> = one.candidates.of(index, &facts).collect();
        let (first_change, first_withheld) = (self.changes.len(), self.withheld.len());
        let first_reported = (self.reported.len(), self.reported_withheld.len());
        let before = judge.posture(index, &facts);
        let mut after = before;
        if policies.iter().any(|(_, policy)| policy.governs()) {
            after = self.govern(set, &one);
            self.in_scope += 1;
            self.postures.count(before, after);
        }
        if policies.iter().any(|(_, policy)| policy.mode == Mode::Report) {
            self.report(set, &one);
        }
        let is_quiet = self.changes.len() == first_change
            && self.withheld.len() == first_withheld
            && (self.reported.len(), self.reported_withheld.len()) == first_reported;
        if !is_quiet {
            let changes = first_change..self.changes.len();
            let policies = policies.into_iter().map(|(index, _)| index).collect();
            self.users.push(UserPlan { user: index, facts, before, after, changes, policies });
        }
    }

    /// What policies that are enforced make of the user; gives the posture afterwards.
    fn govern(&mut self, set: &PolicySet, one: &Person<'_>) -> Posture {
        let desired = one.desired(View::Real);
        self.note_missing(one, &desired);
        let guarded = one.guarded(&desired, &self.refused);
        let after = one.judge.posture(one.index, &guarded.facts);
        self.note(one.index, &desired, after);
        notice::demand(&mut self.noticed, &one.judge, one.index, &guarded);
        notice::preferences(&mut self.noticed, one.index, &desired, &guarded);
        for turn in turns(one.candidates, one.index, one.user, &desired, &guarded.facts) {
            self.noticed.note(Subject::Unstable(turn.setting, turn.now, turn.then), one.index);
        }
        let first = self.withheld.len();
        self.withheld.extend(withheld(one.index, &desired, &guarded, set));
        let new = self.withheld.get(first..).unwrap_or_default();
        new.iter().for_each(|withheld| self.noticed.note_withheld(withheld));
        self.changes.extend(guarded.steps);
        after
    }

    /// What would come of the policies that only report, if they were enforced too. It stands
    /// beside the plan and changes nothing in it.
    fn report(&mut self, set: &PolicySet, one: &Person<'_>) {
        let reports = |policy: PolicyIndex| {
            set.policies.get(policy.place()).is_some_and(|policy| policy.mode == Mode::Report)
        };
        let mut desired = one.desired(View::AsIf);
        let guarded = one.guarded(&desired, &self.refused_as_if);
        let concerned = |withheld: &Withheld| {
            reports(withheld.policy)
                || matches!(withheld.reason, Reason::Conflict(rival) if reports(rival))
        };
        let first = self.reported_withheld.len();
        self.reported_withheld
            .extend(withheld(one.index, &desired, &guarded, set).into_iter().filter(concerned));
        let new = self.reported_withheld.get(first..).unwrap_or_default();
        new.iter().for_each(|withheld| self.noticed.note_withheld(withheld));
        self.reported.extend(guarded.steps.into_iter().filter(|change| reports(change.policy)));
        desired.said.retain(|said| reports(said.policy));
        self.note_said(one.index, &desired);
    }

    /// Policies of which it is not known whether they apply.
    fn note_unread(&mut self, set: &PolicySet, one: &Person<'_>) {
        if one.facts.methods.known().is_some() {
            return;
        }
        for (place, policy) in set.policies.iter().enumerate() {
            let index = PolicyIndex::new(place);
            if policy.only.registered.is_some()
                && one.candidates.scope.is_candidate(index, one.index)
            {
                self.noticed.note(Subject::MethodsUnread(index), one.index);
            }
        }
    }

    /// What could not be read of a user, where no setting says so: what is managed can be as it should
    /// be, and how the user stands be unknown.
    fn note_missing(&mut self, one: &Person<'_>, desired: &Desired) {
        for missing in Missing::of(&one.facts) {
            let says_it = |said: &Said| {
                matches!(said.outcome, Outcome::Nothing(Remark::Unreadable(_)))
                    && missing.is_said_with(said.setting)
            };
            if !desired.said.iter().any(says_it) {
                self.noticed.note(Subject::Unread(missing), one.index);
            }
        }
    }

    fn note_said(&mut self, user: UserIndex, desired: &Desired) {
        for said in &desired.said {
            if let Outcome::Wanted(Some(remark)) | Outcome::Nothing(remark) = said.outcome {
                self.noticed.note(Subject::Said(remark, said.setting, said.policy), user);
            }
        }
    }

    fn note(&mut self, user: UserIndex, desired: &Desired, after: Posture) {
        self.note_said(user, desired);
        match after {
            Posture::Open => self.noticed.note(Subject::Open, user),
            Posture::Stuck => self.noticed.note(Subject::Stuck, user),
            Posture::Protected | Posture::Unprotected | Posture::Unknown => {}
        }
    }

    fn finish(self, set: &PolicySet, observed: Observed) -> Plan {
        let basis = observed.basis;
        let mut findings = observed.findings;
        findings.extend(self.noticed.into_findings(set, &observed.directory));
        if basis.method_policy.is_migrated() == Judged::No {
            findings.push(notice::legacy_method_policy());
        }
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        let summary = Summary::of(&self.users, &self.changes, &self.withheld);
        let mut plan = Plan {
            identity: observed.identity,
            directory: observed.directory,
            purpose: Purpose::Policies,
            sources: SourceDigest::all(&set.sources),
            policies: set.policies.iter().map(|policy| label(policy, set)).collect(),
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
        };
        plan.fingerprint = Fingerprint::of(&plan, None);
        plan
    }
}

/// Everything of the user that is not done, and why.
fn withheld(
    index: UserIndex,
    desired: &Desired,
    guarded: &Guarded,
    set: &PolicySet,
) -> Vec<Withheld> {
    let refused = guarded.withheld.iter().map(|(change, reason)| Withheld {
        cause: cause((change, *reason), desired, guarded),
        ..Withheld::of(change, *reason)
    });
    conflicts(desired, set, index).chain(refused).collect()
}

/// A setting on which two policies disagree is left alone, and said to be.
fn conflicts<'a>(
    desired: &'a Desired,
    set: &'a PolicySet,
    user: UserIndex,
) -> impl Iterator<Item = Withheld> + 'a {
    desired.said.iter().filter_map(move |said| match said.outcome {
        Outcome::Conflict(rival) => Some(Withheld {
            user,
            setting: said.setting,
            wanted: set
                .policies
                .get(said.policy.place())
                .and_then(|policy| policy.rules.managed(said.setting))
                .map_or(Value::Nothing, Rule::wanted),
            policy: said.policy,
            reason: Reason::Conflict(rival),
            cause: None,
        }),
        Outcome::Wanted(_) | Outcome::Nothing(_) | Outcome::Unmanaged => None,
    })
}

fn label(policy: &Policy, set: &PolicySet) -> PolicyLabel {
    let rules = Setting::ALL.into_iter().filter_map(|setting| {
        let place = Place::of(policy.rules.origin(setting)?, &set.sources);
        Some(RuleLabel { setting, place, wants: policy.rules.describe(setting)? })
    });
    PolicyLabel { name: policy.name.clone(), rules: rules.collect() }
}

/// Where it is for want of a method: why the phone that would have carried the user is not there.
fn cause(
    (change, reason): (&Change, Reason),
    desired: &Desired,
    guarded: &Guarded,
) -> Option<Cause> {
    let needs_method = matches!(
        reason,
        Reason::WouldBeOpen | Reason::WouldBeStuck | Reason::CannotTell | Reason::NoSuchMethod
    );
    // A phone that is refused is a cause, and has none.
    if !needs_method || change.setting.phone().is_some() {
        return None;
    }
    let phone = |setting: Setting| setting.phone().is_some();
    let is_number = |change: &Change| matches!(change.after, Value::Phone(_));
    let withheld = guarded.withheld.iter().map(|(change, _)| change);
    if let Some(setting) = withheld.filter(|one| is_number(one)).map(|one| one.setting).min() {
        return Some(Cause::Withheld(setting));
    }
    desired.said.iter().find_map(|said| match said.outcome {
        Outcome::Nothing(remark) if phone(said.setting) => Some(Cause::Said(remark, said.setting)),
        _ => None,
    })
}

//! A draft of a plan: plans each user separately.
//!
//! Not here: changes that are refused because of other users (`numbers::conflicts`), or findings about all users
//! together (`pipeline`).

use super::findings::{Noticed, Subject};
use super::guard::Guarded;
use super::missing_facts::MissingFact;
use super::oscillation::turns;
use super::summary::PostureCounts;
use super::{Cause, Reason, UserPlan, Withheld};
use crate::desired::{Candidates, DecisionResult, Desired, PolicyView, SettingDecision, desired};
use crate::observed::Observed;
use crate::plan::diff::diff;
use crate::plan::findings::noticed;
use crate::plan::numbers::conflicts::RefusedChanges;
use crate::policy::{Mode, Policy, PolicySet};
use crate::posture::{Judge, Posture};
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Remark, Setting, SettingRule, Value, Values};
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::Facts;

/// A draft of a plan, for all users or for some.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) users: Vec<UserPlan>,
    pub(super) changes: Vec<Change>,
    pub(super) withheld: Vec<Withheld>,
    pub(super) reported: Vec<Change>,
    pub(super) reported_withheld: Vec<Withheld>,
    pub(super) noticed: Noticed,
    pub(super) postures: PostureCounts,
    pub(super) in_scope: usize,
    /// The settings for which a policy has a rule that gives no value.
    pub(super) without_value: Vec<(UserIndex, Setting)>,
}

/// The input that is the same for all users.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) set: &'a PolicySet,
    pub(super) observed: &'a Observed,
    /// The changes that are refused because of other users.
    pub(super) refused: &'a RefusedChanges,
    /// The same, as if policies in report mode were enforced.
    pub(super) refused_as_if: &'a RefusedChanges,
}

/// One user, with everything that is known about them.
#[derive(Clone, Copy)]
pub(super) struct UserInPlan<'a> {
    index: UserIndex,
    user: &'a User,
    facts: Facts,
    candidates: Candidates<'a>,
    judge: Judge<'a>,
}

impl<'a> UserInPlan<'a> {
    pub(super) fn of(set: &'a PolicySet, observed: &'a Observed, index: UserIndex) -> Option<Self> {
        let user = observed.directory.user(index)?;
        let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
        let (facts, judge) = (observed.facts(index), observed.basis.judge());
        Some(Self { index, user, facts, candidates, judge })
    }

    pub(super) fn desired(&self, view: PolicyView) -> Desired {
        desired(self.candidates, view, self.index, self.user, &self.facts)
    }

    pub(super) fn guarded(&self, desired: &Desired, refused: &RefusedChanges) -> Guarded {
        let changes = diff(self.index, &Values::observed(&self.facts), desired);
        refused.guard(&self.judge, self.index, &self.facts, changes)
    }
}

impl<'a> Given<'a> {
    pub(super) fn person(&self, index: UserIndex) -> Option<UserInPlan<'a>> {
        UserInPlan::of(self.set, self.observed, index)
    }
}

impl Draft {
    /// Appends the draft of the users that come after these.
    pub(super) fn append(&mut self, mut after: Self) {
        // INVARIANT: the ranges of the later users begin where these changes end.
        let first = self.changes.len();
        self.users.extend(after.users.into_iter().map(|user| UserPlan {
            changes: first + user.changes.start..first + user.changes.end,
            ..user
        }));
        self.changes.append(&mut after.changes);
        self.withheld.append(&mut after.withheld);
        self.reported.append(&mut after.reported);
        self.reported_withheld.append(&mut after.reported_withheld);
        self.noticed.append(after.noticed);
        self.postures.append(&after.postures);
        self.in_scope += after.in_scope;
        self.without_value.append(&mut after.without_value);
    }

    /// Plans one more user.
    pub(super) fn add(&mut self, given: Given<'_>, one: &UserInPlan<'_>) {
        let (index, facts, judge) = (one.index, one.facts, one.judge);
        self.note_unread(given.set, one);
        let policies: Vec<(PolicyIndex, &Policy)> = one.candidates.of(index, &facts).collect();
        let (first_change, first_withheld) = (self.changes.len(), self.withheld.len());
        let first_reported = (self.reported.len(), self.reported_withheld.len());
        let before = judge.posture(index, &facts);
        let mut after = before;
        if policies.iter().any(|(_, policy)| policy.governs()) {
            after = self.govern(given, one);
            self.in_scope += 1;
            self.postures.count(before, after);
        }
        if policies.iter().any(|(_, policy)| policy.mode == Mode::Report) {
            self.report(given, one);
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

    /// Plans what the enforced policies want for the user. Returns the posture afterwards.
    fn govern(&mut self, given: Given<'_>, one: &UserInPlan<'_>) -> Posture {
        let desired = one.desired(PolicyView::Real);
        self.note_missing(one, &desired);
        let guarded = one.guarded(&desired, given.refused);
        let after = one.judge.posture(one.index, &guarded.facts);
        self.note(one.index, &desired, after);
        if one.judge.is_open_to_a_password(one.index, &guarded.facts) {
            self.noticed.note(Subject::PortalsOnly, one.index);
        }
        noticed::demand(&mut self.noticed, &one.judge, one.index, &guarded);
        noticed::preferences(&mut self.noticed, one.index, &desired, &guarded);
        for turn in turns(one.candidates, one.index, one.user, &desired, &guarded.facts) {
            self.noticed.note(Subject::Unstable(turn.setting, turn.now, turn.then), one.index);
        }
        let nothing = |said: &&SettingDecision| matches!(said.outcome, DecisionResult::Nothing(_));
        let nothing = desired.said.iter().filter(nothing);
        self.without_value.extend(nothing.map(|said| (one.index, said.setting)));
        let first = self.withheld.len();
        self.withheld.extend(withheld(one.index, &desired, &guarded, given.set));
        let new = self.withheld.get(first..).unwrap_or_default();
        new.iter().for_each(|withheld| self.noticed.note_withheld(withheld));
        self.changes.extend(guarded.steps);
        after
    }

    /// Plans the user as if the policies in report mode were enforced too. The result is shown next to the
    /// plan and changes nothing in it.
    fn report(&mut self, given: Given<'_>, one: &UserInPlan<'_>) {
        let reports = |policy: PolicyIndex| {
            let policy = given.set.policies.get(policy.place());
            policy.is_some_and(|policy| policy.mode == Mode::Report)
        };
        let mut desired = one.desired(PolicyView::AsIf);
        let guarded = one.guarded(&desired, given.refused_as_if);
        let of_reporting = |withheld: &Withheld| {
            reports(withheld.policy)
                || matches!(withheld.reason, Reason::Conflict(rival) if reports(rival))
        };
        let first = self.reported_withheld.len();
        self.reported_withheld.extend(
            withheld(one.index, &desired, &guarded, given.set).into_iter().filter(of_reporting),
        );
        let new = self.reported_withheld.get(first..).unwrap_or_default();
        new.iter().for_each(|withheld| self.noticed.note_withheld(withheld));
        self.reported.extend(guarded.steps.into_iter().filter(|change| reports(change.policy)));
        desired.said.retain(|said| reports(said.policy));
        self.note_said(one.index, &desired);
    }

    /// Notes the policies for which it is unknown whether they apply.
    fn note_unread(&mut self, set: &PolicySet, one: &UserInPlan<'_>) {
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

    /// Notes unread facts of a user that no setting reports: the posture can be unknown although every
    /// managed setting is as desired.
    fn note_missing(&mut self, one: &UserInPlan<'_>, desired: &Desired) {
        for missing in MissingFact::of(&one.facts) {
            let reports_it = |said: &SettingDecision| {
                matches!(said.outcome, DecisionResult::Nothing(Remark::Unreadable(_)))
                    && missing.is_said_with(said.setting)
            };
            if !desired.said.iter().any(reports_it) {
                self.noticed.note(Subject::Unread(missing), one.index);
            }
        }
    }

    fn note_said(&mut self, user: UserIndex, desired: &Desired) {
        for said in &desired.said {
            if let DecisionResult::Wanted(Some(remark)) | DecisionResult::Nothing(remark) =
                said.outcome
            {
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
}

/// Returns everything that is not done for the user, with the reasons.
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

/// Returns the settings that stay as they are because two policies disagree.
fn conflicts<'a>(
    desired: &'a Desired,
    set: &'a PolicySet,
    user: UserIndex,
) -> impl Iterator<Item = Withheld> + 'a {
    desired.said.iter().filter_map(move |said| match said.outcome {
        DecisionResult::Conflict(rival) => Some(Withheld {
            user,
            setting: said.setting,
            wanted: set
                .policies
                .get(said.policy.place())
                .and_then(|policy| policy.rules.managed(said.setting))
                .map_or(Value::Nothing, SettingRule::wanted),
            policy: said.policy,
            reason: Reason::Conflict(rival),
            cause: None,
        }),
        DecisionResult::Wanted(_) | DecisionResult::Nothing(_) | DecisionResult::Unmanaged => None,
    })
}

/// Returns why the phone that would have answered the MFA prompt is missing, if a missing method is the
/// reason.
fn cause(
    (change, reason): (&Change, Reason),
    desired: &Desired,
    guarded: &Guarded,
) -> Option<Cause> {
    let needs_method = matches!(
        reason,
        Reason::WouldBeOpen | Reason::WouldBeStuck | Reason::CannotTell | Reason::NoSuchMethod
    );
    // A refused phone is itself a cause, and has none.
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
        DecisionResult::Nothing(remark) if phone(said.setting) => {
            Some(Cause::Said(remark, said.setting))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::change::Mandate;
    use crate::tenant::facts::MfaState;

    fn part(places: &[usize]) -> Draft {
        let mut draft = Draft::default();
        for place in places {
            let user = UserIndex::new(*place);
            let first = draft.changes.len();
            let state = |state| Value::State(state);
            draft.changes.extend([MfaState::Enabled, MfaState::Enforced].map(|after| Change {
                user,
                setting: Setting::PerUserMfa,
                before: state(MfaState::Disabled),
                after: state(after),
                policy: PolicyIndex::new(0),
                mandate: Mandate::default(),
            }));
            draft.users.push(UserPlan {
                user,
                facts: Facts::NOT_READ,
                before: Posture::Open,
                after: Posture::Protected,
                changes: first..draft.changes.len(),
                policies: Vec::new(),
            });
            draft.noticed.note(Subject::Open, user);
            draft.postures.count(Posture::Open, Posture::Protected);
            draft.in_scope += 1;
        }
        draft
    }

    #[test]
    fn appended_parts_equal_one_draft_of_all() {
        let mut all = Draft::default();
        [&[0, 3][..], &[], &[4], &[7, 9]].map(part).into_iter().for_each(|part| all.append(part));
        assert_eq!(format!("{all:?}"), format!("{:?}", part(&[0, 3, 4, 7, 9])));
    }
}

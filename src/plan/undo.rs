//! A plan that puts back what a run changed, for users of whom it is as the run left it. It goes
//! through the same guard as any other plan: nobody is opened or stuck by taking something back.
//!
//! Not here: what a run changed (`apply::journal`), or the words for what stays (`left`).

mod left;

use std::collections::BTreeMap;

use left::Left;

use super::brakes::brakes;
use super::build::Observed;
use super::fingerprint::Fingerprint;
use super::guard::Guarded;
use super::holders::Holders;
use super::remarks::number_shared;
use super::replacing::{self, Refused};
use super::summary::{PostureCounts, Summary};
use super::{Place, Plan, PolicyLabel, Purpose, RuleLabel, SourceDigest, UserPlan, Withheld};
use crate::finding::Finding;
use crate::id::UserId;
use crate::policy::PolicySet;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::Facts;

/// One write that a run did.
#[derive(Debug, Clone)]
pub struct Written {
    pub user: UserId,
    /// The user's name at that time.
    pub name: String,
    pub setting: Setting,
    /// `None` where it is a number that was not kept.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Whether it is known to have been done. Otherwise it may have been done or not.
    pub is_sure: bool,
}

/// The run that is taken back.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub name: &'a str,
    /// Its journal.
    pub journal: &'a str,
    pub written: &'a [Written],
}

/// What can come of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    To(Value),
    /// It goes with another setting.
    Along,
    /// Something else stands there by now.
    Changed,
    /// What stands there could not be read.
    Unread,
    /// Nothing can be written that would be as it was.
    Impossible,
    /// The number was not kept.
    NotKept,
}

impl Written {
    /// What would put it back for a user who has this now.
    #[must_use]
    pub fn back(&self, observed: Value) -> Back {
        let (Some(before), Some(after)) = (self.before, self.after) else { return Back::NotKept };
        match (self.setting, before) {
            _ if observed.is_unknown() => Back::Unread,
            // It was never done, or nothing is left of it.
            _ if !self.is_sure && observed.meets(before) && !observed.meets(after) => {
                Back::Along
            }
            _ if !observed.meets(after) => Back::Changed,
            // It goes away with the phone that it belongs to.
            (Setting::SmsSignIn, Value::Nothing) => Back::Along,
            (Setting::DefaultMethod, Value::Nothing)
            | (_, Value::UndialablePhone | Value::Unknown(_) | Value::Preference(_)) => {
                Back::Impossible
            }
            _ if observed.meets(before) => Back::Along,
            _ => Back::To(before),
        }
    }
}

/// The plan that takes the run back, as far as that is safe.
#[must_use]
pub fn undo(set: &PolicySet, observed: Observed, run: Run<'_>) -> Plan {
    let mut draft = Draft::default();
    let mut by_user: BTreeMap<UserId, Vec<&Written>> = BTreeMap::new();
    for written in run.written {
        by_user.entry(written.user).or_default().push(written);
    }
    let mut wanted = Vec::new();
    for (index, user) in observed.directory.users() {
        if let Some(written) = by_user.remove(&user.id) {
            wanted.extend(draft.wanted(&observed, index, &written).map(|wanted| (index, wanted)));
        }
    }
    let gone: Vec<UserId> = by_user.into_keys().collect();
    if !gone.is_empty() {
        draft.left.entry(Left::Gone).or_default().extend(gone);
    }
    for (index, guarded) in guarded(&observed, &wanted) {
        draft.take(&observed, index, guarded);
    }
    draft.finish(set, observed, run)
}

/// What may be put back: a number that is somebody else's by now is not, on which something else may
/// rest.
fn guarded(observed: &Observed, wanted: &[(UserIndex, Vec<Change>)]) -> Vec<(UserIndex, Guarded)> {
    let judge = observed.basis.judge();
    let mut refused = Refused::default();
    loop {
        let guarded = wanted.iter().map(|(index, wanted)| {
            (*index, refused.guard(&judge, *index, &observed.facts(*index), wanted.clone()))
        });
        let guarded: Vec<(UserIndex, Guarded)> = guarded.collect();
        if !refused.extend(replacing::refused(&guarded, &observed.facts)) {
            return guarded;
        }
    }
}

#[derive(Default)]
struct Draft {
    users: Vec<UserPlan>,
    changes: Vec<Change>,
    withheld: Vec<Withheld>,
    postures: PostureCounts,
    left: BTreeMap<Left, Vec<UserId>>,
}

impl Draft {
    /// What would put back all that was written to a user, as far as it still stands there. Nothing
    /// for whom nothing may be written.
    fn wanted(
        &mut self,
        observed: &Observed,
        index: UserIndex,
        written: &[&Written],
    ) -> Option<Vec<Change>> {
        let user = observed.directory.user(index)?;
        if observed.basis.break_glass.contains(&user.id) {
            self.left.entry(Left::BreakGlass).or_default().push(user.id);
            return None;
        }
        let values = Values::observed(&observed.facts(index));
        let mut wanted = Vec::new();
        for one in written {
            let now = values.get(one.setting);
            let left = match one.back(now) {
                Back::To(after) => {
                    wanted.push(change(index, one.setting, now, after));
                    continue;
                }
                Back::Along => continue,
                Back::Changed => Left::Changed(one.setting),
                Back::Unread => Left::Unread(one.setting),
                Back::Impossible => Left::Impossible(one.setting),
                Back::NotKept => Left::NotKept(one.setting),
            };
            self.left.entry(left).or_default().push(user.id);
        }
        Some(wanted)
    }

    fn take(&mut self, observed: &Observed, index: UserIndex, guarded: Guarded) {
        let (judge, facts) = (observed.basis.judge(), observed.facts(index));
        let before = judge.posture(index, &facts);
        let after = judge.posture(index, &guarded.facts);
        self.postures.count(before, after);
        if guarded.steps.is_empty() && guarded.withheld.is_empty() {
            return;
        }
        let first = self.changes.len();
        self.changes.extend(guarded.steps);
        let withheld = guarded.withheld.iter();
        self.withheld.extend(withheld.map(|(change, reason)| Withheld::of(change, *reason)));
        let (changes, policies) = (first..self.changes.len(), vec![PolicyIndex::new(0)]);
        self.users.push(UserPlan { user: index, facts, before, after, changes, policies });
    }

    fn finish(self, set: &PolicySet, observed: Observed, run: Run<'_>) -> Plan {
        let directory = observed.directory;
        // What the policies want is not what is asked for.
        let of_policies = |finding: &Finding| finding.policy.is_some();
        let mut findings = observed.findings;
        findings.retain(|finding| !of_policies(finding));
        findings.extend(shared(&self.changes, &observed.facts, &directory));
        findings.extend(self.left.into_iter().map(|(left, users)| left.finding(users, run)));
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        let mut users: Vec<UserId> = run.written.iter().map(|written| written.user).collect();
        users.sort_unstable();
        users.dedup();
        let mut plan = Plan {
            identity: observed.identity,
            directory,
            purpose: Purpose::Undo { run: run.name.to_owned() },
            sources: SourceDigest::all(&set.sources),
            policies: vec![label(run)],
            basis: observed.basis,
            summary: Summary::of(&self.users, &self.changes, &self.withheld),
            users: self.users,
            brakes: brakes(&self.changes, users.len(), &set.project.brakes),
            changes: self.changes,
            withheld: self.withheld,
            reported: Vec::new(),
            reported_withheld: Vec::new(),
            findings,
            in_scope: users.len(),
            postures: self.postures,
            fingerprint: Fingerprint::default(),
        };
        plan.fingerprint = Fingerprint::of(&plan, None);
        plan
    }
}

/// A number that comes back to whoever had none, and that somebody else has as well.
fn shared(changes: &[Change], facts: &[Facts], directory: &Directory) -> Option<Finding> {
    let holders = Holders::of(facts).after(changes, facts);
    let is_shared = |change: &&Change| match change.after {
        Value::Phone(number) => holders.count(number) > 1,
        _ => false,
    };
    let mut users: Vec<UserIndex> =
        changes.iter().filter(is_shared).map(|change| change.user).collect();
    users.dedup();
    let ids = users.iter().filter_map(|user| directory.user(*user)).map(|user| user.id);
    (!users.is_empty()).then(|| number_shared(&directory.in_words(&users)).users(ids))
}

/// What a run wrote is put back in so many words: also where something weaker comes of it, as far as
/// the guard lets it. Whose role it is, and what a text signs in, nobody has said anything of.
const fn change(user: UserIndex, setting: Setting, before: Value, after: Value) -> Change {
    let mandate = Mandate { exactly: true, names_role: false, settles_sms_sign_in: false };
    Change { user, setting, before, after, policy: PolicyIndex::FIRST, mandate }
}

/// The run in the place of a policy.
fn label(run: Run<'_>) -> PolicyLabel {
    let rule = |setting| RuleLabel {
        setting,
        place: Place { file: run.journal.to_owned(), line: 1, column: 1 },
        wants: "as before the run".to_owned(),
    };
    PolicyLabel { name: "undo".to_owned(), rules: Setting::ALL.map(rule).into() }
}

#[cfg(test)]
mod tests;

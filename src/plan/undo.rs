//! Plans to put back what a run changed, if the value is still the one that the run wrote. An undo may do
//! what no policy may: lower a state that nothing else covers, and remove a last method, if that was the
//! situation before the run and leaves no account open or stuck. The guard checks it like any other plan.
//!
//! Not here: what a run changed (`journal`), how one write is put back (`written`), the findings
//! about what stays (`left`), or whether the policies would write it again (`still`).

mod left;
mod still;
mod written;

pub use written::{Back, KeptValue, NotPutBackReason, RunWrite, net};

use std::collections::BTreeMap;

use left::NotPutBack;

use super::brakes::brakes;
use super::findings::number_shared;
use super::fingerprint::Fingerprint;
use super::guard::Guarded;
use super::summary::{PostureCounts, Summary};
use super::{FilePlace, Plan, PlanPurpose, PolicyLabel, RuleLabel, UserPlan, Withheld};
use crate::finding::{Code, Finding, Severity};
use crate::id::UserId;
use crate::observed::Observed;
use crate::plan::numbers::conflicts::{self, RefusedChanges};
use crate::plan::numbers::owners::NumberOwners;
use crate::policy::PolicySet;
use crate::policy::meaning::Meaning;
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Setting, Value};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};

/// The run to undo.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub name: &'a str,
    /// The path of its journal.
    pub journal: &'a str,
    pub written: &'a [RunWrite],
    /// What could not be read of the run, in words.
    pub lost: Option<&'a str>,
    /// Whether the users in scope of the policies are known.
    pub policies_known: bool,
}

/// Plans to put back what the run changed, as far as that is safe.
#[must_use]
pub fn undo(set: &PolicySet, observed: Observed, run: Run<'_>) -> Plan {
    let mut draft = Draft::default();
    let mut by_user: BTreeMap<UserId, Vec<&RunWrite>> = BTreeMap::new();
    for written in run.written {
        by_user.entry(written.user).or_default().push(written);
    }
    let mut people = Vec::new();
    for (index, user) in observed.directory.users() {
        if let Some(written) = by_user.remove(&user.id) {
            people.extend(draft.person(&observed, index, &written));
        }
    }
    let gone: Vec<UserId> = by_user.into_keys().collect();
    if !gone.is_empty() {
        draft.left.entry(NotPutBack::Gone).or_default().extend(gone);
    }
    let guarded = guarded(&observed, &people);
    draft.still_wanted = still::still_wanted(set, &observed, &guarded, run);
    for (person, (index, guarded)) in people.iter().zip(guarded) {
        draft.left(&observed, person, &guarded.facts);
        draft.take(&observed, index, guarded);
    }
    draft.finish(set, observed, run)
}

/// Whether an undo puts back everything of its run. Values of deleted accounts do not count.
#[must_use]
pub fn is_whole(plan: &Plan) -> bool {
    let is_left = |finding: &Finding| {
        let codes =
            [Code::ChangedSinceRun, Code::NotPutBack, Code::RestoreDiffers, Code::RunDamaged];
        finding.severity != Severity::Note && codes.contains(&finding.code)
    };
    plan.withheld.is_empty() && !plan.findings.iter().any(is_left)
}

/// Whether a change puts back one of these writes, for a user with these facts.
#[must_use]
pub fn is_back(change: &Change, written: &[&RunWrite], facts: &Facts) -> bool {
    written::wanted(change.user, written, facts).changes.contains(change)
}

/// The changes that would put one user back.
struct Person {
    user: UserIndex,
    changes: Vec<Change>,
    left: Vec<(Setting, NotPutBackReason)>,
}

/// Returns what may be put back. A number that another user has now is refused, and other changes may
/// depend on it, so the guard runs again after each refusal.
fn guarded(observed: &Observed, people: &[Person]) -> Vec<(UserIndex, Guarded)> {
    let judge = observed.basis.judge();
    let mut refused = RefusedChanges::default();
    loop {
        let guarded = people.iter().map(|person| {
            let (user, facts) = (person.user, observed.facts(person.user));
            (user, refused.guard(&judge, user, &facts, person.changes.clone()))
        });
        let guarded: Vec<(UserIndex, Guarded)> = guarded.collect();
        let mut more = conflicts::refused(&guarded, &observed.facts);
        more.extend(conflicts::taken_since(&guarded, &observed.facts));
        if !refused.extend(more) {
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
    left: BTreeMap<NotPutBack, Vec<UserId>>,
    still_wanted: Option<Finding>,
}

impl Draft {
    /// Returns the changes that would put back everything that was written to a user and is still there.
    /// `None` for a break-glass account.
    fn person(
        &mut self,
        observed: &Observed,
        index: UserIndex,
        written: &[&RunWrite],
    ) -> Option<Person> {
        let user = observed.directory.user(index)?;
        if observed.basis.break_glass.contains(&user.id) {
            self.left.entry(NotPutBack::BreakGlass).or_default().push(user.id);
            return None;
        }
        let wanted = written::wanted(index, written, &observed.facts(index));
        Some(Person { user: index, changes: wanted.changes, left: wanted.left })
    }

    /// Notes what is not put back for a user who will have the facts `then`. A default method goes away with
    /// its phone, so it is not noted then.
    fn left(&mut self, observed: &Observed, person: &Person, then: &Facts) {
        let Some(user) = observed.directory.user(person.user) else { return };
        for (setting, why) in &person.left {
            let goes =
                *setting == Setting::DefaultMethod && then.default_method == Read::Known(None);
            if !(goes && *why == NotPutBackReason::Impossible) {
                self.left.entry(NotPutBack::Of(*why, *setting)).or_default().push(user.id);
            }
        }
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
        // Findings about policies do not concern an undo.
        let of_policies = |finding: &Finding| finding.policy.is_some();
        let mut findings = observed.findings;
        findings.retain(|finding| !of_policies(finding));
        findings.extend(shared(&self.changes, &observed.facts, &directory));
        findings.extend(self.left.into_iter().map(|(left, users)| left.finding(users, run)));
        findings.extend(self.still_wanted);
        findings.extend(run.lost.map(|lost| damaged(run, lost)));
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        let mut users: Vec<UserId> = run.written.iter().map(|written| written.user).collect();
        users.sort_unstable();
        users.dedup();
        Plan {
            identity: observed.identity,
            directory,
            purpose: PlanPurpose::Undo { run: run.name.to_owned() },
            meaning: Meaning::of(set),
            policies: vec![label(run)],
            basis: observed.basis,
            summary: Summary::of(&self.users, &self.changes, &self.withheld),
            users: self.users,
            brakes: brakes(&self.changes, users.len(), &set.project.brakes),
            changes: self.changes,
            withheld: self.withheld,
            reported: Vec::new(),
            reported_withheld: Vec::new(),
            objects: Vec::new(),
            findings,
            in_scope: users.len(),
            postures: self.postures,
            recorded: None,
            fingerprint: Fingerprint::default(),
        }
    }
}

/// Returns the finding about numbers that are put back and that another user has too.
fn shared(changes: &[Change], facts: &[Facts], directory: &Directory) -> Option<Finding> {
    let read = facts.iter().filter(|facts| facts.methods.known().is_some()).count();
    let holders = NumberOwners::of(facts).after(changes, facts);
    let is_shared = |change: &&Change| match change.after {
        Value::Phone(number) => holders.count(number) > 1,
        _ => false,
    };
    let mut users: Vec<UserIndex> =
        changes.iter().filter(is_shared).map(|change| change.user).collect();
    users.dedup();
    let ids = users.iter().filter_map(|user| directory.user(*user)).map(|user| user.id);
    (!users.is_empty()).then(|| number_shared(&directory.in_words(&users), read).users(ids))
}

/// Returns the finding that the unreadable part of a run may contain a write that this plan misses.
fn damaged(run: Run<'_>, lost: &str) -> Finding {
    let message = format!("{lost}: something that the run wrote may be missing from this plan");
    let help = format!(
        "`mfactl runs show {}` lists what could be read; compare it with the sign-in logs and audit logs of Entra",
        run.name
    );
    Finding::new(Code::RunDamaged, message).help(help)
}

/// Returns the run as the policy of the plan.
fn label(run: Run<'_>) -> PolicyLabel {
    let rule = |setting| RuleLabel {
        setting,
        place: FilePlace { file: run.journal.into(), line: 1, column: 1 },
        wants: "as before the run".into(),
    };
    PolicyLabel { name: "undo".into(), rules: Setting::ALL.map(rule).into() }
}

#[cfg(test)]
mod tests;

//! A plan that puts back what a run changed, for users of whom it is as the run left it. It may do
//! what no policy may: lower a state and take away a last method, as far as that is what was there
//! before and leaves nobody open or stuck. The guard judges that, as for any other plan.
//!
//! Not here: what a run changed (`apply::journal`), what comes of one write (`written`), the words for
//! what stays (`left`), or whether the policies would do it again (`still`).

mod left;
mod still;
mod written;

pub use written::{Back, Kept, Why, Written, net};

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
use super::{Place, Plan, PolicyLabel, Purpose, RuleLabel, UserPlan, Withheld};
use crate::finding::{Code, Finding, Severity};
use crate::id::UserId;
use crate::policy::PolicySet;
use crate::policy::meaning::Meaning;
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Setting, Value};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};

/// The run that is taken back.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub name: &'a str,
    /// Its journal.
    pub journal: &'a str,
    pub written: &'a [Written],
    /// What of the run could not be read, in words.
    pub lost: Option<&'a str>,
    /// Whether it is known whom the policies mean.
    pub policies_known: bool,
}

/// The plan that takes the run back, as far as that is safe.
#[must_use]
pub fn undo(set: &PolicySet, observed: Observed, run: Run<'_>) -> Plan {
    let mut draft = Draft::default();
    let mut by_user: BTreeMap<UserId, Vec<&Written>> = BTreeMap::new();
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
        draft.left.entry(Left::Gone).or_default().extend(gone);
    }
    let guarded = guarded(&observed, &people);
    draft.still_wanted = still::still_wanted(set, &observed, &guarded, run);
    for (person, (index, guarded)) in people.iter().zip(guarded) {
        draft.left(&observed, person, &guarded.facts);
        draft.take(&observed, index, guarded);
    }
    draft.finish(set, observed, run)
}

/// Whether a plan that undoes puts back all of its run. What nobody has any more is not missing.
#[must_use]
pub fn is_whole(plan: &Plan) -> bool {
    let is_left = |finding: &Finding| {
        let codes =
            [Code::ChangedSinceRun, Code::NotPutBack, Code::RestoreDiffers, Code::RunDamaged];
        finding.severity != Severity::Note && codes.contains(&finding.code)
    };
    plan.withheld.is_empty() && !plan.findings.iter().any(is_left)
}

/// Whether a change is one by which these writes are put back, for a user of whom that is known.
#[must_use]
pub fn is_back(change: &Change, written: &[&Written], facts: &Facts) -> bool {
    written::wanted(change.user, written, facts).changes.contains(change)
}

/// What would put one user back.
struct Person {
    user: UserIndex,
    changes: Vec<Change>,
    left: Vec<(Setting, Why)>,
}

/// What may be put back: a number that is somebody else's by now is not, on which something else may
/// rest.
fn guarded(observed: &Observed, people: &[Person]) -> Vec<(UserIndex, Guarded)> {
    let judge = observed.basis.judge();
    let mut refused = Refused::default();
    loop {
        let guarded = people.iter().map(|person| {
            let (user, facts) = (person.user, observed.facts(person.user));
            (user, refused.guard(&judge, user, &facts, person.changes.clone()))
        });
        let guarded: Vec<(UserIndex, Guarded)> = guarded.collect();
        let mut more = replacing::refused(&guarded, &observed.facts);
        more.extend(replacing::taken_since(&guarded, &observed.facts));
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
    left: BTreeMap<Left, Vec<UserId>>,
    still_wanted: Option<Finding>,
}

impl Draft {
    /// What would put back all that was written to a user, as far as it is still there. Nothing for
    /// an account that must not be written.
    fn person(
        &mut self,
        observed: &Observed,
        index: UserIndex,
        written: &[&Written],
    ) -> Option<Person> {
        let user = observed.directory.user(index)?;
        if observed.basis.break_glass.contains(&user.id) {
            self.left.entry(Left::BreakGlass).or_default().push(user.id);
            return None;
        }
        let wanted = written::wanted(index, written, &observed.facts(index));
        Some(Person { user: index, changes: wanted.changes, left: wanted.left })
    }

    /// Notes what is left of a user who will have this. A default goes with its phone.
    fn left(&mut self, observed: &Observed, person: &Person, then: &Facts) {
        let Some(user) = observed.directory.user(person.user) else { return };
        for (setting, why) in &person.left {
            let goes =
                *setting == Setting::DefaultMethod && then.default_method == Read::Known(None);
            if !(goes && *why == Why::Impossible) {
                self.left.entry(Left::Of(*why, *setting)).or_default().push(user.id);
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
        // What the policies want is not what is asked for.
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
            purpose: Purpose::Undo { run: run.name.to_owned() },
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
            findings,
            in_scope: users.len(),
            postures: self.postures,
            fingerprint: Fingerprint::default(),
        }
    }
}

/// A number that comes back to whoever had none, and that somebody else has as well.
fn shared(changes: &[Change], facts: &[Facts], directory: &Directory) -> Option<Finding> {
    let read = facts.iter().filter(|facts| facts.methods.known().is_some()).count();
    let holders = Holders::of(facts).after(changes, facts);
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

/// What could not be read of a run may hide a write of which this plan knows nothing.
fn damaged(run: Run<'_>, lost: &str) -> Finding {
    let message = format!("{lost}: something that the run wrote may be missing from this plan");
    let help = format!(
        "`mfactl runs show {}` lists what reads; compare it with the sign-in logs and audit logs of Entra",
        run.name
    );
    Finding::new(Code::RunDamaged, message).help(help)
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

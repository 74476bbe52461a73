//! A plan that puts back what a run changed, for users of whom it is as the run left it. It goes
//! through the same guard as any other plan: nobody is opened or stuck by taking something back.
//!
//! Not here: what a run changed (`apply::journal`).

use std::collections::BTreeMap;

use super::brakes::brakes;
use super::build::Observed;
use super::fingerprint::Fingerprint;
use super::guard::guard;
use super::summary::{PostureCounts, Summary};
use super::{Place, Plan, PolicyLabel, Purpose, RuleLabel, SourceDigest, UserPlan, Withheld};
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::policy::PolicySet;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::UserIndex;

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
    for (index, user) in observed.directory.users() {
        if let Some(written) = by_user.remove(&user.id) {
            draft.user(&observed, index, &written);
        }
    }
    let gone: Vec<UserId> = by_user.into_keys().collect();
    if !gone.is_empty() {
        draft.left.entry(Left::Gone).or_default().extend(gone);
    }
    draft.finish(set, observed, run)
}

/// Why something is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Gone,
    BreakGlass,
    Changed(Setting),
    Impossible(Setting),
    NotKept(Setting),
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
    fn user(&mut self, observed: &Observed, index: UserIndex, written: &[&Written]) {
        let Some(user) = observed.directory.user(index) else { return };
        if observed.basis.break_glass.contains(&user.id) {
            self.left.entry(Left::BreakGlass).or_default().push(user.id);
            return;
        }
        let facts = observed.facts(index);
        let values = Values::observed(&facts);
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
                Back::Impossible => Left::Impossible(one.setting),
                Back::NotKept => Left::NotKept(one.setting),
            };
            self.left.entry(left).or_default().push(user.id);
        }
        let judge = observed.basis.judge();
        let guarded = guard(&judge, index, &facts, &wanted);
        let before = judge.posture(index, &facts);
        let after = judge.posture(index, &guarded.facts);
        self.postures.count(before, after);
        if wanted.is_empty() {
            return;
        }
        let first = self.changes.len();
        self.changes.extend(guarded.steps);
        self.withheld.extend(guarded.withheld.iter().map(|(change, reason)| Withheld {
            user: index,
            setting: change.setting,
            wanted: change.after,
            policy: change.policy,
            reason: *reason,
            cause: None,
        }));
        let (changes, policies) = (first..self.changes.len(), vec![PolicyIndex::new(0)]);
        self.users.push(UserPlan { user: index, facts, before, after, changes, policies });
    }

    fn finish(self, set: &PolicySet, observed: Observed, run: Run<'_>) -> Plan {
        let directory = observed.directory;
        let mut findings = observed.findings;
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

impl Left {
    fn finding(self, users: Vec<UserId>, run: Run<'_>) -> Finding {
        let names = |id: &UserId| {
            run.written.iter().find(|one| one.user == *id).map_or("?", |one| one.name.as_str())
        };
        let who = match users.as_slice() {
            [one] => format!("`{}`", names(one)),
            [one, rest @ ..] => format!("`{}` and {} more", names(one), rest.len()),
            [] => "nobody".to_owned(),
        };
        let (code, what) = match self {
            Self::Gone => {
                (Code::ChangedSinceRun, "no longer there, nothing is put back".to_owned())
            }
            Self::BreakGlass => (
                Code::NotPutBack,
                "a break-glass account by now, which is never written".to_owned(),
            ),
            Self::Changed(setting) => (
                Code::ChangedSinceRun,
                format!("the {} was changed since the run, and stays as it is", setting.name()),
            ),
            Self::Impossible(setting) => (
                Code::NotPutBack,
                format!("nothing can be written that puts the {} back", setting.name()),
            ),
            Self::NotKept(setting) => (
                Code::NotPutBack,
                format!("the {} is not put back, because `keepNumbers` was off", setting.name()),
            ),
        };
        Finding::new(code, format!("{who}: {what}")).users(users)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Extension, PhoneNumber};
    use crate::tenant::facts::MfaState::{Disabled, Enabled, Enforced};
    use crate::tenant::facts::Why;
    use crate::tenant::preferences::DefaultMethod;

    #[test]
    fn only_what_is_as_the_run_left_it_goes_back() {
        let number =
            |text| Value::Phone(PhoneNumber::read(text, None, Extension::Refused).unwrap());
        let (one, other) = (number("+31612345678"), number("+31687654321"));
        let state = Value::State;
        let sms = Value::Default(DefaultMethod::Sms);
        for (setting, before, after, now, back) in [
            (Setting::MobilePhone, Value::Nothing, one, one, Back::To(Value::Nothing)),
            (Setting::MobilePhone, Value::Nothing, one, other, Back::Changed),
            (Setting::MobilePhone, other, one, one, Back::To(other)),
            (Setting::MobilePhone, one, Value::Nothing, Value::Nothing, Back::To(one)),
            (Setting::MobilePhone, Value::UndialablePhone, one, one, Back::Impossible),
            (
                Setting::MobilePhone,
                Value::Nothing,
                one,
                Value::Unknown(Why::Forbidden),
                Back::Changed,
            ),
            (
                Setting::PerUserMfa,
                state(Disabled),
                state(Enabled),
                state(Enforced),
                Back::To(state(Disabled)),
            ),
            (Setting::PerUserMfa, state(Disabled), state(Enabled), state(Disabled), Back::Changed),
            (
                Setting::PerUserMfa,
                state(Enabled),
                state(Disabled),
                state(Disabled),
                Back::To(state(Enabled)),
            ),
            (Setting::PerUserMfa, state(Enabled), state(Enforced), state(Enforced), Back::Along),
            (Setting::DefaultMethod, Value::Nothing, sms, sms, Back::Impossible),
            (
                Setting::SmsSignIn,
                Value::Nothing,
                Value::Switch(false),
                Value::Switch(false),
                Back::Along,
            ),
        ] {
            let (user, name) = (UserId::from_uuid(uuid::Uuid::nil()), String::new());
            let written = Written { user, name, setting, before: Some(before), after: Some(after) };
            assert_eq!(written.back(now), back, "{setting:?} {before} → {after}, now {now}");
            let forgotten = Written { before: None, ..written };
            assert_eq!(forgotten.back(now), Back::NotKept);
        }
    }
}

//! Policies of one priority that want different things of the same users, as far as files show it:
//! both say `everyone`, or both name the same group or user. What live membership shows is withheld
//! user by user later (`desired`).

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, UserId};
use crate::policy::{GroupRef, Policy, UserRef};
use crate::source::Origin;

/// Whom two policies can visibly share. Names compare as the directory compares them: without case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Everyone,
    Group(GroupId),
    GroupNamed(String),
    User(UserId),
    UserNamed(String),
}

/// Reports every pair of policies once for each setting.
pub(super) fn check(policies: &[Policy], findings: &mut Vec<Finding>) {
    setting("phones.mobile", policies, |policy| policy.rules.mobile, findings);
    setting("perUserMfa", policies, |policy| policy.rules.per_user_mfa, findings);
}

/// A policy that mentions a setting, and where.
struct Voice<'a, R> {
    policy: &'a Policy,
    rule: R,
    origin: Origin,
}

fn setting<'a, R: PartialEq + Copy>(
    name: &str,
    policies: &'a [Policy],
    rule: impl Fn(&'a Policy) -> Option<(R, Origin)>,
    findings: &mut Vec<Finding>,
) {
    // In the order of their names, so that the order of files does not matter.
    let voices: Vec<Voice<'a, R>> = policies
        .iter()
        .filter_map(|policy| rule(policy).map(|(rule, origin)| Voice { policy, rule, origin }))
        .collect();
    let mut first = BTreeMap::new();
    let mut reported = BTreeSet::new();
    for voice in &voices {
        for (subject, place) in subjects(voice.policy) {
            let (earlier, earlier_place) =
                *first.entry((voice.policy.priority, subject)).or_insert((voice, place));
            if earlier.rule != voice.rule && reported.insert((earlier.origin, voice.origin)) {
                findings.push(conflict(name, earlier, earlier_place, voice, place));
            }
        }
    }
}

fn subjects(policy: &Policy) -> Vec<(Subject, Origin)> {
    let who = &policy.who;
    let mut subjects = Vec::new();
    if who.everyone {
        subjects.push((Subject::Everyone, policy.origin));
    }
    for (group, origin) in &who.groups {
        match group {
            GroupRef::Id(id) => subjects.push((Subject::Group(*id), *origin)),
            GroupRef::Name(name) => subjects.push((Subject::GroupNamed(folded(name)), *origin)),
            GroupRef::Both { id, name } => {
                subjects.push((Subject::Group(*id), *origin));
                subjects.push((Subject::GroupNamed(folded(name)), *origin));
            }
        }
    }
    for (user, origin) in &who.users {
        subjects.push(match user {
            UserRef::Id(id) => (Subject::User(*id), *origin),
            UserRef::PrincipalName(name) => (Subject::UserNamed(folded(name)), *origin),
        });
    }
    subjects
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn conflict<R>(
    setting: &str,
    first: &Voice<'_, R>,
    first_place: Origin,
    second: &Voice<'_, R>,
    second_place: Origin,
) -> Finding {
    let (one, other) = (quoted(&first.policy.name), quoted(&second.policy.name));
    let message = format!("{one} and {other} want different `{setting}` of the same users");
    let priority = second.policy.priority;
    Finding::new(Code::PolicyConflict, message)
        .at(second.origin, format!("{other} wants this"))
        .at(first.origin, format!("{one} wants this"))
        .at(first_place, "the same users")
        .at(second_place, "the same users")
        .help(format!(
            "both have priority {priority}: give the one that shall win a smaller number"
        ))
        .policy(&second.policy.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Rules, Who};
    use crate::settings::per_user_mfa::Rule;
    use crate::source::{Sources, Span};
    use crate::tenant::facts::MfaState as State;

    const ID: &str = "0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10";

    fn policy(name: &str, place: u32, priority: u32, who: &str, state: State) -> Policy {
        let file = Sources::default().add("a.yaml", "");
        let origin = Origin { file, span: Span { line: place, ..Span::default() } };
        let id: GroupId = ID.parse().expect("an id");
        let who = match who {
            "everyone" => Who { everyone: true, ..Who::default() },
            "id" => Who { groups: vec![(GroupRef::Id(id), origin)], ..Who::default() },
            "id and name" => {
                let group = GroupRef::Both { id, name: "Staff".to_owned() };
                Who { groups: vec![(group, origin)], ..Who::default() }
            }
            user if user.contains('@') => Who {
                users: vec![(UserRef::PrincipalName(user.to_owned()), origin)],
                ..Who::default()
            },
            group => {
                Who { groups: vec![(GroupRef::Name(group.to_owned()), origin)], ..Who::default() }
            }
        };
        let rules = Rules { mobile: None, per_user_mfa: Some((Rule(state), origin)) };
        Policy { name: name.to_owned(), description: None, priority, who, rules, origin }
    }

    #[test]
    fn equal_priority_and_the_same_users_by_name_conflict() {
        use State::{Enabled, Enforced};
        for (one, other, conflicts) in [
            ((1, "everyone", Enabled), (1, "everyone", Enforced), 1),
            ((1, "everyone", Enabled), (1, "everyone", Enabled), 0),
            ((1, "everyone", Enabled), (2, "everyone", Enforced), 0),
            ((1, "everyone", Enabled), (1, "Staff", Enforced), 0),
            ((1, "Staff", Enabled), (1, " staff", Enforced), 1),
            ((1, "Staff", Enabled), (1, "Sales", Enforced), 0),
            ((1, "Staff", Enabled), (1, "id", Enforced), 0),
            ((1, "Staff", Enabled), (1, "id and name", Enforced), 1),
            ((1, "id", Enabled), (1, "id and name", Enforced), 1),
            ((1, "id and name", Enabled), (1, "id and name", Enforced), 1),
            ((1, "A@b.c", Enabled), (1, "a@B.c", Enforced), 1),
            ((1, "a@b.c", Enabled), (1, "b@b.c", Enforced), 0),
        ] {
            let policies =
                [policy("a", 1, one.0, one.1, one.2), policy("b", 2, other.0, other.1, other.2)];
            let mut findings = Vec::new();
            check(&policies, &mut findings);
            assert_eq!(findings.len(), conflicts, "{one:?} {other:?}");
        }
    }
}

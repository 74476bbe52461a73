//! Finds policies of equal priority that want different things for the same users, as far as the files show
//! it: both say `everyone`, or both name the same role or user, and `where` does not separate them. A policy
//! in report mode never conflicts.
//!
//! Not here: conflicts that only the members of a group in the tenant show. Those are withheld for each user
//! (`desired`).

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Code, Finding, quoted};
use crate::id::{RoleId, UserId};
use crate::policy::filter::{Where, folded};
use crate::policy::{Mode, Policy, RoleRef, UserRef};
use crate::settings::{Management, Setting, SettingRule};
use crate::source::Origin;

/// Users that two policies can visibly share. Names are compared as in the directory: without case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Everyone,
    Role(RoleId),
    RoleNamed(String),
    User(UserId),
    UserNamed(String),
}

/// Reports every pair of conflicting policies once for each setting.
pub(super) fn check(policies: &[Policy], findings: &mut Vec<Finding>) {
    // The rule for the mobile phone includes SMS sign-in.
    for one in Setting::ALL.into_iter().filter(|setting| *setting != Setting::SmsSignIn) {
        setting(one, policies, findings);
    }
}

/// A policy that mentions a setting, with the rule and its place.
struct Voice<'a> {
    policy: &'a Policy,
    rule: &'a Management<SettingRule>,
    origin: Origin,
}

fn setting<'a>(setting: Setting, policies: &'a [Policy], findings: &mut Vec<Finding>) {
    let voice = |policy: &'a Policy| {
        let (rule, origin) = (policy.rules.get(setting)?, policy.rules.origin(setting)?);
        Some(Voice { policy, rule, origin })
    };
    // In the order of their names, so that the order of files does not matter.
    let enforced = policies.iter().filter(|policy| policy.mode == Mode::Enforce);
    let voices: Vec<Voice<'_>> = enforced.filter_map(voice).collect();
    let mut seen: BTreeMap<_, Vec<(&Voice<'_>, Origin)>> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    for voice in &voices {
        for (subject, place) in subjects(voice.policy) {
            let earlier = seen.entry((voice.policy.priority, subject)).or_default();
            // One voice for each rule and each `where` is enough to find every later contradiction.
            if earlier.iter().any(|(other, _)| voice.repeats(other)) {
                continue;
            }
            for (other, other_place) in earlier.iter() {
                if voice.contradicts(other) && reported.insert((other.origin, voice.origin)) {
                    findings.push(conflict(setting.key(), other, *other_place, voice, place));
                }
            }
            earlier.push((voice, place));
        }
    }
}

impl Voice<'_> {
    fn repeats(&self, other: &Self) -> bool {
        self.rule == other.rule && self.policy.only == other.policy.only
    }

    /// Whether both want different things for users that are certainly the same: the two `where` are equal,
    /// or one is the default. For other pairs, only the tenant shows whether they share users.
    fn contradicts(&self, other: &Self) -> bool {
        let (one, two) = (&self.policy.only, &other.policy.only);
        let open = Where::default();
        self.rule != other.rule && (one == two || *one == open || *two == open)
    }
}

fn subjects(policy: &Policy) -> Vec<(Subject, Origin)> {
    let who = &policy.who;
    let mut subjects = Vec::new();
    if who.everyone {
        subjects.push((Subject::Everyone, policy.origin));
    }
    for (role, origin) in &who.roles {
        subjects.push(match role {
            RoleRef::Id(id) => (Subject::Role(*id), *origin),
            RoleRef::Name(name) => (Subject::RoleNamed(folded(name)), *origin),
        });
    }
    for (user, origin) in &who.users {
        subjects.push(match user {
            UserRef::Id(id) => (Subject::User(*id), *origin),
            UserRef::PrincipalName(name) => (Subject::UserNamed(folded(name)), *origin),
        });
    }
    subjects
}

fn conflict(
    setting: &str,
    first: &Voice<'_>,
    first_place: Origin,
    second: &Voice<'_>,
    second_place: Origin,
) -> Finding {
    let (one, other) = (quoted(&first.policy.name), quoted(&second.policy.name));
    let message =
        format!("policies {one} and {other} want different `{setting}` for the same users");
    let priority = second.policy.priority;
    Finding::new(Code::PolicyConflict, message)
        .at(second.origin, format!("{other} wants this"))
        .at(first.origin, format!("{one} wants this"))
        .at(first_place, "the same users")
        .at(second_place, "the same users")
        .help(format!(
            "both have priority {priority}: give the policy that must win a smaller number"
        ))
        .policy(&second.policy.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::filter::Either;
    use crate::policy::{AppliesToSet, PolicyRules};
    use crate::settings::per_user_mfa;
    use crate::source::{Sources, Span};
    use crate::tenant::facts::MfaState;

    const ROLE: &str = "62e90394-69f5-4237-9190-012177145e10";

    /// A policy from the text `WHO wants STATE`. WHO is `everyone`, a group (`#Staff`), a user (`a@b.c`), or
    /// a role by name or id. A `?` before it means report mode, a `!` means synchronised accounts only.
    fn policy(name: &str, place: u32, priority: u32, text: &str) -> Policy {
        let file = Sources::default().add("a.yaml", "");
        let origin = Origin { file, span: Span { line: place, ..Span::default() } };
        let (who, wants) = text.split_once(" wants ").unwrap();
        let (mode, who) = match who.strip_prefix('?') {
            Some(rest) => (Mode::Report, rest),
            None => (Mode::Enforce, who),
        };
        let (only, who) = match who.strip_prefix('!') {
            Some(rest) => (Where { synced: Either::YES, ..Where::default() }, rest),
            None => (Where::default(), who),
        };
        let mut named = AppliesToSet::default();
        match who {
            "everyone" => named.everyone = true,
            ROLE => named.roles.push((RoleRef::Id(ROLE.parse().unwrap()), origin)),
            user if user.contains('@') => {
                named.users.push((UserRef::PrincipalName(user.to_owned()), origin));
            }
            group if group.starts_with('#') => {
                named.groups.push((crate::policy::GroupRef::Name(group.to_owned()), origin));
            }
            role => named.roles.push((RoleRef::Name(role.to_owned()), origin)),
        }
        let state = |state| {
            Management::Managed(SettingRule::PerUserMfa(per_user_mfa::PerUserMfaRule(state)))
        };
        let stance = match wants {
            "unmanaged" => Management::Unmanaged,
            "enabled" => state(MfaState::Enabled),
            _ => state(MfaState::Enforced),
        };
        let mut rules = PolicyRules::default();
        rules.add(Setting::PerUserMfa, stance, origin);
        Policy {
            name: name.to_owned(),
            description: None,
            mode,
            priority,
            who: named,
            except: Vec::new(),
            only,
            rules,
            origin,
        }
    }

    #[test]
    fn equal_priority_and_visibly_same_users_conflict() {
        for (one, other, conflicts) in [
            ((1, "everyone wants enabled"), (1, "everyone wants enforced"), 1),
            ((1, "everyone wants enabled"), (1, "everyone wants enabled"), 0),
            ((1, "everyone wants enabled"), (2, "everyone wants enforced"), 0),
            ((1, "everyone wants enabled"), (1, "everyone wants unmanaged"), 1),
            ((1, "everyone wants enabled"), (1, "?everyone wants enforced"), 0),
            ((1, "everyone wants enabled"), (1, "Reader wants enforced"), 0),
            ((1, "Reader wants enabled"), (1, " reader wants enforced"), 1),
            ((1, "Reader wants enabled"), (1, "Writer wants enforced"), 0),
            ((1, "#Staff wants enabled"), (1, "#Staff wants enforced"), 0),
            ((1, "A@b.c wants enabled"), (1, "a@B.c wants enforced"), 1),
            ((1, "a@b.c wants enabled"), (1, "b@b.c wants enforced"), 0),
            ((1, "!everyone wants enabled"), (1, "!everyone wants enforced"), 1),
            ((1, "everyone wants enabled"), (1, "!everyone wants enforced"), 1),
            (
                (1, "62e90394-69f5-4237-9190-012177145e10 wants enabled"),
                (1, "62e90394-69f5-4237-9190-012177145e10 wants enforced"),
                1,
            ),
        ] {
            let policies = [policy("a", 1, one.0, one.1), policy("b", 2, other.0, other.1)];
            let mut findings = Vec::new();
            check(&policies, &mut findings);
            assert_eq!(findings.len(), conflicts, "{one:?} {other:?}");
        }
    }

    #[test]
    fn different_where_is_no_visible_conflict() {
        let mut guests = policy("b", 2, 1, "everyone wants enforced");
        guests.only.guest = Either::YES;
        let mut findings = Vec::new();
        check(&[policy("a", 1, 1, "!everyone wants enabled"), guests], &mut findings);
        assert_eq!(findings, []);
    }
}

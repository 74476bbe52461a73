//! Checks `except` and `where`.
//!
//! Not here: whether the users and groups of an exception exist (`scope`).

use super::{names, project};
use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, UserId};
use crate::policy::file::{
    ExceptBlock, Lists, Matcher, Text, Truth, TruthOrAny, UserType, WhereBlock,
};
use crate::policy::filter::{Either, Exception, FilterTest, Match, Registered, Where, folded};
use crate::source::{FileId, Located, Maybe, NonEmptyList, Origin};

/// The exceptions of one policy.
pub(super) fn exceptions(
    file: FileId,
    policy: &str,
    list: Maybe<NonEmptyList<Located<ExceptBlock>>>,
    findings: &mut Vec<Finding>,
) -> Vec<Exception> {
    let entries = list.into_option().map(|list| list.0).unwrap_or_default();
    entries.into_iter().map(|entry| exception(file, policy, entry, findings)).collect()
}

fn exception(
    file: FileId,
    policy: &str,
    entry: Located<ExceptBlock>,
    findings: &mut Vec<Finding>,
) -> Exception {
    let origin = entry.origin(file);
    let block = entry.value;
    if block.groups.is_unmentioned() && block.users.is_unmentioned() && block.roles.is_unmentioned()
    {
        let message = format!("an exception of policy {} names no users", quoted(policy));
        findings.push(
            Finding::new(Code::EmptyKey, message)
                .at(origin, "names no users")
                .help("name `groups`, `users` or `roles`, or remove the entry")
                .policy(policy),
        );
    }
    let mut roles = Vec::new();
    for entry in block.roles.into_option().map(|list| list.0).unwrap_or_default() {
        let origin = entry.origin(file);
        match names::role(&entry.value, origin) {
            Ok(role) => roles.push((role, origin)),
            Err(fault) => findings.push(fault),
        }
    }
    Exception {
        groups: project::guards(block.groups, file, GroupId::from_uuid, findings),
        users: project::guards(block.users, file, UserId::from_uuid, findings),
        roles,
        reason: block.reason.into_option().map(|reason| reason.value),
        until: block.until.as_ref().map(|until| (until.value.0, until.origin(file))),
        allow_empty: block.allow_empty.as_ref().is_some_and(|allowed| allowed.value),
        origin,
    }
}

/// Reads the `where` of one policy. A condition that it does not mention keeps its default.
pub(super) fn only(
    file: FileId,
    policy: &str,
    block: Maybe<Located<WhereBlock>>,
    findings: &mut Vec<Finding>,
) -> Where {
    let mut only = Where::default();
    let Maybe::Said(block) = block else { return only };
    let origin = block.origin(file);
    let block = block.value;
    let mut checking = Checking { file, policy, findings, tests: 0 };
    only.department = checking.list(block.department, department);
    only.usage_location = checking.list(block.usage_location, |country, _| Ok(country.0));
    let place = block.registered.as_ref().map(|test| test.origin(file));
    let kinds = checking.list(block.registered, |kind, _| Ok(kind.0));
    only.registered = place.zip(kinds).map(|(origin, Match { any, none })| Registered {
        any: any.into_iter().collect(),
        none: none.into_iter().collect(),
        origin,
    });
    let truth = |truth: &Truth, value| truth.0 == value;
    only.synced = checking.either(FilterTest::Synced, block.synced, truth).unwrap_or(only.synced);
    only.guest =
        checking.either(FilterTest::UserType, block.user_type, is_guest).unwrap_or(only.guest);
    only.enabled = checking
        .either(FilterTest::AccountEnabled, block.account_enabled, is_so)
        .unwrap_or(only.enabled);
    if checking.tests == 0 {
        findings.push(names::blank("`where` has no conditions", origin).policy(policy));
    }
    only
}

fn department(text: Text, origin: Origin) -> Result<String, Finding> {
    match folded(&text.0) {
        name if name.is_empty() => Err(names::blank("a department has no name", origin)),
        name => Ok(name),
    }
}

const fn is_guest(word: &UserType, guest: bool) -> bool {
    match word {
        UserType::Any => true,
        UserType::Guest => guest,
        UserType::Member => !guest,
    }
}

const fn is_so(word: &TruthOrAny, value: bool) -> bool {
    match word {
        TruthOrAny::Any => true,
        TruthOrAny::Yes => value,
        TruthOrAny::No => !value,
    }
}

/// The values of a condition: any of these, none of those.
type Both<T> = (Vec<Located<T>>, Vec<Located<T>>);

struct Checking<'a> {
    file: FileId,
    policy: &'a str,
    findings: &'a mut Vec<Finding>,
    /// How many conditions were mentioned.
    tests: usize,
}

impl Checking<'_> {
    /// The two lists of a condition that was mentioned, and its place.
    fn found<T>(&mut self, matcher: Maybe<Located<Matcher<T>>>) -> Option<(Both<T>, Origin)> {
        let matcher = matcher.into_option()?;
        self.tests += 1;
        let (origin, span) = (matcher.origin(self.file), matcher.span);
        let list = |list: Maybe<NonEmptyList<Located<T>>>| list.into_option().map(|list| list.0);
        let both = match matcher.value {
            Matcher::One(value) => (vec![Located { value, span }], Vec::new()),
            Matcher::Any(values) => (values, Vec::new()),
            Matcher::Both(Lists { any: Maybe::Unmentioned, none: Maybe::Unmentioned }) => {
                let finding = names::blank("a condition has no values", origin);
                self.findings.push(finding.policy(self.policy));
                return None;
            }
            Matcher::Both(Lists { any, none }) => {
                (list(any).unwrap_or_default(), list(none).unwrap_or_default())
            }
        };
        Some((both, origin))
    }

    /// Reads a condition on a value among many.
    fn list<T, U: Ord>(
        &mut self,
        matcher: Maybe<Located<Matcher<T>>>,
        read: impl Fn(T, Origin) -> Result<U, Finding>,
    ) -> Option<Match<U>> {
        let ((any, none), _) = self.found(matcher)?;
        let file = self.file;
        let mut all = |values: Vec<Located<T>>| {
            let mut kept = Vec::new();
            for value in values {
                let origin = value.origin(file);
                match read(value.value, origin) {
                    Ok(value) => kept.push(value),
                    Err(fault) => self.findings.push(fault.policy(self.policy)),
                }
            }
            // Sorted, so that two conditions on the same values are equal.
            kept.sort_unstable();
            kept.dedup();
            kept
        };
        Some(Match { any: all(any), none: all(none) })
    }

    /// Reads a condition on a yes-or-no value. A condition that no user can meet is an error.
    fn either<T>(
        &mut self,
        test: FilterTest,
        matcher: Maybe<Located<Matcher<T>>>,
        is: impl Fn(&T, bool) -> bool,
    ) -> Option<Either> {
        let ((any, none), origin) = self.found(matcher)?;
        let passes = |value| {
            (any.is_empty() || any.iter().any(|word| is(&word.value, value)))
                && !none.iter().any(|word| is(&word.value, value))
        };
        let either = Either { yes: passes(true), no: passes(false) };
        if !either.yes && !either.no {
            let message = format!("no user can meet the condition `{}`", test.key());
            self.findings.push(
                Finding::new(Code::NobodyNamed, message)
                    .at(origin, "no user matches this")
                    .help("remove `none`, or the whole condition")
                    .policy(self.policy),
            );
        }
        Some(either)
    }
}

//! The users that a change excludes from a policy, or excludes for longer.
//!
//! A group or a role that is excluded now counts even if it excludes nobody more today, because its members
//! change.
//!
//! Not here: users that `appliesTo` or `where` no longer reaches (`users`).

use jiff::civil::Date;

use super::policies::Pair;
use super::{Concerned, Loosening, Sides};
use crate::finding::{Code, quoted};
use crate::id::{GroupId, UserId};
use crate::observed::Observed;
use crate::policy::filter::Exception;
use crate::policy::{Policy, RoleRef};
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

pub(super) fn loosenings(sides: Sides<'_>, pair: Pair<'_>) -> Vec<Loosening> {
    let (_, policy) = pair.head;
    let exceptions = policy.except.iter().enumerate();
    exceptions
        .flat_map(|(place, exception)| Compared { sides, pair, place, exception }.loosenings())
        .collect()
}

/// An entry of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excluded<'a> {
    Group(GroupId),
    User(UserId),
    Role(&'a RoleRef),
}

fn entries(exception: &Exception) -> Vec<Excluded<'_>> {
    let Exception {
        groups,
        users,
        roles,
        // It is for readers.
        reason: _,
        // Compared below.
        until: _,
        allow_empty: _,
        // A place is no guard.
        origin: _,
    } = exception;
    let groups = groups.iter().map(|entry| Excluded::Group(entry.id));
    let users = users.iter().map(|entry| Excluded::User(entry.id));
    let roles = roles.iter().map(|(role, _)| Excluded::Role(role));
    groups.chain(users).chain(roles).collect()
}

/// Whether an entry is no longer excluded, or for a shorter time.
pub(super) fn excludes_fewer(before: &[Exception], now: &[Exception]) -> bool {
    let day = |exception: &Exception| exception.until.map(|(day, _)| day);
    before.iter().any(|exception| {
        entries(exception).iter().any(|entry| {
            let mut same = now.iter().filter(|other| entries(other).contains(entry));
            !same.any(|other| !lasts_longer(day(exception), day(other)))
        })
    })
}

/// One exception of the head, compared with all exceptions of the base.
struct Compared<'a> {
    sides: Sides<'a>,
    pair: Pair<'a>,
    place: usize,
    exception: &'a Exception,
}

impl<'a> Compared<'a> {
    fn loosenings(&self) -> Vec<Loosening> {
        let observed = self.sides.observed();
        if observed.is_some_and(|(_, head)| self.exception.is_over(head.basis.today)) {
            return Vec::new();
        }
        let entries = entries(self.exception);
        let is_new = |one: &Excluded<'_>| {
            self.before(*one).next().is_none() && !self.was_excluded_as_long(*one)
        };
        let is_extended = |one: &Excluded<'_>| {
            let before = self.before(*one).map(|exception| exception.until);
            let before: Vec<_> = before.map(|until| until.map(|(day, _)| day)).collect();
            !before.is_empty() && before.iter().all(|before| lasts_longer(self.until(), *before))
        };
        let mut found = Vec::new();
        if entries.iter().any(is_new) {
            let message = format!("an exception excludes more users from {}", self.policy());
            found.push(self.found(Code::ExceptionWidened, message, self.newly_excluded()));
        }
        if entries.iter().any(is_extended) {
            let until =
                self.until().map_or("without an end".to_owned(), |day| format!("until {day}"));
            let message = format!("an exception of {} lasts longer: {until}", self.policy());
            found.push(self.found(Code::ExceptionExtended, message, self.excluded()));
        }
        if self.may_be_empty(&entries) {
            let message = format!("an excluded group of {} may be empty", self.policy());
            found.push(self.found(Code::AllowEmptyAdded, message, None));
        }
        found
    }

    fn found(&self, code: Code, message: String, concerned: Option<Concerned>) -> Loosening {
        let found = Loosening::new(code, message).at(self.sides, Some(self.exception.origin), None);
        found.of_policy(&self.pair.head.1.name).concerning(concerned)
    }

    fn policy(&self) -> String {
        format!("policy {}", quoted(&self.pair.head.1.name))
    }

    fn until(&self) -> Option<Date> {
        self.exception.until.map(|(day, _)| day)
    }

    /// Returns the exceptions of the base that exclude this entry.
    fn before(&self, entry: Excluded<'a>) -> impl Iterator<Item = &'a Exception> {
        let exceptions = self.pair.base.1.except.iter();
        exceptions.filter(move |exception| entries(exception).contains(&entry))
    }

    /// Whether another entry of the base excluded this user for as long.
    fn was_excluded_as_long(&self, entry: Excluded<'_>) -> bool {
        let (Excluded::User(id), Some((base, _))) = (entry, self.sides.observed()) else {
            return false;
        };
        let Some(user) = base.directory.find(id) else { return false };
        let (index, policy) = self.pair.base;
        policy.except.iter().enumerate().any(|(place, exception)| {
            !lasts_longer(self.until(), exception.until.map(|(day, _)| day))
                && base.scope.excepted_by(index, place).any(|one| one == user)
        })
    }

    /// Returns the users that the exception excludes, of those that the policy otherwise reaches.
    fn excluded(&self) -> Option<Concerned> {
        let (base, head) = self.sides.observed()?;
        let users = head.scope.excepted_by(self.pair.head.0, self.place);
        let users = users.filter(|user| self.reaches((base, head), *user));
        Some(Concerned::in_tenant(head, users))
    }

    /// Returns those of them that the base does not exclude.
    fn newly_excluded(&self) -> Option<Concerned> {
        let (base, head) = self.sides.observed()?;
        let users = head.scope.excepted_by(self.pair.head.0, self.place).filter(|user| {
            !base.scope.is_excepted(self.pair.base.0, *user) && self.reaches((base, head), *user)
        });
        Some(Concerned::in_tenant(head, users))
    }

    /// Whether the policy would apply to the user on one of the sides. An account that was a break-glass
    /// account was excluded anyway.
    fn reaches(&self, (base, head): (&Observed, &Observed), user: UserIndex) -> bool {
        let facts = match base.facts(user) {
            Facts::NOT_READ => head.facts(user),
            facts => facts,
        };
        let reaches = |observed: &Observed, (index, policy): (PolicyIndex, &Policy)| {
            let by_methods = policy.only.registered.map(|test| test.held(&facts));
            observed.scope.reaches(index, user) && by_methods != Some(Some(false))
        };
        !base.scope.is_break_glass(user)
            && (reaches(base, self.pair.base) || reaches(head, self.pair.head))
    }

    /// Whether the exception allows an empty group that the base did not allow to be empty.
    fn may_be_empty(&self, entries: &[Excluded<'a>]) -> bool {
        let groups = entries.iter().filter(|one| matches!(one, Excluded::Group(_)));
        let mut before = groups.map(|one| self.before(*one).map(|one| one.allow_empty));
        self.exception.allow_empty
            && before.any(|mut before| {
                let first = before.next();
                first == Some(false) && !before.any(|allowed| allowed)
            })
    }
}

/// Whether one end is later than another. No end is the latest.
fn lasts_longer(one: Option<Date>, other: Option<Date>) -> bool {
    other.is_some_and(|other| one.is_none_or(|one| one > other))
}

//! The guards that a change of the files makes weaker, with the place of each and the users that it concerns
//! in this tenant. What the files say decides whether a guard is weaker; the tenant says which users that concerns.
//!
//! - `project` compares the keys of `mfactl.yaml`, `break_glass` its break-glass accounts, and `objects` the
//!   objects of the tenant. The files alone decide.
//! - `policies` compares the policies. With a tenant, `users` compares what decides each setting of each user
//!   on both sides, and leaves out the `unconcerned`; without one, `files` compares the policies one by one.
//!   `exceptions` compares who they exclude, and `cause` puts what was found into words.
//!
//! Not here: the changes of users that follow (`difference`).

mod break_glass;
mod cause;
mod exceptions;
mod files;
mod objects;
mod policies;
mod project;
mod unconcerned;
mod users;

use std::collections::BTreeSet;

use super::FilePlace;
use crate::finding::{Code, Finding, quoted};
use crate::id::UserId;
use crate::observed::Observed;
use crate::policy::PolicySet;
use crate::source::Origin;
use crate::tenant::directory::UserIndex;
use crate::tenant::user_set::Tristate;
use crate::untrusted::Untrusted;

/// One guard that a change makes weaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loosening {
    pub code: Code,
    /// What is weaker now: one sentence without a number of users.
    pub message: String,
    pub place: Option<LooseningPlace>,
    /// The place in the files of the head, if the head has one.
    pub origin: Option<Origin>,
    pub policy: Option<Untrusted>,
    /// The users that it concerns; unknown without a tenant, and for a guard of all users.
    pub concerned: Option<Concerned>,
}

/// A place in the files of the head, or in those of the base if the head no longer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LooseningPlace {
    Head(FilePlace),
    Base(FilePlace),
}

/// The users that a loosening concerns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Concerned {
    pub users: BTreeSet<UserId>,
    /// The users among them with an administrator role, or perhaps with one.
    pub administrators: usize,
}

/// The files of one side, and the tenant as it was read for them.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub policies: &'a PolicySet,
    pub observed: Option<&'a Observed>,
}

/// The two sides of a change.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    pub base: Side<'a>,
    pub head: Side<'a>,
}

/// Returns every guard that the head makes weaker than the base, by code and place.
#[must_use]
pub fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    let mut found = project::loosenings(sides);
    found.extend(break_glass::loosenings(sides));
    found.extend(objects::loosenings(sides));
    found.extend(policies::loosenings(sides));
    found.sort_by(|one, other| order(one).cmp(&order(other)));
    found
}

fn order(one: &Loosening) -> (Code, Option<&FilePlace>, &str) {
    (one.code, one.place.as_ref().map(LooseningPlace::file_place), &one.message)
}

impl Side<'_> {
    fn place(self, origin: Origin) -> FilePlace {
        FilePlace::of(origin, &self.policies.sources)
    }
}

impl<'a> Sides<'a> {
    /// Returns what was observed for both sides. It is one reading, so both number the users alike.
    fn observed(self) -> Option<(&'a Observed, &'a Observed)> {
        self.base.observed.zip(self.head.observed)
    }
}

impl LooseningPlace {
    #[must_use]
    pub const fn file_place(&self) -> &FilePlace {
        match self {
            Self::Head(place) | Self::Base(place) => place,
        }
    }
}

impl Loosening {
    fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, place: None, origin: None, policy: None, concerned: None }
    }

    /// Points at the place in the head, or at the place in the base if the head has none.
    fn at(mut self, sides: Sides<'_>, head: Option<Origin>, base: Option<Origin>) -> Self {
        let in_head = head.map(|origin| sides.head.place(origin)).map(LooseningPlace::Head);
        let in_base = || base.map(|origin| sides.base.place(origin)).map(LooseningPlace::Base);
        self.origin = head;
        self.place = in_head.or_else(in_base);
        self
    }

    /// Returns the loosening as a finding about the files of the head. The message names a place in the
    /// base, because a label cannot point there.
    #[must_use]
    pub fn finding(&self, against: &Untrusted) -> Finding {
        let Self { code, message, place, origin, policy, concerned: _ } = self;
        let in_base = match place {
            Some(LooseningPlace::Base(place)) => {
                format!(" ({} of {})", quoted(&place.to_string()), quoted(against))
            }
            Some(LooseningPlace::Head(_)) | None => String::new(),
        };
        let finding = Finding::new(*code, format!("{message}{in_base}"));
        let finding = origin.iter().fold(finding, |one, origin| one.at(*origin, "weaker now"));
        policy.iter().fold(finding, |one, name| one.policy(name.raw()))
    }

    fn of_policy(mut self, name: &str) -> Self {
        self.policy = Some(name.into());
        self
    }

    fn concerning(mut self, concerned: Option<Concerned>) -> Self {
        self.concerned = concerned;
        self
    }
}

impl Concerned {
    /// Returns the users at these places of the directory.
    fn in_tenant(observed: &Observed, users: impl IntoIterator<Item = UserIndex>) -> Self {
        let mut concerned = Self::default();
        for index in users {
            let Some(user) = observed.directory.user(index) else { continue };
            let is_administrator = observed.basis.demand.is_administrator(index) != Tristate::No;
            if concerned.users.insert(user.id) && is_administrator {
                concerned.administrators += 1;
            }
        }
        concerned
    }
}

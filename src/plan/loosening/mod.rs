//! The guards that a change of the files makes weaker, with the place of each and the users that it concerns
//! in this tenant. What the files say decides whether a guard is weaker; the tenant says which users that concerns.
//!
//! - `project` compares the keys of `mfactl.yaml`, `policies` the policies.
//!
//! Not here: the changes of users that follow (`difference`).

mod policies;
mod project;

use std::collections::BTreeSet;

use super::FilePlace;
use crate::finding::Code;
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
    found.extend(policies::loosenings(sides));
    found.sort_by(|one, other| order(one).cmp(&order(other)));
    found
}

fn order(one: &Loosening) -> (Code, Option<&FilePlace>, &str) {
    (one.code, one.place.as_ref().map(LooseningPlace::file_place), &one.message)
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
        Self { code, message: message.into(), place: None, policy: None, concerned: None }
    }

    fn at_base(mut self, side: Side<'_>, origin: Origin) -> Self {
        self.place = Some(LooseningPlace::Base(FilePlace::of(origin, &side.policies.sources)));
        self
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

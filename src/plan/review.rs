//! A plan next to the plan of a base: what a change of the files does, what was waiting anyway, and which
//! guards the change makes weaker.
//!
//! Not here: making the two plans (`run::review`), or how a review is shown (`render`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::content::PlanContent;
use super::difference::{Delta, PlanDifference};
use super::loosening::Loosening;
use super::summary::PostureCounts;
use crate::disclose::Discloser;
use crate::id::UserId;
use crate::settings::Setting;
use crate::untrusted::Untrusted;

/// What a change of the files does.
#[derive(Debug, Clone)]
pub struct Review {
    /// The base, as it was named: a revision or a folder.
    pub against: Untrusted,
    /// The comparison, or the reason why there is none. Without one it is unknown what the change does.
    pub result: Result<Comparison, NotCompared>,
}

/// Why the plan could not be compared with the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCompared {
    pub why: String,
    /// The same in general words, if `why` can name users or numbers of users.
    pub about: Option<String>,
    pub help: String,
}

impl NotCompared {
    /// Returns why, as it may be shown.
    #[must_use]
    pub fn shown<'a>(&'a self, disclose: &Discloser) -> Cow<'a, str> {
        match &self.about {
            Some(about) if !disclose.shows_users() => Cow::Borrowed(about),
            _ => disclose.text(&self.why),
        }
    }
}

/// Two plans of the same tenant, read once.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub difference: PlanDifference,
    /// The guards that the change makes weaker, with the users that each concerns.
    pub loosenings: Vec<Loosening>,
    pub base_postures: PostureCounts,
    pub head_postures: PostureCounts,
    /// The users that only one side manages, and that are thus in the postures of that side alone: how many
    /// of them the base and the head do not manage.
    pub ungoverned: (usize, usize),
    pub waiting: Waiting,
}

/// The changes that both plans make: they wait with the change of the files or without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    pub users: usize,
    pub changes: usize,
}

/// A property of a change that can fail a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// A guard becomes weaker.
    Loosened,
    /// A user is protected less.
    Weakened,
    /// The change concerns a user with an administrator role.
    Privileged,
    /// A user is managed by no policy any more.
    Orphaned,
}

impl Alarm {
    pub const ALL: [Self; 4] = [Self::Loosened, Self::Weakened, Self::Privileged, Self::Orphaned];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loosened => "loosened",
            Self::Weakened => "weakened",
            Self::Privileged => "privileged",
            Self::Orphaned => "orphaned",
        }
    }

    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Loosened => "a guard becomes weaker",
            Self::Weakened => "a user is protected less",
            Self::Privileged => "it concerns a user with an administrator role",
            Self::Orphaned => "no policy manages a user any more",
        }
    }
}

impl Comparison {
    /// Compares the contents of two plans.
    #[must_use]
    pub fn of(base: &PlanContent, head: &PlanContent, loosenings: Vec<Loosening>) -> Self {
        let difference = PlanDifference::between(base, head);
        let waiting = Waiting::of(head, &difference);
        let (base_postures, head_postures) = (base.postures.clone(), head.postures.clone());
        let governed = difference.governed.values();
        let ungoverned = governed.fold((0, 0), |(base, head), delta| match delta {
            Delta::Added(_) => (base + 1, head),
            Delta::Removed(_) => (base, head + 1),
            Delta::Altered(..) => (base, head),
        });
        Self { difference, loosenings, base_postures, head_postures, ungoverned, waiting }
    }

    /// Whether the change of the files has an effect: on users, on the tenant, or on a guard.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        self.difference.has_effect() || !self.loosenings.is_empty()
    }

    /// Whether the change has the property.
    #[must_use]
    pub fn raises(&self, alarm: Alarm) -> bool {
        match alarm {
            Alarm::Loosened => !self.loosenings.is_empty(),
            Alarm::Weakened => !self.difference.weakened().is_empty(),
            Alarm::Privileged => !self.difference.privileged().is_empty(),
            Alarm::Orphaned => self.difference.orphaned().next().is_some(),
        }
    }
}

impl Review {
    /// Whether the change has the property. Without a comparison that is unknown, and counts as yes.
    #[must_use]
    pub fn raises(&self, alarm: Alarm) -> bool {
        self.result.as_ref().map_or(true, |comparison| comparison.raises(alarm))
    }

    /// Whether the change has an effect. Without a comparison that is unknown, and counts as yes.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        self.result.as_ref().map_or(true, Comparison::has_effect)
    }
}

impl Waiting {
    fn of(head: &PlanContent, difference: &PlanDifference) -> Self {
        let differing: BTreeSet<(UserId, Setting)> =
            difference.settings().map(|one| (one.user, one.setting)).collect();
        let mut waiting = Self::default();
        for (user, content) in &head.users {
            let same = |setting: &&Setting| !differing.contains(&(*user, **setting));
            let changes = content.changes.keys().filter(same).count();
            waiting.changes += changes;
            waiting.users += usize::from(changes > 0);
        }
        waiting
    }
}

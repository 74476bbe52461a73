//! The difference of two plans of one tenant, such as the plan of the policies before a change and the plan
//! with it. It says what the change does, apart from what was waiting anyway.
//!
//! The difference is complete: the content of the base plan and the difference give the content of the
//! head plan ([`PlanDifference::applied_to`]).
//!
//! Not here: making the two plans (`run::compare`), or guards that a change weakens (`loosening`).

use std::collections::BTreeMap;

use super::brakes::{Brake, BrakeName};
use super::content::{
    ChangeContent, FindingContent, GovernedUser, ObjectContent, PlanContent, UserContent,
};
use super::planned_value::PlannedValue;
use super::summary::PostureCounts;
use crate::id::UserId;
use crate::policy::meaning::Meaning;
use crate::resources::ObjectKind;
use crate::settings::Setting;
use crate::settings::kind::Effect;
use crate::tenant::user_set::Tristate;
use crate::untrusted::Untrusted;

/// One thing that two plans say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta<T> {
    /// Only the head plan says it.
    Added(T),
    /// Only the base plan says it.
    Removed(T),
    /// The base plan says the first, and the head plan the second.
    Altered(T, T),
}

/// Things that two plans say differently, by key.
pub type Deltas<K, T> = BTreeMap<K, Delta<T>>;

/// The difference of a base plan and a head plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanDifference {
    /// The digests of policies, keys of `mfactl.yaml` and objects.
    pub policies: Deltas<String, String>,
    pub project: Deltas<String, String>,
    pub object_meanings: Deltas<String, String>,
    pub users: Deltas<UserId, UserContent>,
    pub governed: Deltas<UserId, GovernedUser>,
    pub objects: Deltas<ObjectKind, ObjectContent>,
    pub findings: Deltas<FindingContent, usize>,
    pub postures: Option<(PostureCounts, PostureCounts)>,
    pub in_scope: Option<(usize, usize)>,
    pub brakes: Deltas<BrakeName, Brake>,
}

/// One setting of one user that two plans change differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingDelta<'a> {
    pub user: UserId,
    pub setting: Setting,
    /// What the base plan changes.
    pub without: Option<&'a ChangeContent>,
    /// What the head plan changes.
    pub with: Option<&'a ChangeContent>,
    /// The user, as in the head plan, or in the base plan if the head plan changes nothing for the user.
    pub about: &'a UserContent,
}

/// The users that start and cease to be managed by one policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeDelta {
    pub added: Vec<UserId>,
    pub removed: Vec<UserId>,
}

impl<'a> SettingDelta<'a> {
    /// Returns the value after an apply, without the change of the files and with it. Where a plan changes
    /// nothing, the value stays as it was found.
    #[must_use]
    pub fn results(&self) -> (&'a PlannedValue, &'a PlannedValue) {
        let found = self.with.or(self.without);
        let found = found.map_or(&PlannedValue::NOTHING, |change| &change.before);
        let after =
            |change: Option<&'a ChangeContent>| change.map_or(found, |change| &change.after);
        (after(self.without), after(self.with))
    }

    /// Returns what the change of the files does to the user, compared with the base and not with the tenant:
    /// MFA that is no longer planned is lowered.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let (without, with) = self.results();
        self.setting.effect(without.to_judge(), with.to_judge())
    }

    /// Whether the user is protected less with the change of the files.
    #[must_use]
    pub fn weakens(&self) -> bool {
        matches!(self.effect(), Effect::Lowers | Effect::Weakens)
    }
}

impl<T> Delta<T> {
    /// What the base plan says.
    pub const fn base(&self) -> Option<&T> {
        match self {
            Self::Added(_) => None,
            Self::Removed(base) | Self::Altered(base, _) => Some(base),
        }
    }

    /// Returns what the head plan does with the thing.
    pub const fn when(&self) -> &'static str {
        match self {
            Self::Added(_) => "new",
            Self::Removed(_) => "gone",
            Self::Altered(..) => "changed",
        }
    }

    /// What the head plan says.
    pub const fn head(&self) -> Option<&T> {
        match self {
            Self::Removed(_) => None,
            Self::Added(head) | Self::Altered(_, head) => Some(head),
        }
    }
}

impl PlanDifference {
    /// Compares two plans.
    #[must_use]
    pub fn between(base: &PlanContent, head: &PlanContent) -> Self {
        Self {
            policies: deltas(&base.meaning.policies, &head.meaning.policies),
            project: deltas(&base.meaning.project, &head.meaning.project),
            object_meanings: deltas(&base.meaning.objects, &head.meaning.objects),
            users: deltas(&base.users, &head.users),
            governed: deltas(&base.governed, &head.governed),
            objects: deltas(&base.objects, &head.objects),
            findings: deltas(&base.findings, &head.findings),
            postures: (base.postures != head.postures)
                .then(|| (base.postures.clone(), head.postures.clone())),
            in_scope: (base.in_scope != head.in_scope).then_some((base.in_scope, head.in_scope)),
            brakes: deltas(&base.brakes, &head.brakes),
        }
    }

    /// Returns the content of the head plan, given that of the base plan.
    #[must_use]
    pub fn applied_to(&self, base: &PlanContent) -> PlanContent {
        let meaning = &base.meaning;
        PlanContent {
            meaning: Meaning {
                policies: with(&meaning.policies, &self.policies),
                project: with(&meaning.project, &self.project),
                objects: with(&meaning.objects, &self.object_meanings),
            },
            users: with(&base.users, &self.users),
            governed: with(&base.governed, &self.governed),
            objects: with(&base.objects, &self.objects),
            findings: with(&base.findings, &self.findings),
            postures: self.postures.as_ref().map_or(&base.postures, |(_, head)| head).clone(),
            in_scope: self.in_scope.map_or(base.in_scope, |(_, head)| head),
            brakes: with(&base.brakes, &self.brakes),
        }
    }

    /// Whether both plans say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the plans differ in anything but the files themselves: a new comment or description has no
    /// effect.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        let Self { policies: _, project: _, object_meanings: _, users, governed, objects, .. } =
            self;
        let Self { findings, postures, in_scope, brakes, .. } = self;
        let has_people = !(users.is_empty() && governed.is_empty() && objects.is_empty());
        let has_counts = postures.is_some() || in_scope.is_some() || !brakes.is_empty();
        has_people || has_counts || !findings.is_empty()
    }

    /// Returns the settings of users that the two plans change differently, by user.
    pub fn settings(&self) -> impl Iterator<Item = SettingDelta<'_>> {
        self.users.iter().flat_map(|(user, delta)| {
            Setting::ALL.into_iter().filter_map(|setting| {
                let without = delta.base().and_then(|user| user.changes.get(&setting));
                let with = delta.head().and_then(|user| user.changes.get(&setting));
                let about = delta.head().or_else(|| delta.base())?;
                let is_same = without == with;
                (!is_same).then_some(SettingDelta { user: *user, setting, without, with, about })
            })
        })
    }

    /// Returns the users that each policy starts or ceases to manage, by the name of the policy.
    #[must_use]
    pub fn scope(&self) -> BTreeMap<&Untrusted, ScopeDelta> {
        let mut scope: BTreeMap<&Untrusted, ScopeDelta> = BTreeMap::new();
        for (user, delta) in &self.governed {
            let (base, head) = (delta.base(), delta.head());
            let of = |one: Option<&GovernedUser>, name| {
                one.is_some_and(|one: &GovernedUser| one.policies.contains(name))
            };
            for name in head.iter().flat_map(|one| &one.policies).filter(|name| !of(base, name)) {
                scope.entry(name).or_default().added.push(*user);
            }
            for name in base.iter().flat_map(|one| &one.policies).filter(|name| !of(head, name)) {
                scope.entry(name).or_default().removed.push(*user);
            }
        }
        scope
    }

    /// Returns the users that no policy manages any more.
    pub fn orphaned(&self) -> impl Iterator<Item = (UserId, &GovernedUser)> {
        self.governed.iter().filter_map(|(user, delta)| match delta {
            Delta::Removed(governed) => Some((*user, governed)),
            Delta::Added(_) | Delta::Altered(..) => None,
        })
    }

    /// Returns the users that are protected less with the change of the files.
    #[must_use]
    pub fn weakened(&self) -> Vec<UserId> {
        let weaker = self.settings().filter(SettingDelta::weakens);
        let mut users: Vec<UserId> = weaker.map(|one| one.user).collect();
        users.dedup();
        users
    }

    /// Returns the users with an administrator role, or perhaps with one, for which the two plans differ.
    #[must_use]
    pub fn privileged(&self) -> Vec<UserId> {
        let of_users = self.users.iter().filter_map(|(user, delta)| {
            Some((*user, delta.head().or_else(|| delta.base())?.is_administrator))
        });
        let of_scope = self.governed.iter().filter_map(|(user, delta)| {
            Some((*user, Some(delta.head().or_else(|| delta.base())?.is_administrator)))
        });
        let all = of_users.chain(of_scope).filter(|(_, is)| *is != Some(Tristate::No));
        let mut users: Vec<UserId> = all.map(|(user, _)| user).collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

/// Compares two maps.
fn deltas<K: Ord + Clone, T: Eq + Clone>(
    base: &BTreeMap<K, T>,
    head: &BTreeMap<K, T>,
) -> Deltas<K, T> {
    let removed = base
        .iter()
        .filter(|(key, _)| !head.contains_key(key))
        .map(|(key, value)| (key.clone(), Delta::Removed(value.clone())));
    let others = head.iter().filter_map(|(key, value)| match base.get(key) {
        Some(before) if before == value => None,
        Some(before) => Some((key.clone(), Delta::Altered(before.clone(), value.clone()))),
        None => Some((key.clone(), Delta::Added(value.clone()))),
    });
    removed.chain(others).collect()
}

/// Returns the map with these differences.
fn with<K: Ord + Clone, T: Clone>(base: &BTreeMap<K, T>, deltas: &Deltas<K, T>) -> BTreeMap<K, T> {
    let mut map = base.clone();
    for (key, delta) in deltas {
        match delta.head() {
            Some(value) => _ = map.insert(key.clone(), value.clone()),
            None => _ = map.remove(key),
        }
    }
    map
}

//! Changes of objects of the tenant, and the users that each change affects. An object change is judged by
//! what it does to every enabled account: the basis is changed as the object would be, and the posture of
//! each account is compared.
//!
//! Not here: the objects (`resources`), or the changes of users (`per_user`).

use super::phase::Phase;
use super::{FilePlace, UserPlan};
use crate::observed::{Observed, TenantBasis};
use crate::parallel::share_out;
use crate::policy::PolicySet;
use crate::posture::Posture;
use crate::resources::{ObjectKind, ObjectValue};
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

/// The change of one object: before → after, its place in the files, and the users that it affects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectChange {
    pub object: ObjectKind,
    pub before: ObjectValue,
    pub after: ObjectValue,
    pub origin: FilePlace,
    /// The accounts whose posture would be another one, in the order of the directory.
    pub affected: Vec<AffectedUser>,
}

/// The posture of one user, before and after the change of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AffectedUser {
    pub user: UserIndex,
    pub before: Posture,
    pub after: Posture,
}

impl ObjectChange {
    /// Returns the phase in which the object would be written.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self.object.demands_more(self.after) {
            true => Phase::Demand,
            false => Phase::Release,
        }
    }

    /// Returns the affected users that would have this posture after the change, and another one before it.
    pub fn becoming(&self, posture: Posture) -> impl Iterator<Item = &AffectedUser> {
        self.affected.iter().filter(move |one| one.after == posture)
    }
}

/// The users of a plan so far, and their changes.
#[derive(Clone, Copy)]
pub(super) struct PlannedUsers<'a> {
    pub(super) users: &'a [UserPlan],
    pub(super) changes: &'a [Change],
}

/// Returns the changes of the objects that the files manage. An object that could not be read is not
/// changed; a finding reports it.
pub(super) fn plan(
    policies: &PolicySet,
    observed: &Observed,
    planned: PlannedUsers<'_>,
) -> Vec<ObjectChange> {
    let differing = policies.objects.managed().filter_map(|(object, after, origin)| {
        let before = object.observed(&observed.basis.demand);
        let differs = before != ObjectValue::Unknown && before != after;
        let origin = FilePlace::of(origin, &policies.sources);
        differs.then(|| ObjectChange { object, before, after, origin, affected: Vec::new() })
    });
    differing
        .map(|change| ObjectChange { affected: affected(&change, observed, planned), ..change })
        .collect()
}

/// Returns the enabled accounts whose posture the change would alter. Their facts are those after the
/// changes of earlier phases.
fn affected(
    change: &ObjectChange,
    observed: &Observed,
    planned: PlannedUsers<'_>,
) -> Vec<AffectedUser> {
    let mut basis: TenantBasis = observed.basis.clone();
    change.object.effect_on(&mut basis.demand, change.after);
    let enabled = observed.directory.users().filter(|(_, user)| user.account.enabled);
    let enabled: Vec<UserIndex> = enabled.map(|(index, _)| index).collect();
    let (now, then, phase) = (observed.basis.judge(), basis.judge(), change.phase());
    let parts = share_out(&enabled, |users| {
        let compare = |user: &UserIndex| {
            let facts = planned.facts_before(phase, *user, observed.facts(*user));
            let (before, after) = (now.posture(*user, &facts), then.posture(*user, &facts));
            (before != after).then_some(AffectedUser { user: *user, before, after })
        };
        users.iter().filter_map(compare).collect::<Vec<_>>()
    });
    parts.concat()
}

impl PlannedUsers<'_> {
    /// Returns the facts of a user after the planned changes of earlier phases.
    fn facts_before(&self, phase: Phase, user: UserIndex, facts: Facts) -> Facts {
        // INVARIANT: `users` is in the order of the directory.
        let Ok(place) = self.users.binary_search_by_key(&user, |one| one.user) else {
            return facts;
        };
        let changes = self.users.get(place).and_then(|one| self.changes.get(one.changes.clone()));
        let earlier = changes.unwrap_or_default().iter().filter(|change| Phase::of(change) < phase);
        earlier.fold(facts, |facts, change| change.applied_to(facts))
    }
}

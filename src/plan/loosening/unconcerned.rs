//! The users that a change cannot concern: the same rules decide about them on both sides, from the same
//! facts. Most users are like this in most changes, so the desired values of the others alone are computed.
//!
//! Not here: what a change does to the others (`users`).

use super::policies::{Pair, Pairs};
use super::{Side, Sides};
use crate::observed::Observed;
use crate::policy::Policy;
use crate::settings::Setting;
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::UserIndex;

/// The policies that decide the same on both sides, if they apply.
pub(super) struct SamePolicies(Vec<(PolicyIndex, PolicyIndex)>);

impl SamePolicies {
    pub(super) fn of(sides: Sides<'_>, pairs: &Pairs) -> Self {
        let same = pairs.both(sides).filter(|pair| decide_the_same(*pair));
        Self(same.map(|Pair { base, head }| (base.0, head.0)).collect())
    }

    /// Whether both sides decide the same about the user. No is always safe: it costs time.
    pub(super) fn decide_about(
        &self,
        sides: Sides<'_>,
        (base, head): (&Observed, &Observed),
        user: UserIndex,
    ) -> bool {
        let head_of = |base| self.0.iter().find(|(one, _)| *one == base).map(|(_, head)| *head);
        let before = candidates(sides.base, base, user).map(head_of);
        before.eq(candidates(sides.head, head, user).map(Some))
            && base.facts.get(user.place()) == head.facts.get(user.place())
    }
}

/// Returns the policies that can apply to the user, in the order that decides between two of one priority.
fn candidates<'a>(
    side: Side<'a>,
    observed: &'a Observed,
    user: UserIndex,
) -> impl Iterator<Item = PolicyIndex> + 'a {
    let places = 0..side.policies.policies.len();
    places.map(PolicyIndex::new).filter(move |index| observed.scope.is_candidate(*index, user))
}

/// Each part of a policy is compared, or does not count for the reason in the comment, so that a new part does
/// not compile until that is decided.
fn decide_the_same(Pair { base: (_, base), head: (_, head) }: Pair<'_>) -> bool {
    let Policy {
        name: _,
        description: _,
        mode,
        priority,
        // Candidates differ if these matter.
        who: _,
        except: _,
        // The methods of a user are a part of it, which candidates do not tell.
        only,
        rules,
        origin: _,
    } = base;
    *mode == head.mode
        && *priority == head.priority
        && *only == head.only
        && Setting::ALL.into_iter().all(|setting| rules.agrees(&head.rules, setting))
}

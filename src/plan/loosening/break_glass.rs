//! Break-glass accounts that a change adds or removes, and the checks of them. An added account is protected by
//! no policy any more, and a removed one may be written from now on.
//!
//! Not here: which accounts they are (`scope`).

use super::{Concerned, Loosening, Sides};
use crate::finding::{Code, quoted};
use crate::id::{GroupId, UserId};
use crate::observed::Observed;
use crate::policy::{BreakGlass, GuardEntry, GuardGroup};
use crate::source::Origin;
use crate::tenant::directory::UserIndex;

pub(super) fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    let (base, head) = (&sides.base.policies.project, &sides.head.policies.project);
    let BreakGlass {
        users: _,
        groups,
        former,
        minimum,
        // A place is no guard.
        origin: _,
    } = &base.break_glass;
    let now = &head.break_glass;
    let mut found = Vec::new();
    let (before_ids, now_ids) = (accounts(&base.break_glass), accounts(now));
    for (account, origin) in &now_ids {
        if !before_ids.iter().any(|(one, _)| one == account) {
            found.extend(added(sides, *account, *origin));
        }
    }
    for (account, origin) in &before_ids {
        if !now_ids.iter().any(|(one, _)| one == account) {
            found.extend(removed(sides, *account, *origin));
        }
    }
    found.extend(now.former.iter().filter_map(|entry| accepted(sides, former, entry)));
    found.extend(now.groups.iter().filter_map(|group| may_be_empty(sides, groups, group)));
    if now.minimum < *minimum {
        let message = format!(
            "fewer break-glass accounts are required: {minimum} before, {} now",
            now.minimum
        );
        let (before, after) = (base.places.minimum, head.places.minimum);
        found.push(Loosening::new(Code::MinimumLowered, message).at(sides, after, before));
    }
    found
}

/// An entry of the break-glass accounts. The name of an entry is only checked, with a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Account {
    User(UserId),
    Group(GroupId),
}

fn accounts(break_glass: &BreakGlass) -> Vec<(Account, Origin)> {
    let users = break_glass.users.iter().map(|entry| (Account::User(entry.id), entry.origin));
    let groups = break_glass.groups.iter().map(|GuardGroup { entry, allow_empty: _ }| {
        let GuardEntry { id, name: _, origin } = entry;
        (Account::Group(*id), *origin)
    });
    users.chain(groups).collect()
}

impl Account {
    fn words(self) -> String {
        match self {
            Self::User(id) => format!("account {}", quoted(&id.to_string())),
            Self::Group(id) => format!("group {}", quoted(&id.to_string())),
        }
    }

    /// Returns the users of the entry that are break-glass accounts on one side and not on the other.
    fn only_in(self, side: &Observed, other: &Observed) -> Vec<UserIndex> {
        let users: Vec<UserIndex> = match self {
            Self::User(id) => side.directory.find(id).into_iter().collect(),
            Self::Group(id) => {
                let members = side.directory.guarded(id);
                members.into_iter().flat_map(|all| all.ones()).map(UserIndex::new).collect()
            }
        };
        let differs = |user: &UserIndex| {
            side.scope.is_break_glass(*user) && !other.scope.is_break_glass(*user)
        };
        users.into_iter().filter(differs).collect()
    }

    /// Whether the entry matters although it changes nothing today: the members of a group change.
    const fn is_open(self) -> bool {
        matches!(self, Self::Group(_))
    }
}

fn added(sides: Sides<'_>, account: Account, origin: Origin) -> Option<Loosening> {
    let users = sides.observed().map(|(base, head)| (head, account.only_in(head, base)));
    if users.as_ref().is_some_and(|(_, users)| users.is_empty()) && !account.is_open() {
        return None;
    }
    let message =
        format!("{} is a break-glass account now, and no policy protects it", account.words());
    let concerned = users.map(|(observed, users)| Concerned::in_tenant(observed, users));
    let found = Loosening::new(Code::BreakGlassAdded, message).at(sides, Some(origin), None);
    Some(found.concerning(concerned))
}

fn removed(sides: Sides<'_>, account: Account, origin: Origin) -> Option<Loosening> {
    let users = sides.observed().map(|(base, head)| (base, account.only_in(base, head)));
    if users.as_ref().is_some_and(|(_, users)| users.is_empty()) && !account.is_open() {
        return None;
    }
    let message =
        format!("{} is no break-glass account any more, and may be written", account.words());
    let concerned = users.map(|(observed, users)| Concerned::in_tenant(observed, users));
    let found = Loosening::new(Code::BreakGlassRemoved, message).at(sides, None, Some(origin));
    Some(found.concerning(concerned))
}

fn accepted(
    sides: Sides<'_>,
    before: &[GuardEntry<UserId>],
    entry: &GuardEntry<UserId>,
) -> Option<Loosening> {
    let GuardEntry { id, name: _, origin } = entry;
    if before.iter().any(|one| one.id == *id) {
        return None;
    }
    let message =
        format!("account {} may cease to be a break-glass account", quoted(&id.to_string()));
    let concerned =
        sides.observed().map(|(_, head)| Concerned::in_tenant(head, head.directory.find(*id)));
    let found = Loosening::new(Code::FormerAdded, message).at(sides, Some(*origin), None);
    Some(found.concerning(concerned))
}

fn may_be_empty(sides: Sides<'_>, before: &[GuardGroup], group: &GuardGroup) -> Option<Loosening> {
    let GuardGroup { entry, allow_empty } = group;
    let before = before.iter().filter(|one| one.entry.id == entry.id);
    let had_to_have_members = !before.clone().any(|one| one.allow_empty) && before.count() > 0;
    (*allow_empty && had_to_have_members).then(|| {
        let id = entry.id.to_string();
        let message = format!("break-glass group {} may be empty", quoted(&id));
        Loosening::new(Code::AllowEmptyAdded, message).at(sides, Some(entry.origin), None)
    })
}

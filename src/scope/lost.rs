//! Finds accounts that were in a break-glass group at the last apply and are no longer break-glass accounts.
//! Removal from the group removes the protection of the account, so the files must confirm that it was
//! intended.
//!
//! Not here: the members of the groups now (`guards`), or where the last apply recorded them (`apply`).

use std::collections::BTreeSet;

use super::{Scope, break_glass_ids};
use crate::finding::{Code, Finding, quoted};
use crate::id::UserId;
use crate::policy::{BreakGlass, GuardGroup};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::membership::Guarding;
use crate::untrusted::Untrusted;

/// The members of each break-glass group, by any read.
#[must_use]
pub fn guarding(guards: &BreakGlass, directory: &Directory) -> Guarding {
    let id = |place| directory.user(UserIndex::new(place)).map(|user| user.id);
    let members = |group: &GuardGroup| {
        let members = directory.guarded(group.entry.id)?;
        Some((group.entry.id, members.ones().filter_map(id).collect()))
    };
    Guarding(guards.groups.iter().filter_map(members).collect())
}

/// Returns an error for each break-glass group that lost accounts, and a warning for each account that is
/// listed as a former break-glass account but still is one.
#[must_use]
pub fn lost(
    guards: &BreakGlass,
    directory: &Directory,
    scope: &Scope,
    known: &Guarding,
) -> Vec<Finding> {
    let guarded = break_glass_ids(scope, directory);
    let former: BTreeSet<UserId> = guards.former.iter().map(|entry| entry.id).collect();
    let of_group = |group: &GuardGroup| {
        let is_empty = directory.guarded(group.entry.id).is_none_or(|members| members.is_clear());
        if is_empty && group.allow_empty {
            return None;
        }
        let known = known.0.get(&group.entry.id)?;
        let is_lost = |id: &&UserId| !guarded.contains(id) && !former.contains(id);
        let lost: Vec<UserId> = known.iter().filter(is_lost).copied().collect();
        (!lost.is_empty()).then(|| lost_by(group, &lost, directory))
    };
    let contradictory = guards.former.iter().filter(|entry| guarded.contains(&entry.id));
    let contradictory = contradictory.map(|entry| {
        let message = format!("{} is listed as a former break-glass account but still is one", named(entry.id, directory));
        Finding::new(Code::BreakGlassFormer, message)
            .at(entry.origin, "listed here")
            .help("remove it from `breakGlass.former`, or remove the account from the group; it is not written to while it is a break-glass account")
            .users([entry.id])
    });
    guards.groups.iter().filter_map(of_group).chain(contradictory).collect()
}

fn lost_by(group: &GuardGroup, lost: &[UserId], directory: &Directory) -> Finding {
    let entry = &group.entry;
    let name = directory.group(entry.id).map_or(Untrusted::unknown(), |group| &group.name);
    let accounts: Vec<String> = lost.iter().map(|id| named(*id, directory)).collect();
    let message = format!(
        "break-glass group {} lost members since the last apply: {}",
        quoted(name),
        accounts.join(", ")
    );
    Finding::new(Code::BreakGlassLost, message)
        .at(entry.origin, "named here")
        .help("put them back into the group; if an account left on purpose, list it under `breakGlass.former`; if the group must be empty, set `allowEmpty: true`")
        .users(lost.iter().copied())
}

/// Names an account by its name, if known, and by its id, which the files use.
fn named(id: UserId, directory: &Directory) -> String {
    match directory.find(id) {
        Some(index) => format!("{} (`{id}`)", quoted(directory.name(index))),
        None => format!("`{id}` (not in this tenant)"),
    }
}

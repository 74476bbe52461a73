//! Policies × directory: who is meant by each policy, who is never touched, and before that, what
//! has to be read to know it.
//!
//! Not here: what a policy wants of whom (`desired`). What narrows must resolve or the plan stops;
//! what widens may not, and is a warning.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::finding::{Code, Finding};
use crate::id::{GroupId, UserId};
use crate::policy::{BreakGlass, GroupRef, GuardEntry, Policy, PolicySet, UserRef};
use crate::settings::change::PolicyIndex;
use crate::source::Origin;
use crate::tenant::directory::{Account, Directory, Group, User, UserIndex};
use crate::tenant::lookup::Lookup;

/// Who is meant, by the places of users in the directory.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    policies: Vec<FixedBitSet>,
    in_scope: FixedBitSet,
    break_glass: FixedBitSet,
}

impl Scope {
    /// Whether the policy applies to the user.
    #[must_use]
    pub fn applies(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.policies.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Everybody whom at least one policy governs, break-glass accounts out.
    pub fn users(&self) -> impl Iterator<Item = UserIndex> {
        self.in_scope.ones().map(UserIndex::new)
    }

    #[must_use]
    pub fn contains(&self, user: UserIndex) -> bool {
        self.in_scope.contains(user.place())
    }

    /// The accounts that are never written.
    pub fn break_glass(&self) -> impl Iterator<Item = UserIndex> {
        self.break_glass.ones().map(UserIndex::new)
    }
}

/// Everything that must be read of the directory to know who is meant.
#[must_use]
pub fn lookup(set: &PolicySet) -> Lookup {
    let mut lookup = Lookup::default();
    for policy in &set.policies {
        lookup.everyone |= policy.who.everyone;
        for (group, _) in &policy.who.groups {
            match group {
                GroupRef::Name(name) => _ = lookup.group_names.insert(name.clone()),
                GroupRef::Id(id) | GroupRef::Both { id, .. } => _ = lookup.group_ids.insert(*id),
            }
        }
        for (user, _) in &policy.who.users {
            match user {
                UserRef::PrincipalName(name) => _ = lookup.user_names.insert(name.to_lowercase()),
                UserRef::Id(id) => _ = lookup.user_ids.insert(*id),
            }
        }
        lookup.attributes.extend(policy.rules.attributes());
    }
    let guards = &set.project.break_glass;
    lookup.group_ids.extend(guards.groups.iter().map(|entry| entry.id));
    lookup.user_ids.extend(guards.users.iter().map(|entry| entry.id));
    lookup
}

/// Who is meant by each policy and who is never touched, with what was found on the way. An error
/// among the findings means that no plan may be made of the scope.
#[must_use]
pub fn resolve(set: &PolicySet, directory: &Directory) -> (Scope, Vec<Finding>) {
    let mut findings = Vec::new();
    let break_glass = break_glass(&set.project.break_glass, directory, &mut findings);
    let mut scope = Scope {
        break_glass,
        in_scope: FixedBitSet::with_capacity(directory.len()),
        policies: Vec::new(),
    };
    for policy in &set.policies {
        let mut users = named_by(policy, directory, &scope.break_glass, &mut findings);
        users.difference_with(&scope.break_glass);
        scope.in_scope.union_with(&users);
        scope.policies.push(users);
    }
    (scope, findings)
}

fn named_by(
    policy: &Policy,
    directory: &Directory,
    break_glass: &FixedBitSet,
    findings: &mut Vec<Finding>,
) -> FixedBitSet {
    let mut users = FixedBitSet::with_capacity(directory.len());
    if policy.who.everyone {
        users.insert_range(..directory.len());
    }
    for (group, origin) in &policy.who.groups {
        if let Some(members) = find_group(group, *origin, policy, directory, findings)
            .and_then(|id| directory.members(id))
        {
            users.union_with(members);
        }
    }
    for place in users.clone().ones() {
        if directory.user(UserIndex::new(place)).is_none_or(|user| left_out(user).is_some()) {
            users.set(place, false);
        }
    }
    for (user, origin) in &policy.who.users {
        let Some(index) = find_user(user, directory) else {
            findings.push(
                Finding::new(Code::UserNotFound, format!("no user {} in this tenant", shown(user)))
                    .at(*origin, "named here")
                    .policy(&policy.name)
                    .help("remove the line, or correct the name; the policy applies to the others"),
            );
            continue;
        };
        let never =
            break_glass.contains(index.place()).then_some("break-glass accounts are never written");
        match directory
            .user(index)
            .and_then(|user| never.or_else(|| left_out(user)).map(|why| (user, why)))
        {
            None => users.insert(index.place()),
            Some((user, why)) => findings.push(
                Finding::new(
                    Code::UserLeftOut,
                    format!("`{}` is named, and left out: {why}", user.name),
                )
                .at(*origin, "named here")
                .policy(&policy.name)
                .users([user.id]),
            ),
        }
    }
    users
}

/// Why no policy governs such an account.
fn left_out(user: &User) -> Option<&'static str> {
    match user.account {
        Account { directory_sync: true, .. } => {
            Some("it is the account of directory synchronisation")
        }
        Account { guest: true, .. } => Some("it is a guest, whose methods live in another tenant"),
        Account { homed_elsewhere: true, .. } => Some("it signs in from another tenant (`#EXT#`)"),
        Account { enabled: false, .. } => Some("the account is disabled"),
        _ => None,
    }
}

fn shown(user: &UserRef) -> String {
    match user {
        UserRef::PrincipalName(name) => format!("`{name}`"),
        UserRef::Id(id) => format!("`{id}`"),
    }
}

fn find_user(user: &UserRef, directory: &Directory) -> Option<UserIndex> {
    match user {
        UserRef::PrincipalName(name) => directory.find_by_name(name),
        UserRef::Id(id) => directory.find(*id),
    }
}

fn find_group(
    group: &GroupRef,
    origin: Origin,
    policy: &Policy,
    directory: &Directory,
    findings: &mut Vec<Finding>,
) -> Option<GroupId> {
    match group {
        GroupRef::Name(name) => find_group_by_name(name, origin, policy, directory, findings),
        GroupRef::Id(id) | GroupRef::Both { id, .. } => {
            let Some(found) = directory.group(*id) else {
                findings.push(
                    Finding::new(
                        Code::GroupNotFound,
                        format!("no group with id `{id}` in this tenant"),
                    )
                    .at(origin, "named here")
                    .policy(&policy.name)
                    .help("look the group up in the Entra admin centre and copy its object id"),
                );
                return None;
            };
            if let GroupRef::Both { name, .. } = group {
                check_name(name, &found.name, "group", origin, findings);
            }
            Some(*id)
        }
    }
}

fn find_group_by_name(
    name: &str,
    origin: Origin,
    policy: &Policy,
    directory: &Directory,
    findings: &mut Vec<Finding>,
) -> Option<GroupId> {
    let (security, others): (Vec<&Group>, Vec<&Group>) =
        directory.groups_named(name).partition(|group| group.is_security);
    let finding = match (security.as_slice(), others.as_slice()) {
        ([group], _) => return Some(group.id),
        ([], []) => {
            Finding::new(Code::GroupNotFound, format!("no security group is called `{name}`"))
                .help("check the spelling, or name the group by its object id")
        }
        ([], [other, ..]) => Finding::new(
            Code::GroupNotFound,
            format!("`{name}` is a Microsoft 365 group, not a security group"),
        )
        .help(format!("if it is meant all the same, name it by id: `{}`", other.id)),
        (several, _) => {
            let ids: Vec<String> = several.iter().map(|group| format!("`{}`", group.id)).collect();
            Finding::new(
                Code::GroupAmbiguous,
                format!("{} security groups are called `{name}`", several.len()),
            )
            .help(format!("name one by its id: {}", ids.join(" or ")))
        }
    };
    findings.push(finding.at(origin, "named here").policy(&policy.name));
    None
}

/// The accounts that are never written. Every entry must resolve, or nothing may be planned.
fn break_glass(
    guards: &BreakGlass,
    directory: &Directory,
    findings: &mut Vec<Finding>,
) -> FixedBitSet {
    let mut accounts = FixedBitSet::with_capacity(directory.len());
    for entry in &guards.users {
        match directory.find(entry.id).and_then(|index| Some((index, directory.user(index)?))) {
            None => findings.push(unresolved("account", entry)),
            Some((index, user)) => {
                accounts.insert(index.place());
                check_guard_name(entry, &user.name, "account", findings);
            }
        }
    }
    for entry in &guards.groups {
        match (directory.group(entry.id), directory.members(entry.id)) {
            (Some(group), Some(members)) => {
                accounts.union_with(members);
                check_guard_name(entry, &group.name, "group", findings);
            }
            _ => findings.push(unresolved("group", entry)),
        }
    }
    enough(guards, &accounts, directory, findings);
    accounts
}

fn enough(
    guards: &BreakGlass,
    accounts: &FixedBitSet,
    directory: &Directory,
    findings: &mut Vec<Finding>,
) {
    let enabled = accounts
        .ones()
        .filter_map(|place| directory.user(UserIndex::new(place)))
        .filter(|user| user.account.enabled)
        .count();
    let wanted = guards.minimum as usize;
    if enabled < wanted {
        let finding = Finding::new(
            Code::BreakGlassMinimum,
            format!("{enabled} enabled break-glass accounts, and `minimum` is {wanted}"),
        )
        .help("add accounts to `breakGlass`, enable the ones that are there, or lower `minimum`");
        findings.push(match guards.origin {
            Some(origin) => finding.at(origin, "these"),
            None => finding,
        });
    }
}

fn unresolved<Id: std::fmt::Display>(what: &str, entry: &GuardEntry<Id>) -> Finding {
    let name = entry.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
    Finding::new(Code::GuardUnresolved, format!("break-glass {what} `{}`{name} is not in this tenant", entry.id))
        .at(entry.origin, "named here")
        .help("correct the id; nothing is planned while an account that must never be written is not known")
}

fn check_guard_name<Id>(
    entry: &GuardEntry<Id>,
    found: &str,
    what: &str,
    findings: &mut Vec<Finding>,
) {
    if let Some(name) = &entry.name {
        check_name(name, found, what, entry.origin, findings);
    }
}

fn check_name(written: &str, found: &str, what: &str, origin: Origin, findings: &mut Vec<Finding>) {
    if written.to_lowercase() != found.to_lowercase() {
        findings.push(
            Finding::new(
                Code::NameDiffers,
                format!("the {what} is called `{found}` in the tenant, not `{written}`"),
            )
            .at(origin, "the id decides")
            .help("find out who renamed it, then correct the name here"),
        );
    }
}

/// Whom a plan must never name, by id, as part of its basis.
#[must_use]
pub fn break_glass_ids(scope: &Scope, directory: &Directory) -> BTreeSet<UserId> {
    scope.break_glass().filter_map(|index| directory.user(index)).map(|user| user.id).collect()
}

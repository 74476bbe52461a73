//! The keys of an invented person that is like a real user. Groups, roles and departments are written as the
//! policies name them, and others are not written.
//!
//! Not here: phone numbers (`numbers`), or the expectations (`as_test`).

use super::numbers::InventedNumbers;
use super::yaml;
use crate::checks::catalogue::{ADMINISTRATOR, Catalogue, is_administrator};
use crate::id::{GroupId, RoleId};
use crate::observed::Observed;
use crate::policy::{GroupRef, Policy, PolicySet, RoleRef};
use crate::tenant::directory::{Directory, User, UserIndex};
use crate::tenant::facts::{Facts, MethodKind, MfaState, Read};
use crate::tenant::roles::Roles;

/// A role that the policies do not name. Only having a role counts then.
const OTHER_ROLE: &str = "Another role";

/// A principal name of a guest from another tenant.
const EXTERNAL_NAME: &str = "\"person-1#EXT#@people.example\"";

/// Returns the keys with their values.
pub(super) fn keys(
    set: &PolicySet,
    (observed, roles): (&Observed, &Read<Roles>),
    index: UserIndex,
) -> Vec<String> {
    let Some(user) = observed.directory.user(index) else { return Vec::new() };
    let facts = observed.facts(index);
    let mut keys = Vec::new();
    let mut list = |key: &str, words: Vec<String>| {
        if !words.is_empty() {
            keys.push(format!("{key}: [{}]", words.join(", ")));
        }
    };
    list("groups", groups(set, &observed.directory, index));
    let (active, eligible) = roles_of(set, roles, user);
    list("roles", active);
    list("eligibleRoles", eligible);
    list("registered", registered(&facts));
    keys.extend(account(set, user));
    keys.extend(InventedNumbers::of(user, &facts).keys());
    keys.extend(sign_in(&facts));
    keys
}

/// Returns the groups of the user that the policies name, each by one word.
fn groups(set: &PolicySet, directory: &Directory, index: UserIndex) -> Vec<String> {
    let catalogue = Catalogue::of(set);
    let guards = set.project.break_glass.groups.iter().map(|group| &group.entry);
    let excluded = set.policies.iter().flat_map(|policy| &policy.except);
    let guards = guards.chain(excluded.flat_map(|exception| &exception.groups));
    let guards = guards.map(|entry| (Some(entry.id), entry.name.as_deref()));
    let named = set.policies.iter().flat_map(|policy| &policy.who.groups);
    let named = named.map(|(group, _)| match group {
        GroupRef::Name(name) => (None, Some(name.as_str())),
        GroupRef::Id(id) => (Some(*id), None),
        GroupRef::Both { id, name } => (Some(*id), Some(name.as_str())),
    });
    let is_in =
        |id: GroupId| directory.members(id).is_some_and(|members| members.contains(index.place()));
    let word = |(id, name): (Option<GroupId>, Option<&str>)| {
        let is_member = match (id, name) {
            (Some(id), _) => is_in(id),
            (None, Some(name)) => directory.groups_named(name).any(|group| is_in(group.id)),
            (None, None) => false,
        };
        let is_clear = |name: &&str| catalogue.find_groups(name).len() == 1;
        let word = name.filter(is_clear).map(str::to_owned).or(id.map(|id| id.to_string()));
        word.filter(|_| is_member)
    };
    sorted(guards.chain(named).filter_map(word))
}

/// Returns the roles that the user holds, and those that the user can activate.
fn roles_of(set: &PolicySet, roles: &Read<Roles>, user: &User) -> (Vec<String>, Vec<String>) {
    let Some(roles) = roles.known() else { return (Vec::new(), Vec::new()) };
    let excluded = set.policies.iter().flat_map(|policy| &policy.except);
    let named = set.policies.iter().flat_map(|policy| &policy.who.roles);
    let named: Vec<(RoleId, String)> = named
        .chain(excluded.flat_map(|exception| &exception.roles))
        .filter_map(|(role, _)| match role {
            RoleRef::Id(id) => Some((*id, id.to_string())),
            RoleRef::Name(name) => Some((roles.named(name)?, name.clone())),
        })
        .collect();
    let word = |role: RoleId| {
        let by_policy = named.iter().find(|(id, _)| *id == role).map(|(_, word)| word.clone());
        let any = if is_administrator(&role.to_string()) { ADMINISTRATOR } else { OTHER_ROLE };
        by_policy.unwrap_or_else(|| any.to_owned())
    };
    let held = roles.holders.iter();
    let active = held.clone().filter(|(_, holders)| holders.active.contains(&user.id));
    let eligible = held.filter(|(_, holders)| {
        holders.eligible.contains(&user.id) && !holders.active.contains(&user.id)
    });
    let words = |roles: Vec<RoleId>| sorted(roles.into_iter().map(word));
    (words(active.map(|(id, _)| *id).collect()), words(eligible.map(|(id, _)| *id).collect()))
}

/// Returns the words in YAML, each once.
fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.map(|word| yaml(&word)).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Returns the registered methods except phones.
fn registered(facts: &Facts) -> Vec<String> {
    let none = [
        MethodKind::MobilePhone,
        MethodKind::AlternateMobilePhone,
        MethodKind::OfficePhone,
        MethodKind::Password,
        MethodKind::Unrecognised,
    ];
    let kinds = facts.methods.known().map(|methods| methods.kinds.iter());
    let kinds = kinds.into_iter().flatten().filter(|kind| !none.contains(kind));
    kinds.map(|kind| kind.key().to_owned()).collect()
}

/// Returns the properties of the account that policies use.
fn account(set: &PolicySet, user: &User) -> Vec<String> {
    let uses = |test: fn(&Policy) -> bool| set.policies.iter().any(test);
    let account = user.account;
    let location = user.usage_location.filter(|_| uses(|one| one.only.usage_location.is_some()));
    let department = user.department.as_ref().map(|text| text.trim().to_lowercase());
    let department = department.filter(|text| {
        let tests = set.policies.iter().filter_map(|policy| policy.only.department.as_ref());
        tests.flat_map(|test| test.any.iter().chain(&test.none)).any(|name| name == text)
    });
    [
        account.homed_elsewhere.then(|| format!("name: {EXTERNAL_NAME}")),
        department.map(|name| format!("department: {}", yaml(&name))),
        location.map(|region| format!("usageLocation: {}", yaml(&region.to_string()))),
        account.synced.then(|| "synced: true".to_owned()),
        account.guest.then(|| "guest: true".to_owned()),
        (!account.enabled).then(|| "enabled: false".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the per-user MFA state and the preferences, where they differ from those of a new account.
fn sign_in(facts: &Facts) -> Vec<String> {
    let state = facts.state.known().filter(|state| **state != MfaState::Disabled);
    let default = facts.default_method.known().copied().flatten();
    let preferred = facts.system_preferred.known().filter(|is_on| !**is_on);
    [
        state.map(|state| format!("perUserMfa: {state}")),
        default.map(|method| format!("defaultMethod: {}", method.as_str())),
        preferred.map(|_| "systemPreferredMfa: false".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

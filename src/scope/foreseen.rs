//! Of whom a page of a list tells already that a policy means them, whatever the rest of the
//! directory holds.
//!
//! It decides nothing: who is in scope is for `resolve` to say, which knows everything. Only what is
//! read early hangs on it.

use super::left_out::judge;
use crate::policy::{GroupRef, Policy, PolicySet};
use crate::tenant::directory::User;
use crate::tenant::lookup::List;

/// The policies that mean those in a list.
#[derive(Debug)]
pub struct Foreseen<'a>(Vec<&'a Policy>);

/// Policies that mean everybody in the list, except for people whom they name one by one and those
/// whom `where` leaves out. One that leaves out groups or roles waits until it is known who that is.
#[must_use]
pub fn foreseen<'a>(set: &'a PolicySet, list: List<'_>) -> Foreseen<'a> {
    let names = |policy: &Policy| match list {
        List::Everybody => policy.who.everyone,
        List::MembersOf(group) => policy.who.groups.iter().any(|(named, _)| match named {
            GroupRef::Name(name) => name.to_lowercase() == group.name.to_lowercase(),
            GroupRef::Id(id) | GroupRef::Both { id, .. } => *id == group.id,
        }),
    };
    let is_plain = |policy: &Policy| {
        policy.except.iter().all(|except| except.groups.is_empty() && except.roles.is_empty())
    };
    let policies = set.policies.iter();
    Foreseen(policies.filter(|policy| is_plain(policy) && names(policy)).collect())
}

impl Foreseen<'_> {
    /// Whether one of the policies means the user.
    #[must_use]
    pub fn means(&self, user: &User) -> bool {
        let excepted = |policy: &Policy| {
            policy.except.iter().flat_map(|except| &except.users).any(|entry| entry.id == user.id)
        };
        self.0.iter().any(|policy| judge(&policy.only, user).is_none() && !excepted(policy))
    }
}

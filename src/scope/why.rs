//! One user and one policy: the entries by which the policy names the user, and what excludes the user. This
//! uses the same functions as [`super::resolve`], so that both always agree.
//!
//! Not here: sentences for a reader (`explain`).

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::excluded::{Exclusion, by_methods};
use super::{Resolver, Scope};
use crate::id::{GroupId, RoleId, UserId};
use crate::policy::Policy;
use crate::source::Origin;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::roles::Roles;

/// How one entry of a policy names users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRule {
    Everyone,
    Group(GroupId),
    Role(RoleId),
    /// By the user itself.
    Named,
}

/// An entry of `appliesTo` or of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeEntry {
    pub rule: EntryRule,
    pub origin: Option<Origin>,
}

/// How a user has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleMembership {
    Active,
    /// Active for a part of the directory only.
    Scoped,
    /// Can activate the role.
    Eligible,
}

/// Whether a policy applies to one user, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matched {
    /// Every entry that names the user.
    pub named: Vec<ScopeEntry>,
    /// Why a user that is named is excluded.
    pub out: Option<Exclusion>,
    /// The exception that names the user, by its place in the policy, and its entry.
    pub exception: Option<(usize, ScopeEntry)>,
}

/// The tenant that a scope was resolved in.
#[derive(Debug, Clone, Copy)]
pub struct ResolvedTenant<'a> {
    pub directory: &'a Directory,
    pub roles: &'a Read<Roles>,
    pub today: Date,
}

impl ScopeEntry {
    pub(super) const fn new(rule: EntryRule, origin: Origin) -> Self {
        Self { rule, origin: Some(origin) }
    }
}

impl Matched {
    #[must_use]
    pub const fn applies(&self) -> bool {
        !self.named.is_empty() && self.out.is_none()
    }
}

impl Scope {
    /// Why a policy applies to a user with these facts, or does not apply.
    #[must_use]
    pub fn why(
        &self,
        tenant: ResolvedTenant<'_>,
        policy: &Policy,
        user: UserIndex,
        facts: &Facts,
    ) -> Matched {
        let mut resolver = Resolver {
            directory: tenant.directory,
            roles: tenant.roles,
            today: tenant.today,
            // The names were already reported when they were resolved.
            findings: Vec::new(),
            warned: BTreeSet::new(),
            break_glass: self.break_glass.clone(),
        };
        let mut matched = Matched::default();
        resolver.each_named(policy, &mut |entry, people| {
            if people.has(user) {
                matched.named.push(entry);
            }
        });
        if matched.named.is_empty() {
            return matched;
        }
        resolver.each_excepted(policy, &mut |place, entry, people| {
            if people.has(user) {
                matched.exception.get_or_insert((place, entry));
            }
        });
        let by_directory = resolver.out(policy, user, matched.exception.is_some());
        matched.out = by_directory.or_else(|| by_methods(&policy.only, facts));
        matched
    }
}

impl RoleMembership {
    /// How the user has the role, if at all.
    #[must_use]
    pub fn of(user: UserId, role: RoleId, roles: &Roles) -> Option<Self> {
        let holders = roles.holders.get(&role)?;
        match () {
            () if holders.scoped.contains(&user) => Some(Self::Scoped),
            () if holders.active.contains(&user) => Some(Self::Active),
            () if holders.eligible.contains(&user) => Some(Self::Eligible),
            () => None,
        }
    }
}

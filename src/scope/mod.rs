//! Resolves policies against the directory: which users each policy applies to, which accounts are never
//! written to, and before that, what must be read to find out. What narrows (break-glass entries, exceptions)
//! must resolve, or the plan stops. A user named in `appliesTo` who does not exist is only a warning.
//!
//! `guards` resolves what must never be missed, `lost` finds accounts that break-glass groups lost, `names`
//! resolves what policies name, `excluded` checks single users, `why` explains the result for one user, and
//! `prefetch_candidates` finds users to prefetch.
//!
//! Not here: what a policy asks of each user (`desired`).

mod excluded;
mod guards;
mod lost;
mod names;
mod prefetch_candidates;
mod why;

pub use excluded::Exclusion;
pub use lost::{guarding, lost};
pub use prefetch_candidates::Foreseen;
pub use why::{EntryRule, Matched, ResolvedTenant, RoleMembership, ScopeEntry};

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;
use jiff::civil::Date;

use crate::finding::{Code, Finding};
use crate::id::{GroupId, UserId};
use crate::policy::{GroupRef, Policy, PolicySet, RoleRef, UserRef};
use crate::settings::change::PolicyIndex;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::Lookup;
use crate::tenant::roles::Roles;

/// The user's part in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserPart {
    InScope,
    /// Only policies in report mode apply, or policies that declare everything unmanaged.
    NotManaged,
    BreakGlass,
    /// No policy applies.
    OutOfScope,
}

/// The users of each policy, by their places in the directory.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The users of each policy by the directory alone. `where.registered` is checked when facts are known.
    candidates: Vec<FixedBitSet>,
    /// The holders of the roles that each policy names.
    by_role: Vec<FixedBitSet>,
    /// The users that the exceptions of each policy exclude, whether `appliesTo` names them or not.
    excepted: Vec<FixedBitSet>,
    /// The same for each exception alone.
    excepted_by: Vec<Vec<FixedBitSet>>,
    /// The users of each policy as if it had no exceptions and there were no break-glass accounts.
    reached: Vec<FixedBitSet>,
    all: FixedBitSet,
    break_glass: FixedBitSet,
}

impl Scope {
    /// Whether the policy applies to a user with these facts. Methods that could not be read do not meet
    /// `where.registered`.
    #[must_use]
    pub fn applies(
        &self,
        index: PolicyIndex,
        policy: &Policy,
        user: UserIndex,
        facts: &Facts,
    ) -> bool {
        self.is_candidate(index, user) && excluded::by_methods(&policy.only, facts).is_none()
    }

    /// Whether it is unknown if the policy applies: only the methods, which could not be read, decide it.
    #[must_use]
    pub fn may_apply(
        &self,
        index: PolicyIndex,
        policy: &Policy,
        user: UserIndex,
        facts: &Facts,
    ) -> bool {
        let by_methods = excluded::by_methods(&policy.only, facts);
        self.is_candidate(index, user) && by_methods == Some(Exclusion::MethodsUnread)
    }

    /// Whether the policy applies to the user by the directory alone.
    #[must_use]
    pub fn is_candidate(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.candidates.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Whether the policy names a role that the user holds or can activate.
    #[must_use]
    pub fn names_role(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.by_role.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Whether an exception of the policy excludes the user.
    #[must_use]
    pub fn is_excepted(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.excepted.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Returns the users that this exception of the policy excludes, by its place in the policy. None if it
    /// no longer counts.
    pub fn excepted_by(
        &self,
        policy: PolicyIndex,
        exception: usize,
    ) -> impl Iterator<Item = UserIndex> {
        let users = self.excepted_by.get(policy.place()).and_then(|all| all.get(exception));
        users.into_iter().flat_map(FixedBitSet::ones).map(UserIndex::new)
    }

    /// Whether the policy would apply by the directory alone if it had no exceptions and there were no
    /// break-glass accounts.
    #[must_use]
    pub fn reaches(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.reached.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Whether the account is never written.
    #[must_use]
    pub fn is_break_glass(&self, user: UserIndex) -> bool {
        self.break_glass.contains(user.place())
    }

    /// Whether the facts of the user are read.
    #[must_use]
    pub fn is_in_scope(&self, user: UserIndex) -> bool {
        self.all.contains(user.place())
    }

    /// The users whose facts are read: all that a policy may apply to, also in report mode, without the
    /// break-glass accounts.
    pub fn users(&self) -> impl Iterator<Item = UserIndex> {
        self.all.ones().map(UserIndex::new)
    }

    /// The accounts that are never written.
    pub fn break_glass(&self) -> impl Iterator<Item = UserIndex> {
        self.break_glass.ones().map(UserIndex::new)
    }
}

/// What must be read from the directory to resolve the policies. If it includes roles, their [`holders`] must
/// be read too.
#[must_use]
pub fn lookup(set: &PolicySet) -> Lookup {
    let mut lookup = Lookup::default();
    for policy in &set.policies {
        who(policy, &mut lookup);
        for exception in &policy.except {
            let groups = exception.groups.iter().map(|entry| entry.id);
            lookup.guards.extend(groups.clone());
            lookup.group_ids.extend(groups);
            lookup.user_ids.extend(exception.users.iter().map(|entry| entry.id));
        }
        lookup.roles |= roles_of(policy).next().is_some();
        lookup.department |= policy.only.department.is_some();
        lookup.attributes.extend(policy.rules.attributes());
    }
    let guards = &set.project.break_glass;
    let groups = guards.groups.iter().map(|group| group.entry.id);
    lookup.guards.extend(groups.clone());
    lookup.group_ids.extend(groups);
    lookup.user_ids.extend(guards.users.iter().map(|entry| entry.id));
    lookup
}

fn who(policy: &Policy, lookup: &mut Lookup) {
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
}

/// Every role that the policy names, in `appliesTo` or in an exception.
fn roles_of(policy: &Policy) -> impl Iterator<Item = &RoleRef> {
    let excepted = policy.except.iter().flat_map(|exception| &exception.roles);
    policy.who.roles.iter().chain(excepted).map(|(role, _)| role)
}

/// All users that hold a role that a policy names, or can activate it.
#[must_use]
pub fn holders(set: &PolicySet, roles: &Roles) -> BTreeSet<UserId> {
    let named = set.policies.iter().flat_map(roles_of);
    named.filter_map(|role| names::find_role(role, roles)).flat_map(|id| roles.people(id)).collect()
}

/// Resolves the users of each policy and the break-glass accounts, with findings. If a finding is an error,
/// no plan may be made from the scope. Exceptions are over or not as of `today`.
#[must_use]
pub fn resolve(
    set: &PolicySet,
    directory: &Directory,
    roles: &Read<Roles>,
    today: Date,
) -> (Scope, Vec<Finding>) {
    let mut resolver = Resolver {
        directory,
        roles,
        today,
        findings: Vec::new(),
        warned: BTreeSet::new(),
        break_glass: FixedBitSet::with_capacity(directory.len()),
    };
    resolver.break_glass = resolver.break_glass_accounts(&set.project.break_glass);
    let mut all = FixedBitSet::with_capacity(directory.len());
    let mut scope = Scope::default();
    for policy in &set.policies {
        let Resolved { users, by_role, excepted, excepted_by, reached } = resolver.resolve(policy);
        all.union_with(&users);
        scope.candidates.push(users);
        scope.by_role.push(by_role);
        scope.excepted.push(excepted);
        scope.excepted_by.push(excepted_by);
        scope.reached.push(reached);
    }
    resolver.note_eligibility(set);
    let Resolver { break_glass, findings, .. } = resolver;
    (Scope { all, break_glass, ..scope }, findings)
}

/// The users that one entry of a policy means.
#[derive(Clone, Copy)]
enum People<'a> {
    Everybody,
    One(UserIndex),
    Several(&'a FixedBitSet),
}

impl People<'_> {
    fn join_to(self, users: &mut FixedBitSet) {
        match self {
            Self::Everybody => users.insert_range(..),
            Self::One(index) => users.insert(index.place()),
            Self::Several(people) => users.union_with(people),
        }
    }

    fn has(self, user: UserIndex) -> bool {
        match self {
            Self::Everybody => true,
            Self::One(index) => index == user,
            Self::Several(people) => people.contains(user.place()),
        }
    }
}

/// The users of one policy, and the users that it excludes.
struct Resolved {
    users: FixedBitSet,
    by_role: FixedBitSet,
    excepted: FixedBitSet,
    excepted_by: Vec<FixedBitSet>,
    reached: FixedBitSet,
}

/// Resolves names in a tenant and collects findings.
struct Resolver<'a> {
    directory: &'a Directory,
    roles: &'a Read<Roles>,
    today: Date,
    findings: Vec<Finding>,
    /// Guard groups with a warning already; several policies can name one group.
    warned: BTreeSet<GroupId>,
    break_glass: FixedBitSet,
}

impl Resolver<'_> {
    /// Resolves `appliesTo` minus `except`, filtered by `where`, minus break-glass accounts; and the users
    /// that are named by a role.
    fn resolve(&mut self, policy: &Policy) -> Resolved {
        let mut users = FixedBitSet::with_capacity(self.directory.len());
        let mut by_role = FixedBitSet::default();
        let mut named = BTreeMap::new();
        self.each_named(policy, &mut |entry, people| {
            if let (EntryRule::Named, People::One(index), Some(origin)) =
                (entry.rule, people, entry.origin)
            {
                named.entry(index).or_insert(origin);
            }
            if let (EntryRule::Role(_), People::Several(holders)) = (entry.rule, people) {
                by_role.union_with(holders);
            }
            people.join_to(&mut users);
        });
        let mut excepted = FixedBitSet::with_capacity(self.directory.len());
        let mut excepted_by = vec![FixedBitSet::default(); policy.except.len()];
        self.each_excepted(policy, &mut |place, _, people| {
            if let Some(users) = excepted_by.get_mut(place) {
                users.grow(excepted.len());
                people.join_to(users);
            }
            people.join_to(&mut excepted);
        });
        let mut reached = users.clone();
        let users = self.narrow(policy, users, &named, &excepted);
        self.keep_reached(policy, &mut reached, &users);
        Resolved { users, by_role, excepted, excepted_by, reached }
    }

    /// Keeps the users that only an exception or a break-glass entry excludes, in addition to those that
    /// the policy applies to.
    fn keep_reached(&self, policy: &Policy, named: &mut FixedBitSet, users: &FixedBitSet) {
        for place in named.clone().difference(users) {
            let user = self.directory.user(UserIndex::new(place));
            let is_reached = user.is_some_and(|user| excluded::judge(&policy.only, user).is_none());
            named.set(place, is_reached);
        }
    }

    /// Calls `visit` for every entry of `appliesTo`, with the users that the entry means.
    fn each_named(&mut self, policy: &Policy, visit: &mut dyn FnMut(ScopeEntry, People<'_>)) {
        if policy.who.everyone {
            visit(ScopeEntry { rule: EntryRule::Everyone, origin: None }, People::Everybody);
        }
        for (group, origin) in &policy.who.groups {
            let found = self.find_group(group, *origin, policy);
            if let Some((id, members)) =
                found.and_then(|id| Some((id, self.directory.members(id)?)))
            {
                visit(ScopeEntry::new(EntryRule::Group(id), *origin), People::Several(members));
            }
        }
        for (role, origin) in &policy.who.roles {
            if let Some((id, people)) = self.find_holders(role, *origin, policy) {
                visit(ScopeEntry::new(EntryRule::Role(id), *origin), People::Several(&people));
            }
        }
        for (user, origin) in &policy.who.users {
            if let Some(index) = self.find_user(user, *origin, policy) {
                visit(ScopeEntry::new(EntryRule::Named, *origin), People::One(index));
            }
        }
    }

    /// Warns once, with every place that names a role, that users who can activate the role are missing.
    fn note_eligibility(&mut self, set: &PolicySet) {
        let Some(why) = self.roles.known().and_then(|roles| roles.eligibility_unknown) else {
            return;
        };
        let mut places = set.policies.iter().flat_map(|policy| &policy.who.roles).peekable();
        if places.peek().is_none() {
            return;
        }
        let finding = Finding::new(
            Code::RoleEligibilityUnknown,
            format!("the users that can activate a directory role are unknown: {}", why.about()),
        )
        .help("policies apply only to users that hold a role now; name the users that can activate it under `users`, or grant `RoleEligibilitySchedule.Read.Directory`");
        let finding =
            places.fold(finding, |finding, (_, origin)| finding.at(*origin, "named here"));
        self.findings.push(finding);
    }
}

/// The ids of the break-glass accounts, which a plan must never change. They are part of its basis.
#[must_use]
pub fn break_glass_ids(scope: &Scope, directory: &Directory) -> BTreeSet<UserId> {
    scope.break_glass().filter_map(|index| directory.user(index)).map(|user| user.id).collect()
}

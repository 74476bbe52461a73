//! Policies × directory: who is meant by each policy, who is never touched, and before that, what
//! has to be read to know it. `guards` resolves what must never be missed, `lost` tells whom
//! break-glass groups lost, `names` resolves what policies name, `left_out` judges single users, `why` says of one user what all of these came to,
//! `foreseen` guesses early who will be needed.
//!
//! Not here: what a policy wants of whom (`desired`). What narrows must resolve or the plan stops;
//! what widens may not, and is a warning.

mod foreseen;
mod guards;
mod left_out;
mod lost;
mod names;
mod why;

pub use foreseen::Foreseen;
pub use left_out::Out;
pub use lost::{guarding, lost};
pub use why::{Entry, Matched, Rule, Standing, Tenant};

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

/// Who is meant, by the places of users in the directory.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// By what the directory says; `where.registered` is asked when facts are there.
    candidates: Vec<FixedBitSet>,
    /// Of those, the ones of whom the policy names a role.
    by_role: Vec<FixedBitSet>,
    /// Whom the exceptions of each policy leave alone, whether it names them or not.
    excepted: Vec<FixedBitSet>,
    all: FixedBitSet,
    break_glass: FixedBitSet,
}

impl Scope {
    /// Whether the policy applies to a user of whom this is known. Methods that nobody could read
    /// pass no test of `where.registered`.
    #[must_use]
    pub fn applies(
        &self,
        index: PolicyIndex,
        policy: &Policy,
        user: UserIndex,
        facts: &Facts,
    ) -> bool {
        self.is_candidate(index, user) && left_out::by_methods(&policy.only, facts).is_none()
    }

    /// Whether the policy applies to the user as far as the directory knows.
    #[must_use]
    pub fn is_candidate(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.candidates.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Whether the policy names a role that the user holds or may take up.
    #[must_use]
    pub fn names_role(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.by_role.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Whether an exception of the policy leaves the user alone.
    #[must_use]
    pub fn is_excepted(&self, policy: PolicyIndex, user: UserIndex) -> bool {
        self.excepted.get(policy.place()).is_some_and(|users| users.contains(user.place()))
    }

    /// Everybody to whom a policy may apply, those that only report included, break-glass accounts
    /// out: those whose facts are read.
    pub fn users(&self) -> impl Iterator<Item = UserIndex> {
        self.all.ones().map(UserIndex::new)
    }

    /// The accounts that are never written.
    pub fn break_glass(&self) -> impl Iterator<Item = UserIndex> {
        self.break_glass.ones().map(UserIndex::new)
    }
}

/// Everything that must be read of the directory to know who is meant. Where it asks for roles,
/// [`holders`] are looked up too.
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

/// Every role that the policy names, also to leave its holders out.
fn roles_of(policy: &Policy) -> impl Iterator<Item = &RoleRef> {
    let excepted = policy.except.iter().flat_map(|exception| &exception.roles);
    policy.who.roles.iter().chain(excepted).map(|(role, _)| role)
}

/// Everybody who holds a role that a policy names, or may take it up.
#[must_use]
pub fn holders(set: &PolicySet, roles: &Roles) -> BTreeSet<UserId> {
    let named = set.policies.iter().flat_map(roles_of);
    named.filter_map(|role| names::find_role(role, roles)).flat_map(|id| roles.people(id)).collect()
}

/// Who is meant by each policy and who is never touched, with what was found on the way. An error
/// among the findings means that no plan may be made of the scope. `today` ends exceptions.
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
    let (mut candidates, mut by_role, mut excepted) = (Vec::new(), Vec::new(), Vec::new());
    for policy in &set.policies {
        let meant = resolver.meant(policy);
        all.union_with(&meant.users);
        candidates.push(meant.users);
        by_role.push(meant.by_role);
        excepted.push(meant.excepted);
    }
    resolver.note_eligibility(set);
    let Resolver { break_glass, findings, .. } = resolver;
    (Scope { candidates, by_role, excepted, all, break_glass }, findings)
}

/// Whom one entry of a policy means.
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

/// Whom one policy means, and whom it leaves alone.
struct Meant {
    users: FixedBitSet,
    by_role: FixedBitSet,
    excepted: FixedBitSet,
}

/// Names against a tenant, with what was found so far.
struct Resolver<'a> {
    directory: &'a Directory,
    roles: &'a Read<Roles>,
    today: Date,
    findings: Vec<Finding>,
    /// Guard groups that were warned of; several policies may name one.
    warned: BTreeSet<GroupId>,
    break_glass: FixedBitSet,
}

impl Resolver<'_> {
    /// `appliesTo` minus `except`, filtered by `where`, minus break-glass accounts; and who is named
    /// by a role.
    fn meant(&mut self, policy: &Policy) -> Meant {
        let mut users = FixedBitSet::with_capacity(self.directory.len());
        let mut by_role = FixedBitSet::default();
        let mut named = BTreeMap::new();
        self.each_named(policy, &mut |entry, people| {
            if let (Rule::Named, People::One(index), Some(origin)) =
                (entry.rule, people, entry.origin)
            {
                named.entry(index).or_insert(origin);
            }
            if let (Rule::Role(_), People::Several(holders)) = (entry.rule, people) {
                by_role.union_with(holders);
            }
            people.join_to(&mut users);
        });
        let mut excepted = FixedBitSet::with_capacity(self.directory.len());
        self.each_excepted(policy, &mut |_, _, people| people.join_to(&mut excepted));
        Meant { users: self.narrow(policy, users, &named, &excepted), by_role, excepted }
    }

    /// Everything that `appliesTo` names, entry by entry, with whom it means.
    fn each_named(&mut self, policy: &Policy, tell: &mut dyn FnMut(Entry, People<'_>)) {
        if policy.who.everyone {
            tell(Entry { rule: Rule::Everyone, origin: None }, People::Everybody);
        }
        for (group, origin) in &policy.who.groups {
            let found = self.find_group(group, *origin, policy);
            if let Some((id, members)) =
                found.and_then(|id| Some((id, self.directory.members(id)?)))
            {
                tell(Entry::new(Rule::Group(id), *origin), People::Several(members));
            }
        }
        for (role, origin) in &policy.who.roles {
            if let Some((id, people)) = self.find_holders(role, *origin, policy) {
                tell(Entry::new(Rule::Role(id), *origin), People::Several(&people));
            }
        }
        for (user, origin) in &policy.who.users {
            if let Some(index) = self.find_user(user, *origin, policy) {
                tell(Entry::new(Rule::Named, *origin), People::One(index));
            }
        }
    }

    /// Says once, at every place that names a role, that those are missing who may take it up.
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
            format!("who may take up a directory role is not known: {}", why.about()),
        )
        .help("policies reach those who hold a role now; name the people who can activate it under `users`, or grant `RoleEligibilitySchedule.Read.Directory`");
        let finding =
            places.fold(finding, |finding, (_, origin)| finding.at(*origin, "named here"));
        self.findings.push(finding);
    }
}

/// Whom a plan must never name, by id, as part of its basis.
#[must_use]
pub fn break_glass_ids(scope: &Scope, directory: &Directory) -> BTreeSet<UserId> {
    scope.break_glass().filter_map(|index| directory.user(index)).map(|user| user.id).collect()
}

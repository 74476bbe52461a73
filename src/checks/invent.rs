//! Makes the observed state of an invented tenant: the people of a file, the accounts that guards name, and
//! the rules that are assumed.
//!
//! Groups that narrow a policy may be empty here, because who is in them is not known offline.
//!
//! Not here: a single person (`people`), or what the policies do (`run`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use uuid::Uuid;

use super::catalogue::Catalogue;
use super::file::{ChecksFile, PersonBlock};
use super::people::{DOMAIN, id_of, invent, name_of, words};
use crate::finding::Finding;
use crate::id::{GroupId, RoleId, TenantId, UserId, invented_id};
use crate::observed::{Observed, TenantBasis};
use crate::policy::{CloudName, GuardEntry, PolicySet};
use crate::scope::{self, break_glass_ids};
use crate::tenant::demand::{MfaRequirements, MfaRules};
use crate::tenant::directory::{Account, Country, Directory, Group, Identity, User};
use crate::tenant::domains::domain_of;
use crate::tenant::domains::{Domains, SignsIn};
use crate::tenant::facts::{Facts, Kinds, MethodKind, Methods, MfaState, Read};
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::{
    Configuration, MethodPolicy, MethodTarget, RULED, Settings, Target,
};
use crate::tenant::roles::{RoleHolders, Roles};
use crate::tenant::rule_members::RuleMembers;
use crate::tenant::rules_digest::RulesDigest;
use crate::tenant::strength::Way;
use crate::tenant::user_set::Tristate;

/// An invented tenant.
#[derive(Debug)]
pub(super) struct InventedTenant {
    pub(super) people: Vec<InventedPerson>,
    pub(super) catalogue: Catalogue,
    pub(super) roles: Read<Roles>,
    users: Vec<(User, Facts)>,
    members: BTreeMap<GroupId, Vec<UserId>>,
    pub(super) has_security_defaults: bool,
}

/// A person of the file.
#[derive(Debug)]
pub(super) struct InventedPerson {
    pub(super) key: String,
    pub(super) id: UserId,
    /// The roles that the person holds or can activate.
    pub(super) roles: BTreeSet<RoleId>,
}

impl InventedTenant {
    /// Invents the tenant of a file.
    pub(super) fn of(file: &ChecksFile, set: &PolicySet) -> Self {
        let guards = GuardAccounts::of(set);
        let mut tenant = Self {
            people: Vec::new(),
            catalogue: Catalogue::of(set),
            roles: Read::Known(Roles::default()),
            users: Vec::new(),
            members: BTreeMap::new(),
            has_security_defaults: has_security_defaults(file),
        };
        let mut roles = Roles::default();
        for (place, (key, person)) in file.people.value.iter().enumerate() {
            tenant.add(place, &key.value, &person.value, &guards, &mut roles);
        }
        tenant.add_guards(guards);
        for (id, name) in tenant.catalogue.roles() {
            roles.names.insert(id, name.into());
        }
        tenant.roles = Read::Known(roles);
        tenant
    }

    fn add(
        &mut self,
        place: usize,
        key: &str,
        person: &PersonBlock,
        guards: &GuardAccounts,
        roles: &mut Roles,
    ) {
        // A person with the name of a guard entry is the account of that entry.
        let named = || guards.named(&name_of(key, person));
        let (user, facts) = invent(place, key, person, id_of(key, person).or_else(named));
        for group in words(&person.groups).flat_map(|word| self.catalogue.group(&word.value)) {
            self.members.entry(group).or_default().push(user.id);
        }
        let mut held = BTreeSet::new();
        for (list, is_active) in [(&person.roles, true), (&person.eligible_roles, false)] {
            for word in words(list) {
                let role = self.catalogue.role(&word.value);
                held.insert(role);
                let holders: &mut RoleHolders = roles.holders.entry(role).or_default();
                let holders = if is_active { &mut holders.active } else { &mut holders.eligible };
                holders.insert(user.id);
            }
        }
        self.people.push(InventedPerson { key: key.to_owned(), id: user.id, roles: held });
        self.users.push((user, facts));
    }

    fn add_guards(&mut self, guards: GuardAccounts) {
        let known: BTreeSet<UserId> = self.users.iter().map(|(user, _)| user.id).collect();
        let missing = guards.0.into_iter().filter(|(id, _)| !known.contains(id));
        self.users.extend(missing.map(|(id, name)| guard_account(id, name)));
    }

    /// Returns the observed state of the tenant for the policies.
    ///
    /// # Errors
    /// The names in the policies do not fit together, such as two ids of groups with one name.
    pub(super) fn observed(&self, set: &PolicySet, today: Date) -> Result<Observed, Vec<Finding>> {
        let users = self.users.iter().map(|(user, _)| user.clone());
        let groups = self.catalogue.groups().map(|(id, name)| {
            (group(id, name), self.members.get(&id).cloned().unwrap_or_default())
        });
        let mut directory = Directory::new(users, groups.collect());
        directory.is_whole = true;
        let (scope, findings) = scope::resolve(set, &directory, &self.roles, today);
        if findings.iter().any(Finding::is_error) {
            return Err(findings.into_iter().filter(Finding::is_error).collect());
        }
        let known: BTreeMap<UserId, Facts> =
            self.users.iter().map(|(user, facts)| (user.id, *facts)).collect();
        let facts_of = |user: &User| known.get(&user.id).copied().unwrap_or(Facts::NOT_READ);
        let facts = directory.users().map(|(_, user)| facts_of(user)).collect();
        let basis = self.basis(set, &directory, break_glass_ids(&scope, &directory), today);
        let identity = Identity {
            id: TenantId::from_uuid(invented_id("tenant", DOMAIN)),
            domain: DOMAIN.into(),
        };
        let directory = Arc::new(directory);
        Ok(Observed { identity, directory, scope, facts, basis, findings, recorded: None })
    }

    fn basis(
        &self,
        set: &PolicySet,
        directory: &Directory,
        break_glass: BTreeSet<UserId>,
        today: Date,
    ) -> TenantBasis {
        let groups = BTreeMap::new();
        let people = RuleMembers { directory, groups: &groups, roles: &self.roles };
        let domains = directory.users().filter_map(|(_, user)| {
            Some((domain_of(user.name.raw())?.into_owned(), SignsIn::Here))
        });
        let rules = MfaRules {
            conditional_access: Read::Known(Vec::new()),
            security_defaults: Read::Known(self.has_security_defaults),
            domains: Domains::new(domains),
            public_cloud: set.project.cloud == CloudName::Global,
        };
        TenantBasis {
            method_policy: MethodPolicy::new(&every_method_allowed(), &people),
            demand: MfaRequirements::new(rules, &people),
            delivery: set.project.delivery,
            today,
            break_glass,
            extra: Extra::ALL,
            rules: RulesDigest::default(),
        }
    }
}

/// The accounts that `mfactl.yaml` and exceptions name by id, each with its name.
struct GuardAccounts(BTreeMap<UserId, Option<String>>);

impl GuardAccounts {
    fn of(set: &PolicySet) -> Self {
        let excluded = set.policies.iter().flat_map(|policy| &policy.except);
        let excluded = excluded.flat_map(|exception| &exception.users);
        let all = set.project.break_glass.users.iter().chain(excluded);
        Self(all.map(|GuardEntry { id, name, .. }| (*id, name.clone())).collect())
    }

    fn named(&self, wanted: &str) -> Option<Uuid> {
        let is_it = |name: &Option<String>| {
            name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        };
        self.0.iter().find(|(_, name)| is_it(name)).map(|(id, _)| id.as_uuid())
    }
}

/// Returns the policies with guards that may be empty. How many accounts and members there are is a question
/// for the real tenant.
pub(super) fn with_empty_guards(set: &PolicySet) -> PolicySet {
    let mut set = set.clone();
    let guards = &mut set.project.break_glass;
    guards.minimum = 0;
    guards.groups.iter_mut().for_each(|group| group.allow_empty = true);
    let excluded = set.policies.iter_mut().flat_map(|policy| &mut policy.except);
    excluded.for_each(|exception| exception.allow_empty = true);
    set
}

fn has_security_defaults(file: &ChecksFile) -> bool {
    let tenant = file.tenant.as_ref();
    let written = tenant.and_then(|tenant| tenant.value.security_defaults.as_ref());
    written.is_some_and(|is_on| is_on.value)
}

/// An account that only exists because a guard names it.
fn guard_account(id: UserId, name: Option<String>) -> (User, Facts) {
    let user = User {
        id,
        name: name.unwrap_or_else(|| format!("{id}@{DOMAIN}")).into(),
        account: Account { enabled: true, ..Account::default() },
        usage_location: None,
        country: Country::None,
        department: None,
        attributes: Box::new([]),
    };
    let kinds: Kinds = [MethodKind::Passkey].into_iter().collect();
    let facts = Facts {
        methods: Read::Known(Methods { kinds, ..Methods::default() }),
        state: Read::Known(MfaState::Disabled),
        default_method: Read::Known(None),
        system_preferred: Read::Known(true),
    };
    (user, facts)
}

fn group(id: GroupId, name: &str) -> Group {
    Group { id, name: name.into(), is_security: true, is_role_assignable: true, is_dynamic: false }
}

fn every_method_allowed() -> Settings {
    let allowed = |way| Configuration {
        way,
        enabled: Tristate::Yes,
        include: vec![Target { who: MethodTarget::Everybody, partly: false }],
        exclude: Vec::new(),
    };
    Settings {
        migrated: Tristate::Yes,
        codes_in_authenticator: false,
        configurations: RULED.map(allowed).into(),
        // SMS sign-in is on for nobody.
        sms_sign_in: Some(Configuration { include: Vec::new(), ..allowed(Way::Sms) }),
        external: BTreeSet::new(),
    }
}

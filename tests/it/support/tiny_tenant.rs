//! A tenant of a dozen users in memory, and policies evaluated on it: what policies mean, without
//! any way to reach a tenant.
//!
//! It is no end of `tenant_builder`, because it has facts and no documents of Graph: a test changes one fact, also
//! to a value that no document could give, and reads the meaning at once.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use jiff::civil::{Date, date};
use mfactl::finding::{Code, Finding};
use mfactl::id::{GroupId, RoleId, TenantId, UserId};
use mfactl::number::{RawNumber, Region};
use mfactl::observed::Observed;
use mfactl::observed::TenantBasis;
use mfactl::plan::Plan;
use mfactl::plan::pipeline;
use mfactl::policy::{self, Faults, PolicySet};
use mfactl::scope::{self, break_glass_ids};
use mfactl::tenant::delivery::Delivery;
use mfactl::tenant::demand::{MfaRequirements, MfaRules};
use mfactl::tenant::directory::{
    Account, Attribute, Country, Directory, Gap, Group, Identity, User, UserIndex,
};
use mfactl::tenant::domains::{Domains, SignsIn};
use mfactl::tenant::facts::{Facts, Kinds, MethodKind, Methods, MfaState, Read, UnknownReason};
use mfactl::tenant::lookup::Extra;
use mfactl::tenant::method_policy::{Configuration, MethodPolicy, MethodTarget, Settings, Target};
use mfactl::tenant::roles::{RoleHolders, Roles};
use mfactl::tenant::rule_members::RuleMembers;
use mfactl::tenant::rules_digest::RulesDigest;
use mfactl::tenant::strength::Way;
use mfactl::tenant::user_set::Tristate;
use uuid::Uuid;

pub(crate) const PROJECT: &str = "version: 1
tenant: sandbox
policies: policies
breakGlass:
  users:
    - { id: 00000000-0000-4000-8000-000000000001 }
    - { id: 00000000-0000-4000-8000-000000000002 }
";

/// The day on which everything here happens.
pub(crate) const TODAY: Date = date(2026, 11, 22);

pub(crate) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The id of a person or group, by number.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 | number)
}

/// A tenant that a test can change before policies are evaluated on it.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) users: Vec<(User, Facts)>,
    pub(crate) groups: Vec<(Group, Vec<UserId>)>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) roles: Roles,
}

/// The result of policies that resolve in a tenant.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    set: PolicySet,
}

impl Tenant {
    /// Two break-glass accounts; ann, ben and cas of sales; dan and eva of finance, and eva has
    /// no country; fay disabled, gus a guest, hal from another tenant; sync; ida an administrator,
    /// jon who may become one.
    pub(crate) fn new() -> Self {
        let users = vec![
            person(1, "bg1"),
            person(2, "bg2"),
            at(person(3, "ann"), "Sales", "NL"),
            at(person(4, "ben"), " sales ", "BE"),
            at(person(5, "cas"), "Sales", "CN"),
            at(person(6, "dan"), "Finance", "NL"),
            at(person(7, "eva"), "Finance", ""),
            with(person(8, "fay"), |account| account.enabled = false),
            with(person(9, "gus"), |account| account.guest = true),
            with(person(10, "hal"), |account| account.homed_elsewhere = true),
            with(person(11, "sync"), |account| account.directory_sync = true),
            with(person(12, "ida"), |account| account.synced = true),
            person(13, "jon"),
        ];
        let ids = |numbers: &[u128]| numbers.iter().map(|n| UserId::from_uuid(id(*n))).collect();
        let groups = vec![
            (group(100, "Sales"), ids(&[3, 4, 5])),
            (group(101, "Finance"), ids(&[6, 7])),
            (group(102, "Empty"), ids(&[])),
            (group(103, "All"), ids(&[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])),
            (Group { is_role_assignable: false, ..group(104, "Owned") }, ids(&[3])),
            (Group { is_dynamic: true, ..group(105, "Dynamic") }, ids(&[3])),
            (Group { is_security: false, ..group(106, "Team") }, ids(&[3])),
            (group(107, "Twins"), ids(&[3])),
            (group(108, "Twins"), ids(&[4])),
        ];
        let role = RoleId::from_uuid(GLOBAL_ADMINISTRATOR.parse().expect("an id"));
        let reader = RoleId::from_uuid(id(200));
        let person = |number| UserId::from_uuid(id(number));
        let holders = RoleHolders {
            active: [person(1), person(12)].into(),
            eligible: [person(13)].into(),
            ..RoleHolders::default()
        };
        let roles = Roles {
            names: BTreeMap::from([
                (role, "Global Administrator".into()),
                (reader, "Global Reader".into()),
            ]),
            holders: BTreeMap::from([(role, holders)]),
            ..Roles::default()
        };
        Self { users, groups, gaps: Vec::new(), roles }
    }

    /// Changes what is known of one person.
    pub(crate) fn but(mut self, name: &str, change: impl Fn(&mut Facts)) -> Self {
        let domain = format!("{name}@x.y");
        let found = self.users.iter_mut().find(|(user, _)| user.name.raw() == domain);
        change(&mut found.expect("a person of that name").1);
        self
    }

    /// Holds policies against the tenant: the plan, or the errors that stop it.
    pub(crate) fn plan(&self, policies: &str) -> Result<Outcome, Vec<Finding>> {
        let (set, observed) = self.observed(policies)?;
        Ok(Outcome { plan: pipeline::plan(&set, observed), set })
    }

    /// Policies, and the tenant as they make it seen.
    pub(crate) fn observed(&self, policies: &str) -> Result<(PolicySet, Observed), Vec<Finding>> {
        let set = load(policies).map_err(|faults| faults.findings)?;
        let observed = self.seen(&set)?;
        Ok((set, observed))
    }

    /// The tenant as policies make it seen, or the errors that stop them.
    pub(crate) fn seen(&self, set: &PolicySet) -> Result<Observed, Vec<Finding>> {
        let users = self.users.iter().map(|(user, _)| user.clone());
        let directory = Directory::new(users, self.groups.clone())
            .with_gaps(self.gaps.clone(), BTreeMap::new());
        let (scope, findings) =
            scope::resolve(set, &directory, &Read::Known(self.roles.clone()), TODAY);
        if findings.iter().any(Finding::is_error) {
            return Err(findings.into_iter().filter(Finding::is_error).collect());
        }
        let facts_of = |user: &User| {
            let found = self.users.iter().find(|(one, _)| one.id == user.id);
            found.map_or(Facts::NOT_READ, |(_, facts)| *facts)
        };
        let facts = directory.users().map(|(_, user)| facts_of(user)).collect();
        let basis = basis(&directory, break_glass_ids(&scope, &directory));
        let identity = Identity { id: TenantId::from_uuid(id(999)), domain: "x.y".into() };
        let directory = Arc::new(directory);
        Ok(Observed { identity, directory, scope, facts, basis, findings, recorded: None })
    }

    /// The names of the users that the one policy `p` with this body applies to, or the codes of the errors.
    pub(crate) fn applies(&self, body: &str) -> Result<String, String> {
        let text = format!(
            "version: 1\npolicies:\n  p:\n{body}\n    desired: {{ perUserMfa: enforced }}\n"
        );
        let outcome = self.plan(&text).map_err(|findings| codes(&findings))?;
        Ok(outcome.meant())
    }
}

impl Outcome {
    /// Every user with a wanted change, planned or withheld.
    pub(crate) fn meant(&self) -> String {
        let names: Vec<&str> = self.plan.users.iter().map(|one| self.name(one.user)).collect();
        names.join(" ")
    }

    /// Every user with a planned change.
    pub(crate) fn changed(&self) -> String {
        let mut names: Vec<&str> =
            self.plan.changes.iter().map(|change| self.name(change.user)).collect();
        names.dedup();
        names.join(" ")
    }

    /// Everything of the plan that does not name a place, with policies by name.
    pub(crate) fn meaning(&self) -> String {
        let policy = |place: usize| self.set.policies.get(place).map_or("?", |one| &one.name);
        let change = |kind: &str, change: &mfactl::settings::change::Change| {
            let (user, by) = (self.name(change.user), policy(change.policy.place()));
            format!("{kind} {user} {} {} {by}\n", change.setting.key(), change.after)
        };
        let mut text = String::new();
        self.plan.changes.iter().for_each(|one| text += &change("change", one));
        self.plan.reported.iter().for_each(|one| text += &change("report", one));
        for one in self.plan.withheld.iter().chain(&self.plan.reported_withheld) {
            let (user, by) = (self.name(one.user), policy(one.policy.place()));
            text += &format!("withheld {user} {} {} {by}\n", one.setting.key(), one.reason.code());
        }
        text + &format!("{} in scope {:?}\n", self.plan.in_scope, self.plan.postures)
    }

    pub(crate) fn has(&self, code: Code) -> bool {
        self.plan.findings.iter().any(|finding| finding.code == code)
    }

    pub(crate) fn finding(&self, code: Code) -> Option<&Finding> {
        self.plan.findings.iter().find(|finding| finding.code == code)
    }

    fn name(&self, user: UserIndex) -> &str {
        self.plan.directory.name(user).raw().split('@').next().expect("a name")
    }
}

/// Reads one file of policies next to [`PROJECT`].
pub(crate) fn load(policies: &str) -> Result<PolicySet, Faults> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("policies")).expect("a folder");
    fs::write(folder.path().join("mfactl.yaml"), PROJECT).expect("a file");
    fs::write(folder.path().join("policies/p.yaml"), policies).expect("a file");
    policy::load(&folder.path().join("mfactl.yaml"))
}

pub(crate) fn codes(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" ")
}

/// Facts of a user with an Authenticator app, and without an MFA requirement.
pub(crate) fn person(number: u128, name: &str) -> (User, Facts) {
    let user = User {
        id: UserId::from_uuid(id(number)),
        name: format!("{name}@x.y").into(),
        account: Account { enabled: true, ..Account::default() },
        usage_location: None,
        country: Country::None,
        department: None,
        attributes: Box::new([(Attribute::MobilePhone, RawNumber::new("+31612345678"))]),
    };
    (
        user,
        Facts {
            methods: methods(&[MethodKind::Authenticator]),
            state: Read::Known(MfaState::Disabled),
            ..Facts::NOT_READ
        },
    )
}

pub(crate) fn methods(kinds: &[MethodKind]) -> Read<Methods> {
    let kinds: Kinds = kinds.iter().copied().collect();
    Read::Known(Methods { kinds, ..Methods::default() })
}

pub(crate) const UNREAD: Read<Methods> = Read::Unknown(UnknownReason::Forbidden);

fn at((user, facts): (User, Facts), department: &str, country: &str) -> (User, Facts) {
    let (department, usage_location) = (Some(department.into()), Region::new(country));
    (User { department, usage_location, ..user }, facts)
}

fn with((mut user, facts): (User, Facts), change: impl Fn(&mut Account)) -> (User, Facts) {
    change(&mut user.account);
    (user, facts)
}

fn group(number: u128, name: &str) -> Group {
    Group {
        id: GroupId::from_uuid(id(number)),
        name: name.into(),
        is_security: true,
        is_role_assignable: true,
        is_dynamic: false,
    }
}

/// Every method that a user here has is allowed, and only per-user MFA requires MFA. Roles are not
/// considered.
fn basis(directory: &Directory, break_glass: BTreeSet<UserId>) -> TenantBasis {
    let (groups, roles) = (BTreeMap::new(), Read::Known(Roles::default()));
    let people = RuleMembers { directory, groups: &groups, roles: &roles };
    let allowed = |way| Configuration {
        way,
        enabled: Tristate::Yes,
        include: vec![Target { who: MethodTarget::Everybody, partly: false }],
        exclude: Vec::new(),
    };
    let ways = [Way::Sms, Way::Voice, Way::Authenticator, Way::Passkey];
    let settings = Settings {
        migrated: Tristate::Yes,
        codes_in_authenticator: false,
        configurations: ways.map(allowed).into(),
        sms_sign_in: Some(Configuration { include: Vec::new(), ..allowed(Way::Sms) }),
        external: BTreeSet::new(),
    };
    let rules = MfaRules {
        conditional_access: Read::Known(Vec::new()),
        security_defaults: Read::Known(false),
        domains: Domains::new([("x.y".to_owned(), SignsIn::Here)]),
        public_cloud: true,
    };
    TenantBasis {
        method_policy: MethodPolicy::new(&settings, &people),
        demand: MfaRequirements::new(rules, &people),
        delivery: Delivery::MICROSOFT,
        today: TODAY,
        break_glass,
        extra: Extra::default(),
        rules: RulesDigest::default(),
    }
}

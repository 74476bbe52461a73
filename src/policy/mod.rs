//! Turns policy files into checked policies.
//!
//! `file` has the shapes that a user writes, `load` reads them from disk, and `check` turns them into the
//! types below. No code after `check` depends on YAML. `filter` holds exceptions and conditions, `meaning` the
//! digests of what the files ask for, `objects` the objects of the tenant, `places` the places of keys, `schema`
//! the JSON Schemas.
//!
//! Not here: the users of a policy in a tenant (`scope`), or what it asks of each user (`desired`).

mod check;
pub mod file;
pub mod filter;
mod load;
pub mod meaning;
pub mod objects;
pub mod places;
pub mod schema;

pub use check::{check_version, names as written_names};
pub use load::wording::{listed, suggestion};
pub use load::{BaseFiles, Faults, beside, load, load_data, load_guarded, load_project};

use std::collections::BTreeMap;

use crate::disclose::Disclosure;
use crate::id::{GroupId, RoleId, UserId};
use crate::number::Region;
use crate::settings::{Management, Setting, SettingRule, UNMANAGED};
use crate::source::{Origin, Sources};
use crate::store::address::StoreAddress;
use crate::tenant::delivery::Delivery;
use crate::tenant::directory::Attribute;
use crate::tenant::lookup::Extra;
use filter::{Exception, Where};
use objects::ObjectRules;
use places::KeyPlaces;

/// The contents of all files of one run, without faults.
#[derive(Debug, Clone)]
pub struct PolicySet {
    pub project: Project,
    /// Sorted by name, so that the order of files does not matter.
    pub policies: Vec<Policy>,
    /// The objects of the tenant that the files manage.
    pub objects: ObjectRules,
    pub sources: Sources,
}

/// The contents of `mfactl.yaml`.
#[derive(Debug, Clone)]
pub struct Project {
    pub tenant: TenantRef,
    pub cloud: CloudName,
    pub credential: CredentialChoice,
    pub delivery: Delivery,
    pub break_glass: BreakGlass,
    pub brakes: Brakes,
    pub runs: RunsRule,
    /// The users whose numbers are read for comparison.
    pub compare_with: CompareWith,
    /// The share of Graph's quotas that is used, in percent, 1 to 100.
    pub quota_share: u8,
    /// How much outputs say about single users, if the file says so.
    pub disclose: Option<Disclosure>,
    pub endpoints: Option<EndpointOverrides>,
    /// Whether the policies folder may be outside the repository.
    pub policies_outside: bool,
    pub places: KeyPlaces,
}

/// Where runs are recorded, and what is kept of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsRule {
    /// Where journals and the lock are; `None` for the folder next to `mfactl.yaml`.
    pub store: Option<StoreAddress>,
    /// Where restore files are; `None` for a folder inside the store.
    pub restore: Option<StoreAddress>,
    /// How many days restore files are kept; `None` for ever.
    pub keep_for_days: Option<u32>,
    /// Whether overwritten numbers are kept in the restore files, for `undo`.
    pub keep_numbers: bool,
}

/// The users whose registered numbers a number is compared with before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompareWith {
    /// Users in scope, whose facts are read anyway.
    #[default]
    InScope,
    /// Every account.
    Everyone,
}

/// One of Microsoft's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CloudName {
    #[default]
    Global,
    UsGov,
    UsGovDod,
    China,
}

/// The way to get a token. `graph` knows what each way needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CredentialChoice {
    /// The first way whose environment variables are set.
    #[default]
    Auto,
    ClientSecret,
    ClientCertificate,
    WorkloadIdentity,
    GithubActions,
    AzurePipelines,
    ManagedIdentity,
    AzureCli,
    AzureDeveloperCli,
}

/// The provider that delivers texts and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeliveredBy {
    #[default]
    Microsoft,
    OwnProvider,
}

/// The tenant that the file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRef {
    /// The embedded tenant.
    Sandbox,
    /// A tenant id or a verified domain.
    Named(String),
}

impl TenantRef {
    /// Whether both name the same tenant in the same way. Domains and ids have no case.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sandbox, Self::Sandbox) => true,
            (Self::Named(one), Self::Named(other)) => one.eq_ignore_ascii_case(other),
            (Self::Sandbox, Self::Named(_)) | (Self::Named(_), Self::Sandbox) => false,
        }
    }
}

/// Hosts of this machine to use instead of Microsoft's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointOverrides {
    pub graph: url::Url,
    pub login: url::Url,
}

/// Accounts that are never written.
#[derive(Debug, Clone, Default)]
pub struct BreakGlass {
    pub users: Vec<GuardEntry<UserId>>,
    pub groups: Vec<GuardGroup>,
    /// Accounts that are no longer break-glass accounts, on purpose.
    pub former: Vec<GuardEntry<UserId>>,
    /// The required number of distinct enabled accounts; 0 switches the check off.
    pub minimum: u32,
    /// The place of the entry, for findings about all of it.
    pub origin: Option<Origin>,
}

/// Limits that refuse a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brakes {
    /// Users with at least one change.
    pub changed_users: Limit,
    /// Users whose protection is weakened.
    pub weakened_users: Limit,
    /// Registered numbers that are overwritten.
    pub replaced_numbers: Limit,
}

/// A percentage of the users in scope. A number up to `floor` is always allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub percent: u8,
    pub floor: u32,
}

impl Default for Brakes {
    fn default() -> Self {
        Self {
            changed_users: Limit { percent: 30, floor: 10 },
            weakened_users: Limit { percent: 0, floor: 0 },
            replaced_numbers: Limit { percent: 2, floor: 3 },
        }
    }
}

/// An account or group by id. A name, if given, is checked against the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardEntry<Id> {
    pub id: Id,
    pub name: Option<String>,
    pub origin: Origin,
}

/// A group of accounts that are never written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardGroup {
    pub entry: GuardEntry<GroupId>,
    /// Whether the group may be empty.
    pub allow_empty: bool,
}

/// One named policy.
#[derive(Debug, Clone)]
pub struct Policy {
    pub name: String,
    pub description: Option<String>,
    pub mode: Mode,
    /// The smallest number wins.
    pub priority: u32,
    pub who: AppliesToSet,
    pub except: Vec<Exception>,
    pub only: Where,
    pub rules: PolicyRules,
    /// The place of the policy's name in its file.
    pub origin: Origin,
}

/// Whether a policy is applied or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    #[default]
    Enforce,
    /// Shown in plans and never applied. It never overrides an enforced policy.
    Report,
}

/// The users that a policy applies to: the union of these.
#[derive(Debug, Clone, Default)]
pub struct AppliesToSet {
    pub everyone: bool,
    pub groups: Vec<(GroupRef, Origin)>,
    /// Users that hold the role or can activate it, also through groups.
    pub roles: Vec<(RoleRef, Origin)>,
    pub users: Vec<(UserRef, Origin)>,
}

/// A group as the file names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupRef {
    /// Display name of a security group.
    Name(String),
    Id(GroupId),
    /// The id decides; the name is checked.
    Both {
        id: GroupId,
        name: String,
    },
}

/// A directory role as the file names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleRef {
    /// Display name.
    Name(String),
    /// Template id.
    Id(RoleId),
}

/// A user as the file names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserRef {
    PrincipalName(String),
    Id(UserId),
}

impl UserRef {
    /// The name in lower case, or the id: one word for each way to name a user.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::PrincipalName(name) => name.to_lowercase(),
            Self::Id(id) => id.to_string(),
        }
    }
}

/// The desired settings of a policy. A setting that is missing is not managed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyRules(BTreeMap<Setting, (Management<SettingRule>, Origin)>);

impl PolicyRules {
    /// Adds a rule and replaces an earlier rule for the same setting.
    pub fn add(&mut self, setting: Setting, rule: Management<SettingRule>, origin: Origin) {
        self.0.insert(setting, (rule, origin));
    }

    /// Every setting that the policy mentions, with its rule.
    pub fn iter(&self) -> impl Iterator<Item = (Setting, &Management<SettingRule>)> {
        self.0.iter().map(|(setting, (rule, _))| (*setting, rule))
    }

    /// The rule for the setting, which may be to leave it alone.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&Management<SettingRule>> {
        self.0.get(&setting).map(|(rule, _)| rule)
    }

    /// The rule for the setting, unless the setting is unmanaged.
    #[must_use]
    pub fn managed(&self, setting: Setting) -> Option<&SettingRule> {
        match self.get(setting)? {
            Management::Managed(rule) => Some(rule),
            Management::Unmanaged => None,
        }
    }

    /// Whether the policy mentions the setting.
    #[must_use]
    pub fn mentions(&self, setting: Setting) -> bool {
        self.0.contains_key(&setting)
    }

    /// The place of the rule for the setting.
    #[must_use]
    pub fn origin(&self, setting: Setting) -> Option<Origin> {
        self.0.get(&setting).map(|(_, origin)| *origin)
    }

    /// Whether both have the same rule for the setting.
    #[must_use]
    pub fn agrees(&self, other: &Self, setting: Setting) -> bool {
        self.get(setting) == other.get(setting)
    }

    /// The rule for the setting, in words.
    #[must_use]
    pub fn describe(&self, setting: Setting) -> Option<String> {
        self.get(setting).map(|rule| match rule {
            Management::Managed(rule) => rule.to_string(),
            Management::Unmanaged => UNMANAGED.to_owned(),
        })
    }

    /// The directory attributes that the rules read.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> {
        self.all_managed().flat_map(SettingRule::attributes).copied()
    }

    /// The countries that the rules name for national numbers.
    pub fn regions(&self) -> impl Iterator<Item = Region> {
        self.all_managed().flat_map(SettingRule::regions)
    }

    /// What must be read of each user, in addition to what is always read, to follow the rules safely.
    #[must_use]
    pub fn extra(&self) -> Extra {
        self.all_managed().map(SettingRule::extra).fold(Extra::default(), Extra::or)
    }

    /// Whether the rules can register a number.
    #[must_use]
    pub fn register_numbers(&self) -> bool {
        self.all_managed().any(SettingRule::registers_number)
    }

    /// Whether the result for one user can depend on another user.
    #[must_use]
    pub fn concern_others(&self) -> bool {
        self.all_managed().any(SettingRule::concerns_others)
    }

    /// Whether the rules manage at least one setting.
    #[must_use]
    pub fn manage(&self) -> bool {
        self.all_managed().next().is_some()
    }

    /// Whether the policy mentions no setting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn all_managed(&self) -> impl Iterator<Item = &SettingRule> {
        self.0.values().filter_map(|(rule, _)| match rule {
            Management::Managed(rule) => Some(rule),
            Management::Unmanaged => None,
        })
    }
}

impl Policy {
    /// Whether the policy is enforced and manages a setting. Only users of such policies are in scope.
    #[must_use]
    pub fn governs(&self) -> bool {
        matches!(self.mode, Mode::Enforce) && self.rules.manage()
    }
}

impl PolicySet {
    /// What must be read of each user, in addition to what is always read, to follow all policies safely.
    #[must_use]
    pub fn extra(&self) -> Extra {
        self.policies.iter().map(|policy| policy.rules.extra()).fold(Extra::default(), Extra::or)
    }

    /// Whether the numbers of all accounts are read, because a policy can register a number.
    #[must_use]
    pub fn compare_with_everyone(&self) -> bool {
        self.project.compare_with == CompareWith::Everyone
            && self.policies.iter().any(|policy| policy.rules.register_numbers())
    }

    /// Whether the facts of every account are read, because an object of the tenant affects all of them.
    #[must_use]
    pub fn concern_everyone(&self) -> bool {
        self.objects.managed().next().is_some()
    }

    /// The same without policies: only the break-glass accounts and the other keys of `mfactl.yaml`.
    #[must_use]
    pub fn guards_only(&self) -> Self {
        Self { policies: Vec::new(), objects: ObjectRules::default(), ..self.clone() }
    }

    /// The same policies, applied to no users: only the break-glass accounts and the exceptions of each
    /// policy.
    #[must_use]
    pub fn exceptions_only(&self) -> Self {
        let without_users =
            |policy: &Policy| Policy { who: AppliesToSet::default(), ..policy.clone() };
        let policies = self.policies.iter().map(without_users).collect();
        Self { policies, objects: ObjectRules::default(), ..self.clone() }
    }
}

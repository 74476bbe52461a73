//! Files in, checked policies out.
//!
//! `file` holds the shapes a person writes, `load` reads them from disk, `check` turns them into
//! the types below. After `check` nothing knows of YAML any more. `meaning` digests what they ask
//! for. Not here: who a policy's users are in a tenant (`scope`), or what it wants of each
//! (`desired`).

mod check;
pub mod file;
pub mod filter;
mod load;
pub mod meaning;
pub mod schema;

pub use load::{Faults, load};

use std::collections::BTreeMap;

use crate::id::{GroupId, RoleId, UserId};
use crate::settings::{Rule, Setting, Stance, UNMANAGED, phone};
use crate::source::{Origin, Sources};
use crate::tenant::delivery::Delivery;
use crate::tenant::directory::Attribute;
use filter::{Exception, Where};

/// Everything the files of one run say, found free of faults.
#[derive(Debug, Clone)]
pub struct PolicySet {
    pub project: Project,
    /// In the order of their names, so that the order of files does not matter.
    pub policies: Vec<Policy>,
    pub sources: Sources,
}

/// What `mfactl.yaml` says.
#[derive(Debug, Clone)]
pub struct Project {
    pub tenant: TenantRef,
    pub cloud: Cloud,
    pub credential: Credential,
    pub delivery: Delivery,
    pub break_glass: BreakGlass,
    pub brakes: Brakes,
    /// Whether numbers are kept beside the journals, to take a run back.
    pub keep_numbers: bool,
    /// Whose numbers are read to be compared with.
    pub compare_with: CompareWith,
    /// How much of Graph's quotas is used, in percent, 1 to 100.
    pub quota_share: u8,
    pub endpoints: Option<Endpoints>,
}

/// Whose registered numbers one that is written is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompareWith {
    /// Those of everybody whom the policies mean, who are read anyway.
    #[default]
    InScope,
    /// Those of every account.
    Everyone,
}

/// Which of Microsoft's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cloud {
    #[default]
    Global,
    UsGov,
    UsGovDod,
    China,
}

/// Which way to a token is taken; `graph` knows what each one needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credential {
    /// The first one that the environment is set for.
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

/// Who delivers texts and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeliveredBy {
    #[default]
    Microsoft,
    OwnProvider,
}

/// Which tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRef {
    /// The embedded one.
    Sandbox,
    /// A tenant id or a verified domain.
    Named(String),
}

/// Hosts of this machine to use instead of Microsoft's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub graph: url::Url,
    pub login: url::Url,
}

/// Accounts that are never written.
#[derive(Debug, Clone, Default)]
pub struct BreakGlass {
    pub users: Vec<GuardEntry<UserId>>,
    pub groups: Vec<GuardGroup>,
    /// Accounts that are none any more, on purpose.
    pub former: Vec<GuardEntry<UserId>>,
    /// Distinct enabled accounts that there must be; 0 switches the check off.
    pub minimum: u32,
    /// The entry itself, for findings about the whole.
    pub origin: Option<Origin>,
}

/// Limits that refuse a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brakes {
    /// Users to whom anything happens.
    pub changed_users: Limit,
    /// Users whose protection is taken down.
    pub weakened_users: Limit,
    /// Registered numbers that are overwritten.
    pub replaced_numbers: Limit,
}

/// So many percent of the users in scope; but so few as `floor` never count as too many.
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

/// An account or group by id; the name, where given, is checked against the tenant.
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
    /// Nobody may be in it.
    pub allow_empty: bool,
}

/// One named policy.
#[derive(Debug, Clone)]
pub struct Policy {
    pub name: String,
    pub description: Option<String>,
    pub mode: Mode,
    /// Smaller wins.
    pub priority: u32,
    pub who: Who,
    pub except: Vec<Exception>,
    pub only: Where,
    pub rules: Rules,
    /// The policy's name in its file.
    pub origin: Origin,
}

/// Whether a policy is for real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    #[default]
    Enforce,
    /// Shown in plans, never applied, and never in the way of a policy that is enforced.
    Report,
}

/// Whom a policy applies to: the union of these.
#[derive(Debug, Clone, Default)]
pub struct Who {
    pub everyone: bool,
    pub groups: Vec<(GroupRef, Origin)>,
    /// Whoever holds the role or may take it up, also through groups.
    pub roles: Vec<(RoleRef, Origin)>,
    pub users: Vec<(UserRef, Origin)>,
}

/// A group as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupRef {
    /// Display name of a security group.
    Name(String),
    Id(GroupId),
    /// The id decides, the name is checked.
    Both {
        id: GroupId,
        name: String,
    },
}

/// A directory role as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleRef {
    /// Display name.
    Name(String),
    /// Template id.
    Id(RoleId),
}

/// A user as a person names one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserRef {
    PrincipalName(String),
    Id(UserId),
}

/// What a policy wants, setting by setting. What is not there is not managed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<Setting, (Stance<Rule>, Origin)>);

impl Rules {
    /// Takes in a rule; of two for one setting, the second.
    pub fn add(&mut self, setting: Setting, rule: Stance<Rule>, origin: Origin) {
        self.0.insert(setting, (rule, origin));
    }

    /// Every setting that the policy mentions, with what it says of it.
    pub fn iter(&self) -> impl Iterator<Item = (Setting, &Stance<Rule>)> {
        self.0.iter().map(|(setting, (rule, _))| (*setting, rule))
    }

    /// What the policy says of the setting.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&Stance<Rule>> {
        self.0.get(&setting).map(|(rule, _)| rule)
    }

    /// The rule for the setting, unless it is to be left alone.
    #[must_use]
    pub fn managed(&self, setting: Setting) -> Option<&Rule> {
        match self.get(setting)? {
            Stance::Managed(rule) => Some(rule),
            Stance::Unmanaged => None,
        }
    }

    /// Whether the policy says anything of the setting.
    #[must_use]
    pub fn mentions(&self, setting: Setting) -> bool {
        self.0.contains_key(&setting)
    }

    /// Where the rule for the setting stands.
    #[must_use]
    pub fn origin(&self, setting: Setting) -> Option<Origin> {
        self.0.get(&setting).map(|(_, origin)| *origin)
    }

    /// Whether both want the same of the setting.
    #[must_use]
    pub fn agrees(&self, other: &Self, setting: Setting) -> bool {
        self.get(setting) == other.get(setting)
    }

    /// What the rule wants, in words.
    #[must_use]
    pub fn describe(&self, setting: Setting) -> Option<String> {
        self.get(setting).map(|rule| match rule {
            Stance::Managed(rule) => rule.to_string(),
            Stance::Unmanaged => UNMANAGED.to_owned(),
        })
    }

    /// The directory attributes that the rules read.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> {
        self.all_managed().flat_map(Rule::attributes).copied()
    }

    /// Whether the users' preferences have to be read to follow the rules.
    #[must_use]
    pub fn need_preferences(&self) -> bool {
        self.all_managed().any(Rule::needs_preferences)
    }

    /// Whether a number may be registered by them.
    #[must_use]
    pub fn register_numbers(&self) -> bool {
        self.all_managed().any(|rule| matches!(rule, Rule::Phone(phone::Rule::Number(_))))
    }

    /// Whether what they come to for one user can hang on what another has.
    #[must_use]
    pub fn concern_others(&self) -> bool {
        self.all_managed().any(Rule::concerns_others)
    }

    /// Whether any setting is wanted in some state, and not only left alone.
    #[must_use]
    pub fn manage(&self) -> bool {
        self.all_managed().next().is_some()
    }

    /// Whether nothing at all is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn all_managed(&self) -> impl Iterator<Item = &Rule> {
        self.0.values().filter_map(|(rule, _)| match rule {
            Stance::Managed(rule) => Some(rule),
            Stance::Unmanaged => None,
        })
    }
}

impl Policy {
    /// Whether what the policy wants is for real. Whom only such policies name counts as in scope.
    #[must_use]
    pub fn governs(&self) -> bool {
        matches!(self.mode, Mode::Enforce) && self.rules.manage()
    }
}

impl PolicySet {
    /// Whether the users' preferences have to be read.
    #[must_use]
    pub fn need_preferences(&self) -> bool {
        self.policies.iter().any(|policy| policy.rules.need_preferences())
    }

    /// Whether everybody's numbers are read, because one may be registered for somebody.
    #[must_use]
    pub fn compare_with_everyone(&self) -> bool {
        self.project.compare_with == CompareWith::Everyone
            && self.policies.iter().any(|policy| policy.rules.register_numbers())
    }

    /// The same without any policy: what says whom never to write, and nothing else.
    #[must_use]
    pub fn guards_only(&self) -> Self {
        Self { policies: Vec::new(), ..self.clone() }
    }

    /// The same policies, meant for nobody: what says whom never to write, and whom each of them
    /// leaves alone.
    #[must_use]
    pub fn exceptions_only(&self) -> Self {
        let of_nobody = |policy: &Policy| Policy { who: Who::default(), ..policy.clone() };
        Self { policies: self.policies.iter().map(of_nobody).collect(), ..self.clone() }
    }
}

//! The safe changes that lead from the observed to the desired state. The steps, in the order of work:
//!
//! - `diff` finds the changes of one user; `guard` orders them and withholds the unsafe ones.
//! - `per_user` plans one user, `pipeline` all users.
//! - `objects` plans the objects of the tenant, with the users that each change affects.
//! - `phase` puts the steps of users and objects in order.
//! - `numbers` refuses numbers of other users, and orders users that release and reuse a number.
//! - `oscillation` evaluates the policies again on the planned state.
//! - `findings` makes the findings, `reason` the words for withheld changes, `missing_facts` the list of
//!   unknown facts.
//! - `summary` counts; `brakes` compares the counts with the limits; `fingerprint` identifies the plan.
//! - `narrow` drops changes from a plan; `trim_directory` drops users that it is not about.
//! - `approval` holds what was approved of a plan, and compares it with a later one.
//! - `recheck` evaluates the policies again before an apply.
//! - `undo` plans to put back what a run changed.
//!
//! The result depends on the arguments alone: no clock, no environment, no network, no file.
//!
//! Not here: saving a plan (`saved`), showing one (`render`), explaining one (`explain`) or carrying one
//! out (`apply`).

pub mod approval;
pub mod brakes;
pub mod content;
pub mod diff;
pub mod difference;
mod difference_digest;
mod findings;
pub mod fingerprint;
pub mod guard;
pub mod loosening;
pub mod missing_facts;
pub mod narrow;
pub mod numbers;
pub mod objects;
mod oscillation;
mod per_user;
pub mod phase;
pub mod pipeline;
pub mod planned_value;
mod reason;
pub mod recheck;
pub mod review;
pub mod reviewed_difference;
pub mod summary;
mod trim_directory;
pub mod undo;

pub use crate::plan::findings::noticed::legacy_method_policy;
pub use findings::portals_only;

pub use crate::policy::meaning::Difference;

use jiff::Timestamp;

use crate::observed::TenantBasis;
use std::ops::Range;
use std::sync::Arc;

use crate::finding::{Code, Finding, quoted};
use crate::policy::meaning::Meaning;
use crate::posture::Posture;
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Remark, Setting, Value};
use crate::source::{Origin, Sources};
use crate::tenant::directory::{Directory, Identity, UserIndex};
use crate::tenant::facts::Facts;
use crate::untrusted::Untrusted;
use brakes::Brake;
use fingerprint::Fingerprint;
use objects::ObjectChange;
use summary::{PostureCounts, Summary};

/// The changes of a run, ordered by user and within a user by the order of writing, and what is withheld.
#[derive(Debug, Clone)]
pub struct Plan {
    pub identity: Identity,
    pub directory: Arc<Directory>,
    pub purpose: PlanPurpose,
    /// The meaning of `mfactl.yaml` and the policy files, without their layout.
    pub meaning: Meaning,
    pub policies: Vec<PolicyLabel>,
    pub basis: TenantBasis,
    /// The users with a planned, withheld or reported change, in the order of their names.
    pub users: Vec<UserPlan>,
    pub changes: Vec<Change>,
    // INVARIANT: in the order of users, like `reported` and `reported_withheld`. `saved` searches them.
    pub withheld: Vec<Withheld>,
    /// What policies in report mode would change if they were enforced too. Never applied.
    pub reported: Vec<Change>,
    /// What would be withheld of those changes.
    pub reported_withheld: Vec<Withheld>,
    /// The changes of objects of the tenant. Never applied by this version.
    pub objects: Vec<ObjectChange>,
    pub findings: Vec<Finding>,
    pub in_scope: usize,
    pub postures: PostureCounts,
    pub summary: Summary,
    /// Every brake, tripped or not.
    pub brakes: Vec<Brake>,
    /// When the tenant was recorded, if the plan is made from a snapshot. Such a plan is never applied.
    pub recorded: Option<Timestamp>,
    /// Identifies the plan once it is shown and approved. Not set before.
    pub fingerprint: Fingerprint,
}

// INVARIANT: `rows` is in the order of users.
/// Returns the rows of one user.
pub fn rows_of<T>(rows: &[T], user: UserIndex, of: impl Fn(&T) -> UserIndex) -> &[T] {
    let from = rows.partition_point(|row| of(row) < user);
    let to = rows.partition_point(|row| of(row) <= user);
    rows.get(from..to).unwrap_or_default()
}

/// Whether a finding with this code means that a fact is missing.
#[must_use]
pub const fn is_gap(code: Code) -> bool {
    matches!(code, Code::Unreadable | Code::SnapshotLacks)
}

/// What a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlanPurpose {
    /// To bring the tenant to the state that the policies want.
    Policies,
    /// To put back what a run changed.
    Undo { run: String },
}

/// A policy as a plan needs it: its name, and its rules with their places.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyLabel {
    pub name: Untrusted,
    rules: Vec<RuleLabel>,
}

/// One rule of a policy: its place, and what it wants for every user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleLabel {
    pub setting: Setting,
    pub place: FilePlace,
    /// `from mobilePhone`, `enabled`.
    pub wants: Untrusted,
}

/// A place in a file that stays valid without the files: the same text, whatever path leads to the folder
/// of `mfactl.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FilePlace {
    pub file: Untrusted,
    pub line: u32,
    pub column: u32,
}

/// One user of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPlan {
    pub user: UserIndex,
    /// What was observed: the user's part of the basis.
    pub facts: Facts,
    pub before: Posture,
    pub after: Posture,
    /// The range of the user's changes in [`Plan::changes`].
    // INVARIANT: the ranges of all users, in their order, follow each other without a gap and end where
    // `Plan::changes` ends.
    pub changes: Range<usize>,
    /// Every policy that applies to the user.
    pub policies: Vec<PolicyIndex>,
}

/// A change that the planner refuses to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    pub user: UserIndex,
    pub setting: Setting,
    pub wanted: Value,
    pub policy: PolicyIndex,
    pub reason: Reason,
    /// What led to the reason, where that is known.
    pub cause: Option<Cause>,
}

/// What led to a reason.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// A remark about the user's own data, for that setting.
    Said(Remark, Setting),
    /// This change needs the change of that setting, which is withheld itself.
    Withheld(Setting),
}

/// Why a change is withheld.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    WouldBeOpen,
    WouldBeStuck,
    /// Something that decides it could not be read.
    CannotTell,
    /// The user signs in at a provider that may do MFA.
    DomainFederated,
    /// It is unknown whether the user does.
    DomainUnknown,
    /// Nothing else is known to require MFA for the user.
    NotCoveredElsewhere,
    /// Registering the phone would, or might, switch on SMS sign-in for the user.
    SmsSignIn,
    /// The policy switches SMS sign-in on, and it is not certain that the tenant allows it for the user.
    SmsSignInNotAllowed,
    /// Another user uses, or may use, the number for SMS sign-in.
    SignInNumberTaken,
    /// An alternate mobile phone or SMS sign-in is wanted, and there is no mobile phone.
    NoMobilePhone,
    /// The user has, or may have, an administrator role, and the policy does not name it.
    ReplacesAdministrators,
    HasStronger,
    /// The number is registered for another user, or would be once the plan is carried out.
    NumberOfAnother,
    /// No method that certainly answers would be left.
    LastMethod,
    MaybeLastMethod,
    IsDefault,
    DefaultUnknown,
    AlternateNeedsMobile,
    /// None of the preferred methods is registered and usable.
    NoSuchMethod,
    MaybeNoSuchMethod,
    /// With system-preferred MFA off, Entra would ask the user for a phone again.
    AsksWeaker,
    MayAskWeaker,
    /// Another policy of the same priority wants a different value.
    Conflict(PolicyIndex),
}

impl PolicyLabel {
    /// Returns the policy's rule for the setting.
    #[must_use]
    pub fn rule(&self, setting: Setting) -> Option<&RuleLabel> {
        self.rules.iter().find(|rule| rule.setting == setting)
    }
}

impl FilePlace {
    /// Returns the place of an origin, given the files it points into.
    #[must_use]
    pub fn of(origin: Origin, sources: &Sources) -> Self {
        let file = sources.get(origin.file).map_or("?", |source| source.name.as_str());
        Self { file: file.into(), line: origin.span.line, column: origin.span.column }
    }
}

impl std::fmt::Display for FilePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Cause {
    /// Returns the code of the finding that reports the cause in full, where there is one.
    #[must_use]
    pub const fn code(self) -> Option<Code> {
        match self {
            Self::Said(remark, _) => Some(remark.code()),
            Self::Withheld(_) => None,
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said(remark, setting) => f.write_str(&remark.about(*setting)),
            Self::Withheld(setting) => write!(f, "the {} is withheld", setting.name()),
        }
    }
}

impl Withheld {
    /// Creates a withheld change without a known cause.
    #[must_use]
    pub const fn of(change: &Change, reason: Reason) -> Self {
        let Change { user, setting, after, policy, .. } = *change;
        Self { user, setting, wanted: after, policy, reason, cause: None }
    }

    /// Returns the reason as a clause, with its cause and the name of a conflicting policy.
    #[must_use]
    pub fn explain(&self, plan: &Plan) -> String {
        let cause = self.cause.map_or_else(String::new, |cause| format!("{cause}, so "));
        match self.reason {
            Reason::Conflict(rival) => {
                let (one, other) =
                    (plan.rule_of(self.policy, self.setting), plan.rule_of(rival, self.setting));
                format!("{cause}{one} and {other} have the same priority and want different values")
            }
            Reason::DomainFederated | Reason::DomainUnknown => {
                let domain = self.domain(plan).map_or_else(String::new, quoted);
                let about = self.reason.about();
                cause + &about.replace("the user's domain", &format!("the user's domain {domain}"))
            }
            other => cause + other.about(),
        }
    }

    /// Returns the user's domain if the reason is about it.
    #[must_use]
    pub fn domain<'a>(&self, plan: &'a Plan) -> Option<&'a str> {
        let is_about_it = matches!(self.reason, Reason::DomainFederated | Reason::DomainUnknown);
        let name = is_about_it.then(|| plan.directory.name(self.user))?;
        name.raw().rsplit_once('@').map(|(_, domain)| domain)
    }
}

impl Plan {
    #[must_use]
    pub fn policy(&self, index: PolicyIndex) -> Option<&PolicyLabel> {
        self.policies.get(index.place())
    }

    /// Returns the name of a policy and the place of its rule.
    fn rule_of(&self, policy: PolicyIndex, setting: Setting) -> String {
        let Some(label) = self.policy(policy) else { return "another policy".to_owned() };
        match label.rule(setting) {
            Some(rule) => format!("`{}` ({})", label.name, rule.place),
            None => format!("`{}`", label.name),
        }
    }

    /// Returns the changes of one user, in the order of writing.
    #[must_use]
    pub fn changes_of(&self, user: &UserPlan) -> &[Change] {
        self.changes.get(user.changes.clone()).unwrap_or_default()
    }

    /// Returns the changes of the user at this index, in the order of writing.
    #[must_use]
    pub fn changes_of_index(&self, index: UserIndex) -> &[Change] {
        let place = self.users.binary_search_by_key(&index, |user| user.user);
        let user = place.ok().and_then(|place| self.users.get(place));
        user.map_or(&[], |user| self.changes_of(user))
    }

    /// Whether a finding is an error, such as contradicting policies, so that the plan must not be applied.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// Whether every fact that the plan depends on could be read.
    // INVARIANT: each fact that could not be read, and that a change depends on, has a finding with this code.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.findings.iter().any(|finding| is_gap(finding.code))
    }
}

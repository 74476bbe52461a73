//! The difference between desired and observed, made safe: `diff` finds the changes of a user,
//! `guard` puts them in the one order and withholds what would hurt, `build` does it for everybody,
//! `stability` asks the policies again about what is planned, `remarks` turns what was noticed into
//! findings, `summary` counts, `brakes` judges the counts, `fingerprint` names the whole, `file` saves
//! it, `wanted` asks the policies again before it is carried out, `undo` plans to put back what a run
//! changed, `explain` says of one user why it is so; `unread` is what nobody knows of a user.
//!
//! Everything here is a function of its arguments: no clock, no environment, no network. Not here:
//! showing a plan (`render`) or carrying it out (`apply`).

pub mod brakes;
pub mod build;
pub mod diff;
mod draft;
pub mod explain;
pub mod file;
pub mod fingerprint;
pub mod guard;
pub mod handing_on;
mod holders;
pub mod narrow;
mod notice;
mod only;
mod reason;
mod remarks;
mod replacing;
mod share_out;
mod stability;
pub mod summary;
pub mod undo;
pub mod unread;
pub mod wanted;

pub use notice::legacy_method_policy;
pub use remarks::portals_only;

pub use crate::policy::meaning::Difference;

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::Date;

use crate::finding::{Code, Finding, quoted};
use crate::id::UserId;
use crate::policy::meaning::Meaning;
use crate::posture::{Judge, Posture};
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::{Remark, Setting, Value};
use crate::source::{Origin, Sources};
use crate::tenant::delivery::Delivery;
use crate::tenant::demand::Demand;
use crate::tenant::directory::{Directory, Identity, UserIndex};
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::untrusted::Untrusted;
use brakes::Brake;
use fingerprint::Fingerprint;
use summary::{PostureCounts, Summary};

/// What a plan's safety rests on, apart from the facts of each user: apply reads it again, and if
/// it is not the same, nothing of the plan is applied.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantBasis {
    pub method_policy: MethodPolicy,
    pub demand: Demand,
    pub delivery: Delivery,
    /// The day it was judged on; apply judges on its own.
    pub today: Date,
    /// The accounts that are never written.
    pub break_glass: BTreeSet<UserId>,
    /// What the facts of the users hold beside methods and state.
    pub extra: Extra,
}

/// What a run intends: every change in the order of users and, within a user, in the order of
/// writing; and what it refuses to do.
#[derive(Debug)]
pub struct Plan {
    pub identity: Identity,
    pub directory: Directory,
    pub purpose: Purpose,
    /// What `mfactl.yaml` and the files of the policies mean.
    pub meaning: Meaning,
    pub policies: Vec<PolicyLabel>,
    pub basis: TenantBasis,
    /// Those to whom something happens or is refused, in the order of their names.
    pub users: Vec<UserPlan>,
    pub changes: Vec<Change>,
    pub withheld: Vec<Withheld>,
    /// What policies in report mode would change if they were enforced too. Never applied.
    pub reported: Vec<Change>,
    /// And what of theirs would be withheld.
    pub reported_withheld: Vec<Withheld>,
    pub findings: Vec<Finding>,
    pub in_scope: usize,
    pub postures: PostureCounts,
    pub summary: Summary,
    /// Every brake, tripped or not.
    pub brakes: Vec<Brake>,
    /// Its name once it is what is shown and approved; nothing in the making.
    pub fingerprint: Fingerprint,
}

/// What a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To bring the tenant to what the policies want.
    Policies,
    /// To put back what a run changed.
    Undo { run: String },
}

/// A policy as a plan needs it: its name, where its rules stand, how many it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyLabel {
    pub name: Untrusted,
    rules: Vec<RuleLabel>,
}

/// One rule of a policy: where it stands, and what it wants of everybody alike.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleLabel {
    pub setting: Setting,
    pub place: Place,
    /// `from mobilePhone`, `enabled`.
    pub wants: Untrusted,
}

/// A place in a file, in words that outlive the files: the same however the folder of `mfactl.yaml`
/// was reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Place {
    pub file: Untrusted,
    pub line: u32,
    pub column: u32,
}

/// One user of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPlan {
    pub user: UserIndex,
    /// What was observed, the user's part of the basis.
    pub facts: Facts,
    pub before: Posture,
    pub after: Posture,
    /// Where the user's changes stand in [`Plan::changes`].
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
    /// What led to it, where that is known.
    pub cause: Option<Cause>,
}

/// What came before a reason.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// Something about the user's own data, in that setting.
    Said(Remark, Setting),
    /// The change of that setting, which would have carried this one, is withheld itself.
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
    /// Whether the user does is not known.
    DomainUnknown,
    /// Nothing else is known to demand MFA of the user.
    NotCoveredElsewhere,
    /// Registering the phone would let, or might let, the user sign in by text.
    SmsSignIn,
    /// The policy that switches it on reaches a user whom the tenant does not let sign in by text.
    SmsSignInNotAllowed,
    SignInNumberTaken,
    /// An alternate mobile phone, or signing in by text, without a mobile phone.
    NoMobilePhone,
    /// A number of somebody who holds, or may hold, an administrator's role that no policy names.
    ReplacesAdministrators,
    HasStronger,
    /// The number is registered for somebody else, or would be once the plan is carried out.
    NumberOfAnother,
    /// Nothing that surely answers would be left.
    LastMethod,
    MaybeLastMethod,
    IsDefault,
    DefaultUnknown,
    AlternateNeedsMobile,
    /// None of the preferred methods is there in usable form.
    NoSuchMethod,
    MaybeNoSuchMethod,
    /// Switched off, it would have the user asked for a phone again.
    AsksWeaker,
    MayAskWeaker,
    /// Another policy of the same priority wants something else.
    Conflict(PolicyIndex),
}

impl TenantBasis {
    /// Who judges by it.
    #[must_use]
    pub const fn judge(&self) -> Judge<'_> {
        Judge {
            method_policy: &self.method_policy,
            demand: &self.demand,
            delivery: self.delivery,
            today: self.today,
        }
    }
}

impl PolicyLabel {
    /// The policy's rule for the setting.
    #[must_use]
    pub fn rule(&self, setting: Setting) -> Option<&RuleLabel> {
        self.rules.iter().find(|rule| rule.setting == setting)
    }
}

impl Place {
    /// The place of an origin, given the files it points into.
    #[must_use]
    pub fn of(origin: Origin, sources: &Sources) -> Self {
        let file = sources.get(origin.file).map_or("?", |source| source.name.as_str());
        Self { file: file.into(), line: origin.span.line, column: origin.span.column }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Cause {
    /// The code of the finding that says it in full, where there is one of its own.
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
    /// A change that is not made, where nothing is known to have led to that.
    #[must_use]
    pub const fn of(change: &Change, reason: Reason) -> Self {
        let Change { user, setting, after, policy, .. } = *change;
        Self { user, setting, wanted: after, policy, reason, cause: None }
    }

    /// Why, with what led to it and the name of a rival policy.
    #[must_use]
    pub fn explain(&self, plan: &Plan) -> String {
        let cause = self.cause.map_or_else(String::new, |cause| format!("{cause}, and "));
        match self.reason {
            Reason::Conflict(rival) => {
                let (one, other) =
                    (plan.said_by(self.policy, self.setting), plan.said_by(rival, self.setting));
                format!("{cause}{other} wants something else than {one}, with the same priority")
            }
            Reason::DomainFederated | Reason::DomainUnknown => {
                let domain = self.domain(plan).map_or_else(String::new, quoted);
                let about = self.reason.about();
                cause + &about.replace("the user's domain", &format!("the user's domain {domain}"))
            }
            other => cause + other.about(),
        }
    }

    /// The user's domain, where the reason is about it.
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

    /// A policy by name, and the line of its rule.
    fn said_by(&self, policy: PolicyIndex, setting: Setting) -> String {
        let Some(label) = self.policy(policy) else { return "another policy".to_owned() };
        match label.rule(setting) {
            Some(rule) => format!("`{}` ({})", label.name, rule.place),
            None => format!("`{}`", label.name),
        }
    }

    /// The changes of one user, in the order of writing.
    #[must_use]
    pub fn changes_of(&self, user: &UserPlan) -> &[Change] {
        self.changes.get(user.changes.clone()).unwrap_or_default()
    }

    /// Whether the policies contradict themselves in it, so that it must not be applied.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// Whether everything that decides something could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.findings.iter().any(|finding| finding.code == Code::Unreadable)
    }
}

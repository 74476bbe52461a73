//! The report: (policies, directory, scope, facts, basis) → the posture of every account. It contains
//! the accounts that are open, stuck, soon to be either, unknown or in no policy; counts by policy,
//! group, role and kind of method; weak break-glass accounts; shared numbers.
//!
//! Only enabled accounts are counted, because no user can sign in to the others. Every function here
//! depends only on its arguments, and no account has its own copy of text: names are in the directory.
//! Not here: what to do about problems (`plan`), or how a report looks (`render::report`).

mod break_glass;
mod build;
mod condition;
mod counts;
mod shared;
mod slices;

pub use break_glass::{BreakGlassAccount, BreakGlassReport, Weakness};
pub use build::report;
pub use condition::{Condition, Tally};
pub use counts::{AccountCounts, MethodCount, MethodCounts};
pub use shared::SharedNumber;
pub use slices::{GroupName, PolicyName, RoleName, Slice};

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::finding::{Code, Finding};
use crate::observed::TenantBasis;
use crate::posture::{Posture, Usable};
use crate::scope::UserPart;
use crate::tenant::directory::{Directory, Identity, UserIndex};
use crate::tenant::facts::{Facts, MethodKind, Read};
use crate::tenant::user_set::Tristate;

/// The postures of all accounts on one day.
#[derive(Debug)]
pub struct PostureReport {
    pub identity: Identity,
    pub directory: Arc<Directory>,
    basis: TenantBasis,
    /// Indexed by the place of the user in the directory.
    facts: Vec<Facts>,
    /// The enabled accounts, sorted by name.
    pub people: Vec<ReportedUser>,
    /// Disabled accounts. No other count includes them.
    pub disabled: usize,
    /// Invited accounts, and members homed in another tenant.
    pub guests: usize,
    pub counts: AccountCounts,
    pub policies: Vec<Slice<PolicyName>>,
    /// The groups that policies name.
    pub groups: Vec<Slice<GroupName>>,
    /// The roles that a user holds or is eligible for, if the roles could be read.
    pub roles: Vec<Slice<RoleName>>,
    pub methods: MethodCounts,
    pub break_glass: BreakGlassReport,
    pub shared: Vec<SharedNumber>,
    pub findings: Vec<Finding>,
    /// When the tenant was recorded, if this is from a snapshot.
    pub recorded: Option<Timestamp>,
}

/// An enabled account and its posture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedUser {
    pub user: UserIndex,
    pub posture: Posture,
    /// Whether MFA is required, even if only at the admin portals.
    pub demanded: Tristate,
    pub portals_only: Tristate,
    pub part: UserPart,
    /// Why the posture is unknown.
    pub doubt: Option<Doubt>,
    /// The day from which a user that can answer now will be open or stuck.
    pub expiring: Option<Date>,
}

/// Why the posture of an account is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// Another tenant decides whether MFA is required and which methods count.
    Elsewhere,
    /// The identity provider of the federated domain decides.
    Federated,
    /// A fact that decides it could not be read.
    Unread,
    /// Everything was read, but that is not enough: MFA is required only at some sign-ins, or settings
    /// that Graph does not show still count.
    Undecided,
}

impl PostureReport {
    /// Returns the day that the report is about.
    #[must_use]
    pub const fn day(&self) -> Date {
        self.basis.today
    }

    /// Whether all facts that matter could be read.
    // INVARIANT: each fact that could not be read, and that matters, has a finding with this code.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.findings.iter().any(|finding| finding.code == Code::Unreadable)
    }

    /// Returns the registered methods of a user, and whether each can answer; `None` if they are unknown.
    #[must_use]
    pub fn methods_of(&self, user: UserIndex) -> Option<Vec<(MethodKind, Usable)>> {
        let facts = self.facts.get(user.place())?;
        match self.basis.judge().methods(user, facts) {
            Read::Known(methods) => Some(methods),
            Read::Unknown(_) => None,
        }
    }

    /// Returns the accounts that meet a condition, sorted by name.
    pub fn those(&self, is: impl Fn(&ReportedUser) -> bool) -> impl Iterator<Item = &ReportedUser> {
        self.people.iter().filter(move |person| is(person))
    }
}

impl ReportedUser {
    /// Whether a password is certainly enough for mail and files although the admin portals require MFA.
    #[must_use]
    pub fn is_open_to_a_password(&self) -> bool {
        self.portals_only == Tristate::Yes && self.posture != Posture::Open
    }
}

impl Doubt {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Federated => "federated",
            Self::Unread => "unread",
            Self::Undecided => "undecided",
        }
    }

    /// Returns the reason as a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Elsewhere => "homed in another tenant, which decides about MFA",
            Self::Federated => "in a federated domain, whose identity provider decides about MFA",
            Self::Unread => "a fact that decides it could not be read",
            Self::Undecided => {
                "MFA is required only at some sign-ins, or older settings still count"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_takes_at_most_16_bytes() {
        assert!(size_of::<ReportedUser>() <= 16, "{} bytes", size_of::<ReportedUser>());
    }
}

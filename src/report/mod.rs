//! How everybody in the tenant stands: (policies, directory, scope, facts, basis) → a report. Who
//! is open, stuck, soon to be either, not known or in no policy; counts by policy, group, role and
//! kind of method; what is weak about break-glass accounts; numbers that people share.
//!
//! Enabled accounts alone are counted: nobody signs in to the others. Everything here is a function
//! of its arguments, and no user has text of their own: names are in the directory. Not here: what
//! should be done about it (`plan`), or how it is written (`render::report`).

mod break_glass;
mod build;
mod condition;
mod counts;
mod shared;
mod slices;

pub use break_glass::{Account, BreakGlass, Weakness};
pub use build::report;
pub use condition::{Condition, Tally};
pub use counts::{Counts, MethodCount, Methods};
pub use shared::Shared;
pub use slices::{GroupName, PolicyName, RoleName, Slice};

use jiff::civil::Date;

use crate::finding::{Code, Finding};
use crate::plan::TenantBasis;
use crate::plan::explain::Part;
use crate::posture::{Posture, Usable};
use crate::tenant::crowd::Judged;
use crate::tenant::directory::{Directory, Identity, UserIndex};
use crate::tenant::facts::{Facts, Kind, Read};

/// How everybody stands on one day.
#[derive(Debug)]
pub struct Report {
    pub identity: Identity,
    pub directory: Directory,
    basis: TenantBasis,
    /// By the places of users in the directory.
    facts: Vec<Facts>,
    /// The enabled accounts, in the order of their names.
    pub people: Vec<Person>,
    /// Accounts that nobody can sign in to, left out of every count.
    pub disabled: usize,
    /// Invited, or at home in another tenant as a member.
    pub guests: usize,
    pub counts: Counts,
    pub policies: Vec<Slice<PolicyName>>,
    /// Those that policies name.
    pub groups: Vec<Slice<GroupName>>,
    /// Those that somebody holds or may take up, if it could be read who.
    pub roles: Vec<Slice<RoleName>>,
    pub methods: Methods,
    pub break_glass: BreakGlass,
    pub shared: Vec<Shared>,
    pub findings: Vec<Finding>,
}

/// An enabled account, and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    pub user: UserIndex,
    pub posture: Posture,
    /// Be it at the admin portals alone.
    pub demanded: Judged,
    pub portals_only: Judged,
    pub part: Part,
    /// Why the posture is not known.
    pub doubt: Option<Doubt>,
    /// The day from which somebody who can answer now will be open or stuck.
    pub expiring: Option<Date>,
}

/// Why nobody can say how somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// What is asked of them, and what they answer with, is decided in another tenant.
    Elsewhere,
    /// It is decided by the provider of their federated domain.
    Federated,
    /// Something that decides it could not be read.
    Unread,
    /// Everything was read, and it does not decide: MFA is demanded at some sign-ins only, or
    /// settings that Graph does not show still count.
    Undecided,
}

impl Report {
    /// The day of the judgement.
    #[must_use]
    pub const fn day(&self) -> Date {
        self.basis.today
    }

    /// Whether everything that decides something could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.findings.iter().any(|finding| finding.code == Code::Unreadable)
    }

    /// What somebody has registered, and what each of it is good for; nothing where that is not
    /// known.
    #[must_use]
    pub fn methods_of(&self, user: UserIndex) -> Option<Vec<(Kind, Usable)>> {
        let facts = self.facts.get(user.place())?;
        match self.basis.judge().methods(user, facts) {
            Read::Known(methods) => Some(methods),
            Read::Unknown(_) => None,
        }
    }

    /// Those of whom something is true, in the order of their names.
    pub fn those(&self, is: impl Fn(&Person) -> bool) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(move |person| is(person))
    }
}

impl Person {
    /// Whether a password surely opens mail and files although the admin portals ask for more.
    #[must_use]
    pub fn is_open_to_a_password(&self) -> bool {
        self.portals_only == Judged::Yes && self.posture != Posture::Open
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

    /// Why, in a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Elsewhere => "at home in another tenant, where it is decided",
            Self::Federated => "in a federated domain, whose provider decides",
            Self::Unread => "something that decides it could not be read",
            Self::Undecided => {
                "MFA is demanded at some sign-ins only, or older settings still count"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_people_fit() {
        assert!(size_of::<Person>() <= 16, "{} bytes", size_of::<Person>());
    }
}

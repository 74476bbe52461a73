//! The weaknesses of break-glass accounts. These accounts must work even if phones, the federation or
//! policies fail (Entra documentation of emergency access accounts; of mandatory MFA for
//! administrators, which includes these accounts; checked 2026-11).
//!
//! Not here: which accounts are break-glass accounts (`scope`).

use crate::finding::Code;
use crate::observed::Observed;
use crate::posture::{MethodVerdict, Usable};
use crate::tenant::demand::Decided;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{MethodKind, Read};
use crate::tenant::user_set::Tristate;

/// The break-glass accounts of the project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BreakGlassReport {
    /// The required number of enabled accounts.
    pub minimum: usize,
    pub enabled: usize,
    /// The number of groups that are empty or lost members, although the files do not allow it.
    pub lacking: usize,
    /// Sorted by name.
    pub accounts: Vec<BreakGlassAccount>,
}

/// A break-glass account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlassAccount {
    pub user: UserIndex,
    pub weaknesses: Vec<Weakness>,
}

/// Why an account may not help when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakness {
    Disabled,
    /// No usable method is registered: the next person with the password can register their own.
    NoMethod,
    /// No registered method can answer.
    CannotAnswer,
    /// It is unknown whether the account could answer.
    Unknown,
    PhoneOnly,
    /// No usable method is phishing-resistant.
    Phishable,
    /// The account depends on the on-premises directory.
    Synced,
    /// The account is homed in another tenant.
    Elsewhere,
    /// The account depends on the identity provider of its domain.
    Federated,
    /// The account cannot repair the tenant.
    NotGlobalAdministrator,
}

impl BreakGlassReport {
    /// Whether there are fewer enabled accounts than required.
    #[must_use]
    pub const fn is_too_few(&self) -> bool {
        self.enabled < self.minimum
    }

    /// Returns the number of weak accounts plus the number of groups that lack accounts, plus one if there
    /// are too few accounts or none.
    #[must_use]
    pub fn weak(&self) -> usize {
        let weak = self.accounts.iter().filter(|account| !account.weaknesses.is_empty());
        weak.count() + self.lacking + usize::from(self.is_too_few() || self.accounts.is_empty())
    }
}

pub(super) fn break_glass(minimum: u32, observed: &Observed) -> BreakGlassReport {
    let enabled =
        |user: &UserIndex| observed.directory.user(*user).is_some_and(|user| user.account.enabled);
    let account = |user| BreakGlassAccount { user, weaknesses: weaknesses(user, observed) };
    BreakGlassReport {
        minimum: minimum as usize,
        enabled: observed.scope.break_glass().filter(enabled).count(),
        lacking: observed.findings.iter().filter(|finding| is_of_group(finding.code)).count(),
        accounts: observed.scope.break_glass().map(account).collect(),
    }
}

const fn is_of_group(code: Code) -> bool {
    matches!(code, Code::BreakGlassEmpty | Code::BreakGlassLost)
}

fn weaknesses(index: UserIndex, observed: &Observed) -> Vec<Weakness> {
    let Some(user) = observed.directory.user(index) else { return Vec::new() };
    let (judge, facts) = (observed.basis.judge(), observed.facts(index));
    let answers: Vec<MethodKind> = match judge.methods(index, &facts) {
        Read::Known(methods) => {
            let answering = methods.into_iter().filter(|(_, usable)| *usable == Usable::Yes);
            answering.map(|(kind, _)| kind).collect()
        }
        Read::Unknown(_) => Vec::new(),
    };
    let all = |is: fn(&MethodKind) -> bool| !answers.is_empty() && answers.iter().all(is);
    let only_phones = all(|kind| is_phone(*kind));
    let answer = judge.answer(index, &facts);
    let decided = judge.demand.decided(index);
    let is_decided_there = matches!(decided, Decided::InAnotherTenant | Decided::AtProvider);
    let administrates = judge.demand.is_global_administrator(index);
    [
        (!user.account.enabled, Weakness::Disabled),
        (answer == MethodVerdict::Nothing, Weakness::NoMethod),
        (answer == MethodVerdict::Cannot, Weakness::CannotAnswer),
        (answer == MethodVerdict::Unknown && !is_decided_there, Weakness::Unknown),
        (only_phones, Weakness::PhoneOnly),
        (!only_phones && all(|kind| !resists_phishing(*kind)), Weakness::Phishable),
        (user.account.synced, Weakness::Synced),
        (decided == Decided::InAnotherTenant, Weakness::Elsewhere),
        (decided == Decided::AtProvider, Weakness::Federated),
        (administrates == Tristate::No, Weakness::NotGlobalAdministrator),
    ]
    .into_iter()
    .filter_map(|(is, weakness)| is.then_some(weakness))
    .collect()
}

const fn is_phone(kind: MethodKind) -> bool {
    matches!(
        kind,
        MethodKind::MobilePhone | MethodKind::AlternateMobilePhone | MethodKind::OfficePhone
    )
}

const fn resists_phishing(kind: MethodKind) -> bool {
    matches!(kind, MethodKind::Passkey | MethodKind::Certificate)
}

impl Weakness {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NoMethod => "noMethod",
            Self::CannotAnswer => "cannotAnswer",
            Self::Unknown => "unknown",
            Self::PhoneOnly => "phoneOnly",
            Self::Phishable => "phishable",
            Self::Synced => "synced",
            Self::Elsewhere => "elsewhere",
            Self::Federated => "federated",
            Self::NotGlobalAdministrator => "notGlobalAdministrator",
        }
    }

    /// Returns the weakness as a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Disabled => "it is disabled",
            Self::NoMethod => "no usable method is registered",
            Self::CannotAnswer => "no registered method works",
            Self::Unknown => "it is unknown whether it could answer an MFA prompt",
            Self::PhoneOnly => "a phone is the only usable method",
            Self::Phishable => "no usable method is phishing-resistant, such as a passkey",
            Self::Synced => "it is synchronised from on-premises",
            Self::Elsewhere => "it is homed in another tenant",
            Self::Federated => "its domain is federated, so its identity provider decides",
            Self::NotGlobalAdministrator => "it is not a Global Administrator",
        }
    }
}

//! What is weak about the accounts for the day when nothing else works. They must let somebody in
//! whatever becomes of phones, of the federation and of every policy (Entra documentation of
//! emergency access accounts; of mandatory MFA for administrators, which spares none of them;
//! checked 2026-11).

use crate::finding::Code;
use crate::plan::build::Observed;
use crate::posture::{Answer, Usable};
use crate::tenant::crowd::Judged;
use crate::tenant::demand::Decided;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Kind, Read};

/// The break-glass accounts of the project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BreakGlass {
    /// So many enabled ones there must be.
    pub minimum: usize,
    pub enabled: usize,
    /// Groups that are empty, or lost members, and nobody said that it is meant.
    pub lacking: usize,
    /// In the order of their names.
    pub accounts: Vec<Account>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub user: UserIndex,
    pub weaknesses: Vec<Weakness>,
}

/// Why an account may not help when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakness {
    Disabled,
    /// Nothing is registered that could answer: whoever has the password registers first.
    NoMethod,
    /// What is registered does not answer.
    CannotAnswer,
    /// Whether it could answer is not known.
    Unknown,
    PhoneOnly,
    /// Nothing that answers withstands a false sign-in page.
    Phishable,
    /// It comes from on-premises, and goes with it.
    Synced,
    /// It lives in another tenant.
    Elsewhere,
    /// It signs in at a provider, and goes with it.
    Federated,
    /// It cannot put the tenant right.
    NotGlobalAdministrator,
}

impl BreakGlass {
    /// Whether there are fewer enabled ones than there must be.
    #[must_use]
    pub const fn is_too_few(&self) -> bool {
        self.enabled < self.minimum
    }

    /// How many accounts are weak in some way, how many groups lack accounts, and one more where
    /// there are too few accounts or none.
    #[must_use]
    pub fn weak(&self) -> usize {
        let weak = self.accounts.iter().filter(|account| !account.weaknesses.is_empty());
        weak.count() + self.lacking + usize::from(self.is_too_few() || self.accounts.is_empty())
    }
}

pub(super) fn break_glass(minimum: u32, observed: &Observed) -> BreakGlass {
    let enabled =
        |user: &UserIndex| observed.directory.user(*user).is_some_and(|user| user.account.enabled);
    let account = |user| Account { user, weaknesses: weaknesses(user, observed) };
    BreakGlass {
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
    let answers: Vec<Kind> = match judge.methods(index, &facts) {
        Read::Known(methods) => {
            let answering = methods.into_iter().filter(|(_, usable)| *usable == Usable::Yes);
            answering.map(|(kind, _)| kind).collect()
        }
        Read::Unknown(_) => Vec::new(),
    };
    let all = |is: fn(&Kind) -> bool| !answers.is_empty() && answers.iter().all(is);
    let only_phones = all(|kind| is_phone(*kind));
    let answer = judge.answer(index, &facts);
    let decided = judge.demand.decided(index);
    let is_decided_there = matches!(decided, Decided::InAnotherTenant | Decided::AtProvider);
    let administrates = judge.demand.is_global_administrator(index);
    [
        (!user.account.enabled, Weakness::Disabled),
        (answer == Answer::Nothing, Weakness::NoMethod),
        (answer == Answer::Cannot, Weakness::CannotAnswer),
        (answer == Answer::Unknown && !is_decided_there, Weakness::Unknown),
        (only_phones, Weakness::PhoneOnly),
        (!only_phones && all(|kind| !withstands_phishing(*kind)), Weakness::Phishable),
        (user.account.synced, Weakness::Synced),
        (decided == Decided::InAnotherTenant, Weakness::Elsewhere),
        (decided == Decided::AtProvider, Weakness::Federated),
        (administrates == Judged::No, Weakness::NotGlobalAdministrator),
    ]
    .into_iter()
    .filter_map(|(is, weakness)| is.then_some(weakness))
    .collect()
}

const fn is_phone(kind: Kind) -> bool {
    matches!(kind, Kind::MobilePhone | Kind::AlternateMobilePhone | Kind::OfficePhone)
}

const fn withstands_phishing(kind: Kind) -> bool {
    matches!(kind, Kind::Passkey | Kind::Certificate)
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

    /// What it is, in a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Disabled => "it is disabled",
            Self::NoMethod => "nothing is registered that could answer",
            Self::CannotAnswer => "nothing that is registered can answer",
            Self::Unknown => "whether it could answer is not known",
            Self::PhoneOnly => "only a phone answers",
            Self::Phishable => "nothing that answers withstands phishing, as a passkey does",
            Self::Synced => "it is synchronised from on-premises",
            Self::Elsewhere => "it is at home in another tenant",
            Self::Federated => "its domain is federated, and its provider decides",
            Self::NotGlobalAdministrator => "it is no Global Administrator",
        }
    }
}

//! Removes users that a policy names but excludes: by an exception, as break-glass accounts, or because a
//! condition of `where` is not met. If the policy names such a user one by one, a finding says why.
//!
//! Not here: the entry by which a policy names a user (`why`).

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::Resolver;
use crate::finding::{Code, Finding};
use crate::policy::Policy;
use crate::policy::filter::{ConditionResult, FilterTest, Where};
use crate::source::Origin;
use crate::tenant::directory::{Account, User, UserIndex};
use crate::tenant::facts::Facts;

/// Why a policy excludes a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    NotInDirectory,
    BreakGlass,
    Excepted,
    DirectorySync,
    /// A condition of `where` is not met.
    Failed(FilterTest),
    /// Only because the directory lacks the attributes that these conditions require.
    Lacks(Vec<FilterTest>),
    /// Whether `where.registered` is met is unknown.
    MethodsUnread,
}

impl Resolver<'_> {
    pub(super) fn narrow(
        &mut self,
        policy: &Policy,
        mut users: FixedBitSet,
        named: &BTreeMap<UserIndex, Origin>,
        excepted: &FixedBitSet,
    ) -> FixedBitSet {
        let mut lacking: BTreeMap<FilterTest, Vec<UserIndex>> = BTreeMap::new();
        let mut excluded = Vec::new();
        for place in users.clone().ones() {
            let index = UserIndex::new(place);
            let Some(out) = self.out(policy, index, excepted.contains(place)) else { continue };
            users.set(place, false);
            if let Exclusion::Lacks(tests) = &out {
                tests.iter().for_each(|test| lacking.entry(*test).or_default().push(index));
            }
            let account = self.directory.user(index).map(|user| user.account).unwrap_or_default();
            let why = out.about(account);
            if let Some(origin) = named.get(&index) {
                excluded.push((index, *origin, why));
            }
        }
        for (index, origin, why) in excluded {
            self.note_excluded(policy, index, origin, &why);
        }
        for (test, users) in lacking {
            self.note_lacking(policy, test, &users);
        }
        users
    }

    /// Why the policy excludes a user that it names, as far as the directory shows.
    pub(super) fn out(
        &self,
        policy: &Policy,
        index: UserIndex,
        is_excepted: bool,
    ) -> Option<Exclusion> {
        match self.directory.user(index) {
            None => Some(Exclusion::NotInDirectory),
            Some(_) if self.break_glass.contains(index.place()) => Some(Exclusion::BreakGlass),
            Some(_) if is_excepted => Some(Exclusion::Excepted),
            Some(user) => judge(&policy.only, user),
        }
    }

    fn note_excluded(&mut self, policy: &Policy, index: UserIndex, origin: Origin, why: &str) {
        let Some(user) = self.directory.user(index) else { return };
        self.findings.push(
            Finding::new(
                Code::UserLeftOut,
                format!("`{}` is named but excluded: {why}", user.name),
            )
            .at(origin, "named here")
            .policy(&policy.name)
            .users([user.id]),
        );
    }

    fn note_lacking(&mut self, policy: &Policy, test: FilterTest, users: &[UserIndex]) {
        let (names, key) = (self.directory.in_words(users), test.key());
        let ids = users.iter().filter_map(|index| self.directory.user(*index)).map(|user| user.id);
        self.findings.push(
            Finding::new(
                Code::AttributeMissing,
                format!(
                    "{names}: no `{key}` in the directory, so policy `{}` does not apply",
                    policy.name
                ),
            )
            .at(policy.origin, "requires it")
            .help(format!("fill in `{key}` in the directory, or use only `none` in the condition"))
            .policy(&policy.name)
            .users(ids),
        );
    }
}

/// Why the user's own attributes exclude it. Built-in reasons come first.
pub(super) fn judge(only: &Where, user: &User) -> Option<Exclusion> {
    if user.account.directory_sync {
        return Some(Exclusion::DirectorySync);
    }
    let tests = only.of_directory(user);
    if let Some((test, _)) = tests.iter().find(|(_, held)| *held == ConditionResult::No) {
        return Some(Exclusion::Failed(*test));
    }
    let lacks = tests.into_iter().filter(|(_, held)| *held == ConditionResult::Missing);
    let lacks: Vec<FilterTest> = lacks.map(|(test, _)| test).collect();
    (!lacks.is_empty()).then_some(Exclusion::Lacks(lacks))
}

/// Why the registered methods exclude a user. Methods that could not be read meet no condition.
pub(super) fn by_methods(only: &Where, facts: &Facts) -> Option<Exclusion> {
    match only.registered?.held(facts) {
        Some(true) => None,
        Some(false) => Some(Exclusion::Failed(FilterTest::Registered)),
        None => Some(Exclusion::MethodsUnread),
    }
}

impl Exclusion {
    /// The reason as a clause, for this account.
    #[must_use]
    pub fn about(&self, account: Account) -> String {
        let why = match self {
            Self::NotInDirectory => "the account is not in the directory",
            Self::BreakGlass => "break-glass accounts are never written to",
            Self::Excepted => "an exception of the policy names the account",
            Self::DirectorySync => "the account belongs to directory synchronisation",
            Self::Failed(test) => failed(*test, account),
            Self::MethodsUnread => "the registered methods could not be read",
            Self::Lacks(tests) => {
                let keys: Vec<_> = tests.iter().map(|test| format!("`{}`", test.key())).collect();
                return format!("the directory has no {} for the account", keys.join(" and no "));
            }
        };
        why.to_owned()
    }
}

const fn failed(test: FilterTest, account: Account) -> &'static str {
    match (test, account) {
        (FilterTest::AccountEnabled, Account { enabled: false, .. }) => "the account is disabled",
        (FilterTest::AccountEnabled, _) => {
            "the account is enabled, and `where` requires disabled ones"
        }
        (FilterTest::UserType, Account { guest: true, .. }) => {
            "the account is a guest, whose methods are in another tenant"
        }
        (FilterTest::UserType, Account { homed_elsewhere: true, .. }) => {
            "the account signs in from another tenant (`#EXT#`)"
        }
        (FilterTest::UserType, _) => "the account is a member, and `where` requires guests",
        (FilterTest::Synced, _) => "the account does not meet `where.synced`",
        (FilterTest::Department, _) => "the department does not meet `where.department`",
        (FilterTest::UsageLocation, _) => "the usage location does not meet `where.usageLocation`",
        (FilterTest::Registered, _) => "the registered methods do not meet `where.registered`",
    }
}

//! Who of those named stays: not an exception, not a break-glass account, and every test of `where`
//! holds. A user named one by one who does not stay is told why.
//!
//! Not here: by which entry a policy names somebody (`why`).

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::Resolver;
use crate::finding::{Code, Finding};
use crate::policy::Policy;
use crate::policy::filter::{Held, Test, Where};
use crate::source::Origin;
use crate::tenant::directory::{Account, User, UserIndex};
use crate::tenant::facts::Facts;

/// Why a user does not stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    NotInDirectory,
    BreakGlass,
    Excepted,
    DirectorySync,
    /// A test of `where` does not hold.
    Failed(Test),
    /// Only because the directory holds nothing where the policy asks for something.
    Lacks(Vec<Test>),
    /// Whether `where.registered` holds is not known.
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
        let mut lacking: BTreeMap<Test, Vec<UserIndex>> = BTreeMap::new();
        let mut told = Vec::new();
        for place in users.clone().ones() {
            let index = UserIndex::new(place);
            let Some(out) = self.out(policy, index, excepted.contains(place)) else { continue };
            users.set(place, false);
            if let Out::Lacks(tests) = &out {
                tests.iter().for_each(|test| lacking.entry(*test).or_default().push(index));
            }
            let account = self.directory.user(index).map(|user| user.account).unwrap_or_default();
            let why = out.about(account);
            if let Some(origin) = named.get(&index) {
                told.push((index, *origin, why));
            }
        }
        for (index, origin, why) in told {
            self.tell(policy, index, origin, &why);
        }
        for (test, users) in lacking {
            self.note_lacking(policy, test, &users);
        }
        users
    }

    /// Why somebody whom the policy names does not stay, as far as the directory knows.
    pub(super) fn out(&self, policy: &Policy, index: UserIndex, is_excepted: bool) -> Option<Out> {
        match self.directory.user(index) {
            None => Some(Out::NotInDirectory),
            Some(_) if self.break_glass.contains(index.place()) => Some(Out::BreakGlass),
            Some(_) if is_excepted => Some(Out::Excepted),
            Some(user) => judge(&policy.only, user),
        }
    }

    fn tell(&mut self, policy: &Policy, index: UserIndex, origin: Origin, why: &str) {
        let Some(user) = self.directory.user(index) else { return };
        self.findings.push(
            Finding::new(
                Code::UserLeftOut,
                format!("`{}` is named, and left out: {why}", user.name),
            )
            .at(origin, "named here")
            .policy(&policy.name)
            .users([user.id]),
        );
    }

    fn note_lacking(&mut self, policy: &Policy, test: Test, users: &[UserIndex]) {
        let (who, key) = (self.directory.in_words(users), test.key());
        let ids = users.iter().filter_map(|index| self.directory.user(*index)).map(|user| user.id);
        self.findings.push(
            Finding::new(
                Code::AttributeMissing,
                format!(
                    "{who}: no `{key}` in the directory, so policy `{}` does not apply",
                    policy.name
                ),
            )
            .at(policy.origin, "asks for it")
            .help(format!("fill `{key}` in the directory, or test it with `none` alone"))
            .policy(&policy.name)
            .users(ids),
        );
    }
}

/// What about the user itself keeps it out, the built-in reasons first.
pub(super) fn judge(only: &Where, user: &User) -> Option<Out> {
    if user.account.directory_sync {
        return Some(Out::DirectorySync);
    }
    let tests = only.of_directory(user);
    if let Some((test, _)) = tests.iter().find(|(_, held)| *held == Held::No) {
        return Some(Out::Failed(*test));
    }
    let lacks = tests.into_iter().filter(|(_, held)| *held == Held::Missing);
    let lacks: Vec<Test> = lacks.map(|(test, _)| test).collect();
    (!lacks.is_empty()).then_some(Out::Lacks(lacks))
}

/// What about the registered methods keeps a user out. Methods that nobody could read pass no test.
pub(super) fn by_methods(only: &Where, facts: &Facts) -> Option<Out> {
    match only.registered?.held(facts) {
        Some(true) => None,
        Some(false) => Some(Out::Failed(Test::Registered)),
        None => Some(Out::MethodsUnread),
    }
}

impl Out {
    /// The reason in a clause about an account of that kind.
    #[must_use]
    pub fn about(&self, account: Account) -> String {
        let why = match self {
            Self::NotInDirectory => "it is not in the directory",
            Self::BreakGlass => "break-glass accounts are never written",
            Self::Excepted => "an exception of the policy names it",
            Self::DirectorySync => "it is the account of directory synchronisation",
            Self::Failed(test) => failed(*test, account),
            Self::MethodsUnread => "its registered methods could not be read",
            Self::Lacks(tests) => {
                let keys: Vec<_> = tests.iter().map(|test| format!("`{}`", test.key())).collect();
                return format!("the directory holds no {} of it", keys.join(" and no "));
            }
        };
        why.to_owned()
    }
}

const fn failed(test: Test, account: Account) -> &'static str {
    match (test, account) {
        (Test::AccountEnabled, Account { enabled: false, .. }) => "the account is disabled",
        (Test::AccountEnabled, _) => "the account is enabled, and `where` wants disabled ones",
        (Test::UserType, Account { guest: true, .. }) => {
            "it is a guest, whose methods live in another tenant"
        }
        (Test::UserType, Account { homed_elsewhere: true, .. }) => {
            "it signs in from another tenant (`#EXT#`)"
        }
        (Test::UserType, _) => "it is a member, and `where` wants guests",
        (Test::Synced, _) => "`where.synced` says otherwise of it",
        (Test::Department, _) => "its department is not one that `where` lets through",
        (Test::UsageLocation, _) => "its `usageLocation` is not one that `where` lets through",
        (Test::Registered, _) => "its methods are not as `where.registered` wants them",
    }
}

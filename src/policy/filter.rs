//! What narrows a policy: exceptions, and the conditions of `where` on the facts of a user. A user must meet
//! all conditions.
//!
//! Not here: how they are written (`file`), or which users remain (`scope`).

use jiff::civil::Date;

use super::{GuardEntry, RoleRef};
use crate::id::{GroupId, UserId};
use crate::number::Region;
use crate::source::Origin;
use crate::tenant::directory::User;
use crate::tenant::facts::{Facts, Kinds, Read};

/// Users that a policy excludes, perhaps with a reason and until a day.
#[derive(Debug, Clone)]
pub struct Exception {
    pub groups: Vec<GuardEntry<GroupId>>,
    pub users: Vec<GuardEntry<UserId>>,
    pub roles: Vec<(RoleRef, Origin)>,
    pub reason: Option<String>,
    /// The first day on which the exception no longer counts.
    pub until: Option<(Date, Origin)>,
    /// Whether an empty group is intended. Otherwise it is an error.
    pub allow_empty: bool,
    pub origin: Origin,
}

impl Exception {
    /// Whether the exception no longer counts.
    #[must_use]
    pub fn is_over(&self, today: Date) -> bool {
        self.until.is_some_and(|(until, _)| today >= until)
    }
}

/// `where`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Where {
    /// Trimmed and in lower case.
    pub department: Option<Match<String>>,
    pub usage_location: Option<Match<Region>>,
    pub synced: Either,
    /// Yes means guest.
    pub guest: Either,
    pub enabled: Either,
    pub registered: Option<Registered>,
}

impl Default for Where {
    /// The conditions of a policy without `where`: enabled members of this tenant.
    fn default() -> Self {
        Self {
            department: None,
            usage_location: None,
            synced: Either::ANY,
            guest: Either::NO,
            enabled: Either::YES,
            registered: None,
        }
    }
}

/// A condition on one value: it must be in `any`, unless `any` is empty, and must not be in `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<T> {
    pub any: Vec<T>,
    pub none: Vec<T>,
}

/// A condition on a yes-or-no value: which of the two pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Either {
    pub yes: bool,
    pub no: bool,
}

/// A condition on the registered methods: at least one of `any`, unless `any` is empty, and none of `none`.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    pub any: Kinds,
    pub none: Kinds,
    pub origin: Origin,
}

/// The result of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionResult {
    Yes,
    No,
    /// The user lacks the attribute that the condition requires.
    Missing,
}

/// A condition of `where`, by the property of the user that it checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilterTest {
    Department,
    UsageLocation,
    Synced,
    UserType,
    AccountEnabled,
    Registered,
}

impl<T: PartialEq> Match<T> {
    #[must_use]
    pub fn held(&self, value: Option<&T>) -> ConditionResult {
        let Some(value) = value else {
            return if self.any.is_empty() {
                ConditionResult::Yes
            } else {
                ConditionResult::Missing
            };
        };
        let named = self.any.is_empty() || self.any.contains(value);
        if named && !self.none.contains(value) { ConditionResult::Yes } else { ConditionResult::No }
    }
}

impl Either {
    pub const ANY: Self = Self { yes: true, no: true };
    pub const YES: Self = Self { yes: true, no: false };
    pub const NO: Self = Self { yes: false, no: true };

    #[must_use]
    pub const fn held(self, value: bool) -> ConditionResult {
        if (value && self.yes) || (!value && self.no) {
            ConditionResult::Yes
        } else {
            ConditionResult::No
        }
    }
}

/// Compares the kinds and ignores the place in the file.
impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        (self.any, self.none) == (other.any, other.none)
    }
}

impl Eq for Registered {}

impl Registered {
    /// Whether the user's methods meet the condition; `None` if the methods are unknown.
    #[must_use]
    pub fn held(&self, facts: &Facts) -> Option<bool> {
        match &facts.methods {
            Read::Unknown(_) => None,
            Read::Known(methods) => {
                let named = self.any.is_empty() || self.any.meets(methods.kinds);
                Some(named && !self.none.meets(methods.kinds))
            }
        }
    }
}

impl Where {
    /// The result of each condition on the directory.
    #[must_use]
    pub fn of_directory(&self, user: &User) -> [(FilterTest, ConditionResult); 5] {
        let guest = user.account.guest || user.account.homed_elsewhere;
        let department = || user.department.as_deref().map(folded);
        let text = self.department.as_ref().map(|test| test.held(department().as_ref()));
        let region =
            self.usage_location.as_ref().map(|test| test.held(user.usage_location.as_ref()));
        [
            (FilterTest::AccountEnabled, self.enabled.held(user.account.enabled)),
            (FilterTest::UserType, self.guest.held(guest)),
            (FilterTest::Synced, self.synced.held(user.account.synced)),
            (FilterTest::Department, text.unwrap_or(ConditionResult::Yes)),
            (FilterTest::UsageLocation, region.unwrap_or(ConditionResult::Yes)),
        ]
    }
}

/// Text in the form in which it is compared.
#[must_use]
pub fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

impl FilterTest {
    /// The key of the condition inside `where`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::UsageLocation => "usageLocation",
            Self::Synced => "synced",
            Self::UserType => "userType",
            Self::AccountEnabled => "accountEnabled",
            Self::Registered => "registered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::facts::MethodKind;

    #[test]
    fn missing_value_fails_only_any() {
        let test = |any: &[u8], none: &[u8]| Match { any: any.to_vec(), none: none.to_vec() };
        for (test, value, expected) in [
            (test(&[1, 2], &[]), Some(1), ConditionResult::Yes),
            (test(&[1, 2], &[]), Some(3), ConditionResult::No),
            (test(&[1, 2], &[]), None, ConditionResult::Missing),
            (test(&[], &[1]), Some(1), ConditionResult::No),
            (test(&[], &[1]), Some(2), ConditionResult::Yes),
            (test(&[], &[1]), None, ConditionResult::Yes),
            (test(&[1, 2], &[2]), Some(2), ConditionResult::No),
            (test(&[1, 2], &[2]), None, ConditionResult::Missing),
        ] {
            assert_eq!(test.held(value.as_ref()), expected, "{test:?} {value:?}");
        }
    }

    #[test]
    fn unknown_methods_give_no_result() {
        use crate::source::{Sources, Span};
        use crate::tenant::facts::{Methods, UnknownReason};

        let origin = Origin { file: Sources::default().add("a.yaml", ""), span: Span::default() };
        let kinds = |kinds: &[MethodKind]| kinds.iter().copied().collect::<Kinds>();
        let (phone, passkey) = (MethodKind::MobilePhone, MethodKind::Passkey);
        for (any, none, has, expected) in [
            (kinds(&[phone]), kinds(&[]), Some(kinds(&[phone])), Some(true)),
            (kinds(&[phone]), kinds(&[]), Some(kinds(&[])), Some(false)),
            (kinds(&[phone, passkey]), kinds(&[]), Some(kinds(&[passkey])), Some(true)),
            (kinds(&[phone]), kinds(&[passkey]), Some(kinds(&[phone, passkey])), Some(false)),
            (kinds(&[]), kinds(&[passkey]), Some(kinds(&[])), Some(true)),
            (kinds(&[]), kinds(&[passkey]), None, None),
        ] {
            let methods = has.map_or(Read::Unknown(UnknownReason::Forbidden), |kinds| {
                Read::Known(Methods { kinds, ..Methods::default() })
            });
            let facts = Facts { methods, ..Facts::NOT_READ };
            assert_eq!(Registered { any, none, origin }.held(&facts), expected);
        }
    }
}

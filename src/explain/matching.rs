//! Compares every policy with one user: which entries name the user, or why the policy does not apply.
//!
//! Not here: which rule decides a setting (`deciding`).

use std::fmt;

use jiff::civil::Date;

use crate::id::{GroupId, RoleId};
use crate::observed::Observed;
use crate::plan::FilePlace;
use crate::policy::filter::{Either, FilterTest, Match, Registered, Where};
use crate::policy::{Mode, Policy, PolicySet};
use crate::scope::{EntryRule, Exclusion, Matched, ResolvedTenant, RoleMembership, ScopeEntry};
use crate::source::Sources;
use crate::tenant::directory::{User, UserIndex};
use crate::tenant::facts::{Facts, Kinds, Read};
use crate::tenant::roles::Roles;
use crate::untrusted::Untrusted;

/// One policy and the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    pub policy: String,
    pub place: FilePlace,
    pub priority: u32,
    /// The policy is in report mode: shown in plans and never applied.
    pub reports_only: bool,
    /// Every entry of `appliesTo` that names the user.
    pub named: Vec<By>,
    /// Why the policy does not apply, if it does not.
    pub left_out: Option<NotApplied>,
}

/// An entry that names the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub named: Named,
    pub place: Option<FilePlace>,
}

/// How an entry names the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Everyone,
    Group { id: GroupId, name: Untrusted },
    Role { id: RoleId, name: Untrusted, standing: Option<RoleMembership> },
    User,
}

/// Why a policy does not apply to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplied {
    pub because: Because,
    /// The reason in a clause.
    pub text: String,
    pub exception: Option<ByException>,
    /// The tests of `where` that the user does not meet.
    pub tests: Vec<UnmetTest>,
}

/// The kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    NotNamed,
    BreakGlass,
    Exception,
    DirectorySync,
    Where,
    MethodsUnread,
}

/// The exception that names the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByException {
    pub by: By,
    pub reason: Option<Untrusted>,
    pub until: Option<Date>,
}

/// A test of `where`, the value it wants, and the value the user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetTest {
    pub test: &'static str,
    pub wants: Untrusted,
    pub has: Option<Untrusted>,
}

/// Compares all policies with the user, in the order of their names.
pub(super) fn all(
    set: &PolicySet,
    observed: &Observed,
    roles: &Read<Roles>,
    index: UserIndex,
    user: &User,
    facts: &Facts,
) -> Vec<Matching> {
    let today = observed.basis.today;
    let tenant = ResolvedTenant { directory: &observed.directory, roles, today };
    let words = Words { tenant, sources: &set.sources, user, facts };
    let one = |policy: &Policy| {
        let matched = observed.scope.why(tenant, policy, index, facts);
        Matching {
            policy: policy.name.clone(),
            place: FilePlace::of(policy.origin, &set.sources),
            priority: policy.priority,
            reports_only: policy.mode == Mode::Report,
            named: matched.named.iter().map(|entry| words.by(*entry)).collect(),
            left_out: words.left_out(policy, &matched),
        }
    };
    set.policies.iter().map(one).collect()
}

/// Turns ids into names that a person recognises.
struct Words<'a> {
    tenant: ResolvedTenant<'a>,
    sources: &'a Sources,
    user: &'a User,
    facts: &'a Facts,
}

impl Words<'_> {
    fn by(&self, entry: ScopeEntry) -> By {
        let named = match entry.rule {
            EntryRule::Everyone => Named::Everyone,
            EntryRule::Named => Named::User,
            EntryRule::Group(id) => {
                let group = self.tenant.directory.group(id);
                Named::Group { id, name: group.map(|one| one.name.clone()).unwrap_or_default() }
            }
            EntryRule::Role(id) => {
                let none = Roles::default();
                let roles = self.tenant.roles.known().unwrap_or(&none);
                let name = roles.names.get(&id).cloned().unwrap_or_default();
                Named::Role { id, name, standing: RoleMembership::of(self.user.id, id, roles) }
            }
        };
        By { named, place: entry.origin.map(|origin| FilePlace::of(origin, self.sources)) }
    }

    fn left_out(&self, policy: &Policy, matched: &Matched) -> Option<NotApplied> {
        if matched.named.is_empty() {
            let text = "nothing in `appliesTo` names the user".to_owned();
            let because = Because::NotNamed;
            return Some(NotApplied { because, text, exception: None, tests: Vec::new() });
        }
        let out = matched.out.as_ref()?;
        let (because, tests) = match out {
            Exclusion::NotInDirectory => (Because::NotNamed, Vec::new()),
            Exclusion::BreakGlass => (Because::BreakGlass, Vec::new()),
            Exclusion::Excepted => (Because::Exception, Vec::new()),
            Exclusion::DirectorySync => (Because::DirectorySync, Vec::new()),
            Exclusion::MethodsUnread => (Because::MethodsUnread, vec![FilterTest::Registered]),
            Exclusion::Failed(test) => (Because::Where, vec![*test]),
            Exclusion::Lacks(tests) => (Because::Where, tests.clone()),
        };
        Some(NotApplied {
            because,
            text: out.about(self.user.account),
            exception: match because {
                Because::Exception => self.exception(policy, matched),
                _ => None,
            },
            tests: tests.into_iter().map(|test| self.unmet(&policy.only, test)).collect(),
        })
    }

    fn exception(&self, policy: &Policy, matched: &Matched) -> Option<ByException> {
        let (place, entry) = matched.exception?;
        let exception = policy.except.get(place)?;
        Some(ByException {
            by: self.by(entry),
            reason: exception.reason.as_deref().map(Untrusted::from),
            until: exception.until.map(|(day, _)| day),
        })
    }

    fn unmet(&self, only: &Where, test: FilterTest) -> UnmetTest {
        let user = self.user;
        let guest = user.account.guest || user.account.homed_elsewhere;
        let either = |is, yes: &str, no: &str| Some(if is { yes } else { no }.to_owned());
        let (wants, has) = match test {
            FilterTest::Department => (
                among(only.department.as_ref()),
                user.department.as_ref().map(|one| one.to_string()),
            ),
            FilterTest::UsageLocation => (
                among(only.usage_location.as_ref()),
                user.usage_location.map(|one| one.to_string()),
            ),
            FilterTest::Synced => {
                (wanted(only.synced, "true", "false"), either(user.account.synced, "true", "false"))
            }
            FilterTest::UserType => {
                (wanted(only.guest, "guest", "member"), either(guest, "guest", "member"))
            }
            FilterTest::AccountEnabled => (
                wanted(only.enabled, "true", "false"),
                either(user.account.enabled, "true", "false"),
            ),
            FilterTest::Registered => (registered(only.registered), self.kinds()),
        };
        UnmetTest { test: test.key(), wants: wants.into(), has: has.map(Untrusted::from) }
    }

    fn kinds(&self) -> Option<String> {
        self.facts.methods.known().map(|methods| kinds(methods.kinds))
    }
}

fn wanted(test: Either, yes: &str, no: &str) -> String {
    match (test.yes, test.no) {
        (true, true) => "any".to_owned(),
        (true, false) => yes.to_owned(),
        (false, _) => no.to_owned(),
    }
}

fn among<T: fmt::Display>(test: Option<&Match<T>>) -> String {
    let words = |all: &[T]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    test.map_or_else(String::new, |test| any_none(&words(&test.any), &words(&test.none)))
}

fn registered(test: Option<Registered>) -> String {
    let words = |all: Kinds| if all.is_empty() { String::new() } else { kinds(all) };
    test.map_or_else(String::new, |test| any_none(&words(test.any), &words(test.none)))
}

/// Returns the text of a matcher, as it is written in a policy.
fn any_none(any: &str, none: &str) -> String {
    match (any, none) {
        (any, "") => format!("any of {any}"),
        ("", none) => format!("none of {none}"),
        (any, none) => format!("any of {any} and none of {none}"),
    }
}

fn kinds(kinds: Kinds) -> String {
    if kinds.is_empty() {
        return "nothing".to_owned();
    }
    kinds.iter().map(crate::tenant::facts::MethodKind::key).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::User => f.write_str("by name"),
            Self::Group { name, .. } => write!(f, "in group {}", crate::finding::quoted(name)),
            Self::Role { name, standing, .. } => {
                let name = crate::finding::quoted(name);
                match standing {
                    Some(RoleMembership::Eligible) => write!(f, "can activate the role {name}"),
                    Some(RoleMembership::Scoped) => {
                        write!(f, "holds the role {name} for a part of the directory")
                    }
                    Some(RoleMembership::Active) | None => write!(f, "holds the role {name}"),
                }
            }
        }
    }
}

impl Named {
    /// Returns the key of `appliesTo` that the entry is under.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::User => "user",
            Self::Group { .. } => "group",
            Self::Role { .. } => "role",
        }
    }

    /// Returns the id and the name of a group or role.
    #[must_use]
    pub fn id_and_name(&self) -> (Option<String>, Option<&str>) {
        match self {
            Self::Everyone | Self::User => (None, None),
            Self::Group { id, name } => (Some(id.to_string()), Some(name.raw())),
            Self::Role { id, name, .. } => (Some(id.to_string()), Some(name.raw())),
        }
    }

    /// Returns how the user holds a role.
    #[must_use]
    pub const fn standing(&self) -> Option<&'static str> {
        match self {
            Self::Role { standing: Some(RoleMembership::Active), .. } => Some("active"),
            Self::Role { standing: Some(RoleMembership::Scoped), .. } => Some("scoped"),
            Self::Role { standing: Some(RoleMembership::Eligible), .. } => Some("eligible"),
            _ => None,
        }
    }
}

impl Because {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotNamed => "notNamed",
            Self::BreakGlass => "breakGlass",
            Self::Exception => "exception",
            Self::DirectorySync => "directorySync",
            Self::Where => "where",
            Self::MethodsUnread => "methodsUnread",
        }
    }
}

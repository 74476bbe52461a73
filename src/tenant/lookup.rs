//! What a run must read from the directory. `scope` derives it from the policies, and `entra` reads it.
//!
//! Not here: the users and groups that were read (`directory`).

use std::collections::BTreeSet;

use super::directory::{Attribute, Group, User};
use super::facts::{Facts, UnknownReason};
use super::roles::Roles;
use crate::id::{GroupId, UserId};

/// The users, groups and attributes that the policies mention.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookup {
    pub everyone: bool,
    /// Display names. Every group with such a name is read.
    pub group_names: BTreeSet<String>,
    pub group_ids: BTreeSet<GroupId>,
    pub user_names: BTreeSet<String>,
    pub user_ids: BTreeSet<UserId>,
    pub attributes: BTreeSet<Attribute>,
    pub department: bool,
    /// Whether a policy names a directory role, so that its holders must be read too.
    pub roles: bool,
    /// The guard groups among the groups: break-glass groups, and groups that a policy excludes. They are
    /// read first, and in both ways ([`Membership`]).
    ///
    /// [`Membership`]: super::membership::Membership
    pub guards: BTreeSet<GroupId>,
    /// Groups that are read in addition to the named ones.
    pub more_groups: Option<GroupList>,
}

/// A list of groups in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupList {
    RoleAssignable,
    /// Every security group.
    Security,
}

/// A part of the facts of a user: what one documented request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserFact {
    Methods,
    State,
    /// The default method and system-preferred MFA.
    Preferences,
}

/// What is read of each user in addition to methods and state, which safety always needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Extra {
    /// [`UserFact::Preferences`].
    pub preferences: bool,
}

impl Lookup {
    /// Adds everything that another one looks up.
    pub fn add(&mut self, other: Self) {
        let Self {
            everyone,
            group_names,
            group_ids,
            user_names,
            user_ids,
            attributes,
            department,
            roles,
            guards,
            more_groups,
        } = other;
        self.everyone |= everyone;
        self.group_names.extend(group_names);
        self.group_ids.extend(group_ids);
        self.user_names.extend(user_names);
        self.user_ids.extend(user_ids);
        self.attributes.extend(attributes);
        self.department |= department;
        self.roles |= roles;
        self.guards.extend(guards);
        self.more_groups = self.more_groups.max(more_groups);
    }
}

impl UserFact {
    // INVARIANT: every variant is here (test `the_fact_of_every_setting_is_read_and_permitted`).
    pub const ALL: [Self; 3] = [Self::Methods, Self::State, Self::Preferences];

    /// Returns the name in a list of requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Methods => "registered methods",
            Self::State => "per-user MFA",
            Self::Preferences => "sign-in preferences",
        }
    }

    /// Returns why the fact is unknown, or `None` if it is known.
    #[must_use]
    pub const fn unknown_in(self, facts: &Facts) -> Option<UnknownReason> {
        match self {
            Self::Methods => facts.methods.unknown(),
            Self::State => facts.state.unknown(),
            Self::Preferences => facts.default_method.unknown(),
        }
    }
}

impl Extra {
    pub const ALL: Self = Self { preferences: true };

    /// Returns what must be read in addition to know the fact.
    #[must_use]
    pub const fn for_fact(fact: UserFact) -> Self {
        Self { preferences: matches!(fact, UserFact::Preferences) }
    }

    /// Whether the fact is read.
    #[must_use]
    pub const fn wants(self, fact: UserFact) -> bool {
        match fact {
            UserFact::Methods | UserFact::State => true,
            UserFact::Preferences => self.preferences,
        }
    }

    /// Returns the facts without those that this does not ask for.
    #[must_use]
    pub const fn of(self, facts: Facts) -> Facts {
        let Facts { methods, state, default_method: _, system_preferred: _ } = facts;
        match self.preferences {
            true => facts,
            false => Facts { methods, state, ..Facts::NOT_READ },
        }
    }

    /// Returns what is in at least one of the two.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { preferences: self.preferences || other.preferences }
    }
}

/// A list of users in the directory.
#[derive(Debug, Clone, Copy)]
pub enum UserList<'a> {
    Everybody,
    MembersOf(&'a Group),
}

/// A notice while lists are read. For a list that is read twice, each notice comes twice.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// The users on a page of a list.
    Page(UserList<'a>, &'a [User]),
    /// All members of a group.
    Whole(GroupId, &'a [UserId]),
    /// The roles with their holders.
    Roles(&'a Roles),
}

/// A function that receives the notices.
pub type OnNews<'a> = dyn Fn(News<'_>) + 'a;

//! Which methods the tenant's authentication methods policy allows to which users (Graph documentation of
//! authenticationMethodsPolicy, checked 2026-11). It also says for which users a registered mobile phone
//! switches SMS sign-in on.
//!
//! Not here: whether a user has a method (`facts`), or whether it is usable (`posture`).

use std::collections::BTreeSet;

use super::directory::UserIndex;
use super::rule_members::RuleMembers;
use super::strength::Way;
use super::user_set::{Tristate, UserSet};
use crate::id::{ExternalMethodId, GroupId, UserId};

/// The ways to answer that the policy controls.
pub const RULED: [Way; 9] = [
    Way::Sms,
    Way::Voice,
    Way::OfficeVoice,
    Way::Authenticator,
    Way::SoftwareOath,
    Way::HardwareOath,
    Way::Passkey,
    Way::Certificate,
    Way::External,
];

/// The policy as it was read, with the ids of its targets.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Whether only this policy counts, and no older settings. `Unknown` for a value that this program does
    /// not know.
    pub migrated: Tristate,
    /// Whether the Authenticator may show one-time codes, which can be listed as software tokens.
    pub codes_in_authenticator: bool,
    pub configurations: Vec<Configuration>,
    /// The users that may use SMS sign-in. For them it is on as soon as a mobile phone is registered. `None`
    /// if the policy does not say.
    pub sms_sign_in: Option<Configuration>,
    /// The external methods of the configurations.
    pub external: BTreeSet<ExternalMethodId>,
}

/// What the policy says about one way to answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Configuration {
    pub way: Way,
    /// `Unknown` for a value that is neither enabled nor disabled.
    pub enabled: Tristate,
    pub include: Vec<Target>,
    pub exclude: Vec<Target>,
}

/// The users that a configuration applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Target {
    pub who: MethodTarget,
    /// Whether only a part of the methods is allowed to them. Graph does not show which part.
    pub partly: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MethodTarget {
    Everybody,
    Group(GroupId),
    User(UserId),
}

/// What the policy allows to each user of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodPolicy {
    /// In the order of [`RULED`]; empty if the policy was not read.
    allowed: Vec<UserSet>,
    migrated: Tristate,
    sms_sign_in: Option<UserSet>,
    external: BTreeSet<ExternalMethodId>,
}

impl Settings {
    /// Returns the same settings with other ids of users.
    #[must_use]
    pub fn with_users(mut self, other: impl Fn(UserId) -> UserId) -> Self {
        let all = self.configurations.iter_mut().chain(&mut self.sms_sign_in);
        for target in all.flat_map(|one| one.include.iter_mut().chain(&mut one.exclude)) {
            if let MethodTarget::User(user) = target.who {
                target.who = MethodTarget::User(other(user));
            }
        }
        self
    }
}

impl MethodPolicy {
    /// A policy that was not read.
    pub const UNREAD: Self = Self {
        allowed: Vec::new(),
        migrated: Tristate::Unknown,
        sms_sign_in: None,
        external: BTreeSet::new(),
    };

    #[must_use]
    pub fn new(settings: &Settings, people: &RuleMembers<'_>) -> Self {
        let allowed = RULED.map(|way| settings.allowed(way, people)).into();
        Self {
            allowed,
            migrated: settings.migrated,
            sms_sign_in: settings.sms_sign_in.as_ref().map(|one| one.allowed(people)),
            external: settings.external.clone(),
        }
    }

    /// Only the external methods of the tenant; everything else unread.
    #[must_use]
    pub fn of_external_methods(settings: &Settings) -> Self {
        Self { external: settings.external.clone(), ..Self::UNREAD }
    }

    /// Whether both have the same external methods.
    #[must_use]
    pub fn knows_the_same(&self, other: &Self) -> bool {
        self.external == other.external
    }

    /// The same restricted to these users and numbered anew in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        Self {
            allowed: self.allowed.iter().map(|crowd| crowd.only(users)).collect(),
            migrated: self.migrated,
            sms_sign_in: self.sms_sign_in.as_ref().map(|crowd| crowd.only(users)),
            external: self.external.clone(),
        }
    }

    /// Whether something is known here but unknown in `other`, because it could not be read there.
    #[must_use]
    pub fn knows_more_than(&self, other: &Self) -> bool {
        let is_lost = |judged: Tristate, there: Tristate| {
            judged != Tristate::Unknown && there == Tristate::Unknown
        };
        let sms_sign_in = match (&self.sms_sign_in, &other.sms_sign_in) {
            (Some(here), Some(there)) => here.knows_more_than(there),
            (here, there) => here.is_some() && there.is_none(),
        };
        let mut allowed = self.allowed.iter().enumerate();
        is_lost(self.migrated, other.migrated)
            || sms_sign_in
            || allowed.any(|(place, here)| match other.allowed.get(place) {
                Some(there) => here.knows_more_than(there),
                None => true,
            })
    }

    /// Whether the user may answer in this way.
    #[must_use]
    pub fn allows(&self, way: Way, user: UserIndex) -> Tristate {
        match RULED.iter().position(|ruled| *ruled == way) {
            Some(place) => {
                self.allowed.get(place).map_or(Tristate::Unknown, |crowd| crowd.has(user))
            }
            None if way == Way::Unrecognised => Tristate::Unknown,
            None => Tristate::Yes,
        }
    }

    /// Whether registering a mobile phone switches SMS sign-in on for the user.
    #[must_use]
    pub fn signs_in_by_sms(&self, user: UserIndex) -> Tristate {
        self.sms_sign_in.as_ref().map_or(Tristate::Unknown, |crowd| crowd.has(user))
    }

    /// Whether the policy has this external method. If not, the method was removed from the tenant, but its
    /// registrations stay with the users.
    #[must_use]
    pub fn knows_external(&self, method: ExternalMethodId) -> bool {
        self.external.contains(&method)
    }

    /// Whether older settings, which Graph does not show, no longer count.
    #[must_use]
    pub const fn is_migrated(&self) -> Tristate {
        self.migrated
    }

    /// Whether the policy could be read.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        !self.allowed.is_empty()
    }
}

impl Settings {
    /// Every group that a configuration names.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> {
        let targets =
            |one: &Configuration| one.include.clone().into_iter().chain(one.exclude.clone());
        self.configurations.iter().flat_map(targets).filter_map(|target| match target.who {
            MethodTarget::Group(id) => Some(id),
            MethodTarget::Everybody | MethodTarget::User(_) => None,
        })
    }

    /// The users that may answer in this way. If one way has several configurations, such as two external
    /// methods, it is unknown to which one a registered method belongs. Until the migration is complete,
    /// older settings may still allow what this policy denies.
    fn allowed(&self, way: Way, people: &RuleMembers<'_>) -> UserSet {
        let of_way = self.configurations.iter().filter(|one| one.way == way);
        let all = of_way.map(|one| one.allowed(people));
        let mut crowd = all.reduce(UserSet::agreed).unwrap_or_else(|| people.unknown());
        if way == Way::SoftwareOath && self.codes_in_authenticator {
            crowd.join(&self.allowed(Way::Authenticator, people).perhaps());
        }
        if self.migrated != Tristate::Yes {
            crowd.join(&people.unknown());
        }
        crowd
    }
}

impl Configuration {
    fn allowed(&self, people: &RuleMembers<'_>) -> UserSet {
        match self.enabled {
            Tristate::No => people.nobody(),
            Tristate::Unknown => people.unknown(),
            Tristate::Yes => {
                let mut crowd = all_of(&self.include, people);
                crowd.leave_out(&all_of(&self.exclude, people));
                crowd
            }
        }
    }
}

fn all_of(targets: &[Target], people: &RuleMembers<'_>) -> UserSet {
    let mut crowd = people.nobody();
    for target in targets {
        let one = match target.who {
            MethodTarget::Everybody => people.everybody(),
            MethodTarget::Group(id) => people.in_group(id),
            MethodTarget::User(id) => people.of([&id]),
        };
        crowd.join(&if target.partly { one.perhaps() } else { one });
    }
    crowd
}

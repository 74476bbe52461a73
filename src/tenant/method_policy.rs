//! Which ways to answer the tenant's authentication methods policy allows to whom (Graph
//! documentation of authenticationMethodsPolicy, checked 2026-11).
//!
//! Whom registering a mobile phone would also let sign in by text is in it as well.
//!
//! Not here: whether a user has a method (`facts`), or whether it answers (`posture`).

use std::collections::BTreeSet;

use super::crowd::{Crowd, Judged};
use super::directory::UserIndex;
use super::people::People;
use super::strength::Way;
use crate::id::{ExternalMethodId, GroupId, UserId};

/// The ways that the policy rules over.
const RULED: [Way; 9] = [
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

/// The policy as it is written, by the ids of those it targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// No older settings count beside this policy. `Unknown` for a word that nobody knows.
    pub migrated: Judged,
    /// The Authenticator may give one-time codes, which can be listed as software tokens.
    pub codes_in_authenticator: bool,
    pub configurations: Vec<Configuration>,
    /// Who may sign in by text. Whoever is among them does so from the moment on that a mobile phone
    /// is registered for them. `None` where the policy does not say.
    pub sms_sign_in: Option<Configuration>,
    /// The external methods that the configurations are about.
    pub external: BTreeSet<ExternalMethodId>,
}

/// What it says of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    pub way: Way,
    /// `Unknown` for a word that is neither enabled nor disabled.
    pub enabled: Judged,
    pub include: Vec<Target>,
    pub exclude: Vec<Target>,
}

/// Whom it says it of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub who: Who,
    /// What is allowed to them is only a part of it, and which methods that covers is not shown.
    pub partly: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Everybody,
    Group(GroupId),
    User(UserId),
}

/// What the policy allows to each user of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodPolicy {
    /// In the order of [`RULED`]; nothing where the policy was not read.
    allowed: Vec<Crowd>,
    migrated: Judged,
    sms_sign_in: Option<Crowd>,
    external: BTreeSet<ExternalMethodId>,
}

impl MethodPolicy {
    /// A policy of which nothing is known.
    pub const UNREAD: Self = Self {
        allowed: Vec::new(),
        migrated: Judged::Unknown,
        sms_sign_in: None,
        external: BTreeSet::new(),
    };

    #[must_use]
    pub fn new(settings: &Settings, people: &People<'_>) -> Self {
        let allowed = RULED.map(|way| settings.allowed(way, people)).into();
        Self {
            allowed,
            migrated: settings.migrated,
            sms_sign_in: settings.sms_sign_in.as_ref().map(|one| one.allowed(people)),
            external: settings.external.clone(),
        }
    }

    /// Nothing but which external methods the tenant has.
    #[must_use]
    pub fn of_external_methods(settings: &Settings) -> Self {
        Self { external: settings.external.clone(), ..Self::UNREAD }
    }

    /// Whether both are about the same external methods.
    #[must_use]
    pub fn knows_the_same(&self, other: &Self) -> bool {
        self.external == other.external
    }

    /// The same of these users only, counted anew in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        Self {
            allowed: self.allowed.iter().map(|crowd| crowd.only(users)).collect(),
            migrated: self.migrated,
            sms_sign_in: self.sms_sign_in.as_ref().map(|crowd| crowd.only(users)),
            external: self.external.clone(),
        }
    }

    /// Whether something is known here that is not known there: it could not be read.
    #[must_use]
    pub fn knows_more_than(&self, other: &Self) -> bool {
        let is_lost =
            |judged: Judged, there: Judged| judged != Judged::Unknown && there == Judged::Unknown;
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

    /// Whether the user may answer that way.
    #[must_use]
    pub fn allows(&self, way: Way, user: UserIndex) -> Judged {
        match RULED.iter().position(|ruled| *ruled == way) {
            Some(place) => self.allowed.get(place).map_or(Judged::Unknown, |crowd| crowd.has(user)),
            None if way == Way::Unrecognised => Judged::Unknown,
            None => Judged::Yes,
        }
    }

    /// Whether a mobile phone, once registered, lets the user sign in by text.
    #[must_use]
    pub fn signs_in_by_sms(&self, user: UserIndex) -> Judged {
        self.sms_sign_in.as_ref().map_or(Judged::Unknown, |crowd| crowd.has(user))
    }

    /// Whether the policy is about this external method at all. One that it is not about was
    /// removed from the tenant, and its registrations stay with the users.
    #[must_use]
    pub fn knows_external(&self, method: ExternalMethodId) -> bool {
        self.external.contains(&method)
    }

    /// Whether older settings, which Graph does not show, have stopped counting.
    #[must_use]
    pub const fn is_migrated(&self) -> Judged {
        self.migrated
    }

    /// Whether the policy could be read.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        !self.allowed.is_empty()
    }
}

impl Settings {
    /// Every group that a target names.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> {
        let targets =
            |one: &Configuration| one.include.clone().into_iter().chain(one.exclude.clone());
        self.configurations.iter().flat_map(targets).filter_map(|target| match target.who {
            Who::Group(id) => Some(id),
            Who::Everybody | Who::User(_) => None,
        })
    }

    /// Of several configurations for one way, such as two external methods, it is not known which
    /// one a registered method belongs to. Until the migration is complete, what this policy denies
    /// may still be allowed by older settings.
    fn allowed(&self, way: Way, people: &People<'_>) -> Crowd {
        let of_way = self.configurations.iter().filter(|one| one.way == way);
        let all = of_way.map(|one| one.allowed(people));
        let mut crowd = all.reduce(Crowd::agreed).unwrap_or_else(|| people.unknown());
        if way == Way::SoftwareOath && self.codes_in_authenticator {
            crowd.join(&self.allowed(Way::Authenticator, people).perhaps());
        }
        if self.migrated != Judged::Yes {
            crowd.join(&people.unknown());
        }
        crowd
    }
}

impl Configuration {
    fn allowed(&self, people: &People<'_>) -> Crowd {
        match self.enabled {
            Judged::No => people.nobody(),
            Judged::Unknown => people.unknown(),
            Judged::Yes => {
                let mut crowd = all_of(&self.include, people);
                crowd.leave_out(&all_of(&self.exclude, people));
                crowd
            }
        }
    }
}

fn all_of(targets: &[Target], people: &People<'_>) -> Crowd {
    let mut crowd = people.nobody();
    for target in targets {
        let one = match target.who {
            Who::Everybody => people.everybody(),
            Who::Group(id) => people.in_group(id),
            Who::User(id) => people.of([&id]),
        };
        crowd.join(&if target.partly { one.perhaps() } else { one });
    }
    crowd
}

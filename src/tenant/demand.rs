//! Which users must use MFA, at which sign-ins, and because of which rule: Conditional Access, security
//! defaults, or an administrator role. The fourth source is the per-user MFA state, a fact of the user.
//!
//! There are two kinds of sign-ins: ordinary ones (mail, files, chat), and those to the admin portals. MFA
//! that is required only at the portals does not protect mail.
//!
//! Not here: which methods can answer an MFA prompt (`posture`), or how the rules are read (`entra`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::directory::UserIndex;
use super::domains::Domains;
use super::facts::{MfaState, Read};
use super::rule_members::RuleMembers;
use super::strength::Accepted;
use super::user_set::{Tristate, UserSet};
use crate::id::{GroupId, RoleId, UserId};
use crate::untrusted::Untrusted;

/// The rules of a tenant that can require MFA, as they were read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MfaRules {
    pub conditional_access: Read<Vec<ConditionalAccessRule>>,
    pub security_defaults: Read<bool>,
    pub domains: Domains,
    /// Whether the tenant is in Microsoft's public cloud. In that cloud Microsoft requires MFA of administrators, but
    /// only at the admin portals and tools (Entra documentation, "mandatory multifactor authentication", checked
    /// 2026-11).
    pub public_cloud: bool,
}

/// An enabled Conditional Access policy that requires MFA.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionalAccessRule {
    pub name: Untrusted,
    /// Whether the policy applies only to some sign-ins: for some apps, from some places or devices, at some
    /// risk.
    pub narrowed: bool,
    /// Plans saved by older versions, which did not distinguish the portals, lack this.
    #[serde(default)]
    pub apps: Apps,
    pub accepts: Accepted,
    pub include: Targets,
    pub exclude: Targets,
}

/// A kind of sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignIn {
    /// To mail, files, chat.
    Ordinary,
    /// To an admin portal. Requirements of ordinary sign-ins apply here too.
    Portals,
}

/// The kind of sign-in that a policy applies to, by the apps that it names.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Apps {
    /// All apps, or some of them. With some of them, the policy is narrowed for both kinds.
    #[default]
    Any,
    /// Only the admin portals.
    Portals,
    /// The admin portals and some other apps, which may include those of an ordinary sign-in.
    PortalsAndOthers,
}

/// The users that a policy names.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    pub everybody: bool,
    pub users: BTreeSet<UserId>,
    pub groups: BTreeSet<GroupId>,
    pub roles: BTreeSet<RoleId>,
    #[serde(default)]
    pub guests: Guests,
    /// Whether the policy names users in a way that this program does not know.
    pub others: bool,
}

/// Whether the policy names guests with an account in this tenant. For other guests, the requirement is
/// unknown anyway.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Guests {
    #[default]
    None,
    All,
    Perhaps,
}

/// A Conditional Access policy, by its place among the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(usize);

/// Where the MFA requirement of a user, and what satisfies it, is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decided {
    Here,
    /// In the home tenant of the account.
    InAnotherTenant,
    /// At the provider of the user's domain, whose MFA Entra may accept (Graph documentation of
    /// internalDomainFederation, `federatedIdpMfaBehavior`, checked 2026-11).
    AtProvider,
    /// How the user's domain signs in is unknown.
    Unknown,
}

/// What requires MFA of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequirementSource {
    PerUser,
    SecurityDefaults,
    ConditionalAccess(RuleIndex),
    /// Conditional Access could not be read.
    ConditionalAccessUnread,
    AdminRole,
}

/// The MFA requirements of the users of a directory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MfaRequirements {
    rules: Vec<(ConditionalAccessRule, UserSet)>,
    unread: bool,
    security_defaults: Tristate,
    /// Users of which a Conditional Access policy requires MFA at an ordinary sign-in.
    by_rules: UserSet,
    /// The same at the admin portals. Unknown in plans saved by older versions, which did not distinguish the
    /// portals.
    #[serde(default)]
    by_rules_at_portals: UserSet,
    /// Users of which an ordinary sign-in accepts only some methods, by those methods.
    strengths: Vec<(Accepted, UserSet)>,
    /// The additional restrictions at the admin portals.
    #[serde(default)]
    strengths_at_portals: Vec<(Accepted, UserSet)>,
    /// In the public cloud, the administrators, who need MFA at the portals; in other clouds empty.
    asked_as_administrators: UserSet,
    administrators: UserSet,
    global_administrators: UserSet,
    /// Users that are Global Administrators now; unknown for users that could activate the role. Unknown for
    /// all users in plans saved by older versions.
    #[serde(default)]
    acting_global_administrators: UserSet,
    homed_elsewhere: UserSet,
    /// Users that sign in at a provider that may do MFA. Unknown in plans saved by older versions, which did
    /// not read domains.
    #[serde(default)]
    at_providers: UserSet,
}

impl MfaRules {
    /// Returns the same rules with other ids of users.
    #[must_use]
    pub fn with_users(mut self, other: impl Fn(UserId) -> UserId) -> Self {
        if let Read::Known(rules) = &mut self.conditional_access {
            for targets in rules.iter_mut().flat_map(|rule| [&mut rule.include, &mut rule.exclude])
            {
                targets.users = targets.users.iter().copied().map(&other).collect();
            }
        }
        self
    }

    /// Every group that a policy names.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> {
        let rules = self.conditional_access.known().into_iter().flatten();
        rules.flat_map(|rule| rule.include.groups.union(&rule.exclude.groups).copied())
    }
}

impl Targets {
    fn crowd(&self, people: &RuleMembers<'_>) -> UserSet {
        if self.everybody {
            return people.everybody();
        }
        let mut crowd = people.of(&self.users);
        self.groups.iter().for_each(|group| crowd.join(&people.in_group(*group)));
        self.roles.iter().for_each(|role| crowd.join(&people.in_role(*role)));
        match self.guests {
            Guests::None => {}
            Guests::All => crowd.join(&people.guests_living_here()),
            Guests::Perhaps => crowd.join(&people.guests_living_here().perhaps()),
        }
        if self.others {
            crowd.join(&people.unknown());
        }
        crowd
    }
}

impl ConditionalAccessRule {
    /// The users of which the policy requires MFA at the admin portals.
    fn crowd(&self, people: &RuleMembers<'_>) -> UserSet {
        let mut crowd = self.include.crowd(people);
        crowd.leave_out(&self.exclude.crowd(people));
        if self.narrowed { crowd.perhaps() } else { crowd }
    }

    /// The users among them of which it requires MFA at an ordinary sign-in.
    fn at_ordinary(&self, crowd: &UserSet) -> Option<UserSet> {
        match self.apps {
            Apps::Any => Some(crowd.clone()),
            Apps::PortalsAndOthers => Some(crowd.clone().perhaps()),
            Apps::Portals => None,
        }
    }
}

/// Adds users to those with the same requirement.
fn join(all: &mut BTreeMap<Accepted, UserSet>, accepts: Accepted, crowd: &UserSet) {
    match all.entry(accepts) {
        Entry::Occupied(mut known) => known.get_mut().join(crowd),
        Entry::Vacant(new) => _ = new.insert(crowd.clone()),
    }
}

impl MfaRequirements {
    #[must_use]
    pub fn new(rules: MfaRules, people: &RuleMembers<'_>) -> Self {
        let unread = rules.conditional_access.known().is_none();
        let mut by_rules = if unread { people.unknown() } else { people.nobody() };
        let mut by_rules_at_portals = by_rules.clone();
        let mut strengths: BTreeMap<Accepted, UserSet> = BTreeMap::new();
        let mut strengths_at_portals = BTreeMap::new();
        if unread {
            strengths.insert(Accepted::UNKNOWN, people.unknown());
        }
        let mut with_users = Vec::new();
        for rule in rules.conditional_access.into_known().unwrap_or_default() {
            let crowd = rule.crowd(people);
            let ordinary = rule.at_ordinary(&crowd);
            by_rules_at_portals.join(&crowd);
            ordinary.iter().for_each(|ordinary| by_rules.join(ordinary));
            if rule.accepts != Accepted::ANY {
                ordinary.iter().for_each(|crowd| join(&mut strengths, rule.accepts, crowd));
                if rule.apps != Apps::Any {
                    join(&mut strengths_at_portals, rule.accepts, &crowd);
                }
            }
            with_users.push((rule, crowd));
        }
        let administrators = people.administrators();
        Self {
            rules: with_users,
            unread,
            security_defaults: match rules.security_defaults {
                Read::Known(true) => Tristate::Yes,
                Read::Known(false) => Tristate::No,
                Read::Unknown(_) => Tristate::Unknown,
            },
            by_rules,
            by_rules_at_portals,
            strengths: strengths.into_iter().collect(),
            strengths_at_portals: strengths_at_portals.into_iter().collect(),
            asked_as_administrators: match rules.public_cloud {
                true => administrators.clone(),
                false => people.nobody(),
            },
            administrators,
            global_administrators: people.global_administrators(),
            acting_global_administrators: people.acting_global_administrators(),
            homed_elsewhere: people.homed_elsewhere(),
            at_providers: people.at_providers(&rules.domains),
        }
    }

    /// The same restricted to these users and numbered anew in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        let rules = self.rules.iter().map(|(rule, crowd)| (rule.clone(), crowd.only(users)));
        let only = |strengths: &[(Accepted, UserSet)]| {
            strengths.iter().map(|(accepts, crowd)| (*accepts, crowd.only(users))).collect()
        };
        Self {
            rules: rules.collect(),
            unread: self.unread,
            security_defaults: self.security_defaults,
            by_rules: self.by_rules.only(users),
            by_rules_at_portals: self.by_rules_at_portals.only(users),
            strengths: only(&self.strengths),
            strengths_at_portals: only(&self.strengths_at_portals),
            asked_as_administrators: self.asked_as_administrators.only(users),
            administrators: self.administrators.only(users),
            global_administrators: self.global_administrators.only(users),
            acting_global_administrators: self.acting_global_administrators.only(users),
            homed_elsewhere: self.homed_elsewhere.only(users),
            at_providers: self.at_providers.only(users),
        }
    }

    /// Whether security defaults require MFA of every user.
    #[must_use]
    pub const fn security_defaults(&self) -> Tristate {
        self.security_defaults
    }

    /// Replaces that switch, to see what another value would mean.
    pub const fn set_security_defaults(&mut self, switch: Tristate) {
        self.security_defaults = switch;
    }

    /// Whether something is known here but unknown in `other`, because it could not be read there.
    #[must_use]
    pub fn knows_more_than(&self, other: &Self) -> bool {
        let settings = (self.security_defaults, other.security_defaults);
        let crowds = [
            (&self.by_rules, &other.by_rules),
            (&self.by_rules_at_portals, &other.by_rules_at_portals),
            (&self.at_providers, &other.at_providers),
            (&self.administrators, &other.administrators),
            (&self.global_administrators, &other.global_administrators),
        ];
        !self.unread && other.unread
            || settings.0 != Tristate::Unknown && settings.1 == Tristate::Unknown
            || crowds.into_iter().any(|(here, there)| here.knows_more_than(there))
    }

    /// Whether MFA is required at this kind of sign-in of a user with this per-user state.
    #[must_use]
    pub fn of(&self, user: UserIndex, state: Read<MfaState>, at: SignIn) -> Tristate {
        if self.is_elsewhere(user) {
            return Tristate::Unknown;
        }
        let everywhere = by_state(state).or(self.security_defaults);
        match at {
            SignIn::Ordinary => everywhere.or(self.by_rules.has(user)),
            SignIn::Portals => everywhere
                .or(self.by_rules_at_portals.has(user))
                .or(self.asked_as_administrators.has(user)),
        }
    }

    /// Whether the tenant requires MFA of the user at every ordinary sign-in and without conditions,
    /// regardless of the per-user state and roles. Only then can per-user MFA be lowered.
    #[must_use]
    pub fn elsewhere(&self, user: UserIndex) -> Tristate {
        match self.is_elsewhere(user) {
            true => Tristate::Unknown,
            false => self.security_defaults.or(self.by_rules.has(user)),
        }
    }

    /// Everything that requires MFA of the user, or may require it, for explanations.
    #[must_use]
    pub fn sources(
        &self,
        user: UserIndex,
        state: Read<MfaState>,
    ) -> Vec<(RequirementSource, Tristate)> {
        let rules = self.rules.iter().enumerate().map(|(place, (_, crowd))| {
            (RequirementSource::ConditionalAccess(RuleIndex(place)), crowd.has(user))
        });
        let unread = if self.unread { Tristate::Unknown } else { Tristate::No };
        [
            (RequirementSource::PerUser, by_state(state)),
            (RequirementSource::SecurityDefaults, self.security_defaults),
        ]
        .into_iter()
        .chain(rules)
        .chain([
            (RequirementSource::ConditionalAccessUnread, unread),
            (RequirementSource::AdminRole, self.asked_as_administrators.has(user)),
        ])
        .filter(|(_, judged)| *judged != Tristate::No)
        .collect()
    }

    /// Whether the source requires MFA only at the admin portals.
    #[must_use]
    pub fn is_of_portals(&self, source: RequirementSource) -> bool {
        match source {
            RequirementSource::AdminRole => true,
            RequirementSource::ConditionalAccess(rule) => {
                self.rules.get(rule.0).is_some_and(|(rule, _)| rule.apps == Apps::Portals)
            }
            RequirementSource::PerUser
            | RequirementSource::SecurityDefaults
            | RequirementSource::ConditionalAccessUnread => false,
        }
    }

    /// The name of the policy.
    #[must_use]
    pub fn name(&self, rule: RuleIndex) -> Option<&Untrusted> {
        self.rules.get(rule.0).map(|(rule, _)| &rule.name)
    }

    /// The restrictions that a method of the user must satisfy at this kind of sign-in, each with its
    /// certainty.
    pub fn strengths(
        &self,
        user: UserIndex,
        at: SignIn,
    ) -> impl Iterator<Item = (Accepted, Tristate)> {
        let more = match at {
            SignIn::Ordinary => &[][..],
            SignIn::Portals => &self.strengths_at_portals,
        };
        let all = self.strengths.iter().chain(more);
        let of_user = all.map(move |(accepts, crowd)| (*accepts, crowd.has(user)));
        of_user.filter(|(_, judged)| *judged != Tristate::No)
    }

    /// Whether a method that is enough at an ordinary sign-in may not be enough at the admin portals.
    #[must_use]
    pub fn is_stricter_at_portals(&self, user: UserIndex) -> bool {
        self.strengths_at_portals.iter().any(|(_, crowd)| crowd.has(user) != Tristate::No)
    }

    /// Whether the user holds an administrator role or can activate one, in any cloud.
    #[must_use]
    pub fn is_administrator(&self, user: UserIndex) -> Tristate {
        self.administrators.has(user)
    }

    /// Whether the user is a Global Administrator, active or eligible. Texts and calls are delivered to them
    /// for longer.
    #[must_use]
    pub fn is_global_administrator(&self, user: UserIndex) -> Tristate {
        self.global_administrators.has(user)
    }

    /// Whether the user is an active Global Administrator. Unknown for a user that would have to activate the
    /// role.
    #[must_use]
    pub fn acts_as_global_administrator(&self, user: UserIndex) -> Tristate {
        self.acting_global_administrators.has(user)
    }

    /// Whether the MFA requirement of the user is, or may be, decided elsewhere.
    #[must_use]
    pub fn is_elsewhere(&self, user: UserIndex) -> bool {
        self.decided(user) != Decided::Here
    }

    #[must_use]
    pub fn decided(&self, user: UserIndex) -> Decided {
        match (self.homed_elsewhere.has(user), self.at_providers.has(user)) {
            (Tristate::Yes, _) => Decided::InAnotherTenant,
            (_, Tristate::Yes) => Decided::AtProvider,
            (_, Tristate::Unknown) => Decided::Unknown,
            (_, Tristate::No) => Decided::Here,
        }
    }
}

impl Decided {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::InAnotherTenant => "anotherTenant",
            Self::AtProvider => "provider",
            Self::Unknown => "unknown",
        }
    }
}

const fn by_state(state: Read<MfaState>) -> Tristate {
    match state {
        Read::Known(MfaState::Enabled | MfaState::Enforced) => Tristate::Yes,
        Read::Known(MfaState::Disabled) => Tristate::No,
        Read::Unknown(_) => Tristate::Unknown,
    }
}

#[cfg(test)]
mod tests;

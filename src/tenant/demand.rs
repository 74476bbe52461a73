//! Of whom MFA is demanded, and by what: Conditional Access, security defaults, administrators'
//! roles. Per-user MFA state is the fourth, and a fact of the user.
//!
//! Not here: what can answer a demand (`posture`), or how the rules are read (`entra`).

use std::collections::{BTreeMap, BTreeSet};

use super::crowd::{Crowd, Judged};
use super::directory::UserIndex;
use super::facts::{MfaState, Read};
use super::people::People;
use super::strength::Accepted;
use crate::id::{GroupId, RoleId, UserId};

/// The rules of a tenant that can demand MFA, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub conditional_access: Read<Vec<Rule>>,
    pub security_defaults: Read<bool>,
    /// In the public cloud Microsoft demands MFA of whoever signs in to administer (Entra
    /// documentation, "mandatory multifactor authentication", checked 2026-11).
    pub public_cloud: bool,
}

/// A Conditional Access policy that is on and demands MFA of somebody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub name: String,
    /// It holds at some sign-ins only: for some apps, from some places or devices, at some risk.
    pub narrowed: bool,
    pub accepts: Accepted,
    pub include: Targets,
    pub exclude: Targets,
}

/// Whom a policy names. Guests need no place here: what is demanded of them is not known anyway.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    pub everybody: bool,
    pub users: BTreeSet<UserId>,
    pub groups: BTreeSet<GroupId>,
    pub roles: BTreeSet<RoleId>,
    /// Somebody is named in a way that this program does not know.
    pub others: bool,
}

/// A Conditional Access policy, by its place among the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(usize);

/// What demands MFA of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    PerUser,
    SecurityDefaults,
    ConditionalAccess(RuleIndex),
    /// Conditional Access could not be read.
    ConditionalAccessUnread,
    AdminRole,
}

/// Of whom in a directory MFA is demanded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demand {
    rules: Vec<(Rule, Crowd)>,
    unread: bool,
    security_defaults: Judged,
    /// Of whom any Conditional Access policy demands it.
    by_rules: Crowd,
    /// Of whom a demand takes fewer answers than any, by what it takes.
    strengths: Vec<(Accepted, Crowd)>,
    /// In the public cloud, who holds an administrator's role; elsewhere nobody.
    asked_as_administrators: Crowd,
    administrators: Crowd,
    global_administrators: Crowd,
    /// Who is one now; who could become one may be. Plans saved before it was looked at know of
    /// nobody.
    #[serde(default)]
    acting_global_administrators: Crowd,
    homed_elsewhere: Crowd,
}

impl Rules {
    /// Every group that a policy names.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> {
        let rules = self.conditional_access.known().into_iter().flatten();
        rules.flat_map(|rule| rule.include.groups.union(&rule.exclude.groups).copied())
    }
}

impl Targets {
    fn crowd(&self, people: &People<'_>) -> Crowd {
        if self.everybody {
            return people.everybody();
        }
        let mut crowd = people.of(&self.users);
        self.groups.iter().for_each(|group| crowd.join(&people.in_group(*group)));
        self.roles.iter().for_each(|role| crowd.join(&people.in_role(*role)));
        if self.others {
            crowd.join(&people.unknown());
        }
        crowd
    }
}

impl Rule {
    fn crowd(&self, people: &People<'_>) -> Crowd {
        let mut crowd = self.include.crowd(people);
        crowd.leave_out(&self.exclude.crowd(people));
        if self.narrowed { crowd.perhaps() } else { crowd }
    }
}

impl Demand {
    #[must_use]
    pub fn new(rules: Rules, people: &People<'_>) -> Self {
        let unread = rules.conditional_access.known().is_none();
        let mut by_rules = if unread { people.unknown() } else { people.nobody() };
        let mut strengths: BTreeMap<Accepted, Crowd> = BTreeMap::new();
        if unread {
            strengths.insert(Accepted::UNKNOWN, people.unknown());
        }
        let mut judged = Vec::new();
        for rule in rules.conditional_access.into_known().unwrap_or_default() {
            let crowd = rule.crowd(people);
            by_rules.join(&crowd);
            if rule.accepts != Accepted::ANY {
                strengths.entry(rule.accepts).or_insert_with(|| people.nobody()).join(&crowd);
            }
            judged.push((rule, crowd));
        }
        let administrators = people.administrators();
        Self {
            rules: judged,
            unread,
            security_defaults: match rules.security_defaults {
                Read::Known(true) => Judged::Yes,
                Read::Known(false) => Judged::No,
                Read::Unknown(_) => Judged::Unknown,
            },
            by_rules,
            strengths: strengths.into_iter().collect(),
            asked_as_administrators: match rules.public_cloud {
                true => administrators.clone(),
                false => people.nobody(),
            },
            administrators,
            global_administrators: people.global_administrators(),
            acting_global_administrators: people.acting_global_administrators(),
            homed_elsewhere: people.homed_elsewhere(),
        }
    }

    /// The same of these users only, counted anew in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        let rules = self.rules.iter().map(|(rule, crowd)| (rule.clone(), crowd.only(users)));
        let strengths = self.strengths.iter().map(|(accepts, crowd)| (*accepts, crowd.only(users)));
        Self {
            rules: rules.collect(),
            unread: self.unread,
            security_defaults: self.security_defaults,
            by_rules: self.by_rules.only(users),
            strengths: strengths.collect(),
            asked_as_administrators: self.asked_as_administrators.only(users),
            administrators: self.administrators.only(users),
            global_administrators: self.global_administrators.only(users),
            acting_global_administrators: self.acting_global_administrators.only(users),
            homed_elsewhere: self.homed_elsewhere.only(users),
        }
    }

    /// Whether something is known here that is not known there: it could not be read.
    #[must_use]
    pub fn knows_more_than(&self, other: &Self) -> bool {
        let settings = (self.security_defaults, other.security_defaults);
        let crowds = [
            (&self.by_rules, &other.by_rules),
            (&self.administrators, &other.administrators),
            (&self.global_administrators, &other.global_administrators),
        ];
        !self.unread && other.unread
            || settings.0 != Judged::Unknown && settings.1 == Judged::Unknown
            || crowds.into_iter().any(|(here, there)| here.knows_more_than(there))
    }

    /// Whether MFA is demanded of a user of this per-user state.
    #[must_use]
    pub fn of(&self, user: UserIndex, state: Read<MfaState>) -> Judged {
        if self.is_elsewhere(user) {
            return Judged::Unknown;
        }
        by_state(state).or(self.by_tenant(user)).or(self.asked_as_administrators.has(user))
    }

    /// Whether the tenant demands it of the user with nothing narrowing, whatever their own state
    /// and roles: what lets per-user MFA be lowered.
    #[must_use]
    pub fn elsewhere(&self, user: UserIndex) -> Judged {
        if self.is_elsewhere(user) { Judged::Unknown } else { self.by_tenant(user) }
    }

    fn by_tenant(&self, user: UserIndex) -> Judged {
        self.security_defaults.or(self.by_rules.has(user))
    }

    /// Everything that demands it of the user or may do so, for explanations.
    #[must_use]
    pub fn sources(&self, user: UserIndex, state: Read<MfaState>) -> Vec<(Source, Judged)> {
        let rules = self.rules.iter().enumerate().map(|(place, (_, crowd))| {
            (Source::ConditionalAccess(RuleIndex(place)), crowd.has(user))
        });
        let unread = if self.unread { Judged::Unknown } else { Judged::No };
        [(Source::PerUser, by_state(state)), (Source::SecurityDefaults, self.security_defaults)]
            .into_iter()
            .chain(rules)
            .chain([
                (Source::ConditionalAccessUnread, unread),
                (Source::AdminRole, self.asked_as_administrators.has(user)),
            ])
            .filter(|(_, judged)| *judged != Judged::No)
            .collect()
    }

    /// The name of a policy that is a source.
    #[must_use]
    pub fn name(&self, rule: RuleIndex) -> Option<&str> {
        self.rules.get(rule.0).map(|(rule, _)| rule.name.as_str())
    }

    /// What every answer of the user must be taken by, and whether that is sure.
    pub fn strengths(&self, user: UserIndex) -> impl Iterator<Item = (Accepted, Judged)> {
        let of_user =
            self.strengths.iter().map(move |(accepts, crowd)| (*accepts, crowd.has(user)));
        of_user.filter(|(_, judged)| *judged != Judged::No)
    }

    /// Whether the user holds an administrator's role or may take one up, in whatever cloud.
    #[must_use]
    pub fn is_administrator(&self, user: UserIndex) -> Judged {
        self.administrators.has(user)
    }

    /// Active or eligible; texts and calls reach them longer.
    #[must_use]
    pub fn is_global_administrator(&self, user: UserIndex) -> Judged {
        self.global_administrators.has(user)
    }

    /// Active. Of who would have to take the role up it is not known.
    #[must_use]
    pub fn acts_as_global_administrator(&self, user: UserIndex) -> Judged {
        self.acting_global_administrators.has(user)
    }

    /// Guests and whoever else is asked at home.
    #[must_use]
    pub fn is_elsewhere(&self, user: UserIndex) -> bool {
        self.homed_elsewhere.has(user) == Judged::Yes
    }
}

const fn by_state(state: Read<MfaState>) -> Judged {
    match state {
        Read::Known(MfaState::Enabled | MfaState::Enforced) => Judged::Yes,
        Read::Known(MfaState::Disabled) => Judged::No,
        Read::Unknown(_) => Judged::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::tenant::directory::{Account, Directory, User};
    use crate::tenant::facts::Why;
    use crate::tenant::roles::{Holders, Roles};

    const ROLE: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";

    fn id(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    /// Of three users, the first holds a role, and the last is homed elsewhere.
    fn demand(conditional_access: Read<Vec<Rule>>) -> Demand {
        let user = |number: u128| User {
            id: id(number),
            name: format!("{number}@exchangelabs.nl").into(),
            account: Account { homed_elsewhere: number == 3, ..Account::default() },
            usage_location: None,
            department: None,
            attributes: Box::default(),
        };
        let directory = Directory::new((1..=3).map(user), Vec::new());
        let mut roles = Roles::default();
        let holders = Holders { active: [id(1)].into(), ..Holders::default() };
        roles.holders.insert(ROLE.parse().unwrap(), holders);
        let (groups, roles) = (BTreeMap::new(), Read::Known(roles));
        let people = People { directory: &directory, groups: &groups, roles: &roles };
        let security_defaults = Read::Known(false);
        Demand::new(Rules { conditional_access, security_defaults, public_cloud: true }, &people)
    }

    fn rule(name: &str, narrowed: bool) -> Rule {
        let include = Targets { users: [id(1), id(3)].into(), ..Targets::default() };
        let (name, accepts) = (name.to_owned(), Accepted::ANY);
        Rule { name, narrowed, accepts, include, exclude: Targets::default() }
    }

    #[test]
    fn every_source_is_named() {
        let demand = demand(Read::Known(vec![rule("One", true), rule("Two", false)]));
        let enforced = Read::Known(MfaState::Enforced);
        let sources = demand.sources(UserIndex::new(0), enforced);
        let of_rule = |place| Source::ConditionalAccess(RuleIndex(place));
        assert_eq!(
            sources,
            [
                (Source::PerUser, Judged::Yes),
                (of_rule(0), Judged::Unknown),
                (of_rule(1), Judged::Yes),
                (Source::AdminRole, Judged::Yes),
            ]
        );
        assert_eq!(demand.name(RuleIndex(1)), Some("Two"));
        assert_eq!(demand.sources(UserIndex::new(1), Read::Known(MfaState::Disabled)), []);
    }

    #[test]
    fn what_covers_a_lowered_state_is_neither_the_state_nor_a_role() {
        let enforced = Read::Known(MfaState::Enforced);
        for (rules, first, second) in [
            (Read::Known(vec![]), Judged::No, Judged::No),
            (Read::Known(vec![rule("One", true)]), Judged::Unknown, Judged::No),
            (Read::Known(vec![rule("One", false)]), Judged::Yes, Judged::No),
            (Read::Unknown(Why::Forbidden), Judged::Unknown, Judged::Unknown),
        ] {
            let demand = demand(rules);
            let elsewhere = |place| demand.elsewhere(UserIndex::new(place));
            assert_eq!((elsewhere(0), elsewhere(1)), (first, second));
            assert_eq!(elsewhere(2), Judged::Unknown, "a guest is asked at home");
            assert_eq!(demand.of(UserIndex::new(1), enforced), Judged::Yes);
            assert_eq!(demand.of(UserIndex::new(2), enforced), Judged::Unknown);
        }
    }
}

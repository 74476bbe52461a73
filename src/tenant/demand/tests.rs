//! Which users must use MFA, at which sign-ins, and because of which rule.

use uuid::Uuid;

use super::*;
use crate::tenant::directory::{Account, Country, Directory, User};
use crate::tenant::domains::SignsIn;
use crate::tenant::facts::UnknownReason;
use crate::tenant::roles::{RoleHolders, Roles};

const ROLE: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";

fn id(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// Three users: the first holds a role, and the last is homed elsewhere.
fn demand(conditional_access: Read<Vec<ConditionalAccessRule>>) -> MfaRequirements {
    let user = |number: u128| User {
        id: id(number),
        name: format!("{number}@exchangelabs.nl").into(),
        account: Account { homed_elsewhere: number == 3, ..Account::default() },
        usage_location: None,
        country: Country::None,
        department: None,
        attributes: Box::default(),
    };
    let directory = Directory::new((1..=3).map(user), Vec::new());
    let mut roles = Roles::default();
    let holders = RoleHolders { active: [id(1)].into(), ..RoleHolders::default() };
    roles.holders.insert(ROLE.parse().unwrap(), holders);
    let (groups, roles) = (BTreeMap::new(), Read::Known(roles));
    let people = RuleMembers { directory: &directory, groups: &groups, roles: &roles };
    let security_defaults = Read::Known(false);
    let domains = Domains::new([("exchangelabs.nl".to_owned(), SignsIn::Here)]);
    let rules = MfaRules { conditional_access, security_defaults, domains, public_cloud: true };
    MfaRequirements::new(rules, &people)
}

fn rule(name: &str, narrowed: bool) -> ConditionalAccessRule {
    let include = Targets { users: [id(1), id(3)].into(), ..Targets::default() };
    let (name, accepts) = (name.into(), Accepted::ANY);
    let exclude = Targets::default();
    ConditionalAccessRule { name, narrowed, apps: Apps::Any, accepts, include, exclude }
}

#[test]
fn every_source_is_named() {
    let demand = demand(Read::Known(vec![rule("One", true), rule("Two", false)]));
    let enforced = Read::Known(MfaState::Enforced);
    let sources = demand.sources(UserIndex::new(0), enforced);
    let of_rule = |place| RequirementSource::ConditionalAccess(RuleIndex(place));
    assert_eq!(
        sources,
        [
            (RequirementSource::PerUser, Tristate::Yes),
            (of_rule(0), Tristate::Unknown),
            (of_rule(1), Tristate::Yes),
            (RequirementSource::AdminRole, Tristate::Yes),
        ]
    );
    assert_eq!(demand.name(RuleIndex(1)), Some(&"Two".into()));
    assert_eq!(demand.sources(UserIndex::new(1), Read::Known(MfaState::Disabled)), []);
}

/// The first user holds a role; the second is in a policy for the portals.
#[test]
fn portals_requirement_does_not_apply_to_ordinary_sign_ins() {
    let second = Targets { users: [id(2)].into(), ..Targets::default() };
    let at = |apps, narrowed| {
        demand(Read::Known(vec![ConditionalAccessRule {
            apps,
            include: second.clone(),
            accepts: Accepted::UNKNOWN,
            ..rule("One", narrowed)
        }]))
    };
    let disabled = Read::Known(MfaState::Disabled);
    for (apps, narrowed, ordinary, portals) in [
        (Apps::Any, false, Tristate::Yes, Tristate::Yes),
        (Apps::Any, true, Tristate::Unknown, Tristate::Unknown),
        (Apps::Portals, false, Tristate::No, Tristate::Yes),
        (Apps::Portals, true, Tristate::No, Tristate::Unknown),
        (Apps::PortalsAndOthers, false, Tristate::Unknown, Tristate::Yes),
        (Apps::PortalsAndOthers, true, Tristate::Unknown, Tristate::Unknown),
    ] {
        let demand = at(apps, narrowed);
        let user = UserIndex::new(1);
        let of = |at| demand.of(user, disabled, at);
        assert_eq!((of(SignIn::Ordinary), of(SignIn::Portals)), (ordinary, portals), "{apps:?}");
        assert_eq!(demand.elsewhere(user), ordinary, "{apps:?}");
        let strengths = |at| {
            let all = demand.strengths(user, at).map(|(_, judged)| judged);
            all.fold(Tristate::No, Tristate::or)
        };
        assert_eq!(strengths(SignIn::Ordinary), ordinary, "{apps:?}");
        assert_eq!(strengths(SignIn::Portals), portals, "{apps:?}");
        let few = demand.only(&[user]);
        assert_eq!(few.of(UserIndex::new(0), disabled, SignIn::Portals), portals);
        assert_eq!(few.of(UserIndex::new(0), disabled, SignIn::Ordinary), ordinary);
    }
    let demand = at(Apps::Portals, false);
    let first = |at| demand.of(UserIndex::new(0), disabled, at);
    assert_eq!((first(SignIn::Ordinary), first(SignIn::Portals)), (Tristate::No, Tristate::Yes));
    assert!(demand.is_of_portals(RequirementSource::AdminRole));
    assert!(demand.is_of_portals(RequirementSource::ConditionalAccess(RuleIndex(0))));
    assert!(!demand.is_of_portals(RequirementSource::PerUser));
}

#[test]
fn own_state_and_roles_do_not_cover_a_lowered_state() {
    let enforced = Read::Known(MfaState::Enforced);
    for (rules, first, second) in [
        (Read::Known(vec![]), Tristate::No, Tristate::No),
        (Read::Known(vec![rule("One", true)]), Tristate::Unknown, Tristate::No),
        (Read::Known(vec![rule("One", false)]), Tristate::Yes, Tristate::No),
        (Read::Unknown(UnknownReason::Forbidden), Tristate::Unknown, Tristate::Unknown),
    ] {
        let demand = demand(rules);
        let elsewhere = |place| demand.elsewhere(UserIndex::new(place));
        assert_eq!((elsewhere(0), elsewhere(1)), (first, second));
        assert_eq!(elsewhere(2), Tristate::Unknown, "the home tenant decides for a guest");
        let of = |place| demand.of(UserIndex::new(place), enforced, SignIn::Ordinary);
        assert_eq!((of(1), of(2)), (Tristate::Yes, Tristate::Unknown));
    }
}

//! Tests what the guard does if only the admin portals require MFA, and for users of federated domains.

use super::*;

const ADMINISTRATOR: UserId = ME;

fn administrators() -> Read<Roles> {
    let mut roles = Roles::default();
    let holders = RoleHolders { active: [ADMINISTRATOR].into(), ..RoleHolders::default() };
    roles.holders.insert("729827e3-9c14-49f7-bb1b-9608f156bbb8".parse().unwrap(), holders);
    Read::Known(roles)
}

fn at_portals(accepts: Accepted) -> Read<Vec<ConditionalAccessRule>> {
    let Read::Known(rules) = everybody(false, accepts) else { return NOTHING };
    Read::Known(
        rules
            .into_iter()
            .map(|rule| ConditionalAccessRule { apps: Apps::Portals, ..rule })
            .collect(),
    )
}

fn of_administrators(rules: Read<Vec<ConditionalAccessRule>>) -> Tenant {
    tenant_with(administrators(), rules, false, Tristate::No)
}

#[test]
fn requirement_of_the_portals_does_not_cover_lowering() {
    let facts = facts(MfaState::Enforced, &[MethodKind::Passkey]);
    let lower = state(MfaState::Enforced, MfaState::Disabled);
    for tenant in [
        of_administrators(NOTHING),
        of_administrators(at_portals(Accepted::ANY)),
        tenant(at_portals(Accepted::ANY), false),
    ] {
        assert_eq!(tenant.withheld(&facts, &[lower]), [Reason::NotCoveredElsewhere]);
        let guarded = guard(&tenant.judge(), UserIndex::new(0), &facts, &[lower]);
        assert_eq!(guarded.facts, facts);
    }
    let tenant = of_administrators(everybody(false, Accepted::ANY));
    assert_eq!(tenant.withheld(&facts, &[lower]), []);
}

/// Without a method, a user that only the portals ask for MFA would be open there.
#[test]
fn last_method_of_an_administrator_stays() {
    let facts = Facts { default_method: NO_DEFAULT, ..with_mobile(MfaState::Disabled, MOBILE) };
    let remove = absent(Setting::MobilePhone, MOBILE);
    for rules in [NOTHING, at_portals(Accepted::ANY)] {
        let tenant = of_administrators(rules);
        assert_eq!(tenant.withheld(&facts, &[remove]), [Reason::LastMethod]);
    }
}

/// An administrator who could register at a portal would be locked out by a phone that the portals reject.
#[test]
fn phone_that_the_portals_reject_is_not_added_as_only_method() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let tenant = of_administrators(at_portals(strong));
    let phone = mobile(Value::Nothing, MOBILE);
    let nothing = facts(MfaState::Disabled, &[]);
    assert_eq!(tenant.judge().posture(UserIndex::new(0), &nothing), Posture::Open);
    assert_eq!(tenant.withheld(&nothing, &[phone]), [Reason::WouldBeStuck]);
    let raise = state(RAISE.0, RAISE.1);
    let phone_alone = with_mobile(MfaState::Disabled, MOBILE);
    assert_eq!(tenant.withheld(&phone_alone, &[raise]), [Reason::WouldBeStuck]);
}

#[test]
fn raising_mfa_protects_an_administrator_asked_only_at_portals() {
    let tenant = of_administrators(NOTHING);
    let judge = tenant.judge();
    let facts = facts(MfaState::Disabled, &[MethodKind::Passkey]);
    let user = UserIndex::new(0);
    assert_eq!(judge.posture(user, &facts), Posture::Unprotected);
    assert_eq!(judge.portals_only(user, &facts), Tristate::Yes);
    let guarded = guard(&judge, user, &facts, &[state(RAISE.0, RAISE.1)]);
    assert_eq!((guarded.withheld, guarded.steps.len()), (vec![], 1));
    assert_eq!(judge.posture(user, &guarded.facts), Posture::Protected);
    assert_eq!(judge.portals_only(user, &guarded.facts), Tristate::No);
}

/// What an identity provider requires and accepts is unknown here, and so is which domains of unknown type
/// use one.
#[test]
fn nothing_depends_on_a_provider_that_may_do_mfa() {
    let federated = |signs_in| {
        let domains = Domains::new([("exchangelabs.nl".to_owned(), signs_in)]);
        let of = (Read::Known(Roles::default()), domains);
        tenant_in(of, everybody(false, Accepted::ANY), false, Tristate::No)
    };
    let raise = state(RAISE.0, RAISE.1);
    let lower = state(MfaState::Enforced, MfaState::Disabled);
    for (signs_in, reason) in [
        (SignsIn::AtProvider, Reason::DomainFederated),
        (SignsIn::Unread(UnknownReason::Forbidden), Reason::DomainUnknown),
        (SignsIn::Unknown, Reason::DomainUnknown),
    ] {
        let tenant = federated(signs_in);
        let judge = tenant.judge();
        let disabled = facts(MfaState::Disabled, &[MethodKind::Passkey]);
        assert_eq!(judge.posture(UserIndex::new(0), &disabled), Posture::Unknown);
        assert_eq!(tenant.withheld(&disabled, &[raise]), [reason], "{signs_in:?}");
        let enforced = facts(MfaState::Enforced, &[MethodKind::Passkey]);
        assert_eq!(tenant.withheld(&enforced, &[lower]), [Reason::NotCoveredElsewhere]);
        let phone = with_mobile_and(&[MethodKind::Passkey], NO_DEFAULT);
        let remove = absent(Setting::MobilePhone, MOBILE);
        assert_eq!(tenant.withheld(&phone, &[remove]), [Reason::MaybeLastMethod]);
    }
    let here = federated(SignsIn::Here);
    let enforced = facts(MfaState::Enforced, &[MethodKind::Passkey]);
    assert_eq!(here.withheld(&enforced, &[lower]), []);
    let disabled = facts(MfaState::Disabled, &[MethodKind::Passkey]);
    assert_eq!(here.withheld(&disabled, &[raise]), []);
}

/// The provider of a custom control does not depend on what is registered here. So it justifies no raise and
/// no removal, and adding a phone is as safe as without it.
#[test]
fn custom_control_justifies_neither_raising_nor_removing() {
    let raise = state(RAISE.0, RAISE.1);
    let phone = mobile(Value::Nothing, MOBILE);
    for narrowed in [false, true] {
        let tenant = tenant(everybody(narrowed, Accepted::ANY.and_foreign()), false);
        let passkey = facts(MfaState::Disabled, &[MethodKind::Passkey]);
        assert_eq!(tenant.withheld(&passkey, &[raise]), [Reason::CannotTell]);
        for kinds in [&[][..], &[MethodKind::Passkey]] {
            let facts = facts(MfaState::Enforced, kinds);
            assert_eq!(tenant.judge().posture(UserIndex::new(0), &facts), Posture::Unknown);
            assert_eq!(tenant.withheld(&facts, &[phone]), []);
        }
        let only = with_mobile_and(&[MethodKind::Passkey], NO_DEFAULT);
        let remove = absent(Setting::MobilePhone, MOBILE);
        assert_eq!(tenant.withheld(&only, &[remove]), [Reason::MaybeLastMethod]);
    }
}

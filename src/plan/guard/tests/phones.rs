//! Tests when a phone is added, overwritten or removed.

use super::*;

#[test]
fn unusable_number_does_not_replace_a_usable_one() {
    let good = "+31 612345678";
    let bad = mobile(Value::Phone(number(good)), "+31 61234");
    let (enforced, disabled) =
        (with_mobile(MfaState::Enforced, good), with_mobile(MfaState::Disabled, good));
    let stuck = vec![Reason::WouldBeStuck];
    for (tenant, facts, expected) in [
        (tenant(NOTHING, false), enforced, stuck.clone()),
        (tenant(NOTHING, false), disabled, stuck.clone()),
        (tenant(NOTHING, true), disabled, stuck.clone()),
        (tenant(everybody(true, Accepted::ANY), false), disabled, stuck),
    ] {
        assert_eq!(tenant.withheld(&facts, &[bad]), expected);
    }
}

#[test]
fn phone_with_sms_sign_in_side_effect_is_withheld_with_dependent_changes() {
    let changes = [mobile(Value::Nothing, "+31 612345678"), state(RAISE.0, RAISE.1)];
    for (kinds, signs_in, expected) in [
        (&[][..], Tristate::Yes, vec![Reason::SmsSignIn, Reason::WouldBeOpen]),
        (&[], Tristate::Unknown, vec![Reason::SmsSignIn, Reason::WouldBeOpen]),
        (&[MethodKind::Passkey], Tristate::Yes, vec![Reason::SmsSignIn]),
        (&[], Tristate::No, vec![]),
    ] {
        let tenant = tenant_of(NOTHING, false, signs_in);
        assert_eq!(tenant.withheld(&facts(MfaState::Disabled, kinds), &changes), expected);
    }
}

#[test]
fn phone_that_the_strength_rejects_is_not_added_as_only_method() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let phone = mobile(Value::Nothing, "+31 612345678");
    let tenant = tenant(everybody(false, strong), false);
    // An unknown method does not make the phone acceptable.
    let unknown = &[MethodKind::Unrecognised][..];
    for (kinds, expected) in [
        (&[][..], vec![Reason::WouldBeStuck]),
        (unknown, vec![Reason::WouldBeStuck]),
        (&[MethodKind::Passkey], vec![]),
    ] {
        let facts = facts(MfaState::Disabled, kinds);
        assert_eq!(tenant.withheld(&facts, &[phone]), expected, "{kinds:?}");
    }
}

#[test]
fn phone_that_a_narrowed_strength_may_reject_is_not_added() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let phone = mobile(Value::Nothing, "+31 612345678");
    let tenant = tenant(everybody(true, strong), false);
    let facts = facts(MfaState::Enabled, &[]);
    assert_eq!(tenant.withheld(&facts, &[phone]), [Reason::CannotTell]);
}

#[test]
fn phone_is_removed_only_if_another_method_certainly_answers() {
    let unread = Read::Unknown(UnknownReason::Forbidden);
    let is = |method| Read::Known(Some(method));
    let tenant = tenant(NOTHING, false);
    for (facts, expected) in [
        (with_mobile_and(&[MethodKind::Passkey], NO_DEFAULT), vec![]),
        (with_mobile_and(&[MethodKind::Passkey], is(DefaultMethod::Push)), vec![]),
        (with_mobile_and(&[MethodKind::Passkey], is(DefaultMethod::Sms)), vec![Reason::IsDefault]),
        (
            with_mobile_and(&[MethodKind::Passkey], is(DefaultMethod::VoiceMobile)),
            vec![Reason::IsDefault],
        ),
        (with_mobile_and(&[MethodKind::Passkey], unread), vec![Reason::DefaultUnknown]),
        (with_mobile_and(&[], NO_DEFAULT), vec![Reason::LastMethod]),
        (with_mobile_and(&[MethodKind::WindowsHello], NO_DEFAULT), vec![Reason::LastMethod]),
        (with_mobile_and(&[MethodKind::TemporaryAccessPass], NO_DEFAULT), vec![Reason::LastMethod]),
        (with_mobile_and(&[MethodKind::Email], NO_DEFAULT), vec![Reason::LastMethod]),
        (with_mobile_and(&[MethodKind::Unrecognised], NO_DEFAULT), vec![Reason::MaybeLastMethod]),
    ] {
        let remove = absent(Setting::MobilePhone, MOBILE);
        assert_eq!(tenant.withheld(&facts, &[remove]), expected, "{facts:?}");
        let disabled = Facts { state: Read::Known(MfaState::Disabled), ..facts };
        assert_eq!(tenant.withheld(&disabled, &[remove]), expected, "whatever requires MFA");
    }
}

#[test]
fn alternate_mobile_is_added_after_and_deleted_before_the_mobile() {
    let tenant = tenant(NOTHING, false);
    let alone = with_mobile_and(&[MethodKind::Passkey], NO_DEFAULT);
    let place = |methods: Methods| {
        methods.with_phone(MethodKind::AlternateMobilePhone, Phone::Number(number(OTHER)))
    };
    let both = Facts { methods: alone.methods.map(place), ..alone };
    let mobile = absent(Setting::MobilePhone, MOBILE);
    let alternate = absent(Setting::AlternateMobilePhone, OTHER);
    assert_eq!(tenant.withheld(&both, &[mobile]), [Reason::AlternateNeedsMobile]);
    assert_eq!(tenant.withheld(&both, &[mobile, alternate]), []);
    let guarded = guard(&tenant.judge(), UserIndex::new(0), &both, &[mobile, alternate]);
    assert_eq!(guarded.steps, [alternate, mobile]);
    let add = |facts: &Facts| {
        let wanted = Value::Phone(number(OTHER));
        let change = change(Setting::AlternateMobilePhone, Value::Nothing, wanted);
        tenant.withheld(facts, &[change])
    };
    assert_eq!(add(&alone), []);
    assert_eq!(add(&facts(MfaState::Disabled, &[MethodKind::Passkey])), [Reason::NoMobilePhone]);
}

#[test]
fn number_is_not_replaced_if_a_stronger_method_may_exist() {
    let tenant = tenant(NOTHING, false);
    let replace = mobile(Value::Phone(number(MOBILE)), OTHER);
    for (kinds, expected) in [
        (&[][..], vec![]),
        (&[MethodKind::Email, MethodKind::TemporaryAccessPass], vec![]),
        (&[MethodKind::Authenticator], vec![Reason::HasStronger]),
        (&[MethodKind::WindowsHello], vec![Reason::HasStronger]),
        (&[MethodKind::Unrecognised], vec![Reason::HasStronger]),
    ] {
        assert_eq!(
            tenant.withheld(&with_mobile_and(kinds, NO_DEFAULT), &[replace]),
            expected,
            "{kinds:?}"
        );
    }
}

#[test]
fn number_of_an_administrator_is_replaced_only_if_the_role_is_named() {
    let replace = |names_role| {
        let mandate = Mandate { names_role, ..Mandate::default() };
        Change { mandate, ..mobile(Value::Phone(number(MOBILE)), OTHER) }
    };
    let eligible = RoleHolders { eligible: BTreeSet::from([ME]), ..RoleHolders::default() };
    let active = RoleHolders { active: BTreeSet::from([ME]), ..RoleHolders::default() };
    let refused = vec![Reason::ReplacesAdministrators];
    for (roles, expected) in [
        (Read::Known(holding(RoleHolders::default())), vec![]),
        (Read::Known(holding(active)), refused.clone()),
        (Read::Known(holding(eligible)), refused.clone()),
        (Read::Unknown(UnknownReason::Forbidden), refused),
    ] {
        let tenant = tenant_with(roles, NOTHING, false, Tristate::No);
        let facts = with_mobile_and(&[], NO_DEFAULT);
        assert_eq!(tenant.withheld(&facts, &[replace(false)]), expected);
        assert_eq!(tenant.withheld(&facts, &[replace(true)]), [], "named");
        // Adding a number overwrites nothing.
        let add = mobile(Value::Nothing, OTHER);
        assert_eq!(tenant.withheld(&self::facts(MfaState::Disabled, &[]), &[add]), []);
    }
}

/// One role and its holders.
fn holding(holders: RoleHolders) -> Roles {
    let role = GLOBAL_ADMINISTRATOR.parse().unwrap();
    Roles { holders: BTreeMap::from([(role, holders)]), ..Roles::default() }
}

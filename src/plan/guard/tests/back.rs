//! Tests what only an undo may do: lower a state without cover, and remove a last method that its run added.

use super::*;

fn back(change: Change) -> Change {
    Change { mandate: Mandate { exactly: true, puts_back: true, ..Mandate::default() }, ..change }
}

/// The facts after a rollout: a phone, its default method, and enforced MFA.
fn rolled_out() -> Facts {
    let default_method = Read::Known(Some(DefaultMethod::Sms));
    Facts { default_method, ..with_mobile(MfaState::Enforced, MOBILE) }
}

fn lower() -> Change {
    back(state(MfaState::Enforced, MfaState::Disabled))
}

fn remove() -> Change {
    back(absent(Setting::MobilePhone, MOBILE))
}

fn administrator() -> Tenant {
    let mut roles = Roles::default();
    let holders = RoleHolders { active: [ME].into(), ..RoleHolders::default() };
    roles.holders.insert(GLOBAL_ADMINISTRATOR.parse().unwrap(), holders);
    tenant_with(Read::Known(roles), NOTHING, false, Tristate::No)
}

#[test]
fn last_number_is_removed_only_if_nothing_can_require_mfa() {
    let last = vec![Reason::LastMethod];
    for (tenant, expected) in [
        (tenant(NOTHING, false), vec![]),
        (tenant(NOTHING, true), last.clone()),
        (tenant(everybody(false, Accepted::ANY), false), last.clone()),
        (tenant(everybody(true, Accepted::ANY), false), last.clone()),
        (tenant(Read::Unknown(UnknownReason::Forbidden), false), last.clone()),
        // The portals ask administrators for MFA in any case.
        (administrator(), last.clone()),
        (
            tenant_with(Read::Unknown(UnknownReason::Forbidden), NOTHING, false, Tristate::No),
            last.clone(),
        ),
    ] {
        let withheld = tenant.withheld(&rolled_out(), &[remove(), lower()]);
        assert_eq!(withheld, expected);
        // The state counts as well: without lowering it first, the number stays.
        assert_eq!(tenant.withheld(&rolled_out(), &[remove()]), last);
        let unread = Facts { state: Read::Unknown(UnknownReason::Failed), ..rolled_out() };
        assert_eq!(tenant.withheld(&unread, &[remove()]), last);
    }
}

#[test]
fn state_is_lowered_before_the_number_and_default_go() {
    let tenant = tenant(NOTHING, false);
    let judge = tenant.judge();
    let guarded = guard(&judge, UserIndex::new(0), &rolled_out(), &[remove(), lower()]);
    let order: Vec<Setting> = guarded.steps.iter().map(|step| step.setting).collect();
    assert_eq!(order, [Setting::PerUserMfa, Setting::MobilePhone]);
    assert_eq!(guarded.facts.default_method, Read::Known(None));
    let mut now = rolled_out();
    for step in &guarded.steps {
        now = step.applied_to(now);
        let posture = judge.posture(UserIndex::new(0), &now);
        assert_eq!(posture, Posture::Unprotected, "after {step:?}");
    }
}

#[test]
fn policy_may_not_do_what_an_undo_may() {
    let tenant = tenant(NOTHING, false);
    let plain = |change: Change| Change { mandate: Mandate::default(), ..change };
    let withheld = tenant.withheld(&rolled_out(), &[plain(remove()), plain(lower())]);
    assert_eq!(withheld, [Reason::NotCoveredElsewhere, Reason::LastMethod]);
    let disabled = Facts { state: Read::Known(MfaState::Disabled), ..rolled_out() };
    assert_eq!(tenant.withheld(&disabled, &[plain(remove())]), [Reason::LastMethod]);
}

/// Entra deletes the phone of the default method only if no other method is left.
#[test]
fn phone_of_the_default_stays_while_other_methods_exist() {
    let default = Read::Known(Some(DefaultMethod::Sms));
    let facts = with_mobile_and(&[MethodKind::Passkey], default);
    let tenant = tenant(NOTHING, false);
    assert_eq!(tenant.withheld(&facts, &[remove()]), [Reason::IsDefault]);
    let with_mail = Facts {
        state: Read::Known(MfaState::Disabled),
        ..with_mobile_and(&[MethodKind::Email], default)
    };
    assert_eq!(tenant.withheld(&with_mail, &[remove()]), []);
}

/// An overwritten number is put back, even if the user is an administrator now.
#[test]
fn overwritten_number_is_put_back_for_every_user() {
    let facts = with_mobile_and(&[MethodKind::Authenticator], Read::Known(None));
    let change = back(mobile(Value::Phone(number(MOBILE)), OTHER));
    for tenant in [tenant(NOTHING, false), administrator()] {
        assert_eq!(tenant.withheld(&facts, &[change]), []);
    }
}

/// Entra deletes the phone of the default method only as the last method.
#[test]
fn office_phone_that_is_the_default_is_removed_after_the_mobile_phone() {
    let tenant = tenant(NOTHING, false);
    let judge = tenant.judge();
    let methods = with_mobile(MfaState::Disabled, MOBILE)
        .methods
        .map(|methods| methods.with_phone(MethodKind::OfficePhone, Phone::Number(number(OTHER))));
    let default_method = Read::Known(Some(DefaultMethod::VoiceOffice));
    let facts = Facts { methods, default_method, ..with_mobile(MfaState::Disabled, MOBILE) };
    let office = back(absent(Setting::OfficePhone, OTHER));
    let guarded = guard(&judge, UserIndex::new(0), &facts, &[office, remove()]);
    let order: Vec<Setting> = guarded.steps.iter().map(|step| step.setting).collect();
    assert_eq!(order, [Setting::MobilePhone, Setting::OfficePhone]);
    assert!(guarded.withheld.is_empty());
    assert!(guarded.steps.is_sorted_by_key(Change::stage), "an apply writes in this order");
    // An apply asks again about the steps as they are.
    assert_eq!(guard(&judge, UserIndex::new(0), &facts, &guarded.steps).steps, guarded.steps);
    let alone = guard(&judge, UserIndex::new(0), &facts, &[office]);
    assert_eq!(alone.withheld, [(office, Reason::IsDefault)]);
}

//! Tests default methods, system-preferred MFA and SMS sign-in.

use super::*;

#[test]
fn default_needs_its_method_and_a_stronger_one_is_kept() {
    use DefaultMethod::{Oath, Push, Sms, VoiceOffice};
    let (app, nothing) = ([MethodKind::Authenticator], Value::Nothing);
    let tenant = tenant(NOTHING, false);
    // The reasons, the number of kept changes, and the resulting default.
    for (kinds, change, expected) in [
        (&[][..], prefer(nothing, &[Sms], false), (vec![], 0, Some(Sms))),
        (&[], prefer(nothing, &[Push, Sms], false), (vec![], 0, Some(Sms))),
        (&[], prefer(nothing, &[VoiceOffice], false), (vec![Reason::NoSuchMethod], 0, None)),
        (&[], prefer(nothing, &[Push], true), (vec![Reason::NoSuchMethod], 0, None)),
        (&app, prefer(Value::Default(Sms), &[Push, Sms], false), (vec![], 0, Some(Push))),
        (&app, prefer(Value::Default(Push), &[Sms], false), (vec![], 1, None)),
        (&app, prefer(Value::Default(Push), &[Sms], true), (vec![], 0, Some(Sms))),
        (&app, prefer(Value::Default(Push), &[Push, Sms], false), (vec![], 0, None)),
        (&app, prefer(nothing, &[Sms], false), (vec![], 1, None)),
        (&app, prefer(nothing, &[Oath], false), (vec![Reason::MaybeNoSuchMethod], 0, None)),
    ] {
        let facts = with_mobile_and(kinds, NO_DEFAULT);
        let guarded = guard(&tenant.judge(), UserIndex::new(0), &facts, &[change]);
        let withheld: Vec<Reason> = guarded.withheld.iter().map(|(_, reason)| *reason).collect();
        let default = guarded.facts.default_method.into_known().flatten();
        assert_eq!((withheld, guarded.kept.len(), default), expected, "{change:?}");
    }
}

#[test]
fn default_is_not_a_phone_that_the_plan_removes() {
    use DefaultMethod::{Push, Sms};
    let tenant = tenant(NOTHING, false);
    let facts = with_mobile_and(&[MethodKind::Authenticator], Read::Known(Some(Sms)));
    let remove = absent(Setting::MobilePhone, MOBILE);
    let changes = [remove, prefer(Value::Default(Sms), &[Sms, Push], false)];
    let guarded = guard(&tenant.judge(), UserIndex::new(0), &facts, &changes);
    let order: Vec<Setting> = guarded.steps.iter().map(|change| change.setting).collect();
    assert_eq!(order, [Setting::DefaultMethod, Setting::MobilePhone]);
    let none = [remove, prefer(Value::Default(Sms), &[Sms], true)];
    assert_eq!(tenant.withheld(&facts, &none), [Reason::NoSuchMethod, Reason::IsDefault]);
}

#[test]
fn system_preferred_mfa_stays_on_if_a_stronger_method_may_exist() {
    let tenant = tenant(NOTHING, false);
    let switch = |on: bool, exactly| {
        let mandate = Mandate { exactly, ..Mandate::default() };
        let (before, after) = (Value::Switch(!on), Value::Switch(on));
        Change { mandate, ..change(Setting::SystemPreferredMfa, before, after) }
    };
    for (kinds, expected) in [
        (&[][..], vec![]),
        (&[MethodKind::Authenticator], vec![Reason::AsksWeaker]),
        (&[MethodKind::Unrecognised], vec![Reason::MayAskWeaker]),
    ] {
        let facts = with_mobile_and(kinds, NO_DEFAULT);
        assert_eq!(tenant.withheld(&facts, &[switch(false, false)]), expected, "{kinds:?}");
        assert_eq!(tenant.withheld(&facts, &[switch(false, true)]), []);
        assert_eq!(tenant.withheld(&facts, &[switch(true, false)]), []);
    }
    let unread = Facts {
        methods: Read::Unknown(UnknownReason::Forbidden),
        ..with_mobile_and(&[], NO_DEFAULT)
    };
    assert_eq!(tenant.withheld(&unread, &[switch(false, false)]), [Reason::MayAskWeaker]);
}

#[test]
fn sms_sign_in_is_switched_on_only_if_certainly_allowed() {
    let switch = |on: bool| change(Setting::SmsSignIn, Value::Switch(!on), Value::Switch(on));
    let with = |sms_sign_in| {
        let facts = with_mobile_and(&[], NO_DEFAULT);
        let methods = facts.methods.map(|methods| Methods { sms_sign_in, ..methods });
        Facts { methods, ..facts }
    };
    for (allowed, now, on, expected) in [
        (Tristate::Yes, SmsSignIn::Off, true, vec![]),
        (Tristate::No, SmsSignIn::Off, true, vec![Reason::SmsSignInNotAllowed]),
        (Tristate::Unknown, SmsSignIn::Off, true, vec![Reason::SmsSignInNotAllowed]),
        (Tristate::Yes, SmsSignIn::Taken, true, vec![Reason::SignInNumberTaken]),
        (Tristate::Unknown, SmsSignIn::On, false, vec![]),
    ] {
        let tenant = tenant_of(NOTHING, false, allowed);
        assert_eq!(tenant.withheld(&with(now), &[switch(on)]), expected, "{allowed:?} {now:?}");
    }
    let tenant = tenant_of(NOTHING, false, Tristate::Yes);
    let facts = facts(MfaState::Disabled, &[MethodKind::Passkey]);
    assert_eq!(tenant.withheld(&facts, &[switch(true)]), [Reason::NoMobilePhone]);
}

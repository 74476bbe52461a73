//! How a user prefers to be asked, and signing in by text.

use super::*;

#[test]
fn a_default_needs_its_method_and_a_stronger_one_is_kept() {
    use DefaultMethod::{Oath, Push, Sms, VoiceOffice};
    let (app, nothing) = ([Kind::Authenticator], Value::Nothing);
    let tenant = tenant(NOTHING, false);
    // What is withheld, how many are kept, and what it comes to.
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
        let facts = beside(kinds, NO_DEFAULT);
        let guarded = guard(&tenant.judge(), UserIndex::new(0), &facts, &[change]);
        let withheld: Vec<Reason> = guarded.withheld.iter().map(|(_, reason)| *reason).collect();
        let comes_to = guarded.facts.default_method.into_known().flatten();
        assert_eq!((withheld, guarded.kept.len(), comes_to), expected, "{change:?}");
    }
}

#[test]
fn a_default_is_no_phone_that_goes_in_the_same_plan() {
    use DefaultMethod::{Push, Sms};
    let tenant = tenant(NOTHING, false);
    let facts = beside(&[Kind::Authenticator], Read::Known(Some(Sms)));
    let remove = absent(Setting::MobilePhone, MOBILE);
    let changes = [remove, prefer(Value::Default(Sms), &[Sms, Push], false)];
    let guarded = guard(&tenant.judge(), UserIndex::new(0), &facts, &changes);
    let order: Vec<Setting> = guarded.steps.iter().map(|change| change.setting).collect();
    assert_eq!(order, [Setting::DefaultMethod, Setting::MobilePhone]);
    let none = [remove, prefer(Value::Default(Sms), &[Sms], true)];
    assert_eq!(tenant.withheld(&facts, &none), [Reason::NoSuchMethod, Reason::IsDefault]);
}

#[test]
fn system_preferred_mfa_stays_on_for_whoever_has_or_may_have_more() {
    let tenant = tenant(NOTHING, false);
    let switch = |on: bool, exactly| {
        let mandate = Mandate { exactly, ..Mandate::default() };
        let (before, after) = (Value::Switch(!on), Value::Switch(on));
        Change { mandate, ..change(Setting::SystemPreferredMfa, before, after) }
    };
    for (kinds, expected) in [
        (&[][..], vec![]),
        (&[Kind::Authenticator], vec![Reason::AsksWeaker]),
        (&[Kind::Unrecognised], vec![Reason::MayAskWeaker]),
    ] {
        let facts = beside(kinds, NO_DEFAULT);
        assert_eq!(tenant.withheld(&facts, &[switch(false, false)]), expected, "{kinds:?}");
        assert_eq!(tenant.withheld(&facts, &[switch(false, true)]), []);
        assert_eq!(tenant.withheld(&facts, &[switch(true, false)]), []);
    }
    let unread = Facts { methods: Read::Unknown(Why::Forbidden), ..beside(&[], NO_DEFAULT) };
    assert_eq!(tenant.withheld(&unread, &[switch(false, false)]), [Reason::MayAskWeaker]);
}

#[test]
fn texts_sign_in_only_where_they_surely_may() {
    let switch = |on: bool| change(Setting::SmsSignIn, Value::Switch(!on), Value::Switch(on));
    let with = |sms_sign_in| {
        let facts = beside(&[], NO_DEFAULT);
        let methods = facts.methods.map(|methods| Methods { sms_sign_in, ..methods });
        Facts { methods, ..facts }
    };
    for (allowed, now, on, expected) in [
        (Judged::Yes, SmsSignIn::Off, true, vec![]),
        (Judged::No, SmsSignIn::Off, true, vec![Reason::SmsSignInNotAllowed]),
        (Judged::Unknown, SmsSignIn::Off, true, vec![Reason::SmsSignInNotAllowed]),
        (Judged::Yes, SmsSignIn::Taken, true, vec![Reason::SignInNumberTaken]),
        (Judged::Unknown, SmsSignIn::On, false, vec![]),
    ] {
        let tenant = tenant_of(NOTHING, false, allowed);
        assert_eq!(tenant.withheld(&with(now), &[switch(on)]), expected, "{allowed:?} {now:?}");
    }
    let tenant = tenant_of(NOTHING, false, Judged::Yes);
    let facts = facts(MfaState::Disabled, &[Kind::Passkey]);
    assert_eq!(tenant.withheld(&facts, &[switch(true)]), [Reason::NoMobilePhone]);
}

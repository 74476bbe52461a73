//! What is withheld, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::id::UserId;
use crate::number::PhoneNumber;
use crate::posture::Posture;
use crate::settings::change::{Mandate, PolicyIndex};
use crate::settings::default_method::Preference;
use crate::settings::{Setting, Value};
use crate::tenant::delivery::Delivery;
use crate::tenant::demand::{Demand, Rule, Rules, Targets};
use crate::tenant::directory::{Account, Directory, User};
use crate::tenant::facts::{Kind, Kinds, Methods, MfaState, Phone, Read, Why};
use crate::tenant::method_policy::{Configuration, MethodPolicy, Settings, Target, Who};
use crate::tenant::people::{GLOBAL_ADMINISTRATOR, People};
use crate::tenant::preferences::DefaultMethod;
use crate::tenant::roles::{Holders, Roles};
use crate::tenant::strength::{Accepted, Way};

const ME: UserId = UserId::from_uuid(Uuid::from_u128(1));

/// A tenant of one user, in which every method is allowed.
struct Tenant {
    method_policy: MethodPolicy,
    demand: Demand,
    day: jiff::civil::Date,
}

fn tenant(conditional_access: Read<Vec<Rule>>, security_defaults: bool) -> Tenant {
    tenant_of(conditional_access, security_defaults, Judged::No)
}

/// With texts that sign everybody in, or nobody, or nobody knows whom.
fn tenant_of(
    conditional_access: Read<Vec<Rule>>,
    security_defaults: bool,
    sms_sign_in: Judged,
) -> Tenant {
    let roles = Read::Known(Roles::default());
    tenant_with(roles, conditional_access, security_defaults, sms_sign_in)
}

fn tenant_with(
    roles: Read<Roles>,
    conditional_access: Read<Vec<Rule>>,
    security_defaults: bool,
    sms_sign_in: Judged,
) -> Tenant {
    let user = User {
        id: ME,
        name: "me@exchangelabs.nl".into(),
        account: Account { enabled: true, ..Account::default() },
        usage_location: None,
        department: None,
        attributes: Box::default(),
    };
    let directory = Directory::new([user], Vec::new());
    let groups = BTreeMap::new();
    let people = People { directory: &directory, groups: &groups, roles: &roles };
    let allowed = |way| Configuration {
        way,
        enabled: Judged::Yes,
        include: vec![Target { who: Who::Everybody, partly: false }],
        exclude: Vec::new(),
    };
    let ways = [Way::Sms, Way::Voice, Way::OfficeVoice, Way::Authenticator, Way::Passkey];
    let settings = Settings {
        migrated: true,
        codes_in_authenticator: false,
        configurations: ways.map(allowed).into(),
        sms_sign_in: Some(Configuration { enabled: sms_sign_in, ..allowed(Way::Sms) }),
        external: BTreeSet::new(),
    };
    let rules = Rules {
        conditional_access,
        security_defaults: Read::Known(security_defaults),
        public_cloud: true,
    };
    Tenant {
        method_policy: MethodPolicy::new(&settings, &people),
        demand: Demand::new(rules, &people),
        day: date(2026, 11, 22),
    }
}

fn everybody(narrowed: bool, accepts: Accepted) -> Read<Vec<Rule>> {
    let include = Targets { everybody: true, ..Targets::default() };
    let exclude = Targets { users: BTreeSet::new(), ..Targets::default() };
    Read::Known(vec![Rule { name: "MFA".to_owned(), narrowed, accepts, include, exclude }])
}

const NOTHING: Read<Vec<Rule>> = Read::Known(Vec::new());

impl Tenant {
    fn judge(&self) -> Judge<'_> {
        Judge {
            method_policy: &self.method_policy,
            demand: &self.demand,
            delivery: Delivery::MICROSOFT,
            today: self.day,
        }
    }

    fn withheld(&self, facts: &Facts, changes: &[Change]) -> Vec<Reason> {
        let guarded = guard(&self.judge(), UserIndex::new(0), facts, changes);
        guarded.withheld.into_iter().map(|(_, reason)| reason).collect()
    }
}

fn facts(state: MfaState, kinds: &[Kind]) -> Facts {
    let kinds: Kinds = kinds.iter().copied().collect();
    Facts {
        methods: Read::Known(Methods { kinds, ..Methods::default() }),
        state: Read::Known(state),
        ..Facts::NOT_READ
    }
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::from_graph(text).unwrap()
}

fn with_mobile(state: MfaState, text: &str) -> Facts {
    let methods = Methods::default().with_mobile(number(text));
    Facts { methods: Read::Known(methods), state: Read::Known(state), ..Facts::NOT_READ }
}

fn change(setting: Setting, before: Value, after: Value) -> Change {
    let (user, policy) = (UserIndex::new(0), PolicyIndex::new(0));
    Change { user, setting, before, after, policy, mandate: Mandate::default() }
}

fn state(before: MfaState, after: MfaState) -> Change {
    change(Setting::PerUserMfa, Value::State(before), Value::State(after))
}

fn mobile(before: Value, after: &str) -> Change {
    change(Setting::MobilePhone, before, Value::Phone(number(after)))
}

const RAISE: (MfaState, MfaState) = (MfaState::Disabled, MfaState::Enforced);

#[test]
fn raising_needs_an_answer_that_stays() {
    let of = |kinds: &[Kind]| facts(MfaState::Disabled, kinds);
    let tenant = tenant(NOTHING, false);
    for (facts, expected) in [
        (of(&[Kind::Passkey]), vec![]),
        (of(&[]), vec![Reason::WouldBeOpen]),
        (of(&[Kind::TemporaryAccessPass]), vec![Reason::WouldBeOpen]),
        (of(&[Kind::WindowsHello]), vec![Reason::WouldBeOpen]),
        (of(&[Kind::PlatformCredential, Kind::Email]), vec![Reason::WouldBeOpen]),
        (of(&[Kind::Unrecognised]), vec![Reason::CannotTell]),
        (with_mobile(MfaState::Disabled, "+31 612345678"), vec![]),
        (with_mobile(MfaState::Disabled, "+31 61234"), vec![Reason::WouldBeStuck]),
        (Facts { methods: Read::Unknown(Why::Forbidden), ..of(&[]) }, vec![Reason::CannotTell]),
    ] {
        assert_eq!(tenant.withheld(&facts, &[state(RAISE.0, RAISE.1)]), expected, "{facts:?}");
    }
}

#[test]
fn a_phone_raises_nobody_once_it_is_no_longer_delivered_to() {
    let facts = with_mobile(MfaState::Disabled, "+31 612345678");
    for (day, expected) in
        [(date(2027, 1, 31), vec![]), (date(2027, 2, 1), vec![Reason::WouldBeOpen])]
    {
        let tenant = Tenant { day, ..tenant(NOTHING, false) };
        assert_eq!(tenant.withheld(&facts, &[state(RAISE.0, RAISE.1)]), expected, "{day}");
    }
}

#[test]
fn a_phone_that_comes_first_carries_the_state() {
    let changes = [state(RAISE.0, RAISE.1), mobile(Value::Nothing, "+31 612345678")];
    let tenant = tenant(NOTHING, false);
    let facts = facts(MfaState::Disabled, &[]);
    let guarded = guard(&tenant.judge(), UserIndex::new(0), &facts, &changes);
    let order: Vec<Setting> = guarded.steps.iter().map(|change| change.setting).collect();
    assert_eq!(order, [Setting::MobilePhone, Setting::PerUserMfa]);
    let posture = tenant.judge().posture(UserIndex::new(0), &guarded.facts);
    assert_eq!(posture, Posture::Protected);
}

#[test]
fn lowering_needs_a_demand_that_is_sure_and_elsewhere() {
    let facts = facts(MfaState::Enforced, &[Kind::Passkey]);
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let not_covered = vec![Reason::NotCoveredElsewhere];
    for (tenant, expected) in [
        (tenant(NOTHING, false), not_covered.clone()),
        (tenant(NOTHING, true), vec![]),
        (tenant(everybody(false, Accepted::ANY), false), vec![]),
        (tenant(everybody(false, strong), false), vec![]),
        (tenant(everybody(true, Accepted::ANY), false), not_covered.clone()),
        (tenant(Read::Unknown(Why::Forbidden), false), not_covered),
    ] {
        let lower = state(MfaState::Enforced, MfaState::Disabled);
        assert_eq!(tenant.withheld(&facts, &[lower]), expected);
    }
}

#[test]
fn nobody_is_moved_into_trouble_by_another_number() {
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
fn a_phone_that_would_sign_the_user_in_is_withheld_with_what_rests_on_it() {
    let changes = [mobile(Value::Nothing, "+31 612345678"), state(RAISE.0, RAISE.1)];
    for (kinds, signs_in, expected) in [
        (&[][..], Judged::Yes, vec![Reason::SmsSignIn, Reason::WouldBeOpen]),
        (&[], Judged::Unknown, vec![Reason::SmsSignIn, Reason::WouldBeOpen]),
        (&[Kind::Passkey], Judged::Yes, vec![Reason::SmsSignIn]),
        (&[], Judged::No, vec![]),
    ] {
        let tenant = tenant_of(NOTHING, false, signs_in);
        assert_eq!(tenant.withheld(&facts(MfaState::Disabled, kinds), &changes), expected);
    }
}

#[test]
fn a_phone_that_the_demanded_strength_does_not_take_sticks_nobody() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let phone = mobile(Value::Nothing, "+31 612345678");
    let tenant = tenant(everybody(false, strong), false);
    // What an unknown method is worth does not make the phone an answer.
    let unknown = &[Kind::Unrecognised][..];
    for (kinds, expected) in [
        (&[][..], vec![Reason::WouldBeStuck]),
        (unknown, vec![Reason::WouldBeStuck]),
        (&[Kind::Passkey], vec![]),
    ] {
        let facts = facts(MfaState::Disabled, kinds);
        assert_eq!(tenant.withheld(&facts, &[phone]), expected, "{kinds:?}");
    }
}

#[test]
fn a_phone_that_a_narrowed_strength_may_not_take_is_not_added() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let phone = mobile(Value::Nothing, "+31 612345678");
    let tenant = tenant(everybody(true, strong), false);
    let facts = facts(MfaState::Enabled, &[]);
    assert_eq!(tenant.withheld(&facts, &[phone]), [Reason::CannotTell]);
}

#[test]
fn a_strength_that_no_method_meets_withholds_raising() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let facts = with_mobile(MfaState::Disabled, "+31 612345678");
    let raise = state(RAISE.0, RAISE.1);
    for (narrowed, expected) in [(false, Reason::WouldBeStuck), (true, Reason::CannotTell)] {
        let tenant = tenant(everybody(narrowed, strong), false);
        assert_eq!(tenant.withheld(&facts, &[raise]), [expected]);
    }
}

fn prefer(before: Value, liked: &[DefaultMethod], exactly: bool) -> Change {
    let preference = Value::Preference(Preference::new(liked));
    let mandate = Mandate { exactly, ..Mandate::default() };
    Change { mandate, ..change(Setting::DefaultMethod, before, preference) }
}

fn absent(setting: Setting, text: &str) -> Change {
    change(setting, Value::Phone(number(text)), Value::Nothing)
}

/// With a mobile phone beside other methods, and a default.
fn beside(kinds: &[Kind], default: Read<Option<DefaultMethod>>) -> Facts {
    let kinds: Kinds = kinds.iter().copied().collect();
    let methods = Methods { kinds, ..Methods::default() }.with_mobile(number(MOBILE));
    let state = Read::Known(MfaState::Enforced);
    Facts { methods: Read::Known(methods), state, default_method: default, ..Facts::NOT_READ }
}

const MOBILE: &str = "+31 612345678";
const OTHER: &str = "+31 612345679";
const NO_DEFAULT: Read<Option<DefaultMethod>> = Read::Known(None);

#[test]
fn a_phone_goes_only_where_another_answer_surely_stays() {
    let unread = Read::Unknown(Why::Forbidden);
    let is = |method| Read::Known(Some(method));
    let tenant = tenant(NOTHING, false);
    for (facts, expected) in [
        (beside(&[Kind::Passkey], NO_DEFAULT), vec![]),
        (beside(&[Kind::Passkey], is(DefaultMethod::Push)), vec![]),
        (beside(&[Kind::Passkey], is(DefaultMethod::Sms)), vec![Reason::IsDefault]),
        (beside(&[Kind::Passkey], is(DefaultMethod::VoiceMobile)), vec![Reason::IsDefault]),
        (beside(&[Kind::Passkey], unread), vec![Reason::DefaultUnknown]),
        (beside(&[], NO_DEFAULT), vec![Reason::LastMethod]),
        (beside(&[Kind::WindowsHello], NO_DEFAULT), vec![Reason::LastMethod]),
        (beside(&[Kind::TemporaryAccessPass], NO_DEFAULT), vec![Reason::LastMethod]),
        (beside(&[Kind::Email], NO_DEFAULT), vec![Reason::LastMethod]),
        (beside(&[Kind::Unrecognised], NO_DEFAULT), vec![Reason::MaybeLastMethod]),
    ] {
        let remove = absent(Setting::MobilePhone, MOBILE);
        assert_eq!(tenant.withheld(&facts, &[remove]), expected, "{facts:?}");
        let disabled = Facts { state: Read::Known(MfaState::Disabled), ..facts };
        assert_eq!(tenant.withheld(&disabled, &[remove]), expected, "whoever demands MFA");
    }
}

#[test]
fn the_alternate_mobile_comes_after_the_mobile_and_goes_before_it() {
    let tenant = tenant(NOTHING, false);
    let alone = beside(&[Kind::Passkey], NO_DEFAULT);
    let place = |methods: Methods| {
        methods.with_phone(Kind::AlternateMobilePhone, Phone::Number(number(OTHER)))
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
    assert_eq!(add(&facts(MfaState::Disabled, &[Kind::Passkey])), [Reason::NoMobilePhone]);
}

#[test]
fn a_number_is_not_replaced_for_whoever_has_or_may_have_more() {
    let tenant = tenant(NOTHING, false);
    let replace = mobile(Value::Phone(number(MOBILE)), OTHER);
    for (kinds, expected) in [
        (&[][..], vec![]),
        (&[Kind::Email, Kind::TemporaryAccessPass], vec![]),
        (&[Kind::Authenticator], vec![Reason::HasStronger]),
        (&[Kind::WindowsHello], vec![Reason::HasStronger]),
        (&[Kind::Unrecognised], vec![Reason::HasStronger]),
    ] {
        assert_eq!(tenant.withheld(&beside(kinds, NO_DEFAULT), &[replace]), expected, "{kinds:?}");
    }
}

#[test]
fn a_number_of_an_administrator_is_replaced_only_where_the_role_is_named() {
    let replace = |names_role| {
        let mandate = Mandate { names_role, ..Mandate::default() };
        Change { mandate, ..mobile(Value::Phone(number(MOBILE)), OTHER) }
    };
    let eligible = Holders { eligible: BTreeSet::from([ME]), ..Holders::default() };
    let active = Holders { active: BTreeSet::from([ME]), ..Holders::default() };
    let refused = vec![Reason::ReplacesAdministrators];
    for (roles, expected) in [
        (Read::Known(holding(Holders::default())), vec![]),
        (Read::Known(holding(active)), refused.clone()),
        (Read::Known(holding(eligible)), refused.clone()),
        (Read::Unknown(Why::Forbidden), refused),
    ] {
        let tenant = tenant_with(roles, NOTHING, false, Judged::No);
        let facts = beside(&[], NO_DEFAULT);
        assert_eq!(tenant.withheld(&facts, &[replace(false)]), expected);
        assert_eq!(tenant.withheld(&facts, &[replace(true)]), [], "named");
        // What is added overwrites nothing.
        let add = mobile(Value::Nothing, OTHER);
        assert_eq!(tenant.withheld(&self::facts(MfaState::Disabled, &[]), &[add]), []);
    }
}

/// One role, and who holds it.
fn holding(holders: Holders) -> Roles {
    let role = GLOBAL_ADMINISTRATOR.parse().unwrap();
    Roles { holders: BTreeMap::from([(role, holders)]), ..Roles::default() }
}

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

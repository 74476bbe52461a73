//! Tests the rules of the guard on a tenant of one user: states here; phones, preferences, portals and
//! undo in their own modules.

mod back;
mod phones;
mod portals;
mod preferences;

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
use crate::tenant::demand::{Apps, ConditionalAccessRule, MfaRequirements, MfaRules, Targets};
use crate::tenant::directory::{Account, Country, Directory, User};
use crate::tenant::domains::{Domains, SignsIn};
use crate::tenant::facts::{Kinds, MethodKind, Methods, MfaState, Phone, Read, UnknownReason};
use crate::tenant::method_policy::{Configuration, MethodPolicy, MethodTarget, Settings, Target};
use crate::tenant::preferences::DefaultMethod;
use crate::tenant::roles::{RoleHolders, Roles};
use crate::tenant::rule_members::{GLOBAL_ADMINISTRATOR, RuleMembers};
use crate::tenant::strength::{Accepted, Way};

const ME: UserId = UserId::from_uuid(Uuid::from_u128(1));

/// A tenant of one user, in which every method is allowed.
struct Tenant {
    method_policy: MethodPolicy,
    demand: MfaRequirements,
    day: jiff::civil::Date,
}

fn tenant(conditional_access: Read<Vec<ConditionalAccessRule>>, security_defaults: bool) -> Tenant {
    tenant_of(conditional_access, security_defaults, Tristate::No)
}

/// With SMS sign-in for every user, for no user, or unknown.
fn tenant_of(
    conditional_access: Read<Vec<ConditionalAccessRule>>,
    security_defaults: bool,
    sms_sign_in: Tristate,
) -> Tenant {
    let roles = Read::Known(Roles::default());
    tenant_with(roles, conditional_access, security_defaults, sms_sign_in)
}

fn tenant_with(
    roles: Read<Roles>,
    conditional_access: Read<Vec<ConditionalAccessRule>>,
    security_defaults: bool,
    sms_sign_in: Tristate,
) -> Tenant {
    let domains = Domains::new([("exchangelabs.nl".to_owned(), SignsIn::Here)]);
    tenant_in((roles, domains), conditional_access, security_defaults, sms_sign_in)
}

fn tenant_in(
    (roles, domains): (Read<Roles>, Domains),
    conditional_access: Read<Vec<ConditionalAccessRule>>,
    security_defaults: bool,
    sms_sign_in: Tristate,
) -> Tenant {
    let user = User {
        id: ME,
        name: "me@exchangelabs.nl".into(),
        account: Account { enabled: true, ..Account::default() },
        usage_location: None,
        country: Country::None,
        department: None,
        attributes: Box::default(),
    };
    let directory = Directory::new([user], Vec::new());
    let groups = BTreeMap::new();
    let people = RuleMembers { directory: &directory, groups: &groups, roles: &roles };
    let allowed = |way| Configuration {
        way,
        enabled: Tristate::Yes,
        include: vec![Target { who: MethodTarget::Everybody, partly: false }],
        exclude: Vec::new(),
    };
    let ways = [Way::Sms, Way::Voice, Way::OfficeVoice, Way::Authenticator, Way::Passkey];
    let settings = Settings {
        migrated: Tristate::Yes,
        codes_in_authenticator: false,
        configurations: ways.map(allowed).into(),
        sms_sign_in: Some(Configuration { enabled: sms_sign_in, ..allowed(Way::Sms) }),
        external: BTreeSet::new(),
    };
    let rules = MfaRules {
        conditional_access,
        security_defaults: Read::Known(security_defaults),
        domains,
        public_cloud: true,
    };
    Tenant {
        method_policy: MethodPolicy::new(&settings, &people),
        demand: MfaRequirements::new(rules, &people),
        day: date(2026, 11, 22),
    }
}

fn everybody(narrowed: bool, accepts: Accepted) -> Read<Vec<ConditionalAccessRule>> {
    let include = Targets { everybody: true, ..Targets::default() };
    let exclude = Targets { users: BTreeSet::new(), ..Targets::default() };
    Read::Known(vec![ConditionalAccessRule {
        name: "MFA".into(),
        narrowed,
        apps: Apps::Any,
        accepts,
        include,
        exclude,
    }])
}

const NOTHING: Read<Vec<ConditionalAccessRule>> = Read::Known(Vec::new());

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

fn facts(state: MfaState, kinds: &[MethodKind]) -> Facts {
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
fn raising_mfa_needs_a_lasting_method() {
    let of = |kinds: &[MethodKind]| facts(MfaState::Disabled, kinds);
    let tenant = tenant(NOTHING, false);
    for (facts, expected) in [
        (of(&[MethodKind::Passkey]), vec![]),
        (of(&[]), vec![Reason::WouldBeOpen]),
        (of(&[MethodKind::TemporaryAccessPass]), vec![Reason::WouldBeOpen]),
        (of(&[MethodKind::WindowsHello]), vec![Reason::WouldBeOpen]),
        (of(&[MethodKind::PlatformCredential, MethodKind::Email]), vec![Reason::WouldBeOpen]),
        (of(&[MethodKind::Unrecognised]), vec![Reason::CannotTell]),
        (with_mobile(MfaState::Disabled, "+31 612345678"), vec![]),
        (with_mobile(MfaState::Disabled, "+31 61234"), vec![Reason::WouldBeStuck]),
        (
            Facts { methods: Read::Unknown(UnknownReason::Forbidden), ..of(&[]) },
            vec![Reason::CannotTell],
        ),
    ] {
        assert_eq!(tenant.withheld(&facts, &[state(RAISE.0, RAISE.1)]), expected, "{facts:?}");
    }
}

#[test]
fn phone_does_not_justify_raising_mfa_after_delivery_ends() {
    let facts = with_mobile(MfaState::Disabled, "+31 612345678");
    for (day, expected) in
        [(date(2027, 1, 31), vec![]), (date(2027, 2, 1), vec![Reason::WouldBeOpen])]
    {
        let tenant = Tenant { day, ..tenant(NOTHING, false) };
        assert_eq!(tenant.withheld(&facts, &[state(RAISE.0, RAISE.1)]), expected, "{day}");
    }
}

#[test]
fn planned_phone_justifies_raising_mfa() {
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
fn lowering_mfa_needs_a_certain_requirement_elsewhere() {
    let facts = facts(MfaState::Enforced, &[MethodKind::Passkey]);
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let not_covered = vec![Reason::NotCoveredElsewhere];
    for (tenant, expected) in [
        (tenant(NOTHING, false), not_covered.clone()),
        (tenant(NOTHING, true), vec![]),
        (tenant(everybody(false, Accepted::ANY), false), vec![]),
        (tenant(everybody(false, strong), false), vec![]),
        (tenant(everybody(true, Accepted::ANY), false), not_covered.clone()),
        (tenant(Read::Unknown(UnknownReason::Forbidden), false), not_covered),
    ] {
        let lower = state(MfaState::Enforced, MfaState::Disabled);
        assert_eq!(tenant.withheld(&facts, &[lower]), expected);
    }
}

#[test]
fn unmet_authentication_strength_withholds_raising_mfa() {
    let strong = Accepted::by_combinations(["fido2"], |_| false);
    let facts = with_mobile(MfaState::Disabled, "+31 612345678");
    let raise = state(RAISE.0, RAISE.1);
    for (narrowed, expected) in [(false, Reason::WouldBeStuck), (true, Reason::CannotTell)] {
        let tenant = tenant(everybody(narrowed, strong), false);
        assert_eq!(tenant.withheld(&facts, &[raise]), [expected]);
    }
}

fn prefer(before: Value, methods: &[DefaultMethod], exactly: bool) -> Change {
    let preference = Value::Preference(Preference::new(methods));
    let mandate = Mandate { exactly, ..Mandate::default() };
    Change { mandate, ..change(Setting::DefaultMethod, before, preference) }
}

fn absent(setting: Setting, text: &str) -> Change {
    change(setting, Value::Phone(number(text)), Value::Nothing)
}

/// Facts with a mobile phone in addition to other methods, and a default.
fn with_mobile_and(kinds: &[MethodKind], default: Read<Option<DefaultMethod>>) -> Facts {
    let kinds: Kinds = kinds.iter().copied().collect();
    let methods = Methods { kinds, ..Methods::default() }.with_mobile(number(MOBILE));
    let state = Read::Known(MfaState::Enforced);
    Facts { methods: Read::Known(methods), state, default_method: default, ..Facts::NOT_READ }
}

const MOBILE: &str = "+31 612345678";
const OTHER: &str = "+31 612345679";
const NO_DEFAULT: Read<Option<DefaultMethod>> = Read::Known(None);

//! Measures the time to judge ten thousand users, in a tenant with as many rules as Entra allows. It
//! prints the time and has no limit: `cargo test --test it speed::ten -- --ignored --nocapture`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::civil::date;
use mfactl::id::{GroupId, UserId};
use mfactl::number::PhoneNumber;
use mfactl::posture::{Judge, Posture};
use mfactl::tenant::delivery::Delivery;
use mfactl::tenant::demand::{Apps, ConditionalAccessRule, MfaRequirements, MfaRules, Targets};
use mfactl::tenant::directory::{Account, Country, Directory, User, UserIndex};
use mfactl::tenant::domains::{Domains, SignsIn};
use mfactl::tenant::facts::{Facts, Methods, MfaState, Read};
use mfactl::tenant::membership::Membership;
use mfactl::tenant::method_policy::{Configuration, MethodPolicy, MethodTarget, Settings, Target};
use mfactl::tenant::roles::Roles;
use mfactl::tenant::rule_members::RuleMembers;
use mfactl::tenant::strength::{Accepted, Way};
use mfactl::tenant::user_set::Tristate;
use uuid::Uuid;

const USERS: u128 = 10_000;
const GROUPS: u128 = 500;
const POLICIES: u128 = 200;
const ROUNDS: usize = 5;

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

fn group(number: u128) -> GroupId {
    GroupId::from_uuid(Uuid::from_u128((1 << 64) + number))
}

fn directory() -> Directory {
    let user = |number| User {
        id: user(number),
        name: format!("user{number}@exchangelabs.nl").into(),
        account: Account { enabled: true, ..Account::default() },
        usage_location: None,
        country: Country::None,
        department: None,
        attributes: Box::default(),
    };
    Directory::new((0..USERS).map(user), Vec::new())
}

/// Every policy includes three groups and excludes one. Every other policy requires one of four strengths.
fn rule(number: u128) -> ConditionalAccessRule {
    let kinds = ["fido2", "password,sms", "password,microsoftAuthenticatorPush", "password,voice"];
    let strong =
        || Accepted::by_combinations(kinds.into_iter().take(1 + (number % 4) as usize), |_| false);
    let groups = |from: u128, count: u128| Targets {
        groups: (0..count).map(|step| group((from + step * 7) % GROUPS)).collect(),
        ..Targets::default()
    };
    ConditionalAccessRule {
        name: format!("Policy {number}").into(),
        narrowed: number.is_multiple_of(3),
        apps: Apps::Any,
        accepts: if number.is_multiple_of(2) { Accepted::ANY } else { strong() },
        include: groups(number * 2, 3),
        exclude: groups(number * 2 + 1, 1),
    }
}

#[test]
#[ignore = "long: a measurement, which depends on the machine"]
fn ten_thousand_users_are_judged_under_hundreds_of_rules() {
    let directory = directory();
    let members = |number| (0..200).map(move |step| user((number * 19 + step * 41) % USERS));
    let groups: BTreeMap<GroupId, Read<Membership>> =
        (0..GROUPS).map(|number| (group(number), Read::Known(members(number).collect()))).collect();
    let roles = Read::Known(Roles::default());
    let people = RuleMembers { directory: &directory, groups: &groups, roles: &roles };
    let began = Instant::now();
    let rules = MfaRules {
        conditional_access: Read::Known((0..POLICIES).map(rule).collect()),
        security_defaults: Read::Known(false),
        domains: Domains::new([("exchangelabs.nl".to_owned(), SignsIn::Here)]),
        public_cloud: true,
    };
    let demand = MfaRequirements::new(rules, &people);
    let configuration = |way| Configuration {
        way,
        enabled: Tristate::Yes,
        include: vec![Target { who: MethodTarget::Group(group(way as u128)), partly: false }],
        exclude: vec![Target { who: MethodTarget::Group(group(way as u128 + 1)), partly: false }],
    };
    let settings = Settings {
        migrated: Tristate::Yes,
        codes_in_authenticator: true,
        configurations: [Way::Sms, Way::Voice, Way::Passkey].map(configuration).into(),
        sms_sign_in: None,
        external: BTreeSet::new(),
    };
    let method_policy = MethodPolicy::new(&settings, &people);
    let prepared = began.elapsed();
    let judge = Judge {
        method_policy: &method_policy,
        demand: &demand,
        delivery: Delivery::MICROSOFT,
        today: date(2026, 11, 22),
    };
    let number = PhoneNumber::from_graph("+31 612345678").unwrap();
    let facts = Facts {
        methods: Read::Known(Methods::default().with_mobile(number)),
        state: Read::Known(MfaState::Enforced),
        ..Facts::NOT_READ
    };
    let without = Judge { demand: &MfaRequirements::new(no_rules(), &people), ..judge };
    let (with_rules, counts) = judged(&judge, &directory, &facts);
    let (with_none, plain) = judged(&without, &directory, &facts);
    assert!(counts.len() > plain.len(), "{counts:?} {plain:?}");
    println!(
        "prepared in {prepared:?}; judged in {with_rules:?}, without any rule in {with_none:?}"
    );
}

fn no_rules() -> MfaRules {
    MfaRules {
        conditional_access: Read::Known(Vec::new()),
        security_defaults: Read::Known(false),
        domains: Domains::new([("exchangelabs.nl".to_owned(), SignsIn::Here)]),
        public_cloud: true,
    }
}

/// The time of the fastest round, and the number of users with each posture.
fn judged(
    judge: &Judge<'_>,
    directory: &Directory,
    facts: &Facts,
) -> (Duration, BTreeMap<Posture, usize>) {
    let round = || {
        let began = Instant::now();
        let mut counts: BTreeMap<Posture, usize> = BTreeMap::new();
        for place in 0..directory.len() {
            let user = UserIndex::new(place);
            *counts.entry(judge.posture(user, facts)).or_default() += 1;
            let _ = judge.expiring(user, facts);
        }
        (began.elapsed(), counts)
    };
    (0..ROUNDS).map(|_| round()).min_by_key(|(took, _)| *took).expect("a round")
}

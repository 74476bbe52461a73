//! The posture of ten thousand users, in a tenant with as many rules as Entra allows and in one without rules.
//!
//! Not here: whether the postures are right (`tests/posture.yaml`).

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use divan::{Bencher, black_box};
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

/// Each policy includes three groups and excludes one. Every second one requires one of four strengths.
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

/// A tenant, and its rules as user sets.
struct Judged {
    directory: Directory,
    with_rules: MfaRequirements,
    without_rules: MfaRequirements,
    method_policy: MethodPolicy,
}

type Groups = BTreeMap<GroupId, Read<Membership>>;

fn groups() -> Groups {
    let members = |number| (0..200).map(move |step| user((number * 19 + step * 41) % USERS));
    (0..GROUPS).map(|number| (group(number), Read::Known(members(number).collect()))).collect()
}

fn rules(policies: u128) -> MfaRules {
    MfaRules {
        conditional_access: Read::Known((0..policies).map(rule).collect()),
        security_defaults: Read::Known(false),
        domains: Domains::new([("exchangelabs.nl".to_owned(), SignsIn::Here)]),
        public_cloud: true,
    }
}

fn settings() -> Settings {
    let configuration = |way| Configuration {
        way,
        enabled: Tristate::Yes,
        include: vec![Target { who: MethodTarget::Group(group(way as u128)), partly: false }],
        exclude: vec![Target { who: MethodTarget::Group(group(way as u128 + 1)), partly: false }],
    };
    Settings {
        migrated: Tristate::Yes,
        codes_in_authenticator: true,
        configurations: [Way::Sms, Way::Voice, Way::Passkey].map(configuration).into(),
        sms_sign_in: None,
        external: BTreeSet::new(),
    }
}

/// Turns the rules into user sets.
fn prepare(directory: Directory, groups: &Groups) -> Judged {
    let roles = Read::Known(Roles::default());
    let people = RuleMembers { directory: &directory, groups, roles: &roles };
    let with_rules = MfaRequirements::new(rules(POLICIES), &people);
    let without_rules = MfaRequirements::new(rules(0), &people);
    let method_policy = MethodPolicy::new(&settings(), &people);
    Judged { with_rules, without_rules, method_policy, directory }
}

impl Judged {
    /// The number of users in each posture.
    fn counts(&self, demand: &MfaRequirements) -> BTreeMap<Posture, usize> {
        let (delivery, today) = (Delivery::MICROSOFT, date(2026, 11, 22));
        let judge = Judge { method_policy: &self.method_policy, demand, delivery, today };
        let number = PhoneNumber::from_graph("+31 612345678").expect("a number");
        let facts = Facts {
            methods: Read::Known(Methods::default().with_mobile(number)),
            state: Read::Known(MfaState::Enforced),
            ..Facts::NOT_READ
        };
        let mut counts = BTreeMap::new();
        for user in (0..self.directory.len()).map(UserIndex::new) {
            *counts.entry(judge.posture(user, &facts)).or_default() += 1;
            _ = black_box(judge.expiring(user, &facts));
        }
        counts
    }
}

#[divan::bench]
fn every_rule_becomes_user_sets(bencher: Bencher<'_, '_>) {
    let groups = groups();
    bencher.with_inputs(directory).bench_local_values(|directory| prepare(directory, &groups));
}

#[divan::bench]
fn users_are_judged_under_every_rule(bencher: Bencher<'_, '_>) {
    let judged = prepare(directory(), &groups());
    let kinds = |demand| judged.counts(demand).len();
    let (with, without) = (kinds(&judged.with_rules), kinds(&judged.without_rules));
    assert!(with > without, "{with} postures with rules, {without} without");
    bencher.bench_local(|| judged.counts(&judged.with_rules));
}

#[divan::bench]
fn users_are_judged_without_rules(bencher: Bencher<'_, '_>) {
    let judged = prepare(directory(), &groups());
    bencher.bench_local(|| judged.counts(&judged.without_rules));
}

//! Invented tenants and policies, from pools so small that everything meets everything.

mod written;

use mfactl::sandbox::seeds;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(crate) use written::last_digits;

/// In the directory: good ones in several writings, and every kind of bad one.
const DIRECTORY_NUMBERS: &[Option<&str>] = &[
    None,
    Some("+31 6 12345678"),
    Some("+31 6 12345678"),
    Some("+31 612345679"),
    Some("+31 (0)6 56789012"),
    Some("+32 470 12 34 56"),
    Some("06 23456789"),
    Some("0031 6 34567890"),
    Some("+31 0031 6 45678901"),
    Some("+31 20 1234567"),
    Some("+31 6 1234567"),
    Some("+1 206 555 0123"),
    Some("+31 6 ******78"),
    Some("n.v.t."),
];

/// Registered: good, another, a digit short, a fixed line, hidden.
const REGISTERED: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    None,
    Some("+31 612345678"),
    Some("+32 471234567"),
    Some("+31 62739405"),
    Some("+31 201234570"),
    Some("+XX XXXXXXXXX78"),
];

const OTHER_METHODS: &[&str] = &[
    "microsoftAuthenticator",
    "softwareOath",
    "fido2",
    "windowsHelloForBusiness",
    "platformCredential",
    "temporaryAccessPass",
    "temporaryAccessPass/used",
    "external",
    "external/second",
    "email",
    "qrCodePin",
    "x509Certificate",
];

/// The external method that the seeds allow.
const EXTERNAL_METHOD: &str = "5c9a1b6e-74d2-4e08-a3f1-d8b06e25c947";

/// One that is configured beside it.
const SECOND_EXTERNAL: &str = "5c9a1b6e-74d2-4e08-a3f1-d8b06e25c948";

/// What the tenant does not allow, whatever its seed says.
const SWITCHES: &[&str] =
    &["Sms", "Voice", "MicrosoftAuthenticator", "Fido2", EXTERNAL_METHOD, SECOND_EXTERNAL];

#[derive(Debug, Clone)]
pub(crate) struct Person {
    directory: Option<&'static str>,
    location: Option<&'static str>,
    kind: &'static str,
    state: &'static str,
    mobile: Option<&'static str>,
    office: bool,
    methods: Vec<&'static str>,
    in_staff: bool,
    in_nested: bool,
    in_pilot: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    everyone: bool,
    groups: Vec<&'static str>,
    users: Vec<usize>,
    priority: Option<u32>,
    mobile: Option<&'static str>,
    state: Option<&'static str>,
}

/// A tenant, and policies for it. The first two people are the break-glass accounts.
#[derive(Debug, Clone)]
pub(crate) struct Invented {
    people: Vec<Person>,
    policies: Vec<Policy>,
    variant: &'static str,
    switched_off: Vec<&'static str>,
}

const PEOPLE: usize = 9;

fn person() -> impl Strategy<Value = Person> {
    let kinds = &[
        "member",
        "member",
        "member",
        "member",
        "member",
        "member",
        "guest",
        "elsewhere",
        "disabled",
    ];
    let about = (
        select(DIRECTORY_NUMBERS),
        select(&[Some("NL"), Some("NL"), Some("US"), None][..]),
        select(&kinds[..]),
        select(&["disabled", "disabled", "enabled", "enforced"][..]),
    );
    let has = (select(REGISTERED), prop::bool::weighted(0.2), subsequence(OTHER_METHODS, 0..3));
    let is_in = (prop::bool::weighted(0.7), any::<bool>(), any::<bool>());
    (about, has, is_in).prop_map(
        |(
            (directory, location, kind, state),
            (mobile, office, methods),
            (in_staff, in_nested, in_pilot),
        )| Person {
            directory,
            location,
            kind,
            state,
            mobile,
            office,
            methods,
            in_staff,
            in_nested,
            in_pilot,
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let settings = (
        select(&[None, Some("usageLocation"), Some("usageLocation"), Some("NL")][..]),
        select(&[None, Some("enabled"), Some("enabled"), Some("enforced"), Some("disabled")][..]),
    )
        .prop_filter("something is wanted", |(mobile, state)| mobile.is_some() || state.is_some());
    let who = (
        subsequence(&["All Staff", "MFA Pilot", "Nested"][..], 0..3),
        subsequence((0..PEOPLE).collect::<Vec<_>>(), 0..4),
    )
        .prop_filter("somebody is named", |(groups, users)| groups.len() + users.len() > 0);
    let who = (who, prop::bool::weighted(0.15)).prop_map(|((groups, users), everyone)| {
        if everyone { (true, Vec::new(), Vec::new()) } else { (false, groups, users) }
    });
    let priority =
        select(&[None, Some(50), Some(100), Some(200), Some(300), Some(400), Some(500)][..]);
    (who, priority, settings).prop_map(|((everyone, groups, users), priority, (mobile, state))| {
        Policy { everyone, groups, users, priority, mobile, state }
    })
}

pub(crate) fn invented() -> impl Strategy<Value = Invented> {
    let people = prop::collection::vec(person(), PEOPLE);
    let policies = prop::collection::vec(policy(), 1..4);
    let variants = [&["exchangelabs"; 4][..], seeds::names()].concat();
    let switches = subsequence(SWITCHES, 0..3);
    (people, policies, select(variants), switches).prop_map(
        |(people, policies, variant, switched_off)| Invented {
            people,
            policies,
            variant,
            switched_off,
        },
    )
}

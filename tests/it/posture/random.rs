//! Random tenants of one user: the program's judgement against the sandbox's judge of sign-ins.
//!
//! Two judges, written apart from the same documentation, must not contradict each other: whoever
//! is said to be protected gets in by a second factor, and so on. Where only one of them can know
//! (a device at hand, a role to be taken up), nothing is compared.

use fastrand::Rng;
use jiff::civil::date;
use mfactl::posture::Posture;
use mfactl::sandbox::Store;
use mfactl::sandbox::sign_in::Application::AdminPortals;
use mfactl::sandbox::sign_in::Verdict;

use super::policies::Written;
use super::row::Row;
use super::{judged, on};

const METHODS: &[&str] = &[
    "mobile",
    "mobile +31 61234",
    "mobile +31 202345678",
    "alternate +31 623456789",
    "office +31 202345678",
    "authenticator",
    "software-token",
    "hardware-token",
    "passkey",
    "external",
    "e-mail",
    "password",
    "access-pass used-up",
];

const POLICY: &[&str] = &[
    "text: no",
    "call: no",
    "office call: no",
    "text: staff",
    "text: outsiders",
    "call: company",
    "text: all but staff",
    "call: all but outsiders",
    "authenticator: no",
    "authenticator: company",
    "software token: no",
    "hardware token: outsiders",
    "passkey: outsiders",
    "external: no",
    "not migrated",
];

const DEMANDS: &[&str] = &[
    "mfa",
    "mfa",
    "mfa and a compliant device",
    "mfa or a compliant device",
    "the strength of any mfa",
    "the passwordless strength",
    "the phishing-resistant strength",
    "strength of password,sms",
    "strength of password,voice and password,microsoftAuthenticatorPush",
];

const WHOM: &[&str] =
    &["everybody", "me", "another", "staff", "company", "outsiders", "guests", "helpdesk"];

const WHEN: &[&str] =
    &["at all places", "on all platforms", "on iOS", "at risky sign-ins", "for Office 365"];

const ROLES: &[&str] =
    &["helpdesk", "global administrator", "global administrator in a group", "helpdesk of a unit"];

const DAYS: &[&str] = &["2026-11-22", "2027-01-31", "2027-02-01", "2027-06-30", "2027-07-01"];

/// Up to so many words of a list, none of them twice.
fn some(rng: &mut Rng, words: &[&str], most: usize) -> Vec<String> {
    let count = rng.usize(..=most);
    let picked = rng.choose_multiple(words.iter(), count);
    picked.into_iter().map(|word| (*word).to_owned()).collect()
}

fn one(rng: &mut Rng, words: &[&str]) -> String {
    words[rng.usize(..words.len())].to_owned()
}

fn row(rng: &mut Rng) -> Row {
    let custom = rng.bool();
    let policy = |rng: &mut Rng| Written {
        demands: one(rng, if custom { DEMANDS } else { &DEMANDS[..7] }),
        include: vec![one(rng, WHOM)],
        except: if rng.u8(..3) == 0 { vec![one(rng, WHOM)] } else { Vec::new() },
        when: (rng.u8(..4) == 0).then(|| one(rng, WHEN)),
        state: (rng.u8(..8) == 0).then(|| "disabled".to_owned()),
    };
    let mut conditional_access: Vec<Written> = (0..rng.usize(..3)).map(|_| policy(rng)).collect();
    // A custom strength has one id here, so there is one of them at most.
    let mut seen = false;
    conditional_access.retain(|one| {
        let is_custom = one.demands.starts_with("strength of ");
        !is_custom || !std::mem::replace(&mut seen, true)
    });
    Row {
        case: String::new(),
        methods: one_of_each_place(some(rng, METHODS, 3)),
        state: one(rng, &["disabled", "enabled", "enforced"]),
        account: None,
        role: (rng.u8(..3) == 0).then(|| one(rng, ROLES)),
        policy: some(rng, POLICY, 4),
        security_defaults: rng.u8(..6) == 0,
        conditional_access,
        refused: None,
        cloud: None,
        delivery: None,
        on: Some(one(rng, DAYS)),
        posture: String::new(),
        expires: None,
        judge: None,
        because: None,
        source: String::new(),
    }
}

/// There is one phone of each type.
fn one_of_each_place(mut methods: Vec<String>) -> Vec<String> {
    methods.sort();
    methods.dedup_by_key(|word| word.split(' ').next().map(str::to_owned));
    methods
}

async fn compare(seed: u64, count: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut faults = Vec::new();
    let mut known = 0;
    for _ in 0..count {
        let row = row(&mut rng);
        let (posture, _) = judged(&row).await;
        let store = Store::new(row.seed());
        let verdict = store.judge_at(row.name(), AdminPortals, on(&row)).unwrap();
        let agreed = match posture {
            Posture::Unknown => continue,
            // After the day the two agree that a phone does not answer. Whether its owner gets to
            // register depends on passkeys here, and there on whether a strength takes phones.
            Posture::Open | Posture::Stuck if on(&row) >= date(2027, 2, 1) => {
                matches!(verdict, Verdict::MustRegister | Verdict::Blocked)
            }
            Posture::Protected => verdict == Verdict::Ok,
            Posture::Open => verdict == Verdict::MustRegister,
            Posture::Stuck => verdict == Verdict::Blocked,
            Posture::Unprotected => verdict == Verdict::PasswordOnly,
        };
        known += 1;
        if !agreed {
            faults.push(format!("{} against {verdict}: {row:?}", posture.as_str()));
        }
    }
    assert!(known * 3 > count, "{known} of {count} were known");
    assert!(faults.is_empty(), "{} of {known}\n{}", faults.len(), faults.join("\n\n"));
}

#[tokio::test]
async fn two_judges_do_not_contradict_each_other() {
    compare(1, 60).await;
}

#[tokio::test]
#[ignore = "long: a thousand tenants"]
async fn two_judges_do_not_contradict_each_other_in_many_tenants() {
    compare(2, 1000).await;
}

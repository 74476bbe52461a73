//! Random tenants of one user: the posture that the program finds, and the sandbox's judge of sign-ins.
//!
//! The two judges are written independently from the same documentation, and must not contradict each other:
//! a protected user signs in with a second factor, and so on. What only one of them can know (a device at
//! hand, a role to activate) is not compared.
//!
//! Not here: the rows that are written down (`tests/posture.yaml`).

use fastrand::Rng;
use jiff::civil::date;
use libtest_mimic::Trial;
use mfactl::posture::Posture;
use mfactl::tenant::user_set::Tristate;
use mfactl_sandbox::Store;
use mfactl_sandbox::sign_in::{Application, Verdict};

use super::policies::Written;
use super::row::Row;
use super::{Judged, judged, on};
use crate::support::check;
use crate::support::world::runtime;

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
    "the phishing-resistant strength or a compliant device",
    "a custom control",
    "mfa and a custom control",
    "mfa or a custom control",
    "the phishing-resistant strength and a custom control",
    "terms of use",
    "mfa or terms of use",
    "an approved app",
    "strength of password,sms",
    "strength of password,voice and password,microsoftAuthenticatorPush",
];

/// The index of the first demand with a custom strength. A tenant has at most one of these.
const CUSTOM: usize = 15;

const USERS: &[&str] = &[
    "everybody",
    "me",
    "another",
    "staff",
    "company",
    "outsiders",
    "guests",
    "internal guests",
    "invited guests",
    "helpdesk",
];

const WHEN: &[&str] = &[
    "at all places",
    "on all platforms",
    "on iOS",
    "at risky sign-ins",
    "for Office 365",
    "at the admin portals",
    "at the admin portals",
    "at the admin portals on iOS",
    "at the admin portals and for Office 365",
    "for all apps but the admin portals",
];

const ACCOUNTS: &[&str] = &["guest who lives here", "guest", "member from elsewhere"];

const DOMAINS: &[&str] = &[
    "federated",
    "federated, mfa rejected",
    "federated, mfa rejected",
    "federated, nothing said",
    "managed subdomain of a federated one",
    "not listed",
    "another is federated",
];

const ROLES: &[&str] =
    &["helpdesk", "global administrator", "global administrator in a group", "helpdesk of a unit"];

const DAYS: &[&str] = &["2026-11-22", "2027-01-31", "2027-02-01", "2027-06-30", "2027-07-01"];

/// Picks up to `most` different words of a list.
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
        demands: one(rng, if custom { DEMANDS } else { &DEMANDS[..CUSTOM] }),
        include: vec![one(rng, USERS)],
        except: if rng.u8(..3) == 0 { vec![one(rng, USERS)] } else { Vec::new() },
        when: (rng.u8(..3) == 0).then(|| one(rng, WHEN)),
        state: (rng.u8(..8) == 0).then(|| "disabled".to_owned()),
    };
    let mut conditional_access: Vec<Written> = (0..rng.usize(..3)).map(|_| policy(rng)).collect();
    // Every custom strength has the same id here, so there is at most one.
    let mut seen = false;
    conditional_access.retain(|one| {
        let is_custom = one.demands.starts_with("strength of ");
        !is_custom || !std::mem::replace(&mut seen, true)
    });
    Row {
        case: String::new(),
        methods: one_of_each_place(some(rng, METHODS, 3)),
        state: one(rng, &["disabled", "enabled", "enforced"]),
        account: (rng.u8(..6) == 0).then(|| one(rng, ACCOUNTS)),
        domain: (rng.u8(..6) == 0).then(|| one(rng, DOMAINS)),
        role: (rng.u8(..3) == 0).then(|| one(rng, ROLES)),
        policy: some(rng, POLICY, 4),
        // Entra refuses security defaults together with enabled policies.
        security_defaults: conditional_access.is_empty() && rng.u8(..3) == 0,
        conditional_access,
        refused: None,
        cloud: None,
        delivery: None,
        on: Some(one(rng, DAYS)),
        posture: String::new(),
        portals_only: None,
        ordinary: None,
        expires: None,
        judge: None,
        because: None,
        source: String::new(),
    }
}

/// Keeps one phone of each type.
fn one_of_each_place(mut methods: Vec<String>) -> Vec<String> {
    methods.sort();
    methods.dedup_by_key(|word| word.split(' ').next().map(str::to_owned));
    methods
}

async fn two_judges_do_not_contradict_each_other(seed: u64, count: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut faults = Vec::new();
    let mut known = 0;
    for _ in 0..count {
        let row = row(&mut rng);
        let Judged { posture, portals_only, .. } = judged(&row).await;
        let store = Store::new(row.seed());
        let at = |application| store.judge_at(row.name(), application, on(&row)).unwrap();
        let (ordinary, portals) = (at(Application::Ordinary), at(Application::AdminPortals));
        let opens = ordinary == Verdict::PasswordOnly;
        // A custom control at the portals only does not decide about mail and files.
        let undecided = portals == Verdict::Elsewhere && ordinary != Verdict::Elsewhere;
        let agreed = match posture {
            Posture::Unknown => continue,
            // After the end of delivery both agree that a phone does not answer. Whether the user can
            // register depends on passkeys here, and on the accepted phones of a strength there.
            Posture::Open | Posture::Stuck if on(&row) >= date(2027, 2, 1) => {
                let decisive = if undecided { ordinary } else { portals };
                matches!(decisive, Verdict::MustRegister | Verdict::Blocked)
            }
            Posture::Protected => (ordinary, portals) == (Verdict::Ok, Verdict::Ok),
            Posture::Open if undecided => ordinary == Verdict::MustRegister,
            Posture::Open => portals == Verdict::MustRegister && (opens || ordinary == portals),
            // A user who can answer for mail may be blocked at the portals.
            Posture::Stuck => portals == Verdict::Blocked,
            Posture::Unprotected => {
                opens && (undecided || matches!(portals, Verdict::PasswordOnly | Verdict::Ok))
            }
        };
        let agreed = agreed
            && match portals_only {
                Tristate::Yes => opens && portals != Verdict::PasswordOnly,
                Tristate::No => opens == (portals == Verdict::PasswordOnly),
                Tristate::Unknown => true,
            };
        known += 1;
        if !agreed {
            faults.push(format!("{} against {ordinary}, {portals}: {row:?}", posture.as_str()));
        }
    }
    assert!(known * 4 > count, "{known} of {count} were known");
    assert!(faults.is_empty(), "{} of {known}\n{}", faults.len(), faults.join("\n\n"));
}

pub(super) fn trials() -> [Trial; 2] {
    let name = "posture::two_judges_do_not_contradict_each_other";
    let compare = |seed, count| {
        move || runtime().block_on(two_judges_do_not_contradict_each_other(seed, count))
    };
    let many = check(&format!("{name}::in_a_thousand_tenants"), compare(2, 1000));
    [check(name, compare(1, 60)), many.with_ignored_flag(true)]
}

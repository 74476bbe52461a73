//! Invented people with the policies of this repository: a check that is made from the result passes.
//!
//! Not here: checks that are made from real users (`from_users`).

use std::fmt::Write as _;
use std::path::Path;

use mfactl::checks;
use mfactl::policy;
use mfactl::settings::Setting;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::support::tiny_tenant::TODAY;

/// A person of a file, in YAML.
fn person() -> impl Strategy<Value = String> {
    let groups = subsequence(vec!["All Staff", "MFA Pilot", "Service Accounts"], 0..3);
    let methods = subsequence(vec!["mobilePhone", "authenticator", "passkey", "officePhone"], 0..3);
    let number =
        || select(vec!["valid", "invalid", "none", "\"06 12345678\"", "\"+32 470 12 34 56\""]);
    let state = select(vec!["disabled", "enabled", "enforced"]);
    let others =
        (any::<bool>(), any::<bool>(), select(vec!["Sales", "Finance"]), select(vec!["NL", "US"]));
    (groups, methods, number(), number(), number(), state, others).prop_map(
        |(groups, methods, mobile, business, extension, state, (admin, guest, department, country))| {
            let mut text = format!(
                "{{ mobilePhone: {mobile}, businessPhones: {business}, extensionAttribute7: {extension}, \
                 perUserMfa: {state}, guest: {guest}, department: {department}, usageLocation: {country}"
            );
            let lists = [("groups", groups), ("registered", methods)];
            for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                _ = write!(text, ", {key}: [{}]", list.join(", "));
            }
            text + if admin { ", roles: [Global Administrator] }" } else { " }" }
        },
    )
}

/// Writes the expectations that the result of each person meets.
fn expectations(outcomes: &[checks::PersonOutcome]) -> String {
    let mut text = "expect:\n".to_owned();
    for outcome in outcomes {
        let explanation = &outcome.explanation;
        let word = |setting: Setting| {
            let found = explanation.settings.iter().find(|one| one.setting == setting);
            checks::word_of(found.expect("every setting"))
        };
        _ = writeln!(
            text,
            "  {}: {{ phones: {{ mobile: {}, alternateMobile: {}, office: {}, smsSignIn: {} }}, \
             defaultMethod: {}, systemPreferredMfa: {}, perUserMfa: {}, posture: {} }}",
            outcome.key,
            word(Setting::MobilePhone),
            word(Setting::AlternateMobilePhone),
            word(Setting::OfficePhone),
            word(Setting::SmsSignIn),
            word(Setting::DefaultMethod),
            word(Setting::SystemPreferredMfa),
            word(Setting::PerUserMfa),
            explanation.standing.after.as_str(),
        );
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// For invented people and the policies of this repository.
    #[test]
    fn check_that_is_made_from_a_plan_passes(people in proptest::collection::vec(person(), 1..8)) {
        let set = policy::load(Path::new("mfactl.yaml")).expect("the policies of this repository");
        let mut text = "version: 1\npeople:\n".to_owned();
        for (place, person) in people.iter().enumerate() {
            _ = writeln!(text, "  p{place}: {person}");
        }
        let written = |rest: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("a.yaml");
            std::fs::write(&path, format!("{text}{rest}")).expect("a file");
            let read = checks::read(Path::new("mfactl.yaml"), &[path], &set);
            read.unwrap_or_else(|faults| panic!("{:#?}\n{text}{rest}", faults.findings))
        };
        let read = written("always: [{ nobody: { becomes: [open] } }]\n");
        let outcomes = checks::outcomes(&set, &read.files[0].1, TODAY).expect("a plan");
        prop_assert_eq!(outcomes.len(), people.len());
        let expected = expectations(&outcomes);
        let read = written(&format!("{expected}always: [{{ nobody: {{ becomes: [unknown] }} }}]\n"));
        let results = checks::run(&set, &read.files, TODAY).expect("a plan");
        prop_assert!(results[0].failures.is_empty(), "{:#?}\n{}{}", results[0].failures, text, expected);
        prop_assert_eq!(results[0].checks, 8 * people.len() + 1);
    }
}

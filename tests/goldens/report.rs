//! `tests/report`: what `mfactl report` prints in each format, and where Graph refuses to show something.
//!
//! Not here: whether the counts are right (`cli::report` in `tests/it`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libtest_mimic::Trial;
use mfactl::render::report::json;
use serde_json::Value;

use crate::support::golden::compare;
use crate::support::reports::{report, report_world};
use crate::support::tenant_builder::exchangelabs;
use crate::support::trial;
use crate::support::world::World;

/// Goldens, and the arguments that print each.
const PRINTED: [(&str, &[&str]); 5] = [
    ("plain.txt", &[]),
    ("all.txt", &["--all"]),
    ("plain.json", &["--format", "json"]),
    ("plain.csv", &["--format", "csv"]),
    ("after-the-retirement.txt", &["--at", "2027-02-01"]),
];

/// What Graph refuses to show, and its path.
const UNREAD: [(&str, &str); 4] = [
    ("methods", "/authentication/methods"),
    ("state", "/authentication/requirements"),
    ("conditional-access", "/conditionalAccess/policies"),
    ("methods-policy", "/authenticationMethodsPolicy"),
];

pub(crate) fn trials() -> Vec<Trial> {
    // A report writes nothing, so all of them share one tenant.
    let world = Arc::new(LazyLock::new(|| report_world(exchangelabs())));
    let printed = PRINTED.map(|(name, arguments)| {
        let world = Arc::clone(&world);
        trial(format!("report::{name}"), move || printed(&world, name, arguments))
    });
    let unread = UNREAD.map(|(name, path)| {
        trial(format!("report::unread-{name}"), move || {
            unread_facts_are_unknown_and_counted(name, path)
        })
    });
    printed.into_iter().chain(unread).collect()
}

fn printed(world: &World, name: &str, arguments: &[&str]) -> String {
    let run = report(world, arguments, 0);
    assert_eq!(run.stderr, "");
    assert!(world.server().store().writes().is_empty(), "a report writes nothing");
    if name.ends_with(".json") {
        let validator = jsonschema::draft7::new(&json::schema().to_value()).expect("a schema");
        let mut document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let errors: Vec<_> = validator.iter_errors(&document).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        document["users"][0]["posture"] = 7.into();
        assert!(!validator.is_valid(&document), "the schema checks the users");
    }
    compare(&Path::new("tests/report").join(name), &run.stdout)
}

/// What Graph refuses to show is unknown, and `--fail-on` counts it.
fn unread_facts_are_unknown_and_counted(name: &str, path: &'static str) -> String {
    let tenant = exchangelabs().refusing(path, 403, "Authorization_RequestDenied");
    let world = report_world(tenant);
    let run = report(&world, &["--fail-on", "stuck,unread"], 2);
    compare(Path::new(&format!("tests/report/unread-{name}.txt")), &run.text())
}

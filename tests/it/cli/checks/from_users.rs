//! Checks that are made from real users of the embedded tenant: `explain --as-test`.
//!
//! Not here: the invented person, number by number (`checks::as_test` of the library).

use std::path::Path;

use mfactl::checks::{self, CheckFromUser, ChecksFile};
use mfactl::explain::{self, Reading};
use mfactl::policy::{self, PolicySet};
use mfactl_sandbox::Store;
use serde_json::Value;

use crate::support::inside::{Inside, load};
use crate::support::shown_numbers::{numbers, shows_none};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs, name_of};
use crate::support::tiny_tenant::TODAY;
use crate::support::world::{PROJECT, World};

fn made(inside: &Inside, set: &PolicySet, name: &str) -> CheckFromUser {
    let (observed, roles) = inside.observe_with(set, name);
    let index = observed.directory.find_by_name(name).expect("a user of the tenant");
    let explained = explain::explain(set, observed.clone(), &roles, index, Reading::default());
    let (explanation, _) = explained.expect("an explanation");
    checks::as_test(set, (&observed, &roles), index, &explanation).expect("a check")
}

/// Makes a check of each n-th user. Checks that it passes, that the schema accepts it, and that nothing in it is
/// of the user. Returns the numbers of checks without and with comments.
fn pass(tenant: TenantBuilder, policies: &Path, step: usize) -> (usize, usize) {
    let inside = tenant.inside();
    let store: Store = inside.server.store();
    let set = load(policies).expect("policies");
    let known = numbers(&store);
    let schema = jsonschema::draft7::new(&checks::schema::checks()).expect("a schema");
    let (mut whole, mut partly) = (0, 0);
    for record in store.users().step_by(step) {
        let name = name_of(&record);
        let check = made(&inside, &set, name);
        let text = &check.text;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.yaml");
        std::fs::write(&path, text).expect("a file");
        let read = checks::read(Path::new("mfactl.yaml"), &[path], &set)
            .unwrap_or_else(|faults| panic!("{name}: {:#?}\n{text}", faults.findings));
        let results = checks::run(&set, &read.files, TODAY).expect("a plan");
        let [result] = results.as_slice() else { panic!("one file") };
        assert!(result.failures.is_empty(), "{name}: {:#?}\n{text}", result.failures);
        assert!(result.checks > 0, "{name}:\n{text}");
        let value: Value = serde_yaml::from_str(text).expect("YAML");
        let errors: Vec<String> = schema.iter_errors(&value).map(|one| one.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}\n{text}");
        has_nothing_of(&record.user, text);
        shows_none(text, &known);
        *(if check.left_as_comments == 0 { &mut whole } else { &mut partly }) += 1;
    }
    (whole, partly)
}

/// The name, the id and other texts of the user, and groups that no policy names.
fn has_nothing_of(user: &mfactl_sandbox::records::Document, text: &str) {
    let keys = ["id", "displayName", "userPrincipalName", "mail", "onPremisesSamAccountName"];
    for key in keys {
        if let Some(found) = user.get(key).and_then(Value::as_str).filter(|found| found.len() > 3) {
            assert!(!text.contains(found), "{key} {found} in\n{text}");
        }
    }
}

#[test]
fn check_from_a_few_users_passes() {
    let (whole, partly) = pass(exchangelabs(), Path::new("."), 7);
    assert!(whole > 3, "{whole} without comments, {partly} with comments");
}

#[test]
#[ignore = "long: every user of a tenant, and some of three more"]
fn check_from_every_user_passes() {
    let (whole, partly) = pass(exchangelabs(), Path::new("."), 1);
    assert!(whole > 30 && partly < whole, "{whole} without comments, {partly} with comments");
    for tenant in [
        exchangelabs().security_defaults(true),
        TenantBuilder::generated(60),
        exchangelabs().federated("exchangelabs.nl", "enforceMfaByFederatedIdp"),
    ] {
        pass(tenant, Path::new("."), 5);
    }
}

#[test]
#[ignore = "long: every user, with policies for each kind of number and method"]
fn check_from_every_user_passes_with_the_policies_of_explain() {
    let world = World::empty()
        .file("mfactl.yaml", PROJECT)
        .copy(Path::new("tests/explain/policies"), "policies");
    pass(exchangelabs(), world.path("mfactl.yaml").parent().expect("a folder"), 1);
}

#[test]
fn command_writes_a_file_that_passes() {
    let world = crate::sandbox::served::root_files();
    let run = world.run(&["explain", "j.smith@exchangelabs.nl", "--as-test"]).ends(0);
    assert_eq!(run.stderr, "");
    assert!(run.stdout.starts_with("# Made from a user of the tenant by"), "{}", run.text());
    assert!(run.stdout.contains("\n  person-1: {"), "{}", run.text());
    let world = world.file("checks/x.yaml", &run.stdout);
    let tested = world.run(&["test", "checks/x.yaml"]).ends(0);
    assert_eq!(tested.stderr, "");
    let more = ["explain", "j.smith@exchangelabs.nl", "--as-test", "--format", "json"];
    let refused = world.run(&more).ends(1);
    assert!(refused.stderr.contains("cannot be used with"), "{}", refused.text());
    let counts = ["explain", "j.smith@exchangelabs.nl", "--as-test", "--disclose", "counts"];
    world.run(&counts).ends(1);
}

/// Conditional Access requires MFA in the tenant, and in no invented tenant.
#[test]
fn result_that_an_invented_tenant_cannot_show_becomes_a_comment() {
    let name = "j.smith@exchangelabs.nl";
    let inside = exchangelabs().federated("exchangelabs.nl", "enforceMfaByFederatedIdp").inside();
    let set = policy::load(Path::new("mfactl.yaml")).expect("policies");
    let check = made(&inside, &set, name);
    assert!(check.left_as_comments > 0, "{}", check.text);
    assert!(
        check.text.contains("# - the posture becomes unknown; here it becomes "),
        "{}",
        check.text
    );
    let file: Result<ChecksFile, _> = serde_yaml::from_str(&check.text);
    assert!(file.is_ok());
}

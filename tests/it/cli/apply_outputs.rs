//! `apply --format json` and `apply --outputs`: what a pipeline learns of an apply.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;

use serde_json::{Value, json};

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, Run, World};

fn document(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&run.stdout).expect("one JSON document");
    let schema = fs::read_to_string("schemas/apply.schema.json").expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(schema.is_valid(&document), "{document:#}");
    document
}

#[test]
fn document_says_what_was_done_and_is_left() {
    let world = exchangelabs().james_and_jane();
    let apply = ["apply", "--auto-approve", "--format", "json"];
    let first = document(&world.run(&[&apply[..], &["--limit", "1"]].concat()).ends(0));
    assert_eq!(first["outcome"], "done");
    assert_eq!((&first["changed"], &first["refused"]), (&json!(true), &json!(false)));
    assert_eq!((&first["changes"]["done"], &first["left"]["users"]), (&json!(1), &json!(1)));
    assert_eq!((&first["anythingLeft"], &first["run"]), (&json!(true), &json!("RUN")));
    world.run(&apply).ends(0);
    let nothing = document(&world.run(&apply).ends(0));
    assert_eq!((&nothing["changed"], &nothing["anythingLeft"]), (&json!(false), &json!(false)));
    assert_eq!((&nothing["run"], &nothing["left"]), (&Value::Null, &Value::Null));
}

#[test]
fn document_says_why_an_apply_was_refused() {
    let world = exchangelabs().james_and_jane();
    let tight = world.project(&PROJECT.replace("percent: 100", "percent: 0"));
    let world = world.file("mfactl.yaml", tight);
    let refused = document(&world.run(&["apply", "--auto-approve", "--format", "json"]).ends(4));
    assert_eq!((&refused["outcome"], &refused["refused"]), (&json!("refused"), &json!(true)));
    let why = refused["why"].as_str().expect("a reason");
    assert!(why.contains("changedUsers") && why.contains("--allow"), "{why}");
    // Without an approval, a plan that is not shown is not applied.
    let blind = world.run(&["apply", "--format", "json", "--allow", "changedUsers=2"]).ends(1);
    assert_eq!(document(&blind)["outcome"], "failed");
    assert_eq!(world.server().store().writes().len(), 0);
}

#[test]
fn document_has_the_numbers_of_an_approval_and_no_user() {
    let world = exchangelabs().james_and_jane();
    world.run(&["plan", "--approval", "approval.json"]).ends(0);
    let arguments = ["apply", "--approved", "approval.json", "--format", "json"];
    let run = world.run(&[&arguments[..], &["--disclose", "names"]].concat()).ends(0);
    let done = document(&run);
    assert_eq!(
        (&done["approval"]["approved"], &done["approval"]["planned"]),
        (&json!(3), &json!(3))
    );
    assert!(!run.stdout.contains('@'), "{}", run.text());
    let counts = world.with("CI", "true");
    let run = counts.run(&arguments).ends(0);
    assert_eq!(document(&run)["approval"]["needsNothing"], "<5");
}

fn ends(world: &World, system: &str, more: &[&str], code: i32) -> Run {
    world.run(&[&["apply", "--outputs", system, "--auto-approve"], more].concat()).ends(code)
}

#[test]
fn next_steps_of_a_job_learn_what_happened() {
    let world = exchangelabs().james_and_jane();
    let run = ends(&world, "github", &[], 1);
    assert!(run.stderr.contains("`GITHUB_OUTPUT` is not set"), "{}", run.text());
    let path = |name: &str| world.path(name).display().to_string();
    let (output, summary) = (path("output"), path("summary"));
    let world = world.with("GITHUB_OUTPUT", output).with("GITHUB_STEP_SUMMARY", summary);
    let world = world.file("output", "earlier=1\n");
    ends(&world, "github", &["--limit", "1"], 0);
    let read = |name: &str| fs::read_to_string(world.path(name)).expect("a file");
    assert_eq!(read("output"), "earlier=1\nchanged=true\nrefused=false\nleft=true\n");
    let summary = read("summary");
    assert!(
        summary.contains("### mfactl apply: done") && summary.contains("Apply: 1 change done"),
        "{summary}"
    );
    assert!(!summary.contains('@'), "{summary}");
    ends(&world, "gitlab", &[], 0);
    assert_eq!(
        read("mfactl.env"),
        "MFACTL_CHANGED=true\nMFACTL_REFUSED=false\nMFACTL_LEFT=false\n"
    );
    let run = ends(&world, "azureDevOps", &[], 0);
    let line = "\n##vso[task.setvariable variable=changed;isOutput=true]false\n";
    assert!(run.stdout.contains(line), "{}", run.text());
}

#[test]
fn refused_apply_sets_its_outputs_too() {
    let world = exchangelabs().james_and_jane();
    let tight = world.project(&PROJECT.replace("percent: 100", "percent: 0"));
    let world = world.file("mfactl.yaml", tight);
    ends(&world, "gitlab", &[], 4);
    let outputs = fs::read_to_string(world.path("mfactl.env")).expect("a file");
    assert_eq!(outputs, "MFACTL_CHANGED=false\nMFACTL_REFUSED=true\nMFACTL_LEFT=true\n");
}

/// Files with errors, and a tenant that cannot be reached.
#[test]
fn apply_that_cannot_be_begun_reports_too() {
    let world = exchangelabs().james_and_jane();
    let invalid = world.file("policies/staff.yaml", "version: 1\npolicy: {}\n");
    let invalid = invalid.file("mfactl.env", "MFACTL_LEFT=false\n");
    let run = ends(&invalid, "gitlab", &["--format", "json"], 3);
    let failed = document(&run);
    assert_eq!((&failed["outcome"], &failed["changed"]), (&json!("failed"), &json!(false)));
    let why = failed["why"].as_str().expect("a reason");
    assert!(why.contains("policies/staff.yaml:2") && !why.contains('\u{1b}'), "{why}");
    let outputs = fs::read_to_string(invalid.path("mfactl.env")).expect("a file");
    assert_eq!(outputs, "MFACTL_CHANGED=false\nMFACTL_REFUSED=false\nMFACTL_LEFT=true\n");
    let away =
        exchangelabs().james_and_jane().behind(PROJECT, "http://127.0.0.1:1", "http://127.0.0.1:1");
    let run = away.run(&["apply", "--auto-approve", "--format", "json"]).ends(6);
    let document = document(&run);
    assert_eq!((&document["outcome"], &document["refused"]), (&json!("notNow"), &json!(false)));
}

#[test]
fn outputs_that_cannot_be_written_end_the_apply_before_it_begins() {
    let world = exchangelabs().james_and_jane().with("GITHUB_OUTPUT", "nowhere/output");
    let run = ends(&world, "github", &[], 1);
    assert!(run.stderr.contains("could not be written to `nowhere/output`"), "{}", run.text());
    let run = ends(&world, "azureDevOps", &["--format", "json"], 1);
    assert!(run.stderr.contains("both go to standard output"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), 0);
}

#[cfg(unix)]
#[test]
fn link_in_place_of_the_outputs_is_not_followed() {
    let world = exchangelabs().james_and_jane().file("kept", "mine");
    std::os::unix::fs::symlink(world.path("kept"), world.path("mfactl.env")).expect("a link");
    ends(&world, "gitlab", &[], 0);
    assert_eq!(fs::read_to_string(world.path("kept")).expect("a file"), "mine");
    assert!(fs::read_to_string(world.path("mfactl.env")).expect("a file").contains("CHANGED=true"));
}

/// What was not read may be left to do.
#[test]
fn something_is_left_while_a_user_cannot_be_read() {
    let world = exchangelabs().refusing("/authentication/", 403, "Forbidden").james_and_jane();
    let run = world.run(&["apply", "--auto-approve", "--format", "json"]).ends(0);
    let document = document(&run);
    assert_eq!((&document["changed"], &document["anythingLeft"]), (&json!(false), &json!(true)));
}

//! `mfactl diff`: two plans from files, saved or in JSON.
//!
//! Not here: what a change of the files does (`plan::against`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::fs;

use mfactl::plan::content::{Governed, PlanContent};
use mfactl::plan::difference::PlanDifference;
use mfactl::plan::pipeline;
use mfactl::render::plan::json;
use mfactl::saved::json::parse;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use crate::plan::promises::{holds_for, policies};
use crate::support::invented::{Invented, invented};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

/// Two plans of two users, saved and in JSON. Between them, the policy wants another state.
fn monday_and_tuesday() -> World {
    let world = exchangelabs().james_and_jane();
    let plans = |world: World, name: &str| {
        let saved = format!("{name}.plan");
        let run = world.run(&["plan", "--format", "json", "--out", &saved]).ends(0);
        world.file(&format!("{name}.json"), run.stdout)
    };
    let world = plans(world, "monday");
    let policy = fs::read_to_string(world.path("policies/staff.yaml")).expect("a policy");
    let changed = policy.replace("perUserMfa: enabled", "perUserMfa: enforced");
    assert_ne!(policy, changed);
    plans(world.file("policies/staff.yaml", changed), "tuesday")
}

#[test]
fn difference_shows_what_changed_between_two_plans() {
    let world = monday_and_tuesday();
    for kind in ["plan", "json"] {
        let [monday, tuesday] = ["monday", "tuesday"].map(|day| format!("{day}.{kind}"));
        let run = world.run(&["diff", &monday, &tuesday, "--detailed-exitcode"]).ends(2);
        let shown = &run.stdout;
        assert!(shown.contains(&format!("`{tuesday}`, compared with `{monday}`")), "{shown}");
        assert!(shown.contains("disabled → enforced instead of disabled → enabled"), "{shown}");
        assert!(shown.contains("2 changes of 2 users are in both plans"), "{shown}");
        let back = world.run(&["diff", &tuesday, &monday]).ends(0).stdout;
        assert!(back.contains("disabled → enabled instead of disabled → enforced"), "{back}");
    }
}

/// A shell gives the output of a command as a pipe, which can be read once.
#[test]
#[cfg(unix)]
fn plan_is_read_from_a_pipe() {
    let world = monday_and_tuesday();
    let program = env!("CARGO_BIN_EXE_mfactl");
    for file in ["tuesday.json", "tuesday.plan"] {
        let script = format!("exec {program} diff monday.json <(cat {file}) --detailed-exitcode");
        let path = std::env::var("PATH").expect("a path");
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &script]).current_dir(world.path("")).env_clear().env("PATH", path);
        let output = shell.output().expect("a shell");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{shown}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(shown.contains("disabled → enforced instead of"), "{shown}");
    }
}

#[test]
fn plan_does_not_differ_from_itself_in_any_format() {
    let world = monday_and_tuesday();
    for (old, new) in [
        ("monday.plan", "monday.plan"),
        ("monday.json", "monday.json"),
        ("monday.plan", "monday.json"),
        ("monday.json", "monday.plan"),
    ] {
        let run = world.run(&["diff", old, new, "--detailed-exitcode"]).ends(0);
        assert!(run.stdout.contains("No difference: both plans change the same."), "{run:?}");
    }
    let text = |old: &str, new: &str| {
        let text = world.run(&["diff", old, new]).ends(0).stdout;
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(text("monday.plan", "tuesday.json"), text("monday.json", "tuesday.plan"));
}

#[test]
fn difference_in_json_fits_its_schema() {
    let world = monday_and_tuesday();
    let run = world.run(&["diff", "monday.plan", "tuesday.plan", "--format", "json"]).ends(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let schema = fs::read_to_string("schemas/diff.schema.json").expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(schema.is_valid(&document), "{document:#}");
    assert_eq!(document["changes"].as_array().expect("changes").len(), 2, "{document:#}");
    assert_eq!(document["inBoth"]["changes"], 2);
    assert_eq!(document["old"]["file"], "monday.plan");
}

#[test]
fn unusable_files_are_refused_with_the_reason() {
    unusable_file_is_refused(3);
}

#[test]
#[ignore = "long: every kind of unusable file"]
fn files_that_are_unusable_in_any_way_are_refused_with_the_reason() {
    unusable_file_is_refused(1);
}

/// Takes every `step`-th row.
fn unusable_file_is_refused(step: usize) {
    let world = monday_and_tuesday();
    let json = fs::read_to_string(world.path("monday.json")).expect("a plan");
    let edited = |from: &str, to: &str| {
        let text = json.replacen(from, to, 1);
        assert_ne!(text, json, "{from}");
        text
    };
    let counts = world.run(&["plan", "--format", "json", "--disclose", "counts"]).ends(0);
    let hidden = world.run(&["plan", "--format", "json", "--disclose", "pseudonyms"]).ends(0);
    let masked: Value = serde_json::from_str(&json).expect("JSON");
    let masked = masked["changes"][0]["after"]["number"].as_str().expect("a number").to_owned();
    let saved = fs::read_to_string(world.path("monday.plan")).expect("a plan");
    for (text, why) in [
        (counts.stdout, "made with `--disclose counts`"),
        (hidden.stdout, "made with `--disclose pseudonyms`"),
        (edited(&masked, "+31612345678"), "a phone number that is not masked"),
        (
            edited("\"formatVersion\": \"1.", "\"formatVersion\": \"2."),
            "its JSON has another version",
        ),
        (
            edited("phones.mobile", "phones.pager"),
            "it names a setting that this program does not know",
        ),
        (edited("\"update\"", "\"update"), "it is no plan"),
        (edited("\"users\": {", "\"users\": [], \"more\": {"), "it has no valid plan: see line"),
        (saved.replacen("staff", "stuff", 1), "damaged or edited"),
        (twice(&json), "two rows for one user and one setting"),
        ("{}".to_owned(), "it is no plan"),
        (String::new(), "it is no plan"),
    ]
    .into_iter()
    .step_by(step)
    {
        fs::write(world.path("other"), text).expect("a file");
        let run = world.run(&["diff", "monday.json", "other"]).ends(4);
        assert!(run.stderr.contains(why), "{why}: {}", run.text());
        assert!(run.stdout.is_empty() && !run.stderr.contains("12345678"), "{}", run.text());
    }
    let run = world.run(&["diff", "monday.json", "not-there"]).ends(1);
    assert!(run.stderr.contains("`not-there` cannot be used: it could not be read"), "{run:?}");
    let id = "e1c8a7b4-2f60-4d93-b58e-0a7d6c3f9214";
    fs::write(world.path("other"), json.replace(id, &id.replace('9', "8"))).expect("a file");
    let run = world.run(&["diff", "monday.json", "other"]).ends(1);
    assert!(run.stderr.contains("the old plan is of tenant"), "{}", run.text());
    assert!(run.stderr.contains("help: compare two plans of one tenant"), "{}", run.text());
}

/// The plan with its first change twice.
fn twice(json: &str) -> String {
    let mut plan: Value = serde_json::from_str(json).expect("JSON");
    let first = plan["changes"][0].clone();
    plan["changes"].as_array_mut().expect("changes").insert(0, first);
    plan.to_string()
}

#[test]
fn every_difference_is_shown() {
    let world = monday_and_tuesday();
    let json = fs::read_to_string(world.path("monday.json")).expect("a plan");
    let edited = |change: &dyn Fn(&mut Value)| {
        let mut plan: Value = serde_json::from_str(&json).expect("JSON");
        change(&mut plan);
        fs::write(world.path("other"), format!("\u{feff}{plan}")).expect("a file");
        world.run(&["diff", "monday.json", "other", "--detailed-exitcode"]).ends(2).stdout
    };
    let shown = edited(&|plan| {
        plan["reported"]["changes"] = plan["changes"].clone();
    });
    assert!(shown.contains("in report mode: other changes for 2 users"), "{shown}");
    let shown = edited(&|plan| plan["brakes"][0]["limit"] = 1.into());
    assert!(shown.contains("limit of brake `changedUsers`: 2 → 1"), "{shown}");
    let shown = edited(&|plan| plan["summary"]["usersInScope"] = 3.into());
    assert!(shown.contains("Only names, postures before an apply"), "{shown}");
    let shown = edited(&|plan| plan["complete"] = false.into());
    assert!(shown.contains("note: some data could not be read for `other`"), "{shown}");
    let shown = edited(&|plan| plan["findings"][0]["severity"] = "error".into());
    assert!(shown.contains("new error: "), "{shown}");
    let shown = edited(&|plan| {
        plan["changes"][0]["policy"] = "call +31612345678".into();
    });
    assert!(shown.contains("call +•••••••••••") && !shown.contains("12345678"), "{shown}");
}

#[test]
fn file_lowers_what_a_difference_says_about_users() {
    let world = monday_and_tuesday();
    let project = fs::read_to_string(world.path("mfactl.yaml")).expect("a project");
    let world = world.file("mfactl.yaml", format!("disclose: counts\n{project}"));
    for command in [&["diff", "monday.plan", "tuesday.plan"][..], &["show", "monday.plan"]] {
        let shown = world.run(command).ends(0).stdout;
        assert!(shown.contains("<5 users") && !shown.contains("j.smith"), "{shown}");
    }
    world.run(&["diff", "monday.plan", "tuesday.plan", "--format", "json"]).ends(1);

    // What a file with errors says is unknown.
    let world = world.file("mfactl.yaml", format!("disclose: names\nnothing: 1\n{project}"));
    let run = world.run(&["diff", "monday.plan", "tuesday.plan"]).ends(0);
    assert!(run.stdout.contains("<5 users") && !run.stdout.contains("j.smith"), "{}", run.text());
    assert!(run.stderr.contains("`mfactl validate` lists them"), "{}", run.text());
}

/// The changes of a plan in JSON are those of the plan, but for numbers that look alike.
fn difference_in_json_is_the_exact_one((case, other): (Invented, Invented)) -> TestCaseResult {
    let (Some(old), Some(new)) = (policies(&case), policies(&other)) else { return Ok(()) };
    let inside = case.tenant().inside();
    let mut exact = Vec::new();
    let mut read = Vec::new();
    for set in [&old, &new] {
        let Ok(observed) = inside.observe(set) else { return Ok(()) };
        let plan = pipeline::plan(set, observed);
        let mut text = Vec::new();
        json::plan(&plan, &mut text).expect("memory takes all");
        let text = String::from_utf8(text).expect("UTF-8");
        let file = parse(&text).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        prop_assert_eq!(file.complete, plan.is_complete());
        exact.push(PlanContent::of(&plan, Governed::new()));
        read.push(file.content);
    }
    let [exact, read] = [&exact, &read].map(|two| PlanDifference::between(&two[0], &two[1]));
    let of = |difference: &PlanDifference| -> BTreeSet<_> {
        difference.settings().map(|one| (one.user, one.setting, one.weakens())).collect()
    };
    prop_assert!(of(&read).is_subset(&of(&exact)), "{:?} {:?}", of(&read), of(&exact));
    for one in exact.settings() {
        let is_number = [one.without, one.with].into_iter().flatten();
        let is_number = is_number.clone().any(|change| change.after.is_number());
        let is_read = of(&read).contains(&(one.user, one.setting, one.weakens()));
        let is_other = one.without.map(|one| &one.mandate) != one.with.map(|one| &one.mandate);
        prop_assert!(is_read || is_number || is_other, "{one:#?}");
    }
    prop_assert_eq!(read.postures, exact.postures);
    prop_assert_eq!(read.brakes, exact.brakes);
    prop_assert_eq!(read.findings, exact.findings);
    prop_assert_eq!(read.objects, exact.objects);
    Ok(())
}

#[test]
fn difference_in_json_is_the_exact_one_in_some_tenants() {
    holds_for(8, false, &(invented(), invented()), difference_in_json_is_the_exact_one);
}

#[test]
#[ignore = "long: hundreds of invented tenants, each with two policy sets"]
fn difference_in_json_is_the_exact_one_in_hundreds_of_tenants() {
    holds_for(300, true, &(invented(), invented()), difference_in_json_is_the_exact_one);
}

//! The folders of `tests/cases`: policies and a tenant, and what the program says about them. The test
//! `case::NAME` compares its plan and its apply. `case::NAME::planned-again`, which is long, plans once more
//! after the apply.
//!
//! Not here: how to add a case (`tests/cases/README.md`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::Trial;
use mfactl::render::plan::json;
use mfactl::saved;
use serde_json::Value;

use crate::samples::LIVE;
use crate::support::golden::{compare, updates};
use crate::support::tenant_builder::TenantBuilder;
use crate::support::world::{PROJECT, World};
use crate::support::{check, folders, name_of, trial};

const CASES: &str = "tests/cases";

const SAVED: &str = "case.plan";

pub(crate) fn trials() -> Vec<Trial> {
    let cases = folders(CASES);
    let quick = cases.clone().into_iter().map(|folder| {
        trial(format!("case::{}", name_of(&folder)), move || {
            every_case_prints_what_it_says(&folder)
        })
    });
    let with_apply = cases.into_iter().filter(|folder| folder.join(APPLIED).exists());
    let long = with_apply.map(|folder| {
        let name = format!("case::{}::planned-again", name_of(&folder));
        let again = trial(name, move || after_an_apply_nothing_is_left(&folder));
        again.with_ignored_flag(true)
    });
    let name = "case::every_code_that_a_tenant_can_raise_has_a_case";
    let whole = check(name, every_code_that_a_tenant_can_raise_has_a_case);
    quick.chain(long).chain([whole]).collect()
}

/// Compares the plan and, if the case has one, the apply.
fn every_case_prints_what_it_says(folder: &Path) -> String {
    let about = fs::read_to_string(folder.join("about.md")).expect("about.md");
    assert!(about.starts_with("# "), "{} has a title", folder.display());
    let world = world(folder);
    let writes = world.server().store().writes().len();
    let mut shown = world.run(&["plan", "--all", "--out", SAVED]);
    let is_shown = |line: &&str| !line.starts_with("saved in ");
    shown.stderr = shown.stderr.split_inclusive('\n').filter(is_shown).collect();
    let mut differences = compare(&folder.join("expected.txt"), &shown.text());
    // `saved` checks that a saved plan is what `plan` prints, in every format.
    if shown.code == Some(0) {
        let saved = saved::read(&world.path(SAVED)).expect("a plan");
        let mut printed = Vec::new();
        json::plan(&saved.plan, &mut printed).expect("memory");
        differences += &compare(&folder.join("expected.json"), &world.alike(&printed));
    }
    assert_eq!(world.server().store().writes().len(), writes, "a plan writes nothing");
    let applied = folder.join(APPLIED);
    let Ok(expected) = fs::read_to_string(&applied) else { return differences };
    if updates() {
        return differences + &compare(&applied, &applied_and_planned(&world));
    }
    let (expected, _) = expected.split_once(THEN).expect("an apply, and a plan");
    let apply = apply(&world);
    if apply == expected { differences } else { differences + &compare(&applied, &apply) }
}

/// Compares the apply, and the plan after it.
fn after_an_apply_nothing_is_left(folder: &Path) -> String {
    match updates() {
        // The quick test writes the file.
        true => String::new(),
        false => compare(&folder.join(APPLIED), &applied_and_planned(&world(folder))),
    }
}

const APPLIED: &str = "applied.txt";

const THEN: &str = "\n$ mfactl plan --detailed-exitcode\n";

fn apply(world: &World) -> String {
    let apply = world.run(&["apply", "--auto-approve"]);
    format!("$ mfactl apply --auto-approve\n{}", apply.text())
}

fn applied_and_planned(world: &World) -> String {
    let apply = apply(world);
    let plan = world.run(&["plan", "--detailed-exitcode"]);
    format!("{apply}{THEN}{}", plan.text())
}

fn every_code_that_a_tenant_can_raise_has_a_case() {
    let files = folders(CASES).into_iter();
    let files =
        files.flat_map(|folder| ["expected.txt", "expected.json"].map(|name| folder.join(name)));
    let expected: String =
        files.filter_map(|path: PathBuf| fs::read_to_string(path).ok()).collect();
    for code in LIVE {
        let shown = expected.contains(&format!("[{code}]"))
            || expected.contains(&format!("\"code\": \"{code}\""));
        assert!(shown || updates(), "`{code}` occurs in no case under {CASES}");
    }
}

/// The tenant of a case, with its requests sent, and the files of the case.
fn world(folder: &Path) -> World {
    let text = fs::read_to_string(folder.join("tenant.yaml")).unwrap_or_default();
    let tenant: Value = serde_yaml::from_str(&text).unwrap_or_default();
    let seed = tenant["seed"].as_str().unwrap_or("exchangelabs");
    let late = Duration::from_secs(tenant["indexLate"].as_u64().unwrap_or_default());
    let mut world = TenantBuilder::named(seed).index_late(late).served();
    if let Some(day) = tenant["today"].as_str() {
        world = world.with("MFACTL_TODAY", day);
    }
    for request in tenant["requests"].as_array().into_iter().flatten() {
        let methods = ["POST", "PATCH", "DELETE"];
        let method = *methods.iter().find(|name| request.get(name).is_some()).expect("a method");
        let path = request[method].as_str().expect("a path");
        let path = path.replace("$GRAPH", world.server().url());
        let body = request.get("body").map(|body| with_url(body, world.server().url()));
        let (status, answer) = world.call(method, &path, body.as_ref());
        assert!(status < 300, "{}: {method} {path}: {status} {answer}", folder.display());
    }
    let project = fs::read_to_string(folder.join("mfactl.yaml"));
    let project = world.project(&project.unwrap_or_else(|_| PROJECT.to_owned()));
    world.copy(&folder.join("policies"), "policies").file("mfactl.yaml", project)
}

/// Returns the body with the address of the tenant in place of `$GRAPH`, as a reference needs it.
fn with_url(body: &Value, url: &str) -> Value {
    let text = body.to_string().replace("$GRAPH", url);
    serde_json::from_str(&text).expect("still JSON")
}

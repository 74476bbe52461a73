//! The folders of `tests/cases`: policies and a tenant, and what the program says of them.
//! `tests/cases/README.md` says how to add one.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use mfactl::saved;
use mfactl_sandbox::{Options, seeds};
use serde_json::Value;

use crate::policies::samples::LIVE;
use crate::support::golden::{compare, folders, updates};
use crate::support::inside::as_json;
use crate::support::world::{PROJECT, World};

const CASES: &str = "tests/cases";

const SAVED: &str = "case.plan";

#[test]
fn every_case_comes_out_as_it_says() {
    all_come_out(false);
}

#[test]
#[ignore = "long: one plan more after every apply"]
fn every_case_comes_out_as_it_says_and_then_nothing_is_left() {
    all_come_out(true);
}

fn all_come_out(then_plan: bool) {
    let folders = folders(CASES);
    let (some, others) = folders.split_at(folders.len() / 2);
    let come_out = |folders: &[PathBuf]| {
        folders.iter().map(|folder| comes_out(folder, then_plan)).collect::<String>()
    };
    let differences = thread::scope(|scope| {
        let one = scope.spawn(|| come_out(some));
        let other = come_out(others);
        one.join().expect("no panic") + &other
    });
    assert!(differences.is_empty(), "\n{differences}");
}

fn comes_out(folder: &Path, then_plan: bool) -> String {
    let about = fs::read_to_string(folder.join("about.md")).expect("about.md");
    assert!(about.starts_with("# "), "{} has a title", folder.display());
    let world = world(folder);
    let writes = world.server().store().writes().len();
    let mut shown = world.run(&["plan", "--all", "--out", SAVED]);
    let told = |line: &&str| !line.starts_with("saved in ");
    shown.stderr = shown.stderr.split_inclusive('\n').filter(told).collect();
    let mut differences = compare(&folder.join("expected.txt"), &shown.text());
    // `saved` holds that a saved plan is what `plan` prints, in every format.
    if shown.code == Some(0) {
        let saved = saved::read(&world.path(SAVED)).expect("a plan");
        let printed = world.alike(as_json(&saved.plan).as_bytes());
        differences += &compare(&folder.join("expected.json"), &printed);
    }
    assert_eq!(world.server().store().writes().len(), writes, "a plan writes nothing");
    differences + &applied(folder, &world, then_plan || updates())
}

/// Where the case says what an apply comes to: the apply, which plans again; and, where that is asked
/// for, a plan after it that has nothing left.
fn applied(folder: &Path, world: &World, then_plan: bool) -> String {
    let path = folder.join("applied.txt");
    let Ok(expected) = fs::read_to_string(&path) else { return String::new() };
    let apply = world.run(&["apply", "--auto-approve"]);
    let apply = format!("$ mfactl apply --auto-approve\n{}", apply.text());
    if !then_plan {
        let (first, _) = expected.split_once(THEN).expect("an apply, and a plan");
        return match first == apply {
            true => String::new(),
            false => compare(&path, &apply),
        };
    }
    let plan = world.run(&["plan", "--detailed-exitcode"]);
    compare(&path, &format!("{apply}{THEN}{}", plan.text()))
}

const THEN: &str = "\n$ mfactl plan --detailed-exitcode\n";

#[test]
fn every_code_that_a_tenant_can_raise_has_a_case() {
    let expected: String = folders(CASES)
        .iter()
        .flat_map(|folder| ["expected.txt", "expected.json"].map(|name| folder.join(name)))
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
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
    let seed = seeds::by_name(seed).expect("a seed that there is");
    let mut options = Options::in_memory(seed);
    options.lateness.index = Duration::from_secs(tenant["indexLate"].as_u64().unwrap_or_default());
    let mut world = World::served(options);
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

/// A body in which `$GRAPH` stands for the address of the tenant, as a reference needs it.
fn with_url(body: &Value, url: &str) -> Value {
    let text = body.to_string().replace("$GRAPH", url);
    serde_json::from_str(&text).expect("still JSON")
}

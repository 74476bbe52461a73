//! The basis of an approval: the meaning of the files, independent of their layout and path, and everything
//! that the plan shows.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use mfactl::render::plan::json;
use mfactl::render::plan::text;
use mfactl::saved::{self, Saved};
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, World};

const FILE: &str = "staff.plan";

fn planned() -> World {
    let world = exchangelabs().james_and_jane();
    world.run(&["plan", "--out", FILE]).ends(0);
    world
}

fn writes(world: &World) -> usize {
    world.server().store().writes().len()
}

#[track_caller]
fn refused(world: &World, why: &str) {
    let before = writes(world);
    let run = world.run(&["apply", FILE]).ends(4);
    assert!(run.stderr.contains(why), "{}", run.text());
    assert_eq!(writes(world), before);
}

/// Each path to the same folder gives the same plan, including the fingerprint.
#[test]
fn plan_does_not_depend_on_the_path_to_its_folder() {
    path_means_nothing(3);
}

#[test]
#[ignore = "long: every path"]
fn plan_does_not_depend_on_any_path_to_its_folder() {
    path_means_nothing(1);
}

/// Takes every `step`-th row.
fn path_means_nothing(step: usize) {
    let world = exchangelabs().world();
    let project = world.project(PROJECT);
    let world = world.file("one/mfactl.yaml", project).file("one/policies/a.yaml", JAMES_AND_JANE);
    let plan_in = |folder: &str, arguments: &[&str]| {
        let mut command = world.command(&["plan", "--all"]);
        let output = command.args(arguments).current_dir(world.path(folder)).output();
        let output = output.expect("the program");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let plain = plan_in("one", &[]);
    assert!(plain.contains("fingerprint") && plain.contains("policies/a.yaml:8"), "{plain}");
    let absolute = world.path("one/mfactl.yaml").display().to_string();
    for (folder, config) in [
        ("", "one/mfactl.yaml"),
        ("", "./one/mfactl.yaml"),
        ("one", "../one/mfactl.yaml"),
        ("one/policies", "../mfactl.yaml"),
        ("", &absolute),
    ]
    .into_iter()
    .step_by(step)
    {
        assert_eq!(plan_in(folder, &["--config", config]), plain, "{folder}: {config}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(world.path("one"), world.path("link")).expect("a link");
        assert_eq!(plan_in("", &["--config", "link/mfactl.yaml"]), plain);
        assert_eq!(plan_in("link", &[]), plain);
    }
    // A plan that was saved with one path is applied with another.
    let saved = world.path(FILE).display().to_string();
    plan_in("one", &["--out", &saved]);
    world.run(&["apply", FILE, "--config", "one/mfactl.yaml"]).ends(0);
    assert_eq!(writes(&world), 3);
}

#[test]
fn edited_comment_keeps_the_approval_and_places_are_current() {
    let world = planned();
    let shown = world.run(&["show", FILE]).ends(0);
    assert!(shown.stdout.contains("staff  policies/staff.yaml:8"), "{}", shown.text());
    let project = "# which tenant\r\n".to_owned() + &world.project(PROJECT).replace('\n', "\r\n");
    let text = "# who\n\n# what\n".to_owned() + JAMES_AND_JANE;
    let world = world.file("policies/people.yaml", text).file("mfactl.yaml", project);
    fs::remove_file(world.path("policies/staff.yaml")).expect("a file");
    let run = world.run(&["apply", FILE]).ends(0);
    assert!(run.stdout.contains("staff  policies/people.yaml:11"), "{}", run.text());
    assert!(run.stdout.contains("3 changes done"), "{}", run.text());
}

#[test]
fn refusal_names_the_changed_policy_or_project_key() {
    let staff = "policies/staff.yaml";
    let world = planned();
    let changed = JAMES_AND_JANE.replace("mobilePhone }", "mobilePhone, ifRegistered: replace }");
    let world = world.file(staff, changed);
    refused(&world, "policy `staff` was changed since the plan was made");
    let more = "version: 1\npolicies:\n  more:\n    appliesTo: { users: [j.brown@exchangelabs.nl] }\n    desired: { systemPreferredMfa: unmanaged }\n";
    let world = world.file(staff, JAMES_AND_JANE).file("policies/more.yaml", more);
    refused(&world, "policy `more` was added since the plan was made");
    fs::remove_file(world.path("policies/more.yaml")).expect("a file");
    let world = world.file(staff, JAMES_AND_JANE.replace("staff:", "people:"));
    refused(
        &world,
        "policy `people` was added since the plan was made; policy `staff` was removed since the plan was made",
    );
    let world = world.file(staff, JAMES_AND_JANE);
    let project = world
        .project(&PROJECT.replace("changedUsers: { percent: 100", "changedUsers: { percent: 99"));
    let world = world.file("mfactl.yaml", project);
    refused(&world, "`brakes` in `mfactl.yaml` was changed since the plan was made");
    let project = world.project(&PROJECT.replace("  users:\n", "  minimum: 1\n  users:\n"));
    refused(&world.file("mfactl.yaml", project), "`breakGlass` in `mfactl.yaml` was changed since");
}

/// Policies that conflict, report, replace and are withheld, so that a plan has every kind of row.
const MANY: &str = "version: 1
policies:
  staff:
    appliesTo: { groups: [All Staff] }
    desired: { phones: { mobile: { from: mobilePhone, ifRegistered: replace } }, defaultMethod: [push, sms], perUserMfa: enforced }
  sales:
    appliesTo: { users: [j.brown@exchangelabs.nl, nobody@exchangelabs.nl], groups: [Sales] }
    desired: { perUserMfa: disabled }
  soon:
    mode: report
    appliesTo: { everyone: true }
    desired: { phones: { office: { from: businessPhones } }, perUserMfa: enforced }
";

/// The output of `show` for a file, or `None` if the file is refused or flagged.
fn shown(path: &Path) -> Option<(String, String)> {
    let Saved { plan, sandbox, .. } = {
        let saved = saved::read(path).ok()?;
        (saved.is_as_named(None) == Some(true)).then_some(saved)?
    };
    let view = |all| text::TextView { all, sandbox, part: false };
    let mut out = Vec::new();
    json::plan(&plan, &mut out).expect("memory");
    let text = text::plan(&plan, view(false)) + &text::plan(&plan, view(true));
    Some((text, String::from_utf8(out).expect("UTF-8")))
}

/// Every value of a document, with its path without list indices.
fn leaves(value: &Value, pointer: &str, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            leaves(value, &format!("{pointer}/{key}"), &format!("{path}/{key}"), found);
        }),
        Value::Array(list) => list.iter().enumerate().for_each(|(place, value)| {
            leaves(value, &format!("{pointer}/{place}"), &format!("{path}/*"), found);
        }),
        _ => {}
    }
    found.push((path.to_owned(), pointer.to_owned()));
}

/// Other values that an editor of the file could write there.
fn others(value: &Value, seen: &[Value]) -> Vec<Value> {
    let mut others: Vec<Value> =
        seen.iter().filter(|other| *other != value).take(3).cloned().collect();
    others.extend(match value {
        Value::String(text) => vec![json!(format!("{text}x")), json!("")],
        Value::Number(number) => vec![json!(number.as_u64().map_or(1, |number| number + 1))],
        Value::Bool(truth) => vec![json!(!truth)],
        Value::Null => vec![json!("x"), json!(1)],
        Value::Array(list) => {
            let (first, rest) = (list.iter().take(1), list.iter().skip(1));
            vec![rest.cloned().collect(), list.iter().chain(first).cloned().collect()]
        }
        Value::Object(map) => map
            .keys()
            .take(2)
            .map(|key| {
                let mut less = map.clone();
                less.remove(key);
                Value::Object(less)
            })
            .collect(),
    });
    others
}

/// Places of a saved plan whose edits are refused.
const REFUSED: [&str; 17] = [
    "/plan/policies/*/rules/*/place/line",
    "/plan/policies/*/rules/*/place/file",
    "/plan/policies/*/rules/*/wants",
    "/plan/tenant/domain",
    "/plan/sandbox",
    "/plan/inScope",
    "/plan/made",
    "/plan/brakes/*/limit",
    "/plan/basis/breakGlass/*",
    "/user/name",
    "/user/part/before",
    "/user/part/withheld/*/reason/conflict",
    "/user/part/withheld/*/cause",
    "/user/part/reported/*/policy",
    "/finding/message",
    "/finding/help",
    "/finding/users/*",
];

/// A person edits one value of a saved plan and corrects its digest. The plan is refused, or its output is
/// unchanged.
#[test]
fn edited_place_that_counts_is_refused() {
    each_edit_is_refused_or_changes_nothing(1, 40, |path| REFUSED.contains(&path));
}

#[test]
#[ignore = "long: edits two places of each kind, where the quick test edits one of a few kinds"]
fn edited_saved_plan_is_refused_or_shown_unchanged() {
    each_edit_is_refused_or_changes_nothing(2, 500, |_| true);
}

/// Edits so many places of each path that is wanted, one value at a time: at least so many edits.
fn each_edit_is_refused_or_changes_nothing(
    places_of_each: usize,
    least: usize,
    is_wanted: impl Fn(&str) -> bool,
) {
    let world = exchangelabs().world().file("policies/many.yaml", MANY);
    let run = world.run(&["plan", "--out", FILE]).ends(0);
    for part in ["Reported only", "withheld", "policy-conflict", "user-not-found"] {
        assert!(run.stdout.contains(part), "{}", run.text());
    }
    let good = fs::read_to_string(world.path(FILE)).expect("a plan");
    let mut rows: Vec<Value> =
        good.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    rows.pop();
    let original = shown(&world.path(FILE)).expect("a plan as it was saved");
    // A few places of each path, and the values that occur there.
    let mut places: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (row, value) in rows.iter().enumerate() {
        let mut found = Vec::new();
        leaves(value, "", "", &mut found);
        for (path, pointer) in found {
            let value = value.pointer(&pointer).expect("a value").clone();
            let known = seen.entry(path.clone()).or_default();
            if !known.contains(&value) {
                known.push(value);
                places.entry(path).or_default().push((row, pointer));
            }
        }
    }
    let (mut tried, mut refused, mut alike) = (0, BTreeSet::new(), BTreeSet::new());
    let edited = world.path("edited.plan");
    for (path, places) in places.iter().filter(|(path, _)| is_wanted(path)) {
        for (row, pointer) in places.iter().take(places_of_each) {
            let value = rows[*row].pointer(pointer).expect("a value").clone();
            for other in others(&value, &seen[path]) {
                let mut rows = rows.clone();
                *rows[*row].pointer_mut(pointer).expect("a value") = other.clone();
                let mut text: String = rows.iter().map(|row| format!("{row}\n")).collect();
                let digest = sha2::Sha256::digest(text.as_bytes());
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                text += &format!("{}\n", json!({ "digest": digest }));
                fs::write(&edited, text).expect("a file");
                tried += 1;
                match shown(&edited) {
                    None => _ = refused.insert(path.as_str()),
                    Some(now) => {
                        assert!(
                            now == original,
                            "{path}: {value} was changed to {other} unnoticed"
                        );
                        alike.insert(path.as_str());
                    }
                }
            }
        }
    }
    assert!(tried > least, "{tried} edits");
    for path in REFUSED {
        assert!(refused.contains(path), "{path} was not tried, in {refused:#?}");
        assert!(!alike.contains(path), "an edit of {path} changes nothing");
    }
}

//! Guards that a change of the files makes weaker: for each code, a change that is reported with its place and
//! its users, and the reverse change, which is not.
//!
//! Not here: how a review is shown (`against`), or the property over invented tenants (`loosened_users`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

mod rows;
mod ways;

use std::collections::BTreeSet;

use mfactl::finding::Code;
use serde_json::{Value, json};

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{Run, World};
use rows::{
    EXCEPT_BART, Edit, POLICY, PROJECT, Row, SERVICES, Seen, of_exceptions, of_policies,
    of_the_project, rows,
};
use ways::{Steps, Way};

/// The two files, after some edits.
#[derive(Clone)]
struct Files([String; 2]);

impl Files {
    fn edited(mut self, edits: &[Edit]) -> Self {
        for (from, to) in edits {
            let found: usize = self.0.iter().map(|text| text.matches(from).count()).sum();
            assert_eq!(found, 1, "{from}");
            self.0 = self.0.map(|text| text.replace(from, to));
        }
        self
    }

    fn write(&self, world: World, folder: &str, is_offline: bool) -> World {
        let id = |name: &str| {
            let (_, user) = world.call("GET", &format!("/v1.0/users/{name}@exchangelabs.nl"), None);
            user["id"].as_str().expect("an id").to_owned()
        };
        let (bart, alex) = (id("b.devries"), id("a.vermeulen"));
        let [project, policy] = self.0.clone().map(|text| {
            let text = text.replace("ID_OF_BART", &bart).replace("ID_OF_ALEX", &alex);
            text.replace("SERVICES", SERVICES)
        });
        let project = if is_offline { project } else { world.project(&project) };
        world
            .file(&format!("{folder}/mfactl.yaml"), project)
            .file(&format!("{folder}/policies/staff.yaml"), policy)
    }
}

/// Returns the loosenings of a change from one folder to the other.
fn loosenings(world: &World, base: &str, head: &str) -> Vec<Value> {
    let config = format!("{head}/mfactl.yaml");
    let run = world.run(&["--config", &config, "plan", "--against", base, "--format", "json"]);
    if run.code != Some(0) {
        return vec![json!({ "code": run.text() })];
    }
    let plan: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let difference = &plan["difference"];
    assert_eq!(difference["compared"], json!(true), "{difference}");
    difference["change"]["loosenings"].as_array().expect("a list").clone()
}

fn validated(world: &World, base: &str, head: &str, more: &[&str]) -> Run {
    let config = format!("{head}/mfactl.yaml");
    world.run(&[&["--config", &config, "validate", "--against", base], more].concat())
}

fn warnings(world: &World, base: &str, head: &str) -> Vec<Value> {
    let run = validated(world, base, head, &["--format", "json"]).ends(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    document["findings"].as_array().expect("a list").clone()
}

fn described(one: &Value) -> String {
    let (side, origin) = (&one["side"], &one["origin"]);
    let place = format!(
        "{} {}:{}",
        side.as_str().unwrap_or("?"),
        origin["file"].as_str().unwrap_or("?"),
        origin["line"]
    );
    let concerned = one["users"].as_u64().zip(one["administrators"].as_u64());
    format!("{} {place} {concerned:?}", one["code"].as_str().unwrap_or("?"))
}

/// The directions in which the files of a row are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directions {
    Forward,
    Both,
}

/// Codes of changes that have the same code in the other direction.
const MUTUAL: [&str; 2] = ["tenant-changed", "run-store-moved"];

/// Compares one row.
fn compared<W: Way>(way: W, row: &Row, directions: Directions, wrong: &mut Vec<String>) -> W {
    let is_offline = row.seen == Seen::Offline;
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]).edited(row.base);
    let head = base.clone().edited(row.head);
    let way = way.write(&base, "base", is_offline).write(&head, "head", is_offline);
    let expected = format!("{} {} {:?}", row.code, row.place, row.concerned);
    if !is_offline {
        let found = way.with_tenant("base", "head");
        if found != [expected.clone()] {
            wrong.push(format!("{:?}: expected {expected}, found {found:?}", row.head));
        }
        let back = match directions {
            Directions::Forward => Vec::new(),
            Directions::Both => way.with_tenant("head", "base"),
        };
        let is_mutual = MUTUAL.contains(&row.code);
        if !is_mutual && back.iter().any(|one| one.split(' ').next() == Some(row.code)) {
            wrong.push(format!("{:?}: the reverse change is reported: {back:?}", row.head));
        }
    }
    if row.seen != Seen::WithTenant {
        let found = way.offline("base", "head");
        let own: Vec<_> = found.iter().filter(|(code, _)| code == row.code).collect();
        let line =
            row.place.strip_prefix("head ").and_then(|at| at.split(':').nth(1)?.parse().ok());
        if own.len() != 1 || own[0].1 != line {
            wrong.push(format!("{:?}: offline: {expected}, found {found:#?}", row.head));
        }
        let back = match directions {
            Directions::Forward => Vec::new(),
            Directions::Both => way.offline("head", "base"),
        };
        // Each of two tenants is another one, and so is each of two places.
        let is_mutual = MUTUAL.contains(&row.code);
        if !is_mutual && back.iter().any(|(code, _)| code == row.code) {
            wrong.push(format!("{:?}: offline, the reverse is reported: {back:?}", row.head));
        }
    }
    way
}

/// Compares the rows with one tenant.
fn each_is_reported(mut way: impl Way, rows: &[Row], directions: Directions) {
    let mut wrong = Vec::new();
    for row in rows {
        way = compared(way, row, directions, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_weaker_policy_is_reported() {
    each_is_reported(Steps::new(), &of_policies(), Directions::Both);
}

#[test]
fn each_weaker_exception_is_reported() {
    each_is_reported(Steps::new(), &of_exceptions(), Directions::Both);
}

#[test]
fn each_weaker_key_of_the_project_is_reported() {
    each_is_reported(Steps::new(), &of_the_project(), Directions::Both);
}

/// One row with a place in the head, and one with a place in the base.
#[test]
fn weaker_policy_is_reported_by_the_program() {
    let rows = of_policies();
    each_is_reported(exchangelabs().served(), &rows[1..3], Directions::Forward);
}

#[test]
#[ignore = "long: compares every row with the program, where the quick tests take its steps"]
fn each_weaker_guard_and_no_stronger_one_is_reported_by_the_program() {
    each_is_reported(exchangelabs().served(), &rows(), Directions::Both);
}

/// The codes between the first and the last code of a review.
#[test]
fn each_code_has_a_row() {
    let codes = Code::ALL.iter().skip_while(|code| **code != Code::PolicyRemoved);
    let rows = rows();
    for code in codes.take_while(|code| **code != Code::NotCompared) {
        assert!(rows.iter().any(|row| row.code == code.as_str()), "{code} has no row");
    }
}

/// What loosens nothing: the base, the head.
const HARMLESS: &[(&[Edit], &[Edit])] = &[
    (&[], &[("  staff:\n", "  # a comment\n  staff:\n")]),
    (
        &[],
        &[(
            "      groups: [MFA Pilot]\n      users: [a.vermeulen@exchangelabs.nl, m.dekoning@exchangelabs.nl]\n",
            "      users: [m.dekoning@exchangelabs.nl, a.vermeulen@exchangelabs.nl]\n      groups: [MFA Pilot]\n",
        )],
    ),
    (&[], &[("  staff:\n", "  personnel:\n")]),
    (&[], &[("  staff:\n", "  staff:\n    description: A description\n")]),
    (&[], &[("from: mobilePhone", "from: [mobilePhone]")]),
    (&[], &[(EXCEPT_BART, "")]),
];

#[test]
fn reordered_renamed_and_commented_files_loosen_nothing() {
    loosen_nothing(Steps::new());
}

#[test]
#[ignore = "long: asks the program, where the quick test takes its steps"]
fn reordered_renamed_and_commented_files_loosen_nothing_in_the_program() {
    loosen_nothing(exchangelabs().served());
}

fn loosen_nothing(mut way: impl Way) {
    for (base, head) in HARMLESS {
        let base = Files([PROJECT.to_owned(), POLICY.to_owned()]).edited(base);
        let changed = base.clone().edited(head);
        way = way.write(&base, "base", false).write(&changed, "head", false);
        assert_eq!(way.with_tenant("base", "head"), Vec::<String>::new(), "{head:?}");
        assert_eq!(way.offline("base", "head"), Vec::new(), "{head:?}");
    }
}

/// A policy that covers the users of a removed one as well.
#[test]
fn users_that_another_policy_covers_as_well_are_not_counted() {
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]);
    let stronger = base.clone().edited(&[("perUserMfa: enabled", "perUserMfa: enforced")]);
    let without = |files: &Files| {
        let pilot = files.0[1].find("  pilot:").expect("the policy");
        Files([files.0[0].clone(), files.0[1][..pilot].to_owned()])
    };
    let world = exchangelabs().served();
    // `pilot` decides nothing, because `staff` decides for each of its users.
    let world = without(&stronger).write(stronger.write(world, "base", false), "head", false);
    assert_eq!(loosenings(&world, "base", "head"), Vec::<Value>::new());
    let codes = |found: Vec<Value>| {
        found.iter().map(|one| one["code"].as_str().expect("a code").to_owned()).collect::<Vec<_>>()
    };
    // Without a tenant, that is unknown.
    assert_eq!(codes(warnings(&world, "base", "head")), ["policy-removed"]);
}

/// Without a tenant, a policy counts as overtaking if it could win over another one for more users than before.
#[test]
fn policy_that_could_win_for_more_users_is_reported_without_a_tenant() {
    could_win_for_more_users(Steps::new());
}

#[test]
#[ignore = "long: asks the program, where the quick test takes its steps"]
fn policy_that_could_win_for_more_users_is_reported_by_the_program() {
    could_win_for_more_users(exchangelabs().served());
}

fn could_win_for_more_users(mut way: impl Way) {
    const QUIET: &str = "
  quiet:
    priority: 1
    appliesTo: { users: [h.peters@exchangelabs.nl] }
    desired: { perUserMfa: unmanaged, systemPreferredMfa: unmanaged }
";
    const WEAK: &str = "
  weak:
    priority: 1
    appliesTo: { users: [h.peters@exchangelabs.nl] }
    except:
      - { groups: [{ id: 0b7d2c55-81e6-4f39-a2c0-97d4e13b6f08 }], until: 2027-06-01 }
    desired: { perUserMfa: disabled }
";
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]);
    let with = |more: &str| Files([base.0[0].clone(), base.0[1].trim_end().to_owned() + more]);
    let everyone = |text: &str| text.replace("users: [h.peters@exchangelabs.nl]", "everyone: true");
    for (before, now, code) in [
        (base.clone(), with(QUIET), Some("setting-unmanaged")),
        (with(QUIET), with(&everyone(QUIET)), Some("setting-unmanaged")),
        (with(WEAK), with(&everyone(WEAK)), Some("rule-overtaken")),
        (with(WEAK), with(&WEAK.replace("2027-06-01", "2027-03-01")), Some("rule-overtaken")),
        (with(&everyone(WEAK)), with(WEAK), Some("scope-narrowed")),
        (with(QUIET), base.clone(), None),
        (with(WEAK), with(WEAK), None),
    ] {
        way = way.write(&before, "base", true).write(&now, "head", true);
        let found = way.offline("base", "head");
        let codes: BTreeSet<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, code.into_iter().collect(), "{}", now.0[1]);
    }
}

#[test]
fn validate_names_the_place_and_ends_by_fail_on() {
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]);
    let head = base.clone().edited(&[
        ("perUserMfa: enforced", "perUserMfa: enabled"),
        ("      systemPreferredMfa: true\n", ""),
    ]);
    let world = exchangelabs().served();
    let world = head.write(base.write(world, "base", true), "head", true);
    let text = validated(&world, "base", "head", &[]).ends(0);
    for words in [
        "warning[rule-weakened]: policy `staff` wants less of `perUserMfa`: enforced before, enabled now",
        "head/policies/staff.yaml:17:",
        "warning[setting-unmanaged]: policy `staff` no longer manages `systemPreferredMfa` (`policies/staff.yaml:17` of `base`)",
        "2 warnings",
    ] {
        assert!(text.stderr.contains(words), "{words}\n{}", text.text());
    }
    assert_eq!(text.stdout, "2 policies in 2 files: no errors\n");
    for format in ["json", "github", "sarif", "codeclimate", "azure", "junit"] {
        let run = validated(&world, "base", "head", &["--format", format]).ends(0);
        assert!(run.stdout.contains("rule-weakened"), "{format}: {}", run.text());
        assert_eq!(run.stderr, text.stderr, "{format}");
    }
    let run = validated(&world, "base", "head", &["--fail-on", "loosened"]).ends(2);
    assert!(run.stderr.contains("--fail-on loosened: met"), "{}", run.text());
    validated(&world, "head", "head", &["--fail-on", "loosened"]).ends(0);
    let world = world.file("base/policies/staff.yaml", "version: 1\npolicies: {}\n");
    let run = validated(&world, "base", "head", &["--fail-on", "loosened"]).ends(2);
    assert!(run.stderr.contains("warning[not-compared]"), "{}", run.text());
    assert!(run.stderr.contains("perhaps, because it is not compared"), "{}", run.text());
    validated(&world, "base", "head", &[]).ends(0);
    // A fault in the head is an error, with the base or without it.
    let world = world.file("head/policies/staff.yaml", "version: 1\npolicies: {}\n");
    validated(&world, "base", "head", &["--fail-on", "loosened"]).ends(3);
    validated(&world, "nowhere", "base", &[]).ends(3);
}

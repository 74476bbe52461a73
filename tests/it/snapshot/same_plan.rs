//! A plan of a snapshot is the plan of the tenant at that time: for each seed through the program, and for
//! invented tenants inside the test.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::cell::Cell;
use std::collections::BTreeMap;

use mfactl::id::UserId;
use mfactl::plan::Plan;
use mfactl::snapshot::pseudonym::RecordingKey;
use mfactl_sandbox::seeds;
use proptest::prelude::*;
use serde_json::Value;

use crate::plan::promises::{holds, policies};
use crate::support::inside::{as_json, printed, shown_plan};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{JAMES_AND_JANE, Run, World};

pub(crate) const KEY: &str = "a secret of 25 characters";
const FILE: &str = "tenant.snapshot";

/// Returns an output without the line that says what it is.
fn without_the_line(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.starts_with("from a snapshot of ")).collect()
}

/// The pseudonyms of users, as they are in a snapshot with the key, with their real words.
pub(crate) struct Renamed(BTreeMap<String, String>);

impl Renamed {
    pub(crate) fn of(world: &World) -> Self {
        let key = RecordingKey::new(KEY.as_bytes(), false);
        let store = world.server().store();
        let mut words = BTreeMap::new();
        for record in store.users() {
            let word = |name: &str| record.user[name].as_str().unwrap_or_default().to_owned();
            words.extend(Self::words(
                &key,
                word("id").parse().expect("an id"),
                &word("userPrincipalName"),
            ));
        }
        Self(words)
    }

    fn words(key: &RecordingKey, id: UserId, name: &str) -> [(String, String); 2] {
        let pseudonym = key.id(id);
        let short = pseudonym.as_uuid().simple().to_string();
        let domain = name.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        let called = format!("u-{}@{domain}", &short[..16]);
        [(pseudonym.to_string(), id.to_string()), (called, name.to_owned())]
    }

    fn of_plan(plan: &Plan) -> Self {
        let key = RecordingKey::new(KEY.as_bytes(), false);
        let users = plan.directory.users();
        let words = users.flat_map(|(_, user)| Self::words(&key, user.id, user.name.raw()));
        Self(words.collect())
    }

    /// Returns the text with real words in place of pseudonyms.
    pub(crate) fn undone(&self, text: &str) -> String {
        let mut undone = String::new();
        let belongs = |letter: char| letter.is_ascii_alphanumeric() || "-@.".contains(letter);
        for piece in text.split_inclusive(|letter| !belongs(letter)) {
            let word = piece.trim_end_matches(|letter| !belongs(letter));
            let rest = piece.strip_prefix(word).unwrap_or_default();
            undone += self.0.get(word).map_or(word, String::as_str);
            undone += rest;
        }
        undone
    }

    /// Returns a document without the order of users, which follows their names.
    pub(crate) fn content(&self, json: &str) -> Value {
        let mut value: Value = serde_json::from_str(&self.undone(json)).expect("JSON");
        for key in ["fingerprint", "snapshot", "applyable"] {
            value.as_object_mut().expect("a document").remove(key);
        }
        self.unordered(value)
    }

    fn unordered(&self, value: Value) -> Value {
        match value {
            Value::Array(rows) => {
                let mut rows: Vec<Value> =
                    rows.into_iter().map(|row| self.unordered(row)).collect();
                rows.sort_by_key(Value::to_string);
                rows.into()
            }
            Value::Object(fields) => {
                fields.into_iter().map(|(key, value)| (key, self.unordered(value))).collect()
            }
            // A message names the first two users.
            Value::String(text) if text.contains("` and ") => {
                self.0.values().fold(text, |text, name| text.replace(name.as_str(), "USER")).into()
            }
            other => other,
        }
    }
}

fn snapshot(world: &World, arguments: &[&str]) -> Run {
    world.run(&[&["snapshot", "--out", FILE], arguments].concat()).ends(0)
}

fn is_the_same(world: World, renamed: Option<&str>) {
    let offline = |arguments: &[&str]| world.run(&[arguments, &["--snapshot", FILE]].concat());
    snapshot(&world, &["--names"]);
    let asked: [&[&str]; 7] = [
        &["plan", "--all"],
        &["plan"],
        &["plan", "--disclose", "counts"],
        &["plan", "--disclose", "pseudonyms"],
        &["report"],
        &["report", "--all", "--at", "2027-02-01"],
        &["report", "--format", "csv"],
    ];
    for arguments in asked {
        let (online, offline) = (world.run(arguments), offline(arguments));
        assert_eq!(without_the_line(&offline.stdout), online.stdout, "{arguments:?}");
        assert_eq!((&offline.stderr, offline.code), (&online.stderr, online.code));
    }
    let world = world.with("MFACTL_SNAPSHOT_KEY", KEY);
    let offline = |arguments: &[&str]| world.run(&[arguments, &["--snapshot", FILE]].concat());
    snapshot(&world, &[]);
    let names = Renamed::of(&world);
    for command in ["plan", "report"] {
        let arguments = [command, "--format", "json"];
        let (online, offline) = (world.run(&arguments).ends(0), offline(&arguments).ends(0));
        assert_eq!(names.content(&offline.stdout), names.content(&online.stdout), "{command}");
    }
    if let Some(user) = renamed {
        let arguments = ["explain", user, "--format", "json"];
        let (online, offline) = (world.run(&arguments).ends(0), offline(&arguments).ends(0));
        let without_reading = |text: &str| {
            let mut value = names.content(text);
            value.as_object_mut().expect("a document").remove("reading");
            value
        };
        assert_eq!(without_reading(&offline.stdout), without_reading(&online.stdout), "{user}");
    }
}

#[test]
fn plan_of_a_snapshot_is_the_plan_of_the_tenant() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    is_the_same(world, Some("j.brown@exchangelabs.nl"));
}

#[test]
#[ignore = "long: every seed"]
fn plan_of_a_snapshot_is_the_plan_of_the_tenant_for_each_seed() {
    assert!(seeds::names().len() > 1);
    let all = seeds::names().iter().map(|name| (*name).to_owned());
    for name in all.chain(["generated-300".to_owned()]) {
        let seed = seeds::by_name(&name).expect("a seed");
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let world = TenantBuilder::of(seed).world().copy(&root.join("policies"), "policies");
        is_the_same(world, None);
    }
}

fn recorded_plans_are_the_same(cases: u32, long: bool) {
    let (planned, refused) = (Cell::new(0), Cell::new(0));
    holds(cases, long, |case, _| {
        let Some(set) = policies(case) else { return Ok(()) };
        let inside = case.tenant().inside();
        let Some(online) = inside.shown_plan(&set) else {
            refused.set(refused.get() + 1);
            return Ok(());
        };
        let secret = KEY.as_bytes();
        let recorded = inside.recorded(&set, &RecordingKey::new(secret, true));
        let offline = shown_plan(&recorded, &set).expect("a plan of a snapshot with names");
        prop_assert!(offline.recorded.is_some());
        prop_assert!(offline.fingerprint != online.fingerprint, "it approves no other plan");
        let offline = Plan { recorded: None, fingerprint: online.fingerprint, ..offline };
        prop_assert_eq!(printed(&offline), printed(&online));

        let recorded = inside.recorded(&set, &RecordingKey::new(secret, false));
        let translated = recorded.snapshot().expect("a snapshot").translated(set.clone());
        let offline = shown_plan(&recorded, &translated).expect("a plan of a snapshot");
        let names = Renamed::of_plan(&online);
        let (one, other) = (names.content(&as_json(&offline)), names.content(&as_json(&online)));
        prop_assert_eq!(one, other);
        planned.set(planned.get() + 1);
        Ok(())
    });
    assert!(planned.get() > cases / 4, "{} planned, {} refused", planned.get(), refused.get());
}

#[test]
fn plan_of_a_snapshot_is_the_plan_of_an_invented_tenant() {
    recorded_plans_are_the_same(8, false);
}

#[test]
#[ignore = "long: many invented tenants"]
fn plan_of_a_snapshot_is_the_plan_of_many_invented_tenants() {
    recorded_plans_are_the_same(300, true);
}

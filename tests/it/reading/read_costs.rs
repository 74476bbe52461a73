//! The costs of a run and their output: `--stats`, the read strategy, and throttling.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::atomic::{AtomicUsize, Ordering};

use mfactl_sandbox::{Answering, Fault, Faults, Undocumented};
use serde_json::Value;

use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{Run, World};

/// A policy for all staff of a generated tenant.
pub(crate) const EVERYBODY: &str = "\
version: 1
policies:
  staff:
    appliesTo:
      groups: [All Staff]
    desired:
      perUserMfa: enabled
";

fn generated(users: u32, faults: Faults) -> World {
    let tenant = TenantBuilder::generated(users).faults(faults);
    tenant.world().file("policies/staff.yaml", EVERYBODY)
}

pub(crate) fn stats(run: &Run) -> Value {
    let line = run.stderr.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    let mut line: Value = serde_json::from_str(line).expect("JSON");
    line.get_mut("stats").expect("stats").take()
}

#[test]
fn stats_are_on_stderr_and_not_in_the_plan() {
    let world = exchangelabs().james_and_jane();
    let plain = world.run(&["plan"]).ends(0);
    let counted = world.run(&["plan", "--stats"]).ends(0);
    assert_eq!(plain.stdout, counted.stdout);
    assert_eq!(plain.stderr, "");
    let words: Vec<&str> =
        counted.stderr.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let expected = ["time", "requests", "parts", "throttled", "bodies"];
    assert_eq!(words.get(..5), Some(&expected[..]), "{}", counted.stderr);
    let json = stats(&world.run(&["plan", "--format", "json", "--stats"]).ends(0));
    assert_eq!(json["refused"], 0);
    assert!(json["requests"].as_u64() > json["batches"].as_u64(), "{json}");
    assert!(json["bytesReceived"].as_u64() > Some(1_000), "{json}");
}

/// The plan and its costs in a tenant of a thousand users, with this answer to one request per user.
fn asked_at_once(one_request_read: Answering) -> (String, Value) {
    let undocumented = Undocumented { one_request_read, ..Undocumented::default() };
    let tenant = TenantBuilder::generated(1_000).undocumented(undocumented);
    let world = tenant.world().file("policies/staff.yaml", EVERYBODY);
    let run = world.run(&["plan", "--all", "--format", "json", "--stats"]).ends(0);
    let stats = stats(&run);
    (run.stdout, stats)
}

#[test]
fn one_request_per_user_is_used_only_if_its_facts_are_true() {
    let (documented, cost) = asked_at_once(Answering::Refuse);
    let strategy = |cost: &Value| {
        let way = cost["ways"]["reading"].as_str().expect("a way").to_owned();
        (way, cost["readParts"].as_u64().expect("a number"))
    };
    let (way, parts) = strategy(&cost);
    assert_eq!(way, "documented requests: Graph refuses one request per user");
    assert!((2_000..2_020).contains(&parts), "{cost}");
    let (plan, cost) = asked_at_once(Answering::Allow);
    let (way, parts) = strategy(&cost);
    assert_eq!(way, "one request per user; a sample of documented requests agrees");
    assert!((1_100..1_140).contains(&parts), "{cost}");
    assert_eq!(plan, documented);
    let (plan, cost) = asked_at_once(Answering::Wrong);
    let (way, parts) = strategy(&cost);
    assert_eq!(way, "documented requests: one request per user returned different facts");
    assert!((2_000..2_300).contains(&parts), "{cost}");
    assert_eq!(plan, documented);
}

/// The plan and its costs, with this answer to the states in the list of users.
fn listed(bulk_state: Answering) -> (String, Value) {
    let undocumented = Undocumented { bulk_state, ..Undocumented::default() };
    let tenant = TenantBuilder::generated(1_200).undocumented(undocumented);
    let world = tenant.world().file("policies/staff.yaml", EVERYBODY);
    let run = world.run(&["plan", "--all", "--format", "json", "--stats"]).ends(0);
    let stats = stats(&run);
    (run.stdout, stats)
}

#[test]
fn states_come_from_the_list_of_users_only_if_they_are_true() {
    let (documented, _) = listed(Answering::Refuse);
    let (plan, cost) = listed(Answering::Allow);
    assert_eq!(plan, documented);
    let words = "the state from the list of users; a sample of documented requests agrees";
    assert_eq!(cost["ways"]["reading"], words);
    let parts = cost["readParts"].as_u64().expect("a number");
    assert!((1_250..1_280).contains(&parts), "{cost}");
    let (plan, cost) = listed(Answering::Wrong);
    assert_eq!(plan, documented);
    assert_eq!(
        cost["ways"]["reading"],
        "documented requests: the list of users showed a different state"
    );
}

#[test]
fn only_throttled_parts_are_asked_again() {
    let seen = AtomicUsize::new(0);
    let faults = Faults::by(move |part| {
        let counts = part.batch_part.is_some() && part.path.ends_with("/requirements");
        match counts && seen.fetch_add(1, Ordering::SeqCst) % 100 == 50 {
            true => Fault::Status {
                status: 429,
                code: "TooManyRequests".to_owned(),
                retry_after: Some(0),
            },
            false => Fault::None,
        }
    });
    let world = generated(400, faults);
    let json = stats(&world.run(&["plan", "--format", "json", "--stats"]).ends(0));
    let refused = json["refused"].as_u64().expect("a number");
    let parts = json["readParts"].as_u64().expect("a number");
    assert!(refused >= 4, "{json}");
    assert!(parts - refused <= 815, "{json}");
}

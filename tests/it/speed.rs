//! What a run costs, and that it can be seen: `--stats`, the way that was taken to read, and quotas
//! that are shared.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::atomic::{AtomicUsize, Ordering};

use mfactl::sandbox::{Fault, Faults, Options, seeds};
use serde_json::Value;

use crate::program::{exchangelabs, james_and_jane};
use crate::world::{Run, World};

/// Everybody in a generated tenant.
const EVERYBODY: &str = "\
version: 1
policies:
  staff:
    appliesTo:
      groups: [All Staff]
    desired:
      perUserMfa: enabled
";

fn generated(users: u32, faults: Faults) -> World {
    let options = Options { faults, ..Options::in_memory(seeds::generated(users)) };
    World::of(options).file("policies/staff.yaml", EVERYBODY)
}

fn stats(run: &Run) -> Value {
    let line = run.stderr.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    let mut line: Value = serde_json::from_str(line).expect("JSON");
    line["stats"].take()
}

#[test]
fn what_a_run_costs_is_said_beside_the_plan_and_not_in_it() {
    let world = james_and_jane(exchangelabs());
    let plain = world.run(&["plan"]).ends(0);
    let told = world.run(&["plan", "--stats"]).ends(0);
    assert_eq!(plain.stdout, told.stdout);
    assert_eq!(plain.stderr, "");
    let words: Vec<&str> =
        told.stderr.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let expected = ["time", "requests", "parts", "refused", "bodies"];
    assert_eq!(words.get(..5), Some(&expected[..]), "{}", told.stderr);
    let json = stats(&world.run(&["plan", "--format", "json", "--stats"]).ends(0));
    assert_eq!(json["refused"], 0);
    assert!(json["requests"].as_u64() > json["batches"].as_u64(), "{json}");
    assert!(json["bytesReceived"].as_u64() > Some(1_000), "{json}");
}

#[test]
fn a_tenant_that_does_not_answer_all_at_once_is_read_as_documented() {
    let world = generated(600, Faults::none());
    let json = stats(&world.run(&["plan", "--format", "json", "--stats"]).ends(0));
    let way = json["ways"]["reading"].as_str().expect("a way");
    assert!(way.starts_with("as documented: "), "{way}");
    // Methods and states of 600, the break-glass accounts, and one try of the other way.
    let parts = json["readParts"].as_u64().expect("a number");
    assert!((1_200..1_230).contains(&parts), "{json}");
}

#[test]
fn what_is_refused_is_asked_again_and_nothing_else() {
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

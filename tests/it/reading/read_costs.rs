//! What a run costs, and that it can be seen: `--stats`, the way that was taken to read, and quotas
//! that are shared.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::atomic::{AtomicUsize, Ordering};

use mfactl_sandbox::{Answering, Fault, Faults, Options, Undocumented, seeds};
use serde_json::Value;

use crate::cli::program::{exchangelabs, james_and_jane};
use crate::support::world::{Run, World};

/// Everybody in a generated tenant.
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
    let options = Options { faults, ..Options::in_memory(seeds::generated(users)) };
    World::of(options).file("policies/staff.yaml", EVERYBODY)
}

pub(crate) fn stats(run: &Run) -> Value {
    let line = run.stderr.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    let mut line: Value = serde_json::from_str(line).expect("JSON");
    line.get_mut("stats").expect("stats").take()
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
    let expected = ["time", "requests", "parts", "throttled", "bodies"];
    assert_eq!(words.get(..5), Some(&expected[..]), "{}", told.stderr);
    let json = stats(&world.run(&["plan", "--format", "json", "--stats"]).ends(0));
    assert_eq!(json["refused"], 0);
    assert!(json["requests"].as_u64() > json["batches"].as_u64(), "{json}");
    assert!(json["bytesReceived"].as_u64() > Some(1_000), "{json}");
}

/// The plan of a tenant of a thousand that answers everything about a user at once in this way, and
/// what it cost.
fn asked_at_once(one_request_read: Answering) -> (String, Value) {
    let undocumented = Undocumented { one_request_read, ..Undocumented::default() };
    let options = Options { undocumented, ..Options::in_memory(seeds::generated(1_000)) };
    let world = World::of(options).file("policies/staff.yaml", EVERYBODY);
    let run = world.run(&["plan", "--all", "--format", "json", "--stats"]).ends(0);
    let stats = stats(&run);
    (run.stdout, stats)
}

#[test]
fn one_request_reads_a_user_where_it_tells_what_the_documented_ones_tell() {
    let (documented, cost) = asked_at_once(Answering::Refuse);
    let told = |cost: &Value| {
        let way = cost["ways"]["reading"].as_str().expect("a way").to_owned();
        (way, cost["readParts"].as_u64().expect("a number"))
    };
    let (way, parts) = told(&cost);
    assert_eq!(way, "documented requests: Graph refuses one request per user");
    assert!((2_000..2_020).contains(&parts), "{cost}");
    let (plan, cost) = asked_at_once(Answering::Allow);
    let (way, parts) = told(&cost);
    assert_eq!(way, "one request per user; a sample of documented requests agrees");
    assert!((1_100..1_140).contains(&parts), "{cost}");
    assert_eq!(plan, documented);
    let (plan, cost) = asked_at_once(Answering::Wrong);
    let (way, parts) = told(&cost);
    assert_eq!(way, "documented requests: one request per user returned different facts");
    assert!((2_000..2_300).contains(&parts), "{cost}");
    assert_eq!(plan, documented);
}

/// The same plan where the list of users tells states in this way.
fn listed(bulk_state: Answering) -> (String, Value) {
    let undocumented = Undocumented { bulk_state, ..Undocumented::default() };
    let options = Options { undocumented, ..Options::in_memory(seeds::generated(1_200)) };
    let world = World::of(options).file("policies/staff.yaml", EVERYBODY);
    let run = world.run(&["plan", "--all", "--format", "json", "--stats"]).ends(0);
    let stats = stats(&run);
    (run.stdout, stats)
}

#[test]
fn states_come_from_the_list_of_users_where_it_tells_what_the_documented_requests_tell() {
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

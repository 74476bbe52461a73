//! Many applies of one tenant at the same time, with one store: one after the other writes.

use std::time::Duration;

use mfactl_sandbox::{Fault, Faults};
use serde_json::Value;

use super::{WRITES, world};
use crate::support::promise_checks::{nobody_signs_in_worse, nothing_is_written_twice};
use crate::support::store_servers::StoreServer;

/// Number of applies.
const RACERS: usize = 20;

#[test]
#[ignore = "long: twenty applies in each of two stores"]
fn twenty_racing_applies_write_one_at_a_time() {
    for kind in StoreServer::KINDS {
        let server = StoreServer::start(kind);
        // A write takes long enough that the others meet the lease.
        let slow = Faults::by(|part| match part.write {
            Some(_) => Fault::Slow(Duration::from_millis(300)),
            None => Fault::None,
        });
        let world = world(&server, &server.url(), slow);
        let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
            let apply = || world.run(&["apply", "--auto-approve"]);
            let racers: Vec<_> = (0..RACERS).map(|_| scope.spawn(apply)).collect();
            let ended = racers.into_iter().map(|racer| racer.join().expect("no panic"));
            ended
                .map(|run| {
                    assert!(matches!(run.code, Some(0 | 6)), "{kind:?}: {}", run.text());
                    run.code
                })
                .collect()
        });
        assert!(codes.contains(&Some(0)), "{kind:?}: {codes:?}");
        let store = world.server().store();
        assert_eq!(store.writes().len(), WRITES, "{kind:?}");
        nothing_is_written_twice(&store).expect("no write twice");
        nobody_signs_in_worse(&store).expect("nobody is worse off");
        let list = world.run(&["runs", "--format", "json"]).ends(0).stdout;
        let list: Value = serde_json::from_str(&list).expect("JSON");
        let runs = list.get("runs").and_then(Value::as_array).expect("runs");
        assert_eq!(runs.len(), 1, "{kind:?}: only one run had something to write");
    }
}

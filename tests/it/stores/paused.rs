//! A process that stands still for two minutes in the middle of a wave: another apply replaces it, and the first
//! one writes at most what it had already recorded.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfactl_sandbox::Fault;

use super::{WRITES, world};
use crate::apply::killed::at_write;
use crate::support::promise_checks::nobody_signs_in_worse;
use crate::support::store_servers::{StoreKind, StoreServer};

/// The most writes of one segment: those of a wave.
const OF_A_SEGMENT: usize = 40;

/// How long the process stands still.
const PAUSE: Duration = Duration::from_secs(120);

fn signal(name: &str, process: u32) {
    let id = process.to_string();
    let sent = Command::new("kill").args([name, &id]).status().expect("the program `kill`");
    assert!(sent.success(), "{name} {id}");
}

#[test]
#[cfg(unix)]
#[ignore = "long: a process stands still for two minutes"]
fn paused_apply_is_replaced_and_writes_no_more_than_it_recorded() {
    std::thread::scope(|scope| {
        for kind in StoreServer::KINDS {
            scope.spawn(move || replaced(kind));
        }
    });
}

fn replaced(kind: StoreKind) {
    let server = StoreServer::start(kind);
    let victim: Arc<Mutex<Option<u32>>> = Arc::default();
    let hand = Arc::clone(&victim);
    let faults = at_write(5, move || {
        let process = *hand.lock().expect("no panic");
        signal("-STOP", process.expect("a process"));
        Fault::None
    });
    let world = world(&server, &server.url(), faults);
    let begun = Instant::now();
    let paused = {
        let mut place = victim.lock().expect("no panic");
        let mut command = world.command(&["apply", "--auto-approve"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program");
        *place = Some(child.id());
        child
    };
    std::thread::sleep(Duration::from_secs(3));
    let second = world.run(&["apply", "--auto-approve"]).ends(0);
    let took_over = begun.elapsed();
    assert!(took_over > Duration::from_secs(60), "{kind:?}: {took_over:?}");
    assert!(second.stderr.contains("was cut off"), "{kind:?}: {}", second.text());
    let between = world.server().store().writes().len();
    assert_eq!(between, WRITES, "{kind:?}: {}", second.text());
    std::thread::sleep(PAUSE.saturating_sub(begun.elapsed()));
    signal("-CONT", paused.id());
    let first = paused.wait_with_output().expect("an end");
    let said = world.alike(&first.stderr);
    assert!(matches!(first.status.code(), Some(5 | 6)), "{kind:?}: {said}");
    assert!(said.contains("writes to this tenant now") || said.contains("took over"), "{said}");
    let store = world.server().store();
    assert!(store.writes().len() - between <= OF_A_SEGMENT, "{kind:?}: {said}");
    nobody_signs_in_worse(&store).expect("nobody is worse off");
    let list = world.run(&["runs"]).ends(0);
    assert!(!list.text().contains("damaged"), "{kind:?}: {}", list.text());
    world.run(&["apply", "--auto-approve"]).ends(0);
}

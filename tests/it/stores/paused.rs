//! A process that stands still for two minutes in the middle of a wave: another apply replaces it, and the first
//! one writes at most what it had already recorded.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfactl_sandbox::{Fault, Faults};

use super::{WRITES, world};
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

/// When the process is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PausedAt {
    /// While the basis of the plan is read again, before its journal begins.
    Begin,
    /// In the middle of a wave.
    Wave,
}

#[test]
#[cfg(unix)]
#[ignore = "long: a process stands still for two minutes"]
fn paused_apply_is_replaced_and_writes_no_more_than_it_recorded() {
    std::thread::scope(|scope| {
        for kind in StoreServer::KINDS {
            for at in [PausedAt::Begin, PausedAt::Wave] {
                scope.spawn(move || replaced(kind, at));
            }
        }
    });
}

/// Pauses a process at that moment, once.
fn paused_by(at: PausedAt, victim: Arc<Mutex<Option<u32>>>) -> Faults {
    let seen = AtomicUsize::new(0);
    Faults::by(move |part| {
        let is_one = match at {
            PausedAt::Wave => part.write.is_some(),
            PausedAt::Begin => part.path.contains("conditionalAccess/policies"),
        };
        let most = if at == PausedAt::Wave { 5 } else { 2 };
        if is_one && seen.fetch_add(1, Ordering::SeqCst) + 1 == most {
            let process = *victim.lock().expect("no panic");
            signal("-STOP", process.expect("a process"));
        }
        Fault::None
    })
}

fn replaced(kind: StoreKind, at: PausedAt) {
    let server = StoreServer::start(kind);
    let victim: Arc<Mutex<Option<u32>>> = Arc::default();
    let world = world(&server, &server.url(), paused_by(at, Arc::clone(&victim)));
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
    assert!(took_over > Duration::from_secs(60), "{kind:?} {at:?}: {took_over:?}");
    let was_cut_off = second.stderr.contains("was cut off");
    assert_eq!(was_cut_off, at == PausedAt::Wave, "{kind:?} {at:?}: {}", second.text());
    let between = world.server().store().writes().len();
    assert_eq!(between, WRITES, "{kind:?} {at:?}: {}", second.text());
    std::thread::sleep(PAUSE.saturating_sub(begun.elapsed()));
    signal("-CONT", paused.id());
    let first = paused.wait_with_output().expect("an end");
    let said = world.alike(&first.stderr);
    assert!(matches!(first.status.code(), Some(4..=6)), "{kind:?} {at:?}: {said}");
    let store = world.server().store();
    let most = if at == PausedAt::Wave { OF_A_SEGMENT } else { 0 };
    assert!(store.writes().len() - between <= most, "{kind:?} {at:?}: {said}");
    nobody_signs_in_worse(&store).expect("nobody is worse off");
    let list = world.run(&["runs"]).ends(0);
    assert!(!list.text().contains("damaged"), "{kind:?} {at:?}: {}", list.text());
    world.run(&["runs", "verify"]).ends(0);
    world.run(&["apply", "--auto-approve"]).ends(0);
}

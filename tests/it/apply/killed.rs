//! The program killed in the middle of an apply: before a write is answered, done or not. Nobody is
//! worse off, the journal reads, and the next apply ends what this one began, with no write twice.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfactl::journal::{self, JournalDir, Past};
use mfactl_sandbox::{Fault, Faults, Options, PartInfo, Store, seeds};

use crate::cli::program::exchangelabs;
use crate::support::promise_checks::{nobody_signs_in_worse, nothing_is_written_twice};
use crate::support::world::World;

/// A phone, and MFA after it.
const STAFF: &str = "\
version: 1
policies:
  staff:
    appliesTo: { groups: [All Staff] }
    desired:
      phones: { mobile: { from: mobilePhone } }
      perUserMfa: enabled
";

/// What it comes to in the tenant of the seed: so many phones, and as many states on top of them.
const PHONES: usize = 37;
const WRITES: usize = 68;

/// And in a generated tenant of a hundred.
const OF_A_HUNDRED: usize = 162;

/// The tenant of the seed, and one policy for all its staff.
pub(crate) fn everybody() -> World {
    everybody_with(Faults::none())
}

pub(crate) fn everybody_with(faults: Faults) -> World {
    World::of(Options { faults, ..exchangelabs() }).file("policies/staff.yaml", STAFF)
}

/// Calls somebody at the n-th write, counted from 1; what they answer becomes of that write.
pub(crate) fn at_write(n: usize, call: impl Fn() -> Fault + Send + Sync + 'static) -> Faults {
    let seen = AtomicUsize::new(0);
    Faults::by(move |part: &PartInfo| {
        let is_it = part.write.is_some() && seen.fetch_add(1, Ordering::SeqCst) + 1 == n;
        if is_it { call() } else { Fault::None }
    })
}

/// The journals in a world, oldest first.
pub(crate) fn journals(world: &World) -> Vec<Past> {
    let folder = world.path(".mfactl");
    let desk = JournalDir { folder: &folder, keep_numbers: true };
    let runs = journal::runs(desk).expect("a folder");
    runs.iter().map(|run| journal::past(desk, run).expect("a journal")).collect()
}

/// The tenant once nothing is written any more: it does what it was sent in its own time.
fn quiet(world: &World) -> Store {
    let mut last = usize::MAX;
    loop {
        let store = world.server().store();
        if store.writes().len() == last {
            return store;
        }
        last = store.writes().len();
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn kill_at(n: usize, done: bool) {
    kill((everybody_with, WRITES), n, done);
}

/// Kills an apply of so many writes at one of them, and applies again.
fn kill((world, writes): (impl Fn(Faults) -> World, usize), n: usize, done: bool) {
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    let hand = Arc::clone(&victim);
    let faults = at_write(n, move || {
        if let Some(child) = &mut *hand.lock().expect("no panic") {
            child.kill().expect("a child to kill");
        }
        if done { Fault::CloseAfter } else { Fault::CloseBefore }
    });
    let world = world(faults);
    {
        let mut place = victim.lock().expect("no panic");
        let mut command = world.command(&["apply", "--auto-approve"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        *place = Some(command.spawn().expect("the program"));
    }
    let status = loop {
        let mut child = victim.lock().expect("no panic");
        if let Some(status) = child.as_mut().and_then(|child| child.try_wait().expect("a child")) {
            *child = None;
            break status;
        }
        drop(child);
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), None, "it was killed at {n}");
    let cut_off = quiet(&world);
    // Whatever was written was noted before.
    let [past] = journals(&world).try_into().expect("one journal");
    assert!(past.end.is_none(), "killed at {n}");
    assert!(past.told.len() >= cut_off.writes().len(), "killed at {n}");
    assert!(past.told.iter().any(|told| told.ended.is_none()), "killed at {n}");

    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stderr.contains("was cut off: "), "{}", run.text());
    assert!(run.stderr.contains("the outcome was unknown; it was"), "{}", run.text());
    let left =
        if cut_off.writes().len() < writes { "nothing is left to do" } else { "No changes." };
    assert!(run.stdout.contains(left), "killed at {n}: {}", run.text());
    let store = world.server().store();
    assert_eq!(store.writes().len(), writes, "killed at {n}");
    nothing_is_written_twice(&store).expect("no write twice");
    // At every moment, and so also where it was cut off.
    nobody_signs_in_worse(&store).expect("nobody is worse off");
    for past in journals(&world) {
        let end = past.end.expect("every journal is closed");
        assert!(past.told.iter().all(|told| told.ended.is_some()), "killed at {n}");
        let done = past.told.iter().filter(|told| {
            told.ended
                .as_ref()
                .is_some_and(|noted| noted.fate == mfactl::results::WriteResult::Done)
        });
        assert_eq!(done.count(), end.counts.done, "killed at {n}");
    }
}

#[test]
fn killed_at_any_write_nobody_is_worse_off_and_the_next_apply_ends_it() {
    let places = (1..=WRITES).filter(|n| *n == 1 || *n == WRITES || n % 11 == 0);
    // The next apply waits some seconds for what may still be under way.
    std::thread::scope(|scope| {
        for (place, n) in places.enumerate() {
            scope.spawn(move || kill_at(n, place % 2 == 0));
        }
    });
}

/// A tenant of more people than one wave, with regions for their numbers.
fn a_hundred(faults: Faults) -> World {
    let options = Options { faults, ..Options::in_memory(seeds::generated(100)) };
    let staff = STAFF.replace("from: mobilePhone", "from: mobilePhone, region: usageLocation");
    World::of(options).file("policies/staff.yaml", staff)
}

#[test]
fn killed_with_several_waves_under_way_nobody_is_worse_off_and_nothing_is_written_twice() {
    for (place, n) in [41, 110].into_iter().enumerate() {
        kill((a_hundred, OF_A_HUNDRED), n, place % 2 == 0);
    }
}

#[test]
#[ignore = "long: the program is killed at each of 68 writes, twice"]
fn killed_at_every_write_nobody_is_worse_off_and_the_next_apply_ends_it() {
    for first in (1..=WRITES).step_by(4) {
        std::thread::scope(|scope| {
            for n in first..=WRITES.min(first + 3) {
                scope.spawn(move || kill_at(n, false));
                scope.spawn(move || kill_at(n, true));
            }
        });
    }
}

#[test]
#[cfg(unix)]
fn asked_to_stop_it_finishes_what_is_under_way_and_says_what_is_not_done() {
    for (signal, name) in [("-TERM", "SIGTERM"), ("-INT", "SIGINT")] {
        let victim: Arc<Mutex<Option<u32>>> = Arc::default();
        let hand = Arc::clone(&victim);
        let world = everybody_with(at_write(1, move || {
            let id = hand.lock().expect("no panic").expect("a process").to_string();
            let sent = Command::new("kill").args([signal, &id]).status().expect("kill");
            assert!(sent.success());
            Fault::None
        }));
        let child = {
            let mut place = victim.lock().expect("no panic");
            let mut command = world.command(&["apply", "--auto-approve"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let child = command.spawn().expect("the program");
            *place = Some(child.id());
            child
        };
        let output = child.wait_with_output().expect("an end");
        let (said, talk) = (world.alike(&output.stdout), world.alike(&output.stderr));
        assert_eq!(output.status.code(), Some(5), "{said}{talk}");
        assert!(
            said.contains(&format!("{PHONES} changes done · 0 failed · 0 changed since the plan")),
            "{said}"
        );
        assert!(said.contains(&format!("stopped: by {name}")), "{said}");
        assert!(talk.contains("work in progress is finished"), "{talk}");
        assert_eq!(world.server().store().writes().len(), PHONES);
        let [past] = journals(&world).try_into().expect("one journal");
        let stopped = past.end.expect("it was closed").stopped;
        assert_eq!(stopped, Some(format!("by {name}")));
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(!run.stderr.contains("cut off"), "{}", run.text());
        assert_eq!(world.server().store().writes().len(), WRITES);
    }
}

/// The writes of a run hang, with or without being done; a second signal ends it without waiting.
#[cfg(unix)]
fn ended_at_once(signals: [&str; 2]) {
    let (tell, told) = std::sync::mpsc::channel();
    let hangs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&hangs);
    let tell = Mutex::new(tell);
    let world = everybody_with(Faults::by(move |part| {
        if part.write.is_none() || !still.load(Ordering::SeqCst) {
            return Fault::None;
        }
        _ = tell.lock().expect("no panic").send(());
        Fault::Slow(Duration::from_secs(300))
    }));
    let mut command = world.command(&["apply", "--auto-approve"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    let signal = |signal: &str| {
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    };
    told.recv_timeout(Duration::from_secs(60)).expect("a write");
    // All of the batches that are under way.
    while told.recv_timeout(Duration::from_millis(500)).is_ok() {}
    let under_way = world.server().store().writes().len();
    assert!(under_way > 0);
    signal(signals[0]);
    std::thread::sleep(Duration::from_millis(700));
    signal(signals[1]);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it waits for Graph");
        std::thread::sleep(Duration::from_millis(20));
    };
    let output = child.wait_with_output().expect("an end");
    let talk = world.alike(&output.stderr);
    assert_eq!(status.code(), Some(5), "{talk}");
    assert!(talk.contains("stopping: work in progress is finished"), "{talk}");
    let last = talk.lines().last().expect("a line");
    let are = format!("stopped at once: the outcome of {under_way} writes is unknown");
    assert!(last.starts_with(&are), "{talk}");
    assert!(last.contains("the next `mfactl apply` checks"), "{talk}");
    let [past] = journals(&world).try_into().expect("one journal");
    assert!(past.end.is_none(), "it came to no end");
    assert_eq!(past.told.iter().filter(|told| told.ended.is_none()).count(), under_way);

    hangs.store(false, Ordering::SeqCst);
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    let found = run.stderr.matches("the outcome was unknown; it was done").count();
    assert_eq!(found, under_way, "{}", run.text());
    assert_eq!(world.server().store().writes().len(), WRITES, "nothing twice");
    assert!(journals(&world).iter().all(|past| past.end.is_some()));
}

#[test]
#[cfg(unix)]
fn a_second_signal_ends_it_at_once_and_says_what_is_not_known() {
    std::thread::scope(|scope| {
        for signals in [["-INT", "-INT"], ["-TERM", "-TERM"], ["-INT", "-TERM"]] {
            scope.spawn(move || ended_at_once(signals));
        }
    });
}

/// All is written and noted, and the plan after it hangs.
#[test]
#[cfg(unix)]
fn a_signal_after_the_last_write_ends_it_at_once() {
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let writes = AtomicUsize::new(0);
    let world = everybody_with(Faults::by(move |part| {
        if part.write.is_some() {
            writes.fetch_add(1, Ordering::SeqCst);
        }
        let is_after = writes.load(Ordering::SeqCst) == WRITES;
        if !is_after || !part.path.ends_with("/authenticationMethodsPolicy") {
            return Fault::None;
        }
        _ = tell.lock().expect("no panic").send(());
        Fault::Slow(Duration::from_secs(300))
    }));
    let mut command = world.command(&["apply", "--auto-approve"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    told.recv_timeout(Duration::from_secs(120)).expect("a plan after the writing");
    // The look beside the writing reads the same: wait for the end of the journal.
    let begun = Instant::now();
    while journals(&world).iter().any(|past| past.end.is_none()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it comes to an end");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it waits for Graph");
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("an end");
    let (said, talk) = (world.alike(&output.stdout), world.alike(&output.stderr));
    assert_eq!(output.status.code(), Some(5), "{said}{talk}");
    assert!(said.contains(&format!("{WRITES} changes done")), "what was done is said: {said}");
    assert!(talk.contains("stopped at once: all writes are in the journal"), "{talk}");
}

//! The store is the second victim: requests to it are lost, answered and lost, late or refused, once or for ever.
//! No user is harmed, no write is made without a journal, and the next apply finishes.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mfactl_sandbox::Faults;

use super::{WRITES, world};
use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::promise_checks::{nobody_signs_in_worse, nothing_is_written_twice};
use crate::support::store_servers::{StoreKind, StoreServer};

/// What becomes of a request to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Lost,
    /// The store does it, and the answer is lost.
    AnswerLost,
    Late,
    Refused,
    Unready,
}

impl Harm {
    const ALL: [Self; 5] = [Self::Lost, Self::AnswerLost, Self::Late, Self::Refused, Self::Unready];

    fn weather(self) -> Weather {
        let says = |status| Weather::Says(status, Vec::new(), String::new());
        match self {
            Self::Lost => Weather::Lost,
            Self::AnswerLost => Weather::Cut(0),
            Self::Late => Weather::Late(Duration::from_secs(3)),
            Self::Refused => says(403),
            Self::Unready => says(503),
        }
    }
}

/// When a request is harmed.
#[derive(Debug, Clone, Copy)]
enum When {
    /// The n-th request that writes, and no other.
    Once(usize),
    /// Every request from the n-th that writes on.
    From(usize),
}

/// Applies while the store is harmed, and then again. Returns how many requests wrote to the store, and how the
/// first apply ended.
fn applied(server: &StoreServer, (harm, when): (Harm, When)) -> (usize, Option<i32>) {
    let (puts, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (count, over) = (Arc::clone(&puts), Arc::clone(&is_over));
    let front = Front::before(&server.url(), move |seen: &Seen, _| {
        if over.load(Ordering::SeqCst) {
            return Weather::Fine;
        }
        let writes = seen.method == "PUT";
        let nth = count.fetch_add(usize::from(writes), Ordering::SeqCst) + usize::from(writes);
        let is_harmed = match when {
            When::Once(at) => writes && nth == at,
            When::From(at) => nth >= at,
        };
        if is_harmed { harm.weather() } else { Weather::Fine }
    });
    let world = world(server, &front.url(), Faults::none());
    let about = format!("{harm:?} {when:?}");
    let first = world.run(&["apply", "--auto-approve"]);
    assert!(matches!(first.code, Some(0 | 1 | 5 | 6)), "{about}: {}", first.text());
    let store = world.server().store();
    nobody_signs_in_worse(&store).expect("nobody is worse off");
    let done = puts.load(Ordering::SeqCst);
    if first.code == Some(0) {
        assert_eq!(store.writes().len(), WRITES, "{about}: {}", first.text());
    }
    is_over.store(true, Ordering::SeqCst);
    // A run that could not free its lease is replaced after a while.
    let second = world.run(&["apply", "--auto-approve"]).ends(0);
    let store = world.server().store();
    assert_eq!(store.writes().len(), WRITES, "{about}: {}{}", first.text(), second.text());
    nothing_is_written_twice(&store).expect("no write twice");
    nobody_signs_in_worse(&store).expect("nobody is worse off");
    let list = world.run(&["runs"]).ends(0);
    let is_whole = !list.stdout.contains("no end") && !list.text().contains("damaged");
    assert!(is_whole, "{about}: {}", list.text());
    (done, first.code)
}

/// The requests that an apply writes with, if nothing is harmed.
fn requests(server: &StoreServer) -> usize {
    applied(server, (Harm::Late, When::Once(usize::MAX))).0
}

fn every_write_is_harmed_once(kind: StoreKind) {
    let all = requests(&StoreServer::start(kind));
    assert!(all > 8, "{all} requests");
    std::thread::scope(|scope| {
        for harm in Harm::ALL {
            scope.spawn(move || {
                for at in 1..=all {
                    let server = StoreServer::start(kind);
                    let (_, code) = applied(&server, (harm, When::Once(at)));
                    // A request that is repeated does not end the run.
                    let passes = !matches!(harm, Harm::Refused);
                    assert!(!passes || code == Some(0), "{harm:?} at {at}: {code:?}");
                }
            });
        }
    });
}

#[test]
#[ignore = "long: every request that writes to Azure Blob Storage is harmed in five ways"]
fn every_write_to_azure_is_harmed_once() {
    every_write_is_harmed_once(StoreKind::Azurite);
}

#[test]
#[ignore = "long: every request that writes to S3 is harmed in five ways"]
fn every_write_to_s3_is_harmed_once() {
    every_write_is_harmed_once(StoreKind::Moto);
}

#[test]
#[ignore = "long: a store that is away from some request on"]
fn store_that_is_lost_during_a_run_ends_it_before_the_next_write() {
    std::thread::scope(|scope| {
        for (kind, at) in [(StoreKind::Azurite, 2), (StoreKind::Moto, 6), (StoreKind::Azurite, 9)] {
            scope.spawn(move || {
                let server = StoreServer::start(kind);
                let (_, code) = applied(&server, (Harm::Lost, When::From(at)));
                assert!(matches!(code, Some(5 | 6)), "{kind:?} from {at}: {code:?}");
            });
        }
    });
}

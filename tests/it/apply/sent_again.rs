//! Writes that fail with a temporary server error: a write is sent again, a limited number of times, if a
//! new read shows that it was not done.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mfactl::results::ChangeResult;
use mfactl_sandbox::{Fault, Faults, PartInfo};
use serde_json::json;
use tokio::runtime::Handle;

use crate::apply::faults::{is_done, nth, with};
use crate::apply::two_writers::{JANE, planned, wants};
use crate::apply::waves::undisturbed;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::request;

fn busy(status: u16, retry_after: Option<u64>) -> Fault {
    Fault::Status { status, code: "serviceNotAvailable".to_owned(), retry_after }
}

fn is_batch_of_writes(part: &PartInfo) -> bool {
    part.writes && part.path.ends_with("$batch")
}

#[test]
fn batch_answered_with_a_server_error_is_sent_again_and_done_once() {
    batch_is_sent_again(3);
}

#[test]
#[ignore = "long: each status"]
fn batch_answered_with_any_server_error_is_sent_again_and_done_once() {
    batch_is_sent_again(1);
}

/// Takes every `step`-th row.
fn batch_is_sent_again(step: usize) {
    let sent_again = |status| {
        let world = with(nth(0..1, is_batch_of_writes, move || busy(status, None)));
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(run.stdout.contains("3 changes done"), "{}", run.text());
        is_done(&world);
    };
    std::thread::scope(|scope| {
        for status in [503, 504, 502].into_iter().step_by(step) {
            scope.spawn(move || sent_again(status));
        }
    });
}

#[test]
fn write_in_a_batch_waits_for_its_retry_after() {
    let world = with(nth(0..1, |part| part.write.is_some(), || busy(503, Some(2))));
    let begun = Instant::now();
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    is_done(&world);
}

/// A `Retry-After` that is longer than the patience of the run is not waited for.
#[test]
fn write_is_given_up_after_four_tries_or_a_long_retry_after() {
    let tried = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let counts = Arc::clone(&tried);
    let faults = Faults::by(move |part| {
        if part.write.is_none() {
            return Fault::None;
        }
        *counts.lock().expect("no panic").entry(part.path.clone()).or_default() += 1;
        busy(503, None)
    });
    let tenant = exchangelabs().phones(JANE, &["mobile"], "disabled").faults(faults);
    let (inside, plan) = planned(tenant, &wants(JANE, "{ perUserMfa: enabled }"));
    let mut conduct = undisturbed();
    conduct.resend_after = Duration::from_millis(1);
    let report = inside.conducted(&plan, conduct);
    assert!(matches!(report.results.as_slice(), [ChangeResult::Failed(_)]), "{report:?}");
    assert_eq!(tried.lock().expect("no panic").values().copied().collect::<Vec<_>>(), [4]);
    let far = with(nth(0..1, |part| part.write.is_some(), || busy(503, Some(3600))));
    let begun = Instant::now();
    far.run(&["apply", "--auto-approve"]).ends(5);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// The write is done, the answer is a 504, and lists do not show the write for a while.
#[test]
fn write_done_despite_a_504_is_not_repeated_even_if_lists_are_late() {
    let removal = "{ phones: { office: absent } }";
    let addition = "{ phones: { mobile: { from: mobilePhone } } }";
    std::thread::scope(|scope| {
        scope.spawn(|| done_despite_a_504(&["mobile", "office"], removal, "DELETE"));
        scope.spawn(|| done_despite_a_504(&["office"], addition, "POST"));
    });
}

fn done_despite_a_504(state: &[&str], desired: &str, method: &'static str) {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (address, times) = (Arc::clone(&url), Arc::new(AtomicUsize::new(0)));
    let tried = Arc::clone(&times);
    let faults = Faults::by(move |part| {
        // The second request of this kind is the one of the test, below.
        if part.write.is_none() || part.method != method {
            return Fault::None;
        }
        if tried.fetch_add(1, Ordering::SeqCst) > 0 {
            return Fault::None;
        }
        let body = (method == "POST")
            .then(|| json!({ "phoneType": "mobile", "phoneNumber": "+31 656789012" }));
        let sent = request(address.get().expect("an address"), method, &part.path, body.as_ref());
        let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
        assert!(status < 300, "{status} {answer}");
        busy(504, None)
    });
    let tenant = exchangelabs()
        .phones(JANE, state, "enforced")
        .property(JANE, "mobilePhone", "+31 6 56789012")
        .faults(faults)
        .methods_late(Duration::from_secs(2));
    let world = tenant.world().file("policies/one.yaml", wants(JANE, desired));
    url.set(world.server().url().to_owned()).expect("set once");
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert_eq!(times.load(Ordering::SeqCst), 2, "{method}: {}", run.text());
    assert!(run.stdout.contains("1 change done"), "{}", run.text());
}

//! Writes that the service could not take for a moment: what a fresh read shows undone is sent again,
//! within bounds; what it shows done is not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mfactl::results::ChangeResult;
use mfactl_sandbox::{Fault, Faults, Options, PartInfo, seeds};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::apply::faults::{is_done, nth, with};
use crate::apply::two_writers::{JANE, has_phones, planned, user, wants};
use crate::apply::waves::undisturbed;
use crate::support::world::{World, request};

fn busy(status: u16, retry_after: Option<u64>) -> Fault {
    Fault::Status { status, code: "serviceNotAvailable".to_owned(), retry_after }
}

fn is_batch_of_writes(part: &PartInfo) -> bool {
    part.writes && part.path.ends_with("$batch")
}

#[test]
fn a_batch_of_writes_that_the_service_could_not_take_is_sent_again_and_done_once() {
    for status in [503, 504, 502] {
        let world = with(nth(0..1, is_batch_of_writes, move || busy(status, None)));
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(run.stdout.contains("3 changes done"), "{}", run.text());
        is_done(&world);
    }
}

#[test]
fn a_write_in_a_batch_that_the_service_could_not_take_waits_as_long_as_it_is_told() {
    let world = with(nth(0..1, |part| part.write.is_some(), || busy(503, Some(2))));
    let begun = Instant::now();
    world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    is_done(&world);
}

/// What somebody is asked to wait longer than the run gives it is not waited for.
#[test]
fn a_service_that_never_takes_a_write_is_asked_some_times_and_no_more() {
    let tried = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let counts = Arc::clone(&tried);
    let faults = Faults::by(move |part| {
        if part.write.is_none() {
            return Fault::None;
        }
        *counts.lock().expect("no panic").entry(part.path.clone()).or_default() += 1;
        busy(503, None)
    });
    let mut seed = seeds::exchangelabs();
    has_phones(&mut seed, JANE, &["mobile"], "disabled");
    let (inside, plan) = planned(seed, faults, &wants(JANE, "{ perUserMfa: enabled }"));
    let mut conduct = undisturbed();
    conduct.resend_after = Duration::from_millis(1);
    let report = inside.conducted(&plan, conduct);
    assert!(matches!(report.fates.as_slice(), [ChangeResult::Failed(_)]), "{report:?}");
    assert_eq!(tried.lock().expect("no panic").values().copied().collect::<Vec<_>>(), [4]);
    let far = with(nth(0..1, |part| part.write.is_some(), || busy(503, Some(3600))));
    let begun = Instant::now();
    far.run(&["apply", "--auto-approve"]).ends(5);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// The write is done, the answer says 504, and lists do not show it for a while.
#[test]
fn what_was_done_behind_a_504_is_not_sent_again_however_late_lists_are() {
    for (state, desired, method) in [
        (&["mobile", "office"][..], "{ phones: { office: absent } }", "DELETE"),
        (&["office"], "{ phones: { mobile: { from: mobilePhone } } }", "POST"),
    ] {
        let url: Arc<OnceLock<String>> = Arc::default();
        let (address, times) = (Arc::clone(&url), Arc::new(AtomicUsize::new(0)));
        let tried = Arc::clone(&times);
        let faults = Faults::by(move |part| {
            // The second one is the request below.
            if part.write.is_none() || part.method != method {
                return Fault::None;
            }
            if tried.fetch_add(1, Ordering::SeqCst) > 0 {
                return Fault::None;
            }
            let body = (method == "POST")
                .then(|| json!({ "phoneType": "mobile", "phoneNumber": "+31 656789012" }));
            let sent =
                request(address.get().expect("an address"), method, &part.path, body.as_ref());
            let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
            assert!(status < 300, "{status} {answer}");
            busy(504, None)
        });
        let mut seed = seeds::exchangelabs();
        has_phones(&mut seed, JANE, state, "enforced");
        let own = user(&mut seed, JANE);
        own.user.insert("mobilePhone".to_owned(), Value::from("+31 6 56789012"));
        let mut options = Options { faults, ..Options::in_memory(seed) };
        options.lateness.methods = Duration::from_secs(2);
        let world = World::of(options).file("policies/one.yaml", wants(JANE, desired));
        url.set(world.server().url().to_owned()).expect("set once");
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        assert_eq!(times.load(Ordering::SeqCst), 2, "{method}: {}", run.text());
        assert!(run.stdout.contains("1 change done"), "{}", run.text());
    }
}

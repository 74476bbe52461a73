//! An apply of more users than one wave: what happens at the same time, and what must keep its order.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mfactl::apply::context::RunContext;
use mfactl::apply::rule_watch::RuleWatch;
use mfactl::graph::Pace;
use mfactl::moment::Moment;
use mfactl::plan::Plan;
use mfactl::results::{ApplyReport, ChangeResult};
use mfactl_sandbox::{Fault, Faults, PartInfo};
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::inside::{Inside, load};
use crate::support::promise_checks::{nobody_signs_in_worse, nothing_is_written_twice};
use crate::support::tenant_builder::TenantBuilder;
use crate::support::world::{PROJECT, World, request};

/// A phone, and MFA after it.
const STAFF: &str = "\
version: 1
policies:
  staff:
    appliesTo: { groups: [All Staff] }
    desired:
      phones: { mobile: { from: mobilePhone, region: usageLocation } }
      perUserMfa: enabled
";

/// Users of a wave.
const WAVE: usize = 40;

/// A tenant of so many users, and its plan.
pub(crate) fn planned(users: u32, faults: Faults) -> (Inside, Plan) {
    planned_by(tenant(users, faults).inside())
}

pub(crate) fn tenant(users: u32, faults: Faults) -> TenantBuilder {
    TenantBuilder::generated(users).faults(faults)
}

pub(crate) fn planned_by(inside: Inside) -> (Inside, Plan) {
    let folder = World::empty().file("mfactl.yaml", PROJECT).file("policies/staff.yaml", STAFF);
    let plan = inside.plan(&load(&folder.path("")).expect("policies")).expect("a plan");
    assert!(plan.changed_users().len() > 2 * WAVE, "{} users", plan.changed_users().len());
    (inside, plan)
}

/// A run without faults and without rule checks.
pub(crate) fn undisturbed() -> RunContext<'static, impl AsyncFnMut() -> Result<(), String>> {
    RunContext::new(RuleWatch::new(Moment::now(), Duration::MAX, Duration::MAX, async || Ok(())))
}

pub(crate) fn is_of_methods(part: &PartInfo) -> bool {
    part.method == "GET" && part.path.ends_with("/authentication/methods")
}

/// The first write gets its answer only after more users than one wave were read.
#[test]
fn next_wave_is_read_while_one_wave_is_written() {
    let reads: Arc<(Mutex<HashMap<String, usize>>, Condvar)> = Arc::default();
    let in_time = Arc::new(AtomicBool::new(false));
    let (seen, was_in_time) = (Arc::clone(&reads), Arc::clone(&in_time));
    let faults = Faults::by(move |part| {
        let (counts, more) = &*seen;
        if is_of_methods(part) {
            *counts.lock().expect("no panic").entry(part.path.clone()).or_default() += 1;
            more.notify_all();
        } else if part.write == Some(1) {
            // Each user was already read once for the plan.
            let few = |counts: &mut HashMap<String, usize>| {
                counts.values().filter(|count| **count > 1).count() <= WAVE
            };
            let wait = || {
                let counts = counts.lock().expect("no panic");
                more.wait_timeout_while(counts, Duration::from_secs(5), few).expect("no panic").1
            };
            let waited = tokio::task::block_in_place(wait);
            was_in_time.store(!waited.timed_out(), Ordering::SeqCst);
        }
        Fault::None
    });
    let (inside, plan) = planned(120, faults);
    let report = inside.conducted(&plan, undisturbed());
    assert!(report.is_whole(), "{report:?}");
    assert!(
        in_time.load(Ordering::SeqCst),
        "no other user was read before the first write was answered"
    );
    nothing_is_written_twice(&inside.server.store()).expect("no write twice");
}

/// The first writes show a fault that every write has, so no second wave is tried.
#[test]
fn only_the_first_wave_is_tried_if_every_write_fails() {
    let faults = Faults::by(|part| match part.write {
        Some(_) => {
            Fault::Status { status: 400, code: "invalidRequest".to_owned(), retry_after: None }
        }
        None => Fault::None,
    });
    let (inside, plan) = planned(150, faults);
    let report = inside.conducted(&plan, undisturbed());
    let counts = report.counts();
    // Fewer than ten failures in an earlier stage do not stop the run.
    assert!((10..WAVE + 10).contains(&counts.failed), "{counts:?}");
    let why = format!("{} writes failed in a row", counts.failed);
    assert_eq!(report.stopped.as_deref(), Some(why.as_str()));
    assert_eq!(counts.failed + counts.not_tried, plan.changes.len());
    let not_tried = report.results.iter().filter(
        |result| matches!(result, ChangeResult::NotTried(text) if **text == *format!("stopped: {why}")),
    );
    assert!(not_tried.count() > WAVE);
}

/// A stop in the middle lets each wave finish its writes in flight, and begins no other write.
#[test]
fn stop_finishes_writes_in_flight_and_begins_no_other() {
    const AT: usize = 60;
    let conduct = undisturbed();
    let (stop, writes) = (conduct.stop.clone(), AtomicUsize::new(0));
    let faults = Faults::by(move |part| {
        if part.write.is_some() && writes.fetch_add(1, Ordering::SeqCst) + 1 == AT {
            stop.ask("SIGTERM");
        }
        Fault::None
    });
    let (inside, plan) = planned(200, faults);
    let report = inside.conducted(&plan, conduct);
    let (counts, written) = (report.counts(), inside.server.store().writes().len());
    assert_eq!(report.stopped.as_deref(), Some("by SIGTERM"));
    assert_eq!(counts.done, written, "the outcome of each sent write is known");
    assert!((AT..AT + 2 * WAVE).contains(&written), "{written}");
    assert_eq!(counts.done + counts.not_tried, plan.changes.len());
    nobody_signs_in_worse(&inside.server.store()).expect("nobody is worse off");
}

/// A rule check that fails while one wave is written ends the run before the next wave.
#[test]
fn changed_rules_end_the_run_after_at_most_one_wave() {
    let (inside, plan) = planned(120, Faults::none());
    let every = Duration::from_millis(1);
    let changed =
        "the rules that require MFA, or the users that they apply to, have changed since the plan";
    let watch =
        RuleWatch::new(Moment::now(), every, Duration::MAX, async || Err(changed.to_owned()));
    let report = inside.conducted(&plan, RunContext::new(watch));
    assert_eq!(report.stopped.as_deref(), Some(changed));
    assert!(report.counts().done <= WAVE, "{:?}", report.counts());
}

/// A user that waited too long is read again, because the facts are too old by then.
#[test]
fn phone_registered_while_the_wave_waits_is_kept() {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (address, theirs) = (Arc::clone(&url), Arc::new(OnceLock::new()));
    let (whose, reads) = (Arc::clone(&theirs), AtomicUsize::new(0));
    let faults = Faults::by(move |part| {
        let user = || {
            part.path.strip_suffix("/methods").is_some_and(|path| {
                whose.get().is_some_and(|id: &String| path.contains(id.as_str()))
            })
        };
        // The first read is for the wave, and the second one follows the wait.
        if is_of_methods(part) && user() && reads.fetch_add(1, Ordering::SeqCst) == 1 {
            let path =
                format!("/v1.0/users/{}/authentication/phoneMethods", whose.get().expect("an id"));
            let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
            let sent = request(address.get().expect("an address"), "POST", &path, Some(&own));
            let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
            assert!(status < 300, "{status} {answer}");
        }
        Fault::None
    });
    let (inside, plan) = planned(100, faults);
    url.set(inside.server.url().to_owned()).expect("set once");
    let adds = |change: &&mfactl::settings::change::Change| {
        change.setting == mfactl::settings::Setting::MobilePhone
    };
    let user = plan.changes.iter().find(adds).and_then(|change| plan.directory.user(change.user));
    theirs.set(user.expect("a user").id.to_string()).expect("set once");
    let mut conduct = undisturbed();
    conduct.fresh = Duration::ZERO;
    let report = inside.conducted(&plan, conduct);
    let counts = report.counts();
    assert_eq!((counts.failed, counts.not_tried), (0, 0), "{counts:?}");
    assert!((1..=2).contains(&counts.moved_on), "{counts:?}");
}

/// A throttled write waits to be sent again, but not after a request to stop.
#[test]
fn throttled_write_is_not_sent_again_once_the_run_stops() {
    let conduct = undisturbed();
    let (stop, tried) = (conduct.stop.clone(), Arc::new(Mutex::new(HashMap::new())));
    let counts = Arc::clone(&tried);
    let faults = Faults::by(move |part| {
        if part.write.is_none() {
            return Fault::None;
        }
        let name = format!("{} {}", part.method, part.path);
        *counts.lock().expect("no panic").entry(name).or_insert(0) += 1;
        if part.write == Some(25) {
            stop.ask("SIGTERM");
            return Fault::Status {
                status: 429,
                code: "TooManyRequests".to_owned(),
                retry_after: Some(1),
            };
        }
        Fault::None
    });
    let (inside, plan) = planned(120, faults);
    let report = inside.conducted(&plan, conduct);
    let again: Vec<String> = tried
        .lock()
        .expect("no panic")
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(again, Vec::<String>::new());
    let counts = report.counts();
    assert_eq!(counts.done, inside.server.store().writes().len());
    assert_eq!((counts.failed, counts.moved_on), (0, 0), "{counts:?}");
    assert_eq!(report.stopped.as_deref(), Some("by SIGTERM"));
    nobody_signs_in_worse(&inside.server.store()).expect("nobody is worse off");
}

/// A wave that reads its users again before it writes also checks the rules again.
#[test]
fn rules_are_checked_again_after_a_slow_second_read() {
    const AT_MOST: Duration = Duration::from_millis(400);
    let looked = Arc::new(Mutex::new(Instant::now()));
    let (last, oldest) = (Arc::clone(&looked), Arc::new(Mutex::new(Duration::ZERO)));
    let (seen, reads) = (Arc::clone(&oldest), Mutex::new(HashMap::new()));
    let faults = Faults::by(move |part| {
        if part.write.is_some() {
            let age = last.lock().expect("no panic").elapsed();
            let mut oldest = seen.lock().expect("no panic");
            *oldest = age.max(*oldest);
        } else if is_of_methods(part) {
            let mut reads = reads.lock().expect("no panic");
            let times = reads.entry(part.path.clone()).or_insert(0);
            *times += 1;
            // The reads are for the plan, for the wave, for the stage, and right before the write.
            if *times == 4 && reads.values().filter(|times| **times == 4).count() == 1 {
                return Fault::Slow(2 * AT_MOST);
            }
        }
        Fault::None
    });
    let (inside, plan) = planned(100, faults);
    *looked.lock().expect("no panic") = Instant::now();
    let watch = RuleWatch::new(Moment::now(), Duration::MAX, AT_MOST, async || {
        *looked.lock().expect("no panic") = Instant::now();
        Ok(())
    });
    let mut conduct = RunContext::new(watch);
    conduct.fresh = Duration::ZERO;
    let report = inside.conducted(&plan, conduct);
    assert!(report.is_whole(), "{:?}", report.counts());
    let oldest = *oldest.lock().expect("no panic");
    assert!(oldest < 2 * AT_MOST, "written {oldest:?} after the last rule check");
}

/// One user of the wave is read slowly, so the facts of the others are too old by then.
#[test]
fn phone_registered_while_the_wave_is_read_is_kept() {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (address, those) = (Arc::clone(&url), Arc::new(OnceLock::<[String; 2]>::new()));
    let (ids, reads) = (Arc::clone(&those), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let faults = Faults::by(move |part| {
        let nth = |place: usize| {
            let id = ids.get().and_then(|ids| ids.get(place));
            let is_theirs = is_of_methods(part) && id.is_some_and(|id| part.path.contains(id));
            is_theirs
                && reads.get(place).map(|reads| reads.fetch_add(1, Ordering::SeqCst)) == Some(0)
        };
        if nth(0) {
            let path = part.path.replace("/methods", "/phoneMethods");
            let url = address.get().expect("an address").clone();
            Handle::current().spawn(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
                let (status, answer) = request(&url, "POST", &path, Some(&own)).await;
                assert!(status < 300, "{status} {answer}");
            });
        }
        if nth(1) { Fault::Slow(Duration::from_millis(1_500)) } else { Fault::None }
    });
    let (inside, plan) = planned(100, faults);
    url.set(inside.server.url().to_owned()).expect("set once");
    let adds = |change: &&mfactl::settings::change::Change| {
        change.setting == mfactl::settings::Setting::MobilePhone
    };
    let mut adding = plan.changes.iter().filter(adds);
    let mut next = || adding.next().and_then(|change| plan.directory.user(change.user));
    let first = next().expect("a user").id.to_string();
    let later = next().expect("another one").id.to_string();
    those.set([first, later]).expect("set once");
    let mut conduct = undisturbed();
    conduct.fresh = Duration::from_millis(1_000);
    let report = inside.conducted(&plan, conduct);
    let counts = report.counts();
    assert_eq!((counts.failed, counts.not_tried), (0, 0), "{counts:?}");
    assert!((1..=2).contains(&counts.moved_on), "{counts:?}");
}

/// Applies a plan in which raising the state of one user is throttled for a second. Meanwhile another
/// writer sends a request for that user. Returns the report, and the number of writes of the state.
fn while_a_state_waits_to_be_raised(
    method: &'static str,
    path: &'static str,
    body: Option<serde_json::Value>,
) -> (ApplyReport, usize) {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (address, user) = (Arc::clone(&url), Arc::new(OnceLock::<String>::new()));
    let (theirs, times) = (Arc::clone(&user), Arc::new(AtomicUsize::new(0)));
    let written = Arc::clone(&times);
    let faults = Faults::by(move |part| {
        let is_theirs = theirs.get().is_some_and(|id| part.path.contains(id.as_str()));
        let raises = part.method == "PATCH" && part.path.ends_with("/requirements");
        if !is_theirs || !raises || written.fetch_add(1, Ordering::SeqCst) > 0 {
            return Fault::None;
        }
        let path = part.path.replace("/requirements", path);
        let (url, body) = (address.get().expect("an address").clone(), body.clone());
        Handle::current().spawn(async move {
            let (status, answer) = request(&url, method, &path, body.as_ref()).await;
            assert!(status < 300, "{status} {answer}");
        });
        Fault::Status { status: 429, code: "TooManyRequests".to_owned(), retry_after: Some(1) }
    });
    let (inside, plan) = planned_by(tenant(100, faults).paced(Pace::default()));
    url.set(inside.server.url().to_owned()).expect("set once");
    let adds = |change: &&mfactl::settings::change::Change| {
        change.setting == mfactl::settings::Setting::MobilePhone
    };
    let id = plan.changes.iter().find(adds).and_then(|change| plan.directory.user(change.user));
    user.set(id.expect("a user").id.to_string()).expect("set once");
    let mut conduct = undisturbed();
    conduct.patience = Duration::from_millis(200);
    let report = inside.conducted(&plan, conduct);
    nobody_signs_in_worse(&inside.server.store()).expect("nobody is worse off");
    (report, times.load(Ordering::SeqCst))
}

#[test]
fn state_raised_by_another_while_throttled_is_not_written_again() {
    let enabled = Some(json!({ "perUserMfaState": "enabled" }));
    let (report, times) = while_a_state_waits_to_be_raised("PATCH", "/requirements", enabled);
    assert!(report.is_whole(), "{:?}", report.counts());
    assert_eq!(times, 2, "the refused request, and the one of the other writer");
}

#[test]
#[ignore = "long: waits for a phone that is not listed"]
fn phone_removed_while_throttled_blocks_mfa_raise() {
    let mobile = "/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7";
    let (report, times) = while_a_state_waits_to_be_raised("DELETE", mobile, None);
    let counts = report.counts();
    assert_eq!((counts.failed, counts.moved_on, counts.not_tried), (0, 0, 1), "{counts:?}");
    assert_eq!(times, 1);
}

//! Nothing is written on old facts, for any cause of their age: a slow disk, a suspended machine, or a
//! wall clock that was set. The test controls the clock of the run.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use mfactl::graph::Pace;
use mfactl::journal::{ChainEnd, Journal};
use mfactl::moment::{Clock, Moment};
use mfactl::plan::Plan;
use mfactl::results::ApplyReport;
use mfactl::settings::{Setting, Value};
use mfactl::tenant::membership::Guarding;
use mfactl_sandbox::{Fault, Faults, PartInfo, WriteLogLine};
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Handle;

use crate::apply::waves::{planned_by, tenant, undisturbed};
use crate::plan::promises::{holds, to_apply};
use crate::support::inside::Inside;
use crate::support::journal_files::wait;
use crate::support::promise_checks::nobody_signs_in_worse;
use crate::support::world::{request, runtime};

/// The clocks of this machine plus some seconds, as after a suspend.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Ahead {
    fn by(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self, looked_at: impl Fn() + Send + Sync + 'static) -> Clock {
        let ahead = self.0.clone();
        Clock::by(move || {
            looked_at();
            Moment::now().suspended(Duration::from_secs(ahead.load(Ordering::SeqCst)))
        })
    }
}

/// The first user of a plan who gets a phone and then MFA.
fn first_user(plan: &Plan) -> String {
    let adds = |change: &&mfactl::settings::change::Change| change.setting == Setting::MobilePhone;
    let user = plan.changes.iter().find(adds).and_then(|change| plan.directory.user(change.user));
    user.expect("a user").id.to_string()
}

const MOBILE: &str = "/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7";

fn is_raise(part: &PartInfo, user: &str) -> bool {
    part.method == "PATCH" && part.path.contains(user) && part.path.ends_with("/requirements")
}

/// A tenant, and the number of times that the state of one user was written in it.
struct Raise {
    inside: Inside,
    plan: Plan,
    user: String,
    raised: Arc<AtomicUsize>,
}

impl Raise {
    fn new(on_raise: impl Fn(&PartInfo, usize) -> Fault + Send + Sync + 'static) -> Self {
        let user = Arc::new(OnceLock::<String>::new());
        let (theirs, raised) = (Arc::clone(&user), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&raised);
        let faults = Faults::by(move |part| match theirs.get() {
            Some(user) if is_raise(part, user) => {
                on_raise(part, count.fetch_add(1, Ordering::SeqCst))
            }
            _ => Fault::None,
        });
        let (inside, plan) = planned_by(tenant(100, faults).paced(Pace::default()));
        let first = first_user(&plan);
        user.set(first.clone()).expect("set once");
        Self { inside, plan, user: first, raised }
    }

    fn raised(&self) -> usize {
        self.raised.load(Ordering::SeqCst)
    }

    /// Applies the plan with a journal on a slow disk: writing the intent to raise the user takes
    /// `seconds`, the first `times` times. `meanwhile` happens the first time.
    fn with_a_slow_disk(
        &self,
        seconds: u64,
        times: usize,
        meanwhile: impl Fn() + Send + Sync + 'static,
    ) -> ApplyReport {
        let folder = tempfile::tempdir().expect("a folder");
        let files = self.inside.journals(folder.path());
        let (runs, now) = (files.runs(), Timestamp::now());
        let end = wait(ChainEnd::read(&runs)).expect("a folder");
        let journal = wait(Journal::begin((&runs, &end), &self.plan, Guarding::default(), now, 1));
        let journal = journal.expect("a journal");
        let path = files.segment_folder();
        let (ahead, stalls) = (Ahead::default(), AtomicUsize::new(0));
        let user = self.user.clone();
        let shared = ahead.clone();
        let clock = ahead.clock(move || {
            let done = stalls.load(Ordering::SeqCst);
            if done < times && intents(&path, &user) > done {
                stalls.fetch_add(1, Ordering::SeqCst);
                shared.by(seconds);
                if done == 0 {
                    meanwhile();
                }
            }
        });
        let mut conduct = undisturbed();
        conduct.clock = clock;
        conduct.listed_after = [Duration::ZERO; 4];
        conduct.journal = Some(&journal);
        self.inside.conducted(&self.plan, conduct)
    }
}

/// The number of intents in the journal to raise the state of the user.
fn intents(segments: &Path, user: &str) -> usize {
    let entries = fs::read_dir(segments).expect("a folder");
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    let text: String = texts.collect();
    let is_it = |line: &&str| {
        line.contains(r#""intent""#) && line.contains(user) && line.contains(r#""perUserMfa""#)
    };
    text.lines().filter(is_it).count()
}

fn take_away(url: &str, path: &str) {
    let (status, answer) = sent_from_another_thread(url, path);
    assert!(status < 300, "{status} {answer}");
}

/// Deletes something while the apply is polled. On the thread of the apply, a second `block_on` would
/// take the wakes that are meant for the apply.
fn sent_from_another_thread(url: &str, path: &str) -> (u16, serde_json::Value) {
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| runtime().block_on(request(url, "DELETE", path, None)));
        sent.join().expect("no panic")
    })
}

#[test]
fn mfa_is_not_raised_on_facts_that_expired_during_a_journal_write() {
    let raise = Raise::new(|_, _| Fault::None);
    let (user, url) = (raise.user.clone(), raise.inside.server.url().to_owned());
    let report = raise.with_a_slow_disk(25, 1, move || {
        take_away(&url, &format!("/v1.0/users/{user}/authentication{MOBILE}"));
    });
    assert_eq!(raise.raised(), 0, "{:?}", report.counts());
    assert_eq!(report.stopped, None);
    let counts = report.counts();
    assert_eq!((counts.failed, counts.not_tried), (0, 1), "{counts:?}");
    nobody_signs_in_worse(&raise.inside.server.store()).expect("nobody is worse off");
}

#[test]
fn slow_journal_disk_stops_the_run_and_harms_no_user() {
    let raise = Raise::new(|_, _| Fault::None);
    let report = raise.with_a_slow_disk(25, usize::MAX, || {});
    let why = report.stopped.clone().unwrap_or_default();
    assert!(why.contains("the journal takes too long to write"), "{why}");
    assert_eq!(raise.raised(), 0, "{:?}", report.counts());
    nobody_signs_in_worse(&raise.inside.server.store()).expect("nobody is worse off");
}

/// After a suspend, a throttled write is based on a new read.
#[test]
fn facts_are_read_again_after_a_suspend_during_a_throttled_write() {
    let (ahead, url) = (Ahead::default(), Arc::new(OnceLock::<String>::new()));
    let (shared, address) = (ahead.clone(), Arc::clone(&url));
    let raise = Raise::new(move |part, nth| {
        if nth > 0 {
            return Fault::None;
        }
        shared.by(3600);
        let (path, url) = (part.path.clone(), address.get().expect("an address").clone());
        let enabled = json!({ "perUserMfaState": "enabled" });
        let sent = request(&url, "PATCH", &path, Some(&enabled));
        let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
        assert!(status < 300, "{status} {answer}");
        Fault::Status { status: 429, code: "TooManyRequests".to_owned(), retry_after: Some(1) }
    });
    url.set(raise.inside.server.url().to_owned()).expect("set once");
    let mut conduct = undisturbed();
    conduct.clock = ahead.clock(|| {});
    let report = raise.inside.conducted(&raise.plan, conduct);
    assert!(report.is_whole(), "{:?}", report.counts());
    assert_eq!(raise.raised(), 2, "the refused request, and the one of the other writer");
}

/// The phones that a user can have, by the last part of their paths.
const PHONES: [&str; 3] = [
    MOBILE,
    "/phoneMethods/b6332ec1-7057-4abe-9331-3d72feddfe41",
    "/phoneMethods/e37fc753-ff3b-4958-9484-eaa9425c82bc",
];

/// In an invented tenant the machine is suspended at some moment of an apply, and another writer removes
/// the phones of one user meanwhile. At the end no user is worse off than right after that removal.
fn a_suspend_harms_no_user(cases: u32, long: bool) {
    let (tried, taken) = (Cell::new(0), Cell::new(0));
    holds(cases, long, |case, luck| {
        let Some((_, inside, plan)) = to_apply(case) else { return Ok(()) };
        let place = usize::try_from(luck % plan.changes.len() as u64).expect("few");
        let user = plan.directory.user(plan.changes[place].user).expect("a user").id.to_string();
        let (due, seconds) = (luck / 64 % 48, 25 + luck / 4096 % 3600);
        let (ahead, calls) = (Ahead::default(), AtomicU64::new(0));
        let (shared, url) = (ahead.clone(), inside.server.url().to_owned());
        let clock = ahead.clock(move || {
            if calls.fetch_add(1, Ordering::SeqCst) == due {
                shared.by(seconds);
                for phone in PHONES {
                    let path = format!("/v1.0/users/{user}/authentication{phone}");
                    sent_from_another_thread(&url, &path);
                }
            }
        });
        let mut conduct = undisturbed();
        conduct.clock = clock;
        conduct.listed_after = [Duration::ZERO; 4];
        let report = inside.conducted(&plan, conduct);
        let store = inside.server.store();
        tried.set(tried.get() + 1);
        let is_taken = |line: &WriteLogLine| line.method == "DELETE" && !plan_deletes(&plan, line);
        let Some(last) = store.writes().iter().rposition(is_taken) else { return Ok(()) };
        taken.set(taken.get() + 1);
        let then = store.after(last + 1);
        for line in mfactl_sandbox::user_lines(&store) {
            let was = then.judge(&line.user_principal_name);
            let bad = ["mustRegister", "blocked"].contains(&line.sign_in.as_str());
            let counts = report.counts();
            prop_assert!(
                !bad || was == Some(line.sign_in),
                "{} was {was:?}, {counts:?}",
                line.user_principal_name
            );
        }
        Ok(())
    });
    assert!(tried.get() > cases as usize / 4, "only {} cases were tried", tried.get());
    assert!(taken.get() > 0, "no phone was removed in any case");
}

/// Whether the plan itself removes this phone.
fn plan_deletes(plan: &Plan, line: &WriteLogLine) -> bool {
    plan.changes.iter().any(|change| {
        let user = plan.directory.user(change.user).expect("a user").id.to_string();
        change.after == Value::Nothing && line.path.contains(&user)
    })
}

#[test]
fn suspend_at_any_moment_of_an_apply_harms_no_user() {
    a_suspend_harms_no_user(8, false);
}

#[test]
#[ignore = "long: hundreds of invented tenants, each with its own suspend"]
fn suspend_in_hundreds_of_tenants_harms_no_user() {
    a_suspend_harms_no_user(20, false);
    a_suspend_harms_no_user(300, true);
}

//! Nothing is written on old facts, whatever made them old: a disk that stalls, a machine that was
//! suspended, a wall clock that was set. The clock of the run is the test's.

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
use mfactl::journal::{Journal, JournalDir};
use mfactl::moment::{Clock, Moment};
use mfactl::plan::Plan;
use mfactl::results::ApplyReport;
use mfactl::settings::{Setting, Value};
use mfactl::tenant::membership::Guarding;
use mfactl_sandbox::{Fault, Faults, PartInfo, WriteLogLine};
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Handle;

use crate::apply::waves::{options, planned_by, undisturbed};
use crate::plan::promises::{holds, to_apply};
use crate::support::inside::Inside;
use crate::support::promise_checks::nobody_signs_in_worse;
use crate::support::world::{request, runtime};

/// The clocks of this machine, some seconds later: as after a suspend.
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

/// The first user of a plan who gets a phone and MFA after it.
fn first_user(plan: &Plan) -> String {
    let adds = |change: &&mfactl::settings::change::Change| change.setting == Setting::MobilePhone;
    let user = plan.changes.iter().find(adds).and_then(|change| plan.directory.user(change.user));
    user.expect("a user").id.to_string()
}

const MOBILE: &str = "/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7";

fn is_raise(part: &PartInfo, user: &str) -> bool {
    part.method == "PATCH" && part.path.contains(user) && part.path.ends_with("/requirements")
}

/// A tenant, and how often somebody's state was written in it.
struct Told {
    inside: Inside,
    plan: Plan,
    user: String,
    raised: Arc<AtomicUsize>,
}

impl Told {
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
        let (inside, plan) = planned_by(Inside::paced(options(100, faults), Pace::default()));
        let first = first_user(&plan);
        user.set(first.clone()).expect("set once");
        Self { inside, plan, user: first, raised }
    }

    fn raised(&self) -> usize {
        self.raised.load(Ordering::SeqCst)
    }

    /// Carries the plan out with a journal whose disk stalls for so many seconds when the intent to
    /// raise that user is written, so often; `meanwhile` happens the first time.
    fn with_a_slow_disk(
        &self,
        seconds: u64,
        times: usize,
        meanwhile: impl Fn() + Send + Sync + 'static,
    ) -> ApplyReport {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = JournalDir { folder: folder.path(), keep_numbers: true };
        let journal = Journal::begin(desk, &self.plan, Guarding::default(), Timestamp::now());
        let mut journal = journal.expect("a journal");
        let path = folder.path().join("runs").join(journal.run().as_str()).join("journal.jsonl");
        let (ahead, stalls) = (Ahead::default(), AtomicUsize::new(0));
        let user = self.user.clone();
        let hand = ahead.clone();
        let clock = ahead.clock(move || {
            let done = stalls.load(Ordering::SeqCst);
            if done < times && intents(&path, &user) > done {
                stalls.fetch_add(1, Ordering::SeqCst);
                hand.by(seconds);
                if done == 0 {
                    meanwhile();
                }
            }
        });
        let mut conduct = undisturbed();
        conduct.clock = clock;
        conduct.listed_after = [Duration::ZERO; 4];
        conduct.journal = Some(&mut journal);
        self.inside.conducted(&self.plan, conduct)
    }
}

/// How often it stands in the journal that the user's state will be raised.
fn intents(path: &Path, user: &str) -> usize {
    let text = fs::read_to_string(path).unwrap_or_default();
    let is_it = |line: &&str| {
        line.contains(r#""intent""#) && line.contains(user) && line.contains(r#""perUserMfa""#)
    };
    text.lines().filter(is_it).count()
}

fn take_away(url: &str, path: &str) {
    let (status, answer) = sent_from_another_thread(url, path);
    assert!(status < 300, "{status} {answer}");
}

/// Deletes something while the apply is polled. On the thread of the apply, a second `block_on` would take the
/// wakes that are meant for the apply.
fn sent_from_another_thread(url: &str, path: &str) -> (u16, serde_json::Value) {
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| runtime().block_on(request(url, "DELETE", path, None)));
        sent.join().expect("no panic")
    })
}

#[test]
fn nobody_is_raised_on_what_grew_old_while_the_journal_was_written() {
    let told = Told::new(|_, _| Fault::None);
    let (user, url) = (told.user.clone(), told.inside.server.url().to_owned());
    let report = told.with_a_slow_disk(25, 1, move || {
        take_away(&url, &format!("/v1.0/users/{user}/authentication{MOBILE}"));
    });
    assert_eq!(told.raised(), 0, "{:?}", report.counts());
    assert_eq!(report.stopped, None);
    let counts = report.counts();
    assert_eq!((counts.failed, counts.not_tried), (0, 1), "{counts:?}");
    nobody_signs_in_worse(&told.inside.server.store()).expect("nobody is worse off");
}

#[test]
fn a_disk_that_always_stalls_ends_the_run_and_not_the_user() {
    let told = Told::new(|_, _| Fault::None);
    let report = told.with_a_slow_disk(25, usize::MAX, || {});
    let why = report.stopped.clone().unwrap_or_default();
    assert!(why.contains("the journal takes too long to write"), "{why}");
    assert_eq!(told.raised(), 0, "{:?}", report.counts());
    nobody_signs_in_worse(&told.inside.server.store()).expect("nobody is worse off");
}

/// What is written after a suspend while a state waits for its quota rests on a new read.
#[test]
fn a_machine_that_was_suspended_while_a_write_waited_reads_again() {
    let (ahead, url) = (Ahead::default(), Arc::new(OnceLock::<String>::new()));
    let (hand, address) = (ahead.clone(), Arc::clone(&url));
    let told = Told::new(move |part, nth| {
        if nth > 0 {
            return Fault::None;
        }
        hand.by(3600);
        let (path, url) = (part.path.clone(), address.get().expect("an address").clone());
        let enabled = json!({ "perUserMfaState": "enabled" });
        let sent = request(&url, "PATCH", &path, Some(&enabled));
        let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
        assert!(status < 300, "{status} {answer}");
        Fault::Status { status: 429, code: "TooManyRequests".to_owned(), retry_after: Some(1) }
    });
    url.set(told.inside.server.url().to_owned()).expect("set once");
    let mut conduct = undisturbed();
    conduct.clock = ahead.clock(|| {});
    let report = told.inside.conducted(&told.plan, conduct);
    assert!(report.is_whole(), "{:?}", report.counts());
    assert_eq!(told.raised(), 2, "the one that was refused, and the other's");
}

/// The phones that a user can have, by the last part of their paths.
const PHONES: [&str; 3] = [
    MOBILE,
    "/phoneMethods/b6332ec1-7057-4abe-9331-3d72feddfe41",
    "/phoneMethods/e37fc753-ff3b-4958-9484-eaa9425c82bc",
];

/// In an invented tenant the machine is suspended for some time at some moment of an apply, and somebody
/// takes away the phones of one user meanwhile. No user is worse off at the end than after that.
fn a_suspend_harms_no_user(cases: u32, long: bool) {
    let (tried, taken) = (Cell::new(0), Cell::new(0));
    holds(cases, long, |case, luck| {
        let Some((_, inside, plan)) = to_apply(case) else { return Ok(()) };
        let place = usize::try_from(luck % plan.changes.len() as u64).expect("few");
        let user = plan.directory.user(plan.changes[place].user).expect("a user").id.to_string();
        let (due, seconds) = (luck / 64 % 48, 25 + luck / 4096 % 3600);
        let (ahead, calls) = (Ahead::default(), AtomicU64::new(0));
        let (hand, url) = (ahead.clone(), inside.server.url().to_owned());
        let clock = ahead.clock(move || {
            if calls.fetch_add(1, Ordering::SeqCst) == due {
                hand.by(seconds);
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
    assert!(tried.get() > cases as usize / 4, "only {} were tried", tried.get());
    assert!(taken.get() > 0, "no phone was ever taken away");
}

/// Whether the plan itself removes this phone.
fn plan_deletes(plan: &Plan, line: &WriteLogLine) -> bool {
    plan.changes.iter().any(|change| {
        let user = plan.directory.user(change.user).expect("a user").id.to_string();
        change.after == Value::Nothing && line.path.contains(&user)
    })
}

#[test]
fn a_suspend_at_any_moment_of_an_apply_harms_no_user() {
    a_suspend_harms_no_user(20, false);
}

#[test]
#[ignore = "long: hundreds of inventions, each with a suspend of its own"]
fn a_suspend_in_hundreds_of_tenants_harms_no_user() {
    a_suspend_harms_no_user(300, true);
}

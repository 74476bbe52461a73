//! The whole program with network faults: every fault of the network or the service ends in the desired
//! state or in one clear error, and no write is done twice.
//!
//! Not here: the result of a single request (`graph::client::weather`, next to the code), or a tenant that
//! refuses requests (`faults`, `forbidden_reads`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mfactl_sandbox::sign_in::Verdict;
use serde_json::{Value, json};

use crate::apply::faults::JANE;
use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::promise_checks::nobody_signs_in_worse;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, Run, World};

const JAMES: &str = "j.brown@exchangelabs.nl";

/// A tenant with James and Jane, behind a front with network faults.
fn out_in(hook: impl Fn(&Seen, usize) -> Weather + Send + Sync + 'static) -> (World, Front) {
    let world = exchangelabs().james_and_jane();
    let front = Front::before(world.server().url(), hook);
    let url = front.url();
    (world.behind(PROJECT, &url, &url), front)
}

type Which = fn(&Seen) -> bool;

/// A fault for some of the requests of a kind, counted from 0.
fn some(
    places: &'static [usize],
    which: Which,
    bad: impl Fn() -> Weather + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Weather + Send + Sync {
    let count = AtomicUsize::new(0);
    move |seen, _| {
        let hit = which(seen) && places.contains(&count.fetch_add(1, Ordering::SeqCst));
        if hit { bad() } else { Weather::Fine }
    }
}

fn reads(seen: &Seen) -> bool {
    seen.is_graph() && !seen.writes()
}

/// Checks that both users have the desired values, and that each write was done once.
#[track_caller]
fn converged(name: &str, world: &World, run: &Run) {
    let store = world.server().store();
    let written: Vec<String> =
        store.writes().iter().map(|line| format!("{} {}", line.method, line.path)).collect();
    let distinct: BTreeSet<&String> = written.iter().collect();
    assert_eq!((written.len(), distinct.len()), (3, 3), "{name}: {written:#?}\n{}", run.text());
    for user in [JAMES, JANE] {
        assert_eq!(store.judge(user), Some(Verdict::Ok), "{name}: {user}");
    }
}

/// Runs all rows at the same time, because they mostly wait.
fn at_once<T: Send>(rows: Vec<T>, work: impl Fn(T) + Sync) {
    let rows = Mutex::new(rows);
    let next = || rows.lock().expect("no row fails while it is taken").pop();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..48)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(row) = next() {
                        work(row);
                    }
                })
            })
            .collect();
        let failed = workers.into_iter().filter_map(|worker| worker.join().err()).count();
        assert_eq!(failed, 0, "a row failed, see above");
    });
}

type Bad = fn() -> Weather;

fn throttled(after: Option<String>) -> Weather {
    let Weather::Says(status, mut headers, body) = Weather::refused(429, "tooManyRequests") else {
        unreachable!("an answer")
    };
    headers.extend(after.map(|after| ("retry-after", after)));
    Weather::Says(status, headers, body)
}

/// Temporary faults, with names for the output of the tests.
const PASSING: [(&str, Bad); 16] = [
    ("lost before it arrives", || Weather::Lost),
    ("cut before the first byte", || Weather::Cut(0)),
    ("cut in the headers", || Weather::Cut(60)),
    ("cut in the body", || Weather::Cut(420)),
    ("half of the JSON", || Weather::body(|body| body.chars().take(body.len() / 2).collect())),
    ("no body", || Weather::body(|_| String::new())),
    ("a page of a proxy", || Weather::body(|_| "<html>Sign in to the guest network</html>".into())),
    ("500", || Weather::refused(500, "UnknownError")),
    ("502", || Weather::Says(502, Vec::new(), "<html>Bad Gateway</html>".into())),
    ("503", || Weather::refused(503, "serviceNotAvailable")),
    ("504", || Weather::refused(504, "UnknownError")),
    ("429, in seconds", || throttled(Some("1".into()))),
    ("429, by a date", || throttled(Some("Mon, 23 Nov 2026 00:00:00 GMT".into()))),
    ("429, without a word", || throttled(None)),
    ("slow to begin", || Weather::Late(Duration::from_millis(700))),
    ("slow to end", || Weather::Drops(Duration::from_millis(60))),
];

/// Every fourth temporary fault.
fn some_passing(first: usize) -> Vec<(&'static str, Bad)> {
    PASSING.iter().copied().skip(first).step_by(4).collect()
}

#[test]
fn reads_are_retried_and_the_apply_converges() {
    reads_are_retried(some_passing(0));
}

#[test]
#[ignore = "long: every kind of fault"]
fn reads_are_retried_in_all_weathers() {
    reads_are_retried(PASSING.to_vec());
}

fn reads_are_retried(passing: Vec<(&'static str, Bad)>) {
    at_once(passing, |(name, bad)| {
        let (world, front) = out_in(some(&[7], reads, bad));
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(front.seen().iter().filter(|seen| reads(seen)).count() > 8, "{name}");
        converged(name, &world, &run);
    });
}

#[test]
#[ignore = "long: waits before every retry"]
fn plan_succeeds_if_every_second_try_of_each_request_fails() {
    at_once(PASSING.to_vec(), |(name, bad)| {
        // Counted by request: if all were counted together, one request could fail at each of its tries.
        let tries: Mutex<BTreeMap<(String, String), usize>> = Mutex::default();
        let (world, front) = out_in(move |seen, _| {
            let mut tries = tries.lock().expect("no panic");
            let tried = tries.entry((seen.path.clone(), seen.body.clone())).or_default();
            *tried += 1;
            if *tried % 2 == 1 { bad() } else { Weather::Fine }
        });
        let run = world.run(&["plan"]).ends(0);
        assert!(run.stdout.contains("Plan: 2 phones to add"), "{name}: {}", run.text());
        assert!(!run.stdout.contains("[unreadable]"), "{name}: {}", run.text());
        assert!(front.seen().len() > 8, "{name}");
    });
}

#[test]
fn writes_are_done_once_or_reported() {
    writes_are_done_once(some_passing(1));
}

#[test]
#[ignore = "long: every kind of fault"]
fn writes_are_done_once_or_reported_in_all_weathers() {
    writes_are_done_once(PASSING.to_vec());
}

/// A write whose answer is lost is verified. A write that was not done is left to the next apply.
fn writes_are_done_once(passing: Vec<(&'static str, Bad)>) {
    at_once(passing, |(name, bad)| {
        let (world, front) = out_in(some(&[0], Seen::writes, bad));
        let direct = world.project(PROJECT);
        let run = world.run(&["apply", "--auto-approve"]);
        let phones = world.server().store().writes().len();
        match run.code {
            Some(0) => converged(name, &world, &run),
            Some(5) => {
                assert_eq!(phones, 0, "{name}: {}", run.text());
                let is_reported =
                    ["2 failed", "2 unknown"].iter().any(|one| run.stdout.contains(one));
                assert!(is_reported, "{name}: {}", run.text());
                let world = world.file("mfactl.yaml", direct);
                let run = world.run(&["apply", "--auto-approve"]).ends(0);
                converged(name, &world, &run);
            }
            _ => panic!("{name}: {}", run.text()),
        }
        assert!(front.seen().iter().filter(|seen| seen.writes()).count() <= 3, "{name}");
    });
}

/// The token is refused for some reads, or for some writes.
#[test]
fn token_that_is_refused_during_an_apply_is_renewed() {
    let refused = || Weather::refused(401, "InvalidAuthenticationToken");
    let kinds: Vec<(&str, Which)> = vec![("reads", reads), ("writes", Seen::writes)];
    at_once(kinds, |(name, which)| {
        let (world, front) = out_in(some(&[0, 5], which, refused));
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        converged(name, &world, &run);
        let tokens = front.seen().iter().filter(|seen| seen.path.ends_with("/token")).count();
        assert!((2..=3).contains(&tokens), "{tokens}");
    });
}

/// A token is sent to the configured host only.
#[test]
fn redirect_or_link_to_another_host_is_not_followed() {
    for by_link in [false, true] {
        let elsewhere = Front::alone(|_, _| Weather::json(r#"{"value":[]}"#));
        let target = format!("{}/v1.0/users", elsewhere.url());
        let (world, front) = out_in(move |seen, _| {
            if !seen.path.contains("roleDefinitions") {
                return Weather::Fine;
            }
            let target = target.clone();
            match by_link {
                false => Weather::Says(302, vec![("location", target)], String::new()),
                true => Weather::body(move |body| {
                    let mut page: Value = serde_json::from_str(&body).expect("JSON");
                    page.as_object_mut()
                        .expect("a page")
                        .insert("@odata.nextLink".to_owned(), json!(target));
                    page.to_string()
                }),
            }
        });
        for command in [&["plan"][..], &["apply", "--auto-approve"]] {
            let run = world.run(command).ends(1);
            assert_eq!(
                (run.stdout.as_str(), run.stderr.lines().count()),
                ("", 2),
                "{}",
                run.text()
            );
            let reason =
                if by_link { "its host is not the configured Graph host" } else { "returned 302" };
            assert!(run.stderr.contains(reason), "{}", run.text());
        }
        assert!(elsewhere.seen().is_empty() && !front.seen().is_empty());
        assert!(world.server().store().writes().is_empty());
    }
}

/// The clock of the service is a day ahead or behind. Its times are compared with its own clock.
#[test]
#[ignore = "long: waits as long as the service asks"]
fn wrong_clock_of_the_service_changes_nothing() {
    at_once(vec![-1, 1], |days| {
        let count = AtomicUsize::new(0);
        let (world, _front) = out_in(move |seen, _| {
            let now = Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
            let date = |at: Timestamp| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            if seen.is_graph() && count.fetch_add(1, Ordering::SeqCst) == 2 {
                let soon = now + jiff::SignedDuration::from_secs(1);
                let headers = vec![("date", date(now)), ("retry-after", date(soon))];
                return Weather::Says(429, headers, String::new());
            }
            Weather::Changed(Box::new(move |mut headers, body| {
                headers.retain(|(name, _)| name != "date");
                headers.push(("date".to_owned(), date(now)));
                (headers, body)
            }))
        });
        let begun = Instant::now();
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        converged("a wrong clock", &world, &run);
    });
}

#[test]
#[ignore = "long: the program retries for some seconds before it gives up"]
fn service_that_stays_down_gives_one_error() {
    // The name, what happens, how often it is asked for, and the exit code.
    let rows: Vec<(&str, Bad, (usize, i32))> = vec![
        ("503", || Weather::refused(503, "serviceNotAvailable"), (6, 6)),
        ("cut", || Weather::Cut(0), (6, 6)),
        ("garbled", || Weather::body(|_| "<html>".into()), (6, 1)),
        ("throttled", || throttled(Some("0".into())), (6, 6)),
    ];
    at_once(rows, |(name, bad, (tries, exit))| {
        let (world, front) = out_in(move |seen, _| match seen.path.contains("roleDefinitions") {
            true => bad(),
            false => Weather::Fine,
        });
        let begun = Instant::now();
        let run = world.run(&["plan"]).ends(exit);
        assert!(begun.elapsed() < Duration::from_secs(40), "{name}: {:?}", begun.elapsed());
        assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 2), "{}", run.text());
        assert!(run.stderr.contains("error: `GET /v1.0/roleManagement"), "{}", run.text());
        let asked = front.seen();
        let asked = asked.iter().filter(|seen| seen.path.contains("roleDefinitions")).count();
        assert_eq!(asked, tries, "{name}");
    });
}

#[test]
#[ignore = "long: over a hundred applies, cut at several places of each answer"]
fn apply_converges_after_a_cut_anywhere_in_an_answer() {
    let places: Vec<(usize, usize)> =
        (0..24).flat_map(|nth| [0, 9, 90, 300, 431, 700].map(|at| (nth, at))).collect();
    at_once(places, |(nth, at)| {
        let (world, _front) =
            out_in(move |_, count| if count == nth { Weather::Cut(at) } else { Weather::Fine });
        let run = world.run(&["apply", "--auto-approve"]).ends(0);
        converged(&format!("request {nth} cut at {at}"), &world, &run);
    });
}

/// Checks that both users have the desired values, and that no write was repeated without need: a write
/// follows another one of the same path only if it sets a different value, which puts the first one back.
#[track_caller]
fn converged_after_storms(name: &str, world: &World, run: &Run) {
    let store = world.server().store();
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for line in store.writes() {
        let body = line.body.clone();
        let before = last.insert(format!("{} {}", line.method, line.path), body.clone());
        assert_ne!(before, Some(body), "{name}: {:#?}\n{}", store.writes(), run.text());
    }
    assert_eq!(last.len(), 3, "{name}: {last:#?}\n{}", run.text());
    for user in [JAMES, JANE] {
        assert_eq!(store.judge(user), Some(Verdict::Ok), "{name}: {user}");
    }
}

/// Three in ten requests get a fault of any kind, also requests for tokens.
fn storm(seed: u64) -> impl Fn(&Seen, usize) -> Weather + Send + Sync {
    let luck = Mutex::new(fastrand::Rng::with_seed(seed));
    move |_, _| {
        let mut luck = luck.lock().expect("no panic");
        if luck.f64() >= 0.3 {
            return Weather::Fine;
        }
        match luck.usize(0..19) {
            place @ 0..16 => PASSING.get(place).map_or(Weather::Lost, |(_, bad)| bad()),
            16 => Weather::Cut(luck.usize(0..2000)),
            17 => throttled(Some("0".into())),
            _ => Weather::refused(401, "InvalidAuthenticationToken"),
        }
    }
}

/// The postures of the users in scope, by the plan.
fn postures(world: &World) -> Value {
    let plan = world.run(&["plan", "--format", "json"]).ends(0).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    plan.pointer("/posture/before").expect("postures").clone()
}

#[test]
#[ignore = "long: two hundred applies with many faults, each repeated until it succeeds"]
fn applies_converge_after_two_hundred_storms() {
    at_once((0..200).collect(), |seed| {
        let (world, _front) = out_in(storm(seed));
        let mut tried = 0;
        let run = loop {
            tried += 1;
            let plan = world.run(&["plan"]);
            assert!(matches!(plan.code, Some(0 | 1 | 6)), "{seed}: {}", plan.text());
            let run = world.run(&["apply", "--auto-approve"]);
            nobody_signs_in_worse(&world.server().store()).expect("nobody is worse off");
            // Without changes, the apply succeeds even if it could not read everything, and says so.
            let is_unread = run.stdout.contains("as far as it could be read");
            match run.code {
                Some(0) if !is_unread => break run,
                Some(0 | 1 | 4 | 5 | 6) if tried < 8 => {}
                _ => panic!("{seed}, after {tried}: {}", run.text()),
            }
        };
        converged_after_storms(&format!("storm {seed}"), &world, &run);
        let direct = world.project(PROJECT);
        let world = world.file("mfactl.yaml", direct);
        assert_eq!(postures(&world), json!({ "protected": 2 }), "{seed}");
    });
}

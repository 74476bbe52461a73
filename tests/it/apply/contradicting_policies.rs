//! Two applies from two folders without a common lock, with contradicting policies, at any latency. At the
//! end no user is worse off than before; or else a run names the user, does not exit with 0, and its undo
//! repairs the account.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use fastrand::Rng;
use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Fault, Faults, PartInfo, Store};

use crate::apply::two_writers::wants_of;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

/// Users of the seed without a role.
const PEOPLE: [&str; 4] = [
    "j.smith@exchangelabs.nl",
    "j.brown@exchangelabs.nl",
    "a.scholten@exchangelabs.nl",
    "w.kok@exchangelabs.nl",
];

/// Desired values of policies. Of two that differ, one may remove what the other one depends on.
const WISHES: [&str; 5] = [
    "{ phones: { mobile: absent } }",
    "{ phones: { office: absent } }",
    "{ phones: { alternateMobile: absent } }",
    "{ phones: { office: absent, alternateMobile: absent } }",
    "{ perUserMfa: enabled }",
];

/// The first write of each apply waits until the other apply is about to write too. So both applies have
/// read the same state.
fn together(rng: &mut Rng) -> Faults {
    let patience = Duration::from_millis(if rng.bool() { 4_000 } else { 0 });
    let seen: Arc<(Mutex<BTreeSet<String>>, Condvar)> = Arc::default();
    Faults::by(move |part: &PartInfo| {
        if part.write.is_none() {
            return Fault::None;
        }
        let what = part.path.rsplit('/').next().unwrap_or_default().to_owned();
        let (kinds, more) = &*seen;
        let wait = || {
            let mut all = kinds.lock().expect("no panic");
            all.insert(what);
            more.notify_all();
            drop(more.wait_timeout_while(all, patience, |all| all.len() < 2));
        };
        tokio::task::block_in_place(wait);
        Fault::None
    })
}

fn standing(store: &Store, name: &str) -> (Verdict, usize) {
    let user = store.user(name).expect("the user");
    let phones = user.methods.iter().filter(|one| one.contains_key("phoneType")).count();
    (store.judge(name).expect("a verdict"), phones)
}

/// The users that must register, are blocked or have no phone left, and were not so before.
fn worse(world: &World) -> Vec<&'static str> {
    let (before, now) = (world.server().store().after(0), world.server().store());
    let is_worse = |name: &&str| {
        let (was, is) = (standing(&before, name), standing(&now, name));
        let bad = matches!(is.0, Verdict::MustRegister | Verdict::Blocked) && is.0 != was.0;
        bad || was.1 > 0 && is.1 == 0
    };
    PEOPLE.into_iter().filter(is_worse).collect()
}

fn contradict(number: u64) {
    let mut rng = Rng::with_seed(number);
    let latency = Duration::from_millis(rng.u64(0..=400));
    let mut tenant = exchangelabs();
    for name in PEOPLE {
        let kinds: &[&str] = match rng.u8(0..3) {
            0 => &["mobile", "office"],
            1 => &["mobile", "alternateMobile"],
            _ => &["mobile", "alternateMobile", "office"],
        };
        let state = ["disabled", "enabled", "enforced"][rng.usize(0..3)];
        tenant = tenant.phones(name, kinds, state);
    }
    let faults = together(&mut rng);
    let mut world = tenant.faults(faults).latency(latency).world();
    let project = std::fs::read(world.path("mfactl.yaml")).expect("the project");
    let one = rng.usize(0..WISHES.len());
    let other = (one + rng.usize(1..WISHES.len())) % WISHES.len();
    for (folder, wish) in [("a", one), ("b", other)] {
        world = world
            .file(&format!("{folder}/mfactl.yaml"), &project)
            .file(&format!("{folder}/policies/one.yaml"), wants_of(&PEOPLE, WISHES[wish]));
    }
    let config = |folder: &str| format!("{folder}/mfactl.yaml");
    let apply = |folder: &str| -> Output {
        let arguments = ["--config", &config(folder), "apply", "--auto-approve"];
        world.command(&arguments).output().expect("the program")
    };
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| apply("a"));
        let b = apply("b");
        (a.join().expect("no panic"), b)
    });
    let text_of = |output: &Output| world.alike(&output.stdout) + &world.alike(&output.stderr);
    let about = format!(
        "seed {number}, {latency:?}, {} and {}\n--- a\n{}\n--- b\n{}",
        WISHES[one],
        WISHES[other],
        text_of(&a),
        text_of(&b)
    );
    for output in [&a, &b] {
        assert!(matches!(output.status.code(), Some(0 | 5)), "{about}");
    }
    let harmed = worse(&world);
    for name in &harmed {
        let names = |output: &Output| {
            let text = text_of(output);
            output.status.code() == Some(5) && text.contains("Checked again") && text.contains(name)
        };
        assert!(names(&a) || names(&b), "{name} is worse off, and no run reports it: {about}");
    }
    if harmed.is_empty() {
        return;
    }
    for (folder, output) in [("a", &a), ("b", &b)] {
        if output.status.code() == Some(5) {
            let list = ["--config", &config(folder), "runs", "--format", "json"];
            let listed = world.command(&list).output().expect("the program").stdout;
            let listed: serde_json::Value = serde_json::from_slice(&listed).expect("JSON");
            let run = listed["runs"][0]["run"].as_str().expect("a run").to_owned();
            let undo = ["--config", &config(folder), "undo", &run, "--auto-approve"];
            _ = world.command(&undo).output().expect("the program");
        }
    }
    assert_eq!(worse(&world), Vec::<&str>::new(), "repaired by the undo: {about}");
}

#[test]
fn two_contradicting_applies_report_and_undo_any_harm() {
    std::thread::scope(|scope| {
        (0..2).for_each(|number| _ = scope.spawn(move || contradict(number)))
    });
}

#[test]
#[ignore = "long: a hundred pairs of applies with up to 400 ms of latency"]
fn hundred_pairs_of_contradicting_applies_report_and_undo_any_harm() {
    std::thread::scope(|scope| {
        for first in 0..4 {
            scope.spawn(move || (first..100).step_by(4).for_each(contradict));
        }
    });
}

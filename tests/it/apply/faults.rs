//! Faults between the program and the tenant: refused, throttled and lost answers, missing permissions,
//! and facts that become unreadable.
//!
//! Not here: a killed program (`killed`), or other writers (`concurrent_edits`, `two_writers`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Fault, Faults, PartInfo};

use crate::support::golden::compare;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, World};

pub(crate) const JANE: &str = "j.smith@exchangelabs.nl";

fn refused(status: u16, code: &str) -> Fault {
    Fault::Status { status, code: code.to_owned(), retry_after: None }
}

fn later() -> Fault {
    Fault::Status { status: 429, code: "tooManyRequests".to_owned(), retry_after: Some(0) }
}

pub(crate) fn with(hook: impl Fn(&PartInfo) -> Fault + Send + Sync + 'static) -> World {
    exchangelabs().faults(Faults::by(hook)).james_and_jane()
}

/// A fault for the first requests of a kind, and none for later ones.
fn first(
    count: usize,
    which: impl Fn(&PartInfo) -> bool + Send + Sync + 'static,
    fault: impl Fn() -> Fault + Send + Sync + 'static,
) -> impl Fn(&PartInfo) -> Fault + Send + Sync {
    nth(0..count, which, fault)
}

/// A fault for some of the requests of a kind, counted from 0.
pub(crate) fn nth(
    places: std::ops::Range<usize>,
    which: impl Fn(&PartInfo) -> bool + Send + Sync + 'static,
    fault: impl Fn() -> Fault + Send + Sync + 'static,
) -> impl Fn(&PartInfo) -> Fault + Send + Sync {
    let seen = AtomicUsize::new(0);
    move |part| {
        let hit = which(part) && places.contains(&seen.fetch_add(1, Ordering::SeqCst));
        if hit { fault() } else { Fault::None }
    }
}

pub(crate) fn id_of(name: &str) -> String {
    let seed = mfactl_sandbox::seeds::exchangelabs();
    let mut users = seed
        .users
        .iter()
        .filter(|one| one.user.get("userPrincipalName").is_some_and(|is| is == name));
    let user = users.next().expect("a user of that name");
    user.user.get("id").and_then(serde_json::Value::as_str).expect("an id").to_owned()
}

fn is_about(part: &PartInfo, id: &str, what: &str) -> bool {
    part.path.contains(id) && part.path.ends_with(what)
}

/// Checks that each user has the desired phone and state, and that each was written once.
#[track_caller]
pub(crate) fn is_done(world: &World) {
    let store = world.server().store();
    let written: Vec<String> =
        store.writes().iter().map(|line| format!("{} {}", line.method, line.path)).collect();
    assert_eq!(written.len(), 3, "{written:#?}");
    let mut distinct = written.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 3, "nothing is written twice: {written:#?}");
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn throttled_reads_are_retried() {
    let reads = with(first(2, |part| part.version.is_some() && part.write.is_none(), later));
    reads.run(&["apply", "--auto-approve"]).ends(0);
    is_done(&reads);
    let parts = with(first(5, |part| part.batch_part.is_some(), later));
    parts.run(&["apply", "--auto-approve"]).ends(0);
    is_done(&parts);
}

#[test]
fn throttled_writes_are_sent_again_and_done_once() {
    let world = with(first(2, |part| part.write.is_some(), later));
    world.run(&["apply", "--auto-approve"]).ends(0);
    is_done(&world);
    let wholes = with(nth(2..4, |part| part.path.ends_with("$batch"), later));
    wholes.run(&["apply", "--auto-approve"]).ends(0);
    is_done(&wholes);
}

#[test]
fn read_is_retried_after_a_temporary_error() {
    let world = with(first(
        1,
        |part| part.path.ends_with("/methods"),
        || refused(503, "serviceNotAvailable"),
    ));
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert!(!run.stdout.contains("[unreadable]"), "{}", run.text());
}

#[test]
fn refused_token_is_renewed() {
    let world = with(first(
        1,
        |part| part.version.is_some(),
        || refused(401, "InvalidAuthenticationToken"),
    ));
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
}

#[test]
fn write_with_a_lost_answer_is_verified_and_not_repeated() {
    let lost = |place| {
        let world = with(nth(place..place + 1, |part| part.write.is_some(), || Fault::CloseAfter));
        let run = world.run(&["apply", "--auto-approve"]);
        if place == 0 {
            // The batch ended with its first part, so the phone of the other user was not added.
            assert_eq!(run.code, Some(5), "{}", run.text());
            let again = world.run(&["apply", "--auto-approve"]).ends(0);
            assert!(again.stdout.contains("nothing is left to do"), "{}", again.text());
        } else {
            assert_eq!(run.code, Some(0), "{}", run.text());
            assert!(run.stdout.contains("3 changes done"), "{}", run.text());
        }
        is_done(&world);
    };
    std::thread::scope(|scope| {
        for place in 0..3 {
            scope.spawn(move || lost(place));
        }
    });
}

#[test]
fn refused_write_cancels_only_later_writes_of_the_same_user() {
    for (status, code) in [(400, "invalidRequest"), (409, "conflict")] {
        let jane = id_of(JANE);
        let world = with(move |part| match is_about(part, &jane, "/phoneMethods") {
            true => refused(status, code),
            false => Fault::None,
        });
        let run = world.run(&["apply", "--auto-approve"]).ends(5);
        assert!(
            run.stdout.contains(
                "Apply: 1 change done · 1 failed · 0 changed since the plan · 1 not tried"
            ),
            "{}",
            run.text()
        );
        assert!(run.stdout.contains(&format!("failed     mobile phone: {JANE}")), "{}", run.text());
        assert!(run.stdout.contains(&format!("not tried  per-user MFA: {JANE}")), "{}", run.text());
        assert!(run.stdout.contains(code), "the error code of Graph: {}", run.text());
        let store = world.server().store();
        assert_eq!(store.writes().len(), 1);
        assert_eq!(store.judge(JANE).map(|verdict| verdict.as_str()), Some("passwordOnly"));
    }
}

#[test]
fn user_is_not_written_if_methods_become_unreadable() {
    let jane = id_of(JANE);
    // The plan reads the methods of Jane. Right before the first write they can no longer be read.
    let world = with(nth(
        1..2,
        move |part| is_about(part, &jane, "/methods"),
        || refused(403, "accessDenied"),
    ));
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(
        run.stdout
            .contains("Apply: 1 change done · 0 failed · 2 changed since the plan · 0 not tried"),
        "{}",
        run.text()
    );
    assert_eq!(world.server().store().writes().len(), 1);
    world.run(&["apply", "--auto-approve"]).ends(0);
    is_done(&world);
}

#[test]
fn plan_is_refused_if_the_method_policy_becomes_unreadable() {
    let world = with(nth(
        1..2,
        |part| part.path.ends_with("/authenticationMethodsPolicy"),
        || refused(403, "accessDenied"),
    ));
    let run = world.run(&["apply", "--auto-approve"]).ends(4);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert_eq!(
        run.stderr,
        "error: refused: the tenant's authentication methods policy, or one of its groups, could be read \
         for the plan but cannot be read now\n\
         help: plan again, and apply the new plan\n"
    );
    assert!(world.server().store().writes().is_empty());
}

#[test]
fn forbidden_facts_of_a_user_are_unknown_and_never_absent() {
    let mut differences = String::new();
    for what in ["methods", "requirements"] {
        let jane = id_of(JANE);
        let world = with(move |part| match is_about(part, &jane, &format!("/{what}")) {
            true => refused(403, "accessDenied"),
            false => Fault::None,
        });
        let run = world.run(&["plan"]).ends(0);
        let json = world.run(&["plan", "--format", "json"]).ends(0).stdout;
        assert!(json.contains("\"code\": \"unreadable\""), "{json}");
        let path = format!("tests/unreadable/{what}.txt");
        differences += &compare(Path::new(&path), &run.text());
        world.run(&["apply", "--auto-approve"]).ends(0);
        let store = world.server().store();
        assert!(!store.writes().is_empty(), "the phone of James is written");
        let states = store.writes().iter().filter(|line| line.path.ends_with("/requirements"));
        assert_eq!(states.count(), 0, "MFA is not raised for a user without a certain method");
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn unreadable_method_policy_withholds_every_write() {
    let world = with(|part| match part.path.ends_with("/authenticationMethodsPolicy") {
        true => refused(403, "accessDenied"),
        false => Fault::None,
    });
    let run = world.run(&["plan"]).ends(0);
    let difference = compare(Path::new("tests/unreadable/methods-policy.txt"), &run.text());
    assert!(difference.is_empty(), "\n{difference}");
    world.run(&["apply", "--auto-approve"]).ends(0);
    // A phone might switch on SMS sign-in, and the policy might not allow it as a method.
    assert_eq!(world.server().store().writes().len(), 0);
}

#[test]
fn missing_permission_is_named_in_the_error() {
    for (what, permission) in
        [("/transitiveMembers", "GroupMember.Read.All"), ("/groups", "GroupMember.Read.All")]
    {
        let world = with(move |part| match part.path.contains(what) {
            true => refused(403, "Authorization_RequestDenied"),
            false => Fault::None,
        })
        .file(
            "policies/staff.yaml",
            "version: 1\npolicies:\n  staff:\n    appliesTo: { groups: [Sales] }\n    desired: { perUserMfa: enabled }\n",
        );
        let run = world.run(&["plan"]);
        assert!(matches!(run.code, Some(1 | 3)), "{}", run.text());
        assert_eq!(run.stdout, "", "no plan is made from an incomplete directory");
        assert!(run.stderr.contains(permission), "{}", run.text());
        assert!(run.stderr.contains("403"), "{}", run.text());
    }
}

#[test]
#[ignore = "long: waits some seconds for a phone to be listed"]
fn mfa_is_not_raised_until_the_new_phone_is_listed() {
    let jane = id_of(JANE);
    // The methods are read for the plan and before the first write, and refused after that.
    let world = with(nth(
        2..100,
        move |part| is_about(part, &jane, "/methods"),
        || refused(403, "accessDenied"),
    ));
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stdout.contains("1 not tried"), "{}", run.text());
    let store = world.server().store();
    assert_eq!(store.writes().len(), 2, "two phones, and no state");
    assert_eq!(store.judge(JANE).map(|verdict| verdict.as_str()), Some("passwordOnly"));
}

/// Every change is made, and then the tenant can no longer be read.
#[test]
fn apply_is_reported_even_if_planning_again_fails() {
    let world = with(nth(
        2..100,
        |part| part.path.ends_with("/conditionalAccess/policies"),
        || refused(409, "conflict"),
    ));
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stdout.contains("Apply: 3 changes done"), "{}", run.text());
    assert!(!run.stdout.contains("Planned again"), "{}", run.text());
    assert!(run.stderr.contains("after the apply, planning again failed"), "{}", run.text());
    assert!(run.stderr.contains("error: `GET /v1.0/identity"), "{}", run.text());
}

/// The token is refused from the first write on, and no other token can be obtained. The state of Willem,
/// which is written after the phones of the others, is not tried.
#[test]
fn writing_stops_once_no_token_can_be_obtained() {
    let (batches, asked) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    let world = with(move |part| {
        if part.path.ends_with("$batch") && batches.fetch_add(1, Ordering::SeqCst) >= 4 {
            counted.fetch_add(1, Ordering::SeqCst);
            return refused(401, "InvalidAuthenticationToken");
        }
        match part.version.is_none() && batches.load(Ordering::SeqCst) > 4 {
            true => refused(400, "invalid_client"),
            false => Fault::None,
        }
    });
    let willem = "  willem: { appliesTo: { users: [w.kok@exchangelabs.nl] }, desired: { perUserMfa: enabled } }\n";
    let world = world.file("policies/staff.yaml", format!("{JAMES_AND_JANE}{willem}"));
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    let counts = "Apply: 0 changes done · 2 failed · 0 changed since the plan · 2 not tried";
    assert!(run.stdout.contains(counts), "{}", run.text());
    assert!(
        run.stdout
            .contains("not tried  per-user MFA: w.kok@exchangelabs.nl\n      stopped: no token"),
        "{}",
        run.text()
    );
    assert!(world.server().store().writes().is_empty());
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one batch of writes, and no second plan");
}

#[test]
#[ignore = "long: the program retries for some seconds before it gives up"]
fn lost_network_is_reported_and_the_next_apply_finishes() {
    for (place, done) in [(1, true), (2, false)] {
        let back = Arc::new(AtomicBool::new(false));
        let is_back = Arc::clone(&back);
        let (writes, gone) = (AtomicUsize::new(0), AtomicBool::new(false));
        let world = with(move |part| {
            if is_back.load(Ordering::SeqCst) {
                return Fault::None;
            }
            if gone.load(Ordering::SeqCst) {
                return Fault::CloseBefore;
            }
            if part.write.is_none() || writes.fetch_add(1, Ordering::SeqCst) < place {
                return Fault::None;
            }
            gone.store(true, Ordering::SeqCst);
            if done { Fault::CloseAfter } else { Fault::CloseBefore }
        });
        let run = world.run(&["apply", "--auto-approve"]);
        assert_eq!(run.code, Some(5), "{}", run.text());
        assert!(run.stderr.contains("error: "), "the reason that no plan follows: {}", run.text());
        assert!(run.stdout.contains("Apply: "), "the result is reported: {}", run.text());
        let store = world.server().store();
        assert_eq!(store.writes().len(), place + usize::from(done));
        assert_ne!(store.judge(JANE), Some(Verdict::MustRegister));
        back.store(true, Ordering::SeqCst);
        world.run(&["apply", "--auto-approve"]).ends(0);
        is_done(&world);
    }
}

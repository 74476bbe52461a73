//! Promise 2: if an apply is interrupted at any write, no user is worse off than before, and the next apply
//! finishes the work. Over invented tenants, as in `promises`.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::cell::Cell;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mfactl::disclose::Discloser;
use mfactl::plan::pipeline;
use mfactl::policy::PolicySet;
use mfactl::render::apply;
use mfactl_sandbox::{Fault, Faults};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tokio::sync::Notify;

use crate::plan::promises::{holds, is_unstable, policies};
use crate::support::invented::Invented;
use crate::support::promise_checks::{
    nobody_signs_in_worse, nobody_stands_worse, nothing_is_written_twice,
    only_what_is_managed_was_written,
};

/// An interruption of an apply at one write.
#[derive(Debug, Clone, Copy)]
struct Break {
    at: u64,
    /// The write is done although its answer is lost.
    done: bool,
    /// No request follows: the program was killed, or the network is down.
    crash: bool,
}

/// The faults of an interruption, the switch that ends them, and the signal that the program has crashed.
fn broken(at: Break) -> (Faults, Arc<AtomicBool>, Arc<Notify>) {
    let (over, gone) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (is_over, crashed) = (Arc::clone(&over), Arc::clone(&gone));
    let (cut, writes) = (AtomicBool::new(false), AtomicU64::new(0));
    let faults = Faults::by(move |part| {
        if is_over.load(Ordering::SeqCst) || part.version.is_none() {
            return Fault::None;
        }
        if at.crash && cut.load(Ordering::SeqCst) {
            // This is the first request after the interruption: all requests in flight have ended.
            crashed.notify_one();
            return Fault::CloseBefore;
        }
        if part.write.is_some() && writes.fetch_add(1, Ordering::SeqCst) + 1 == at.at {
            cut.store(true, Ordering::SeqCst);
            return if at.done { Fault::CloseAfter } else { Fault::CloseBefore };
        }
        Fault::None
    });
    (faults, over, gone)
}

fn survives(case: &Invented, set: &PolicySet, at: Break) -> TestCaseResult {
    let (faults, over, gone) = broken(at);
    let inside = case.tenant().faults(faults).inside();
    let before = inside.observe(set).expect("a tenant");
    let plan = inside.plan(set).expect("a plan");
    inside.apply(&plan, gone.notified());
    over.store(true, Ordering::SeqCst);
    nobody_signs_in_worse(&inside.server.store())?;
    let now = inside.observe(set).expect("a tenant");
    nobody_stands_worse(&before, &now)?;
    let next = pipeline::plan(set, now);
    let report = inside.apply(&next, pending()).expect("an end");
    prop_assert!(report.is_whole(), "{}", apply::report(&next, &report, &Discloser::of_names()));
    let store = inside.server.store();
    prop_assert!(store.writes().len() <= plan.changes.len());
    nobody_signs_in_worse(&store)?;
    nothing_is_written_twice(&store)?;
    only_what_is_managed_was_written(case, &store)?;
    let left = inside.plan(set).expect("a plan");
    prop_assert!(left.changes.is_empty(), "{:#?}", left.changes);
    Ok(())
}

const KINDS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

fn an_apply_may_break(cases: u32, long: bool) {
    let broken = Cell::new(0);
    holds(cases, long, |case, luck| {
        let Some(set) = policies(case) else { return Ok(()) };
        let inside = case.tenant().inside();
        let Some(plan) = inside.plan(&set) else { return Ok(()) };
        // If a policy selects by registered methods, the finished writes decide what is desired next.
        if is_unstable(&plan) || case.looks_at_methods() {
            return Ok(());
        }
        drop(inside);
        let writes = plan.changes.len() as u64;
        for at in 1..=writes {
            for (place, (done, crash)) in (0..).zip(KINDS) {
                // A short run tries one of them for each tenant, and a long run tries all.
                if long || luck % (writes * 4) == (at - 1) * 4 + place {
                    let at = Break { at, done, crash };
                    survives(case, &set, at)
                        .map_err(|error| TestCaseError::fail(format!("{at:?}: {error}")))?;
                    broken.set(broken.get() + 1);
                }
            }
        }
        Ok(())
    });
    assert!(broken.get() > cases as usize / 3, "only {} applies were interrupted", broken.get());
}

#[test]
fn interrupted_apply_harms_no_user_and_the_next_one_finishes() {
    an_apply_may_break(28, false);
}

#[test]
#[ignore = "long: interrupts every write of a hundred invented tenants in every way"]
fn interrupted_apply_in_a_hundred_tenants_harms_no_user() {
    an_apply_may_break(120, true);
}

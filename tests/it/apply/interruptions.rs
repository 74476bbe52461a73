//! Promise 2: wherever an apply is broken off, nobody is worse off than before, and the next apply
//! ends what it began. Over invented tenants, as in `promises`.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::cell::Cell;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mfactl::plan::pipeline;
use mfactl::policy::PolicySet;
use mfactl::render::apply;
use mfactl_sandbox::{Fault, Faults, Options};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tokio::sync::Notify;

use crate::plan::promises::{holds, is_unstable, policies};
use crate::support::inside::Inside;
use crate::support::invented::Invented;
use crate::support::promise_checks::{
    nobody_signs_in_worse, nobody_stands_worse, nothing_is_written_twice,
    only_what_is_managed_was_written,
};

/// How an apply is disturbed at a write.
#[derive(Debug, Clone, Copy)]
struct Break {
    at: u64,
    /// The write is done all the same.
    done: bool,
    /// Nothing comes after it: the program is gone, or its network.
    crash: bool,
}

/// Faults for a break, until it is over; and word of it when the program is to be gone.
fn broken(at: Break) -> (Faults, Arc<AtomicBool>, Arc<Notify>) {
    let (over, gone) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (is_over, tell) = (Arc::clone(&over), Arc::clone(&gone));
    let (cut, writes) = (AtomicBool::new(false), AtomicU64::new(0));
    let faults = Faults::by(move |part| {
        if is_over.load(Ordering::SeqCst) || part.version.is_none() {
            return Fault::None;
        }
        if at.crash && cut.load(Ordering::SeqCst) {
            // The first request after it: all that was under way has ended.
            tell.notify_one();
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
    let inside = Inside::new(Options { faults, ..Options::in_memory(case.seed()) });
    let before = inside.observe(set).expect("a tenant");
    let plan = inside.plan(set).expect("a plan");
    inside.apply(&plan, gone.notified());
    over.store(true, Ordering::SeqCst);
    nobody_signs_in_worse(&inside.server.store())?;
    let now = inside.observe(set).expect("a tenant");
    nobody_stands_worse(&before, &now)?;
    let next = pipeline::plan(set, now);
    let report = inside.apply(&next, pending()).expect("an end");
    prop_assert!(report.is_whole(), "{}", apply::report(&next, &report));
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
        let inside = Inside::new(Options::in_memory(case.seed()));
        let Some(plan) = inside.plan(&set) else { return Ok(()) };
        // Where a policy looks at what is registered, what was done already decides what comes next.
        if is_unstable(&plan) || case.looks_at_methods() {
            return Ok(());
        }
        drop(inside);
        let writes = plan.changes.len() as u64;
        for at in 1..=writes {
            for (place, (done, crash)) in (0..).zip(KINDS) {
                // One of them each time, or all.
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
    assert!(broken.get() > cases as usize / 3, "only {} were broken", broken.get());
}

#[test]
fn wherever_an_apply_breaks_nobody_is_worse_off_and_the_next_one_ends_it() {
    an_apply_may_break(28, false);
}

#[test]
#[ignore = "long: every write of hundreds of inventions, in every way"]
fn wherever_an_apply_breaks_in_hundreds_of_tenants_nobody_is_worse_off() {
    an_apply_may_break(120, true);
}

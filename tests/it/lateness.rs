//! The promises where the service hears of writes late: a state that is promoted when nobody looks any
//! more, and lists of methods that lag behind.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::future::pending;
use std::thread;
use std::time::Duration;

use mfactl::plan::build;
use mfactl::render::outcome;
use mfactl::sandbox::Options;
use proptest::prelude::*;

use crate::inside::Inside;
use crate::promises::{holds, is_unstable, nobody_signs_in_worse, policies};

/// An apply, and once all lists show it, a plan that is empty.
fn an_apply_ends_it_though(methods: Duration, promotion: Duration, cases: u32, long: bool) {
    let changed = Cell::new(0);
    holds(cases, long, |case, _| {
        let mut options = Options::in_memory(case.seed());
        options.lateness.methods = methods;
        options.lateness.promotion = promotion;
        let inside = Inside::new(options);
        let seen = policies(case).and_then(|set| inside.observe(&set).ok().map(|seen| (set, seen)));
        let Some((set, observed)) = seen else { return Ok(()) };
        let plan = build::plan(&set, observed);
        if is_unstable(&plan) {
            return Ok(());
        }
        let report = inside.apply(&plan, pending()).expect("an end");
        prop_assert!(report.is_whole(), "{}", outcome::report(&plan, &report));
        nobody_signs_in_worse(&inside.server.store())?;
        thread::sleep(methods);
        let again = build::plan(&set, inside.observe(&set).expect("what was there a moment ago"));
        prop_assert!(again.changes.is_empty(), "{:#?}", again.changes);
        changed.set(changed.get() + plan.changes.len());
        Ok(())
    });
    assert!(changed.get() > cases as usize, "only {} changes", changed.get());
}

const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

#[test]
fn a_state_that_is_not_promoted_yet_is_no_change() {
    an_apply_ends_it_though(Duration::ZERO, NEVER, 12, false);
}

#[test]
fn methods_that_are_listed_late_carry_a_state_later() {
    an_apply_ends_it_though(SOON, NEVER, 2, false);
}

#[test]
#[ignore = "long: waits for lists in hundreds of tenants"]
fn lists_and_promotions_that_are_late_change_nothing_in_hundreds_of_tenants() {
    an_apply_ends_it_though(SOON, NEVER, 100, true);
}

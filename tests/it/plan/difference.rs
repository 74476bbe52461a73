//! Two plans of one tenant that is read once, over invented tenants: each is the plan that it would be
//! alone, and the difference of the two leads from one to the other.
//!
//! Not here: how a review is shown (`against`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;

use mfactl::observed::Observed;
use mfactl::plan::content::{PlanContent, governed};
use mfactl::plan::difference::PlanDifference;
use mfactl::plan::fingerprint::Fingerprint;
use mfactl::plan::pipeline;
use mfactl::plan::review::Comparison;
use mfactl::policy::PolicySet;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::promises::{holds, holds_for, policies};
use crate::support::invented::{Invented, invented};

/// What a plan says, and what identifies it.
fn planned(set: &PolicySet, observed: Observed) -> (PlanContent, Fingerprint) {
    let governed = governed(set, &observed);
    let plan = pipeline::plan(set, observed);
    let content = PlanContent::of(&plan, governed);
    (content, Fingerprint::of(&plan.only_concerned(), None))
}

/// Evaluates the policies of two cases in the tenant of the first.
fn two_plans_are_those_of_each_alone((case, other): (Invented, Invented)) -> TestCaseResult {
    let (Some(base), Some(head)) = (policies(&case), policies(&other)) else { return Ok(()) };
    let inside = case.tenant().inside();
    let Some(seen) = inside.observe_two(&base, &head) else {
        prop_assert!(inside.observe(&head).is_err(), "only the union does not fit the head");
        return Ok(());
    };
    let with = planned(&head, seen.head);
    prop_assert_eq!(&with, &planned(&head, inside.observe(&head).expect("the head fits")));
    let Ok(of_base) = seen.base else {
        prop_assert!(inside.observe(&base).is_err(), "only the union does not fit the base");
        return Ok(());
    };
    let without = planned(&base, of_base);
    prop_assert_eq!(&without, &planned(&base, inside.observe(&base).expect("the base fits")));

    let (with, without) = (with.0, without.0);
    let difference = PlanDifference::between(&without, &with);
    prop_assert_eq!(difference.applied_to(&without), with.clone());
    prop_assert_eq!(PlanDifference::between(&with, &without).applied_to(&with), without.clone());
    prop_assert_eq!(difference.is_empty(), with == without);
    each_change_is_new_or_waits(&without, &with)
}

/// Each change of the head is in the difference, or the base plans it too.
fn each_change_is_new_or_waits(base: &PlanContent, head: &PlanContent) -> TestCaseResult {
    let comparison = Comparison::of(base, head, Vec::new());
    let of = |content: &PlanContent| -> BTreeSet<_> {
        let users = content.users.iter();
        users.flat_map(|(user, one)| one.changes.keys().map(|setting| (*user, *setting))).collect()
    };
    let new: BTreeSet<_> =
        comparison.difference.settings().map(|one| (one.user, one.setting)).collect();
    let waiting = of(head).difference(&new).count();
    prop_assert_eq!(waiting, comparison.waiting.changes);
    for (user, setting) in of(head).difference(&new) {
        prop_assert_eq!(
            base.users.get(user).and_then(|one| one.changes.get(setting)),
            head.users.get(user).and_then(|one| one.changes.get(setting))
        );
    }
    Ok(())
}

#[test]
fn two_plans_of_one_reading_are_those_of_each_alone_in_some_tenants() {
    holds_for(8, false, &(invented(), invented()), two_plans_are_those_of_each_alone);
}

#[test]
#[ignore = "long: hundreds of invented tenants, each with two policy sets"]
fn two_plans_of_one_reading_are_those_of_each_alone_in_hundreds_of_tenants() {
    holds_for(600, true, &(invented(), invented()), two_plans_are_those_of_each_alone);
}

fn same_files_have_no_difference(case: &Invented) -> TestCaseResult {
    let (Some(base), Some(head)) = (policies(case), policies(case)) else { return Ok(()) };
    let inside = case.tenant().inside();
    let Some(seen) = inside.observe_two(&base, &head) else { return Ok(()) };
    let (without, with) =
        (planned(&base, seen.base.expect("the same names fit")), planned(&head, seen.head));
    let comparison = Comparison::of(&without.0, &with.0, Vec::new());
    prop_assert!(comparison.difference.is_empty(), "{:#?}", comparison.difference);
    prop_assert!(!comparison.has_effect());
    Ok(())
}

#[test]
fn same_files_have_no_difference_in_some_tenants() {
    holds(6, false, |case, _| same_files_have_no_difference(case));
}

#[test]
#[ignore = "long: hundreds of invented tenants"]
fn same_files_have_no_difference_in_hundreds_of_tenants() {
    holds(400, true, |case, _| same_files_have_no_difference(case));
}

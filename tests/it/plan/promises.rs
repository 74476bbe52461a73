//! The promises, over invented tenants and policies. With every `cargo test`, each property runs on a few
//! tenants, always the same ones. The ignored tests run it on many.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;

use mfactl::disclose::Discloser;
use mfactl::finding::Code;
use mfactl::id::UserId;
use mfactl::observed::Observed;
use mfactl::plan::Plan;
use mfactl::plan::pipeline;
use mfactl::policy::PolicySet;
use mfactl::posture::Posture;
use mfactl::render::apply;
use mfactl::results::{ApplyReport, ChangeResult};
use mfactl::settings::Setting;
use mfactl_sandbox::sign_in::{Application, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use serde_json::Value;

use crate::support::inside::{Inside, as_json, load, printed};
use crate::support::invented::{Invented, invented};
use crate::support::promise_checks::{
    nobody_signs_in_worse, nobody_stands_worse, nobody_stands_worse_on_the_way,
    nothing_is_written_twice, only_what_is_managed_was_written, shows_no_number,
    steps_are_in_order,
};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};

/// Tries a property on invented tenants: the same few each time, or many random ones. A long property
/// prints its seed if it fails. `MFACTL_SEED` sets the seed of every long property, to repeat a
/// failure. A long test may also try more of the same tenants than its quick test.
pub(crate) fn holds(cases: u32, long: bool, property: impl Fn(&Invented, u64) -> TestCaseResult) {
    holds_for(cases, long, &(invented(), any::<u64>()), |(case, luck)| property(&case, luck));
}

/// The same for values of any kind.
pub(crate) fn holds_for<S: Strategy>(
    cases: u32,
    long: bool,
    values: &S,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    // Shrinking has a time limit, because a failing case may wait each time it is tried.
    let max_shrink_time = 60_000;
    let config = Config { cases, failure_persistence: None, max_shrink_time, ..Config::default() };
    let (seed, rng) = match long {
        true => long_seed(),
        false => (0, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tried = runner.run(values, property);
    if let Err(error) = tried {
        panic!("MFACTL_SEED={seed}\n{error}");
    }
}

fn long_seed() -> (u64, TestRng) {
    let given = std::env::var("MFACTL_SEED").ok();
    let given = given.map(|seed| seed.parse().expect("MFACTL_SEED is a number"));
    let seed: u64 = given.unwrap_or_else(random_seed);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    (seed, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn random_seed() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8)
}

pub(crate) fn policies(case: &Invented) -> Option<PolicySet> {
    let folder = tempfile::tempdir().expect("a folder");
    case.write(folder.path(), false);
    load(folder.path())
}

fn postures(observed: &Observed) -> BTreeMap<UserId, Posture> {
    let judge = observed.basis.judge();
    let users = observed.scope.users().map(|index| (index, observed.directory.user(index)));
    users
        .map(|(index, user)| {
            (user.expect("a user").id, judge.posture(index, &observed.facts(index)))
        })
        .collect()
}

/// Whether SMS sign-in was refused because a user in no policy has the number for it. That user was not
/// read.
pub(crate) fn number_signs_in_an_unread_user(plan: &Plan, report: &ApplyReport) -> bool {
    report.of(plan).any(|(change, result)| {
        let taken = match result {
            ChangeResult::Failed(why) => why.contains("phoneNumberNotUnique"),
            // A new read showed this before the write.
            ChangeResult::NotTried(why) => why.contains("may use, this number for SMS sign-in"),
            ChangeResult::Done
            | ChangeResult::DoneBefore
            | ChangeResult::Unknown(_)
            | ChangeResult::MovedOn(_) => false,
        };
        change.setting == Setting::SmsSignIn && taken
    })
}

fn withheld(plan: &Plan) -> BTreeSet<(Option<UserId>, Setting)> {
    let id_of = |index| plan.directory.user(index).map(|user| user.id);
    plan.withheld.iter().map(|one| (id_of(one.user), one.setting)).collect()
}

/// Checks that a plan for the state after the plan has no changes.
fn the_plan_of_the_plan_is_empty(
    set: &PolicySet,
    plan: &Plan,
    observed: Observed,
) -> TestCaseResult {
    let mut then = observed;
    for change in &plan.changes {
        let facts = then.facts.get_mut(change.user.place()).expect("a place");
        *facts = change.applied_to(*facts);
    }
    let again = pipeline::plan(set, then);
    prop_assert!(again.changes.is_empty(), "{:#?}", again.changes);
    // The effect of a new number on SMS sign-in is not predicted, so no value is desired yet.
    let withheld = |plan| {
        let all = withheld(plan).into_iter();
        all.filter(|(_, setting)| *setting != Setting::SmsSignIn).collect::<Vec<_>>()
    };
    prop_assert_eq!(withheld(&again), withheld(plan));
    Ok(())
}

/// An invented tenant and its plan, if the plan has changes and the policies are stable.
pub(crate) fn to_apply(case: &Invented) -> Option<(PolicySet, Inside, Plan)> {
    let set = policies(case)?;
    let inside = case.tenant().inside();
    let plan = inside.plan(&set)?;
    (!is_unstable(&plan) && !plan.changes.is_empty()).then_some((set, inside, plan))
}

/// Whether the desired values depend on the changes of the plan. Such a plan is never applied.
pub(crate) fn is_unstable(plan: &Plan) -> bool {
    plan.findings.iter().any(|finding| finding.code == Code::PolicyUnstable)
}

fn apply_leaves_no_change(cases: u32, long: bool) {
    let (planned, refused, unstable) = (Cell::new(0), Cell::new(0), Cell::new(0));
    holds(cases, long, |case, _| {
        let inside = case.tenant().inside();
        let Some((set, observed)) =
            policies(case).and_then(|set| inside.observe(&set).ok().map(|seen| (set, seen)))
        else {
            refused.set(refused.get() + 1);
            return Ok(());
        };
        let before = inside.observe(&set).expect("the same tenant as before");
        let plan = pipeline::plan(&set, observed);
        shows_no_number(&printed(&plan), &case.numbers())?;
        if is_unstable(&plan) {
            prop_assert!(case.looks_at_methods(), "{:#?}", plan.findings);
            unstable.set(unstable.get() + 1);
            return Ok(());
        }
        nobody_stands_worse_on_the_way(&plan)?;
        steps_are_in_order(&plan)?;
        let report = inside.apply(&plan, pending()).expect("an end");
        let store = inside.server.store();
        if number_signs_in_an_unread_user(&plan, &report) {
            return nobody_signs_in_worse(&store);
        }
        prop_assert!(
            report.is_whole(),
            "{}",
            apply::report(&plan, &report, &Discloser::of_names())
        );
        prop_assert!(store.writes().len() <= plan.changes.len());
        nobody_signs_in_worse(&store)?;
        nothing_is_written_twice(&store)?;
        only_what_is_managed_was_written(case, &store)?;
        let after = inside.observe(&set).expect("the same tenant as before");
        nobody_stands_worse(&before, &after)?;
        let again = pipeline::plan(&set, after);
        prop_assert!(again.changes.is_empty(), "{:#?}", again.changes);
        if !case.looks_at_methods() {
            let (mut predicted, mut left) = (withheld(&plan), withheld(&again));
            prop_assert!(left.is_subset(&predicted), "{left:?} of {predicted:?}");
            // The service allows SMS sign-in to one of the users that share a number, and it is unknown
            // before to which one.
            predicted.retain(|(_, setting)| *setting != Setting::SmsSignIn);
            left.retain(|(_, setting)| *setting != Setting::SmsSignIn);
            prop_assert_eq!(left, predicted);
            prop_assert_eq!(&again.postures.before, &plan.postures.after, "the predicted postures");
            the_plan_of_the_plan_is_empty(&set, &plan, before)?;
        }
        planned.set(planned.get() + plan.changes.len());
        Ok(())
    });
    assert!(planned.get() > cases as usize, "only {} changes", planned.get());
    assert!(refused.get() < cases as usize / 2, "{} could not be planned", refused.get());
    assert!(unstable.get() < cases as usize / 5, "{} were unstable", unstable.get());
}

#[test]
fn apply_leaves_no_change_and_writes_only_managed_settings() {
    apply_leaves_no_change(10, false);
}

#[test]
#[ignore = "long: a thousand invented tenants"]
fn apply_leaves_no_change_in_a_thousand_tenants() {
    apply_leaves_no_change(30, false);
    apply_leaves_no_change(1000, true);
}

#[test]
fn invalid_number_that_is_not_allowed_leaves_the_user_open() {
    let tenant = TenantBuilder::named("exchangelabs-sms-for-pilot").without_method("Voice");
    let world = tenant.world().file(
        "policies/staff.yaml",
        "version: 1\npolicies:\n  staff:\n    appliesTo: { users: [n.vandam@exchangelabs.nl] }\n    desired: { perUserMfa: enabled }\n",
    );
    // Her number is one digit short. But she may not use SMS, so the number does not count.
    let verdict = world.server().store().judge("n.vandam@exchangelabs.nl");
    assert_eq!(verdict, Some(Verdict::MustRegister));
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("open 1 → 1"), "{}", run.text());
}

#[test]
fn disabled_external_method_does_not_justify_raising_mfa() {
    let other = Value::from("5c9a1b6e-74d2-4e08-a3f1-d8b06e25c948");
    let finn = "f.maas@exchangelabs.nl";
    let tenant = exchangelabs().mfa_state(finn, "disabled").changed(|seed| {
        let policy = &mut seed.tenant.authentication_methods_policy;
        let configurations = policy["authenticationMethodConfigurations"].as_array_mut();
        let configurations = configurations.expect("configurations");
        let allowed = configurations
            .iter()
            .find(|one| one["@odata.type"].as_str().is_some_and(|kind| kind.contains("external")));
        let mut second = allowed.expect("an external method").clone();
        second["id"] = other.clone();
        second["state"] = "disabled".into();
        configurations.push(second);
    });
    let tenant = tenant.user(finn, |user| {
        for method in user.methods.iter_mut().filter(|one| one.contains_key("configurationId")) {
            method.insert("configurationId".to_owned(), other.clone());
        }
    });
    let world = tenant.world().file(
        "policies/staff.yaml",
        format!("version: 1\npolicies:\n  staff:\n    appliesTo: {{ users: [{finn}] }}\n    desired: {{ perUserMfa: enabled }}\n"),
    );
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("[mfa-withheld]"), "{}", run.text());
    assert_eq!(world.server().store().judge(finn), Some(Verdict::PasswordOnly));
}

/// The posture of each user in scope is compared with the result of a sign-in. The judge of the tenant
/// shares no code with the planner.
fn the_judge_agrees(cases: u32, long: bool) {
    let seen: Cell<BTreeMap<(Posture, Verdict), usize>> = Cell::default();
    holds(cases, long, |case, _| {
        let Some(set) = policies(case) else { return Ok(()) };
        let inside = case.tenant().inside();
        let Ok(observed) = inside.observe(&set) else { return Ok(()) };
        let store = inside.server.store();
        for (user, posture) in postures(&observed) {
            let at = |application| {
                let verdict = store.judge_at(&user.to_string(), application, store.today());
                verdict.expect("a user of the tenant")
            };
            let (ordinary, verdict) = (at(Application::Ordinary), at(Application::AdminPortals));
            // A user who can activate a role answers MFA when activating it, not at this sign-in.
            // And the judge has no later end of delivery for such a user.
            if case.may_rule(&user.to_string())
                && (verdict == Verdict::PasswordOnly || case.is_late())
            {
                continue;
            }
            let agreed = match posture {
                Posture::Protected => (ordinary, verdict) == (Verdict::Ok, Verdict::Ok),
                // After the end of phone delivery, only a passkey helps, and it may not be allowed.
                Posture::Stuck => {
                    verdict == Verdict::Blocked
                        || case.is_late() && verdict == Verdict::MustRegister
                }
                // A method that is bound to one device or one day can still answer.
                Posture::Open => {
                    matches!(verdict, Verdict::MustRegister | Verdict::Ok)
                }
                // Conditional Access and security defaults may require more than is read. The portals
                // require MFA of administrators whose password opens mail.
                Posture::Unprotected => {
                    case.asks_by_other_means() || ordinary == Verdict::PasswordOnly
                }
                Posture::Unknown => true,
            };
            prop_assert!(
                agreed,
                "{user:?}: {posture:?}, but the sign-ins are {ordinary} and {verdict}"
            );
            let mut all = seen.take();
            *all.entry((posture, verdict)).or_default() += 1;
            seen.set(all);
        }
        Ok(())
    });
    let seen = seen.take();
    for posture in [Posture::Protected, Posture::Open, Posture::Stuck, Posture::Unprotected] {
        assert!(seen.keys().any(|(seen, _)| *seen == posture), "no user is {posture:?}: {seen:?}");
    }
}

#[test]
fn sign_in_result_agrees_with_the_posture() {
    the_judge_agrees(12, false);
}

#[test]
#[ignore = "long: more than a thousand invented tenants"]
fn sign_in_result_agrees_with_the_posture_in_many_tenants() {
    the_judge_agrees(30, false);
    the_judge_agrees(1500, true);
}

fn order_does_not_matter(cases: u32, long: bool) {
    let planned = Cell::new(0);
    holds(cases, long, |case, _| {
        let (one, other) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        case.write(one.path(), false);
        case.write(other.path(), true);
        let (one, other) = (load(one.path()), load(other.path()));
        prop_assert_eq!(one.is_some(), other.is_some(), "both have faults, or neither has");
        let (Some(one), Some(other)) = (one, other) else { return Ok(()) };
        let inside = case.tenant().inside();
        let (one, other) = (inside.plan(&one), inside.plan(&other));
        prop_assert_eq!(one.is_some(), other.is_some(), "both are refused, or neither is");
        let (Some(one), Some(other)) = (one, other) else { return Ok(()) };
        let (first, second) = (without_places(&one), without_places(&other));
        for (name, value) in first.as_object().into_iter().flatten() {
            prop_assert_eq!(value, &second[name], "{}", name);
        }
        planned.set(planned.get() + one.changes.len());
        Ok(())
    });
    assert!(planned.get() > cases as usize, "only {} changes", planned.get());
}

/// The plan as JSON, without places in files.
fn without_places(plan: &Plan) -> Value {
    let mut json: Value = serde_json::from_str(&as_json(plan)).expect("JSON");
    json["fingerprint"] = Value::Null;
    for rows in ["/changes", "/withheld", "/findings", "/reported/changes", "/reported/withheld"] {
        let rows = json.pointer_mut(rows).and_then(Value::as_array_mut);
        for row in rows.into_iter().flatten() {
            let row = row.as_object_mut().expect("an object");
            row.remove("origin");
            // A conflict names both places.
            if row.get("code").is_some_and(|code| code == "policy-conflict") {
                row.remove("reason");
            }
        }
    }
    json
}

#[test]
fn order_of_files_policies_and_keys_does_not_change_the_plan() {
    order_does_not_matter(8, false);
}

#[test]
#[ignore = "long: hundreds of invented tenants"]
fn order_of_files_does_not_change_the_plan_in_hundreds_of_tenants() {
    order_does_not_matter(24, false);
    order_does_not_matter(500, true);
}

#[test]
fn order_of_file_creation_does_not_change_the_plan() {
    let mut texts = Vec::new();
    for order in [["a", "b", "c"], ["c", "a", "b"]] {
        let mut world = exchangelabs().james_and_jane();
        for name in order {
            let text = crate::support::world::JAMES_AND_JANE.replace("staff", name);
            world = world.file(&format!("policies/{name}.yaml"), text);
        }
        texts.push(world.run(&["plan", "--format", "json"]).ends(0).stdout);
    }
    assert!(texts.first().is_some_and(|text| text.contains("phones.mobile")));
    assert_eq!(texts.first(), texts.last());
}

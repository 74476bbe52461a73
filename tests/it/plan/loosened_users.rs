//! Loosenings over invented tenants and pairs of policy sets: a user that the head guards less is concerned by
//! a loosening, and no other user is.
//!
//! Not here: each code, with its place (`loosenings`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;

use mfactl::desired::{Candidates, DecisionResult, Desired, PolicyView, desired};
use mfactl::finding::Code;
use mfactl::id::UserId;
use mfactl::observed::Observed;
use mfactl::plan::loosening::{Loosening, Side, Sides, loosenings};
use mfactl::policy::filter::Exception;
use mfactl::policy::{GuardEntry, PolicySet};
use mfactl::settings::change::PolicyIndex;
use mfactl::settings::{Setting, Value, Values};
use mfactl::tenant::directory::UserIndex;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::promises::{holds, holds_for, policies};
use crate::support::invented::{Invented, invented};

fn found(base: (&PolicySet, &Observed), head: (&PolicySet, &Observed)) -> Vec<Loosening> {
    let side = |(policies, observed)| Side { policies, observed: Some(observed) };
    loosenings(Sides { base: side(base), head: side(head) })
}

fn concerned(found: &[Loosening]) -> BTreeSet<UserId> {
    found
        .iter()
        .filter_map(|one| one.concerned.as_ref())
        .flat_map(|one| one.users.clone())
        .collect()
}

/// What one side decides for a user, if a policy can apply to the user.
fn decided(set: &PolicySet, observed: &Observed, index: UserIndex) -> Option<Desired> {
    observed.scope.users().find(|user| *user == index)?;
    let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
    let user = observed.directory.user(index)?;
    Some(desired(candidates, PolicyView::Real, index, user, &observed.facts(index)))
}

/// The settings that a rule decides.
fn managed(decided: Option<&Desired>) -> BTreeSet<Setting> {
    let said = decided.into_iter().flat_map(|one| &one.said);
    let by_rule = said.filter(|one| {
        matches!(one.outcome, DecisionResult::Wanted(_) | DecisionResult::Nothing(_))
    });
    by_rule.map(|one| one.setting).collect()
}

/// Whether the later value is weaker, judged without the program.
fn is_weaker(setting: Setting, before: Value, now: Value) -> bool {
    match (before, now) {
        (Value::State(before), Value::State(now)) => now < before,
        (Value::Phone(_) | Value::UndialablePhone, Value::Nothing) => true,
        (Value::Switch(before), Value::Switch(now)) => match setting {
            Setting::SmsSignIn => now && !before,
            _ => before && !now,
        },
        _ => false,
    }
}

/// Whether a user is guarded less, by what each side decides.
fn is_guarded_less(
    (before, now): (Option<&Desired>, Option<&Desired>),
    (base, head): (Values, Values),
) -> bool {
    let (rules_before, rules_now) = (managed(before), managed(now));
    let loses = !rules_before.is_subset(&rules_now);
    let value = |decided: Option<&Desired>, read: Values, setting| {
        decided.map_or(read, |one| one.values).get(setting)
    };
    loses
        || rules_now.iter().any(|setting| {
            let (old, new) = (value(before, base, *setting), value(now, head, *setting));
            let was_there = !rules_before.contains(setting) && old.meets(new);
            !was_there && is_weaker(*setting, old, new)
        })
}

fn each_user_that_is_guarded_less_is_concerned(
    (case, other): (Invented, Invented),
) -> TestCaseResult {
    let (Some(base), Some(head)) = (policies(&case), policies(&other)) else { return Ok(()) };
    let inside = case.tenant().inside();
    let Some(seen) = inside.observe_two(&base, &head) else { return Ok(()) };
    let Ok(of_base) = seen.base else { return Ok(()) };
    let of_head = seen.head;
    let found = found((&base, &of_base), (&head, &of_head));
    let concerned = concerned(&found);
    for (index, user) in of_head.directory.users() {
        let before = decided(&base, &of_base, index);
        let now = decided(&head, &of_head, index);
        let read = Values::observed(&of_head.facts(index));
        let read_before = match before {
            Some(_) => Values::observed(&of_base.facts(index)),
            None => read,
        };
        if is_guarded_less((before.as_ref(), now.as_ref()), (read_before, read)) {
            prop_assert!(concerned.contains(&user.id), "{user:?} {before:#?} {now:#?} {found:#?}");
        }
        if concerned.contains(&user.id) {
            let rules = |one: &Option<Desired>| one.as_ref().map(|one| one.said.clone());
            let by_name = |set: &PolicySet, one: &Option<Desired>| {
                let said = rules(one).unwrap_or_default().into_iter();
                said.map(|one| {
                    let policy = set.policies.get(one.policy.place()).cloned();
                    let rule = policy.and_then(|policy| policy.rules.get(one.setting).cloned());
                    (one.setting, rule)
                })
                .collect::<Vec<_>>()
            };
            prop_assert_ne!(by_name(&base, &before), by_name(&head, &now), "{:#?}", found);
        }
    }
    Ok(())
}

#[test]
fn each_user_that_is_guarded_less_is_concerned_in_some_tenants() {
    holds_for(12, false, &(invented(), invented()), each_user_that_is_guarded_less_is_concerned);
}

#[test]
#[ignore = "long: hundreds of invented tenants, each with two policy sets"]
fn each_user_that_is_guarded_less_is_concerned_in_hundreds_of_tenants() {
    holds_for(600, true, &(invented(), invented()), each_user_that_is_guarded_less_is_concerned);
}

/// Excludes one user from one policy, and makes another user a break-glass account.
fn each_excluded_user_is_concerned(case: &Invented, luck: u64) -> TestCaseResult {
    let Some(base) = policies(case) else { return Ok(()) };
    let inside = case.tenant().inside();
    let Ok(alone) = inside.observe(&base) else { return Ok(()) };
    let same = found((&base, &alone), (&base, &alone));
    prop_assert!(same.is_empty(), "{same:#?}");
    let users: Vec<UserIndex> = alone.scope.users().collect();
    let pick = |shift: u32| {
        let luck = usize::try_from(luck >> shift).unwrap_or_default();
        users.get(luck.checked_rem(users.len())?).copied()
    };
    let (Some(excluded), Some(added)) = (pick(0), pick(8)) else { return Ok(()) };
    let id = |index| alone.directory.user(index).expect("a user").id;
    let mut head = base.clone();
    let place = usize::try_from(luck >> 16).unwrap_or_default() % head.policies.len();
    let index = PolicyIndex::new(place);
    let policy = head.policies.get_mut(place).expect("a policy");
    let entry = |user| GuardEntry { id: id(user), name: None, origin: policy.origin };
    let (excluded_entry, added_entry) = (entry(excluded), entry(added));
    policy.except.push(Exception {
        groups: Vec::new(),
        users: vec![excluded_entry],
        roles: Vec::new(),
        reason: None,
        until: None,
        allow_empty: false,
        origin: policy.origin,
    });
    let facts = alone.facts(excluded);
    let is_governed = policy.governs() && alone.scope.applies(index, policy, excluded, &facts);
    head.project.break_glass.users.push(added_entry);
    let Some(seen) = inside.observe_two(&base, &head) else { return Ok(()) };
    let Ok(of_base) = seen.base else { return Ok(()) };
    let found = found((&base, &of_base), (&head, &seen.head));
    let of = |code| {
        let found: Vec<_> = found.iter().filter(|one| one.code == code).cloned().collect();
        concerned(&found)
    };
    prop_assert!(of(Code::BreakGlassAdded).contains(&id(added)), "{found:#?}");
    if is_governed {
        prop_assert!(of(Code::ExceptionWidened).contains(&id(excluded)), "{found:#?}");
    }
    let codes: BTreeSet<Code> = found.iter().map(|one| one.code).collect();
    let expected = [Code::BreakGlassAdded, Code::ExceptionWidened].into();
    // Without an exception or an account, another policy may decide; that is weaker, or it is not.
    let others = [Code::RuleOvertaken, Code::ReplaceAllowed, Code::WeakerWanted];
    prop_assert!(codes.difference(&expected).all(|code| others.contains(code)), "{found:#?}");
    Ok(())
}

#[test]
fn each_excluded_user_is_concerned_in_some_tenants() {
    holds(8, false, each_excluded_user_is_concerned);
}

#[test]
#[ignore = "long: hundreds of invented tenants"]
fn each_excluded_user_is_concerned_in_hundreds_of_tenants() {
    holds(400, true, each_excluded_user_is_concerned);
}

//! The promise of approvals, over invented tenants that change after the approval: nothing is written that was
//! not approved, and nothing approved is lost but what changed.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::pending;

use mfactl::id::UserId;
use mfactl::plan::Plan;
use mfactl::plan::approval::{Approval, ApprovalCheck, ApprovalKey, ChangeStanding, Salt};
use mfactl::plan::narrow::{Narrow, narrow};
use mfactl::settings::Setting;
use proptest::prelude::*;
use serde_json::json;

use crate::plan::promises::{holds, is_unstable, to_apply};
use crate::support::inside::Inside;
use crate::support::promise_checks::nobody_signs_in_worse_since;
use crate::support::world::{request, runtime};

fn of(plan: &Plan) -> BTreeSet<(UserId, Setting)> {
    let id = |index| plan.directory.user(index).map(|user| user.id);
    plan.changes.iter().filter_map(|one| Some((id(one.user)?, one.setting))).collect()
}

/// Three of four changes, by chance.
fn of_luck(plan: &Plan, luck: u64) -> Narrow {
    let changes = plan.changes.iter().enumerate();
    let some = changes.filter(|(place, _)| luck.rotate_left((place * 7 % 64) as u32) & 3 != 0);
    let some = some.map(|(_, change)| (change.user, change.setting));
    Narrow { changes: Some(some.collect()), ..Narrow::default() }
}

/// Others change some users: their numbers in the directory, their phones and their state.
fn drift(inside: &Inside, plan: &Plan, luck: u64) {
    let users = plan.users.iter().filter_map(|one| plan.directory.user(one.user));
    for (place, user) in users.enumerate() {
        let id = user.id;
        let (method, path, body) = match luck
            .rotate_right(u32::try_from(place * 3 % 64).unwrap_or(0))
            & 7
        {
            0 => ("PATCH", format!("/v1.0/users/{id}"), json!({ "mobilePhone": "+31 6 58672399" })),
            1 => (
                "PATCH",
                format!("/beta/users/{id}/authentication/requirements"),
                json!({ "perUserMfaState": "enabled" }),
            ),
            2 => (
                "POST",
                format!("/v1.0/users/{id}/authentication/phoneMethods"),
                json!({ "phoneNumber": format!("+31 6586724{:02}", place % 100), "phoneType": "mobile" }),
            ),
            3 => ("PATCH", format!("/v1.0/users/{id}"), json!({ "accountEnabled": false })),
            _ => continue,
        };
        // Some are refused, such as a second mobile phone. That is no change.
        runtime().block_on(request(inside.server.url(), method, &path, Some(&body)));
    }
}

fn only_approved_changes_are_made(cases: u32, long: bool) {
    let (kept, new, gone) = (Cell::new(0), Cell::new(0), Cell::new(0));
    holds(cases, long, |case, luck| {
        let Some((set, inside, plan)) = to_apply(case) else { return Ok(()) };
        let key = ApprovalKey::new(
            Salt(luck.to_le_bytes().repeat(2).try_into().expect("16 bytes")),
            None,
        );
        // Somebody approved a part of the plan, so that the rest is new.
        let part = of_luck(&plan, luck);
        let approval = Approval::of(&narrow(plan.clone(), &part, &set), &key);
        drift(&inside, &plan, luck);
        let Ok(observed) = inside.observe(&set) else { return Ok(()) };
        let whole = mfactl::plan::pipeline::whole(&set, observed);
        let check = ApprovalCheck::of(&approval, &whole, &key);
        let now = whole.plan;
        if is_unstable(&now) {
            return Ok(());
        }
        let narrowed = narrow(now.clone(), &check.narrow(None), &set);
        let check = check.after(&narrowed);
        let made = Approval::of(&narrowed, &key).changes;
        prop_assert!(made.is_subset(&approval.changes), "something was not approved");
        let wanted: Vec<_> =
            Approval::of(&now, &key).changes.intersection(&approval.changes).copied().collect();
        let needs_another = check.count(ChangeStanding::NeedsAnother);
        prop_assert_eq!(check.count(ChangeStanding::Planned), made.len());
        prop_assert_eq!(wanted.len(), made.len() + needs_another, "something approved is lost");
        let of_approved: usize = ChangeStanding::ALL
            .into_iter()
            .filter(|one| *one != ChangeStanding::New)
            .map(|one| check.count(one))
            .sum();
        prop_assert_eq!(of_approved, approval.changes.len(), "each approved change has one place");
        prop_assert_eq!(
            check.count(ChangeStanding::New) + check.count(ChangeStanding::Changed) + wanted.len(),
            now.changes.len()
        );
        kept.set(kept.get() + made.len());
        new.set(new.get() + check.waiting());
        gone.set(gone.get() + check.count(ChangeStanding::NeedsNothing));
        let before = inside.server.store().writes().len();
        let approved = of(&plan);
        if !narrowed.changes.is_empty() {
            inside.apply(&narrowed, pending());
        }
        let store = inside.server.store();
        prop_assert!(store.writes().len() - before <= made.len());
        prop_assert!(of(&narrowed).is_subset(&approved));
        nobody_signs_in_worse_since(&store, before)
    });
    let seen = [kept.get(), new.get(), gone.get()];
    assert!(seen.iter().all(|seen| *seen > cases as usize / 10), "kept, new and gone: {seen:?}");
}

#[test]
fn nothing_is_written_that_was_not_approved() {
    only_approved_changes_are_made(15, false);
}

#[test]
#[ignore = "long: many invented tenants"]
fn nothing_is_written_that_was_not_approved_in_many_tenants() {
    only_approved_changes_are_made(300, true);
}

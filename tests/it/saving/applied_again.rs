//! A saved plan that was applied before, in whole or in part. The apply reports which changes its own
//! earlier runs made, makes the remaining changes if that is safe, and blames no other writer.
//!
//! Not here: reasons to refuse a saved plan as a whole (`saved`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mfactl_sandbox::{Fault, Faults, PartInfo};
use serde_json::json;

use crate::apply::faults::{JANE, id_of, is_done};
use crate::apply::killed::journals;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

const FILE: &str = "staff.plan";
const JAMES: &str = "j.brown@exchangelabs.nl";

fn writes(world: &World) -> usize {
    world.server().store().writes().len()
}

/// James and Jane with a saved plan of three changes: two phones, and MFA for Jane.
fn planned(faults: Faults) -> World {
    let world = exchangelabs().faults(faults).james_and_jane();
    world.run(&["plan", "--out", FILE]).ends(0);
    world
}

/// Refuses requests of a kind while the switch is on. A server error asks for no wait before the next try.
pub(crate) fn while_on(
    which: impl Fn(&PartInfo) -> bool + Send + Sync + 'static,
    status: u16,
) -> (Faults, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(false));
    let is_on = Arc::clone(&on);
    let faults = Faults::by(move |part| match is_on.load(Ordering::SeqCst) && which(part) {
        true => {
            let retry_after = (status >= 500).then_some(0);
            Fault::Status { status, code: "something".to_owned(), retry_after }
        }
        false => Fault::None,
    });
    (faults, on)
}

fn blames_no_other_writer(text: &str) {
    assert!(!text.contains("somebody else"), "{text}");
    assert!(!text.contains("for another user"), "{text}");
    assert!(!text.contains("was changed"), "{text}");
}

#[test]
fn plan_applied_twice_reports_that_its_own_run_made_all_changes() {
    let world = planned(Faults::none());
    world.run(&["apply", FILE]).ends(0);
    let again = world.run(&["apply", FILE]).ends(0);
    let report = "your own run RUN wrote 3 of the 3 changes of this plan; 0 left";
    assert!(again.stderr.contains(report), "{}", again.text());
    let counts =
        "Apply: 0 changes done · 0 failed · 0 changed since the plan · 0 not tried · 3 done before";
    assert!(again.stdout.contains(counts), "{}", again.text());
    blames_no_other_writer(&again.text());
    is_done(&world);
    let list = world.run(&["runs", "--format", "json"]).ends(0).stdout;
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!((&list["runs"][1]["done"], &list["runs"][1]["doneBefore"]), (&json!(0), &json!(3)));
    // Undoing the second run changes nothing, because that run wrote nothing.
    let run = journals(&world)[1].run.to_string();
    let undo = world.run(&["undo", &run, "--auto-approve"]).ends(0);
    assert_eq!(writes(&world), 3, "{}", undo.text());
}

#[test]
fn half_applied_plan_is_continued() {
    let state = |part: &PartInfo| part.write.is_some() && part.path.ends_with("/requirements");
    let (faults, on) = while_on(state, 400);
    let world = planned(faults);
    on.store(true, Ordering::SeqCst);
    let run = world.run(&["apply", FILE]).ends(5);
    assert!(run.stdout.contains("2 changes done · 1 failed"), "{}", run.text());
    on.store(false, Ordering::SeqCst);
    let again = world.run(&["apply", FILE]).ends(0);
    let report = "your own run RUN wrote 2 of the 3 changes of this plan; 1 left";
    assert!(again.stderr.contains(report), "{}", again.text());
    let counts =
        "Apply: 1 change done · 0 failed · 0 changed since the plan · 0 not tried · 2 done before";
    assert!(again.stdout.contains(counts), "{}", again.text());
    blames_no_other_writer(&again.text());
    is_done(&world);
}

/// The program was killed or its answers were lost: writes that a read finds count as its own.
#[test]
fn plan_of_an_unsettled_run_continues_after_the_check() {
    let (on, count) = (Arc::new(AtomicBool::new(true)), AtomicUsize::new(0));
    let is_on = Arc::clone(&on);
    let world = planned(Faults::by(move |part| {
        let is_first = part.write.is_some() && count.fetch_add(1, Ordering::SeqCst) == 0;
        if is_on.load(Ordering::SeqCst) && is_first { Fault::CloseAfter } else { Fault::None }
    }));
    world.run(&["apply", FILE]).ends(5);
    on.store(false, Ordering::SeqCst);
    let again = world.run(&["apply", FILE]).ends(0);
    assert!(again.stderr.contains("your own run RUN wrote"), "{}", again.text());
    blames_no_other_writer(&again.text());
    is_done(&world);
}

#[test]
fn value_changed_after_the_own_run_is_not_overwritten() {
    let state = |part: &PartInfo| part.write.is_some() && part.path.ends_with("/requirements");
    let (faults, on) = while_on(state, 400);
    let world = planned(faults);
    on.store(true, Ordering::SeqCst);
    world.run(&["apply", FILE]).ends(5);
    on.store(false, Ordering::SeqCst);
    let mobile = "3179e48a-750b-4051-897c-87b9720928f7";
    let path = format!("/v1.0/users/{JANE}/authentication/phoneMethods/{mobile}");
    let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    assert!(world.call("PATCH", &path, Some(&own)).0 < 300);
    let before = writes(&world);
    let again = world.run(&["apply", FILE]).ends(5);
    assert!(
        again.stdout.contains("2 changed since the plan · 0 not tried · 1 done before"),
        "{}",
        again.text()
    );
    assert!(!again.text().contains("somebody else"), "{}", again.text());
    assert_eq!(writes(&world), before);
}

/// After an undo of the run, the saved plan can be applied again.
#[test]
fn undone_plan_can_be_applied_again() {
    const XUAN: &str = "x.tran@exchangelabs.nl";
    let policy = format!(
        "version: 1\npolicies:\n  one:\n    appliesTo: {{ users: [{XUAN}] }}\n    desired: {{ phones: {{ mobile: {{ from: mobilePhone }} }} }}\n"
    );
    let world = exchangelabs().world().file("policies/one.yaml", policy);
    world.run(&["plan", "--out", FILE]).ends(0);
    world.run(&["apply", FILE]).ends(0);
    let run = journals(&world)[0].run.to_string();
    world.run(&["undo", &run, "--auto-approve"]).ends(0);
    let again = world.run(&["apply", FILE]).ends(0);
    assert!(
        again.stderr.contains("wrote 1 of the 1 change of this plan; 1 left"),
        "{}",
        again.text()
    );
    assert!(again.stdout.contains("Apply: 1 change done"), "{}", again.text());
    assert_eq!(writes(&world), 3);
}

/// Another run in this journal folder wrote to the user since the plan.
#[test]
fn change_by_another_own_run_is_reported_as_own() {
    let world = planned(Faults::none());
    world.run(&["apply", "--auto-approve", "--user", JANE]).ends(0);
    let run = world.run(&["apply", FILE]).ends(0);
    let counts = "Apply: 1 change done · 0 failed · 2 changed since the plan";
    assert!(run.stdout.contains(counts), "{}", run.text());
    assert!(run.stdout.contains("your own run wrote to the user since"), "{}", run.text());
    assert!(run.stdout.contains("nothing is left to do"), "{}", run.text());
    blames_no_other_writer(&run.text());
}

#[test]
fn user_with_forbidden_methods_is_not_reported_as_changed() {
    a_user_cannot_be_read("/methods", 403);
}

#[test]
fn user_with_unavailable_methods_is_not_reported_as_changed() {
    a_user_cannot_be_read("/methods", 503);
}

#[test]
fn user_with_a_forbidden_state_is_not_reported_as_changed() {
    a_user_cannot_be_read("/requirements", 403);
}

#[test]
fn user_with_a_state_not_found_is_not_reported_as_changed() {
    a_user_cannot_be_read("/requirements", 404);
}

fn a_user_cannot_be_read(what: &'static str, status: u16) {
    let jane = id_of(JANE);
    let is_it = move |part: &PartInfo| {
        part.write.is_none() && part.path.contains(&jane) && part.path.ends_with(what)
    };
    let (faults, on) = while_on(is_it, status);
    let world = planned(faults);
    on.store(true, Ordering::SeqCst);
    let run = world.run(&["apply", FILE]).ends(5);
    assert!(
        run.stdout.contains("1 change done · 0 failed · 2 changed since the plan"),
        "{}",
        run.text()
    );
    assert!(run.stdout.contains("the user could not be read"), "{}", run.text());
    blames_no_other_writer(&run.text());
    on.store(false, Ordering::SeqCst);
    world.run(&["apply", FILE]).ends(0);
    is_done(&world);
}

#[test]
fn facts_that_became_readable_are_not_reported_as_changed() {
    let jane = id_of(JANE);
    let is_it = move |part: &PartInfo| {
        part.write.is_none() && part.path.contains(&jane) && part.path.ends_with("/requirements")
    };
    let (faults, on) = while_on(is_it, 403);
    on.store(true, Ordering::SeqCst);
    let world = planned(faults);
    on.store(false, Ordering::SeqCst);
    let run = world.run(&["apply", FILE]);
    assert!(!run.text().contains("was changed"), "{}", run.text());
    assert!(run.text().contains(JAMES), "{}", run.text());
}

/// Rules of the tenant that cannot be read are not called changed.
#[test]
fn unreadable_rules_are_not_reported_as_changed() {
    unreadable_rule_is_not_changed(3);
}

#[test]
#[ignore = "long: each rule"]
fn no_unreadable_rule_is_reported_as_changed() {
    unreadable_rule_is_not_changed(1);
}

/// Takes every `step`-th row.
fn unreadable_rule_is_not_changed(step: usize) {
    for (path, what) in [
        ("/authenticationMethodsPolicy", "methods policy, or one of its groups, could be read for"),
        (
            "/conditionalAccess/policies",
            "rules that require MFA, or the users that they apply to, could be",
        ),
        ("/roleDefinitions", "rules that require MFA, or the users that they apply to, could be"),
        ("/identitySecurityDefaultsEnforcementPolicy", "rules that require MFA, or the users"),
    ]
    .into_iter()
    .step_by(step)
    {
        let (faults, on) = while_on(move |part| part.path.contains(path), 403);
        let world = planned(faults);
        on.store(true, Ordering::SeqCst);
        let run = world.run(&["apply", FILE]).ends(4);
        assert!(run.stderr.contains(what), "{}", run.text());
        assert!(!run.stderr.contains("changed since"), "{}", run.text());
        assert!(run.stderr.contains("help: "), "{}", run.text());
        assert_eq!(writes(&world), 0);
    }
}

//! The result of switching off SMS sign-in where the service did it by itself, or where the answer was
//! lost: the report claims no write that was not sent, and a later check finds what was not done.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mfactl::apply::resume::DoubtResult;
use mfactl::plan::Plan;
use mfactl::results::{ApplyReport, ChangeResult, WriteResult};
use mfactl::settings::Setting;
use mfactl_sandbox::{Fault, Faults, PartInfo};

use crate::support::inside::{Inside, load};
use crate::support::tenant_builder::TenantBuilder;
use crate::support::world::{PROJECT, World};

/// Two users with the same number: the service switches SMS sign-in on for the first one only.
const BOTH: &str = "\
version: 1
policies:
  staff:
    appliesTo: { users: [n.smit@exchangelabs.nl, o.dekker@exchangelabs.nl] }
    desired: { phones: { mobile: { from: mobilePhone, smsSignIn: off } } }
";

fn planned(faults: Faults) -> (Inside, Plan) {
    let inside = TenantBuilder::named("exchangelabs-sms-sign-in").faults(faults).inside();
    let folder = World::empty().file("mfactl.yaml", PROJECT).file("policies/both.yaml", BOTH);
    let plan = inside.plan(&load(&folder.path("")).expect("policies")).expect("a plan");
    (inside, plan)
}

fn sms_results(plan: &Plan, report: &ApplyReport) -> Vec<ChangeResult> {
    let of_sms = report.of(plan).filter(|(change, _)| change.setting == Setting::SmsSignIn);
    of_sms.map(|(_, result)| result.clone()).collect()
}

fn refused() -> Fault {
    Fault::Status { status: 403, code: "accessDenied".to_owned(), retry_after: None }
}

#[test]
fn value_without_a_write_that_cannot_be_confirmed_is_not_tried() {
    let by_address = |part: &PartInfo| {
        let is_phone = part.write.is_none() && part.path.contains("/phoneMethods/");
        if is_phone { refused() } else { Fault::None }
    };
    let (inside, plan) = planned(Faults::by(by_address));
    let folder = tempfile::tempdir().expect("a folder");
    let files = inside.journals(folder.path());
    let report = inside.apply_noted(&plan, &files.runs());
    let store = inside.server.store();
    let switched_off = store.writes().iter().filter(|line| line.path.ends_with("SmsSignIn"));
    assert_eq!(switched_off.count(), 1, "the second user needs no write");
    let results = sms_results(&plan, &report);
    let [ChangeResult::Unknown(_), ChangeResult::NotTried(why)] = results.as_slice() else {
        panic!("{results:?}");
    };
    assert!(why.contains("did not confirm"), "{why}");
    let past = files.all().remove(0);
    let open = past.told.iter().filter_map(|write| write.ended.as_ref());
    let open = open.filter(|ended| ended.result == WriteResult::Unknown).count();
    assert_eq!(open, report.counts().unknown, "the journal has each unknown write");
}

#[test]
fn lost_switch_that_left_sms_sign_in_on_is_found_not_done() {
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let faults = Faults::by(move |part: &PartInfo| {
        let is_switch = part.path.ends_with("SmsSignIn") || part.path.contains("/phoneMethods/");
        match is_switch && !over.load(Ordering::SeqCst) {
            true if part.write.is_some() => Fault::CloseBefore,
            true => refused(),
            false => Fault::None,
        }
    });
    let (inside, plan) = planned(faults);
    let folder = tempfile::tempdir().expect("a folder");
    let files = inside.journals(folder.path());
    let report = inside.apply_noted(&plan, &files.runs());
    assert_eq!(report.counts().unknown, 1, "{:?}", report.results);
    is_over.store(true, Ordering::SeqCst);
    let settled = inside.settle_earlier(&files.runs());
    let found: Vec<DoubtResult> =
        settled.iter().flat_map(|one| &one.looked).map(|(_, found)| *found).collect();
    assert_eq!(found, [DoubtResult::NotDone]);
}

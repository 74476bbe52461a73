//! `phoneDelivery` in `mfactl.yaml`: the date until which a phone justifies MFA.

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, Run};

fn plan(delivery: &str) -> Run {
    let world = exchangelabs().james_and_jane();
    let project = world.project(&format!("{PROJECT}{delivery}"));
    world.file("mfactl.yaml", project).run(&["plan"]).ends(0)
}

#[test]
fn phone_justifies_mfa_before_the_end_date_and_the_date_is_shown() {
    let run = plan("");
    assert!(run.stdout.contains("1 user gets MFA"), "{}", run.text());
    assert!(
        run.stdout.contains("from 2027-02-01 on no text or call is delivered"),
        "{}",
        run.text()
    );
    let run = plan("phoneDelivery: { until: 2026-12-24 }\n");
    assert!(
        run.stdout.contains("from 2026-12-24 on no text or call is delivered"),
        "{}",
        run.text()
    );
}

#[test]
fn phone_does_not_justify_mfa_from_the_end_date_on() {
    let run = plan("phoneDelivery: { until: 2026-11-22 }\n");
    assert!(run.stdout.contains("0 users get MFA"), "{}", run.text());
    assert!(run.stdout.contains("per-user MFA withheld"), "{}", run.text());
}

#[test]
fn own_provider_and_national_cloud_have_no_end_date() {
    for lines in ["phoneDelivery: { by: ownProvider }\n", "cloud: usGov\n"] {
        let run = plan(lines);
        assert!(run.stdout.contains("1 user gets MFA"), "{}", run.text());
        assert!(!run.stdout.contains("phone-only-retirement"), "{}", run.text());
    }
}

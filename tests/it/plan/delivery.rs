//! `phoneDelivery` in `mfactl.yaml`: until when a phone carries anybody.

use crate::cli::program::{exchangelabs, james_and_jane};
use crate::support::world::{PROJECT, Run};

fn plan(delivery: &str) -> Run {
    let world = james_and_jane(exchangelabs());
    let project = world.project(&format!("{PROJECT}{delivery}"));
    world.file("mfactl.yaml", project).run(&["plan"]).ends(0)
}

#[test]
fn until_the_day_a_phone_carries_and_it_is_said_for_how_long() {
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
fn from_the_day_on_nobody_is_raised_on_a_phone() {
    let run = plan("phoneDelivery: { until: 2026-11-22 }\n");
    assert!(run.stdout.contains("0 users get MFA"), "{}", run.text());
    assert!(run.stdout.contains("per-user MFA withheld"), "{}", run.text());
}

#[test]
fn a_provider_of_ones_own_and_a_national_cloud_go_on() {
    for going_on in ["phoneDelivery: { by: ownProvider }\n", "cloud: usGov\n"] {
        let run = plan(going_on);
        assert!(run.stdout.contains("1 user gets MFA"), "{}", run.text());
        assert!(!run.stdout.contains("phone-only-retirement"), "{}", run.text());
    }
}

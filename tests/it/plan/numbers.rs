//! National numbers: the country that they are read as, the source of that country, and the numbers
//! that they are compared with.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use mfactl::number::{Extension, PhoneNumber, RawNumber, Region};
use mfactl::settings::phone::{
    IfRegistered, NumberSource, PhoneRule, ReadAs, RegionRule, RegionSource, from_rule,
};
use mfactl::settings::{Remark, Setting, Value};
use mfactl::tenant::directory::{Attribute, Country, User};
use proptest::prelude::*;
use serde_json::json;

use crate::support::tenant_builder::exchangelabs;
use crate::support::tiny_tenant::person;
use crate::support::world::PROJECT;

fn region(code: &str) -> Region {
    Region::new(code).expect("a country")
}

fn user(number: &str, usage_location: Option<Region>, country: Country) -> User {
    let attributes = [(Attribute::MobilePhone, RawNumber::new(number))].into();
    User { usage_location, country, attributes, ..person(3, "ann").0 }
}

fn rule(region: Vec<RegionRule>) -> PhoneRule {
    PhoneRule::Number(NumberSource {
        from: vec![Attribute::MobilePhone],
        region,
        if_registered: IfRegistered::Replace,
        sms_sign_in: None,
    })
}

/// The desired number of a user without a phone, in words.
fn wanted(number: &str, usage_location: &str, country: &str, regions: &[RegionRule]) -> String {
    let user = user(number, Region::new(usage_location), Country::of(country));
    let wish = from_rule(&rule(regions.into()), Setting::MobilePhone, &user, Value::Nothing);
    match (wish.value, wish.remark) {
        (Some(Value::Phone(number)), remark) => {
            let by = wish.read_as.map_or_else(String::new, |one| format!(" {one}"));
            let remark = remark.map_or_else(String::new, |one| format!(" [{}]", one.code()));
            format!("{}{by}{remark}", number.expose_for_graph())
        }
        (_, remark) => format!("[{}]", remark.expect("a reason").code()),
    }
}

#[test]
fn national_number_is_read_by_the_regions_that_the_policy_names() {
    let by = [RegionRule::UsageLocation, RegionRule::Country];
    let listed = [by[1], by[0], RegionRule::Named(region("NL"))];
    for (number, place, country, regions, expected) in [
        // The default: the usage location, unless the country results in another number.
        ("06 12345678", "NL", "", &by[..1], "+31 612345678 read as NL, by usageLocation"),
        (
            "06 12345678",
            "NL",
            "Netherlands",
            &by[..1],
            "+31 612345678 read as NL, by usageLocation",
        ),
        ("06 12345678", "NL", "France", &by[..1], "[number-region-conflict]"),
        ("06 12345678", "FR", "nl", &by[..1], "[number-region-conflict]"),
        ("06 12345678", "NL", "Belgium", &by[..1], "+31 612345678 read as NL, by usageLocation"),
        (
            "06 12345678",
            "NL",
            "Atlantis",
            &by[..1],
            "+31 612345678 read as NL, by usageLocation [country-unread]",
        ),
        ("06 12345678", "", "NL", &by[..1], "[number-region-unknown]"),
        ("+31 6 12345678", "FR", "NL", &by[..1], "+31 612345678"),
        ("0031 6 12345678", "FR", "NL", &by[..1], "+31 612345678"),
        ("+31 6 12345678", "", "Atlantis", &by[..1], "+31 612345678"),
        // A list: the first region that results in a number.
        ("06 12345678", "NL", "France", &listed, "+33 612345678 read as FR, by country"),
        ("06 12345678", "NL", "France", &by, "+31 612345678 read as NL, by usageLocation"),
        ("06 12345678", "NL", "Belgium", &listed, "+31 612345678 read as NL, by usageLocation"),
        ("06 12345678", "BE", "", &listed, "+31 612345678 read as NL, by policy"),
        ("06 12345678", "", "", &listed, "+31 612345678 read as NL, by policy"),
        ("06 12345678", "", "", &by, "[number-region-unknown]"),
        ("0123", "NL", "FR", &listed, "[number-invalid]"),
        ("06 12345678", "NL", "FR", &by[1..], "+33 612345678 read as FR, by country"),
    ] {
        let found = wanted(number, place, country, regions);
        assert_eq!(found, expected, "{number} {place} {country} {regions:?}");
    }
}

proptest! {
    /// If two countries read one text as two numbers, no number is desired and the reason names both.
    #[test]
    fn number_with_two_different_readings_is_never_desired(
        text in "(0|00|1|3|4|7)?[1-9][0-9 ]{5,11}",
        one in prop::sample::select(vec!["NL", "BE", "FR", "DE", "GB", "US", "AU", "IT", "CH"]),
        other in prop::sample::select(vec!["NL", "BE", "FR", "DE", "GB", "US", "AU", "IT", "CH"]),
        registered in prop::bool::ANY,
    ) {
        let (one, other) = (region(one), region(other));
        let read = |region| PhoneNumber::read(&text, Some(region), Extension::Refused);
        let user = user(&text, Some(one), Country::Known(other));
        let observed = match registered {
            true => Value::Phone(PhoneNumber::from_graph("+31 612345678").expect("a number")),
            false => Value::Nothing,
        };
        let wish = from_rule(&rule(RegionRule::DEFAULT.into()), Setting::MobilePhone, &user, observed);
        match (read(one), read(other)) {
            (Ok(here), Ok(there)) if here != there => {
                let reason = Remark::RegionsDisagree { usage_location: one, country: other };
                prop_assert_eq!((wish.value, wish.remark), (None, Some(reason)));
                let text = reason.to_string();
                prop_assert!(text.contains(one.as_str()) && text.contains(other.as_str()), "{}", text);
            }
            (Ok(here), _) if here.can_receive_text() => {
                prop_assert_eq!(wish.value, Some(Value::Phone(here)));
                let alone = PhoneNumber::read(&text, None, Extension::Refused);
                let by = ReadAs { region: one, by: RegionSource::UsageLocation };
                prop_assert_eq!(wish.read_as, (alone != Ok(here)).then_some(by));
            }
            _ => prop_assert_eq!(wish.value, None),
        }
    }
}

const RUUD: &str = "r.degroot@exchangelabs.nl";

/// The same over HTTP: nothing is written, and `plan` and `explain` name both countries. With a list of
/// regions, the first one decides.
#[test]
fn two_countries_of_one_number_are_named_and_nothing_is_written() {
    let policy = |region: &str| {
        format!(
            "version: 1\npolicies:\n  p:\n    appliesTo: {{ users: [{RUUD}] }}\n    desired: {{ phones: {{ mobile: {{ from: mobilePhone{region} }} }} }}\n"
        )
    };
    let world = exchangelabs().world().file("policies/p.yaml", policy(""));
    let path = format!("/v1.0/users/{RUUD}");
    assert_eq!(world.call("PATCH", &path, Some(&json!({ "country": "France" }))).0, 204);
    let before = world.server().store().writes().len();
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("`usageLocation` NL and `country` FR"), "{}", run.text());
    let run = world.run(&["explain", RUUD]).ends(0);
    assert!(run.stdout.contains("`usageLocation` NL and `country` FR"), "{}", run.text());
    assert!(run.stdout.contains("usageLocation NL · country FR"), "{}", run.text());
    assert_eq!(world.server().store().writes().len(), before);

    let world = world.file("policies/p.yaml", policy(", region: [country, usageLocation]"));
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("+33 6••••••70 (read as FR, by country)"), "{}", run.text());
    for command in [&["plan", "--format", "json"][..], &["explain", RUUD, "--format", "json"]] {
        let run = world.run(command).ends(0);
        assert!(run.stdout.contains("\"readAs\": {"), "{}", run.text());
        assert!(run.stdout.contains("\"by\": \"country\""), "{}", run.text());
    }
    let run = world.run(&["explain", RUUD]).ends(0);
    assert!(
        run.stdout.contains("a national number of the directory, read as FR, by country"),
        "{}",
        run.text()
    );
}

/// Carla is in no policy and has the number that the directory gives to Anna.
#[test]
fn compare_with_everyone_also_sees_numbers_outside_the_policies() {
    let policy = "version: 1\npolicies:\n  p:\n    appliesTo: { users: [a.jansen@exchangelabs.nl] }\n    desired: { phones: { mobile: { from: mobilePhone, ifRegistered: replace } } }\n";
    let world = exchangelabs().world().file("policies/p.yaml", policy);
    for (user, number) in [("a.jansen", "+31 612340002"), ("c.bakker", "+31 614725836")] {
        let path = format!("/v1.0/users/{user}@exchangelabs.nl/authentication/phoneMethods");
        let body = json!({ "phoneNumber": number, "phoneType": "mobile" });
        assert_eq!(world.call("POST", &path, Some(&body)).0, 201);
    }
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("1 to replace"), "{}", run.text());
    assert_eq!(run.stdout.matches("[numbers-not-compared]").count(), 1, "{}", run.text());
    let project = world.project(&format!("{PROJECT}numbers: {{ compareWith: everyone }}\n"));
    let world = world.file("mfactl.yaml", project);
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("No changes."), "{}", run.text());
    assert!(run.stdout.contains("the number is registered for another user"), "{}", run.text());
    assert!(!run.stdout.contains("[numbers-not-compared]"), "{}", run.text());
    assert!(run.stdout.contains("   1 user in scope   "), "{}", run.text());
    // An added number only results in a warning, which says how many users it was compared with.
    let path = "/v1.0/users/a.jansen@exchangelabs.nl/authentication/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7";
    assert_eq!(world.call("DELETE", path, None).0, 204);
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("for another user (among the "), "{}", run.text());
}

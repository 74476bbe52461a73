//! The whole way of a change: branch, review, merge, approval, days in which others change the tenant, and the
//! apply of what was approved, by another machine.
//!
//! Not here: each refusal (`approved`), or the comment on a pull request (`cli::comment`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;

use serde_json::{Value, json};

use crate::apply::faults::id_of;
use crate::plan::against::{git, reviewed};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

const PILOT: &str = "5a8f1c52-9d0e-4f6b-8b1a-1f2f6c7f5a01";
const PHONES: &str = "version: 1\npolicies:\n  pilot:\n    appliesTo: { groups: [Pilot] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";
const JAMES: &str = "j.brown@exchangelabs.nl";
const JANE: &str = "j.smith@exchangelabs.nl";
const EVA: &str = "e.willemsen@exchangelabs.nl";

/// The tenant and the repository, with the change on a branch: the pilot gets MFA too.
fn branch() -> World {
    let member = |name| id_of(name).parse().expect("an id");
    let world = exchangelabs()
        .with_group(PILOT.parse().expect("an id"), "Pilot", vec![member(JAMES), member(JANE)])
        .property(JAMES, "onPremisesSyncEnabled", Value::Null)
        .property(JANE, "mobilePhone", "+31 6 12345611")
        .world()
        .file("policies/pilot.yaml", PHONES)
        .with("PATH", std::env::var("PATH").expect("a path"))
        .with("MFACTL_FINGERPRINT_KEY", "a secret of 25 characters");
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "phones"]);
    git(&world, &["checkout", "--quiet", "-b", "mfa"]);
    let mfa = PHONES.replace("mobilePhone } }", "mobilePhone } }, perUserMfa: enabled");
    let world = world.file("policies/pilot.yaml", mfa);
    git(&world, &["commit", "--quiet", "--all", "--message", "mfa"]);
    world
}

/// Others change the tenant: Eva joins the pilot, the directory has another number for James, and a colleague
/// registers Jane's phone.
fn days_pass(world: &World) {
    let url = world.server().url();
    let eva = json!({ "@odata.id": format!("{url}/v1.0/directoryObjects/{}", id_of(EVA)) });
    let members = format!("/v1.0/groups/{PILOT}/members/$ref");
    assert_eq!(world.call("POST", &members, Some(&eva)).0, 204);
    let number = json!({ "mobilePhone": "+31 6 58672399" });
    assert_eq!(world.call("PATCH", &format!("/v1.0/users/{JAMES}"), Some(&number)).0, 204);
    let phone = json!({ "phoneNumber": "+31 612345611", "phoneType": "mobile" });
    let phones = format!("/v1.0/users/{JANE}/authentication/phoneMethods");
    assert_eq!(world.call("POST", &phones, Some(&phone)).0, 201);
}

#[test]
#[ignore = "long: the whole way of a change; its parts are quick tests"]
fn what_was_reviewed_and_approved_is_applied_days_later() {
    let world = branch();
    let page =
        world.run(&["plan", "--against", "main", "--format", "markdown", "--disclose", "counts"]);
    let page = page.ends(0).stdout;
    assert!(!page.contains('@'), "{page}");
    let difference = reviewed(&page);
    assert!(difference.contains("perUserMfa-raises"), "{difference}");

    git(&world, &["checkout", "--quiet", "main"]);
    git(&world, &["merge", "--quiet", "--no-ff", "--message", "merge", "mfa"]);
    world.run(&["plan", "--approval", "approval.json", "--disclose", "counts"]).ends(0);
    days_pass(&world);
    let others = world.server().store().writes().len();

    // The job that applies has its own checkout, and gets the approval as an artifact.
    let checkout = world.path("apply").display().to_string();
    git(&world, &["clone", "--quiet", ".", "apply"]);
    fs::copy(world.path("approval.json"), world.path("apply/approval.json")).expect("the artifact");
    let apply = |more: &[&str]| {
        let bound = ["--approved-difference", &difference, "--against", "HEAD^1"];
        let approved = ["apply", "--approved", "approval.json", "--format", "json"];
        let mut command = world.command(&[&approved[..], &bound, more].concat());
        let output = command.current_dir(&checkout).output().expect("the program");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), text)
    };
    let (code, _, why) = apply(&["--strict"]);
    assert_eq!(code, Some(4), "{why}");
    assert!(why.contains("planned changes were not approved"), "{why}");
    assert_eq!(world.server().store().writes().len(), others);

    let (code, document, why) = apply(&[]);
    assert_eq!(code, Some(0), "{why}");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let approval = &document["approval"];
    // Jane has her phone. The number of James is another one, and Eva is new.
    assert_eq!(approval["needsNothing"], json!(1), "{document:#}");
    assert_eq!(approval["changed"], json!(1), "{document:#}");
    assert_eq!(document["anythingLeft"], json!(true));
    let store = world.server().store();
    let touched = |name: &str| {
        store.writes().iter().skip(others).any(|write| write.path.contains(&id_of(name)))
    };
    assert!(touched(JANE) && !touched(EVA), "{document:#}");

    // The next approval is of what is left.
    world.run(&["plan", "--approval", "approval.json"]).ends(0);
    world.run(&["apply", "--approved", "approval.json", "--strict"]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}

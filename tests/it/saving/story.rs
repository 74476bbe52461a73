//! The whole way of a change: branch, checks, review, comment, merge, approval, days in which others change the
//! tenant, and the apply of what was approved, by another machine. Any other approval is refused.
//!
//! Not here: each refusal (`approved`), each comment (`cli::comment`), or the jobs of a host (`pipelines`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::apply::faults::id_of;
use crate::cli::comment::stand_in::{Kind, StandIn};
use crate::plan::against::{git, reviewed};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

const PILOT: &str = "5a8f1c52-9d0e-4f6b-8b1a-1f2f6c7f5a01";
const PHONES: &str = "version: 1\npolicies:\n  pilot:\n    appliesTo: { groups: [Pilot] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";
const CHECKS: &str = "version: 1\npeople:\n  ann: { groups: [Pilot], mobilePhone: valid, perUserMfa: disabled }\nexpect:\n  ann: { perUserMfa: { becomes: enabled, by: pilot }, posture: protected }\n";
const SECRET: &str = "a secret of 25 characters";
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
        .with("MFACTL_FINGERPRINT_KEY", SECRET);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "phones"]);
    git(&world, &["checkout", "--quiet", "-b", "mfa"]);
    let mfa = PHONES.replace("mobilePhone } }", "mobilePhone } }, perUserMfa: enabled");
    let world = world.file("policies/pilot.yaml", mfa).file("checks/pilot.yaml", CHECKS);
    git(&world, &["add", "checks"]);
    git(&world, &["commit", "--quiet", "--all", "--message", "mfa"]);
    world
}

/// The checks and the comment of the pull request. Returns the reviewed difference.
fn review(world: &World) -> String {
    world.run(&["validate", "--against", "main"]).ends(0);
    let run = world.run(&["test"]).ends(0);
    assert!(run.stdout.ends_with("3 checks in 1 file: no failures\n"), "{}", run.text());
    let page =
        world.run(&["plan", "--against", "main", "--format", "markdown", "--disclose", "counts"]);
    let page = page.ends(0).stdout;
    assert!(!page.contains('@'), "{page}");
    let host = StandIn::new(Kind::GitHub);
    host.job().file("page.md", &page).run(&["comment", "page.md"]).ends(0);
    // What the reviewer reads is the comment.
    let comment = host.state().comments[0].body.clone();
    let difference = reviewed(&comment);
    assert!(difference.contains("perUserMfa-raises"), "{difference}");
    difference
}

/// An edited approval, one of another tenant, an old one, and one of other policies.
fn other_approvals_are_refused(world: &World, apply: &Apply<'_>, approval: &Path) {
    let approved = fs::read_to_string(approval).expect("the approval");
    let writes = world.server().store().writes().len();
    let refused = |file: &str, more: &[&str], why: &str| {
        fs::write(approval, file).expect("a file");
        let (code, _, said) = apply(more);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains(why), "{why}\n{said}");
        assert_eq!(world.server().store().writes().len(), writes);
    };
    let made = jiff::Timestamp::now().strftime("\"made\":\"%Y").to_string();
    refused(&approved.replacen(&made, "\"made\":\"2031", 1), &[], "it was damaged or edited");
    refused(&approved, &["--max-age", "0s"], "it is 0 minutes old, but the maximum is 0");
    let id = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
    let other = exchangelabs().changed(|seed| seed.tenant.id = id).james_and_jane();
    let other = other.with("MFACTL_FINGERPRINT_KEY", SECRET);
    other.run(&["plan", "--approval", "approval.json"]).ends(0);
    let of_other = fs::read_to_string(other.path("approval.json")).expect("an approval");
    refused(&of_other, &[], "it is of tenant `00000000-0000-0000-0000-000000000001`");
    fs::write(approval, approved).expect("a file");
    let policies = approval.with_file_name("policies").join("pilot.yaml");
    let mfa = fs::read_to_string(&policies).expect("the policy");
    fs::write(&policies, mfa.replace("groups: [Pilot]", "groups: [Pilot, All Staff]"))
        .expect("a file");
    let (code, _, said) = apply(&[]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("something else than what was reviewed"), "{said}");
    fs::write(&policies, mfa).expect("a file");
    assert_eq!(world.server().store().writes().len(), writes);
}

/// Applies with more arguments. Returns the exit code and both outputs.
type Apply<'a> = dyn Fn(&[&str]) -> (Option<i32>, String, String) + 'a;

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
    let difference = review(&world);

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
    other_approvals_are_refused(&world, &apply, &world.path("apply/approval.json"));
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

//! `mfactl doctor`: what it asks for, and how it ends.
//!
//! Not here: what it says about each permission and refusal (`tests/goldens/doctor.rs`).

use serde_json::{Value, json};

use crate::sandbox::served::root_files;
use crate::support::doctor_runs::{WRITES, application, doctor, doctor_world};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, World};

/// `doctor` asks only for permissions that a policy uses.
#[test]
fn doctor_checks_only_what_policies_manage() {
    let (world, _front) = doctor_world(application(&WRITES), &[]);
    let nothing = JAMES_AND_JANE.replace("perUserMfa: enabled", "perUserMfa: unmanaged");
    let nothing = nothing.replace("mobile: { from: mobilePhone }", "mobile: unmanaged");
    let only_phones = JAMES_AND_JANE.replace("      perUserMfa: enabled\n", "");
    let world = world.file("policies/staff.yaml", only_phones);
    let run = world.run(&["doctor"]).ends(1);
    assert!(run.stdout.contains("registering phones"), "{}", run.text());
    assert!(!run.stdout.contains("setting per-user MFA"), "{}", run.text());
    assert!(!run.stdout.contains("preferences"), "{}", run.text());
    let removed = JAMES_AND_JANE.replace("mobile: { from: mobilePhone }", "office: absent");
    let world = world.file("policies/staff.yaml", removed);
    let run = world.run(&["doctor", "--for", "plan"]).ends(0);
    assert!(run.stdout.contains("default methods and preferences"), "{}", run.text());
    let default = JAMES_AND_JANE.replace("perUserMfa: enabled", "defaultMethod: sms");
    let world = world.file("policies/staff.yaml", default);
    let run = world.run(&["doctor"]).ends(1);
    let needed =
        "setting default methods and preferences      UserAuthenticationMethod.ReadWrite.All";
    assert!(run.stdout.contains(needed), "{}", run.text());
    let world = world.file("policies/staff.yaml", nothing);
    let run = world.run(&["doctor"]).ends(0);
    assert!(!run.stdout.contains("\napply\n"), "{}", run.text());
}

#[test]
fn doctor_finds_nothing_missing_in_the_sandbox() {
    let run = root_files().run(&["doctor"]).ends(0);
    assert!(run.stdout.ends_with("\nNothing is missing.\n"), "{}", run.text());
}

#[test]
fn json_of_doctor_matches_its_schema() {
    let schema = World::empty().run(&["schema", "doctor"]).ends(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::draft7::new(&schema).expect("a schema");
    let run = doctor(
        application(&["Policy.Read.All"]),
        &[("/requirements", 403, "accessDenied")],
        &["--format", "json"],
    );
    let mut document: Value = serde_json::from_str(&run.ends(1).stdout).expect("JSON");
    assert_eq!(validator.iter_errors(&document).count(), 0);
    assert_eq!(document["complete"], json!(false));
    let row = document["checks"].as_array().expect("rows").iter();
    let row = row.filter(|row| row["verdict"] == "noPermission").collect::<Vec<_>>();
    assert_eq!(row.len(), 1, "{document:#}");
    assert_eq!(row[0]["permission"], "Policy.Read.All");
    document["checks"][0]["purpose"] = json!(7);
    assert!(!validator.is_valid(&document), "the schema covers the checks");
}

/// An identity that cannot sign in gets an error that names its credential.
#[test]
fn doctor_reports_a_missing_credential() {
    let world = exchangelabs().james_and_jane().without("AZURE_CLIENT_SECRET");
    let project = world.project(&format!("{PROJECT}credential: clientSecret\n"));
    let run = world.file("mfactl.yaml", project).run(&["doctor"]).ends(1);
    assert!(run.stderr.contains("`clientSecret` needs `AZURE_CLIENT_SECRET`"), "{}", run.text());
}

//! `mfactl doctor`: tokens with different permissions, every kind of refusal, and the verdicts on them. The
//! expected output is in `tests/doctor`.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::cli::program::{JAMES_AND_JANE, exchangelabs, james_and_jane};
use crate::sandbox::served::root_files;
use crate::support::golden::compare;
use crate::support::network_faults::{Front, Weather};
use crate::support::world::{PROJECT, Run, World, runtime, token_of};

const READS: [&str; 6] = [
    "User.Read.All",
    "GroupMember.Read.All",
    "UserAuthenticationMethod.Read.All",
    "Policy.Read.All",
    "RoleManagement.Read.Directory",
    "RoleEligibilitySchedule.Read.Directory",
];
const WRITES: [&str; 2] =
    ["UserAuthMethod-Phone.ReadWrite.All", "Policy.ReadWrite.AuthenticationMethod"];

/// The requests that Graph refuses, by a part of the path.
type Refusals = &'static [(&'static str, u16, &'static str)];

const FORBIDDEN: &str = "Authorization_RequestDenied";

/// A tenant that issues tokens with these claims and refuses these paths.
fn tenant(claims: Value, refusals: Refusals) -> (World, Front) {
    let world = james_and_jane(exchangelabs());
    let url = world.server().url();
    let real = runtime().block_on(token_of(url));
    let mut claims = claims;
    claims["tid"] = json!(world.server().tenant_id());
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(&claims));
    let front = Front::before(url, move |seen, _| {
        if seen.path.ends_with("/token") {
            let answer =
                json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
            return Weather::json(answer.to_string());
        }
        let refusal = refusals.iter().find(|(part, ..)| seen.path.contains(part));
        match refusal {
            Some((_, status, code)) => Weather::refused(*status, code),
            None if seen.is_graph() => Weather::As(real.clone()),
            None => Weather::Fine,
        }
    });
    let front_url = front.url();
    (world.behind(PROJECT, &front_url, &front_url), front)
}

fn application(but: &[&str]) -> Value {
    let roles = READS.into_iter().chain(WRITES).filter(|role| !but.contains(role));
    json!({ "roles": roles.collect::<Vec<_>>() })
}

fn doctor(claims: Value, refusals: Refusals, more: &[&str]) -> Run {
    let (world, front) = tenant(claims, refusals);
    let run = world.run(&[&["doctor"], more].concat());
    assert!(world.server().store().writes().is_empty());
    assert!(front.seen().iter().all(|seen| !seen.writes()), "nothing is written");
    assert!(front.seen().len() < 20, "doctor sends few requests: {}", front.seen().len());
    run
}

#[test]
fn each_kind_of_refusal_has_its_own_verdict() {
    let all = application(&[]);
    let person = json!({ "scp": READS.join(" ") });
    let rows: [(&str, i32, Value, Refusals, &[&str]); 8] = [
        ("all-there", 0, all.clone(), &[], &[]),
        ("plan-only", 0, application(&WRITES), &[], &["--for", "plan"]),
        ("plan-could-write", 0, all.clone(), &[], &["--for", "plan"]),
        ("no-right-to-write", 1, application(&WRITES), &[], &[]),
        (
            "no-permission",
            1,
            application(&["Policy.Read.All", "UserAuthenticationMethod.Read.All"]),
            &[
                ("/authentication/", 403, "accessDenied"),
                ("/policies/identitySecurityDefaults", 403, FORBIDDEN),
                ("/conditionalAccess/", 403, FORBIDDEN),
            ],
            &[],
        ),
        (
            "a-person-without-a-role",
            1,
            person,
            &[("/authentication/", 403, "accessDenied")],
            &["--for", "plan"],
        ),
        (
            "no-licence",
            0,
            all.clone(),
            &[
                (
                    "/conditionalAccess/",
                    403,
                    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                ),
                ("/roleEligibilityScheduleInstances", 400, "AadPremiumLicenseRequired"),
            ],
            &[],
        ),
        (
            "not-in-this-cloud",
            1,
            all,
            &[
                ("/authentication/requirements", 404, "ResourceNotFound"),
                ("/roleAssignments", 451, "unavailable"),
            ],
            &[],
        ),
    ];
    let mut differences = String::new();
    for (name, code, claims, refusals, more) in rows {
        let run = doctor(claims, refusals, more).ends(code);
        let golden = format!("tests/doctor/{name}.txt");
        differences += &compare(Path::new(&golden), &run.text());
    }
    assert!(differences.is_empty(), "\n{differences}");
}

/// Permissions for settings that no policy manages are not needed.
#[test]
fn doctor_checks_only_what_policies_manage() {
    let (world, _front) = tenant(application(&WRITES), &[]);
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
    let world = james_and_jane(exchangelabs()).without("AZURE_CLIENT_SECRET");
    let project = world.project(&format!("{PROJECT}credential: clientSecret\n"));
    let run = world.file("mfactl.yaml", project).run(&["doctor"]).ends(1);
    assert!(run.stderr.contains("`clientSecret` needs `AZURE_CLIENT_SECRET`"), "{}", run.text());
}

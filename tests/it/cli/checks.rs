//! `mfactl test`: policies that are checked with invented people, through the real program.
//!
//! Not here: what a policy means (`policies`), or the words of a file (`checks` of the library).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

pub(crate) mod failures;
pub(crate) mod faults;
pub(crate) mod formats;
pub(crate) mod from_users;
pub(crate) mod invented;
pub(crate) mod sign_ins;
pub(crate) mod whole_tenant;

use mfactl::checks;
use serde_json::Value;

use crate::sandbox::served::root_files;
use crate::support::world::{Run, World};

/// Two policies for two groups, and one with an exception.
const POLICIES: &str = "version: 1
policies:
  staff:
    appliesTo: { groups: [All Staff] }
    except: [{ groups: [{ id: 8e5b1f70-c4a3-4d26-b9e8-60f7d2a5134c, name: Robots }] }]
    desired:
      phones: { mobile: { from: mobilePhone, smsSignIn: off } }
      perUserMfa: enabled
  pilot:
    priority: 10
    appliesTo: { groups: [Pilot], users: [j.brown@exchangelabs.nl] }
    desired: { perUserMfa: enforced }
";

const PEOPLE: &str = "version: 1
people:
  anna: { groups: [All Staff], mobilePhone: valid }
  ben: { groups: [All Staff] }
  cas: { groups: [All Staff, Pilot], registered: [authenticator] }
  robot: { groups: [All Staff, Robots] }
  jan: { name: J.Brown@exchangelabs.nl, registered: [passkey] }
";

fn world() -> World {
    World::empty()
        .file("mfactl.yaml", crate::support::world::PROJECT)
        .file("policies/p.yaml", POLICIES)
}

/// Runs one file of checks with these people.
fn tested(rest: &str) -> Run {
    world().file("checks/a.yaml", format!("{PEOPLE}{rest}")).run(&["test"])
}

#[test]
fn sample_of_this_repository_passes_and_its_schema_accepts_it() {
    let run = root_files().run(&["test"]).ends(0);
    assert!(run.stdout.starts_with("ok      checks/staff.yaml: "), "{}", run.text());
    assert!(run.stdout.ends_with(" checks in 1 file: no failures\n"), "{}", run.text());
    assert_eq!(run.stderr, "");
    let text = std::fs::read_to_string("checks/staff.yaml").expect("a file");
    let value: Value = serde_yaml::from_str(&text).expect("YAML");
    let schema = jsonschema::draft7::new(&checks::schema::checks()).expect("a schema");
    let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let wrong = serde_json::json!({ "version": 1, "people": {}, "expect": {} });
    assert!(!schema.is_valid(&wrong), "the schema wants a person");
}

#[test]
fn every_kind_of_expectation_passes() {
    let run = tested(
        "expect:
  anna: { phones: { mobile: { becomes: added, by: staff } }, perUserMfa: { becomes: enabled, by: staff }, posture: protected, policies: [staff] }
  ben: { phones: untouched, perUserMfa: { becomes: disabled, by: staff, because: mfa-withheld }, posture: unprotected }
  cas: { perUserMfa: { becomes: enforced, by: pilot }, policies: [pilot, staff] }
  robot: { excludedFrom: [staff], policies: [] }
  jan: { perUserMfa: enforced, defaultMethod: none, systemPreferredMfa: true }
always:
  - nobody: { becomes: [open, stuck] }
  - everybody: { with: { group: Pilot }, has: { perUserMfa: enabled } }
  - atMost: { people: 1, of: { excludedFrom: staff } }
",
    );
    let run = run.ends(0);
    assert_eq!(
        run.stdout,
        "ok      checks/a.yaml: 24 checks, 5 people\n24 checks in 1 file: no failures\n"
    );
}

#[test]
fn files_are_tested_in_order_or_as_named() {
    let rest = "always: [{ nobody: { becomes: [open] } }]\n";
    let text = format!("{PEOPLE}{rest}");
    let world = world()
        .file("checks/b.yaml", &text)
        .file("checks/a.yml", &text)
        .file("checks/.hidden.yaml", "no")
        .file("other/c.yaml", &text);
    let lines = |run: Run| {
        let words =
            |line: &str| line.split([' ', ':']).find(|word| word.contains('/')).map(str::to_owned);
        run.stdout.lines().filter_map(words).collect::<Vec<_>>()
    };
    assert_eq!(lines(world.run(&["test"]).ends(0)), ["checks/a.yml", "checks/b.yaml"]);
    assert_eq!(lines(world.run(&["test", "other/c.yaml"]).ends(0)), ["other/c.yaml"]);
}

#[test]
fn security_defaults_of_the_file_require_mfa() {
    for (tenant, posture) in
        [("", "unprotected"), ("tenant: { securityDefaults: true }\n", "protected")]
    {
        let text = format!(
            "version: 1\n{tenant}people: {{ al: {{ registered: [authenticator] }} }}\nexpect: {{ al: {{ posture: {posture} }} }}\n"
        );
        world().file("checks/a.yaml", text).run(&["test"]).ends(0);
    }
}

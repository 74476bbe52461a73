//! Guards that a change of the files makes weaker: for each code, a change that is reported with its place and
//! its users, and the reverse change, which is not.
//!
//! Not here: how a review is shown (`against`), or the property over invented tenants (`loosened_users`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use mfactl::finding::Code;
use serde_json::{Value, json};

use crate::support::world::{Run, World, exchangelabs};

const PROJECT: &str = "\
version: 1
tenant: exchangelabs.nl
policies: policies
breakGlass:
  users:
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61 }
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62 }
brakes:
  changedUsers: { percent: 30, floor: 10 }
numbers: { compareWith: everyone }
runs: { keepNumbers: true }
quota: { share: 50 }
phoneDelivery: { until: 2027-02-01 }
";

/// Seven users in `staff`, two of them with an administrator role. Five of them are in `pilot`.
const POLICY: &str = "\
version: 1
tenant: { securityDefaults: on }
policies:
  staff:
    priority: 100
    appliesTo:
      groups: [MFA Pilot]
      users: [a.vermeulen@exchangelabs.nl, m.dekoning@exchangelabs.nl]
    except:
      - users: [{ id: ID_OF_BART }]
        until: 2027-03-01
    where: { synced: [true, false] }
    desired:
      phones:
        mobile: { from: mobilePhone, smsSignIn: off }
      defaultMethod: [push, oath, sms]
      systemPreferredMfa: true
      perUserMfa: enforced
  pilot:
    priority: 200
    appliesTo: { groups: [MFA Pilot] }
    desired: { perUserMfa: enabled }
";

/// An edit: a text that is in one of the two files once, and the text instead of it.
type Edit = (&'static str, &'static str);

/// A change that makes a guard weaker.
struct Row {
    code: &'static str,
    /// From the files above to the base.
    base: &'static [Edit],
    /// From the base to the head.
    head: &'static [Edit],
    place: &'static str,
    /// The users and the administrators among them; none for a guard of all users.
    concerned: Option<(usize, usize)>,
    seen: Seen,
}

/// Which comparison sees the change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Both with a tenant and without one.
    Both,
    /// The other one cannot be made.
    Offline,
    /// The files alone do not show it, or show more.
    WithTenant,
}

const fn row(
    code: &'static str,
    head: &'static [Edit],
    place: &'static str,
    concerned: Option<(usize, usize)>,
) -> Row {
    Row { code, base: &[], head, place, concerned, seen: Seen::Both }
}

impl Row {
    const fn from(self, base: &'static [Edit]) -> Self {
        Self { base, ..self }
    }

    const fn seen(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }
}

const EXCEPT_BART: &str =
    "    except:\n      - users: [{ id: ID_OF_BART }]\n        until: 2027-03-01\n";
const SERVICES: &str = "8e5b1f70-c4a3-4d26-b9e8-60f7d2a5134c";

fn rows() -> Vec<Row> {
    let mut rows = of_policies();
    rows.extend(of_exceptions());
    rows.extend(of_the_project());
    rows
}

fn of_policies() -> Vec<Row> {
    vec![
        row(
            "policy-removed",
            &[
                ("  staff:\n", "  other:\n"),
                ("groups: [MFA Pilot]\n      users: [a.", "users: [a."),
            ],
            "base policies/staff.yaml:4",
            Some((5, 0)),
        )
        .seen(Seen::WithTenant),
        row(
            "policy-removed",
            &[(
                "  pilot:\n    priority: 200\n    appliesTo: { groups: [MFA Pilot] }\n    desired: { phones: { office: { from: businessPhones } } }\n",
                "",
            )],
            "base policies/staff.yaml:19",
            Some((5, 0)),
        )
        .from(&[("perUserMfa: enabled", "phones: { office: { from: businessPhones } }")]),
        row(
            "mode-to-report",
            &[("    priority: 100\n", "    priority: 100\n    mode: report\n")],
            "head policies/staff.yaml:4",
            Some((7, 2)),
        ),
        row(
            "scope-narrowed",
            &[(", m.dekoning@exchangelabs.nl", "")],
            "head policies/staff.yaml:4",
            Some((1, 1)),
        ),
        row(
            "scope-narrowed",
            &[("synced: [true, false]", "synced: false")],
            "head policies/staff.yaml:4",
            Some((5, 0)),
        ),
        row(
            "setting-unmanaged",
            &[("      systemPreferredMfa: true\n", "")],
            "base policies/staff.yaml:17",
            Some((7, 2)),
        ),
        row(
            "setting-unmanaged",
            &[("systemPreferredMfa: true", "systemPreferredMfa: unmanaged")],
            "head policies/staff.yaml:17",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("perUserMfa: enforced", "perUserMfa: enabled")],
            "head policies/staff.yaml:18",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("systemPreferredMfa: true", "systemPreferredMfa: false")],
            "head policies/staff.yaml:17",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("[push, oath, sms]", "[sms, push]")],
            "head policies/staff.yaml:16",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("[push, oath, sms]", "{ exactly: sms }")],
            "head policies/staff.yaml:16",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("smsSignIn: off", "smsSignIn: on")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("{ from: mobilePhone }", "absent")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        )
        .from(&[(", smsSignIn: off", "")]),
        row(
            "replace-allowed",
            &[("smsSignIn: off", "ifRegistered: replace, smsSignIn: off")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "source-changed",
            &[("from: mobilePhone", "from: [mobilePhone, extensionAttribute7]")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "region-widened",
            &[("smsSignIn: off", "region: [usageLocation, NL], smsSignIn: off")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "rule-overtaken",
            &[("priority: 200", "priority: 50")],
            "head policies/staff.yaml:22",
            Some((5, 0)),
        ),
        row(
            "rule-overtaken",
            &[("priority: 100", "priority: 300")],
            "head policies/staff.yaml:22",
            Some((5, 0)),
        ),
        row(
            "rule-overtaken",
            &[("appliesTo: { groups: [MFA Pilot] }", "appliesTo: { everyone: true }")],
            "head policies/staff.yaml:22",
            Some((2, 2)),
        )
        .from(&[("priority: 200", "priority: 50")])
        .seen(Seen::WithTenant),
        row(
            "weaker-wanted",
            &[("{ perUserMfa: enabled }", "{ perUserMfa: enabled, phones: { office: absent } }")],
            "head policies/staff.yaml:22",
            Some((1, 0)),
        )
        .from(&[("{ groups: [MFA Pilot] }", "{ users: [m.postma@exchangelabs.nl] }")]),
        row(
            "object-unmanaged",
            &[("tenant: { securityDefaults: on }", "tenant: { securityDefaults: unmanaged }")],
            "head policies/staff.yaml:2",
            None,
        ),
        row(
            "object-unmanaged",
            &[("tenant: { securityDefaults: on }\n", "")],
            "base policies/staff.yaml:2",
            None,
        ),
        row(
            "object-lowered",
            &[("tenant: { securityDefaults: on }", "tenant: { securityDefaults: off }")],
            "head policies/staff.yaml:2",
            None,
        ),
    ]
}

fn of_exceptions() -> Vec<Row> {
    vec![
        row(
            "exception-widened",
            &[("[{ id: ID_OF_BART }]", "[{ id: ID_OF_BART }, { id: ID_OF_ALEX }]")],
            "head policies/staff.yaml:10",
            Some((1, 1)),
        ),
        row(
            "exception-widened",
            &[(
                "[{ id: ID_OF_BART }]",
                "[{ id: ID_OF_BART }]\n        roles: [Global Administrator]",
            )],
            "head policies/staff.yaml:10",
            Some((2, 2)),
        ),
        row(
            "exception-widened",
            &[("[{ id: ID_OF_BART }]", "[{ id: ID_OF_BART }]\n        groups: [{ id: SERVICES }]")],
            "head policies/staff.yaml:10",
            Some((0, 0)),
        ),
        row(
            "exception-extended",
            &[("until: 2027-03-01", "until: 2027-04-01")],
            "head policies/staff.yaml:10",
            Some((1, 1)),
        )
        .from(&[("ID_OF_BART", "ID_OF_ALEX")]),
        row(
            "exception-extended",
            &[("        until: 2027-03-01\n", "")],
            "head policies/staff.yaml:10",
            Some((1, 1)),
        )
        .from(&[("ID_OF_BART", "ID_OF_ALEX")]),
        row(
            "allow-empty-added",
            &[("until: 2027-03-01", "until: 2027-03-01\n        allowEmpty: true")],
            "head policies/staff.yaml:10",
            None,
        )
        .from(&[("users: [{ id: ID_OF_BART }]", "groups: [{ id: SERVICES }]")]),
    ]
}

fn of_the_project() -> Vec<Row> {
    const GROUP: &[Edit] = &[(
        "brakes:\n",
        "  groups:\n    - { id: 0b7d2c55-81e6-4f39-a2c0-97d4e13b6f08 }\nbrakes:\n",
    )];
    vec![
        row("break-glass-added", &[("brakes:\n", "    - { id: ID_OF_ALEX }\nbrakes:\n")], "head mfactl.yaml:8", Some((1, 1))),
        row("break-glass-removed", &[("    - { id: ID_OF_ALEX }\n", "")], "base mfactl.yaml:8", Some((1, 1))).from(&[("brakes:\n", "    - { id: ID_OF_ALEX }\nbrakes:\n")]),
        row("break-glass-added", GROUP, "head mfactl.yaml:9", Some((0, 0))),
        row("allow-empty-added", &[("6f08 }", "6f08, allowEmpty: true }")], "head mfactl.yaml:9", None).from(GROUP),
        row("former-added", &[("brakes:\n", "  former: [{ id: ID_OF_ALEX }]\nbrakes:\n")], "head mfactl.yaml:8", Some((1, 1))),
        row("minimum-lowered", &[("brakes:\n", "  minimum: 0\nbrakes:\n")], "head mfactl.yaml:8", None),
        row("brake-raised", &[("percent: 30", "percent: 60")], "head mfactl.yaml:9", None),
        row("brake-raised", &[("  changedUsers: { percent: 20, floor: 10 }\n", "  weakenedUsers: { percent: 0 }\n")], "base mfactl.yaml:9", None).from(&[("percent: 30", "percent: 20")]),
        row("delivery-later", &[("until: 2027-02-01", "until: 2027-05-01")], "head mfactl.yaml:13", None),
        row("delivery-later", &[("{ until: 2027-02-01 }", "{ by: ownProvider }")], "head mfactl.yaml:13", None),
        row("compare-narrowed", &[("numbers: { compareWith: everyone }\n", "")], "base mfactl.yaml:10", None),
        row("numbers-not-kept", &[("keepNumbers: true", "keepNumbers: false")], "head mfactl.yaml:11", None),
        row("share-raised", &[("share: 50", "share: 60")], "head mfactl.yaml:12", None),
        row("policies-outside", &[("policies: policies\n", "policies: policies\npoliciesOutside: true\n")], "head mfactl.yaml:4", None),
        row("tenant-changed", &[("tenant: exchangelabs.nl", "tenant: contoso.com")], "head mfactl.yaml:2", None).seen(Seen::Offline),
        row("tenant-changed", &[("policies: policies\n", "policies: policies\ncloud: usGov\n")], "head mfactl.yaml:4", None).seen(Seen::Offline),
        row("endpoint-changed", &[("quota: { share: 50 }\n", "quota: { share: 50 }\nendpoints: { graph: 'https://localhost:1', login: 'https://localhost:1' }\n")], "head mfactl.yaml:13", None).seen(Seen::Offline),
    ]
}

/// The two files, after some edits.
#[derive(Clone)]
struct Files([String; 2]);

impl Files {
    fn edited(mut self, edits: &[Edit]) -> Self {
        for (from, to) in edits {
            let found: usize = self.0.iter().map(|text| text.matches(from).count()).sum();
            assert_eq!(found, 1, "{from}");
            self.0 = self.0.map(|text| text.replace(from, to));
        }
        self
    }

    fn write(&self, world: World, folder: &str, is_offline: bool) -> World {
        let id = |name: &str| {
            let (_, user) = world.call("GET", &format!("/v1.0/users/{name}@exchangelabs.nl"), None);
            user["id"].as_str().expect("an id").to_owned()
        };
        let (bart, alex) = (id("b.devries"), id("a.vermeulen"));
        let [project, policy] = self.0.clone().map(|text| {
            let text = text.replace("ID_OF_BART", &bart).replace("ID_OF_ALEX", &alex);
            text.replace("SERVICES", SERVICES)
        });
        let project = if is_offline { project } else { world.project(&project) };
        world
            .file(&format!("{folder}/mfactl.yaml"), project)
            .file(&format!("{folder}/policies/staff.yaml"), policy)
    }
}

/// Returns the loosenings of a change from one folder to the other.
fn loosenings(world: &World, base: &str, head: &str) -> Vec<Value> {
    let config = format!("{head}/mfactl.yaml");
    let run = world.run(&["--config", &config, "plan", "--against", base, "--format", "json"]);
    if run.code != Some(0) {
        return vec![json!({ "code": run.text() })];
    }
    let plan: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let difference = &plan["difference"];
    assert_eq!(difference["compared"], json!(true), "{difference}");
    difference["change"]["loosenings"].as_array().expect("a list").clone()
}

fn validated(world: &World, base: &str, head: &str, more: &[&str]) -> Run {
    let config = format!("{head}/mfactl.yaml");
    world.run(&[&["--config", &config, "validate", "--against", base], more].concat())
}

fn warnings(world: &World, base: &str, head: &str) -> Vec<Value> {
    let run = validated(world, base, head, &["--format", "json"]).ends(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    document["findings"].as_array().expect("a list").clone()
}

fn described(one: &Value) -> String {
    let (side, origin) = (&one["side"], &one["origin"]);
    let place = format!(
        "{} {}:{}",
        side.as_str().unwrap_or("?"),
        origin["file"].as_str().unwrap_or("?"),
        origin["line"]
    );
    let concerned = one["users"].as_u64().zip(one["administrators"].as_u64());
    format!("{} {place} {concerned:?}", one["code"].as_str().unwrap_or("?"))
}

/// Compares one row, in both directions.
fn compared(world: World, row: &Row, wrong: &mut Vec<String>) -> World {
    let is_offline = row.seen == Seen::Offline;
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]).edited(row.base);
    let head = base.clone().edited(row.head);
    let world = base.write(world, "base", is_offline);
    let world = head.write(world, "head", is_offline);
    let expected = format!("{} {} {:?}", row.code, row.place, row.concerned);
    if !is_offline {
        let found: Vec<String> = loosenings(&world, "base", "head").iter().map(described).collect();
        if found != [expected.clone()] {
            wrong.push(format!("{:?}: expected {expected}, found {found:?}", row.head));
        }
        let back = loosenings(&world, "head", "base");
        if back.iter().any(|one| one["code"] == row.code) {
            wrong.push(format!("{:?}: the reverse change is reported: {back:?}", row.head));
        }
    }
    if row.seen != Seen::WithTenant {
        let found = warnings(&world, "base", "head");
        let own: Vec<&Value> = found.iter().filter(|one| one["code"] == row.code).collect();
        let place = &own.first().copied().unwrap_or(&Value::Null)["place"];
        let line =
            row.place.strip_prefix("head ").and_then(|at| at.split(':').nth(1)?.parse().ok());
        if own.len() != 1 || place["line"].as_u64() != line {
            wrong.push(format!("{:?}: offline: {expected}, found {found:#?}", row.head));
        }
        let back = warnings(&world, "head", "base");
        // Each of two tenants is another one.
        let is_mutual = row.code == "tenant-changed";
        if !is_mutual && back.iter().any(|one| one["code"] == row.code) {
            wrong.push(format!("{:?}: offline, the reverse is reported: {back:?}", row.head));
        }
    }
    world
}

#[test]
fn each_change_that_makes_a_guard_weaker_is_reported() {
    let mut wrong = Vec::new();
    let mut world = World::served(exchangelabs());
    for row in rows() {
        world = compared(world, &row, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes between the first and the last code of a review.
#[test]
fn each_code_has_a_row() {
    let codes = Code::ALL.iter().skip_while(|code| **code != Code::PolicyRemoved);
    let rows = rows();
    for code in codes.take_while(|code| **code != Code::NotCompared) {
        assert!(rows.iter().any(|row| row.code == code.as_str()), "{code} has no row");
    }
}

/// What loosens nothing: the base, the head.
const HARMLESS: &[(&[Edit], &[Edit])] = &[
    (&[], &[("  staff:\n", "  # a comment\n  staff:\n")]),
    (
        &[],
        &[(
            "      groups: [MFA Pilot]\n      users: [a.vermeulen@exchangelabs.nl, m.dekoning@exchangelabs.nl]\n",
            "      users: [m.dekoning@exchangelabs.nl, a.vermeulen@exchangelabs.nl]\n      groups: [MFA Pilot]\n",
        )],
    ),
    (&[], &[("  staff:\n", "  personnel:\n")]),
    (&[], &[("  staff:\n", "  staff:\n    description: A description\n")]),
    (&[], &[("from: mobilePhone", "from: [mobilePhone]")]),
    (&[], &[(EXCEPT_BART, "")]),
];

#[test]
fn reordered_renamed_and_commented_files_loosen_nothing() {
    let mut world = World::served(exchangelabs());
    for (base, head) in HARMLESS {
        let base = Files([PROJECT.to_owned(), POLICY.to_owned()]).edited(base);
        let changed = base.clone().edited(head);
        world = base.write(world, "base", false);
        world = changed.write(world, "head", false);
        assert_eq!(loosenings(&world, "base", "head"), Vec::<Value>::new(), "{head:?}");
        assert_eq!(warnings(&world, "base", "head"), Vec::<Value>::new(), "{head:?}");
    }
}

/// A policy that covers the users of a removed one as well.
#[test]
fn users_that_another_policy_covers_as_well_are_not_counted() {
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]);
    let stronger = base.clone().edited(&[("perUserMfa: enabled", "perUserMfa: enforced")]);
    let without = |files: &Files| {
        let pilot = files.0[1].find("  pilot:").expect("the policy");
        Files([files.0[0].clone(), files.0[1][..pilot].to_owned()])
    };
    let world = World::served(exchangelabs());
    // `pilot` decides nothing, because `staff` decides for each of its users.
    let world = without(&stronger).write(stronger.write(world, "base", false), "head", false);
    assert_eq!(loosenings(&world, "base", "head"), Vec::<Value>::new());
    let codes = |found: Vec<Value>| {
        found.iter().map(|one| one["code"].as_str().expect("a code").to_owned()).collect::<Vec<_>>()
    };
    // Without a tenant, that is unknown.
    assert_eq!(codes(warnings(&world, "base", "head")), ["policy-removed"]);
}

#[test]
fn validate_names_the_place_and_ends_by_fail_on() {
    let base = Files([PROJECT.to_owned(), POLICY.to_owned()]);
    let head = base.clone().edited(&[
        ("perUserMfa: enforced", "perUserMfa: enabled"),
        ("      systemPreferredMfa: true\n", ""),
    ]);
    let world = World::served(exchangelabs());
    let world = head.write(base.write(world, "base", true), "head", true);
    let text = validated(&world, "base", "head", &[]).ends(0);
    for words in [
        "warning[rule-weakened]: policy `staff` wants less of `perUserMfa`: enforced before, enabled now",
        "head/policies/staff.yaml:17:",
        "warning[setting-unmanaged]: policy `staff` no longer manages `systemPreferredMfa` (`policies/staff.yaml:17` of `base`)",
        "2 warnings",
    ] {
        assert!(text.stderr.contains(words), "{words}\n{}", text.text());
    }
    assert_eq!(text.stdout, "2 policies in 2 files: no errors\n");
    for format in ["json", "github", "sarif", "codeclimate", "azure", "junit"] {
        let run = validated(&world, "base", "head", &["--format", format]).ends(0);
        assert!(run.stdout.contains("rule-weakened"), "{format}: {}", run.text());
        assert_eq!(run.stderr, text.stderr, "{format}");
    }
    let run = validated(&world, "base", "head", &["--fail-on", "loosened"]).ends(2);
    assert!(run.stderr.contains("--fail-on loosened: met"), "{}", run.text());
    validated(&world, "head", "head", &["--fail-on", "loosened"]).ends(0);
    let world = world.file("base/policies/staff.yaml", "version: 1\npolicies: {}\n");
    let run = validated(&world, "base", "head", &["--fail-on", "loosened"]).ends(2);
    assert!(run.stderr.contains("warning[not-compared]"), "{}", run.text());
    assert!(run.stderr.contains("perhaps, because it is not compared"), "{}", run.text());
    validated(&world, "base", "head", &[]).ends(0);
    // A fault in the head is an error, with the base or without it.
    let world = world.file("head/policies/staff.yaml", "version: 1\npolicies: {}\n");
    validated(&world, "base", "head", &["--fail-on", "loosened"]).ends(3);
    validated(&world, "nowhere", "base", &[]).ends(3);
}

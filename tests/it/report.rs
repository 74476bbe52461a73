//! `mfactl report`: how everybody in the tenant stands, through the real program; counted by hand,
//! and held against the sandbox's judge of sign-ins on the day and on days to come.
//!
//! `tests/report` holds the policies and the exact output.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

mod hand;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use mfactl::render::report::json::json as write_json;
use mfactl::sandbox::records::{Document, Seed};
use mfactl::sandbox::sign_in::Verdict;
use mfactl::sandbox::{Options, seeds};
use serde_json::{Value, json};

use crate::golden::compare;
use crate::inside::{Inside, load};
use crate::live::refuse;
use crate::privacy::{numbers, shows_none};
use crate::program::exchangelabs;
use crate::world::{PROJECT, Run, World};

const POSTURES: [&str; 5] = ["protected", "open", "stuck", "unprotected", "unknown"];

fn world(options: Options) -> World {
    World::of(options).copy(Path::new("tests/report/policies"), "policies")
}

/// A run of the program in which nobody's number may be seen.
#[track_caller]
fn report(world: &World, arguments: &[&str], code: i32) -> Run {
    let arguments = [&["report"], arguments].concat();
    let run = world.run(&arguments).ends(code);
    shows_none(&run.text(), &numbers(&world.server().store()));
    run
}

#[track_caller]
fn as_json(world: &World, arguments: &[&str]) -> Value {
    let text = report(world, &[&["--format", "json"], arguments].concat(), 0).stdout;
    serde_json::from_str(&text).expect("JSON")
}

fn rows(report: &Value) -> &Vec<Value> {
    report["users"].as_array().expect("users")
}

fn words(value: &Value) -> BTreeSet<String> {
    let all = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    all.map(str::to_owned).collect()
}

#[test]
fn it_prints_what_is_expected_and_writes_nothing() {
    let world = world(exchangelabs());
    let schema = world.run(&["schema", "report"]).ends(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::draft7::new(&schema).expect("a schema");
    let mut differences = String::new();
    for (name, arguments) in [
        ("plain.txt", vec![]),
        ("all.txt", vec!["--all"]),
        ("plain.json", vec!["--format", "json"]),
        ("plain.csv", vec!["--format", "csv"]),
        ("after-the-retirement.txt", vec!["--at", "2027-02-01"]),
    ] {
        let run = report(&world, &arguments, 0);
        assert_eq!(run.stderr, "");
        if name.ends_with(".json") {
            let mut document: Value = serde_json::from_str(&run.stdout).expect("JSON");
            let errors: Vec<_> = validator.iter_errors(&document).collect();
            assert!(errors.is_empty(), "{errors:#?}");
            document["users"][0]["posture"] = 7.into();
            assert!(!validator.is_valid(&document), "the schema looks at the users");
        }
        differences += &compare(&Path::new("tests/report").join(name), &run.stdout);
    }
    assert!(differences.is_empty(), "\n{differences}");
    assert_eq!(world.server().store().writes().len(), 0, "reporting writes nothing");
}

#[test]
fn the_seed_is_counted_as_by_hand() {
    let report = as_json(&world(exchangelabs()), &[]);
    let hand = hand::count(&seeds::exchangelabs());
    let disabled = seeds::exchangelabs().users.len() - hand.len();
    let guests = hand.iter().filter(|one| one.guest).count();
    let accounts = json!({"enabled": hand.len(), "guests": guests, "disabled": disabled});
    assert_eq!(report["accounts"], accounts);
    assert!(hand.len() > 60 && disabled > 3 && guests > 3, "{accounts}");

    let held = |counts: &Value, is: &dyn Fn(&hand::One) -> bool, what: &str| {
        let mut users = 0;
        for posture in POSTURES {
            let by_hand = hand.iter().filter(|one| is(one) && one.posture == posture).count();
            assert_eq!(counts["posture"][posture], by_hand, "{what}: {posture}");
            users += by_hand;
        }
        assert_eq!(counts["users"], users, "{what}");
        users
    };
    held(&report["counts"], &|_| true, "all");
    let in_staff = |one: &hand::One| one.groups.contains("All Staff");
    let holds = |role: &'static str| move |one: &hand::One| one.roles.contains(role);
    let named = |list: &str, key: &str, name: &str| {
        let mut rows = report[list].as_array().expect("rows").iter();
        rows.find(|row| row[key] == name).unwrap_or_else(|| panic!("no {name}"))["counts"].clone()
    };
    assert!(held(&named("groups", "name", "All Staff"), &in_staff, "All Staff") > 50);
    for role in
        ["Global Administrator", "Helpdesk Administrator", "Directory Synchronization Accounts"]
    {
        assert!(held(&named("roles", "name", role), &holds(role), role) > 0);
    }
    assert_eq!(report["roles"].as_array().map(Vec::len), Some(3), "nobody holds the others");

    let member = |one: &hand::One| !one.guest && !one.name.starts_with("breakglass");
    let staff = |one: &hand::One| member(one) && in_staff(one) && !one.name.starts_with("m.bos@");
    let global = holds("Global Administrator");
    let administrator = |one: &hand::One| member(one) && global(one);
    let finance = |one: &hand::One| member(one) && one.department.as_deref() == Some("Finance");
    held(&named("policies", "policy", "staff"), &staff, "staff");
    held(&named("policies", "policy", "administrators"), &administrator, "administrators");
    assert!(held(&named("policies", "policy", "finance"), &finance, "finance") > 4);

    let in_none = |one: &&hand::One| {
        !(staff(one) || administrator(one) || finance(one) || one.name.starts_with("breakglass"))
    };
    let in_none: BTreeSet<&str> =
        hand.iter().filter(in_none).map(|one| one.name.as_str()).collect();
    let outside = rows(&report).iter().filter(|row| row["part"] == "outOfScope");
    let outside: BTreeSet<&str> =
        outside.filter_map(|row| row["userPrincipalName"].as_str()).collect();
    assert_eq!(outside, in_none);

    for (kind, stored) in [
        ("mobilePhone", "mobile"),
        ("alternateMobilePhone", "alternateMobile"),
        ("officePhone", "office"),
        ("authenticator", "microsoftAuthenticator"),
        ("softwareOath", "softwareOath"),
        ("passkey", "fido2"),
        ("external", "external"),
        ("windowsHello", "windowsHelloForBusiness"),
        ("platformCredential", "platformCredential"),
        ("temporaryAccessPass", "temporaryAccessPass"),
        ("email", "email"),
        ("password", "password"),
    ] {
        let have = hand.iter().filter(|one| one.methods.contains(stored)).count();
        assert_eq!(report["methods"]["kinds"][kind]["registered"], have, "{kind}");
    }
    let factorless = hand.iter().filter(|one| {
        one.methods.iter().all(|method| ["password", "email"].contains(&method.as_str()))
    });
    assert_eq!(report["methods"]["nothing"], factorless.count());
}

/// People of whom the two judges say different things, and why.
const APART: [(&str, &str); 5] = [
    ("m.brouwer@", "Windows Hello: the judge signs in on the owner's own device"),
    ("s.devos@", "a platform credential, likewise"),
    ("z.blom@", "a temporary access pass: the judge is the owner"),
    ("d.vanbeek@", "eligible: the judge signs in without taking the role up"),
    ("Sync_DC01_", "the judge signs it in as an administrator, which nobody does"),
];

fn predicted(posture: &str) -> Option<Verdict> {
    match posture {
        "protected" => Some(Verdict::Ok),
        "open" => Some(Verdict::MustRegister),
        "stuck" => Some(Verdict::Blocked),
        "unprotected" => Some(Verdict::PasswordOnly),
        _ => None,
    }
}

/// The sandbox's judge of sign-ins shares no code with what a report is made of.
#[test]
fn in_every_tenant_and_on_every_day_the_judge_of_sign_ins_agrees() {
    let folder = World::empty()
        .copy(Path::new("tests/report/policies"), "policies")
        .file("mfactl.yaml", PROJECT);
    let set = load(folder.path("mfactl.yaml").parent().expect("a folder")).expect("policies");
    let (mut differences, mut apart) = (Vec::new(), BTreeSet::new());
    for name in seeds::names() {
        let seed = seeds::by_name(name).expect("a seed");
        let mut inside = Inside::new(Options::in_memory(seed));
        let store = inside.server.store();
        for day in ["2026-11-22", "2027-01-31", "2027-02-01", "2027-07-01"] {
            // One tenant tells the days apart as well as all of them.
            if *name != "exchangelabs" && !["2026-11-22", "2027-02-01"].contains(&day) {
                continue;
            }
            let on: Date = day.parse().expect("a day");
            let mut printed = Vec::new();
            write_json(&inside.report(&set, on), &mut printed).expect("memory");
            let report: Value = serde_json::from_slice(&printed).expect("JSON");
            assert_eq!(report["day"], day);
            let mut known = 0;
            for row in rows(&report) {
                let user = row["userPrincipalName"].as_str().expect("a name");
                let posture = row["posture"].as_str().expect("a posture");
                let Some(expected) = predicted(posture) else { continue };
                known += 1;
                let verdict = store.judge_on(user, on).expect("a verdict");
                // The judge asks for a second factor before it lets one be registered that a
                // strength takes.
                let is_asked =
                    name.ends_with("strength") && (posture, verdict) == ("open", Verdict::Blocked);
                if verdict == expected || is_asked {
                    continue;
                }
                if let Some((one, _)) = APART.iter().find(|(one, _)| user.starts_with(one)) {
                    apart.insert(*one);
                } else {
                    differences.push(format!("{name} {day} {user}: {posture}, {verdict}"));
                }
            }
            let least = if name.ends_with("narrowed") { 20 } else { 60 };
            assert!(known > least, "{name} {day}: of only {known} it is known");
            adds_up(&report);
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(apart, APART.iter().map(|(name, _)| *name).collect(), "who is apart for a reason");
}

/// The counts are those of the rows.
fn adds_up(report: &Value) {
    let held = |counts: &Value, is: &dyn Fn(&Value) -> bool| {
        let of: Vec<&Value> = rows(report).iter().filter(|row| is(row)).collect();
        assert_eq!(counts["users"], of.len());
        for posture in POSTURES {
            let number = of.iter().filter(|row| row["posture"] == posture).count();
            assert_eq!(counts["posture"][posture], number, "{posture}");
        }
        let mut days: BTreeMap<String, usize> = BTreeMap::new();
        for day in of.iter().filter_map(|row| row["expiring"].as_str()) {
            *days.entry(day.to_owned()).or_default() += 1;
        }
        assert_eq!(counts["expiring"], json!(days));
    };
    held(&report["counts"], &|_| true);
    for (list, key) in [("policies", "policy"), ("groups", "id"), ("roles", "id")] {
        for row in report[list].as_array().expect("rows") {
            let name = row[key].as_str().expect("a name");
            held(&row["counts"], &|user| words(&user[list]).contains(name));
        }
    }
}

/// Of whom it is said on the day before that phones will no longer carry them, they do not on the
/// day; and of nobody else that changes.
#[test]
fn who_expires_is_in_trouble_from_that_day_on() {
    let world = world(exchangelabs());
    let on = |day| {
        let report = as_json(&world, &["--at", day]);
        let rows = rows(&report).iter().map(|row| (row["id"].to_string(), row.clone()));
        rows.collect::<BTreeMap<String, Value>>()
    };
    for (before, day) in [("2027-01-31", "2027-02-01"), ("2027-06-30", "2027-07-01")] {
        let (then, now) = (on(before), on(day));
        let mut expired = 0;
        for (id, row) in &then {
            let after = now[id]["posture"].as_str().expect("a posture");
            if row["expiring"] == day {
                assert_eq!(row["posture"], "protected");
                assert!(["open", "stuck"].contains(&after), "{row} {after}");
                expired += 1;
            } else if row["posture"] != "stuck" {
                assert_eq!(row["posture"], after, "{row}");
            }
        }
        assert!(expired > 0, "{day}");
    }
}

#[test]
fn it_fails_on_what_it_is_told_to() {
    let world = world(exchangelabs());
    for (conditions, code, said) in [
        ("open", 2, "--fail-on open: 7\n"),
        ("stuck,open", 2, "--fail-on open: 7\n--fail-on stuck: 1\n"),
        ("expiring", 2, "--fail-on expiring: 7\n"),
        ("unread,break-glass,shared-number", 0, ""),
        ("unknown,no-policy", 2, "--fail-on unknown: 5\n--fail-on no-policy: 9\n"),
    ] {
        let run = report(&world, &["--fail-on", conditions, "--format", "csv"], code);
        assert_eq!(run.stderr, said, "{conditions}");
        assert!(run.stdout.lines().count() > 60, "it is printed all the same");
    }
    assert!(report(&world, &["--fail-on", "opne"], 1).stderr.contains("'open'"));
    assert!(report(&world, &["--at", "soon"], 1).stderr.contains("--at <DATE>"));
    // On that day they have expired, and no other day is to come.
    report(&world, &["--fail-on", "expiring", "--at", "2027-07-01"], 0);
}

#[test]
fn what_may_not_be_read_is_unknown_and_no_reason_to_be_at_ease() {
    let mut differences = String::new();
    for (name, path) in [
        ("methods", "/authentication/methods"),
        ("state", "/authentication/requirements"),
        ("conditional-access", "/conditionalAccess/policies"),
        ("methods-policy", "/authenticationMethodsPolicy"),
    ] {
        let faults = refuse(path, 403, "Authorization_RequestDenied");
        let world = world(Options { faults, ..exchangelabs() });
        let run = report(&world, &["--fail-on", "stuck,unread"], 2);
        let golden = format!("tests/report/unread-{name}.txt");
        differences += &compare(Path::new(&golden), &run.text());
    }
    assert!(differences.is_empty(), "\n{differences}");
    let faults = refuse("/roleAssignments", 403, "Authorization_RequestDenied");
    let world = World::of(Options { faults, ..exchangelabs() })
        .file("policies/staff.yaml", crate::program::JAMES_AND_JANE);
    let report = as_json(&world, &[]);
    assert_eq!((&report["complete"], &report["roles"]), (&json!(false), &json!([])));
    assert!(rows(&report).len() > 60, "everybody is in it, whom no policy names as well");
}

/// Another seed: people's documents are changed before anybody is served.
fn with(change: impl Fn(&str, &mut Document, &mut Vec<Document>)) -> Seed {
    let mut seed = seeds::exchangelabs();
    for one in &mut seed.users {
        let name = one.user["userPrincipalName"].as_str().unwrap_or_default().to_owned();
        change(&name, &mut one.user, &mut one.methods);
    }
    seed
}

fn phone(number: &str) -> Document {
    crate::live::document(json!({
        "@odata.type": "#microsoft.graph.phoneAuthenticationMethod",
        "id": "3179e48a-750b-4051-897c-87b9720928f7",
        "phoneNumber": number,
        "phoneType": "mobile",
        "smsSignInState": "notAllowedByPolicy"
    }))
}

#[test]
fn weak_break_glass_accounts_are_said_to_be() {
    let seed = with(|name, user, methods| {
        if name.starts_with("breakglass1") {
            methods.retain(|method| !method["@odata.type"].to_string().contains("fido2"));
            methods.push(phone("+31 612340001"));
            user.insert("onPremisesSyncEnabled".to_owned(), json!(true));
        }
        if name.starts_with("breakglass2") {
            methods.clear();
            user.insert("accountEnabled".to_owned(), json!(false));
        }
    });
    let plain = world(Options::in_memory(seed));
    let project = PROJECT.replace("brakes:", "  minimum: 2\nbrakes:");
    let project = plain.project(&project);
    let world = plain.file("mfactl.yaml", project);
    let refused = world.run(&["plan"]).ends(3);
    assert!(refused.stderr.contains("break-glass-minimum"), "{}", refused.text());
    let run = report(&world, &["--fail-on", "break-glass"], 2);
    assert_eq!(run.stderr, "--fail-on break-glass: 3\n");
    let said = run.stdout.split("\n\n").find(|part| part.starts_with("Break-glass"));
    let said = said.expect("a part").to_owned() + "\n";
    let difference = compare(Path::new("tests/report/break-glass.txt"), &said);
    assert!(difference.is_empty(), "\n{difference}");
    let report = as_json(&world, &[]);
    let accounts = &report["breakGlass"]["accounts"];
    assert_eq!(accounts[0]["weaknesses"], json!(["phoneOnly", "synced"]));
    assert_eq!(accounts[1]["weaknesses"], json!(["disabled", "noMethod"]));
    assert_eq!(
        (&report["breakGlass"]["tooFew"], &report["complete"]),
        (&json!(true), &json!(true))
    );
}

#[test]
fn people_who_share_a_number_stand_together() {
    let seed = with(|name, _, methods| match name.split('@').next() {
        Some("n.smit" | "o.dekker") => methods.push(phone("+31 634567890")),
        // Written otherwise, and somebody who cannot sign in.
        Some("a.jansen") => methods.push(phone("+31634567890")),
        Some("j.schipper") => methods.push(phone("+31 634567890")),
        _ => {}
    });
    let world = world(Options::in_memory(seed));
    let numbers = as_json(&world, &[])["sharedNumbers"].clone();
    assert_eq!(numbers.as_array().map(Vec::len), Some(1));
    assert_eq!(numbers[0]["number"], "+31 6••••••90");
    assert_eq!(words(&numbers[0]["users"]).len(), 3, "{numbers}");
    let run = report(&world, &["--fail-on", "shared-number"], 2);
    assert_eq!(run.stderr, "--fail-on shared-number: 1\n");
    let line = run.stdout.lines().find(|line| line.contains("+31 6••••••90"));
    let names = "a.jansen@exchangelabs.nl, n.smit@exchangelabs.nl, o.dekker@exchangelabs.nl";
    assert!(line.is_some_and(|line| line.ends_with(names)), "{}", run.text());
}

fn parse(text: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes()).records().map(|row| row.expect("a row")).collect()
}

#[test]
fn a_spreadsheet_gets_the_same_and_runs_none_of_it() {
    let mut seed = with(|name, user, _| {
        if name.starts_with("j.smith@") {
            user.insert("userPrincipalName".to_owned(), json!("-2+3@exchangelabs.nl"));
        }
    });
    for group in &mut seed.groups {
        if group.group["displayName"] == "All Staff" {
            let name = json!("=HYPERLINK(\"http://x\"),\n\"All\"; Staff");
            group.group.insert("displayName".to_owned(), name);
        }
    }
    let policy = "version: 1\npolicies:\n  \"@SUM(1,1)\":\n    appliesTo: { groups: [3f8a5d21-6b94-4c0e-8d7f-1e2a9c40b753] }\n    desired: { perUserMfa: enabled }\n";
    let world = World::of(Options::in_memory(seed)).file("policies/all.yaml", policy);
    let printed = report(&world, &["--format", "csv"], 0).stdout;
    let document = as_json(&world, &[]);
    let parsed = parse(&printed);
    assert_eq!(parsed.len(), rows(&document).len());
    assert!(printed.lines().all(|line| line.ends_with('"')), "one line a row");
    let mut guarded = 0;
    for (cells, row) in parsed.iter().zip(rows(&document)) {
        assert_eq!(cells.len(), 10);
        for (place, key) in [(1, "id"), (2, "posture"), (3, "demanded"), (6, "part")] {
            assert_eq!(cells[place], *row[key].as_str().expect("a word"));
        }
        assert_eq!(cells[5], *row["expiring"].as_str().unwrap_or_default());
        let name = row["userPrincipalName"].as_str().expect("a name");
        assert_eq!(cells[0].trim_start_matches('\''), name);
        let methods: Vec<&str> =
            row["methods"].as_object().expect("methods").keys().map(String::as_str).collect();
        let written: BTreeSet<&str> =
            cells[4].split("; ").filter_map(|one| one.split(' ').next()).collect();
        assert_eq!(written, methods.into_iter().collect(), "{name}");
        let text = cells.iter().flat_map(|cell| cell.split("; "));
        for part in text {
            assert!(!part.trim_start().starts_with(['=', '+', '-', '@']), "{part}");
            guarded += usize::from(part.starts_with('\''));
        }
    }
    // A name, and a policy and a group of 59 people.
    assert!(guarded > 100, "{guarded}");
}

//! Reports on a changed seed: weak break-glass accounts, shared numbers, and names that a spreadsheet would
//! execute.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::path::Path;

use mfactl_sandbox::records::Document;
use mfactl_sandbox::seeds;
use serde_json::json;

use super::{as_json, rows, words};
use crate::support::golden::compare;
use crate::support::reports::{report, report_world as world};
use crate::support::tenant_builder::{self, PHONES, TenantBuilder, exchangelabs, name_of};
use crate::support::world::PROJECT;

/// The tenant with changed documents of users.
fn with(change: impl Fn(&str, &mut Document, &mut Vec<Document>)) -> TenantBuilder {
    exchangelabs().each_user(|one| {
        let name = name_of(one).to_owned();
        change(&name, &mut one.user, &mut one.methods);
    })
}

fn phone(number: &str) -> Document {
    let (kind, id, _) = PHONES[0];
    tenant_builder::phone(kind, id, number)
}

#[test]
fn weak_break_glass_accounts_are_reported() {
    let tenant = with(|name, user, methods| {
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
    let plain = world(tenant);
    let project = PROJECT.replace("brakes:", "  minimum: 2\nbrakes:");
    let project = plain.project(&project);
    let world = plain.file("mfactl.yaml", project);
    let refused = world.run(&["plan"]).ends(3);
    assert!(refused.stderr.contains("break-glass-minimum"), "{}", refused.text());
    let run = report(&world, &["--fail-on", "break-glass"], 2);
    assert_eq!(run.stderr, "--fail-on break-glass: 3\n");
    let part = run.stdout.split("\n\n").find(|part| part.starts_with("Break-glass"));
    let part = part.expect("a part").to_owned() + "\n";
    let difference = compare(Path::new("tests/report/break-glass.txt"), &part);
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
fn users_that_share_a_number_are_listed_together() {
    let tenant = with(|name, _, methods| match name.split('@').next() {
        Some("n.smit" | "o.dekker") => methods.push(phone("+31 634567890")),
        // The same number in another spelling, and a user that cannot sign in.
        Some("a.jansen") => methods.push(phone("+31634567890")),
        Some("j.schipper") => methods.push(phone("+31 634567890")),
        _ => {}
    });
    let world = world(tenant);
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
fn csv_has_the_same_data_and_no_formula() {
    let tenant = with(|name, user, _| {
        if name.starts_with("j.smith@") {
            user.insert("userPrincipalName".to_owned(), json!("-2+3@exchangelabs.nl"));
        }
    });
    let tenant = tenant.group(seeds::ALL_STAFF, |group| {
        let name = json!("=HYPERLINK(\"http://x\"),\n\"All\"; Staff");
        group.group.insert("displayName".to_owned(), name);
    });
    let policy = "version: 1\npolicies:\n  \"-SUM\":\n    appliesTo: { groups: [3f8a5d21-6b94-4c0e-8d7f-1e2a9c40b753] }\n    desired: { perUserMfa: enabled }\n";
    let world = tenant.world().file("policies/all.yaml", policy);
    let printed = report(&world, &["--format", "csv"], 0).stdout;
    let document = as_json(&world, &[]);
    let parsed = parse(&printed);
    assert_eq!(parsed.len(), rows(&document).len());
    assert!(printed.lines().all(|line| line.ends_with('"')), "each row is one line");
    let mut guarded = 0;
    for (cells, row) in parsed.iter().zip(rows(&document)) {
        assert_eq!(cells.len(), 11);
        for (place, key) in
            [(1, "id"), (2, "posture"), (3, "demanded"), (6, "part"), (10, "portalsOnly")]
        {
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
    // One name, and the policy and the group of 59 users.
    assert!(guarded > 100, "{guarded}");
}

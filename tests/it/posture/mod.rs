//! The truth table `tests/posture.yaml`. Each row becomes a tenant; the program's own judgement,
//! made of what it reads over HTTP, is held against the row, and the sandbox's judge of sign-ins
//! against both. Where the two differ, the row says so and why.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod policies;
mod random;
mod row;
mod speed;

use std::collections::BTreeSet;
use std::future::ready;

use jiff::civil::{Date, date};
use mfactl::entra::safety::{self, refusable};
use mfactl::entra::{directory, facts, roles};
use mfactl::id::UserId;
use mfactl::posture::{Judge, Posture};
use mfactl::sandbox::sign_in::Application::AdminPortals;
use mfactl::sandbox::sign_in::Verdict;
use mfactl::sandbox::{Faults, Store};
use mfactl::tenant::delivery::Delivery;
use mfactl::tenant::lookup::{Extra, Lookup};

use self::row::{ME, Row, Table};
use crate::live::{refuse, serve};

const TODAY: Date = date(2026, 11, 22);

fn table() -> Table {
    serde_yaml::from_str(include_str!("../../posture.yaml")).unwrap()
}

#[test]
fn the_table_is_whole() {
    let table = table();
    assert!(table.rows.len() >= 120, "{} rows", table.rows.len());
    let cases: BTreeSet<&str> = table.rows.iter().map(|row| row.case.as_str()).collect();
    assert_eq!(cases.len(), table.rows.len(), "two rows of one name");
    for row in &table.rows {
        assert!(table.sources.contains_key(&row.source), "{}: no source", row.case);
        assert_eq!(row.judge.is_some(), row.because.is_some(), "{}", row.case);
    }
    let used: BTreeSet<&str> = table.rows.iter().map(|row| row.source.as_str()).collect();
    let known: BTreeSet<&str> = table.sources.keys().map(String::as_str).collect();
    assert_eq!(used, known);
}

#[tokio::test]
async fn every_row_is_judged_as_it_says() {
    let mut faults = Vec::new();
    for row in table().rows {
        let (posture, expires) = judged(&row).await;
        let expires = expires.map(|day| day.to_string());
        if (posture.as_str(), &expires) != (row.posture.as_str(), &row.expires) {
            faults.push(format!(
                "{}: {} {expires:?}, not {} {:?}",
                row.case,
                posture.as_str(),
                row.posture,
                row.expires
            ));
        }
    }
    assert!(faults.is_empty(), "{} rows\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_judge_of_sign_ins_agrees_or_the_row_says_why_not() {
    let mut faults = Vec::new();
    for row in table().rows {
        let store = Store::new(row.seed());
        let verdict = store.judge_at(row.name(), AdminPortals, on(&row)).unwrap();
        let alike = match row.posture.as_str() {
            "protected" => Some(Verdict::Ok),
            "open" => Some(Verdict::MustRegister),
            "stuck" => Some(Verdict::Blocked),
            "unprotected" => Some(Verdict::PasswordOnly),
            _ => None,
        };
        let expected = match &row.judge {
            Some(word) => word.clone(),
            // The judge knows everything; what we do not know need not be told apart.
            None => alike.unwrap_or(verdict).as_str().to_owned(),
        };
        if verdict.as_str() != expected {
            faults.push(format!("{}: {verdict}, not {expected}", row.case));
        } else if row.judge.is_some() && alike == Some(verdict) {
            faults.push(format!("{}: they agree, and the row says they do not", row.case));
        }
    }
    assert!(faults.is_empty(), "{} rows\n{}", faults.len(), faults.join("\n"));
}

fn on(row: &Row) -> Date {
    row.on.as_deref().map_or(TODAY, |day| day.parse().unwrap())
}

/// As `plan` does it: everything is read over HTTP, then judged.
async fn judged(row: &Row) -> (Posture, Option<Date>) {
    let faults = match row.refused.as_deref() {
        None => Faults::none(),
        Some(what) => refuse(path_of(what), 403, "Authorization_RequestDenied"),
    };
    let (_server, client) = serve(row.seed(), faults).await;
    let everyone = Lookup { everyone: true, ..Lookup::default() };
    let directory =
        directory::read(&client, &everyone, ready(Ok(BTreeSet::new())), &|_| {}).await.unwrap();
    let roles = refusable(roles::read(&client).await).unwrap();
    let public = row.cloud.is_none();
    let safety = safety::read(&client, public, |_| {}).await.unwrap().of(&directory, &roles);
    let id = UserId::from_uuid(ME);
    let user = directory.find(id).unwrap();
    let facts =
        facts::read(&client, &[id], &safety.method_policy, Extra::default()).await.unwrap()[0];
    let delivery = match row.delivery.as_deref() {
        None => Delivery::MICROSOFT,
        Some("by an own provider") => Delivery::UNENDING,
        Some(other) => panic!("no such delivery: {other}"),
    };
    let judge = Judge {
        method_policy: &safety.method_policy,
        demand: &safety.demand,
        delivery,
        today: on(row),
    };
    (judge.posture(user, &facts), judge.expiring(user, &facts))
}

fn path_of(what: &str) -> &'static str {
    match what {
        "conditional access" => "/conditionalAccess/",
        "strengths" => "/authenticationStrengthPolicies",
        "security defaults" => "/identitySecurityDefaults",
        "methods policy" => "/authenticationMethodsPolicy",
        "roles" => "/roleAssignments",
        "eligibility" => "/roleEligibility",
        "members" => "/transitiveMembers",
        "methods" => "/authentication/methods",
        "state" => "/authentication/requirements",
        other => panic!("nothing is called {other}"),
    }
}

//! The truth table `tests/posture.yaml`. Each row becomes a tenant. The program reads it over HTTP, and its
//! posture is compared with the row. The judge of sign-ins of the sandbox is compared with both. A row says
//! where the judge differs, and why.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod policies;
mod random;
mod row;
mod speed;

use std::collections::BTreeSet;
use std::future::ready;

use jiff::civil::{Date, date};
use mfactl::entra::tenant_rules::{self, refusable};
use mfactl::entra::{directory, facts, roles};
use mfactl::id::UserId;
use mfactl::posture::{Judge, Posture};
use mfactl::tenant::delivery::Delivery;
use mfactl::tenant::lookup::{Extra, Lookup};
use mfactl::tenant::user_set::Tristate;
use mfactl_sandbox::sign_in::{Application, Verdict};
use mfactl_sandbox::{Faults, Store};

use self::row::{ME, Row, Table};
use crate::support::served_seed::{refuse, serve};

const TODAY: Date = date(2026, 11, 22);

fn table() -> Table {
    serde_yaml::from_str(include_str!("../../../posture.yaml")).unwrap()
}

#[test]
fn posture_table_is_complete() {
    let table = table();
    assert!(table.rows.len() >= 120, "{} rows", table.rows.len());
    let cases: BTreeSet<&str> = table.rows.iter().map(|row| row.case.as_str()).collect();
    assert_eq!(cases.len(), table.rows.len(), "two rows have one name");
    for row in &table.rows {
        assert!(table.sources.contains_key(&row.source), "{}: no source", row.case);
        assert_eq!(row.judge.is_some(), row.because.is_some(), "{}", row.case);
    }
    let used: BTreeSet<&str> = table.rows.iter().map(|row| row.source.as_str()).collect();
    let known: BTreeSet<&str> = table.sources.keys().map(String::as_str).collect();
    assert_eq!(used, known);
}

#[tokio::test]
async fn every_row_has_the_expected_posture() {
    let mut faults = Vec::new();
    for row in table().rows {
        let is = judged(&row).await;
        let expires = is.expires.map(|day| day.to_string());
        if (is.posture.as_str(), &expires) != (row.posture.as_str(), &row.expires) {
            faults.push(format!(
                "{}: {} {expires:?}, not {} {:?}",
                row.case,
                is.posture.as_str(),
                row.posture,
                row.expires
            ));
        }
        let portals_only = word(is.portals_only);
        let expected = match row.portals_only.as_deref() {
            None if row.posture == "unknown" => portals_only,
            expected => expected.unwrap_or("no"),
        };
        if portals_only != expected {
            faults.push(format!("{}: at the portals only: {portals_only}", row.case));
        }
    }
    assert!(faults.is_empty(), "{} rows\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn judge_of_sign_ins_agrees_unless_the_row_says_otherwise() {
    let mut faults = Vec::new();
    for row in table().rows {
        let store = Store::new(row.seed());
        for application in Application::ALL {
            let verdict = store.judge_at(row.name(), application, on(&row)).unwrap();
            let alike = expected(&row, application);
            let stated = match (&row.judge, &row.ordinary, application) {
                (_, Some(word), Application::Ordinary) => Some(word),
                // A password that opens mail does so for any requirement of the portals.
                (Some(_), None, Application::Ordinary) if opens_mail(&row) => None,
                (word, _, _) => word.as_ref(),
            };
            // The judge knows every fact, so any verdict fits a posture that is unknown.
            let expected = stated.map(String::as_str).or(alike.map(Verdict::as_str));
            let expected = expected.unwrap_or(verdict.as_str());
            if verdict.as_str() != expected {
                faults.push(format!("{} {application:?}: {verdict}, not {expected}", row.case));
            } else if stated.is_some() && alike == Some(verdict) {
                faults.push(format!(
                    "{}: the judge agrees, but the row says that it does not",
                    row.case
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} rows\n{}", faults.len(), faults.join("\n"));
}

/// Whether the row says that a password opens mail.
fn opens_mail(row: &Row) -> bool {
    row.posture == "unprotected" || row.portals_only.as_deref() == Some("yes")
}

/// The verdict of a judge that agrees with the row, or `None` if the row does not decide it.
fn expected(row: &Row, application: Application) -> Option<Verdict> {
    let at_portals = row.portals_only.as_deref().unwrap_or("no");
    Some(match (row.posture.as_str(), application, at_portals) {
        ("unknown", Application::AdminPortals, _) => return None,
        (_, Application::Ordinary, "yes") => Verdict::PasswordOnly,
        ("unprotected", Application::Ordinary, _) => Verdict::PasswordOnly,
        ("unprotected", Application::AdminPortals, "unknown") => return None,
        ("unprotected", Application::AdminPortals, "yes") | ("protected", ..) => Verdict::Ok,
        ("unprotected", Application::AdminPortals, _) => Verdict::PasswordOnly,
        ("open", ..) => Verdict::MustRegister,
        ("stuck", ..) => Verdict::Blocked,
        _ => return None,
    })
}

const fn word(judged: Tristate) -> &'static str {
    match judged {
        Tristate::Yes => "yes",
        Tristate::No => "no",
        Tristate::Unknown => "unknown",
    }
}

fn on(row: &Row) -> Date {
    row.on.as_deref().map_or(TODAY, |day| day.parse().unwrap())
}

/// The posture of the user of a row.
struct Standing {
    posture: Posture,
    portals_only: Tristate,
    expires: Option<Date>,
}

/// Reads everything over HTTP and judges it, as `plan` does.
async fn judged(row: &Row) -> Standing {
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
    let safety = tenant_rules::read(&client, public, |_| {}).await.unwrap().of(&directory, &roles);
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
    Standing {
        posture: judge.posture(user, &facts),
        portals_only: judge.portals_only(user, &facts),
        expires: judge.expiring(user, &facts),
    }
}

fn path_of(what: &str) -> &'static str {
    match what {
        "conditional access" => "/conditionalAccess/",
        "strengths" => "/authenticationStrengthPolicies",
        "domains" => "/domains",
        "federation" => "/federationConfiguration",
        "security defaults" => "/identitySecurityDefaults",
        "methods policy" => "/authenticationMethodsPolicy",
        "roles" => "/roleAssignments",
        "eligibility" => "/roleEligibility",
        "members" => "/transitiveMembers",
        "methods" => "/authentication/methods",
        "state" => "/authentication/requirements",
        other => panic!("no such request: {other}"),
    }
}

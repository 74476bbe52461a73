//! The truth table `tests/posture.yaml`. Each row becomes a tenant. The posture that the program finds over
//! HTTP is compared with the row, and so is the sandbox's judge of sign-ins. If the two differ, the row says
//! why. The tests are called `posture::` and the case of the row.
//!
//! Not here: what the words of a row mean (`row`, `policies`).

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod policies;
mod random;
mod row;

use std::collections::BTreeSet;
use std::future::ready;

use jiff::civil::{Date, date};
use libtest_mimic::Trial;
use mfactl::entra::tenant_rules::{self, refusable};
use mfactl::entra::{directory, facts, roles};
use mfactl::id::UserId;
use mfactl::posture::{Judge, Posture};
use mfactl::tenant::delivery::Delivery;
use mfactl::tenant::lookup::{Extra, Lookup};
use mfactl::tenant::user_set::Tristate;
use mfactl_sandbox::Store;
use mfactl_sandbox::sign_in::{Application, Verdict};

use self::row::{ME, Row, Table};
use crate::support::tenant_builder::TenantBuilder;
use crate::support::world::runtime;
use crate::support::{check, trial};

const TODAY: Date = date(2026, 11, 22);

pub(crate) fn trials() -> Vec<Trial> {
    let of_row = |row: Row| {
        trial(format!("posture::{}", row.case), move || every_row_is_judged_as_it_says(&row))
    };
    let rows = table().rows.into_iter().map(of_row);
    let whole = check("posture::the_table_is_whole", the_table_is_whole);
    rows.chain([whole]).chain(random::trials()).collect()
}

fn table() -> Table {
    serde_yaml::from_str(include_str!("../posture.yaml")).unwrap()
}

fn the_table_is_whole() {
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

fn every_row_is_judged_as_it_says(row: &Row) -> String {
    let mut differences = the_judge_of_sign_ins_agrees_or_the_row_says_why_not(row);
    let is = runtime().block_on(judged(row));
    let expires = is.expires.map(|day| day.to_string());
    if (is.posture.as_str(), &expires) != (row.posture.as_str(), &row.expires) {
        let (posture, row_says) = (is.posture.as_str(), (&row.posture, &row.expires));
        differences += &format!("{posture} {expires:?}, not {row_says:?}\n");
    }
    let portals_only = word(is.portals_only);
    let expected = match row.portals_only.as_deref() {
        None if row.posture == "unknown" => portals_only,
        expected => expected.unwrap_or("no"),
    };
    if portals_only != expected {
        differences += &format!("at the portals only: {portals_only}\n");
    }
    differences
}

fn the_judge_of_sign_ins_agrees_or_the_row_says_why_not(row: &Row) -> String {
    let store = Store::new(row.seed());
    let mut differences = String::new();
    for application in Application::ALL {
        let verdict = store.judge_at(row.name(), application, on(row)).unwrap();
        let alike = expected(row, application);
        let told = match (&row.judge, &row.ordinary, application) {
            (_, Some(word), Application::Ordinary) => Some(word),
            // What a password opens it opens, whatever the portals require.
            (Some(_), None, Application::Ordinary) if opens_mail(row) => None,
            (told, _, _) => told.as_ref(),
        };
        // The judge knows everything. It may say anything about what is unknown to the program.
        let expected = told.map(String::as_str).or(alike.map(Verdict::as_str));
        let expected = expected.unwrap_or(verdict.as_str());
        if verdict.as_str() != expected {
            differences += &format!("{application:?}: {verdict}, not {expected}\n");
        } else if told.is_some() && alike == Some(verdict) {
            differences += "the two agree, and the row says that they do not\n";
        }
    }
    differences
}

/// Whether the row says that a password opens mail.
fn opens_mail(row: &Row) -> bool {
    row.posture == "unprotected" || row.portals_only.as_deref() == Some("yes")
}

/// Returns what the judge says about a sign-in if it agrees with the row, or `None` if that is unknown.
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
struct Judged {
    posture: Posture,
    portals_only: Tristate,
    expires: Option<Date>,
}

/// Reads everything over HTTP and judges it, as `plan` does.
async fn judged(row: &Row) -> Judged {
    let tenant = TenantBuilder::of(row.seed());
    let tenant = match row.refused.as_deref() {
        None => tenant,
        Some(what) => tenant.refusing(path_of(what), 403, "Authorization_RequestDenied"),
    };
    let (_server, client) = tenant.serve().await;
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
    Judged {
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
        other => panic!("no path for {other}"),
    }
}

//! Accounts of no current member of staff: visitors, disabled accounts, machines, services.
//!
//! Not here: the break-glass accounts (`administrators`).

use serde_json::Value;

use super::super::super::person::{Person, account, guest, person};

/// The account of the directory synchronisation, named after its server.
pub(in crate::seeds::exchangelabs) const SYNC_ACCOUNT: &str =
    "Sync_DC01_3f6a91c2d7e4@exchangelabs.onmicrosoft.com";

pub(super) fn people() -> Vec<Person> {
    let mut all = visitors();
    all.extend(switched_off());
    all.extend(machines());
    all.extend(services());
    all
}

fn visitors() -> Vec<Person> {
    vec![
        guest("v.sanders", "contoso.com", "Vic Sanders"),
        guest("s.olsen", "fabrikam.com", "Siri Olsen")
            .registered_mobile("+47 40612345")
            .state("enforced"),
        guest("a.dubois", "contoso.com", "Alice Dubois")
            .with("externalUserState", "PendingAcceptance")
            .state("enabled"),
        // An external user who was made a member here.
        guest("p.novak", "fabrikam.com", "Petr Novak")
            .kind("Member")
            .authenticator("iPhone 14")
            .state("enforced"),
        // An internal guest: the account is in this tenant.
        person("g.martens", "Gijs Martens").kind("Guest").mobile("+31 6 34506172"),
    ]
}

fn switched_off() -> Vec<Person> {
    vec![
        // Left the company; methods and MFA state are still set.
        person("w.oudshoorn", "Wout Oudshoorn")
            .department("Sales")
            .mobile("+31 6 44617283")
            .synced()
            .registered_mobile("+31 644617283")
            .state("enforced")
            .sign_in_off(),
        person("j.schipper", "Jet Schipper").department("Operations").synced().sign_in_off(),
        // Starts next week.
        person("n.nieuwland", "Nico Nieuwland")
            .department("Marketing")
            .mobile("+31 6 54728394")
            .with("employeeHireDate", "2026-12-01T00:00:00Z")
            .with("createdDateTime", "2026-11-16T08:00:00Z")
            .sign_in_off(),
        // A shared mailbox. Its account is not used to sign in.
        person("info", "Info").unlicensed().sign_in_off(),
    ]
}

fn machines() -> Vec<Person> {
    vec![
        account(SYNC_ACCOUNT, "On-Premises Directory Synchronization Service Account")
            .with("givenName", Value::Null)
            .with("surname", Value::Null)
            .with("mail", Value::Null)
            .without_location()
            .unlicensed(),
    ]
}

/// The members of `Service Accounts`.
pub(super) fn services() -> Vec<Person> {
    vec![
        // Sends scans by mail and cannot answer an MFA prompt.
        person("svc.scanner", "Scanner Service").unlicensed().without_location(),
        person("svc.backup", "Backup Service").unlicensed().without_location().synced(),
    ]
}

//! Accounts that are not, not yet or no longer a member of staff.

use serde_json::Value;

use super::super::super::person::{Person, account, guest, person};

/// The synchronisation's own account, named after the server it runs on.
pub(in crate::sandbox::seeds::exchangelabs) const SYNC_ACCOUNT: &str =
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
        // From elsewhere, and made a member here.
        guest("p.novak", "fabrikam.com", "Petr Novak")
            .kind("Member")
            .authenticator("iPhone 14")
            .state("enforced"),
        // A guest whose account lives here.
        person("g.martens", "Gijs Martens").kind("Guest").mobile("+31 6 34506172"),
    ]
}

fn switched_off() -> Vec<Person> {
    vec![
        // Left the company with everything set up.
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
        // A mailbox that several people read, with an account that nobody uses.
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
        // Cannot answer a second factor, and sends every scan of the building by mail.
        person("svc.scanner", "Scanner Service").unlicensed().without_location(),
        person("svc.backup", "Backup Service").unlicensed().without_location().synced(),
    ]
}

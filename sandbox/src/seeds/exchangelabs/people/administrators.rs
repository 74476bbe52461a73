//! People with an active or eligible directory role.
//!
//! Not here: which role that is (`roles`).

use super::super::super::ids::{BREAK_GLASS_1, BREAK_GLASS_2};
use super::super::super::person::{Person, person};

pub(super) fn people() -> Vec<Person> {
    vec![
        // Two permanent Global Administrators.
        person("a.vermeulen", "Alex Vermeulen")
            .department("IT")
            .mobile("+31 6 35406172")
            .authenticator("iPhone 16"),
        person("r.jacobs", "Rik Jacobs")
            .department("IT")
            .mobile("+31 6 45162738")
            .registered_mobile("+31 645162738")
            .state("enforced"),
        // Is eligible for that role.
        person("d.vanbeek", "Diana van Beek").department("IT").mobile("+31 6 55273849"),
        // Has the role through a group.
        person("m.dekoning", "Max de Koning")
            .department("IT")
            .mobile("+31 6 14384950")
            .passkey("YubiKey 5 NFC"),
        // A Helpdesk Administrator who never registered a method.
        person("f.bosman", "Femke Bosman").department("IT").mobile("+31 6 24495061").synced(),
    ]
}

pub(super) fn break_glass() -> Vec<Person> {
    [
        ("breakglass1", "Break Glass 1", BREAK_GLASS_1),
        ("breakglass2", "Break Glass 2", BREAK_GLASS_2),
    ]
    .map(|(local, name, id)| {
        person(local, name)
            .identified(id)
            .with("givenName", serde_json::Value::Null)
            .with("surname", serde_json::Value::Null)
            .with("mail", serde_json::Value::Null)
            .unlicensed()
            .passkey("YubiKey 5 FIPS")
    })
    .into()
}

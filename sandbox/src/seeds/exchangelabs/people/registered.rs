//! People with a registered method.
//!
//! Not here: people without one (`numbers`).

use super::super::super::person::{Person, person};

pub(super) fn people() -> Vec<Person> {
    let mut all = phones();
    all.extend(other_methods());
    all
}

fn phones() -> Vec<Person> {
    vec![
        person("i.vandenberg", "Iris van den Berg")
            .department("Sales")
            .mobile("+31 6 18273645")
            .synced()
            .registered_mobile("+31 618273645")
            .state("enforced"),
        // A private number that is not in the directory.
        person("h.peters", "Hans Peters")
            .department("Finance")
            .mobile("+31 6 28374651")
            .synced()
            .registered_mobile("+32 471234567")
            .state("enforced"),
        // The company phone was replaced after the registration.
        person("k.vandijk", "Koen van Dijk")
            .department("Finance")
            .mobile("+31 6 38475162")
            .synced()
            .registered_mobile_on("+31 638475100", "2022-02-08T13:01:00Z")
            .state("enforced"),
        // Back from leave: MFA was switched on again, and the phone is still registered.
        person("l.vandenbosch", "Lars van den Bosch")
            .department("Marketing")
            .mobile("+31 6 48576213")
            .registered_mobile("+31 648576213")
            .state("enabled"),
        // Registered, but MFA is not required.
        person("e.willemsen", "Els Willemsen")
            .department("Operations")
            .mobile("+31 6 58672314")
            .synced()
            .registered_mobile("+31 658672314"),
        person("t.huisman", "Tom Huisman")
            .department("Operations")
            .mobile("+31 6 17283940")
            .registered_mobile("+31 617283940")
            .registered_alternate("+31 201234570")
            .state("enforced"),
        person("m.postma", "Mia Postma")
            .department("Operations")
            .desk("+31 20 1234571")
            .synced()
            .registered_office("+31 201234571")
            .state("enforced"),
        // One digit is missing, because numbers were not checked then: no text or call arrives.
        person("n.vandam", "Nina van Dam")
            .department("Finance")
            .mobile("+31 6 27394051")
            .synced()
            .registered_mobile_on("+31 62739405", "2019-10-21T10:10:00Z")
            .state("enforced"),
        person("u.vanleeuwen", "Ursula van Leeuwen")
            .department("Marketing")
            .mobile("+31 6 37405162")
            .synced()
            .registered_mobile("+31 637405162")
            .authenticator("Galaxy S24")
            .state("enforced"),
    ]
}

fn other_methods() -> Vec<Person> {
    vec![
        person("d.dejong", "Daan de Jong")
            .department("Sales")
            .mobile("+31 6 47516273")
            .synced()
            .authenticator("iPhone 15")
            .state("enforced"),
        person("x.tran", "Xuan Tran")
            .department("Marketing")
            .mobile("+31 6 57162738")
            .authenticator("Pixel 9"),
        person("v.koning", "Vera Koning")
            .department("Marketing")
            .mobile("+31 6 16273849")
            .synced()
            .passkey("YubiKey 5 NFC")
            .state("enforced"),
        person("w.kok", "Willem Kok")
            .department("IT")
            .mobile("+31 6 26384950")
            .passkey("YubiKey 5C Nano"),
        person("r.vandermeer", "Rosa van der Meer")
            .department("Finance")
            .mobile("+31 6 36495061")
            .software_oath()
            .state("enforced"),
        person("m.brouwer", "Mark Brouwer")
            .department("Finance")
            .mobile("+31 6 46506172")
            .synced()
            .windows_hello("LAPTOP-7F3K2")
            .state("enforced"),
        person("s.devos", "Sanne de Vos")
            .department("Marketing")
            .mobile("+31 6 56172839")
            .platform_credential("MacBook Pro"),
        person("z.blom", "Zoe Blom")
            .department("Sales")
            .mobile("+31 6 15283946")
            .temporary_access_pass()
            .state("enabled"),
        person("f.maas", "Finn Maas").department("Operations").external_method().state("enforced"),
        // Usable for a password reset, not for a sign-in.
        person("q.schouten", "Quinten Schouten")
            .department("Marketing")
            .mobile("+31 6 25394061")
            .email_method("q.schouten@contoso.com")
            .state("enabled"),
    ]
}

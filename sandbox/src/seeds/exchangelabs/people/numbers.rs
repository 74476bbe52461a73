//! People without a registered method. They differ in the number that the directory has for them.
//!
//! All numbers are invented. Not here: people with a method (`registered`).

use super::super::super::person::{Person, person};

pub(super) fn people() -> Vec<Person> {
    let mut all = plain();
    all.extend(odd_writings());
    all.extend(abroad());
    all.extend(no_use());
    all.extend(incomplete());
    all
}

/// People with a correct mobile number.
fn plain() -> Vec<Person> {
    vec![
        // MFA is on and no method is registered: the first person to sign in registers one.
        person("j.brown", "James Brown")
            .department("Sales")
            .mobile("+31 6 12345678")
            .synced()
            .state("enabled"),
        // MFA will be enabled for this user next.
        person("j.smith", "Jane Smith").department("Sales").mobile("+31 6 12345679").synced(),
        person("a.jansen", "Anna Jansen").department("Sales").mobile("+31 6 14725836").synced(),
        person("b.devries", "Bart de Vries")
            .department("Marketing")
            .mobile("+31 6 25836914")
            .synced(),
        person("c.bakker", "Carla Bakker").department("Finance").mobile("+31 6 36914725").synced(),
        person("m.bos", "Merel Bos").department("Operations").mobile("+31647258369").synced(),
        person("j.kramer", "Joost Kramer").department("IT").mobile("+31 6 5836 9147"),
        person("e.dejager", "Esther de Jager").department("Marketing").mobile("+31-6-13579246"),
        // Formerly synchronised, now managed in the cloud.
        person("e.vanrijn", "Emma van Rijn")
            .department("Finance")
            .mobile("+31 6 24681357")
            .with("onPremisesSyncEnabled", false),
    ]
}

/// Correct numbers in an unusual format.
fn odd_writings() -> Vec<Person> {
    vec![
        person("r.degroot", "Ruud de Groot").department("Sales").mobile("06 12345670").synced(),
        person("s.bos", "Sander Bos").department("Operations").mobile("0031 6 23456701").synced(),
        person("t.vos", "Tess Vos").department("Operations").mobile("+31 0031 6 34567012").synced(),
        person("y.prins", "Yara Prins").department("Finance").mobile("+31 (0)6 45670123").synced(),
        // Two people who work in shifts share one phone.
        person("n.smit", "Noor Smit").department("Operations").mobile("+31 6 34567890").synced(),
        person("o.dekker", "Otto Dekker")
            .department("Operations")
            .mobile("+31 6 34567890")
            .synced(),
    ]
}

fn abroad() -> Vec<Person> {
    vec![
        person("m.hendriks", "Mike Hendriks")
            .department("Sales")
            .location("US")
            .mobile("+1 206 555 0123"),
        person("s.miller", "Sarah Miller")
            .department("Sales")
            .location("US")
            .mobile("+1 (425) 555-0142"),
        // Italian landlines keep the leading zero; mobile numbers have none.
        person("g.rossi", "Giulia Rossi")
            .department("Sales")
            .location("IT")
            .mobile("+39 06 6981 2345"),
        person("f.ferrari", "Fabio Ferrari")
            .department("Marketing")
            .location("IT")
            .mobile("+39 347 123 4567"),
        person("l.peeters", "Lien Peeters")
            .department("Sales")
            .location("BE")
            .mobile("+32 470 12 34 56")
            .synced(),
        person("d.janssens", "Dries Janssens")
            .department("Operations")
            .location("BE")
            .mobile("0470 12 34 57")
            .synced(),
        person("h.schmidt", "Heike Schmidt")
            .department("Finance")
            .location("DE")
            .with("country", "Germany")
            .mobile("+49 151 23456789"),
        person("k.weber", "Karl Weber")
            .department("Operations")
            .location("DE")
            .with("country", "Germany")
            .mobile("0151 23456780"),
        person("o.taylor", "Oliver Taylor")
            .department("Sales")
            .location("GB")
            .mobile("+44 7911 123456"),
    ]
}

/// People without a number that takes texts.
fn no_use() -> Vec<Person> {
    vec![
        person("p.visser", "Peter Visser").department("Sales").synced(),
        person("l.smeets", "Linda Smeets").department("Marketing"),
        // MFA is on and no number is known.
        person("s.kuipers", "Sofie Kuipers").department("Operations").synced().state("enabled"),
        person("l.meijer", "Lotte Meijer")
            .department("Marketing")
            .mobile("+31 20 1234567")
            .synced(),
        person("e.mulder", "Eva Mulder")
            .department("Operations")
            .mobile("+31 20 1234568 x123")
            .synced(),
        // Has a desk phone only.
        person("a.scholten", "Arjan Scholten")
            .department("Finance")
            .desk("+31 20 1234569")
            .synced(),
        // One digit is missing.
        person("w.timmermans", "Wim Timmermans")
            .department("Operations")
            .mobile("+31 6 1234567")
            .synced(),
        person("c.willems", "Cees Willems").department("Operations").mobile("n.v.t.").synced(),
    ]
}

/// People with missing properties.
fn incomplete() -> Vec<Person> {
    vec![
        // Without a country, the number is ambiguous.
        person("p.dewit", "Pim de Wit")
            .department("Sales")
            .without_location()
            .mobile("06 45678912")
            .synced(),
        person("j.dejonge", "Jill de Jonge").mobile("+31 6 56789123"),
        person("b.hoekstra", "Bas Hoekstra")
            .with("userType", serde_json::Value::Null)
            .mobile("+31 6 57891234")
            .synced(),
    ]
}

//! Checks that the seed is as intended, user by user.

use std::collections::{BTreeMap, BTreeSet};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{ALL_STAFF, BREAK_GLASS_1, BREAK_GLASS_ACCOUNTS, by_name, names};
use super::exchangelabs;
use crate::records::{Seed, UserRecord};
use crate::sign_in::{Application, Evidence, Verdict, judge};
use Verdict::{Blocked, MustRegister, Ok, PasswordOnly};

/// Derived by hand from the description of each user.
const VERDICTS: [(&str, Verdict); 71] = [
    ("j.brown", MustRegister),
    ("j.smith", PasswordOnly),
    ("a.jansen", PasswordOnly),
    ("b.devries", PasswordOnly),
    ("c.bakker", PasswordOnly),
    ("m.bos", PasswordOnly),
    ("j.kramer", PasswordOnly),
    ("e.dejager", PasswordOnly),
    ("e.vanrijn", PasswordOnly),
    ("r.degroot", PasswordOnly),
    ("s.bos", PasswordOnly),
    ("t.vos", PasswordOnly),
    ("y.prins", PasswordOnly),
    ("n.smit", PasswordOnly),
    ("o.dekker", PasswordOnly),
    ("m.hendriks", PasswordOnly),
    ("s.miller", PasswordOnly),
    ("g.rossi", PasswordOnly),
    ("f.ferrari", PasswordOnly),
    ("l.peeters", PasswordOnly),
    ("d.janssens", PasswordOnly),
    ("h.schmidt", PasswordOnly),
    ("k.weber", PasswordOnly),
    ("o.taylor", PasswordOnly),
    ("p.visser", PasswordOnly),
    ("l.smeets", PasswordOnly),
    ("s.kuipers", MustRegister),
    ("l.meijer", PasswordOnly),
    ("e.mulder", PasswordOnly),
    ("a.scholten", PasswordOnly),
    ("w.timmermans", PasswordOnly),
    ("c.willems", PasswordOnly),
    ("p.dewit", PasswordOnly),
    ("j.dejonge", PasswordOnly),
    ("b.hoekstra", PasswordOnly),
    ("i.vandenberg", Ok),
    ("h.peters", Ok),
    ("k.vandijk", Ok),
    ("l.vandenbosch", Ok),
    ("e.willemsen", PasswordOnly),
    ("t.huisman", Ok),
    ("m.postma", Ok),
    ("n.vandam", Blocked),
    ("u.vanleeuwen", Ok),
    ("d.dejong", Ok),
    ("x.tran", PasswordOnly),
    ("v.koning", Ok),
    ("w.kok", PasswordOnly),
    ("r.vandermeer", Ok),
    ("m.brouwer", Ok),
    ("s.devos", PasswordOnly),
    ("z.blom", Ok),
    ("f.maas", Ok),
    ("q.schouten", MustRegister),
    // Administrators: their role requires MFA only at the portals.
    ("a.vermeulen", PasswordOnly),
    ("r.jacobs", Ok),
    ("d.vanbeek", PasswordOnly),
    ("m.dekoning", PasswordOnly),
    ("f.bosman", PasswordOnly),
    ("v.sanders_contoso.com#EXT#", PasswordOnly),
    ("s.olsen_fabrikam.com#EXT#", Ok),
    ("a.dubois_contoso.com#EXT#", MustRegister),
    ("p.novak_fabrikam.com#EXT#", Ok),
    ("g.martens", PasswordOnly),
    ("w.oudshoorn", Blocked),
    ("j.schipper", Blocked),
    ("n.nieuwland", Blocked),
    ("info", Blocked),
    ("Sync_DC01_3f6a91c2d7e4", PasswordOnly),
    ("svc.scanner", PasswordOnly),
    ("svc.backup", PasswordOnly),
];

/// The users with another verdict at the portals, and that verdict.
const AT_PORTALS: [(&str, Verdict); 6] = [
    ("a.vermeulen", Ok),
    ("m.dekoning", Ok),
    ("f.bosman", MustRegister),
    ("breakglass1", Ok),
    ("breakglass2", Ok),
    // It has a role too, although it never signs in at a portal.
    ("Sync_DC01_3f6a91c2d7e4", MustRegister),
];

fn local_name(record: &UserRecord) -> &str {
    record.user["userPrincipalName"].as_str().unwrap().split('@').next().unwrap()
}

fn id(record: &UserRecord) -> Uuid {
    record.user["id"].as_str().unwrap().parse().unwrap()
}

/// The groups of a user or group, direct or through other groups.
fn groups_of(seed: &Seed, member: Uuid) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::new();
    let mut next = vec![member];
    while let Some(one) = next.pop() {
        for group in seed.groups.iter().filter(|group| group.members.contains(&one)) {
            let group: Uuid = group.group["id"].as_str().unwrap().parse().unwrap();
            if found.insert(group) {
                next.push(group);
            }
        }
    }
    found
}

fn verdicts(seed: &Seed, application: Application) -> BTreeMap<String, Verdict> {
    let judged = |record: &UserRecord| {
        let (groups, tenant) = (&groups_of(seed, id(record)), &seed.tenant);
        judge(&Evidence { record, groups, tenant, application, on: seed.today })
    };
    seed.users.iter().map(|record| (local_name(record).to_owned(), judged(record))).collect()
}

#[test]
fn every_user_has_the_expected_verdict() {
    let mut expected: BTreeMap<_, _> =
        VERDICTS.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect();
    expected.insert("breakglass1".to_owned(), PasswordOnly);
    expected.insert("breakglass2".to_owned(), PasswordOnly);
    assert_eq!(verdicts(&exchangelabs(), Application::Ordinary), expected);
    expected.extend(AT_PORTALS.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)));
    assert_eq!(verdicts(&exchangelabs(), Application::AdminPortals), expected);
}

/// Numbers that take texts, in any format; the expected users have others.
#[test]
fn only_the_expected_users_have_numbers_that_take_no_texts() {
    let textable = |record: &UserRecord, number: &str| {
        let country = record.user["usageLocation"].as_str().and_then(|code| code.parse().ok());
        PHONE_NUMBER_UTIL.parse(number, country).is_ok_and(|parsed| {
            let kind = PHONE_NUMBER_UTIL.get_number_type(&parsed);
            PHONE_NUMBER_UTIL.is_valid_number(&parsed)
                && matches!(kind, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile)
        })
    };
    let (mut bad, mut bad_registered) = (BTreeSet::new(), BTreeSet::new());
    for record in &exchangelabs().users {
        if record.user["mobilePhone"].as_str().is_some_and(|number| !textable(record, number)) {
            bad.insert(local_name(record).to_owned());
        }
        for method in
            record.methods.iter().filter(|one| one.get("phoneType") == Some(&json!("mobile")))
        {
            if !textable(record, method["phoneNumber"].as_str().unwrap()) {
                bad_registered.insert(local_name(record).to_owned());
            }
        }
    }
    let expected =
        ["c.willems", "e.mulder", "g.rossi", "l.meijer", "p.dewit", "t.vos", "w.timmermans"];
    assert_eq!(bad, expected.map(str::to_owned).into());
    assert_eq!(bad_registered, ["n.vandam".to_owned()].into());
}

#[test]
fn ids_are_unique_and_references_exist() {
    let seed = exchangelabs();
    let ids: BTreeSet<_> = seed.users.iter().map(id).collect();
    let groups: BTreeSet<_> = seed.groups.iter().map(|one| one.group["id"].to_string()).collect();
    assert_eq!((ids.len(), groups.len()), (seed.users.len(), seed.groups.len()));
    let known: BTreeSet<String> = ids
        .iter()
        .map(Uuid::to_string)
        .chain(groups.iter().map(|one| one.replace('"', "")))
        .collect();
    for group in &seed.groups {
        for member in group.members.iter().chain(&group.owners) {
            assert!(
                known.contains(&member.to_string()),
                "{} contains {member}",
                group.group["displayName"]
            );
        }
    }
    for assignment in seed.tenant.role_assignments.iter().chain(&seed.tenant.role_eligibility) {
        assert!(known.contains(assignment["principalId"].as_str().unwrap()), "{assignment:?}");
    }
}

#[test]
fn all_staff_contains_the_people_of_the_departments() {
    let seed = exchangelabs();
    for record in &seed.users {
        let staff = groups_of(&seed, id(record)).contains(&ALL_STAFF);
        let expected = record.user["department"] != Value::Null
            || ["j.dejonge", "b.hoekstra"].contains(&local_name(record));
        assert_eq!(staff, expected, "{}", local_name(record));
    }
    assert!(groups_of(&seed, BREAK_GLASS_1).contains(&BREAK_GLASS_ACCOUNTS));
}

#[test]
fn every_listed_name_is_a_seed() {
    for name in names() {
        assert_eq!(by_name(name).unwrap().name, *name);
    }
    assert_eq!(by_name("generated-250").unwrap().generated.unwrap().len(), 250);
    for wrong in ["contoso", "generated-", "generated-007", "generated--1", ""] {
        assert!(by_name(wrong).is_none(), "{wrong}");
    }
}

/// Checks each variant with users whose verdict depends on it.
#[test]
fn variants_change_the_verdicts() {
    let of =
        |seed: &str, person: &str| verdicts(&by_name(seed).unwrap(), Application::Ordinary)[person];
    assert_eq!(of("exchangelabs-conditional-access", "j.smith"), MustRegister);
    assert_eq!(of("exchangelabs-conditional-access", "w.kok"), Ok);
    assert_eq!(of("exchangelabs-conditional-access-narrowed", "j.smith"), PasswordOnly);
    assert_eq!(of("exchangelabs-conditional-access-strength", "j.smith"), MustRegister);
    assert_eq!(of("exchangelabs-conditional-access-strength", "e.willemsen"), Blocked);
    assert_eq!(of("exchangelabs-conditional-access-strength", "w.kok"), Ok);
    assert_eq!(of("exchangelabs-security-defaults", "j.smith"), MustRegister);
    // Calls are still allowed and delivered for all of them.
    assert_eq!(of("exchangelabs-sms-for-pilot", "h.peters"), Ok);
    assert_eq!(of("exchangelabs-sms-sign-in", "h.peters"), Ok);
    assert_eq!(of("exchangelabs-migration-in-progress", "m.postma"), Ok);
}

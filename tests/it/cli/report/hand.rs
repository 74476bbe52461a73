//! The seed `exchangelabs`, counted by hand from its documents, without code of the program. It understands
//! only the contents of this seed.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::{BTreeMap, BTreeSet};

use mfactl_sandbox::records::{Document, Seed, UserRecord};
use serde_json::Value;

/// An enabled account.
#[derive(Debug)]
pub(super) struct One {
    pub(super) name: String,
    pub(super) posture: &'static str,
    pub(super) department: Option<String>,
    pub(super) guest: bool,
    /// Whether only the admin portals require MFA.
    pub(super) portals_only: bool,
    /// The groups, by display name.
    pub(super) groups: BTreeSet<String>,
    pub(super) roles: BTreeSet<String>,
    /// The types of the registered methods, and the place of a phone.
    pub(super) methods: BTreeSet<String>,
}

pub(super) fn count(seed: &Seed) -> Vec<One> {
    let enabled = seed.users.iter().filter(|one| one.user["accountEnabled"] == true);
    enabled.map(|record| one(seed, record)).collect()
}

fn one(seed: &Seed, record: &UserRecord) -> One {
    let id = word(&record.user, "id").expect("an id");
    let name = word(&record.user, "userPrincipalName").expect("a name");
    let groups = groups(seed, &id);
    let roles = roles(seed, &id, &groups);
    let invited = word(&record.user, "userType").is_some_and(|kind| kind == "Guest");
    let elsewhere = name.contains("#EXT#");
    let guest = invited || elsewhere;
    let methods: BTreeSet<String> = record.methods.iter().map(kind).collect();
    let state = word(&record.requirements, "perUserMfaState").expect("a state");
    let administers = roles.iter().any(|role| role != "Directory Synchronization Accounts");
    let posture = match () {
        () if elsewhere => "unknown",
        () if state == "disabled" && (!administers || answers(record)) => "unprotected",
        () if answers(record) => "protected",
        () if record.methods.iter().any(|method| method.contains_key("phoneNumber")) => "stuck",
        () => "open",
    };
    let names = groups.into_values().collect();
    let department = word(&record.user, "department");
    let portals_only = !elsewhere && state == "disabled" && administers;
    One { name, posture, department, guest, portals_only, groups: names, roles, methods }
}

/// Whether a registered method answers on another device.
fn answers(record: &UserRecord) -> bool {
    record.methods.iter().any(|method| match kind(method).as_str() {
        "microsoftAuthenticator" | "softwareOath" | "fido2" | "external" => true,
        "mobile" | "alternateMobile" | "office" => {
            let number = word(method, "phoneNumber").expect("a number");
            let (country, national) = number.split_once(' ').expect("a country code");
            // A valid number has nine digits after these country codes. The seed has no others.
            assert!(["+31", "+32", "+47"].contains(&country));
            national.len() == 9
        }
        "password"
        | "email"
        | "windowsHelloForBusiness"
        | "platformCredential"
        | "temporaryAccessPass" => false,
        other => panic!("{other} is not in the seed"),
    })
}

fn kind(method: &Document) -> String {
    let kind = word(method, "@odata.type").expect("a type");
    let kind = kind.trim_start_matches("#microsoft.graph.");
    match kind.trim_end_matches("AuthenticationMethod") {
        "phone" => word(method, "phoneType").expect("a place"),
        other => other.to_owned(),
    }
}

/// The direct and indirect groups of a user, by id, with their names.
fn groups(seed: &Seed, id: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut open = vec![id.to_owned()];
    while let Some(member) = open.pop() {
        for group in &seed.groups {
            if group.members.iter().any(|one| one.to_string() == member) {
                let id = word(&group.group, "id").expect("an id");
                let name = word(&group.group, "displayName").expect("a name");
                if found.insert(id.clone(), name).is_none() {
                    open.push(id);
                }
            }
        }
    }
    found
}

/// The roles of a user: direct, through a group, or eligible.
fn roles(seed: &Seed, id: &str, groups: &BTreeMap<String, String>) -> BTreeSet<String> {
    let granted = seed.tenant.role_assignments.iter().chain(&seed.tenant.role_eligibility);
    let of_user = granted.filter(|grant| {
        let principal = word(grant, "principalId").expect("a principal");
        principal == id || groups.contains_key(&principal)
    });
    let role = |grant: &Document| {
        let id = word(grant, "roleDefinitionId").expect("a role");
        let mut definitions = seed.tenant.role_definitions.iter();
        let role = definitions.find(|one| word(one, "id").as_ref() == Some(&id)).expect("a role");
        word(role, "displayName").expect("a name")
    };
    assert!(seed.tenant.group_eligibility.is_empty(), "eligibility for groups is not counted");
    of_user.map(role).collect()
}

fn word(document: &Document, key: &str) -> Option<String> {
    document.get(key).and_then(Value::as_str).map(str::to_owned)
}

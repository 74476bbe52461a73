//! The groups and their members.
//!
//! A department contains its people; `All Staff` contains the departments.
//!
//! Not here: the people (`people`).

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::super::ids::{
    ALL_STAFF, BREAK_GLASS_1, BREAK_GLASS_2, BREAK_GLASS_ACCOUNTS, DOMAIN, MFA_PILOT,
    SERVICE_ACCOUNTS, id_of,
};
use super::people::{self, staff_id};
use crate::records::{GroupRecord, UserRecord, document};

/// A role-assignable group. Its members are Global Administrators.
pub(super) const TIER_0: Uuid = uuid!("a7c05e39-8d14-4b62-9f70-3b1e6d82c4f5");

const SALES: Uuid = uuid!("51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b");
const SALES_ABROAD: Uuid = uuid!("2b86f4c1-a05d-4397-8e2c-f91d70b3e654");
const MARKETING: Uuid = uuid!("f03c9b75-64e8-4d1a-a9b7-52d8e17f06c3");
const FINANCE: Uuid = uuid!("94a1d8e6-7f30-4c5b-8b24-c6e05f93a17d");
const IT: Uuid = uuid!("6de2b053-1c9f-48a7-97d3-0f5a84e6c2b1");
const OPERATIONS: Uuid = uuid!("c8f74a10-e25b-4396-b0d8-7b69e3f1d542");

/// The countries of the Sales people outside the Netherlands.
const ABROAD: [&str; 5] = ["BE", "DE", "GB", "IT", "US"];

pub(super) fn all() -> Vec<GroupRecord> {
    let people = people::all();
    let of = |department: &str| members(&people, "department", &Value::from(department));
    let (abroad, home): (Vec<_>, Vec<_>) = people
        .iter()
        .filter(|one| one.user.get("department") == Some(&Value::from("Sales")))
        .partition(|one| {
            ABROAD
                .map(Value::from)
                .iter()
                .any(|country| one.user.get("usageLocation") == Some(country))
        });
    let sales_at_home = ids(home).chain([SALES_ABROAD]).collect();
    let staff = |names: &[&str]| names.iter().map(|name| staff_id(name)).collect::<Vec<_>>();
    // Two people have no department but are staff.
    let all_staff = [SALES, MARKETING, FINANCE, IT, OPERATIONS]
        .into_iter()
        .chain(staff(&["j.dejonge", "b.hoekstra"]))
        .collect();
    let owner = staff(&["a.vermeulen"]);
    let mut groups = vec![
        security(ALL_STAFF, "All Staff").holding(all_staff),
        security(SALES, "Sales").holding(sales_at_home),
        security(SALES_ABROAD, "Sales Abroad").holding(ids(abroad).collect()),
        security(MARKETING, "Marketing").holding(of("Marketing")),
        security(FINANCE, "Finance").holding(of("Finance")),
        security(IT, "IT").holding(of("IT")),
        security(OPERATIONS, "Operations").holding(of("Operations")),
        // A synchronised group is managed on premises, like its members.
        security(id_of("group/Warehouse"), "Warehouse")
            .with("onPremisesSyncEnabled", json!(true))
            .holding(staff(&["s.bos", "t.vos", "e.mulder", "c.willems"])),
        break_glass_accounts(),
        security(TIER_0, "Tier 0 Administrators")
            .with("isAssignableToRole", json!(true))
            .with("visibility", json!("Private"))
            .holding(staff(&["m.dekoning"]))
            .owned_by(owner),
        security(SERVICE_ACCOUNTS, "Service Accounts").holding(services()),
        security(MFA_PILOT, "MFA Pilot").holding(staff(&[
            "j.smith",
            "a.jansen",
            "d.dejong",
            "i.vandenberg",
            "p.visser",
        ])),
        security(id_of("group/Everyone in Marketing"), "Everyone in Marketing")
            .dynamic("user.department -eq \"Marketing\"", "On")
            .holding(of("Marketing")),
        // The rule was paused long ago, so people who came later are missing.
        security(id_of("group/Dutch Finance"), "Dutch Finance")
            .dynamic(
                "(user.department -eq \"Finance\") and (user.usageLocation -eq \"NL\")",
                "Paused",
            )
            .holding(staff(&["h.peters", "k.vandijk"])),
        security(id_of("group/Future Hires"), "Future Hires"),
        security(id_of("group/Approvers/1"), "Approvers").holding(staff(&["h.peters", "d.dejong"])),
        security(id_of("group/Approvers/2"), "Approvers").holding(staff(&["r.vandermeer"])),
        security(id_of("group/Operations/Unified"), "Operations")
            .unified("operations-team")
            .holding(staff(&["t.huisman", "m.postma", "c.willems"])),
    ];
    let guests = members(&people, "userType", &Value::from("Guest"));
    groups.push(security(id_of("group/Partners"), "Partners").holding(guests));
    groups
}

/// The groups that policies name, for a tenant with generated users.
pub(in crate::seeds) fn of_a_generated_tenant() -> Vec<GroupRecord> {
    vec![
        GroupRecord { every_generated_user: true, ..security(ALL_STAFF, "All Staff") },
        break_glass_accounts(),
        security(SERVICE_ACCOUNTS, "Service Accounts").holding(services()),
        security(MFA_PILOT, "MFA Pilot"),
    ]
}

fn services() -> Vec<Uuid> {
    ["svc.scanner", "svc.backup"].map(staff_id).into()
}

fn break_glass_accounts() -> GroupRecord {
    security(BREAK_GLASS_ACCOUNTS, "Break Glass Accounts")
        .with("isAssignableToRole", json!(true))
        .with("visibility", json!("Private"))
        .holding(vec![BREAK_GLASS_1, BREAK_GLASS_2])
}

fn members(people: &[UserRecord], property: &str, value: &Value) -> Vec<Uuid> {
    ids(people.iter().filter(|one| one.user.get(property) == Some(value))).collect()
}

fn ids<'a>(people: impl IntoIterator<Item = &'a UserRecord>) -> impl Iterator<Item = Uuid> {
    people
        .into_iter()
        .filter_map(|one| one.user.get("id").and_then(Value::as_str))
        .filter_map(|id| Uuid::parse_str(id).ok())
}

fn security(id: Uuid, name: &str) -> GroupRecord {
    let nickname = name.to_ascii_lowercase().replace(' ', "-");
    GroupRecord {
        group: document(json!({
            "id": id,
            "createdDateTime": "2021-03-01T08:00:00Z",
            "description": null,
            "displayName": name,
            "groupTypes": [],
            "isAssignableToRole": null,
            "mail": null,
            "mailEnabled": false,
            "mailNickname": nickname,
            "membershipRule": null,
            "membershipRuleProcessingState": null,
            "onPremisesSyncEnabled": null,
            "securityEnabled": true,
            "uniqueName": null,
            "visibility": null
        })),
        members: Vec::new(),
        owners: Vec::new(),
        every_generated_user: false,
    }
}

impl GroupRecord {
    fn with(mut self, property: &str, value: Value) -> Self {
        self.group.insert(property.to_owned(), value);
        self
    }

    fn holding(self, members: Vec<Uuid>) -> Self {
        Self { members, ..self }
    }

    fn owned_by(self, owners: Vec<Uuid>) -> Self {
        Self { owners, ..self }
    }

    fn dynamic(self, rule: &str, processing: &str) -> Self {
        self.with("groupTypes", json!(["DynamicMembership"]))
            .with("membershipRule", json!(rule))
            .with("membershipRuleProcessingState", json!(processing))
    }

    /// Makes it a Microsoft 365 group: for mail and files, not for permissions.
    fn unified(self, nickname: &str) -> Self {
        self.with("groupTypes", json!(["Unified"]))
            .with("mail", json!(format!("{nickname}@{}", DOMAIN)))
            .with("mailEnabled", json!(true))
            .with("mailNickname", json!(nickname))
            .with("securityEnabled", json!(false))
            .with("visibility", json!("Private"))
    }
}

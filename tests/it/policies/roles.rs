//! Directory roles as they are read over HTTP.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use mfactl::entra::roles;
use mfactl::id::{RoleId, UserId};
use mfactl::tenant::facts::UnknownReason;
use mfactl_sandbox::records::Seed;
use serde_json::json;
use uuid::Uuid;

use crate::support::tenant_builder::{document, exchangelabs};

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

fn id(seed: &Seed, local: &str) -> UserId {
    let name = format!("{local}@exchangelabs.nl");
    let found = seed.users.iter().find(|record| record.user["userPrincipalName"] == name.as_str());
    found.unwrap().user["id"].as_str().unwrap().parse().unwrap()
}

fn role() -> RoleId {
    GLOBAL_ADMINISTRATOR.parse().unwrap()
}

#[tokio::test]
async fn role_holders_include_group_members_and_eligible_users() {
    let seed = exchangelabs().seed();
    let ids = |locals: &[&str]| locals.iter().map(|one| id(&seed, one)).collect::<BTreeSet<_>>();
    let active = ids(&["a.vermeulen", "r.jacobs", "m.dekoning", "breakglass1", "breakglass2"]);
    let eligible = ids(&["d.vanbeek"]);
    let (_server, client) = exchangelabs().serve().await;
    let roles = roles::read(&client).await.unwrap();
    assert_eq!(roles.named("global administrator"), Some(role()));
    assert_eq!(roles.eligibility_unknown, None);
    let holders = &roles.holders[&role()];
    assert_eq!((&holders.active, &holders.eligible), (&active, &eligible));
}

#[tokio::test]
async fn eligible_group_member_is_eligible_for_the_roles_of_the_group() {
    let seed = exchangelabs().seed();
    let (member, owner) = (id(&seed, "j.smith"), id(&seed, "f.bosman"));
    let assignments = seed.tenant.role_assignments.iter();
    let groups: BTreeSet<Uuid> = seed
        .groups
        .iter()
        .map(|group| group.group["id"].as_str().unwrap().parse().unwrap())
        .collect();
    let principals = assignments.map(|row| row["principalId"].as_str().unwrap().parse().unwrap());
    let group = principals.clone().find(|id| groups.contains(id)).unwrap();
    let eligible = [(member, "member"), (owner, "owner")].map(|(user, access)| {
        document(json!({
            "id": format!("{group}_{access}"), "groupId": group, "principalId": user,
            "accessId": access, "startDateTime": "2026-01-12T09:00:00Z", "endDateTime": null,
            "memberType": "direct", "eligibilityScheduleId": "x"
        }))
    });
    let tenant = exchangelabs().changed(|seed| seed.tenant.group_eligibility.extend(eligible));
    let (_server, client) = tenant.serve().await;
    let roles = roles::read(&client).await.unwrap();
    let eligible = &roles.holders[&role()].eligible;
    assert!(eligible.contains(&member) && !eligible.contains(&owner));
}

#[tokio::test]
async fn unreadable_eligibility_is_unknown_and_active_holders_are_read() {
    for (path, status, code, why) in [
        ("/roleEligibility", 400, "AadPremiumLicenseRequired", UnknownReason::NotLicensed),
        ("/roleEligibility", 403, "Authorization_RequestDenied", UnknownReason::Forbidden),
        ("/privilegedAccess", 400, "AadPremiumLicenseRequired", UnknownReason::NotLicensed),
        ("/privilegedAccess", 403, "Authorization_RequestDenied", UnknownReason::Forbidden),
        ("/privilegedAccess", 404, "Request_ResourceNotFound", UnknownReason::Failed),
    ] {
        let (_server, client) = exchangelabs().refusing(path, status, code).serve().await;
        let roles = roles::read(&client).await.unwrap();
        assert_eq!(roles.eligibility_unknown, Some(why), "{path} {status}");
        assert_eq!(roles.holders[&role()].active.len(), 5);
    }
}

#[tokio::test]
async fn roles_are_an_error_if_assignments_cannot_be_read() {
    for path in ["/roleAssignments", "/roleDefinitions", "/transitiveMembers"] {
        let tenant = exchangelabs().refusing(path, 403, "Authorization_RequestDenied");
        let (_server, client) = tenant.serve().await;
        assert_eq!(roles::read(&client).await.unwrap_err().status(), Some(403), "{path}");
    }
}

//! Tests of roles: the computed lists, and the lists that need certain query options.

use serde_json::json;

use super::*;

#[test]
fn assignments_are_listed_as_schedule_instances() {
    let tenant = Tenant::new();
    let target = "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances";
    let (status, body) = tenant.get(&format!("{target}?$filter=roleDefinitionId eq 'ga'"));
    assert_eq!(status, 200);
    assert_eq!(column(&body, "principalId"), [ANN.to_string()]);
    assert_eq!(column(&body, "assignmentType"), ["Assigned"]);
    let (_, expanded) = tenant.get(&format!("{target}?$expand=principal"));
    assert_eq!(expanded["value"][0]["principal"]["userPrincipalName"], "ann@x.nl");
}

#[test]
fn is_privileged_exists_in_beta_only() {
    let mut seed = seed();
    seed.tenant.role_definitions.push(document(json!({"id": "ga", "isPrivileged": true})));
    let tenant = Tenant::of(seed);
    let roles = "/roleManagement/directory/roleDefinitions";
    assert_eq!(tenant.get(roles).1["value"][0]["isPrivileged"], true);
    assert_eq!(tenant.get(&format!("/v1.0{roles}")).1["value"], json!([{"id": "ga"}]));
    assert_eq!(tenant.get(&format!("{roles}?$select=isPrivileged")).0, 200);
    assert_eq!(tenant.get(&format!("/v1.0{roles}?$select=isPrivileged")).0, 400);
}

#[test]
fn role_through_a_group_names_the_group() {
    let mut seed = seed();
    seed.tenant.role_assignments.push(document(json!({"id": "rb", "principalId": ALL,
        "roleDefinitionId": "ga", "directoryScopeId": "/"})));
    let tenant = Tenant::of(seed);
    let target = "/roleManagement/directory/transitiveRoleAssignments";
    let of = |id: Uuid| format!("{target}?$count=true&$filter=principalId eq '{id}'");
    let (status, body) = tenant.indexed(&of(BOB));
    assert_eq!((status, body["@odata.count"].as_u64()), (200, Some(1)));
    assert_eq!(column(&body, "principalId"), [ALL.to_string()]);
    assert_eq!(column(&tenant.indexed(&of(ANN)).1, "id"), ["ra", "rb"]);
    assert_eq!(tenant.get(&of(BOB)).0, 404, "the path needs the header");
    assert_eq!(tenant.indexed(&format!("{target}?$count=true")).0, 400);
    assert_eq!(tenant.indexed(&format!("/v1.0{}", of(BOB))).0, 400, "beta only");
}

#[test]
fn group_eligibility_needs_a_filter_by_group_or_principal() {
    let tenant = Tenant::new();
    let target = "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances";
    assert_eq!(tenant.get(target).0, 400);
    assert_eq!(tenant.get(&format!("{target}?$filter=accessId eq 'member'")).0, 400);
    assert_eq!(tenant.get(&format!("{target}?$filter=groupId eq '{ALL}'")).0, 200);
    assert_eq!(tenant.get(&format!("{target}?$filter=principalId eq '{ANN}'")).0, 200);
}

//! Tests of permissions, licences and clouds.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{Access, Licence};

const PHONES: &str = "/users/bob@x.nl/authentication/phoneMethods";
const STATE: &str = "/users/bob@x.nl/authentication/requirements";

/// The answer to an application with these permissions.
fn answer_to(tenant: &Tenant, roles: &str, method: Method, target: &str) -> (u16, Value) {
    let body = (method != Method::GET).then(|| json!({}));
    let mut call = call(method, target, body);
    call.eventual = true;
    call.roles = Some(Arc::new(roles.split_whitespace().map(str::to_owned).collect()));
    status_and_body(tenant.service.answer(&call).unwrap().answer)
}

fn strict() -> Tenant {
    let access = Access { by_roles: true, ..Access::default() };
    let mut seed = seed();
    seed.tenant.federate("x.nl", None);
    Tenant::under(Options { access, ..Options::in_memory(seed) })
}

#[test]
fn each_path_accepts_only_its_own_permissions() {
    let (directory, workload) = ("Authorization_RequestDenied", "accessDenied");
    let methods = "/users/bob@x.nl/authentication/methods";
    let eligible = "/roleManagement/directory/roleEligibilityScheduleInstances";
    let pim = &format!(
        "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances?$filter=groupId eq '{ALL}'"
    );
    let rows = [
        ("/users", "User.Read.All", "GroupMember.Read.All", directory),
        ("/users?$select=id,mail", "User.ReadBasic.All", "Policy.Read.All", directory),
        ("/users?$select=accountEnabled", "User.Read.All", "User.ReadBasic.All", directory),
        ("/groups", "GroupMember.Read.All", "User.Read.All", directory),
        (PHONES, "UserAuthMethod-Phone.Read.All", "UserAuthMethod-Email.Read.All", workload),
        (PHONES, "UserAuthenticationMethod.ReadWrite.All", "Policy.Read.All", workload),
        (methods, "UserAuthenticationMethod.Read.All", "UserAuthMethod-Phone.Read.All", workload),
        (STATE, "Policy.Read.All", "UserAuthenticationMethod.ReadWrite.All", workload),
        ("/identity/conditionalAccess/policies", "Policy.Read.All", "User.Read.All", workload),
        (
            "/policies/authenticationMethodsPolicy",
            "Policy.Read.AuthenticationMethod",
            "User.Read.All",
            workload,
        ),
        (
            "/policies/identitySecurityDefaultsEnforcementPolicy",
            "Policy.Read.All",
            "Policy.Read.AuthenticationMethod",
            workload,
        ),
        (
            "/roleManagement/directory/roleAssignments",
            "RoleManagement.Read.Directory",
            "RoleEligibilitySchedule.Read.Directory",
            directory,
        ),
        ("/domains", "Domain.Read.All", "Domain-InternalFederation.Read.All", directory),
        (
            "/domains/x.nl/federationConfiguration",
            "Domain-InternalFederation.Read.All",
            "Directory.Read.All",
            directory,
        ),
        (eligible, "RoleEligibilitySchedule.Read.Directory", "User.Read.All", directory),
        (
            pim,
            "PrivilegedEligibilitySchedule.Read.AzureADGroup",
            "RoleManagement.Read.Directory",
            directory,
        ),
    ];
    let tenant = strict();
    for (target, enough, other, code) in rows {
        assert_eq!(answer_to(&tenant, enough, Method::GET, target).0, 200, "{target}: {enough}");
        let refused = refusal(answer_to(&tenant, other, Method::GET, target));
        assert_eq!(refused, (403, code.to_owned()), "{target}: {other}");
    }
}

#[test]
fn read_permissions_do_not_allow_writing() {
    let tenant = strict();
    let rows = [
        (
            Method::POST,
            PHONES,
            "UserAuthMethod-Phone.ReadWrite.All",
            "UserAuthenticationMethod.Read.All",
        ),
        (Method::PATCH, STATE, "Policy.ReadWrite.AuthenticationMethod", "Policy.Read.All"),
        (Method::PATCH, "/users/bob@x.nl", "User.ReadWrite.All", "User.Read.All"),
        (Method::POST, "/groups", "Group.ReadWrite.All", "GroupMember.ReadWrite.All"),
    ];
    for (method, target, enough, other) in rows {
        // The body is empty, so a permitted write may fail, but not with 403.
        assert_ne!(answer_to(&tenant, enough, method.clone(), target).0, 403, "{target}: {enough}");
        assert_eq!(answer_to(&tenant, other, method, target).0, 403, "{target}: {other}");
    }
    assert!(tenant.service.store().writes().iter().all(|line| line.path.contains("bob@x.nl")));
}

#[test]
fn members_that_are_not_readable_show_only_type_and_id() {
    let tenant = strict();
    let members = format!("/groups/{STAFF}/members?$select=id,displayName");
    let (_, seen) =
        answer_to(&tenant, "GroupMember.Read.All User.ReadBasic.All", Method::GET, &members);
    assert_eq!(column(&seen, "displayName"), ["bob@x.nl"]);
    let (status, limited) = answer_to(&tenant, "GroupMember.Read.All", Method::GET, &members);
    assert_eq!(status, 200);
    let row = json!({"@odata.type": "#microsoft.graph.user", "id": BOB, "displayName": null});
    assert_eq!(limited["value"], json!([row]));
}

#[test]
fn hidden_membership_needs_its_own_permission() {
    let mut seed = seed();
    seed.groups[1].group.insert("visibility".to_owned(), json!("HiddenMembership"));
    let access = Access { by_roles: true, ..Access::default() };
    let tenant = Tenant::under(Options { access, ..Options::in_memory(seed) });
    let members = format!("/groups/{STAFF}/members");
    let get = |roles: &str| answer_to(&tenant, roles, Method::GET, &members).0;
    assert_eq!(get("GroupMember.Read.All User.Read.All"), 403);
    assert_eq!(get("GroupMember.Read.All User.Read.All Member.Read.Hidden"), 200);
}

#[test]
fn unlicensed_or_absent_paths_are_refused() {
    let with = |access| Tenant::under(Options { access, ..Options::in_memory(seed()) });
    let access = "/v1.0/identity/conditionalAccess/policies";
    let eligible = "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances";
    let free = with(Access { licence: Licence::Free, ..Access::default() });
    let premium = "Authentication_RequestFromNonPremiumTenantOrB2CTenant".to_owned();
    assert_eq!(refusal(free.get(access)), (403, premium));
    let first = with(Access { licence: Licence::P1, ..Access::default() });
    assert_eq!(first.get(access).0, 200);
    assert_eq!(refusal(first.get(eligible)), (400, "AadPremiumLicenseRequired".to_owned()));
    assert_eq!(with(Access::default()).get(eligible).0, 200);
    let cloud = with(Access { absent: vec!["phoneMethods".to_owned()], ..Access::default() });
    assert_eq!(refusal(cloud.get(PHONES)), (400, "BadRequest".to_owned()));
    assert_eq!(cloud.get(STATE).0, 200);
}

#[test]
fn masked_phones_hide_the_number_in_answers_only() {
    let access = Access { masked_phones: true, ..Access::default() };
    let tenant = Tenant::under(Options { access, ..Options::in_memory(seed()) });
    tenant.post(PHONES, json!({"phoneType": "mobile", "phoneNumber": "+31 612345678"}));
    assert_eq!(column(&tenant.get(PHONES).1, "phoneNumber"), ["+31 XXXXXXX78"]);
    let record = tenant.service.store().user("bob@x.nl").unwrap().into_owned();
    assert_eq!(record.methods[1]["phoneNumber"], "+31 612345678");
}

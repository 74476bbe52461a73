//! Tests of users, groups and members.

use serde_json::{Value, json};

use super::*;
use crate::graph::schema::{GROUP, USER};

fn bad(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[test]
fn user_has_the_default_properties_and_nulls() {
    let tenant = Tenant::new();
    for key in ["ann@x.nl", "ANN@X.nl", &ANN.to_string()] {
        let (status, body) = tenant.get(&format!("/users/{key}"));
        assert_eq!(status, 200);
        assert_eq!(body["@odata.context"], "http://h/beta/$metadata#users/$entity");
        assert_eq!(body["mail"], Value::Null);
        assert!(body.as_object().unwrap().contains_key("jobTitle"));
        assert!(!body.as_object().unwrap().contains_key("accountEnabled"));
    }
    let (_, body) = tenant.get("/users/bob@x.nl?$select=accountEnabled,onPremisesSyncEnabled");
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 3, "{members:?}");
    assert_eq!(
        refusal(tenant.get("/users/nobody@x.nl")),
        (404, "Request_ResourceNotFound".to_owned())
    );
}

#[test]
fn unknown_paths_properties_and_options_are_refused() {
    let tenant = Tenant::new();
    for target in [
        "/users?$select=perUserMfaState",
        "/users?$filter=shoeSize eq 44",
        "/users?$skip=2",
        "/users/ann@x.nl?$expand=manager",
        "/nothing",
        "/users/ann@x.nl/nothing",
        "/v1.0/users/ann@x.nl/authentication/requirements",
        "/v1.0/users/ann@x.nl/authentication/signInPreferences",
        "/v1.0/users/ann@x.nl/authentication/hardwareOathMethods",
    ] {
        assert_eq!(refusal(tenant.get(target)), bad("BadRequest"), "{target}");
    }
    assert_eq!(tenant.delete("/users").0, 405);
}

#[test]
fn lists_support_filter_paging_and_count() {
    let tenant = Tenant::new();
    let (_, body) = tenant.get("/users?$filter=userPrincipalName eq 'bob@x.nl'");
    assert_eq!(column(&body, "id"), [BOB.to_string()]);
    let (_, first) = tenant.indexed("/users?$top=1&$count=true&$select=id");
    assert_eq!(first["@odata.count"], 2);
    let next = first["@odata.nextLink"].as_str().unwrap();
    let (_, second) = tenant.indexed(next.strip_prefix("http://h/beta").unwrap());
    assert_eq!(column(&second, "id"), [BOB.to_string()]);
    assert!(second.get("@odata.nextLink").is_none());
    assert!(second.get("@odata.count").is_none());
    assert_eq!(tenant.indexed("/users/$count"), (200, json!("2")));
    assert_eq!(refusal(tenant.get("/users/$count")), bad("Request_BadRequest"));
    assert_eq!(refusal(tenant.get("/users?$count=true")), bad("Request_UnsupportedQuery"));
}

#[test]
fn users_are_created_changed_and_deleted() {
    let tenant = Tenant::new();
    let body = |name: &str| {
        json!({"accountEnabled": true, "displayName": "Cas", "mailNickname": "cas",
            "userPrincipalName": name, "passwordProfile": {"password": "secret"}})
    };
    let (status, created) = tenant.post("/users", body("cas@x.nl"));
    assert_eq!(status, 201);
    assert_eq!(
        refusal(tenant.post("/users", body("CAS@x.nl"))),
        bad("Request_MultipleObjectsWithSameKeyValue")
    );
    assert_eq!(refusal(tenant.post("/users", body("cas@y.nl"))), bad("Request_BadRequest"));
    let log = json!(tenant.service.store().writes());
    assert!(!log.to_string().contains("secret"));

    let id = created["id"].as_str().unwrap();
    let change = json!({"userPrincipalName": "kas@x.nl", "mobilePhone": "+31 6"});
    assert_eq!(tenant.patch(&format!("/users/{id}"), change).0, 204);
    assert_eq!(tenant.get("/users/cas@x.nl").0, 404);
    assert_eq!(tenant.get("/users/kas@x.nl").1["mobilePhone"], "+31 6");
    assert_eq!(tenant.delete("/users/kas@x.nl").0, 204);
    assert_eq!(tenant.get(&format!("/users/{id}")).0, 404);
    assert_eq!(column(&tenant.get("/users").1, "displayName").len(), 2);
}

#[test]
fn directory_phones_of_a_synchronised_user_are_read_only() {
    let tenant = Tenant::new();
    let change = json!({"mobilePhone": "+31 6"});
    assert_eq!(refusal(tenant.patch("/users/ann@x.nl", change.clone())), bad("Request_BadRequest"));
    assert_eq!(tenant.patch("/users/bob@x.nl", change).0, 204);
    for wrong in [
        json!({"shoeSize": 44}),
        json!({"id": BOB}),
        json!({"accountEnabled": "yes"}),
        json!({"businessPhones": ["1", "2"]}),
    ] {
        assert_eq!(refusal(tenant.patch("/users/bob@x.nl", wrong)), bad("Request_BadRequest"));
    }
}

#[test]
fn groups_are_found_by_their_name() {
    let tenant = Tenant::new();
    let (_, body) = tenant.get("/groups?$filter=displayName eq 'all of ''us'''&$select=id");
    assert_eq!(column(&body, "id"), [ALL.to_string()]);
    let (_, body) = tenant.get("/groups?$filter=groupTypes/any(t:t eq 'DynamicMembership')");
    assert_eq!(column(&body, "displayName"), ["Rule"]);
    let new = json!({"displayName": "New", "mailEnabled": false, "mailNickname": "new",
        "securityEnabled": true, "uniqueName": "new", "members@odata.bind":
        [format!("http://h/v1.0/directoryObjects/{ANN}")]});
    let (status, created) = tenant.post("/groups", new.clone());
    assert_eq!(status, 201, "{created}");
    assert_eq!(
        refusal(tenant.post("/groups", new)),
        bad("Request_MultipleObjectsWithSameKeyValue")
    );
    assert_eq!(tenant.get("/groups(uniqueName='new')").1["displayName"], "New");
    let id = created["id"].as_str().unwrap();
    assert_eq!(column(&tenant.get(&format!("/groups/{id}/members")).1, "id"), [ANN.to_string()]);
    assert_eq!(tenant.delete(&format!("/groups/{id}")).0, 204);
    assert_eq!(tenant.get(&format!("/groups/{id}")).0, 404);
}

#[test]
fn members_are_direct_or_transitive_and_casts_need_the_index() {
    let tenant = Tenant::new();
    let (_, body) = tenant.get(&format!("/groups/{ALL}/members"));
    assert_eq!(column(&body, "@odata.type"), ["#microsoft.graph.user", "#microsoft.graph.group"]);
    let cast = format!("/groups/{ALL}/transitiveMembers/microsoft.graph.user");
    assert_eq!(refusal(tenant.get(&cast)), bad("Request_UnsupportedQuery"));
    assert_eq!(refusal(tenant.indexed(&cast)), bad("Request_UnsupportedQuery"));
    let (status, body) = tenant.indexed(&format!("{cast}?$count=true&$top=1&$select=id"));
    assert_eq!((status, &body["@odata.count"]), (200, &json!(2)));
    let next = body["@odata.nextLink"].as_str().unwrap();
    let (_, body) = tenant.indexed(next.strip_prefix("http://h/beta").unwrap());
    assert_eq!(body["value"], json!([{"id": BOB}]));
    assert_eq!(
        tenant.indexed(&format!("/groups/{ALL}/transitiveMembers/$count")),
        (200, json!("3"))
    );
    let select = format!("{cast}?$count=true&$select=groupTypes");
    assert_eq!(refusal(tenant.indexed(&select)), bad("BadRequest"));
    let all = tenant.get(&format!("/groups/{ALL}/transitiveMembers")).1;
    assert_eq!(column(&all, "id"), [ANN.to_string(), BOB.to_string(), STAFF.to_string()]);
}

#[test]
fn groups_of_a_user_are_direct_or_transitive() {
    let tenant = Tenant::new();
    let groups = |secure: bool| {
        let body = json!({"securityEnabledOnly": secure});
        tenant.post("/users/bob@x.nl/getMemberGroups", body).1["value"].clone()
    };
    assert_eq!(groups(true), json!([ALL, STAFF]));
    let (_, held) =
        tenant.post("/users/ann@x.nl/checkMemberGroups", json!({"groupIds": [STAFF, ALL]}));
    assert_eq!(held["value"], json!([ALL]));
    let (_, body) = tenant
        .indexed("/users/bob@x.nl/transitiveMemberOf/microsoft.graph.group?$count=true&$select=id");
    assert_eq!(column(&body, "id"), [ALL.to_string(), STAFF.to_string()]);
    let (_, body) = tenant.get("/users/bob@x.nl/memberOf");
    assert_eq!(column(&body, "displayName"), ["Staff"]);
    assert!(tenant.service.store().writes().is_empty());
}

#[test]
fn members_are_added_and_removed_except_in_a_dynamic_group() {
    let tenant = Tenant::new();
    let ann = json!({"@odata.id": format!("http://h/v1.0/directoryObjects/{ANN}")});
    let add = |group: Uuid| tenant.post(&format!("/groups/{group}/members/$ref"), ann.clone());
    assert_eq!(add(STAFF).0, 204);
    assert_eq!(refusal(add(STAFF)), bad("Request_BadRequest"));
    assert_eq!(refusal(add(DYNAMIC)), bad("Request_BadRequest"));
    let link = format!("/groups/{STAFF}/members/{ANN}/$ref");
    assert_eq!(tenant.delete(&link).0, 204);
    assert_eq!(tenant.delete(&link).0, 404);
}

#[test]
fn get_by_ids_returns_the_objects_of_the_requested_types() {
    let tenant = Tenant::new();
    let ids = json!({"ids": [STAFF, BOB, Uuid::nil()], "types": ["user", "group"]});
    let (_, body) = tenant.post("/directoryObjects/getByIds", ids);
    assert_eq!(column(&body, "@odata.type"), ["#microsoft.graph.group", "#microsoft.graph.user"]);
    let users = json!({"ids": [STAFF, BOB], "types": ["user"]});
    let (_, body) = tenant.post("/directoryObjects/getByIds?$select=displayName", users);
    assert_eq!(column(&body, "displayName"), ["bob@x.nl"]);
    let many = json!({"ids": vec![BOB; 1001]});
    assert_eq!(tenant.post("/directoryObjects/getByIds", many).0, 400);
}

#[test]
fn tenant_documents_can_be_read_but_not_written() {
    let tenant = Tenant::new();
    let (_, body) = tenant.get("/organization?$select=id,verifiedDomains");
    assert_eq!(body["value"][0]["verifiedDomains"][0]["isDefault"], true);
    let list = "/roleManagement/directory/roleAssignments";
    let (_, body) =
        tenant.get(&format!("{list}?$filter=roleDefinitionId eq 'ga'&$expand=principal"));
    assert_eq!(body["value"][0]["principal"]["userPrincipalName"], "ann@x.nl");
    let (_, body) = tenant.get(&format!("{list}?$filter=principalId eq '{BOB}'"));
    assert_eq!(body["value"], json!([]));
    let (_, body) =
        tenant.get("/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/sms");
    assert_eq!(body["state"], "enabled");
    assert_eq!(
        tenant.get("/policies/identitySecurityDefaultsEnforcementPolicy").1["isEnabled"],
        false
    );
    assert_eq!(tenant.get("/identity/conditionalAccess/policies").1["value"], json!([]));
    assert_eq!(tenant.patch("/policies/authenticationMethodsPolicy", json!({})).0, 405);
}

#[test]
fn generated_users_can_be_listed_changed_and_deleted() {
    let mut seed = super::super::seeds::generated(5000);
    if seed.groups.is_empty() {
        seed.groups = vec![GroupRecord {
            every_generated_user: true,
            ..group(STAFF, "All Staff", json!([]), vec![])
        }];
    }
    let staff = crate::state::store::id_of(
        &seed.groups.iter().find(|group| group.every_generated_user).unwrap().group,
    )
    .unwrap();
    let tenant = Tenant::of(seed);
    let target = format!(
        "/groups/{staff}/transitiveMembers/microsoft.graph.user?$count=true&$top=999&$select=id"
    );
    let mut link = Some(target.clone());
    let (mut pages, mut ids) = (0, Vec::new());
    while let Some(target) = link {
        let (_, body) = tenant.indexed(&target);
        ids.extend(column(&body, "id"));
        pages += 1;
        link = body["@odata.nextLink"]
            .as_str()
            .map(|link| link.strip_prefix("http://h/beta").unwrap().to_owned());
    }
    assert!(pages >= 6 && ids.len() >= 5000, "{pages} {}", ids.len());

    let count = ids.len() as u64;
    let last = ids.last().unwrap();
    assert_eq!(tenant.patch(&format!("/users/{last}"), json!({"displayName": "Zed"})).0, 204);
    assert_eq!(tenant.get(&format!("/users/{last}")).1["displayName"], "Zed");
    assert_eq!(tenant.delete(&format!("/users/{last}")).0, 204);
    assert_eq!(tenant.get(&format!("/users/{last}")).0, 404);
    assert_eq!(tenant.indexed(&target).1["@odata.count"], json!(count - 1));
}

#[test]
fn seeds_have_only_properties_of_the_schema() {
    let seeds = [super::super::seeds::exchangelabs(), super::super::seeds::generated(50)];
    for store in seeds.map(Store::new) {
        for user in store.users() {
            for name in user.user.keys() {
                assert!(USER.property(name).is_some(), "user: {name}");
            }
        }
        for (_, group) in store.groups_from(0) {
            for name in group.document.keys() {
                assert!(GROUP.property(name).is_some(), "group: {name}");
            }
        }
    }
}

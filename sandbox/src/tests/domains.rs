//! Tests of domains and their federation.

use serde_json::{Value, json};

use super::*;

const FEDERATION: &str = "/v1.0/domains/x.nl/federationConfiguration";

fn federated(behaviour: Option<&str>) -> Tenant {
    let mut seed = seed();
    seed.tenant.federate("X.nl", behaviour);
    Tenant::of(seed)
}

#[test]
fn domains_can_be_listed_selected_and_read_by_name() {
    let tenant = Tenant::new();
    for version in ["", "/v1.0"] {
        let (status, body) = tenant
            .get(&format!("{version}/domains?$select=id,authenticationType,isVerified,isDefault"));
        assert_eq!(status, 200);
        assert_eq!(
            body["value"],
            json!([
                {"id": "x.nl", "authenticationType": "Managed", "isVerified": true, "isDefault": true},
                {"id": "x.onmicrosoft.com", "authenticationType": "Managed", "isVerified": true, "isDefault": false},
            ])
        );
    }
    let (status, body) = tenant.get("/domains/X.NL?$select=id,isInitial");
    assert_eq!((status, &body["id"], &body["isInitial"]), (200, &json!("x.nl"), &json!(false)));
    assert_eq!(tenant.get("/domains/y.nl").0, 404);
    assert_eq!(refusal(tenant.get("/domains?$select=name")), (400, "BadRequest".to_owned()));
    assert_eq!(tenant.delete("/domains/x.nl").0, 405);
    let (_, first) = tenant.get("/domains?$top=1");
    let next = first["@odata.nextLink"].as_str().unwrap();
    let (_, second) = tenant.get(next.strip_prefix("http://h/beta").unwrap());
    assert_eq!(column(&second, "id"), ["x.onmicrosoft.com"]);
}

#[test]
fn federated_domain_reports_its_mfa_behaviour() {
    for behaviour in [Some("enforceMfaByFederatedIdp"), Some("rejectMfaByFederatedIdp"), None] {
        let tenant = federated(behaviour);
        let (_, domain) = tenant.get("/v1.0/domains/x.nl?$select=authenticationType");
        assert_eq!(domain["authenticationType"], "Federated");
        let (status, body) = tenant.get(FEDERATION);
        assert_eq!(status, 200);
        assert_eq!(body["value"].as_array().unwrap().len(), 1);
        assert_eq!(body["value"][0]["federatedIdpMfaBehavior"], json!(behaviour));
        let (_, body) = tenant.get("/organization");
        assert_eq!(body["value"][0]["verifiedDomains"][0]["type"], "Federated");
        assert_eq!(body["value"][0]["verifiedDomains"][1]["type"], "Managed");
    }
}

#[test]
fn managed_domain_has_no_federation_configuration() {
    let tenant = federated(None);
    for domain in ["x.onmicrosoft.com", "y.nl"] {
        let target = format!("/domains/{domain}/federationConfiguration");
        let refused = refusal(tenant.get(&target));
        assert_eq!(refused, (404, "Request_ResourceNotFound".to_owned()), "{domain}");
    }
    assert_eq!(refusal(tenant.get(&format!("{FEDERATION}?$top=1"))).0, 400);
}

#[test]
fn principal_names_can_use_a_domain_added_by_federate() {
    let mut seed = seed();
    seed.tenant.federate("y.nl", Some("rejectMfaByFederatedIdp"));
    let tenant = Tenant::of(seed);
    let renamed = tenant.patch("/users/bob@x.nl", json!({"userPrincipalName": "bob@y.nl"}));
    assert_eq!(renamed, (204, Value::Null));
}

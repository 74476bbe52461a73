//! Domains, and with whom their people sign in.

use serde_json::{Value, json};

use super::*;

const FEDERATION: &str = "/v1.0/domains/x.nl/federationConfiguration";

fn federated(behaviour: Option<&str>) -> Tenant {
    let mut seed = seed();
    seed.tenant.federate("X.nl", behaviour);
    Tenant::of(seed)
}

#[test]
fn domains_are_listed_selected_and_found_by_name() {
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
fn a_federated_domain_says_who_does_mfa() {
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
fn what_is_not_federated_has_no_configuration() {
    let tenant = federated(None);
    for domain in ["x.onmicrosoft.com", "y.nl"] {
        let target = format!("/domains/{domain}/federationConfiguration");
        let refused = refusal(tenant.get(&target));
        assert_eq!(refused, (404, "Request_ResourceNotFound".to_owned()), "{domain}");
    }
    assert_eq!(refusal(tenant.get(&format!("{FEDERATION}?$top=1"))).0, 400);
}

#[test]
fn a_domain_that_is_new_is_named_by_its_people() {
    let mut seed = seed();
    seed.tenant.federate("y.nl", Some("rejectMfaByFederatedIdp"));
    let tenant = Tenant::of(seed);
    let named = tenant.patch("/users/bob@x.nl", json!({"userPrincipalName": "bob@y.nl"}));
    assert_eq!(named, (204, Value::Null));
}

//! Parts of the service that hear of a write late.

use std::time::Duration;

use serde_json::json;

use super::*;

const METHODS: &str = "/users/bob@x.nl/authentication/methods";
const PHONES: &str = "/users/bob@x.nl/authentication/phoneMethods";
const STATE: &str = "/users/bob@x.nl/authentication/requirements";
const MINUTE: Duration = Duration::from_secs(60);

fn late(lateness: Lateness) -> (Tenant, Clock) {
    let clock = Clock::held();
    (Tenant::late(seed(), lateness, clock.clone()), clock)
}

fn rows(tenant: &Tenant, target: &str) -> usize {
    tenant.get(target).1["value"].as_array().unwrap().len()
}

#[test]
fn a_phone_is_there_before_it_is_listed() {
    let (tenant, clock) = late(Lateness { methods: MINUTE, ..Lateness::default() });
    let phone = json!({"phoneType": "mobile", "phoneNumber": "+31 612345678"});
    let (status, created) = tenant.post(PHONES, phone.clone());
    assert_eq!(status, 201);
    assert_eq!((rows(&tenant, METHODS), rows(&tenant, PHONES)), (1, 0));
    let id = created["id"].as_str().unwrap();
    assert_eq!(tenant.get(&format!("{PHONES}/{id}")).0, 200);
    assert_eq!(tenant.post(PHONES, phone).0, 400, "the rules know of it at once");
    clock.advance(MINUTE);
    assert_eq!((rows(&tenant, METHODS), rows(&tenant, PHONES)), (2, 1));
}

#[test]
fn enabled_is_seen_for_a_while_before_it_is_enforced() {
    let (tenant, clock) = late(Lateness { promotion: MINUTE, ..Lateness::default() });
    let state = || tenant.get(STATE).1["perUserMfaState"].clone();
    let set = |state: &str| tenant.patch(STATE, json!({"perUserMfaState": state})).0;
    tenant.post(PHONES, json!({"phoneType": "mobile", "phoneNumber": "+31 612345678"}));
    assert_eq!(rows(&tenant, PHONES), 1, "only the promotion is late");
    assert_eq!(set("enabled"), 204);
    assert_eq!(state(), "enabled");
    clock.advance(MINUTE);
    assert_eq!(state(), "enforced");
    set("enabled");
    set("disabled");
    clock.advance(MINUTE);
    assert_eq!(state(), "disabled", "what was to become of an older state is void");
}

#[test]
fn the_index_lags_and_the_directory_does_not() {
    let (tenant, clock) = late(Lateness { index: MINUTE, ..Lateness::default() });
    let link = json!({"@odata.id": format!("http://h/v1.0/directoryObjects/{ANN}")});
    assert_eq!(tenant.post(&format!("/groups/{STAFF}/members/$ref"), link).0, 204);
    let members = format!("/groups/{STAFF}/members");
    assert_eq!(rows(&tenant, &members), 2);
    let indexed = |members: &str| tenant.indexed(members).1["value"].as_array().unwrap().len();
    assert_eq!(indexed(&members), 1);
    clock.advance(MINUTE);
    assert_eq!(indexed(&members), 2);
}

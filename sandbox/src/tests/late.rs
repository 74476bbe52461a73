//! Tests of the parts of the service that show a write late.

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
fn new_phone_can_be_read_by_id_before_it_is_listed() {
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
fn enabled_is_shown_until_the_late_promotion() {
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
    assert_eq!(state(), "disabled", "a new state cancels the promotion of the old one");
}

#[test]
fn index_shows_a_new_member_late_and_the_directory_at_once() {
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

#[test]
fn only_plain_members_and_the_functions_show_a_new_member_at_once() {
    let (tenant, clock) = late(Lateness { index: MINUTE, ..Lateness::default() });
    let link = json!({"@odata.id": format!("http://h/v1.0/directoryObjects/{ANN}")});
    assert_eq!(tenant.post(&format!("/groups/{STAFF}/members/$ref"), link).0, 204);
    let group = format!("/groups/{STAFF}");
    let cast = "transitiveMembers/microsoft.graph.user?$count=true&$select=id";
    let shown = |read: &str, indexed: bool| {
        let target = format!("{group}/{read}");
        let (status, body) = if indexed { tenant.indexed(&target) } else { tenant.get(&target) };
        assert_eq!(status, 200, "{target}: {body}");
        body.to_string().contains(&ANN.to_string())
    };
    let reads = [
        ("members", false, true),
        ("members?$top=999&$select=id", false, true),
        ("members?$count=true", true, false),
        ("members", true, false),
        ("members/microsoft.graph.user?$count=true", true, false),
        ("transitiveMembers", false, false),
        ("transitiveMembers?$select=id", false, false),
        (cast, true, false),
    ];
    for (read, indexed, at_once) in reads {
        assert_eq!(shown(read, indexed), at_once, "{read} with the header: {indexed}");
    }
    let asked = json!({"groupIds": [STAFF]});
    let (_, held) = tenant.post(&format!("/users/{ANN}/checkMemberGroups"), asked);
    assert!(held.to_string().contains(&STAFF.to_string()), "{held}");
    clock.advance(MINUTE);
    assert!(reads.iter().all(|(read, indexed, _)| shown(read, *indexed)));
}

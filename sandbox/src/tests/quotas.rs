//! Tests of documented throttling and of undocumented reads.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::{Answering, Quotas, Shift, TenantSize, Undocumented};

fn metered(size: TenantSize) -> (Tenant, Clock) {
    shifting(size.into())
}

fn shifting(quotas: Quotas) -> (Tenant, Clock) {
    let clock = Clock::held();
    let quotas = Some(quotas);
    let options = Options { quotas, clock: clock.clone(), ..Options::in_memory(seed()) };
    (Tenant::under(options), clock)
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    let mut headers = answer.headers.iter();
    headers.find(|(given, _)| *given == name).map(|(_, value)| value.clone())
}

fn get(tenant: &Tenant, target: &str) -> Answer {
    tenant.call(Method::GET, target, None)
}

#[test]
fn each_request_reports_its_cost() {
    let (tenant, _) = metered(TenantSize::L);
    for (target, cost) in [
        ("/users", "2"),
        ("/users?$select=id", "1"),
        ("/users?$select=id&$top=5", "1"),
        ("/users/bob@x.nl", "1"),
        (&format!("/groups/{STAFF}/members"), "3"),
        (&format!("/groups/{STAFF}/members?$select=id&$top=5"), "1"),
        (&format!("/groups/{STAFF}/transitiveMembers"), "5"),
        ("/users/bob@x.nl/transitiveMemberOf", "2"),
        ("/users/bob@x.nl/authentication/methods", "1"),
    ] {
        let answer = get(&tenant, target);
        assert_eq!(header(&answer, "x-ms-resource-unit").as_deref(), Some(cost), "{target}");
    }
}

#[test]
fn shifts_change_the_quota_from_the_first_request_on() {
    let shift = |after, percent| Shift { after: Duration::from_secs(after), percent };
    let shifts = vec![shift(120, 200), shift(60, 50)];
    let (tenant, clock) = shifting(Quotas { size: TenantSize::S, shifts });
    let until_refused =
        || (0..9_000).take_while(|_| get(&tenant, "/users/bob@x.nl").status == 200).count();
    clock.advance(Duration::from_secs(300));
    assert_eq!(until_refused(), 3_500, "shifts are counted from the first request");
    for units in [1_750, 7_000] {
        clock.advance(Duration::from_secs(60));
        assert_eq!(until_refused(), units);
    }
}

#[test]
fn resource_units_run_out_and_are_refilled() {
    let (tenant, clock) = metered(TenantSize::S);
    let until_refused = || {
        (0..5000).map(|_| get(&tenant, "/users")).take_while(|answer| answer.status == 200).last()
    };
    let last = until_refused().unwrap();
    assert_eq!(header(&last, "x-ms-throttle-limit-percentage").as_deref(), Some("1.0"));
    let refused = get(&tenant, "/users");
    assert_eq!(refused.status, 429);
    assert_eq!(header(&refused, "Retry-After").as_deref(), Some("1"));
    let scope = header(&refused, "x-ms-throttle-scope").unwrap();
    assert!(scope.starts_with("Tenant_Application/ReadWrite/"), "{scope}");
    clock.advance(Duration::from_secs(1));
    assert_eq!(get(&tenant, "/users").status, 200);
    // 350 units a second, two units a list, minus the refused requests and the one since then.
    let more = (0..5000).take_while(|_| get(&tenant, "/users").status == 200).count();
    assert!((160..175).contains(&more), "{more}");
}

#[test]
fn writes_have_their_own_bucket() {
    let (tenant, clock) = metered(TenantSize::L);
    let write = || {
        let state = json!({"perUserMfaState": "disabled"});
        tenant.call(Method::PATCH, "/users/bob@x.nl/authentication/requirements", Some(state))
    };
    let done = (0..4000).take_while(|_| write().status == 204).count();
    assert_eq!(done, 3000);
    let refused = write();
    let why = header(&refused, "x-ms-throttle-information");
    assert_eq!((refused.status, why.as_deref()), (429, Some("WriteLimitExceeded")));
    assert_eq!(get(&tenant, "/users").status, 200, "reads are not throttled");
    clock.advance(Duration::from_secs(1));
    assert_eq!((0..100).take_while(|_| write().status == 204).count(), 18, "20 a second");
}

#[test]
fn conditional_access_allows_one_request_a_second_without_retry_after() {
    let (tenant, clock) = metered(TenantSize::L);
    let policies = "/v1.0/identity/conditionalAccess/policies";
    assert_eq!(get(&tenant, policies).status, 200);
    let refused = get(&tenant, policies);
    assert_eq!((refused.status, header(&refused, "Retry-After")), (429, None));
    clock.advance(Duration::from_secs(2));
    assert_eq!(get(&tenant, policies).status, 200);
}

#[test]
fn each_part_of_a_batch_counts() {
    let (tenant, _) = metered(TenantSize::L);
    let policies = "/identity/conditionalAccess/policies";
    let part = |id: u8| json!({"id": id.to_string(), "method": "GET", "url": policies});
    let (status, body) = tenant.post("/v1.0/$batch", json!({"requests": [part(1), part(2)]}));
    let mut parts: Vec<u64> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["status"].as_u64().unwrap())
        .collect();
    parts.sort_unstable();
    assert_eq!((status, parts), (200, vec![200, 429]));
}

const ONE: &str =
    "/users/bob@x.nl/authentication?$select=requirements,signInPreferences&$expand=methods";
const LIST: &str = "/v1.0/users?$select=userPrincipalName,perUserMfaState&$top=1";

/// Status and body of a read, with this setting for undocumented reads.
fn undocumented(answering: Answering, target: &str) -> (u16, Value) {
    let mut seed = seed();
    let enforced = json!("enforced");
    seed.users[0].requirements.insert("perUserMfaState".to_owned(), enforced.clone());
    seed.users[1].requirements.insert("perUserMfaState".to_owned(), enforced);
    let mut call = call(Method::GET, target, None);
    call.undocumented = Undocumented { one_request_read: answering, bulk_state: answering };
    status_and_body(Tenant::of(seed).service.answer(&call).unwrap().answer)
}

#[test]
fn undocumented_reads_are_refused_by_default() {
    for target in [ONE, LIST, "/users/bob@x.nl?$select=perUserMfaState"] {
        assert_eq!(undocumented(Answering::Refuse, target).0, 400, "{target}");
    }
    let (status, body) = undocumented(Answering::Allow, ONE);
    assert_eq!((status, &body["requirements"]["perUserMfaState"]), (200, &json!("enforced")));
    assert_eq!(body["methods"].as_array().unwrap().len(), 1);
    assert!(body["signInPreferences"].is_object());
    let (_, body) = undocumented(Answering::Wrong, ONE);
    assert_eq!(body["requirements"]["perUserMfaState"], "disabled");
    assert_eq!(body["methods"], json!([]));
    let (_, body) = undocumented(Answering::Allow, LIST);
    assert_eq!(column(&body, "perUserMfaState"), ["enforced"]);
    assert!(body["@odata.nextLink"].as_str().unwrap().contains("perUserMfaState"));
    assert_eq!(column(&undocumented(Answering::Wrong, LIST).1, "perUserMfaState"), ["disabled"]);
    let members = format!("/groups/{STAFF}/members?$select=perUserMfaState");
    assert_eq!(undocumented(Answering::Allow, &members).0, 400, "only for users");
}

//! Tests of `$batch`, with and without faults.

use serde_json::{Value, json};

use super::super::faults::Fault;
use super::super::service::Cut;
use super::*;

fn batch(tenant: &Tenant, requests: Value) -> (u16, Value) {
    tenant.post("/$batch", json!({"requests": requests}))
}

fn part<'b>(body: &'b Value, id: &str) -> &'b Value {
    let responses = body["responses"].as_array().unwrap();
    responses.iter().find(|response| response["id"] == id).unwrap()
}

fn state(id: &str, state: &str) -> Value {
    json!({"id": id, "method": "PATCH", "url": "/users/bob@x.nl/authentication/requirements",
        "headers": {"Content-Type": "application/json"}, "body": {"perUserMfaState": state}})
}

#[test]
fn each_part_gets_its_own_answer() {
    let tenant = Tenant::new();
    let (status, body) = batch(
        &tenant,
        json!([
            {"id": "a", "method": "GET", "url": "/users/ann@x.nl?$select=id"},
            {"id": "b", "method": "GET", "url": "users/nobody@x.nl"},
            state("c", "enabled"),
            {"id": "d", "method": "GET", "url": "/v1.0/users"},
            {"id": "e", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users"},
            {"id": "f", "method": "PATCH", "url": "/users/bob@x.nl", "body": {"displayName": "x"}},
            {"id": "g", "method": "GET", "url": "/users/$count", "headers": {"consistencylevel": "eventual"}},
        ]),
    );
    assert_eq!(status, 200);
    assert_eq!(part(&body, "a")["body"]["id"], json!(ANN));
    assert_eq!(part(&body, "b")["body"]["error"]["code"], "Request_ResourceNotFound");
    assert_eq!(part(&body, "c")["status"], 204);
    assert!(part(&body, "c").get("body").is_none());
    assert_eq!(part(&body, "d")["status"], 400);
    assert_eq!(part(&body, "e")["status"], 400);
    assert_eq!(part(&body, "f")["status"], 400);
    assert_eq!(part(&body, "g")["body"], "2");
    assert_eq!(part(&body, "g")["headers"]["Content-Type"], "text/plain");
    assert_eq!(body["responses"][0]["id"], "g", "the order is not that of the requests");
}

#[test]
fn invalid_batch_is_refused_whole() {
    let tenant = Tenant::new();
    let one = |id: &str| json!({"id": id, "method": "GET", "url": "/users"});
    let many: Vec<Value> = (0..21).map(|id| one(&id.to_string())).collect();
    for requests in [
        json!(many),
        json!([]),
        json!([one("a"), one("A")]),
        json!([{"id": "1"}]),
        json!([{"id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"]}]),
        json!("x"),
    ] {
        assert_eq!(batch(&tenant, requests).0, 400);
    }
    assert_eq!(tenant.get("/$batch").0, 405);
}

#[test]
fn part_that_depends_on_a_failed_part_is_not_carried_out() {
    let tenant = Tenant::new();
    let mut third = state("3", "enforced");
    third["dependsOn"] = json!(["2"]);
    let (_, body) = batch(
        &tenant,
        json!([
            {"id": "1", "method": "GET", "url": "/users/nobody@x.nl"},
            {"id": "2", "method": "GET", "url": "/users", "dependsOn": ["1"]},
            third,
        ]),
    );
    assert_eq!(part(&body, "2")["status"], 424);
    assert_eq!(part(&body, "3")["status"], 424);
    assert!(tenant.service.store().writes().is_empty());
}

fn faulty(fault: Fault) -> Tenant {
    let hook = move |part: &super::super::PartInfo| match part.write {
        Some(2) => fault.clone(),
        _ => Fault::None,
    };
    Tenant::with_faults(seed(), Faults::by(hook))
}

#[test]
fn fault_hits_only_its_part() {
    let tenant = faulty(Fault::Status {
        status: 429,
        code: "TooManyRequests".to_owned(),
        retry_after: Some(7),
    });
    let (status, body) = batch(&tenant, json!([state("1", "enabled"), state("2", "enforced")]));
    assert_eq!(status, 200);
    assert_eq!(part(&body, "1")["status"], 204);
    assert_eq!(part(&body, "2")["status"], 429);
    assert_eq!(part(&body, "2")["headers"]["Retry-After"], "7");
    assert_eq!(tenant.service.store().writes().len(), 1);
}

#[test]
fn connection_is_cut_before_or_after_the_write() {
    for (fault, done) in [(Fault::CloseBefore, 1), (Fault::CloseAfter, 2)] {
        let tenant = faulty(fault);
        let requests =
            json!([state("1", "enabled"), state("2", "enforced"), state("3", "disabled")]);
        let call = call(Method::POST, "/$batch", Some(json!({"requests": requests})));
        assert_eq!(tenant.service.answer(&call), Err(Cut));
        assert_eq!(tenant.service.store().writes().len(), done);
    }
}

#[test]
fn unknown_properties_of_a_part_are_ignored() {
    let tenant = Tenant::new();
    let part = json!({"id": "1", "method": "GET", "url": "/groups", "depends_on": [],
        "dependsOn": null});
    let (status, body) = tenant.post("/v1.0/$batch", json!({"requests": [part]}));
    assert_eq!((status, &body["responses"][0]["status"]), (200, &json!(200)));
}

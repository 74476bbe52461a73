//! Single requests, sent to a scripted server.

use serde_json::{Value, json};

use super::*;
use crate::graph::batch::{BatchPart, WriteOutcome};
use crate::graph::scripted_server::{Reply, Script};

async fn get(script: &Script) -> Result<Value, Error> {
    script.client().get("/v1.0/organization?$select=id", Consistency::Default).await
}

#[tokio::test]
async fn request_has_its_token_and_headers() {
    let script = Script::start(|_, _| Reply::json(200, r#"{"id":1}"#)).await;
    assert_eq!(get(&script).await.unwrap(), json!({ "id": 1 }));
    let asked = script.asked().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("GET", "/v1.0/organization?$select=id")
    );
    assert_eq!(asked.header("authorization"), Some("Bearer token-1"));
    assert_eq!(asked.header("user-agent"), Some(concat!("mfactl/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(asked.header("return-client-request-id"), Some("true"));
    assert_eq!(asked.header("x-ms-throttle-priority"), Some("Low"));
    assert_eq!(asked.header("consistencylevel"), None);
    assert!(asked.header("client-request-id").unwrap().parse::<Uuid>().is_ok());
}

#[tokio::test]
async fn path_with_another_host_is_not_requested() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let client = script.client();
    for path in ["//example.com/v1.0/users", "https://example.com/", "http://127.0.0.1:1/x"] {
        let error = client.get::<Value>(path, Consistency::Default).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignHost, "{path}");
    }
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn read_is_retried_if_the_server_is_not_ready() {
    let script = Script::start(|_, nth| match nth {
        0 => Reply::json(503, ""),
        1 => Reply::json(429, "").with("Retry-After", "1"),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let client = script.client();
    let list: Value = client.get("/v1.0/users", Consistency::Default).await.unwrap();
    assert_eq!(list, json!([]));
    let Traffic { requests, parts, retries, throttled, .. } = client.traffic();
    assert_eq!((requests, parts, retries, throttled), (3, 0, 2, 1));
}

#[tokio::test]
async fn read_is_given_up_after_the_last_try() {
    let script = Script::start(|_, _| Reply::json(429, "").with("Retry-After", "0")).await;
    let error = get(&script).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Throttled, Some(429)));
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn read_is_retried_after_a_lost_connection() {
    let script = Script::start(|_, nth| match nth {
        0 => Reply::Cut,
        1 => Reply::Short("{".to_owned()),
        _ => Reply::json(200, "{}"),
    })
    .await;
    assert_eq!(get(&script).await.unwrap(), json!({}));
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn refused_read_is_not_retried() {
    let body = r#"{"error":{"code":"Authorization_RequestDenied","message":"No.","innerError":{"request-id":"r1"}}}"#;
    let script = Script::start(move |_, _| Reply::json(403, body)).await;
    let error = get(&script).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(403)));
    assert_eq!(error.code(), Some("Authorization_RequestDenied"));
    assert_eq!((error.path(), error.request_id()), ("/v1.0/organization", Some("r1")));
    let asked = script.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(error.client_request_id(), asked[0].header("client-request-id"));
}

#[tokio::test]
async fn request_is_sent_again_with_a_new_token() {
    let script = Script::start(|seen, _| match seen.header("authorization") {
        Some("Bearer token-1") => Reply::json(401, ""),
        _ => Reply::json(200, "{}"),
    })
    .await;
    let client = script.client();
    for _ in 0..2 {
        let _: Value = client.get("/v1.0/users", Consistency::Default).await.unwrap();
    }
    assert_eq!((script.tokens(), script.asked().len()), (2, 3));
}

#[tokio::test]
async fn second_refused_token_is_an_error() {
    let script = Script::start(|_, _| Reply::json(401, "")).await;
    assert_eq!(get(&script).await.unwrap_err().status(), Some(401));
    assert_eq!((script.tokens(), script.asked().len()), (2, 2));
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let elsewhere = Script::start(|_, _| Reply::json(200, "{}")).await;
    let target = elsewhere.endpoints().graph().to_string();
    let script =
        Script::start(move |_, _| Reply::json(302, "").with("Location", target.clone())).await;
    assert_eq!(get(&script).await.unwrap_err().status(), Some(302));
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn incomplete_json_is_reported_without_its_content() {
    let script = Script::start(|_, _| Reply::json(200, r#"{"phoneNumber":"+31 612345678"#)).await;
    let error = get(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
    assert_eq!(
        error.to_string(),
        "`GET /v1.0/organization` returned an answer that cannot be read: it ends too early, \
         line 1 column 29"
    );
}

#[tokio::test]
async fn unreachable_server_is_a_connect_error() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let client = script.client();
    client.token().await.unwrap();
    script.stop().await;
    let error = client.get::<Value>("/v1.0/users", Consistency::Default).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(client.traffic().requests, 3);
}

#[tokio::test]
async fn server_that_never_answered_is_given_up_sooner() {
    for (was_there, requests) in [(false, 3), (true, 7)] {
        let script = Script::start(|_, _| Reply::json(200, "{}")).await;
        let pace = Pace { tries: 6, ..script.pace() };
        let client = script.client_with(|builder| builder.pace(pace));
        client.token().await.unwrap();
        if was_there {
            client.get::<Value>("/v1.0/users", Consistency::Default).await.unwrap();
        }
        script.stop().await;
        let error = client.get::<Value>("/v1.0/users", Consistency::Default).await.unwrap_err();
        assert_eq!((error.kind(), client.traffic().requests), (ErrorKind::Connect, requests));
        let outcomes = client.write_all(vec![BatchPart::get("/users/1/x")]).await;
        assert!(matches!(&outcomes[..], [WriteOutcome::Refused(_)]), "{outcomes:?}");
        assert_eq!(client.traffic().requests, if was_there { 13 } else { 6 });
    }
}

#[test]
fn client_for_the_worldwide_cloud_can_be_built() {
    let credential = Credential::client_secret("contoso.example", "app", "secret");
    let client = Client::builder(Endpoints::global().unwrap()).build(credential).unwrap();
    assert_eq!(client.endpoints().graph().as_str(), "https://graph.microsoft.com/");
}

#[test]
fn debug_text_of_a_client_has_no_secret() {
    let credential = Credential::client_secret("contoso.example", "app", "hunter2");
    let client =
        Client::builder(Endpoints::parse("http://127.0.0.1:1", "http://127.0.0.1:1").unwrap())
            .build(credential.clone())
            .unwrap();
    assert!(!format!("{client:?} {credential:?}").contains("hunter2"));
}

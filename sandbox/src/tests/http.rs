//! Tests over HTTP: tokens, headers, links, cut connections.

use serde_json::{Value, json};

use super::super::faults::Fault;
use super::super::seeds::exchangelabs;
use super::*;
use crate::{Options, Server, StartError, start};

pub(super) fn client() -> reqwest::Client {
    // The error is ignored: in the second test of a process, the provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

async fn served(faults: Faults) -> Server {
    start(Options { faults, ..Options::in_memory(seed()) }).await.unwrap()
}

pub(super) async fn token(client: &reqwest::Client, server: &Server) -> String {
    let answer = client
        .post(format!("{}/x.nl/oauth2/v2.0/token", server.url()))
        .form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "any"),
            ("scope", "https://graph.microsoft.com/.default"),
        ])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn requests_need_a_token() {
    let (client, server) = (client(), served(Faults::none()).await);
    let token = token(&client, &server).await;
    let url = format!("{}//v1.0/users?$top=1", server.url());
    let refused = client.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "InvalidAuthenticationToken");

    let answer = client
        .get(&url)
        .bearer_auth(&token)
        .header("client-request-id", "mine")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["client-request-id"], "mine");
    assert!(answer.headers().contains_key("request-id"));
    assert!(answer.headers().contains_key("date"));
    let body: Value = answer.json().await.unwrap();
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/v1.0/users?$top=1&$skiptoken=", server.url())));
    let next = client.get(link).bearer_auth(&token).send().await.unwrap();
    let body: Value = next.json().await.unwrap();
    assert_eq!(column(&body, "userPrincipalName"), ["bob@x.nl"]);
    server.stop().await;
}

#[tokio::test]
async fn paths_outside_graph_are_answered() {
    let (client, server) = (client(), served(Faults::none()).await);
    let url = |path: &str| format!("{}{path}", server.url());
    let openid = client.get(url("/sandbox/v2.0/.well-known/openid-configuration"));
    let openid: Value = openid.send().await.unwrap().json().await.unwrap();
    assert!(openid["token_endpoint"].as_str().unwrap().starts_with(server.url()));
    let instance = client.get(url("/common/discovery/instance?api-version=1.1"));
    assert_eq!(instance.send().await.unwrap().status(), 200);

    let sign_in = client.post(url("/sandbox/signIn"));
    let body = json!({"user": "bob@x.nl", "at": "2027-03-01"});
    let verdict: Value = sign_in.json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        verdict,
        json!({"user": "bob@x.nl", "application": "ordinary", "result": "passwordOnly"})
    );
    let writes: Value =
        client.get(url("/sandbox/writes")).send().await.unwrap().json().await.unwrap();
    assert_eq!(writes, json!({"value": []}));
    let unknown = client.get(url("/v9.9/users")).send().await.unwrap();
    assert_eq!(unknown.status(), 400);
    let tenant = client.post(url("/other.nl/oauth2/v2.0/token")).send().await.unwrap();
    let body: Value = tenant.json().await.unwrap();
    assert_eq!(body["error_codes"], json!([90002]));
}

#[tokio::test]
async fn sign_in_path_requires_mfa_of_administrators_only_at_the_portals() {
    let client = client();
    let server = start(Options::in_memory(exchangelabs())).await.unwrap();
    let ask = async |body: Value| {
        let sign_in = client.post(format!("{}/sandbox/signIn", server.url())).json(&body);
        let answer = sign_in.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for (application, result) in [("ordinary", "passwordOnly"), ("adminPortals", "mustRegister")] {
        let (status, body) =
            ask(json!({"user": "f.bosman@exchangelabs.nl", "application": application})).await;
        assert_eq!((status, &body["result"]), (200, &json!(result)), "{application}");
        assert_eq!(body["application"], application);
    }
    for application in [json!("portal"), json!(7), Value::Null] {
        let (status, body) =
            ask(json!({"user": "f.bosman@exchangelabs.nl", "application": application})).await;
        assert_eq!((status, &body["error"]["code"]), (400, &json!("Request_BadRequest")));
    }
}

#[tokio::test]
async fn cut_connection_gives_no_answer() {
    let faults = Faults::by(|part| match part.write {
        Some(1) => Fault::CloseAfter,
        Some(2) => Fault::CloseBefore,
        _ => Fault::None,
    });
    let (client, server) = (client(), served(faults).await);
    let token = token(&client, &server).await;
    for _ in 0..2 {
        let write = client
            .patch(format!("{}/v1.0/users/bob@x.nl", server.url()))
            .bearer_auth(&token)
            .json(&json!({"displayName": "Robert"}));
        assert!(write.send().await.is_err());
    }
    assert_eq!(server.store().writes().len(), 1);
}

#[tokio::test]
async fn server_refuses_addresses_outside_loopback() {
    let options = Options { address: "0.0.0.0:0".parse().unwrap(), ..Options::in_memory(seed()) };
    assert!(matches!(start(options).await, Err(StartError::NotLoopback { .. })));
}

#[tokio::test]
async fn links_start_with_the_public_url() {
    let options = Options {
        public_url: Some("https://sandbox.example/".to_owned()),
        ..Options::in_memory(seed())
    };
    let (client, server) = (client(), start(options).await.unwrap());
    let token = token(&client, &server).await;
    let url = format!("{}/beta/users?$top=1", server.url());
    let body: Value =
        client.get(url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with("https://sandbox.example/beta/users?"));
}

#[tokio::test]
async fn stopped_server_releases_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        || Options { folder: Some(folder.path().to_owned()), ..Options::in_memory(seed()) };
    let client = client();
    let first = start(options()).await.unwrap();
    let token = token(&client, &first).await;
    let write = client
        .patch(format!("{}/v1.0/users/bob@x.nl", first.url()))
        .bearer_auth(&token)
        .json(&json!({"displayName": "Robert"}));
    assert_eq!(write.send().await.unwrap().status(), 204);
    let error = start(options()).await.unwrap_err();
    assert!(error.to_string().contains(first.url()), "{error}");
    first.stop().await;

    let second = start(options()).await.unwrap();
    let bob = second.store().user("bob@x.nl").unwrap().into_owned();
    assert_eq!(bob.user["displayName"], "Robert");
    drop(second);
    assert!(start(options()).await.is_ok());
}

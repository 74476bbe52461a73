//! Every credential, from its environment to the request that the sign-in service receives.
//!
//! If the library reads the environment of the process, the test runs itself again in a child process.

use serde_json::Value;
use tempfile::NamedTempFile;

use super::certificate::tests::{sample, verified};
use super::*;
use crate::graph::child_process;
use crate::graph::scripted_server::{Reply, Script, Seen, token_for};
use crate::graph::{Client, ErrorKind};

/// Returns a client of a scripted server, with the credential that these variables set up.
fn client(script: &Script, kind: CredentialKind, set: &[(&str, &str)]) -> Client {
    let variable = |name: &str| {
        let found = set.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let credential = Credential::choose(kind, Some("contoso.example"), variable).unwrap();
    Client::builder(script.endpoints()).pace(script.pace()).build(credential).unwrap()
}

/// Returns a field of the form in a token request.
fn field(seen: &Seen, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(seen.body.as_bytes());
    let found = pairs.find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("{name} in {}", seen.body)).1.into_owned()
}

fn asserted(seen: &Seen) -> String {
    assert_eq!(seen.path, "/contoso.example/oauth2/v2.0/token");
    assert_eq!(field(seen, "client_id"), "app");
    assert_eq!(field(seen, "grant_type"), "client_credentials");
    assert_eq!(field(seen, "scope"), "https://graph.microsoft.com/.default");
    let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(field(seen, "client_assertion_type"), jwt);
    field(seen, "client_assertion")
}

async fn nothing() -> Script {
    Script::start(|_, _| Reply::json(404, "")).await
}

#[tokio::test]
async fn client_certificate_signs_the_assertion() {
    let script = nothing().await;
    let path = sample("pkcs8.pem");
    let set = [("AZURE_CLIENT_ID", "app"), ("AZURE_CLIENT_CERTIFICATE_PATH", path.as_str())];
    client(&script, CredentialKind::Auto, &set).token().await.unwrap();
    let (header, claims) = verified(&asserted(&script.seen()[0]));
    assert_eq!(header["alg"], "PS256");
    let audience = format!("{}/contoso.example/oauth2/v2.0/token", script.address());
    assert_eq!(claims["aud"], Value::from(audience));
    assert_eq!(claims["sub"], "app");
}

#[tokio::test]
async fn workload_identity_file_is_read_for_each_token() {
    let token = |_: &Seen, nth: usize| token_for(3599, &format!("token-{nth}"));
    let graph = |seen: &Seen, _: usize| match seen.header("authorization") {
        Some("Bearer token-0") => Reply::json(401, ""),
        _ => Reply::json(200, "{}"),
    };
    let script = Script::start_with(token, graph).await;
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "first").unwrap();
    let path = file.path().to_str().unwrap();
    let set = [("AZURE_CLIENT_ID", "app"), ("AZURE_FEDERATED_TOKEN_FILE", path)];
    let client = client(&script, CredentialKind::Auto, &set);
    client.token().await.unwrap();
    std::fs::write(file.path(), "second").unwrap();
    let _: Value = client.get("/v1.0/users", crate::graph::Consistency::Default).await.unwrap();
    let given: Vec<_> =
        script.seen().iter().filter(|seen| seen.path.contains("oauth2")).map(asserted).collect();
    assert_eq!(given, ["first", "second"]);
}

fn github(address: &str) -> [(&'static str, String); 3] {
    [
        ("AZURE_CLIENT_ID", "app".to_owned()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{address}/token?run=1")),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job".to_owned()),
    ]
}

async fn by_github(login: &Script, service: &Script) -> Result<(), Error> {
    let set = github(&service.address());
    let set: Vec<_> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client(login, CredentialKind::Auto, &set).token().await.map(|_| ())
}

#[tokio::test]
async fn github_job_sends_its_identity_token() {
    let service = Script::start(|_, nth| match nth {
        0 => Reply::json(500, ""),
        1 => Reply::json(200, r#"{"value":"ey"#),
        _ => Reply::json(200, r#"{"count":1,"value":"of-github"}"#),
    })
    .await;
    let login = nothing().await;
    by_github(&login, &service).await.unwrap();
    assert_eq!(asserted(&login.seen()[0]), "of-github");
    let asked = service.seen();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].path, "/token?run=1&audience=api%3A%2F%2FAzureADTokenExchange");
    assert_eq!(asked[0].header("authorization"), Some("Bearer of-the-job"));
    assert!(login.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn bearer_of_github_is_sent_to_github_only() {
    let elsewhere = nothing().await;
    let target = elsewhere.address();
    let service =
        Script::start(move |_, _| Reply::json(302, "").with("Location", target.clone())).await;
    let login = nothing().await;
    let error = by_github(&login, &service).await.unwrap_err();
    let expected = "no token for Graph with the identity token of this GitHub Actions job, as application `app`: GitHub gave no identity token: it returned 302";
    assert_eq!(error.to_string(), expected);
    assert_eq!((error.kind(), service.seen().len()), (ErrorKind::Token, 1));
    assert!(elsewhere.seen().is_empty() && login.seen().is_empty());
}

#[tokio::test]
async fn managed_identity_of_a_machine_gives_a_token() {
    of_a_machine_gives_a_token(0).await;
}

#[tokio::test]
#[ignore = "long: the library of Microsoft waits some seconds"]
async fn metadata_service_that_is_not_ready_is_asked_again() {
    of_a_machine_gives_a_token(1).await;
}

/// Asks a metadata service that is ready after so many requests.
async fn of_a_machine_gives_a_token(early: usize) {
    let service = Script::start(move |_, nth| match nth {
        // Microsoft advises to retry after 404 and 410 of the metadata service.
        _ if nth < early => Reply::json(404, ""),
        _ => Reply::json(
            200,
            r#"{"access_token":"of-azure","expires_on":"4102444800","resource":"https://graph.microsoft.com","token_type":"Bearer"}"#,
        ),
    })
    .await;
    let login = Script::start(|_, _| Reply::json(200, "{}")).await;
    let address = service.address();
    let set =
        [("AZURE_POD_IDENTITY_AUTHORITY_HOST", address.as_str()), ("AZURE_CLIENT_ID", "assigned")];
    let client = client(&login, CredentialKind::ManagedIdentity, &set);
    let _: Value = client.get("/v1.0/users", crate::graph::Consistency::Default).await.unwrap();
    let asked = service.seen();
    let (path, query) = asked[0].path.split_once('?').unwrap();
    assert_eq!(path, "/metadata/identity/oauth2/token");
    assert!(query.contains("resource=https%3A%2F%2Fgraph.microsoft.com"), "{query}");
    assert!(query.contains("client_id=assigned"), "{query}");
    assert_eq!(asked[0].header("metadata"), Some("true"));
    assert_eq!(login.seen()[0].header("authorization"), Some("Bearer of-azure"));
    assert_eq!(login.tokens(), 0);
}

#[tokio::test]
async fn managed_identity_fails_fast_outside_azure() {
    let (service, login) = (nothing().await, nothing().await);
    let address = service.address();
    service.stop().await;
    let set = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", address.as_str())];
    // The fastest of several tries does not depend on the load of the machine.
    let mut fastest = std::time::Duration::MAX;
    for _ in 0..5 {
        let begun = std::time::Instant::now();
        let client = client(&login, CredentialKind::ManagedIdentity, &set);
        let error = client.token().await.unwrap_err();
        assert!(error.to_string().contains("this is not a machine or an app in Azure"), "{error}");
        fastest = fastest.min(begun.elapsed());
    }
    assert!(fastest.as_secs() < 1, "{fastest:?}");
}

const APP: &str = "graph::auth::flows::managed_identity_of_an_app_service_gives_a_token";

#[test]
fn managed_identity_of_an_app_service_gives_a_token() {
    run(APP, &[("IDENTITY_HEADER", "of-the-app")], "IDENTITY_ENDPOINT", async |kind, service| {
        let login = Script::start(|_, _| Reply::json(200, "{}")).await;
        client_of_process(&login, kind).token().await.unwrap();
        assert!(service.is_none() && login.seen().is_empty());
    });
}

const PIPELINE: &str = "graph::auth::flows::azure_pipeline_uses_its_service_connection";

#[test]
fn azure_pipeline_uses_its_service_connection() {
    let set = [
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "conn"),
        ("AZURESUBSCRIPTION_CLIENT_ID", "app"),
        ("SYSTEM_ACCESSTOKEN", "of-the-job"),
    ];
    run(PIPELINE, &set, "SYSTEM_OIDCREQUESTURI", async |kind, _| {
        let login = nothing().await;
        client_of_process(&login, kind).token().await.unwrap();
        assert_eq!(asserted(&login.seen()[0]), "of-azure");
    });
}

/// In the parent: starts a service, puts its address into the variable, and checks the request that the
/// service received. In the child: does the work with the environment of the process.
fn run(
    test: &str,
    set: &[(&str, &str)],
    address: &str,
    work: impl AsyncFn(CredentialKind, Option<Script>),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let service = runtime.block_on(Script::start(|_, _| {
        Reply::json(
            200,
            r#"{"oidcToken":"of-azure","access_token":"of-azure","expires_on":"4102444800","resource":"x","token_type":"Bearer"}"#,
        )
    }));
    let at = format!("{}/service?a=b", service.address());
    let mut set = set.to_vec();
    set.push((address, &at));
    if child_process::with(test, &set).is_none() {
        return runtime.block_on(work(CredentialKind::Auto, None));
    }
    let asked = service.seen();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].path.starts_with("/service?a=b&"), "{}", asked[0].path);
    let own = ["x-identity-header", "authorization"].map(|name| asked[0].header(name));
    assert!(
        own.iter()
            .flatten()
            .any(|value| value.ends_with("of-the-app") || value.ends_with("of-the-job"))
    );
}

fn client_of_process(script: &Script, kind: CredentialKind) -> Client {
    let variable = |name: &str| std::env::var(name).ok();
    let credential = Credential::choose(kind, Some("contoso.example"), variable).unwrap();
    Client::builder(script.endpoints()).pace(script.pace()).build(credential).unwrap()
}

const TOOL: &str = "graph::auth::flows::az_gives_the_token_of_a_person";

/// A fake `az` in `PATH` that logs its arguments.
#[cfg(unix)]
#[test]
fn az_gives_the_token_of_a_person() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    let log = folder.path().join("asked");
    let says = r#"{"accessToken":"of-az","expires_on":4102444800,"tokenType":"Bearer"}"#;
    let text = format!("#!/bin/sh\necho \"$@\" >>'{}'\necho '{says}'\n", log.display());
    std::fs::write(&az, text).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    if child_process::with(TOOL, &[("PATH", &path)]).is_some() {
        let asked = std::fs::read_to_string(log).unwrap();
        assert!(asked.contains("https://graph.microsoft.us/.default"), "{asked}");
        assert!(asked.contains("--tenant contoso.example"), "{asked}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let credential =
            Credential::choose(CredentialKind::AzureCli, Some("contoso.example"), |_| None);
        let endpoints = Endpoints::of(crate::graph::Cloud::UsGov).unwrap();
        let client = Client::builder(endpoints).build(credential.unwrap()).unwrap();
        client.token().await.unwrap();
    });
}

//! Tokens from a scripted sign-in service.

use super::*;
use crate::graph::error::ErrorKind;
use crate::graph::error::cause::NO_CONNECTION;
use crate::graph::scripted_server::{Reply, Script};
use crate::moment::Clock;

fn tokens(script: &Script, secret: &str) -> Tokens {
    let credential = Credential::client_secret("contoso.example", "app", secret);
    of(script, credential)
}

fn of(script: &Script, credential: Credential) -> Tokens {
    let http = Http::new(&script.endpoints(), script.pace(), Vec::new());
    Tokens::new(credential, script.endpoints(), http, script.pace(), Clock::default())
}

#[tokio::test]
async fn token_is_fetched_once_and_kept() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let tokens = tokens(&script, "secret");
    let first = tokens.current().await.unwrap();
    assert_eq!(tokens.current().await.unwrap().bearer, first.bearer);
    assert_eq!(script.tokens(), 1);
    assert_eq!(format!("{:?}", first.bearer), "Sensitive");
    let asked = script.seen().remove(0);
    assert_eq!(asked.path, "/contoso.example/oauth2/v2.0/token");
    assert!(asked.body.contains("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
}

#[tokio::test]
async fn refused_token_is_renewed_once() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let tokens = tokens(&script, "secret");
    let first = tokens.current().await.unwrap();
    let second = tokens.renewed(&first).await.unwrap();
    assert_ne!(first.bearer, second.bearer);
    assert_eq!(tokens.renewed(&first).await.unwrap().bearer, second.bearer);
    assert_eq!(script.tokens(), 2);
}

#[tokio::test]
async fn refusal_by_entra_shows_its_code_and_first_line() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let error = tokens(&script, "wrong").current().await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "no token for Graph `AADSTS7000215` with the secret, as application `app`: Invalid client \
         secret provided"
    );
    assert_eq!(error.help(), help("AADSTS7000215"));
}

#[tokio::test]
async fn unreachable_sign_in_service_is_reported_with_its_cause() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let tokens = tokens(&script, "secret");
    script.stop().await;
    let error = tokens.current().await.err().unwrap();
    let message = error.to_string();
    assert!(message.contains("as application `app`: Connection refused"), "{message}");
    assert_eq!((error.kind(), error.help()), (ErrorKind::Token, Some(NO_CONNECTION)));
}

#[tokio::test]
async fn token_of_a_person_is_not_sent_to_a_test_server() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let tokens = of(&script, Credential::developer_tools(None));
    let error = tokens.current().await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "no token for Graph with the sign-in of `az`, otherwise of `azd`: a token of `az` or `azd` \
         is not sent to a local test server"
    );
}

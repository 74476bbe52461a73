//! Tokens against an authority that follows a script.

use super::*;
use crate::graph::script::{Reply, Script};

fn tokens(script: &Script, secret: &str) -> Tokens {
    let credential = Credential::client_secret("contoso.example", "app", secret);
    let http = crate::graph::client::http(&script.endpoints()).unwrap();
    Tokens::new(credential, script.endpoints(), http, script.pace())
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let tokens = tokens(&script, "secret");
    let first = tokens.bearer().await.unwrap();
    assert_eq!(tokens.bearer().await.unwrap(), first);
    assert_eq!(script.tokens(), 1);
    assert_eq!(format!("{first:?}"), "Sensitive");
    let asked = script.seen().remove(0);
    assert_eq!(asked.path, "/contoso.example/oauth2/v2.0/token");
    assert!(asked.body.contains("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let tokens = tokens(&script, "secret");
    let first = tokens.bearer().await.unwrap();
    let second = tokens.renewed(&first).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(tokens.renewed(&first).await.unwrap(), second);
    assert_eq!(script.tokens(), 2);
}

#[tokio::test]
async fn entras_refusal_keeps_its_code_and_its_first_line() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let error = tokens(&script, "wrong").bearer().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no token for Graph `AADSTS7000215`: Invalid client secret provided"
    );
    assert_eq!(error.help(), help("AADSTS7000215"));
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_told_with_its_cause() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let mut tokens = tokens(&script, "secret");
    tokens.pace.tries = 1;
    script.stop().await;
    let error = tokens.bearer().await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with("no token for Graph: Connection refused"), "{told}");
    assert_eq!((error.kind(), error.help()), (Kind::Token, Some(NO_CONNECTION)));
}

#[tokio::test]
async fn a_persons_token_is_not_sent_to_a_stand_in() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let http = crate::graph::client::http(&script.endpoints()).unwrap();
    let person = Credential::developer_tools(None);
    let tokens = Tokens::new(person, script.endpoints(), http, script.pace());
    let error = tokens.bearer().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no token for Graph: a sign-in with `az` is not sent over plain http"
    );
    assert_eq!(error.help(), help(""));
}

#[test]
fn the_environment_decides_which_way() {
    let way = |set: &'static [(&str, &str)], tenant: Option<&str>| {
        let variable = |name: &str| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let credential = Credential::from_variables(tenant, variable);
        credential.map_or_else(|error| error.to_string(), |way| format!("{way:?}"))
    };
    const ID: (&str, &str) = ("AZURE_CLIENT_ID", "app");
    const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "hunter2");
    const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "other");
    let app =
        |tenant: &str| format!("ClientSecret {{ tenant: \"{tenant}\", client_id: \"app\", .. }}");
    assert_eq!(way(&[ID, SECRET, TENANT], None), app("other"));
    assert_eq!(way(&[ID, SECRET, TENANT], Some("named")), app("named"));
    assert_eq!(way(&[ID, TENANT], None), "DeveloperTools { tenant: Some(\"other\") }");
    assert_eq!(way(&[], None), "DeveloperTools { tenant: None }");
    assert_eq!(way(&[ID, SECRET], None), "no token for Graph: `AZURE_TENANT_ID` is not set");
    assert_eq!(way(&[SECRET], None), "no token for Graph: `AZURE_CLIENT_ID` is not set");
}

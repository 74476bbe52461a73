//! Tests of what a client sees of each fault, most of them over real HTTP.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{client, token};
use super::*;
use crate::{Fault, Options, Server, start};

/// Serves a tenant in which requests get a fault if their path has this end.
async fn served(end: &'static str, fault: Fault) -> (reqwest::Client, Server, String) {
    let faults = Faults::by(move |part| match part.path.ends_with(end) {
        true => fault.clone(),
        false => Fault::None,
    });
    let server = start(Options { faults, ..Options::in_memory(seed()) }).await.unwrap();
    let client = client();
    let token = token(&client, &server).await;
    (client, server, token)
}

/// Returns the status and the body; `None` if the answer is not complete.
async fn get(
    (client, server, token): &(reqwest::Client, Server, String),
    path: &str,
) -> Option<(u16, String)> {
    let url = format!("{}{path}", server.url());
    let answer = client.get(url).bearer_auth(token).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

#[tokio::test]
async fn connection_can_be_cut_at_any_byte() {
    for bytes in [1, 12, 60, 400] {
        let world = served("/users", Fault::CutAt(bytes)).await;
        assert_eq!(get(&world, "/v1.0/users").await, None, "{bytes}");
        assert!(get(&world, "/v1.0/groups").await.is_some(), "a new connection is whole");
    }
    let world = served("/users", Fault::CutBody).await;
    let url = format!("{}/v1.0/users", world.1.url());
    let answer = world.0.get(url).bearer_auth(&world.2).send().await.unwrap();
    assert_eq!(answer.status(), 200, "the head arrives");
    assert!(answer.text().await.is_err(), "the body does not");
}

#[tokio::test]
async fn bodies_are_truncated_replaced_or_slow() {
    let world = served("/users", Fault::Truncated).await;
    let (status, body) = get(&world, "/v1.0/users").await.unwrap();
    assert!(status == 200 && body.starts_with('{') && !body.ends_with('}'), "{body}");
    let world = served("/users", Fault::NotJson).await;
    let (status, body) = get(&world, "/v1.0/users").await.unwrap();
    assert!(status == 200 && body.starts_with("<!DOCTYPE"), "{body}");
    let world = served("/users", Fault::SlowBody(Duration::from_millis(100))).await;
    let since = Instant::now();
    let (_, body) = get(&world, "/v1.0/users").await.unwrap();
    assert!(since.elapsed() >= Duration::from_millis(90) && body.ends_with('}'));
}

#[tokio::test]
async fn revoked_token_stays_refused_and_a_new_one_is_accepted() {
    let world = served("/organization", Fault::Revoked).await;
    assert_eq!(get(&world, "/v1.0/users").await.unwrap().0, 200);
    assert_eq!(get(&world, "/v1.0/organization").await.unwrap().0, 401);
    assert_eq!(get(&world, "/v1.0/users").await.unwrap().0, 401);
    let (client, server, _) = world;
    let token = token(&client, &server).await;
    assert_eq!(get(&(client, server, token), "/v1.0/users").await.unwrap().0, 200);
}

#[tokio::test]
async fn connection_fault_in_a_part_spoils_the_whole_batch() {
    let (client, server, token) = served("/users", Fault::Truncated).await;
    let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/users"}]});
    let url = format!("{}/v1.0/$batch", server.url());
    let answer = client.post(url).bearer_auth(token).json(&batch).send().await.unwrap();
    assert!(answer.json::<Value>().await.is_err());
}

fn faulty(end: &'static str, fault: Fault) -> Tenant {
    let faults = Faults::by(move |part| match part.path.ends_with(end) && !part.continued {
        true => fault.clone(),
        false => Fault::None,
    });
    Tenant::with_faults(seed(), faults)
}

/// The target of a list's nextLink.
fn next(body: &Value) -> &str {
    body["@odata.nextLink"].as_str().unwrap().strip_prefix("http://h/beta").unwrap()
}

#[test]
fn pages_are_empty_or_overlap() {
    let tenant = faulty("/users", Fault::EmptyPage);
    let (_, first) = tenant.get("/users?$top=1&$select=id");
    assert_eq!(first["value"], json!([]));
    let (_, second) = tenant.get(next(&first));
    assert_eq!(column(&second, "id"), [ANN.to_string()]);

    let tenant = faulty("/groups", Fault::RepeatedRow);
    let (_, first) = tenant.get("/groups?$top=2&$select=id");
    let (_, second) = tenant.get(next(&first));
    assert_eq!(column(&first, "id"), [ALL, STAFF].map(|id| id.to_string()));
    assert_eq!(column(&second, "id"), [STAFF, DYNAMIC].map(|id| id.to_string()));
}

#[test]
fn links_and_redirects_can_lead_to_another_host() {
    let elsewhere = "https://graph.evil.invalid".to_owned();
    let tenant = faulty("/users", Fault::ForeignLink(elsewhere.clone()));
    let (_, body) = tenant.get("/users?$top=1");
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with("https://graph.evil.invalid/beta/users?"), "{link}");
    let tenant = faulty("/users", Fault::Redirect(elsewhere));
    let answer = tenant.call(Method::GET, "/users", None);
    let location = ("Location", "https://graph.evil.invalid/beta/users".to_owned());
    assert_eq!((answer.status, answer.headers), (302, vec![location]));
}

#[test]
fn retry_after_can_be_a_date() {
    let code = "TooManyRequests".to_owned();
    let fault = Fault::StatusUntil { status: 429, code, seconds: 30 };
    let answer = faulty("/users", fault).call(Method::GET, "/users", None);
    let (name, value) = answer.headers.first().unwrap();
    assert_eq!((answer.status, *name), (429, "Retry-After"));
    assert!(value.ends_with(" GMT") && value.len() == 29, "{value}");
}

#[tokio::test]
async fn skewed_clock_is_used_for_tokens_and_the_date_header() {
    let skew = jiff::SignedDuration::from_hours(2);
    let clock = Clock::running(1, skew);
    let server = start(Options { clock, ..Options::in_memory(seed()) }).await.unwrap();
    let client = client();
    let token = token(&client, &server).await;
    let answer = client
        .get(format!("{}/v1.0/users", server.url()))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let date = answer.headers()["date"].to_str().unwrap();
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ahead = date.duration_since(jiff::Timestamp::now());
    assert!((ahead.as_secs() - 7200).abs() < 60, "{ahead:?}");
}

/// The rows of a list, page by page.
fn rows_of(tenant: &Tenant, target: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut target = target.to_owned();
    loop {
        let (status, body) = tenant.get(&target);
        assert_eq!(status, 200, "{target}: {body}");
        pages.push(body["value"].as_array().unwrap().clone());
        let Some(link) = body["@odata.nextLink"].as_str() else { return pages };
        target = link.strip_prefix("http://h/beta").unwrap().to_owned();
    }
}

#[test]
fn short_page_ends_any_list_early_and_links_to_the_rest() {
    for target in ["/users/bob@x.nl/authentication/methods", "/users?$select=id", "/domains"] {
        let whole = rows_of(&Tenant::new(), target).concat();
        let always = Faults::by(|_| Fault::ShortPage(1));
        let mut seed = seed();
        if target.ends_with("methods") {
            let more = document(
                json!({"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": "f"}),
            );
            seed.users[1].methods.push(more);
        }
        let pages = rows_of(&Tenant::with_faults(seed, always), target);
        assert!(pages.len() > 1 && pages.iter().all(|page| page.len() == 1), "{target}: {pages:?}");
        assert!(pages.concat().starts_with(&whole), "{target}");
        // Only the first page is short, so its link leads to all the other rows.
        let first = Faults::by(|part| match part.continued {
            true => Fault::None,
            false => Fault::ShortPage(1),
        });
        let rest = rows_of(&Tenant::with_faults(super::seed(), first), target);
        assert_eq!(rest.concat(), whole, "{target}");
    }
}

#[test]
fn short_lists_end_early_with_their_own_links() {
    let tenant = Tenant::with_faults(seed(), Faults::by(|_| Fault::ShortLists(0)));
    let policy = "/policies/authenticationMethodsPolicy";
    let (_, body) = tenant.get(policy);
    assert_eq!(body["authenticationMethodConfigurations"], json!([]));
    let link = body["authenticationMethodConfigurations@odata.nextLink"].as_str().unwrap();
    assert!(
        link.starts_with(&format!("http://h/beta{policy}/authenticationMethodConfigurations?"))
    );
    let (_, rows) = tenant.get(link.strip_prefix("http://h/beta").unwrap());
    assert_eq!(rows["value"].as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows["value"][0]["includeTargets"], json!([]));
    assert!(rows["value"][0]["includeTargets@odata.nextLink"].is_string());
}

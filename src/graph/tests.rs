//! The log: what it shows, and what it must never show.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use tracing::Dispatch;
use tracing::dispatcher::{self, DefaultGuard};

use super::scripted_server::{Reply, Script, Seen, token_for};
use super::{BatchPart, Client, Consistency, Credential, CredentialKind};
use crate::cli::log::{Level, LogFormat, to};

/// The output of the log.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

/// A second subscriber. With a single one, `tracing` decides permanently at the first use whether an event is
/// recorded, and the first use may be in a test without a subscriber. So there are always two.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| to(Level::Trace, LogFormat::Text, io::sink));

fn listen(level: Level, format: LogFormat) -> (Captured, DefaultGuard) {
    LazyLock::force(&SECOND);
    let captured = Captured::default();
    let writer = captured.clone();
    let guard = dispatcher::set_default(&to(level, format, move || writer.clone()));
    (captured, guard)
}

/// Texts that must never be in a log: secrets, tokens, names in queries, phone numbers.
const NEVER: [&str; 8] = [
    "hunter2",
    "eyJ-token",
    "of-the-job",
    "of-github",
    "skiptoken",
    "j.brown",
    "612345678",
    "12 345 678",
];

/// Sends requests that succeed and requests that fail in every way.
async fn run(client: &Client) {
    let list: Result<Vec<Value>, _> =
        client.list("/v1.0/users?$filter=mail eq 'j.brown'", Consistency::Eventual).await;
    list.unwrap();
    let parts = vec![
        BatchPart::get("/users/j?$filter=j.brown"),
        BatchPart::post("/users/+31612345678/x", json!({ "phoneNumber": "+31 612345678" })),
    ];
    client.read_all::<Value>(parts.clone()).await;
    client.write_all(parts).await;
    for path in ["/v1.0/bad", "/v1.0/cut", "/v1.0/garbled", "https://example.com/eyJ-token"] {
        client.get::<Value>(path, Consistency::Default).await.unwrap_err();
    }
    client.get::<Value>("/v1.0/throttled", Consistency::Default).await.unwrap();
}

fn answer(seen: &Seen, nth: usize) -> Reply {
    if nth == 0 {
        return Reply::json(401, r#"{"error":{"message":"Bearer eyJ-token-1"}}"#);
    }
    let bad = r#"{"error":{"code":"badRequest","message":"+31 612345678 of j.brown"}}"#;
    let path = seen.path.as_str();
    if path.contains("/users") && !path.contains("skiptoken") {
        let next = format!("http://{}/v1.0/users?$skiptoken=a", seen.host());
        return Reply::json(
            200,
            format!(r#"{{"value":["+31 612345678"],"@odata.nextLink":"{next}"}}"#),
        )
        .with("request-id", "3f2a91d0-0000-4000-8000-000000000001");
    }
    match path {
        "/beta/$batch" => {
            Reply::parts(seen, |_| (400, r#""body":{"error":{"message":"+31612345678"}}"#))
        }
        "/v1.0/bad" => Reply::json(400, bad),
        "/v1.0/cut" => Reply::Cut,
        "/v1.0/garbled" => Reply::json(200, "+31 612345678"),
        "/v1.0/throttled" if nth.is_multiple_of(2) => {
            Reply::json(429, bad).with("Retry-After", "12 345 678")
        }
        _ => Reply::json(200, r#"{"value":["+31 612345678"]}"#),
    }
}

async fn everything(level: Level, format: LogFormat) -> Vec<String> {
    let token = |_: &Seen, nth: usize| token_for(3599, &format!("eyJ-token-{}", nth + 1));
    let script = Script::start_with(token, answer).await;
    let github = Script::start(|_, _| Reply::json(200, r#"{"value":"of-github"}"#)).await;
    let (captured, _guard) = listen(level, format);
    let pace = script.pace();
    let secret = Credential::client_secret("contoso.example", "app", "hunter2");
    let url = github.address();
    let variable = |name: &str| match name {
        "AZURE_CLIENT_ID" => Some("app".to_owned()),
        "ACTIONS_ID_TOKEN_REQUEST_URL" => Some(url.clone()),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => Some("of-the-job".to_owned()),
        _ => None,
    };
    let job = Credential::choose(CredentialKind::Auto, Some("contoso.example"), variable).unwrap();
    for credential in [secret, job] {
        let client = Client::builder(script.endpoints()).pace(pace).build(credential).unwrap();
        run(&client).await;
    }
    captured.lines()
}

#[tokio::test]
async fn log_has_nothing_private_at_any_level() {
    for (level, format) in [(Level::Trace, LogFormat::Text), (Level::Debug, LogFormat::Json)] {
        let lines = everything(level, format).await;
        assert!(lines.len() > 30, "{lines:#?}");
        for line in &lines {
            let own = line.contains(" mfactl::") || line.contains(r#""target":"mfactl::"#);
            assert!(own, "a line of another crate: {line}");
            for private in NEVER {
                assert!(!line.contains(private), "`{private}` in: {line}");
            }
            assert!(!line.contains('?'), "a query in: {line}");
        }
    }
}

#[tokio::test]
async fn each_request_is_one_line_of_the_log() {
    let lines = everything(Level::Debug, LogFormat::Json).await;
    let calls: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["message"] == "call")
        .collect();
    let refused = &calls[0];
    assert_eq!((&refused["status"], &refused["tries"]), (&json!(401), &json!(1)));
    let call = &calls[1];
    assert_eq!(call["method"], Method::GET.as_str());
    assert_eq!(call["path"], "/v1.0/users");
    assert_eq!((&call["status"], &call["tries"]), (&json!(200), &json!(2)));
    assert_eq!(call["request_id"], "3f2a91d0-0000-4000-8000-000000000001");
    assert!(call["client_request_id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    assert!(call["ms"].is_u64() && call["failed"].is_null());
    let cut: Vec<_> = calls.iter().filter(|call| call["failed"] == "Cut").collect();
    assert_eq!(cut.iter().map(|call| &call["tries"]).collect::<Vec<_>>(), [1, 2, 3, 1, 2, 3]);
}

#[tokio::test]
async fn log_is_empty_at_info_and_off() {
    assert!(everything(Level::Off, LogFormat::Text).await.is_empty());
    assert!(everything(Level::Info, LogFormat::Text).await.is_empty());
}

//! Batches, sent to a scripted server.

use serde_json::json;
use serde_json::value::RawValue;

use super::*;
use crate::graph::scripted_server::{Reply, Script};

fn gets(count: usize) -> Vec<BatchPart> {
    (0..count).map(|place| BatchPart::get(format!("/users/{place}"))).collect()
}

/// Returns each outcome in short form: `done`, `refused 429`, `unknown Cut`.
fn summary(outcomes: &[WriteOutcome]) -> Vec<String> {
    let one = |outcome: &WriteOutcome| match outcome {
        WriteOutcome::Done(_) => "done".to_owned(),
        WriteOutcome::Refused(error) => format!("refused {}", why(error)),
        WriteOutcome::Unknown(error) => format!("unknown {}", why(error)),
    };
    outcomes.iter().map(one).collect()
}

fn why(error: &Error) -> String {
    error.status().map_or_else(|| format!("{:?}", error.kind()), |status| status.to_string())
}

#[tokio::test]
async fn answers_are_in_the_order_of_the_parts() {
    let script = Script::start(|seen, _| {
        Reply::parts(seen, |url| match url.len() % 2 {
            0 => (200, r#""body":2"#),
            _ => (200, r#""body":1"#),
        })
    })
    .await;
    let client = script.client();
    let answers: Vec<_> = client.read_all::<u32>(gets(45)).await;
    let expected = (0..45).map(|place| if place < 10 { 2 } else { 1 });
    assert_eq!(
        answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
        expected.collect::<Vec<_>>()
    );
    assert_eq!(script.asked().len(), 3);
    assert_eq!(client.traffic().parts, 45);
    assert!(client.read_all::<u32>(Vec::new()).await.is_empty());
}

#[tokio::test]
async fn batch_has_the_json_that_graph_requires() {
    let script = Script::start(|seen, _| Reply::parts(seen, |_| (204, ""))).await;
    let parts =
        vec![BatchPart::patch("/users/1/x", json!({ "a": 1 })), BatchPart::delete("/users/2/y")];
    assert_eq!(summary(&script.client().write_all(parts).await), ["done", "done"]);
    let asked = script.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/beta/$batch"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(
        serde_json::from_str::<Value>(&asked.body).unwrap(),
        json!({ "requests": [
            { "id": "0", "method": "PATCH", "url": "/users/1/x", "body": { "a": 1 },
              "headers": { "x-ms-throttle-priority": "Low", "Content-Type": "application/json" } },
            { "id": "1", "method": "DELETE", "url": "/users/2/y",
              "headers": { "x-ms-throttle-priority": "Low" } },
        ] })
    );
}

#[tokio::test]
async fn only_failed_parts_are_sent_again() {
    let script = Script::start(|seen, nth| {
        Reply::parts(seen, |url| match (nth, url) {
            (0, "/users/1") => (429, r#""headers":{"Retry-After":"1"}"#),
            (0, "/users/2") => (429, r#""headers":{"retry-after":0}"#),
            (0, "/users/3") | (1, "/users/2") => (503, ""),
            (_, "/users/4") => (404, r#""body":{"error":{"code":"Request_ResourceNotFound"}}"#),
            _ => (200, r#""body":7"#),
        })
    })
    .await;
    let client = script.client();
    let answers = client.read_all::<u32>(gets(6)).await;
    for (place, answer) in answers.iter().enumerate() {
        match answer {
            Ok(value) => assert_eq!(*value, 7),
            Err(error) => {
                assert_eq!((place, error.status(), error.path()), (4, Some(404), "/beta/users/4"));
                assert_eq!(error.code(), Some("Request_ResourceNotFound"));
            }
        }
    }
    let again: Vec<_> =
        script.asked().iter().map(|seen| seen.body.matches("\"id\"").count()).collect();
    assert_eq!(again, [6, 3, 1]);
    let traffic = client.traffic();
    let counted = (traffic.requests, traffic.parts, traffic.retries, traffic.throttled);
    assert_eq!(counted, (3, 10, 2, 2));
    assert_eq!((traffic.batches, traffic.writes), (3, 0));
    assert!(traffic.sent > 0 && traffic.received > 0);
}

#[tokio::test]
async fn batch_waits_for_the_longest_retry_after_of_its_parts() {
    let script = Script::start(|seen, nth| {
        Reply::parts(seen, |url| match (nth, url) {
            (0, "/users/1") => (429, r#""headers":{"Retry-After":"1"}"#),
            (0, _) => (429, r#""headers":{"Retry-After":"0"}"#),
            _ => (200, r#""body":7"#),
        })
    })
    .await;
    let begun = std::time::Instant::now();
    assert!(script.client().read_all::<u32>(gets(2)).await.iter().all(Result::is_ok));
    // The pace of the test shortens a second to ten milliseconds.
    assert!(begun.elapsed() >= script.pace().longest, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn part_that_stays_throttled_is_given_up() {
    let script = Script::start(|seen, _| Reply::parts(seen, |_| (429, ""))).await;
    let error = script.client().read_all::<u32>(gets(1)).await.remove(0).unwrap_err();
    assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Throttled, 3));
    assert_eq!(error.to_string(), "`GET /beta/users/0` was throttled and given up");
}

#[tokio::test]
async fn read_without_exactly_one_answer_is_sent_again() {
    let script = Script::start(|seen, nth| match nth {
        0 => Reply::json(200, r#"{"responses":[{"id":"0","status":200,"body":7},{"id":"0","status":200,"body":8},{"id":"9","status":200}]}"#),
        1 => Reply::Cut,
        _ => Reply::parts(seen, |_| (200, r#""body":7"#)),
    })
    .await;
    let answers = script.client().read_all::<u32>(gets(2)).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(7))), "{answers:?}");
}

#[tokio::test]
async fn read_can_return_its_raw_text() {
    let script = Script::start(|seen, _| Reply::parts(seen, |_| (200, r#""body":{"a": 1}"#))).await;
    let raw: Box<RawValue> = script.client().read_all(gets(1)).await.remove(0).unwrap();
    assert_eq!(raw.get(), r#"{"a": 1}"#);
    let script = Script::start(|seen, _| Reply::parts(seen, |_| (200, ""))).await;
    let error = script.client().read_all::<u32>(gets(1)).await.remove(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
}

#[tokio::test]
async fn each_write_has_its_own_outcome() {
    let script = Script::start(|seen, _| {
        Reply::parts(seen, |url| match url {
            "/users/0" => (201, r#""body":{"id":"x"}"#),
            "/users/1" => (204, ""),
            "/users/2" => {
                (400, r#""body":{"error":{"code":"badRequest","message":"+31612345678"}}"#)
            }
            "/users/3" => (500, ""),
            "/users/4" => (408, ""),
            "/users/5" => (302, ""),
            _ => (503, r#""headers":{"Retry-After":"0"}"#),
        })
    })
    .await;
    let outcomes = script.client().write_all(gets(7)).await;
    let expected =
        ["done", "done", "refused 400", "unknown 500", "unknown 408", "unknown 302", "unknown 503"];
    assert_eq!(summary(&outcomes), expected);
    assert!(
        matches!(&outcomes[0], WriteOutcome::Done(done) if done.body == Some(json!({ "id": "x" })))
    );
    assert!(!format!("{outcomes:?}").contains("12345"));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn only_throttled_writes_are_sent_again() {
    let script = Script::start(|seen, nth| match nth {
        0 => Reply::json(429, "").with("Retry-After", "0"),
        1 => Reply::parts(seen, |url| if url == "/users/1" { (429, "") } else { (204, "") }),
        _ => Reply::parts(seen, |_| (204, "")),
    })
    .await;
    assert_eq!(summary(&script.client().write_all(gets(3)).await), ["done"; 3]);
    let sent: Vec<_> =
        script.asked().iter().map(|seen| seen.body.matches("\"id\"").count()).collect();
    assert_eq!(sent, [3, 3, 1]);
    let script = Script::start(|_, _| Reply::json(429, "")).await;
    assert_eq!(summary(&script.client().write_all(gets(1)).await), ["refused 429"]);
}

#[tokio::test]
async fn write_whose_answer_is_lost_is_unknown_and_sent_once() {
    let lost: [fn() -> Reply; 5] = [
        || Reply::Cut,
        || Reply::Short("{".to_owned()),
        || Reply::json(200, r#"{"responses":[{"id":"0","#),
        || Reply::json(200, r#"{"responses":[]}"#),
        || Reply::json(503, "").with("Retry-After", "0"),
    ];
    for (reply, why) in lost.into_iter().zip(["Cut", "Cut", "Body", "Cut", "503"]) {
        let script = Script::start(move |_, _| reply()).await;
        let outcomes = script.client().write_all(gets(1)).await;
        assert_eq!(summary(&outcomes), [format!("unknown {why}")]);
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test]
async fn write_with_two_answers_is_unknown() {
    let script = Script::start(|_, _| {
        Reply::json(200, r#"{"responses":[{"id":"0","status":204},{"id":"0","status":400},{"id":"1","status":204}]}"#)
    })
    .await;
    assert_eq!(summary(&script.client().write_all(gets(2)).await), ["unknown Cut", "done"]);
}

#[tokio::test]
async fn write_that_was_never_sent_is_refused() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let client = script.client();
    client.token().await.unwrap();
    script.stop().await;
    assert_eq!(summary(&client.write_all(gets(1)).await), ["refused Connect"]);
    assert_eq!(client.traffic().retries, 2);
}

#[tokio::test]
async fn write_refused_with_its_token_is_sent_with_a_new_token() {
    let script = Script::start(|seen, _| match seen.header("authorization") {
        Some("Bearer token-1") => Reply::json(401, ""),
        _ => Reply::parts(seen, |_| (204, "")),
    })
    .await;
    assert_eq!(summary(&script.client().write_all(gets(1)).await), ["done"]);
}

#[tokio::test]
async fn throttled_part_delays_later_batches() {
    let arrivals = std::sync::Arc::<std::sync::Mutex<Vec<std::time::Instant>>>::default();
    let arrived = std::sync::Arc::clone(&arrivals);
    let script = Script::start(move |seen, nth| {
        arrived.lock().unwrap().push(std::time::Instant::now());
        Reply::parts(seen, move |url| match (nth, url) {
            (0, "/users/1") => (429, r#""headers":{"retry-after":"1"}"#),
            _ => (200, r#""body":7"#),
        })
    })
    .await;
    let second = std::time::Duration::from_secs(1);
    let pace = super::super::Pace { longest: second, ..script.pace() };
    let client = script.client_with(|builder| builder.pace(pace));
    let (first, other) = tokio::join!(client.read_all::<u32>(gets(2)), async {
        while client.traffic().throttled == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        client.read_all::<u32>(gets(2)).await
    });
    assert!(first.iter().chain(&other).all(Result::is_ok));
    // The service refused the part after the first arrival, so each later batch waited for longer than this.
    let arrivals = arrivals.lock().unwrap().clone();
    let [began, later @ ..] = arrivals.as_slice() else { panic!("no request") };
    assert!(later.iter().all(|one| one.duration_since(*began) >= second), "{arrivals:?}");
    assert_eq!((later.len(), script.asked().len()), (2, 3));
}

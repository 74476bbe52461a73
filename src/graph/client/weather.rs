//! Reads and writes when the network or the service fails.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::graph::batch::{BatchPart, WriteOutcome};
use crate::graph::scripted_server::{Reply, Script};

const GET: &str = "/v1.0/users";

/// Returns two small complete answers: a list, and a batch with one part that was done.
fn small() -> [Reply; 2] {
    let list = Reply::json(200, r#"{"value":[1,2]}"#).with("request-id", "r1");
    [list, Reply::json(200, r#"{"responses":[{"id":"0","status":204}]}"#)]
}

async fn get(client: &Client) -> Result<Value, Error> {
    client.get(GET, Consistency::Default).await
}

async fn write(client: &Client) -> WriteOutcome {
    client.write_all(vec![BatchPart::post("/users/1/x", json!({ "a": 1 }))]).await.remove(0)
}

/// Returns a pace with short timeouts.
fn impatient(script: &Script) -> Pace {
    let silence = Duration::from_millis(150);
    Pace { silence, whole: Duration::from_millis(400), ..script.pace() }
}

/// Starts a server whose first answer is changed by `reply` and whose other answers are good.
async fn changed(reply: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> Script {
    Script::start(move |seen, nth| {
        let [list, batch] = small();
        let whole = if seen.method == "GET" { list } else { batch };
        if nth == 0 { reply(whole) } else { whole }
    })
    .await
}

/// Starts such a server, and a client with short timeouts.
async fn both(reply: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> (Script, Client) {
    let script = changed(reply).await;
    let client = script.client_with(|builder| builder.pace(impatient(&script)));
    (script, client)
}

/// Starts such a server, and a client with the timeouts of the program: a busy machine causes no timeout.
async fn both_patient(reply: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> (Script, Client) {
    let script = changed(reply).await;
    let client = script.client();
    (script, client)
}

#[tokio::test]
async fn read_succeeds_after_a_cut_at_any_byte() {
    let length = small()[0].bytes().len();
    for at in 0..length {
        let (script, client) = both_patient(move |whole| Reply::Begun(Box::new(whole), at)).await;
        assert_eq!(get(&client).await.unwrap(), json!({ "value": [1, 2] }), "cut at {at}");
        assert_eq!(script.asked().len(), 2, "cut at {at}");
    }
}

#[tokio::test]
async fn write_is_unknown_after_a_cut_at_any_byte() {
    let length = small()[1].bytes().len();
    for at in 0..length {
        let (script, client) = both_patient(move |whole| Reply::Begun(Box::new(whole), at)).await;
        let outcome = write(&client).await;
        assert!(
            matches!(&outcome, WriteOutcome::Unknown(error) if error.kind() == ErrorKind::Cut),
            "{outcome:?}"
        );
        assert_eq!(script.asked().len(), 1, "cut at {at}");
    }
}

/// The body is cut and HTTP does not notice, because the length fits the cut body.
#[tokio::test]
async fn incomplete_json_is_read_again_and_never_written_again() {
    let bodies = [r#"{"value":[1,2]}"#, r#"{"responses":[{"id":"0","status":204}]}"#];
    for (place, body) in bodies.into_iter().enumerate() {
        for at in 0..body.len() {
            let (script, client) = both_patient(move |_| Reply::json(200, &body[..at])).await;
            if place == 0 {
                assert_eq!(get(&client).await.unwrap(), json!({ "value": [1, 2] }), "{at}");
                assert_eq!(script.asked().len(), 2);
            } else {
                let outcome = write(&client).await;
                assert!(matches!(outcome, WriteOutcome::Unknown(_)), "{at}: {outcome:?}");
                assert_eq!(script.asked().len(), 1);
            }
        }
    }
}

#[tokio::test]
async fn answer_without_json_is_retried_and_then_an_error() {
    let script = Script::start(|_, _| Reply::json(200, "<html>sign in</html>")).await;
    let error = get(&script.client()).await.unwrap_err();
    assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Body, 3));
    let expected =
        "`GET /v1.0/users` returned an answer that cannot be read: it is not JSON, line 1 column 1";
    assert_eq!(error.to_string(), expected);
    assert!(error.help().unwrap().contains("proxy"));
    // A wrong structure is no transport error: another try would return the same.
    let script = Script::start(|_, _| Reply::json(200, r#"{"value":7}"#)).await;
    let list = script.client().list::<u32>(GET, Consistency::Default).await;
    assert_eq!((list.unwrap_err().kind(), script.asked().len()), (ErrorKind::Body, 1));
}

#[tokio::test]
async fn silent_server_times_out_and_a_read_is_retried() {
    let late = |whole| Reply::Late(Duration::from_secs(20), Box::new(whole));
    let (script, client) = both(late).await;
    assert!(get(&client).await.is_ok());
    assert_eq!(script.asked().len(), 2);
    let (script, client) = both(late).await;
    let outcome = write(&client).await;
    assert!(
        matches!(&outcome, WriteOutcome::Unknown(error) if error.kind() == ErrorKind::Timeout),
        "{outcome:?}"
    );
    assert_eq!(script.asked().len(), 1);
}

/// Each byte arrives before the timeout for silence, but the answer does not end in time.
#[tokio::test]
async fn answer_that_trickles_times_out() {
    let trickle = |whole| Reply::Trickle(Duration::from_millis(20), Box::new(whole));
    let begun = Instant::now();
    let (script, client) = both(trickle).await;
    assert!(get(&client).await.is_ok());
    assert_eq!(script.asked().len(), 2);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let (_, client) = both(trickle).await;
    assert!(matches!(write(&client).await, WriteOutcome::Unknown(_)));
}

#[tokio::test]
async fn read_is_retried_after_a_server_error_and_a_write_is_not() {
    for status in [408, 500, 502, 503, 504] {
        let (script, client) = both(move |_| Reply::json(status, "trouble")).await;
        assert!(get(&client).await.is_ok(), "{status}");
        assert_eq!(script.asked().len(), 2);
        let (script, client) = both(move |_| Reply::json(status, "trouble")).await;
        let outcome = write(&client).await;
        assert!(matches!(outcome, WriteOutcome::Unknown(_)), "{status}: {outcome:?}");
        assert_eq!(script.asked().len(), 1);
        let script = Script::start(move |_, _| Reply::json(status, "trouble")).await;
        let error = get(&script.client()).await.unwrap_err();
        assert_eq!((error.status(), script.asked().len()), (Some(status), 3));
    }
}

/// The pace of these tests shortens a wait of seconds to ten milliseconds.
#[tokio::test]
async fn throttled_request_waits_as_long_as_the_server_asks() {
    let now = "Sun, 22 Nov 2026 10:00:00 GMT";
    let cases: [(&[(&'static str, &str)], bool); 6] = [
        (&[("Retry-After", "1")], true),
        (&[("Retry-After", "0")], false),
        (&[("Retry-After", "Sun, 22 Nov 2026 10:00:05 GMT"), ("Date", now)], true),
        // The date is far from the local clock's time, but it is the server's own time: no wait.
        (&[("Retry-After", "Sun, 22 Nov 2026 10:00:00 GMT"), ("Date", now)], false),
        (
            &[
                ("Retry-After", "Fri, 22 Nov 2199 10:00:00 GMT"),
                ("Date", "Fri, 22 Nov 2199 10:00:00 GMT"),
            ],
            false,
        ),
        (&[], false),
    ];
    for (headers, waits) in cases {
        let headers: Vec<(&'static str, String)> =
            headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let reply = move |_| {
            let answer = Reply::json(429, "");
            headers.iter().fold(answer, |answer, (name, value)| answer.with(name, value.clone()))
        };
        let (script, client) = both(reply.clone()).await;
        let longest = script.pace().longest;
        let begun = Instant::now();
        assert!(get(&client).await.is_ok());
        assert!(!waits || begun.elapsed() >= longest, "{:?}", begun.elapsed());
        assert_eq!(script.asked().len(), 2);
        let (script, client) = both(reply).await;
        assert!(matches!(write(&client).await, WriteOutcome::Done(_)));
        assert_eq!((script.asked().len(), client.traffic().throttled), (2, 1));
    }
}

#[tokio::test]
async fn retry_date_of_a_part_is_compared_with_the_date_of_its_batch() {
    let date = "Fri, 22 Nov 2199 10:00:00 GMT";
    let script = Script::start(move |seen, nth| {
        let answer = Reply::parts(seen, |_| match nth {
            0 => (429, r#""headers":{"Retry-After":"Fri, 22 Nov 2199 10:00:00 GMT"}"#),
            _ => (204, ""),
        });
        answer.with("Date", date)
    })
    .await;
    let pace = Pace { longest: Duration::from_secs(60), ..script.pace() };
    let client = script.client_with(|builder| builder.pace(pace));
    let begun = Instant::now();
    assert!(matches!(write(&client).await, WriteOutcome::Done(_)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn redirected_write_is_not_followed_and_not_sent_again() {
    let elsewhere = Script::start(|_, _| Reply::json(200, "{}")).await;
    for status in [301, 302, 307, 308] {
        let target = elsewhere.address();
        let script =
            Script::start(move |_, _| Reply::json(status, "").with("Location", target.clone()))
                .await;
        let client = script.client();
        assert!(matches!(write(&client).await, WriteOutcome::Unknown(_)));
        assert!(get(&client).await.unwrap_err().help().unwrap().contains("does not redirect"));
        assert_eq!(script.asked().len(), 2);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn nothing_is_sent_after_the_deadline() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    // A busy machine needs some time for the first request.
    let client = script.client_with(|builder| builder.deadline(Duration::from_millis(700)));
    get(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(710)).await;
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    let expected = "`GET /v1.0/users` was not sent: the total time of 700ms is over";
    assert_eq!(error.to_string(), expected);
    assert!(error.concerns_all() && error.help().is_some());
    let outcome = write(&client).await;
    assert!(
        matches!(&outcome, WriteOutcome::Refused(error) if error.kind() == ErrorKind::Deadline),
        "{outcome:?}"
    );
    assert_eq!(client.token().await.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn write_in_flight_at_the_deadline_is_unknown() {
    let script = Script::start(|_, _| {
        let [_, batch] = small();
        Reply::Late(Duration::from_secs(20), Box::new(batch))
    })
    .await;
    let client = script.client_with(|builder| builder.deadline(Duration::from_millis(120)));
    let outcome = write(&client).await;
    let WriteOutcome::Unknown(error) = outcome else { panic!("{outcome:?}") };
    let expected =
        "`POST /beta/users/1/x` was not answered in time: the total time of 120ms is over";
    assert_eq!(error.to_string(), expected);
    let script = Script::start(|_, _| Reply::Late(Duration::from_secs(20), Box::new(Reply::Cut)));
    let script = script.await;
    let client = script.client_with(|builder| builder.deadline(Duration::from_millis(120)));
    let error = get(&client).await.unwrap_err();
    assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Deadline, 1));
    let last = "(last error: `GET /v1.0/users` was not answered";
    assert!(error.to_string().contains(last), "{error}");
}

#[tokio::test]
async fn wait_that_would_exceed_the_deadline_fails_at_once() {
    let script = Script::start(|_, _| Reply::json(429, "").with("Retry-After", "60")).await;
    let pace = Pace { longest: Duration::from_secs(300), ..script.pace() };
    let client = script.client_with(|builder| builder.pace(pace).deadline(Duration::from_secs(30)));
    let begun = Instant::now();
    let error = get(&client).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("the total time of 30s is over (last error: "), "{message}");
    let outcome = write(&client).await;
    assert!(
        matches!(&outcome, WriteOutcome::Refused(error) if error.kind() == ErrorKind::Deadline),
        "{outcome:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test]
async fn slow_sign_in_ends_at_the_deadline() {
    let token = |_: &crate::graph::scripted_server::Seen, _| {
        Reply::Late(Duration::from_secs(20), Box::new(Reply::Cut))
    };
    let script = Script::start_with(token, |_, _| Reply::json(200, "{}")).await;
    let client = script.client_with(|builder| builder.deadline(Duration::from_millis(120)));
    let outcome = write(&client).await;
    assert!(
        matches!(&outcome, WriteOutcome::Refused(error) if error.kind() == ErrorKind::Deadline),
        "{outcome:?}"
    );
    assert!(script.asked().is_empty());
}

/// Every third answer is lost while many reads are in flight; each read still gets its own answer.
#[tokio::test]
async fn many_reads_succeed_although_answers_are_lost() {
    let count = Arc::new(AtomicU32::new(0));
    let script = Script::start(move |seen, _| {
        let whole = Reply::parts(seen, |_| (200, r#""body":7"#));
        match count.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Reply::Begun(Box::new(whole), 90),
            _ => whole,
        }
    })
    .await;
    let pace = Pace { tries: 12, ..script.pace() };
    let client = script.client_with(|builder| builder.pace(pace));
    let parts = (0..400).map(|place| BatchPart::get(format!("/users/{place}"))).collect();
    let answers = client.read_all::<u32>(parts).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(7))));
}

//! The life of tokens, with a sign-in service whose tokens expire soon.

use std::collections::HashMap;
use std::sync::Mutex as Lock;
use std::sync::atomic::AtomicU64;

use serde_json::Value;

use super::*;
use crate::graph::batch::{BatchPart, WriteOutcome};
use crate::graph::scripted_server::{Reply, Script, Seen, token_for};
use crate::graph::{Client, Consistency};

/// Starts a sign-in service whose tokens have this life, and a Graph that refuses expired tokens. Both measure
/// time by this clock.
async fn strict(life: Duration, clock: Clock) -> Script {
    let given = Arc::<Lock<HashMap<String, Moment>>>::default();
    let (valid, of_graph) = (Arc::clone(&given), clock.clone());
    let token = move |_: &Seen, nth: usize| {
        let token = format!("token-{}", nth + 1);
        given.lock().unwrap().insert(format!("Bearer {token}"), clock.now());
        token_for(u32::try_from(life.as_secs()).unwrap(), &token)
    };
    let answer = move |seen: &Seen, _: usize| {
        let given = valid.lock().unwrap();
        let since = seen.header("authorization").and_then(|bearer| given.get(bearer));
        if since.is_some_and(|since| of_graph.age(since) < life) {
            Reply::parts(seen, |_| (204, ""))
        } else {
            Reply::json(401, "")
        }
    };
    Script::start_with(token, answer).await
}

/// Returns a clock, and the seconds by which it is ahead of the clocks of this machine.
fn settable() -> (Clock, Arc<AtomicU64>) {
    let ahead = Arc::new(AtomicU64::new(0));
    let seconds = Arc::clone(&ahead);
    let clock = Clock::by(move || {
        Moment::now().suspended(Duration::from_secs(seconds.load(Ordering::SeqCst)))
    });
    (clock, ahead)
}

/// A run of two hours, whose clock advances by 30 seconds after each write.
#[tokio::test]
async fn tokens_are_renewed_before_they_expire() {
    let (clock, ahead) = settable();
    let script = strict(Duration::from_secs(3600), clock.clone()).await;
    let client = script.client_with(|builder| builder.clock(clock));
    let mut writes = 0;
    while ahead.load(Ordering::SeqCst) < 2 * 3600 {
        let part = BatchPart::delete(format!("/users/{writes}"));
        let outcome = client.write_all(vec![part]).await.remove(0);
        assert!(matches!(outcome, WriteOutcome::Done(_)), "{outcome:?}");
        writes += 1;
        ahead.fetch_add(30, Ordering::SeqCst);
    }
    // No request was refused, so no request was sent twice.
    assert_eq!(script.asked().len(), writes);
    assert_eq!(script.tokens(), 3);
}

#[tokio::test]
async fn token_that_expires_early_is_replaced_during_a_run() {
    // Each token claims a life of an hour, but Graph accepts it for five requests only.
    let uses = Lock::new(HashMap::<String, usize>::new());
    let script = Script::start(move |seen, _| {
        let mut uses = uses.lock().unwrap();
        let used = uses.entry(seen.header("authorization").unwrap().to_owned()).or_default();
        *used += 1;
        if *used > 5 { Reply::json(401, "") } else { Reply::json(200, "{}") }
    })
    .await;
    let client = script.client();
    for _ in 0..20 {
        let _: Value = client.get("/v1.0/users", Consistency::Default).await.unwrap();
    }
    assert_eq!((script.tokens(), script.asked().len()), (4, 23));
}

/// The time of a suspend is part of a token's life, even if the clock of the timers does not count it.
#[tokio::test]
async fn time_of_a_suspend_counts_for_the_age_of_a_token() {
    let script = Script::start(|_, _| Reply::json(200, "{}")).await;
    let (clock, slept) = settable();
    let client = script.client_with(|builder| builder.clock(clock));
    let get = async || client.get::<Value>("/v1.0/users", Consistency::Default).await.unwrap();
    for (seconds, tokens) in [(0, 1), (60, 1), (3000, 2), (3060, 2), (9000, 3)] {
        slept.store(seconds, Ordering::SeqCst);
        get().await;
        assert_eq!(script.tokens(), tokens, "after {seconds} s");
    }
}

/// Nearly every part is refused with the first token, in several batches at the same time.
#[tokio::test]
async fn many_refused_parts_cause_one_renewal() {
    let script = Script::start(|seen, _| {
        let old = seen.header("authorization") == Some("Bearer token-1");
        Reply::parts(seen, |url| match url {
            _ if old && !url.ends_with('7') => (401, r#""body":{}"#),
            _ => (200, r#""body":7"#),
        })
    })
    .await;
    let client = script.client();
    let parts: Vec<_> = (0..100).map(|place| BatchPart::get(format!("/users/{place}"))).collect();
    let answers = client.read_all::<u32>(parts.clone()).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(7))), "{answers:?}");
    assert_eq!((script.tokens(), client.traffic().retries), (2, 0));
    let outcomes = client.write_all(parts).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Done(_))));
    assert_eq!(script.tokens(), 2);
}

#[tokio::test]
async fn parts_refused_with_a_new_token_are_errors() {
    let script = Script::start(|seen, _| Reply::parts(seen, |_| (401, ""))).await;
    let client = script.client();
    let parts: Vec<_> = (0..3).map(|place| BatchPart::get(format!("/users/{place}"))).collect();
    let answers = client.read_all::<u32>(parts.clone()).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().status() == Some(401)));
    let outcomes = client.write_all(parts).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Refused(_))));
    assert!(script.tokens() <= 3, "{}", script.tokens());
}

/// Not every request of a run fetches another token.
#[tokio::test]
async fn graph_that_refuses_every_token_ends_the_run() {
    let script = Script::start(|_, _| Reply::json(401, "")).await;
    let client = script.client();
    let get = async || client.get::<Value>("/v1.0/users", Consistency::Default).await.unwrap_err();
    assert_eq!(get().await.status(), Some(401));
    for _ in 0..5 {
        let error = get().await;
        assert_eq!(error.kind(), ErrorKind::Token);
        assert!(error.to_string().contains("refuses a token that was just renewed"), "{error}");
    }
    assert_eq!(script.tokens(), 2);
}

#[tokio::test]
async fn valid_token_is_used_after_a_failed_renewal() {
    let token = |_: &Seen, nth: usize| match nth {
        0 => token_for(3600, "token-1"),
        _ => Reply::json(
            400,
            r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: Not now.","error_codes":[90033]}"#,
        ),
    };
    let script = Script::start_with(token, |_, _| Reply::json(200, "{}")).await;
    let (clock, ahead) = settable();
    let client: Client = script.client_with(|builder| builder.clock(clock));
    let get = async || client.get::<Value>("/v1.0/users", Consistency::Default).await;
    get().await.unwrap();
    assert_eq!(script.tokens(), 1);
    // The renewal fails after four fifths of the life of the token, which is then used until its end.
    for age in [2900, 3300] {
        ahead.store(age, Ordering::SeqCst);
        get().await.unwrap();
    }
    assert!(script.tokens() > 1, "the token was not renewed");
    ahead.store(3600, Ordering::SeqCst);
    let error = get().await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS90033"));
}

/// The first answer of the sign-in service is slow, cut off or garbage; the second one is good.
#[tokio::test]
async fn token_request_is_retried_if_its_answer_is_lost() {
    let whole = || token_for(3599, "token");
    let replies: Vec<Box<dyn Fn() -> Reply + Send + Sync>> = vec![
        Box::new(|| Reply::Cut),
        Box::new(move || Reply::Begun(Box::new(whole()), 60)),
        Box::new(move || Reply::Begun(Box::new(whole()), whole().bytes().len() - 3)),
        Box::new(|| Reply::json(200, r#"{"token_type":"Bearer","expires_in":35"#)),
        Box::new(|| Reply::json(200, "<html>sign in to the proxy</html>")),
        Box::new(|| Reply::json(503, "").with("Retry-After", "0")),
        Box::new(|| Reply::json(429, "").with("Retry-After", "0")),
        Box::new(move || Reply::Late(Duration::from_secs(9), Box::new(whole()))),
    ];
    let tried = replies.into_iter().enumerate().map(async |(place, reply)| {
        let token = move |_: &Seen, nth: usize| if nth == 0 { reply() } else { whole() };
        let script = Script::start_with(token, |_, _| Reply::json(200, "{}")).await;
        let pace = Pace { silence: Duration::from_millis(200), ..script.pace() };
        let client = script.client_with(|builder| builder.pace(pace));
        let answer: Result<Value, _> = client.get("/v1.0/users", Consistency::Default).await;
        assert!(answer.is_ok(), "{place}: {answer:?}");
        assert_eq!(script.tokens(), 2, "{place}");
    });
    futures_util::future::join_all(tried).await;
}

#[tokio::test]
async fn redirect_by_the_sign_in_service_is_not_followed() {
    let elsewhere = Script::start(|_, _| Reply::json(200, "{}")).await;
    let target = format!("{}/x/oauth2/v2.0/token", elsewhere.address());
    let token = move |_: &Seen, _: usize| Reply::json(307, "").with("Location", target.clone());
    let script = Script::start_with(token, |_, _| Reply::json(200, "{}")).await;
    let error = script.client().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn answer_that_never_is_a_token_is_reported() {
    let token = |_: &Seen, _: usize| Reply::json(200, "<html>sign in to the proxy</html>");
    let script = Script::start_with(token, |_, _| Reply::json(200, "{}")).await;
    let error = script.client().token().await.unwrap_err();
    let expected = ": the answer to the token request is not JSON (200)";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(script.tokens(), 3);
    let token = |_: &Seen, _: usize| Reply::json(403, "<html>no</html>");
    let script = Script::start_with(token, |_, _| Reply::json(200, "{}")).await;
    let error = script.client().token().await.unwrap_err();
    assert_eq!((error.kind(), script.tokens()), (ErrorKind::Token, 1));
    assert!(error.to_string().len() < 250, "{error}");
}

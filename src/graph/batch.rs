//! Up to twenty requests in one.
//!
//! Each part is throttled, and fails, on its own; the answer of the whole says nothing about
//! them. Parts go out in no order: what depends on each other must not be in one call (Graph
//! documentation, "Combine multiple HTTP requests using JSON batching", checked 2026-11).

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{Answer, Ask, Client, Consistency, unreadable};
use super::error::{Error, Kind};
use super::retry::retry_after;

/// Graph takes no more parts in one batch.
const MOST_PARTS: usize = 20;

/// A batch is of one version; only beta knows every path that is needed.
const VERSION: &str = "/beta";

/// One request inside a batch, its path without a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub method: Method,
    pub url: String,
    pub body: Option<Value>,
}

/// What became of a write.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was done, and this was the answer.
    Done(Option<Value>),
    /// It was certainly not done.
    Refused(Error),
    /// It may have been done or not: only reading tells.
    Unknown(Error),
}

/// A part and its place in what the caller gave.
type Placed = (usize, Part);

#[derive(Serialize)]
struct Sent<'a> {
    requests: Vec<SentPart<'a>>,
}

#[derive(Serialize)]
struct SentPart<'a> {
    id: String,
    method: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<HashMap<&'static str, &'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Value>,
}

#[derive(Deserialize)]
struct Received<'a> {
    #[serde(borrow)]
    responses: Vec<ReceivedPart<'a>>,
}

#[derive(Deserialize)]
struct ReceivedPart<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    status: u16,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl Part {
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::GET, url: url.into(), body: None }
    }

    pub fn post(url: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, url: url.into(), body: Some(body) }
    }

    pub fn patch(url: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PATCH, url: url.into(), body: Some(body) }
    }

    pub fn delete(url: impl Into<String>) -> Self {
        Self { method: Method::DELETE, url: url.into(), body: None }
    }

    fn path(&self) -> String {
        format!("{VERSION}{}", self.url)
    }

    fn lost(&self, message: &str) -> Error {
        Error::new(Kind::Cut, &self.method, &self.path()).with_message(message)
    }
}

impl Client {
    /// Reads all parts and gives their answers in the order of the parts.
    pub async fn read_all<T: DeserializeOwned>(&self, parts: Vec<Part>) -> Vec<Result<T, Error>> {
        let mut answers = Vec::with_capacity(parts.len());
        self.read_each(parts, |place, answer| answers.push((place, answer))).await;
        in_order(answers)
    }

    /// Reads any number of parts and hands over each answer as it comes, with the place of its
    /// part. Nothing is kept here, and parts are made only when their turn comes.
    pub async fn read_each<T: DeserializeOwned>(
        &self,
        parts: impl IntoIterator<Item = Part>,
        mut take: impl FnMut(usize, Result<T, Error>),
    ) {
        let batches = stream::iter(batches(parts)).map(|batch| self.read_batch(batch));
        let mut answers = pin!(batches.buffer_unordered(self.lanes()));
        while let Some(batch) = answers.next().await {
            for (place, answer) in batch {
                take(place, answer);
            }
        }
    }

    /// Sends all parts, none of which depends on another, and says what became of each, in their
    /// order.
    pub async fn write_all(&self, parts: Vec<Part>) -> Vec<Outcome> {
        let batches = stream::iter(batches(parts)).map(|batch| self.write_batch(batch));
        let outcomes: Vec<Vec<_>> = batches.buffer_unordered(self.lanes()).collect().await;
        in_order(outcomes.into_iter().flatten().collect())
    }

    /// Asks again for the parts that were not answered, after the longest wait that any of them
    /// was told.
    async fn read_batch<T: DeserializeOwned>(
        &self,
        mut open: Vec<Placed>,
    ) -> Vec<(usize, Result<T, Error>)> {
        let mut done = Vec::with_capacity(open.len());
        for tried in 0.. {
            let (mut again, mut wait) = (Vec::new(), None);
            let answers = self.read_once(&open).await;
            for (part, answer) in open.into_iter().zip(answers) {
                match answer {
                    Err(error) if error.is_passing() && tried + 1 < self.pace.tries => {
                        wait = wait.max(error.retry_after());
                        again.push(part);
                    }
                    answer => done.push((part.0, answer)),
                }
            }
            if again.is_empty() {
                break;
            }
            self.pause(tried, wait).await;
            open = again;
        }
        done
    }

    /// As for reads, but only what was certainly not done is sent again.
    async fn write_batch(&self, mut open: Vec<Placed>) -> Vec<(usize, Outcome)> {
        let mut done = Vec::with_capacity(open.len());
        for tried in 0.. {
            let (mut again, mut wait) = (Vec::new(), None);
            let outcomes = self.write_once(&open).await;
            for (part, outcome) in open.into_iter().zip(outcomes) {
                match outcome {
                    Outcome::Refused(error)
                        if matches!(error.kind(), Kind::Throttled | Kind::Connect)
                            && tried + 1 < self.pace.tries =>
                    {
                        wait = wait.max(error.retry_after());
                        again.push(part);
                    }
                    outcome => done.push((part.0, outcome)),
                }
            }
            if again.is_empty() {
                break;
            }
            self.pause(tried, wait).await;
            open = again;
        }
        done
    }

    async fn read_once<T: DeserializeOwned>(&self, parts: &[Placed]) -> Vec<Result<T, Error>> {
        let of_all = |error: &Error| parts.iter().map(|(_, part)| Err(part.share(error))).collect();
        let ask = match self.ask_for(parts) {
            Ok(ask) => ask,
            Err(error) => return of_all(&error),
        };
        let answer = match self.once(&ask).await {
            Ok(answer) if answer.is_success() => answer,
            Ok(answer) => return of_all(&answer.refusal(&ask)),
            Err(error) => return of_all(&error),
        };
        match self.sort(&answer, parts.len()) {
            Ok(slots) => {
                let pairs = parts.iter().zip(slots);
                pairs.map(|((_, part), slot)| part.read(slot)).collect()
            }
            Err(error) => of_all(&ask.unreadable(&error)),
        }
    }

    async fn write_once(&self, parts: &[Placed]) -> Vec<Outcome> {
        let of_all = |outcome: fn(Error) -> Outcome, error: &Error| {
            parts.iter().map(|(_, part)| outcome(part.share(error))).collect()
        };
        let ask = match self.ask_for(parts) {
            Ok(ask) => ask,
            Err(error) => return of_all(Outcome::Refused, &error),
        };
        let answer = match self.once(&ask).await {
            Ok(answer) if answer.is_success() => answer,
            Ok(answer) => return of_all(not_done(answer.status), &answer.refusal(&ask)),
            Err(error) if matches!(error.kind(), Kind::Connect | Kind::Token) => {
                return of_all(Outcome::Refused, &error);
            }
            Err(error) => return of_all(Outcome::Unknown, &error),
        };
        match self.sort(&answer, parts.len()) {
            Ok(slots) => {
                let pairs = parts.iter().zip(slots);
                pairs.map(|((_, part), slot)| part.written(slot)).collect()
            }
            Err(error) => of_all(Outcome::Unknown, &ask.unreadable(&error)),
        }
    }

    fn ask_for(&self, parts: &[Placed]) -> Result<Ask, Error> {
        let requests = parts.iter().enumerate().map(|(id, (_, part))| SentPart {
            id: id.to_string(),
            method: part.method.as_str(),
            url: &part.url,
            headers: part.body.is_some().then(|| [("Content-Type", "application/json")].into()),
            body: part.body.as_ref(),
        });
        let sent = Sent { requests: requests.collect() };
        let mut ask = self.ask(Method::POST, &format!("{VERSION}/$batch"), Consistency::Default)?;
        let body = serde_json::to_vec(&sent).map_err(|error| ask.unreadable(&error))?;
        ask.body = Some(body);
        Ok(ask)
    }

    /// The answers in the order of the parts. A part answered twice is as good as not answered.
    fn sort<'a>(
        &self,
        answer: &'a Answer,
        count: usize,
    ) -> Result<Vec<Option<ReceivedPart<'a>>>, serde_json::Error> {
        let received: Received<'a> = serde_json::from_slice(&answer.body)?;
        let throttled = received.responses.iter().filter(|part| part.status == 429).count();
        self.count_parts(count, throttled);
        let mut by_id: HashMap<usize, Vec<_>> = HashMap::with_capacity(count);
        for part in received.responses {
            if let Ok(id) = part.id.parse() {
                by_id.entry(id).or_default().push(part);
            }
        }
        let once = |parts: Vec<_>| <[_; 1]>::try_from(parts).ok().map(|[part]| part);
        Ok((0..count).map(|id| by_id.remove(&id).and_then(once)).collect())
    }
}

impl Part {
    /// A failure of the whole batch, told of this part.
    fn share(&self, error: &Error) -> Error {
        error.of_part(&self.method, &self.path())
    }

    fn read<T: DeserializeOwned>(&self, slot: Option<ReceivedPart<'_>>) -> Result<T, Error> {
        let part = slot.ok_or_else(|| self.lost("the batch holds no single answer for it"))?;
        if !part.is_success() {
            return Err(part.refusal(self));
        }
        let body = part.body.map_or("null", RawValue::get);
        serde_json::from_str(body).map_err(|error| unreadable(&error, &self.method, &self.path()))
    }

    fn written(&self, slot: Option<ReceivedPart<'_>>) -> Outcome {
        match slot {
            None => Outcome::Unknown(self.lost("the batch holds no single answer for it")),
            Some(part) if part.is_success() => {
                // What cannot be read is no reason to doubt the status.
                Outcome::Done(part.body.and_then(|body| serde_json::from_str(body.get()).ok()))
            }
            Some(part) => not_done(part.status)(part.refusal(self)),
        }
    }
}

impl ReceivedPart<'_> {
    const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    fn refusal(&self, part: &Part) -> Error {
        let headers: HashMap<Cow<'_, str>, Value> = self
            .headers
            .and_then(|headers| serde_json::from_str(headers.get()).ok())
            .unwrap_or_default();
        let header = |name: &str| {
            let mut pairs = headers.iter();
            let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let wait = header("Retry-After");
        let wait = wait.and_then(|value| retry_after(&value, Timestamp::now()));
        let body = self.body.map(RawValue::get).unwrap_or_default();
        Error::from_answer(self.status, body.as_bytes(), &part.method, &part.path())
            .with_ids(header("request-id").as_deref(), header("client-request-id").as_deref())
            .with_retry_after(wait)
    }
}

/// What a status that is no success says about a write: 4xx means not done, but for the two that
/// mean that the server stopped waiting for somebody else.
const fn not_done(status: u16) -> fn(Error) -> Outcome {
    match status {
        408 | 499 => Outcome::Unknown,
        400..=498 => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

/// Parts by twenties, each with its place.
fn batches(parts: impl IntoIterator<Item = Part>) -> impl Iterator<Item = Vec<Placed>> {
    let mut parts = parts.into_iter().enumerate();
    std::iter::from_fn(move || {
        let batch: Vec<_> = parts.by_ref().take(MOST_PARTS).collect();
        (!batch.is_empty()).then_some(batch)
    })
}

fn in_order<T>(mut answers: Vec<(usize, T)>) -> Vec<T> {
    answers.sort_unstable_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests;

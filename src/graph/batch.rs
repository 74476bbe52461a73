//! Sends up to twenty requests in one batch.
//!
//! Each part is throttled, and fails, by itself; the status of the batch says nothing about its parts. Parts
//! have no order, so requests that depend on each other must not be in one call (Graph documentation,
//! "Combine multiple HTTP requests using JSON batching", checked 2026-11).
//!
//! Not here: the JSON of a batch (`format`), or single requests (`client`).

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use futures_util::StreamExt as _;
use futures_util::stream;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::ResponseRead;
use super::auth::CachedToken;
use super::client::{Client, Consistency, RepeatableRequest};
use super::error::{Error, ErrorKind};
use super::gate::{self, Permit};
use format::{BatchBody, PartHeaders, Received, ReceivedPart, SentPart, not_done};

mod format;

/// The largest number of parts in a batch. Graph accepts no more.
pub const MOST_PARTS: usize = 20;

/// The ids of the parts in a batch, by position.
const NAMES: [&str; MOST_PARTS] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19",
];

/// The approximate length of one request in the body of a batch, in bytes. It sizes the buffer, which then is
/// rarely reallocated.
const PART_LENGTH: usize = 192;

/// The version of Graph for batches. A batch has one version, and only beta has every path that is needed.
const VERSION: &str = "/beta";

/// One request inside a batch, its path without a version.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchPart {
    pub method: Method,
    pub url: String,
    pub body: Option<Value>,
}

/// The answer to a write that was done.
#[derive(Debug, Clone, Default)]
pub struct Done {
    pub body: Option<Value>,
    /// The id with which Microsoft can find the request.
    pub request_id: Option<String>,
}

/// The outcome of a write.
#[derive(Debug, Clone)]
pub enum WriteOutcome {
    /// The write was done, with this answer.
    Done(Done),
    /// The write was certainly not done.
    Refused(Error),
    /// The write may have been done or not: only a read can show it.
    Unknown(Error),
}

/// A part and its position in the caller's list.
type Placed = (usize, BatchPart);

/// The results of sending parts once, in the order of the parts.
struct Round<T> {
    results: Vec<T>,
    /// The token that the parts were sent with, if the batch was answered.
    held: Option<Arc<CachedToken>>,
}

/// The result of a read or a write.
trait Ending {
    /// Returns the result of a part that was not sent.
    fn unsent(error: Error) -> Self;

    /// Returns the error if the part may be sent again: it changed nothing, and the cause is temporary.
    fn passing(&self) -> Option<&Error>;

    fn error(&self) -> Option<&Error>;
}

impl<T> Ending for Result<T, Error> {
    fn unsent(error: Error) -> Self {
        Err(error)
    }

    fn passing(&self) -> Option<&Error> {
        self.error().filter(|error| error.is_passing())
    }

    fn error(&self) -> Option<&Error> {
        self.as_ref().err()
    }
}

impl Ending for WriteOutcome {
    fn unsent(error: Error) -> Self {
        Self::Refused(error)
    }

    fn passing(&self) -> Option<&Error> {
        match self {
            Self::Refused(error)
                if matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Connect) =>
            {
                Some(error)
            }
            _ => None,
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Done(_) | Self::Unknown(_) => None,
        }
    }
}

impl BatchPart {
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::GET, url: url.into(), body: None }
    }

    pub fn post(url: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, url: url.into(), body: Some(body) }
    }

    /// Returns an action without a body.
    pub fn action(url: impl Into<String>) -> Self {
        Self { method: Method::POST, url: url.into(), body: None }
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
}

impl Client {
    /// Reads all parts and returns their answers in the order of the parts.
    pub async fn read_all<T: DeserializeOwned>(
        &self,
        parts: Vec<BatchPart>,
    ) -> Vec<Result<T, Error>> {
        let mut answers = Vec::with_capacity(parts.len());
        self.read_each(parts, |place, answer| answers.push((place, answer))).await;
        in_order(answers)
    }

    /// Reads any number of parts and hands over each answer as it arrives, with the position of its part.
    /// No answer is kept, and a part is made only when it is about to be sent.
    pub async fn read_each<T: DeserializeOwned>(
        &self,
        parts: impl IntoIterator<Item = BatchPart>,
        take: impl FnMut(usize, Result<T, Error>),
    ) {
        self.read_each_as(parts, |_, text| serde_json::from_str(text), take).await;
    }

    /// The same as [`Self::read_each`], but `parse` makes each answer from the position and the text of its
    /// part. So `parse` can work on borrowed text instead of a copy.
    pub async fn read_each_as<T>(
        &self,
        parts: impl IntoIterator<Item = BatchPart>,
        parse: impl Fn(usize, &str) -> serde_json::Result<T>,
        mut take: impl FnMut(usize, Result<T, Error>),
    ) {
        let parse = &parse;
        let batches = stream::iter(batches(parts)).map(|batch| self.read_batch(batch, parse));
        let mut answers = pin!(batches.buffer_unordered(self.lanes()));
        while let Some(batch) = answers.next().await {
            for (place, answer) in batch {
                take(place, answer);
            }
        }
    }

    /// Reads the parts of one batch, at most [`MOST_PARTS`], and returns the results of `parse` with the
    /// positions of the parts, in no order.
    pub async fn read_few<T>(
        &self,
        parts: Vec<BatchPart>,
        parse: impl Fn(usize, &str) -> serde_json::Result<T>,
    ) -> Vec<(usize, Result<T, Error>)> {
        self.read_batch(parts.into_iter().enumerate().collect(), &parse).await
    }

    /// Sends all parts and returns the outcome of each, in their order. No part may depend on another.
    pub async fn write_all(&self, parts: Vec<BatchPart>) -> Vec<WriteOutcome> {
        self.write_until(async || pending().await, parts).await
    }

    /// The same as [`Self::write_all`], but after `over` has ended nothing more is sent: a part that waits
    /// for its quota, or for another try, is refused as [`ErrorKind::Withdrawn`]. Parts that are in flight are
    /// waited for.
    pub async fn write_until(
        &self,
        over: impl AsyncFn(),
        parts: Vec<BatchPart>,
    ) -> Vec<WriteOutcome> {
        let over = &over;
        let batches = stream::iter(batches(parts)).map(|batch| self.write_batch(batch, over));
        let outcomes: Vec<Vec<_>> = batches.buffer_unordered(self.lanes()).collect().await;
        in_order(outcomes.into_iter().flatten().collect())
    }

    async fn read_batch<T>(
        &self,
        open: Vec<Placed>,
        parse: &impl Fn(usize, &str) -> serde_json::Result<T>,
    ) -> Vec<(usize, Result<T, Error>)> {
        let over = async || pending().await;
        self.rounds(open, async |parts, tried| self.read_once(parts, tried, parse).await, &over)
            .await
    }

    async fn write_batch(
        &self,
        open: Vec<Placed>,
        over: &impl AsyncFn(),
    ) -> Vec<(usize, WriteOutcome)> {
        self.rounds(open, async |parts, tried| self.write_once(parts, tried, over).await, over)
            .await
    }

    /// Sends parts again while that is allowed, each time after the longest `Retry-After` of these parts.
    async fn rounds<T: Ending>(
        &self,
        mut open: Vec<Placed>,
        once: impl AsyncFn(&[Placed], u32) -> Round<T>,
        over: &impl AsyncFn(),
    ) -> Vec<(usize, T)> {
        let mut done = Vec::with_capacity(open.len());
        let mut renewed = false;
        for tried in 0.. {
            let round = once(&open, tried).await;
            let fresh = !renewed && self.renew_for(&round).await;
            let (mut again, mut wait, mut before) = (Vec::new(), None, None);
            for (part, result) in open.into_iter().zip(round.results) {
                match result.passing() {
                    Some(error) if tried + 1 < self.tries_at(error) => {
                        wait = wait.max(error.retry_after());
                        before = Some(error.clone());
                        again.push(part);
                    }
                    None if fresh && is_unauthorized(&result) => again.push(part),
                    _ => done.push((part.0, result)),
                }
            }
            if again.is_empty() {
                break;
            }
            renewed |= fresh;
            let pause = async {
                tokio::select! {
                    biased;
                    // The next try finds that `over` has ended, and withdraws its parts.
                    () = over() => Ok(()),
                    paused = self.pause(tried, wait) => paused,
                }
            };
            // After a new token there is no reason to wait.
            if before.is_some()
                && let Err(over) = pause.await
            {
                let unsent =
                    |part: &BatchPart| over.unsent(&part.method, &part.path(), before.as_ref());
                done.extend(again.iter().map(|(place, part)| (*place, T::unsent(unsent(part)))));
                break;
            }
            open = again;
        }
        done
    }

    /// Fetches one new token if the token of any part was refused. Returns whether there is a new token.
    async fn renew_for<T: Ending>(&self, round: &Round<T>) -> bool {
        match &round.held {
            Some(held) if round.results.iter().any(is_unauthorized) => self.renew(held).await,
            _ => false,
        }
    }

    async fn read_once<T>(
        &self,
        parts: &[Placed],
        tried: u32,
        parse: &impl Fn(usize, &str) -> serde_json::Result<T>,
    ) -> Round<Result<T, Error>> {
        let of_all = |error: &Error| Round {
            results: parts.iter().map(|(_, part)| Err(part.share(error))).collect(),
            held: None,
        };
        let ask = match self.ask_for(parts, tried) {
            Ok(ask) => ask,
            Err(error) => return of_all(&error),
        };
        let (answer, permit) = match self.once(&ask).await {
            Ok((answer, permit)) if answer.is_success() => (answer, permit),
            Ok((answer, permit)) => return of_all(&answer.refused(permit, &ask)),
            Err(error) => return of_all(&error),
        };
        match self.sort(&answer, permit, parts) {
            Ok(slots) => {
                let pairs = parts.iter().zip(slots);
                let read = pairs.map(|((place, part), slot)| {
                    part.read(slot, &answer, |text| parse(*place, text))
                });
                let results = read.collect();
                Round { results, held: Some(answer.held) }
            }
            Err(error) => of_all(&ask.unreadable(&error)),
        }
    }

    async fn write_once(
        &self,
        parts: &[Placed],
        tried: u32,
        over: &impl AsyncFn(),
    ) -> Round<WriteOutcome> {
        let of_all = |outcome: fn(Error) -> WriteOutcome, error: &Error| Round {
            results: parts.iter().map(|(_, part)| outcome(part.share(error))).collect(),
            held: None,
        };
        let ask = match self.ask_for(parts, tried) {
            Ok(ask) => ask,
            Err(error) => return of_all(WriteOutcome::Refused, &error),
        };
        let (answer, permit) = match self.once_unless(&ask, over).await {
            Ok((answer, permit)) if answer.is_success() => (answer, permit),
            Ok((answer, permit)) => {
                return of_all(not_done(answer.status), &answer.refused(permit, &ask));
            }
            // Nothing was sent.
            Err(error) if error.concerns_all() || error.kind() == ErrorKind::Withdrawn => {
                return of_all(WriteOutcome::Refused, &error);
            }
            Err(error) => return of_all(WriteOutcome::Unknown, &error),
        };
        match self.sort(&answer, permit, parts) {
            Ok(slots) => {
                let pairs = parts.iter().zip(slots);
                let results = pairs.map(|((_, part), slot)| part.written(slot, &answer)).collect();
                Round { results, held: Some(answer.held) }
            }
            Err(error) => of_all(WriteOutcome::Unknown, &ask.unreadable(&error)),
        }
    }

    fn ask_for(&self, parts: &[Placed], tried: u32) -> Result<RepeatableRequest, Error> {
        let requests = parts.iter().zip(NAMES).map(|((_, part), id)| SentPart {
            id,
            method: part.method.as_str(),
            url: &part.url,
            headers: PartHeaders::of(part),
            body: part.body.as_ref(),
        });
        let sent = BatchBody { requests: requests.collect() };
        let mut ask = self.ask(Method::POST, &format!("{VERSION}/$batch"), Consistency::Default)?;
        let mut body = Vec::with_capacity(PART_LENGTH * (parts.len() + 1));
        serde_json::to_writer(&mut body, &sent).map_err(|error| ask.unreadable(&error))?;
        ask.body = Some(body);
        let writes = parts.iter().any(|(_, part)| part.method != Method::GET);
        ask.cost =
            (if writes { gate::QuotaKind::Writes } else { gate::QuotaKind::Reads }, parts.len());
        ask.sent = AtomicU32::new(tried);
        Ok(ask)
    }

    /// Returns the answers in the order of the parts. A part with two answers counts as not answered.
    fn sort<'a>(
        &self,
        answer: &'a ResponseRead,
        permit: Permit,
        parts: &[Placed],
    ) -> Result<Vec<Option<ReceivedPart<'a>>>, serde_json::Error> {
        let writes = parts.iter().any(|(_, part)| part.method != Method::GET);
        self.counters.parts(parts.len(), writes);
        let received: Received<'a> = serde_json::from_slice(&answer.body)?;
        let report = received.said(answer);
        self.counters.throttled(report.refused);
        permit.answered(report);
        let mut slots: Vec<Slot<'a>> = parts.iter().map(|_| Slot::Missing).collect();
        for part in received.responses {
            let place = NAMES.iter().position(|name| *name == part.id);
            if let Some(slot) = place.and_then(|place| slots.get_mut(place)) {
                *slot = match slot {
                    Slot::Missing => Slot::Once(part),
                    Slot::Once(_) | Slot::Twice => Slot::Twice,
                };
            }
        }
        Ok(slots.into_iter().map(Slot::once).collect())
    }
}

/// The answers to one part.
enum Slot<'a> {
    Missing,
    Once(ReceivedPart<'a>),
    Twice,
}

impl<'a> Slot<'a> {
    fn once(self) -> Option<ReceivedPart<'a>> {
        match self {
            Self::Once(part) => Some(part),
            Self::Missing | Self::Twice => None,
        }
    }
}

/// Returns whether a part was refused because of its token, so that nothing was done.
fn is_unauthorized<T: Ending>(result: &T) -> bool {
    result.error().is_some_and(|error| error.status() == Some(401))
}

/// Splits parts into batches of twenty, each part with its position.
fn batches(parts: impl IntoIterator<Item = BatchPart>) -> impl Iterator<Item = Vec<Placed>> {
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

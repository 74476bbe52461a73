//! Up to twenty requests in one.
//!
//! Each part is throttled, and fails, on its own; the answer of the whole says nothing about
//! them. Parts go out in no order: what depends on each other must not be in one call (Graph
//! documentation, "Combine multiple HTTP requests using JSON batching", checked 2026-11).

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use futures_util::StreamExt as _;
use futures_util::stream;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Answer;
use super::auth::Held;
use super::client::{Ask, Client, Consistency};
use super::error::{Error, Kind};
use super::gate::{self, Permit};
use format::{PartHeaders, Received, ReceivedPart, Sent, SentPart, not_done};

mod format;

/// Graph takes no more parts in one batch.
pub const MOST_PARTS: usize = 20;

/// What the parts of a batch are called in it, by their places.
const NAMES: [&str; MOST_PARTS] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19",
];

/// About the length of a part as it is sent, so that a body is not moved while it grows.
const PART_LENGTH: usize = 192;

/// A batch is of one version; only beta knows every path that is needed.
const VERSION: &str = "/beta";

/// One request inside a batch, its path without a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub method: Method,
    pub url: String,
    pub body: Option<Value>,
}

/// The answer to a write that was done.
#[derive(Debug, Clone, Default)]
pub struct Done {
    pub body: Option<Value>,
    /// By which Microsoft finds it again.
    pub request_id: Option<String>,
}

/// What became of a write.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was done, and this was the answer.
    Done(Done),
    /// It was certainly not done.
    Refused(Error),
    /// It may have been done or not: only reading tells.
    Unknown(Error),
}

/// A part and its place in what the caller gave.
type Placed = (usize, Part);

/// What came of sending parts once, in their order.
struct Round<T> {
    results: Vec<T>,
    /// The token that they were sent with, where they were answered at all.
    held: Option<Arc<Held>>,
}

/// What a read or a write can come to.
trait Ending {
    /// Of a part that was not sent.
    fn unsent(error: Error) -> Self;

    /// Why the part may be sent again: it is known to have done nothing, and that will pass.
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

impl Ending for Outcome {
    fn unsent(error: Error) -> Self {
        Self::Refused(error)
    }

    fn passing(&self) -> Option<&Error> {
        match self {
            Self::Refused(error) if matches!(error.kind(), Kind::Throttled | Kind::Connect) => {
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

impl Part {
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::GET, url: url.into(), body: None }
    }

    pub fn post(url: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, url: url.into(), body: Some(body) }
    }

    /// An action that takes nothing.
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
        take: impl FnMut(usize, Result<T, Error>),
    ) {
        self.read_each_as(parts, |_, text| serde_json::from_str(text), take).await;
    }

    /// The same, with answers that are what `parse` makes of the place and the text of each: what
    /// borrows of the text need not be copied.
    pub async fn read_each_as<T>(
        &self,
        parts: impl IntoIterator<Item = Part>,
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

    /// Reads parts of one batch, of which there are [`MOST_PARTS`] at most, and gives what
    /// `parse` makes of their answers, with the places of the parts, in no order.
    pub async fn read_few<T>(
        &self,
        parts: Vec<Part>,
        parse: impl Fn(usize, &str) -> serde_json::Result<T>,
    ) -> Vec<(usize, Result<T, Error>)> {
        self.read_batch(parts.into_iter().enumerate().collect(), &parse).await
    }

    /// Sends all parts, none of which depends on another, and says what became of each, in their
    /// order.
    pub async fn write_all(&self, parts: Vec<Part>) -> Vec<Outcome> {
        self.write_until(async || pending().await, parts).await
    }

    /// The same, but once `over` is over nothing more is sent: what waits for its quota, or to be sent
    /// again, is refused as [`Kind::Withdrawn`]. What is under way by then is waited for.
    pub async fn write_until(&self, over: impl AsyncFn(), parts: Vec<Part>) -> Vec<Outcome> {
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

    async fn write_batch(&self, open: Vec<Placed>, over: &impl AsyncFn()) -> Vec<(usize, Outcome)> {
        self.rounds(open, async |parts, tried| self.write_once(parts, tried, over).await, over)
            .await
    }

    /// Sends again what may be sent again, after the longest wait that any part of it was told.
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
                    // Whoever would be next hears of it.
                    () = over() => Ok(()),
                    paused = self.pause(tried, wait) => paused,
                }
            };
            // A new token is no reason to wait.
            if before.is_some()
                && let Err(over) = pause.await
            {
                let unsent = |part: &Part| over.unsent(&part.method, &part.path(), before.as_ref());
                done.extend(again.iter().map(|(place, part)| (*place, T::unsent(unsent(part)))));
                break;
            }
            open = again;
        }
        done
    }

    /// One token for all parts that were refused theirs, and whether there is another one.
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
    ) -> Round<Outcome> {
        let of_all = |outcome: fn(Error) -> Outcome, error: &Error| Round {
            results: parts.iter().map(|(_, part)| outcome(part.share(error))).collect(),
            held: None,
        };
        let ask = match self.ask_for(parts, tried) {
            Ok(ask) => ask,
            Err(error) => return of_all(Outcome::Refused, &error),
        };
        let (answer, permit) = match self.once_unless(&ask, over).await {
            Ok((answer, permit)) if answer.is_success() => (answer, permit),
            Ok((answer, permit)) => {
                return of_all(not_done(answer.status), &answer.refused(permit, &ask));
            }
            // Nothing was sent.
            Err(error) if error.concerns_all() || error.kind() == Kind::Withdrawn => {
                return of_all(Outcome::Refused, &error);
            }
            Err(error) => return of_all(Outcome::Unknown, &error),
        };
        match self.sort(&answer, permit, parts) {
            Ok(slots) => {
                let pairs = parts.iter().zip(slots);
                let results = pairs.map(|((_, part), slot)| part.written(slot, &answer)).collect();
                Round { results, held: Some(answer.held) }
            }
            Err(error) => of_all(Outcome::Unknown, &ask.unreadable(&error)),
        }
    }

    fn ask_for(&self, parts: &[Placed], tried: u32) -> Result<Ask, Error> {
        let requests = parts.iter().zip(NAMES).map(|((_, part), id)| SentPart {
            id,
            method: part.method.as_str(),
            url: &part.url,
            headers: PartHeaders::of(part),
            body: part.body.as_ref(),
        });
        let sent = Sent { requests: requests.collect() };
        let mut ask = self.ask(Method::POST, &format!("{VERSION}/$batch"), Consistency::Default)?;
        let mut body = Vec::with_capacity(PART_LENGTH * (parts.len() + 1));
        serde_json::to_writer(&mut body, &sent).map_err(|error| ask.unreadable(&error))?;
        ask.body = Some(body);
        let writes = parts.iter().any(|(_, part)| part.method != Method::GET);
        ask.cost = (if writes { gate::Kind::Writes } else { gate::Kind::Reads }, parts.len());
        ask.sent = AtomicU32::new(tried);
        Ok(ask)
    }

    /// The answers in the order of the parts. A part answered twice is as good as not answered.
    fn sort<'a>(
        &self,
        answer: &'a Answer,
        permit: Permit,
        parts: &[Placed],
    ) -> Result<Vec<Option<ReceivedPart<'a>>>, serde_json::Error> {
        let writes = parts.iter().any(|(_, part)| part.method != Method::GET);
        self.counters.parts(parts.len(), writes);
        let received: Received<'a> = serde_json::from_slice(&answer.body)?;
        let said = received.said(answer);
        self.counters.throttled(said.refused);
        permit.answered(said);
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

/// What came for one part.
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

/// Whether a part was refused for its token, and nothing was done.
fn is_unauthorized<T: Ending>(result: &T) -> bool {
    result.error().is_some_and(|error| error.status() == Some(401))
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

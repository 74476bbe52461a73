//! Sends one request: the token, the headers, the tries.
//!
//! Not here: the answer (`answer`), many requests in one (`batch`), or a list with pages (`paging`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER};
use serde::de::DeserializeOwned;
use tracing::debug;
use url::Url;
use uuid::Uuid;

use super::answer::ResponseRead;
use super::auth::{CachedToken, Credential, JobToken, Tokens};
use super::body::{Bodies, Body, MOST_OF_GRAPH, MOST_OF_OTHERS, NoBody, too_long};
use super::deadline::{Deadline, Over};
use super::endpoint::Endpoints;
use super::error::{Error, ErrorKind};
use super::gate::{self, Gate, Permit, QuotaReport};
use super::http::{Http, authorities};
use super::redact::without_numbers;
use super::retry::{Pace, millis};
use super::stage::ProgressLine;
use super::token::Token;
use super::traffic::{Counters, Traffic};
use crate::moment::Clock;
use crate::transport::retry_after;

/// The largest number of batches in flight. The quota decides how many there really are.
const LANES: usize = 128;

/// The priority header: a run over many users gives way to people who wait at a screen (Graph documentation,
/// "Throttling guidance", checked 2026-11).
pub(super) const PRIORITY: (&str, &str) = ("x-ms-throttle-priority", "Low");
/// The header that says how full the quota is, if it is nearly full.
pub(super) const PRESSURE: &str = "x-ms-throttle-limit-percentage";

/// A client of one Graph, with one credential.
pub struct Client {
    http: Http,
    endpoints: Endpoints,
    pub(super) tokens: Tokens,
    pub(super) pace: Pace,
    deadline: Deadline,
    pub(super) gate: Gate,
    pub(super) counters: Counters,
    pub(super) told: ProgressLine,
    /// Whether Graph has answered, with any status.
    answered: AtomicBool,
    bodies: Bodies,
}

/// The settings of a [`Client`] before it is built.
#[derive(Debug, Clone)]
pub struct Builder {
    endpoints: Endpoints,
    pace: Pace,
    share: u8,
    deadline: Option<Duration>,
    ca_file: Option<PathBuf>,
    clock: Clock,
}

/// The kind of index that Graph answers a list from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    #[default]
    Default,
    /// An index that may be out of date. Some filters and counts need it.
    Eventual,
}

/// A request that may be sent more than once.
pub(super) struct RepeatableRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) consistency: Consistency,
    pub(super) body: Option<Vec<u8>>,
    /// The quota that it counts against, and its cost in units.
    pub(super) cost: (gate::QuotaKind, usize),
    /// How often it was already sent.
    pub(super) sent: AtomicU32,
}

impl Builder {
    /// Sets the number of tries, the waits and the timeouts.
    #[must_use]
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Sets the share of the tenant's quotas to use, in percent. The rest is for other programs.
    #[must_use]
    pub const fn share(mut self, percent: u8) -> Self {
        self.share = percent;
        self
    }

    /// Sets the total time of all requests, starting at [`Self::build`]. After it, every request fails and
    /// nothing more is sent.
    #[must_use]
    pub const fn deadline(mut self, total: Duration) -> Self {
        self.deadline = Some(total);
        self
    }

    /// Sets a file with certificates in PEM form: authorities to trust in addition to the system's.
    #[must_use]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Sets the clock that measures the age of tokens.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub fn build(self, credential: Credential) -> Result<Client, Error> {
        let trusted = self.ca_file.as_deref().map(|file: &Path| authorities(file)).transpose()?;
        let http = Http::new(&self.endpoints, self.pace, trusted.unwrap_or_default());
        let tokens =
            Tokens::new(credential, self.endpoints.clone(), http.clone(), self.pace, self.clock);
        Ok(Client {
            http,
            gate: Gate::new(self.share, &self.pace, self.endpoints.are_local()),
            endpoints: self.endpoints,
            tokens,
            pace: self.pace,
            deadline: self.deadline.map(Deadline::after).unwrap_or_default(),
            counters: Counters::default(),
            told: ProgressLine::default(),
            answered: AtomicBool::new(false),
            bodies: Bodies::default(),
        })
    }
}

impl Client {
    #[must_use]
    pub fn builder(endpoints: Endpoints) -> Builder {
        let pace = Pace::default();
        Builder {
            endpoints,
            pace,
            share: 100,
            deadline: None,
            ca_file: None,
            clock: Clock::default(),
        }
    }

    /// Reads one object, or one page of a list. The path begins with the version.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        consistency: Consistency,
    ) -> Result<T, Error> {
        let ask = self.ask(Method::GET, path_and_query, consistency)?;
        self.read(&ask).await
    }

    /// Returns the claims of the current token.
    pub async fn token(&self) -> Result<Token, Error> {
        let token = self.deadline.within(self.tokens.describe()).await;
        token.unwrap_or_else(|over| Err(over.unsent(&Method::POST, "/oauth2/v2.0/token", None)))
    }

    /// Describes the credential in words.
    #[must_use]
    pub fn credential(&self) -> String {
        self.tokens.credential().describe()
    }

    /// Returns the identity token of this job, if this client signed in with one.
    #[must_use]
    pub fn job_token(&self) -> Option<JobToken> {
        self.tokens.credential().job_token()
    }

    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Returns the number of requests sent, and of bytes sent and received, by this client so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic { waited: self.gate.waited(), ..self.counters.so_far() }
    }

    /// Notes that the tenant has at least this number of users. The size of a quota depends on it.
    pub fn tenant_has(&self, users: usize) {
        self.gate.tenant_has(users);
    }

    /// Returns the largest useful number of batches in flight.
    #[must_use]
    pub const fn lanes(&self) -> usize {
        LANES
    }

    /// Makes a request to a path of Graph, or to an address that Graph gave. Any other host is an error.
    pub(super) fn ask(
        &self,
        method: Method,
        address: &str,
        consistency: Consistency,
    ) -> Result<RepeatableRequest, Error> {
        match self.endpoints.graph().join(address) {
            Ok(url) if self.endpoints.is_graph(&url) => {
                let cost = gate::QuotaKind::of(&method, url.path());
                Ok(RepeatableRequest {
                    method,
                    url,
                    consistency,
                    body: None,
                    cost,
                    sent: AtomicU32::new(0),
                })
            }
            Ok(url) => Err(Error::new(ErrorKind::ForeignHost, &method, url.path())
                .with_message(&url.origin().ascii_serialization())),
            Err(_) => Err(Error::new(ErrorKind::ForeignHost, &method, address)),
        }
    }

    /// Sends a request that may be repeated, until there is an answer or the tries are used up. A garbled
    /// answer counts as no answer.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        ask: &RepeatableRequest,
    ) -> Result<T, Error> {
        let mut tried = 0;
        loop {
            let error = match self.once(ask).await {
                Ok((answer, permit)) if answer.is_success() => {
                    permit.answered(QuotaReport {
                        pressure: answer.pressure,
                        ..QuotaReport::default()
                    });
                    match serde_json::from_slice(&answer.body) {
                        Ok(value) => return Ok(value),
                        Err(error) => ask.unreadable(&error),
                    }
                }
                Ok((answer, permit)) => answer.refused(permit, ask),
                Err(error) => error,
            };
            if !error.is_passing() || tried + 1 >= self.tries_at(&error) {
                return Err(error);
            }
            if let Err(over) = self.pause(tried, error.retry_after()).await {
                return Err(over.unsent(&ask.method, ask.url.path(), Some(&error)));
            }
            tried += 1;
        }
    }

    /// Sends a request once, or twice if the token was refused: a refused token means that nothing was
    /// done. Any status is an answer. The caller must report to the permit what it says about the quota.
    pub(super) async fn once(
        &self,
        ask: &RepeatableRequest,
    ) -> Result<(ResponseRead, Permit), Error> {
        let permit = self.enter(ask).await?;
        self.once_entered(ask, permit).await
    }

    /// Waits until the quota admits the request.
    pub(super) async fn enter(&self, ask: &RepeatableRequest) -> Result<Permit, Error> {
        let (kind, units) = ask.cost;
        let permit = self.deadline.within(self.gate.enter(kind, units)).await;
        permit.map_err(|over| over.unsent(&ask.method, ask.url.path(), None))
    }

    /// The same as [`Self::once`], after the wait for the quota.
    async fn once_entered(
        &self,
        ask: &RepeatableRequest,
        permit: Permit,
    ) -> Result<(ResponseRead, Permit), Error> {
        let held = self.in_time(ask, self.tokens.current()).await?;
        let answer = self.send(ask, held).await?;
        if answer.status != 401 {
            return Ok((answer, permit));
        }
        let renewed = self.in_time(ask, self.tokens.renewed(&answer.held)).await?;
        Ok((self.send(ask, renewed).await?, permit))
    }

    /// The same as [`Self::once`], for a write that must not be sent after `over` has ended, also if it still
    /// waits for a quota or a token.
    pub(super) async fn once_unless(
        &self,
        ask: &RepeatableRequest,
        over: &impl AsyncFn(),
    ) -> Result<(ResponseRead, Permit), Error> {
        let withdrawn = || Error::new(ErrorKind::Withdrawn, &ask.method, ask.url.path());
        let ready = async {
            let permit = self.enter(ask).await?;
            Ok((permit, self.in_time(ask, self.tokens.current()).await?))
        };
        let (permit, held) = tokio::select! {
            biased;
            () = over() => return Err(withdrawn()),
            ready = ready => ready?,
        };
        let answer = self.send(ask, held).await?;
        if answer.status != 401 {
            return Ok((answer, permit));
        }
        let renewed = tokio::select! {
            biased;
            () = over() => return Err(withdrawn()),
            renewed = self.in_time(ask, self.tokens.renewed(&answer.held)) => renewed?,
        };
        Ok((self.send(ask, renewed).await?, permit))
    }

    /// Waits for a token, unless the total time is over first.
    async fn in_time(
        &self,
        ask: &RepeatableRequest,
        token: impl Future<Output = Result<Arc<CachedToken>, Error>>,
    ) -> Result<Arc<CachedToken>, Error> {
        let token = self.deadline.within(token).await;
        token.unwrap_or_else(|over| Err(over.unsent(&ask.method, ask.url.path(), None)))
    }

    /// Renews a refused token. Returns whether there is a new one.
    pub(super) async fn renew(&self, refused: &Arc<CachedToken>) -> bool {
        matches!(self.deadline.within(self.tokens.renewed(refused)).await, Ok(Ok(_)))
    }

    /// Returns how often to try after this error.
    pub(super) fn tries_at(&self, error: &Error) -> u32 {
        let answered = self.answered.load(Ordering::Relaxed);
        let pace = if answered { self.pace.once_answered() } else { self.pace };
        pace.tries_at(error)
    }

    /// Waits before the next try, unless the total time would be over by then.
    pub(super) async fn pause(&self, tried: u32, asked: Option<Duration>) -> Result<(), Over> {
        let wait = self.pace.wait(tried, asked);
        debug!(ms = millis(wait), asked = asked.is_some(), "wait");
        self.deadline.wait(wait).await?;
        self.counters.tried_again();
        Ok(())
    }

    /// Reads a public document without a token. Returns its status and body.
    pub(super) async fn open_document(&self, url: &Url) -> Result<(u16, Body), Error> {
        let (get, path) = (Method::GET, url.path());
        let lost = |error| Error::from_sending(error, &Method::GET, path);
        let client = self.http.to(url).map_err(lost)?;
        let exchange = async {
            let response = client.get(url.clone()).send().await.map_err(lost)?;
            let status = response.status().as_u16();
            debug!(method = %get, path, status, "call");
            let body = self.bodies.read(response, MOST_OF_OTHERS).await;
            Ok((status, body.map_err(|why| no_body(why, &Method::GET, path))?))
        };
        let answer = self.deadline.within(exchange).await;
        answer.unwrap_or_else(|over| Err(over.in_flight(&Method::GET, path)))
    }

    async fn send(
        &self,
        ask: &RepeatableRequest,
        held: Arc<CachedToken>,
    ) -> Result<ResponseRead, Error> {
        let (method, path) = (&ask.method, ask.url.path());
        self.deadline.check().map_err(|over| over.unsent(method, path, None))?;
        let client_request_id = Uuid::new_v4().to_string();
        let tries = ask.sent.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let started = Instant::now();
        let exchange = self.exchange(ask, held, &client_request_id);
        let result = match self.deadline.within(exchange).await {
            Ok(result) => result,
            Err(over) => Err(over.in_flight(method, path)),
        };
        let result = result.map_err(|error| error.with_ids(None, Some(&client_request_id)));
        let answer = result.as_ref().ok();
        debug!(
            %method,
            path = without_numbers(path),
            status = answer.map(|answer| answer.status),
            failed = result.as_ref().err().map(|error| tracing::field::debug(error.kind())),
            request_id = answer.and_then(|answer| answer.request_id.as_deref()),
            client_request_id,
            tries,
            ms = millis(started.elapsed()),
            "call"
        );
        result
    }

    async fn exchange(
        &self,
        ask: &RepeatableRequest,
        held: Arc<CachedToken>,
        id: &str,
    ) -> Result<ResponseRead, Error> {
        let lost = |error| Error::from_sending(error, &ask.method, ask.url.path());
        let client = self.http.to(&ask.url).map_err(lost)?;
        let mut request = client
            .request(ask.method.clone(), ask.url.clone())
            .header(AUTHORIZATION, &held.bearer)
            .header("client-request-id", id)
            .header("return-client-request-id", "true")
            .header(PRIORITY.0, PRIORITY.1);
        if ask.consistency == Consistency::Eventual {
            request = request.header("ConsistencyLevel", "eventual");
        }
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        self.counters.sent(ask);
        let response = request.send().await.map_err(lost)?;
        self.answered.store(true, Ordering::Relaxed);
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let status = response.status().as_u16();
        let (request_id, date) = (header("request-id"), header(DATE.as_str()));
        let wait = header(RETRY_AFTER.as_str());
        let wait = wait.and_then(|value| retry_after(&value, date.as_deref()));
        match status {
            429 => self.counters.throttled(1),
            401 => {}
            _ => held.was_taken(),
        }
        let pressure = header(PRESSURE).as_deref().and_then(gate::pressure);
        let is_success = matches!(status, 200..=299);
        let most = if is_success { MOST_OF_GRAPH } else { MOST_OF_OTHERS };
        let body = match self.bodies.read(response, most).await {
            // The status is enough: a refusal needs no message.
            Err(NoBody::TooLong(_)) if !is_success => Body::default(),
            body => body.map_err(|why| no_body(why, &ask.method, ask.url.path()))?,
        };
        self.counters.received(body.len());
        Ok(ResponseRead {
            status,
            body,
            held,
            date,
            request_id,
            client_request_id: id.to_owned(),
            retry_after: wait,
            pressure,
        })
    }
}

fn no_body(why: NoBody, method: &Method, path: &str) -> Error {
    match why {
        NoBody::Lost(error) => Error::from_sending(error, method, path),
        NoBody::TooLong(most) => {
            Error::new(ErrorKind::TooLong, method, path).with_message(&too_long(most))
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod weather;

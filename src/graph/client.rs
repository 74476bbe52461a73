//! One request and its answer: the token, the headers, the tries.
//!
//! Not here: many requests in one (`batch`), or a list in pages (`paging`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use super::auth::{Credential, Tokens};
use super::endpoint::Endpoints;
use super::error::{Error, Kind};
use super::retry::{Pace, retry_after};
use super::token::Token;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Graph itself gives up after 60 seconds: its answer is to come before ours (Graph
/// documentation, "Microsoft Entra authentication methods API overview", checked 2026-11).
const READ_TIMEOUT: Duration = Duration::from_secs(65);

/// Batches under way at a time, unless told otherwise.
const LANES: usize = 8;

/// Speaks to one Graph as one caller.
pub struct Client {
    http: reqwest::Client,
    endpoints: Endpoints,
    tokens: Tokens,
    pub(super) pace: Pace,
    lanes: usize,
    counters: Counters,
}

/// A [`Client`] to be.
#[derive(Debug, Clone)]
pub struct Builder {
    endpoints: Endpoints,
    pace: Pace,
    lanes: usize,
}

/// What a list is served from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    #[default]
    Default,
    /// An index that may lag behind, which some filters and counts need.
    Eventual,
}

/// What went over the wire so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    pub requests: u64,
    /// Parts inside the batches among the requests.
    pub parts: u64,
    /// Waits before a try that was not the first.
    pub retries: u64,
    /// Answers of 429, those of parts included.
    pub throttled: u64,
}

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    parts: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
}

/// A request as it may be sent more than once.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) consistency: Consistency,
    pub(super) body: Option<Vec<u8>>,
}

/// An answer of any status, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    request_id: Option<String>,
    client_request_id: String,
    retry_after: Option<Duration>,
}

impl Builder {
    /// How often and how fast is tried again.
    #[must_use]
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// How many batches are under way at a time, at least one.
    #[must_use]
    pub const fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = if lanes == 0 { 1 } else { lanes };
        self
    }

    pub fn build(self, credential: Credential) -> Result<Client, Error> {
        let http = http(&self.endpoints)?;
        let tokens = Tokens::new(credential, self.endpoints.clone(), http.clone(), self.pace);
        Ok(Client {
            http,
            endpoints: self.endpoints,
            tokens,
            pace: self.pace,
            lanes: self.lanes,
            counters: Counters::default(),
        })
    }
}

impl Client {
    #[must_use]
    pub fn builder(endpoints: Endpoints) -> Builder {
        Builder { endpoints, pace: Pace::default(), lanes: LANES }
    }

    /// Reads one object, or one page, from a path that begins with its version.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        consistency: Consistency,
    ) -> Result<T, Error> {
        let ask = self.ask(Method::GET, path_and_query, consistency)?;
        let body = self.read(&ask).await?;
        serde_json::from_slice(&body).map_err(|error| ask.unreadable(&error))
    }

    /// What the caller's token says about itself.
    pub async fn token(&self) -> Result<Token, Error> {
        self.tokens.describe().await
    }

    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            requests: of(&self.counters.requests),
            parts: of(&self.counters.parts),
            retries: of(&self.counters.retries),
            throttled: of(&self.counters.throttled),
        }
    }

    /// How many batches may be under way: the place where the pace will follow Graph's answers.
    pub(super) const fn lanes(&self) -> usize {
        self.lanes
    }

    pub(super) fn count_parts(&self, parts: usize, throttled: usize) {
        let of = |count| u64::try_from(count).unwrap_or(u64::MAX);
        self.counters.parts.fetch_add(of(parts), Ordering::Relaxed);
        self.counters.throttled.fetch_add(of(throttled), Ordering::Relaxed);
    }

    /// A request to a path of Graph, or to an address that Graph gave. Nobody else is asked.
    pub(super) fn ask(
        &self,
        method: Method,
        address: &str,
        consistency: Consistency,
    ) -> Result<Ask, Error> {
        match self.endpoints.graph().join(address) {
            Ok(url) if self.endpoints.is_graph(&url) => {
                Ok(Ask { method, url, consistency, body: None })
            }
            Ok(url) => Err(Error::new(Kind::ForeignHost, &method, url.path())
                .with_message(&url.origin().ascii_serialization())),
            Err(_) => Err(Error::new(Kind::ForeignHost, &method, address)),
        }
    }

    /// Asks for what may be asked for again, until it is there or the tries are used up.
    pub(super) async fn read(&self, ask: &Ask) -> Result<Vec<u8>, Error> {
        let mut tried = 0;
        loop {
            let error = match self.once(ask).await {
                Ok(answer) if answer.is_success() => return Ok(answer.body),
                Ok(answer) => answer.refusal(ask),
                Err(error) => error,
            };
            if !error.is_passing() || tried + 1 >= self.pace.tries {
                return Err(error);
            }
            self.pause(tried, error.retry_after()).await;
            tried += 1;
        }
    }

    /// Asks once; twice where the token was refused, which does nothing. Any status is an answer.
    pub(super) async fn once(&self, ask: &Ask) -> Result<Answer, Error> {
        let bearer = self.tokens.bearer().await?;
        let answer = self.send(ask, &bearer).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let renewed = self.tokens.renewed(&bearer).await?;
        self.send(ask, &renewed).await
    }

    pub(super) async fn pause(&self, tried: u32, asked: Option<Duration>) {
        self.counters.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.pace.wait(tried, asked)).await;
    }

    async fn send(&self, ask: &Ask, bearer: &HeaderValue) -> Result<Answer, Error> {
        let client_request_id = Uuid::new_v4().to_string();
        let mut request = self
            .http
            .request(ask.method.clone(), ask.url.clone())
            .header(AUTHORIZATION, bearer)
            .header("client-request-id", &client_request_id)
            .header("return-client-request-id", "true");
        if ask.consistency == Consistency::Eventual {
            request = request.header("ConsistencyLevel", "eventual");
        }
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let lost = |error| {
            Error::from_sending(error, &ask.method, ask.url.path())
                .with_ids(None, Some(&client_request_id))
        };
        let response = request.send().await.map_err(lost)?;
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let status = response.status().as_u16();
        let request_id = header("request-id").map(str::to_owned);
        let wait = header(RETRY_AFTER.as_str());
        let wait = wait.and_then(|value| retry_after(value, Timestamp::now()));
        if status == 429 {
            self.counters.throttled.fetch_add(1, Ordering::Relaxed);
        }
        let body = response.bytes().await.map_err(lost)?.into();
        Ok(Answer { status, body, request_id, client_request_id, retry_after: wait })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl Ask {
    /// Of a body that is not what was asked for. Serde's words can repeat values: its place only.
    pub(super) fn unreadable(&self, error: &serde_json::Error) -> Error {
        unreadable(error, &self.method, self.url.path())
    }
}

pub(super) fn unreadable(error: &serde_json::Error, method: &Method, path: &str) -> Error {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "it has another shape than documented",
        _ => "it is not JSON",
    };
    let place = format!("{what}, line {} column {}", error.line(), error.column());
    Error::new(Kind::Body, method, path).with_message(&place)
}

impl Answer {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    pub(super) fn refusal(&self, ask: &Ask) -> Error {
        Error::from_answer(self.status, &self.body, &ask.method, ask.url.path())
            .with_ids(self.request_id.as_deref(), Some(&self.client_request_id))
            .with_retry_after(self.retry_after)
    }
}

impl Error {
    /// Whether the same read may well succeed in a while.
    pub(super) const fn is_passing(&self) -> bool {
        match self.kind() {
            Kind::Connect | Kind::Timeout | Kind::Cut | Kind::Throttled => true,
            Kind::Status => matches!(self.status(), Some(500 | 502 | 503 | 504)),
            Kind::Body | Kind::ForeignHost | Kind::Token => false,
        }
    }
}

/// The one HTTP client for Graph and Entra.
pub(super) fn http(endpoints: &Endpoints) -> Result<reqwest::Client, Error> {
    // An error means that somebody has installed one already, and one is all there can be.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("mfactl/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        // A redirect would carry a token to a place that nobody has checked.
        .redirect(Policy::none());
    if endpoints.are_local() {
        // Loading the system's certificates takes longer than the rest of a start; and a proxy
        // is not this machine.
        builder = builder.tls_certs_only([]).no_proxy();
    }
    builder.build().map_err(|error| Error::from_sending(error, &Method::GET, "/"))
}

#[cfg(test)]
mod tests;

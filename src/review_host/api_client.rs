//! Requests to the API of one host: the token, a bounded number of tries, pages, and errors.
//!
//! A request goes to the origin of the API alone. Not here: which requests a host needs (`github`, `gitlab`,
//! `azure_devops`, `bitbucket`).

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, LINK, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tracing::debug;
use url::Url;

use super::ReviewProvider;
use super::error::{ReviewError, ReviewErrorKind};
use crate::transport::{client_builder, is_loopback, retry_after, same_origin};

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(60);
/// The largest number of times that a request is sent.
const TRIES: u32 = 4;
/// The longest wait before another try. A host that asks for more is left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(90);
/// The largest answer in bytes: a page of a hundred comments of the largest size fits.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The most pages of comments that are read.
const PAGES: usize = 100;

/// How the token is sent.
#[derive(Clone)]
pub(super) enum HostToken {
    Bearer(String),
    /// `PRIVATE-TOKEN` of GitLab.
    Private(String),
    /// A proxy of the runner adds it.
    ByProxy(Url),
}

/// A client of one API.
pub(super) struct ApiClient {
    provider: ReviewProvider,
    http: reqwest::Client,
    base: Url,
    token: HostToken,
}

/// A successful answer.
pub(super) struct ApiAnswer {
    pub(super) body: Value,
    headers: HeaderMap,
}

impl std::fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiClient({})", self.base)
    }
}

impl ApiClient {
    /// Makes a client for the API below an address. The token is sent over TLS, or to this machine.
    pub(super) fn new(
        provider: ReviewProvider,
        variable: &'static str,
        base: &str,
        token: HostToken,
    ) -> Result<Self, ReviewError> {
        let invalid = |why| ReviewError::new(ReviewErrorKind::Variable { name: variable, why });
        let mut base = Url::parse(base).map_err(|_| invalid("is not an address"))?;
        let by_proxy = matches!(token, HostToken::ByProxy(_));
        match base.scheme() {
            "https" => {}
            "http" if is_loopback(&base) || by_proxy => {}
            _ => return Err(invalid("is not an https address")),
        }
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err(invalid("is not a plain address"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut builder =
            client_builder(is_loopback(&base)).connect_timeout(CONNECT).timeout(WHOLE);
        if let HostToken::ByProxy(proxy) = &token {
            let proxy = reqwest::Proxy::http(proxy.clone());
            builder = builder.proxy(proxy.map_err(|_| invalid("is not an address"))?);
        }
        if base.scheme() == "http" {
            // Without TLS, the authorities of the system are not read.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            ReviewError::new(ReviewErrorKind::NoAnswer {
                provider,
                what: "make a client".to_owned(),
                why: deepest(&error),
            })
        })?;
        Ok(Self { provider, http, base, token })
    }

    /// Returns an address below the base. Each part is escaped.
    pub(super) fn url<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a str>,
        query: &[(&str, &str)],
    ) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub(super) async fn get(&self, what: &str, url: Url) -> Result<ApiAnswer, ReviewError> {
        self.send(what, Method::GET, url, None).await
    }

    /// Reads all pages of a list. `entries` takes the rows of a page and the address of the next one.
    pub(super) async fn pages<T>(
        &self,
        what: &str,
        first: Url,
        mut entries: impl FnMut(&ApiAnswer, &mut Vec<T>) -> Option<Url>,
    ) -> Result<Vec<T>, ReviewError> {
        let (mut rows, mut next) = (Vec::new(), Some(first));
        for _ in 0..PAGES {
            let Some(url) = next else { return Ok(rows) };
            if !same_origin(&url, &self.base) {
                return Err(
                    self.error(|provider, what| ReviewErrorKind::Redirect { provider, what }, what)
                );
            }
            let answer = self.get(what, url).await?;
            next = entries(&answer, &mut rows);
        }
        // A part of the list is not the list: the comment that is looked for may be missing.
        match next {
            None => Ok(rows),
            Some(_) => {
                Err(self.error(|provider, what| ReviewErrorKind::TooMany { provider, what }, what))
            }
        }
    }

    /// Sends a request until it is answered. A request that creates something is not repeated if the host may
    /// have done it.
    pub(super) async fn send(
        &self,
        what: &str,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<ApiAnswer, ReviewError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let sent = self.once(&method, url.clone(), body).await;
            let (error, asked) = match sent {
                Ok(response) if response.status().is_success() => {
                    return self.read(what, response).await;
                }
                Ok(response) => {
                    let asked = asked_wait(response.headers());
                    (self.refusal(what, response, body).await, asked)
                }
                Err(why) => {
                    let why = |provider, what| ReviewErrorKind::NoAnswer { provider, what, why };
                    (self.error(why, what), None)
                }
            };
            let wait = asked.unwrap_or_else(|| Duration::from_millis(500) * 2_u32.pow(tried));
            let may_repeat = method != Method::POST || !error.is_in_doubt();
            if tried == TRIES || !may_repeat || !is_temporary(&error, asked) || wait > LONGEST_WAIT
            {
                return Err(error);
            }
            debug!(tried, wait = ?wait, "the request is repeated");
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(
        &self,
        method: &Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Response, String> {
        let path = url.path().to_owned();
        let mut request =
            self.http.request(method.clone(), url).header("Accept", "application/json");
        request = match &self.token {
            HostToken::Bearer(token) => request.bearer_auth(token),
            HostToken::Private(token) => request.header("PRIVATE-TOKEN", token),
            HostToken::ByProxy(_) => request,
        };
        if let Some(body) = body {
            request = request.json(body);
        }
        let sent = request.send().await.map_err(|error| deepest(&error.without_url()));
        let status = sent.as_ref().ok().map(|response| response.status().as_u16());
        debug!(%method, path, status, "request to the host of the repository");
        sent
    }

    async fn read(&self, what: &str, response: Response) -> Result<ApiAnswer, ReviewError> {
        let headers = response.headers().clone();
        let unreadable =
            || self.error(|provider, what| ReviewErrorKind::Answer { provider, what }, what);
        let bytes = read_all(response).await.ok_or_else(unreadable)?;
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).map_err(|_| unreadable())?,
        };
        Ok(ApiAnswer { body, headers })
    }

    async fn refusal(&self, what: &str, response: Response, sent: Option<&Value>) -> ReviewError {
        let status = response.status();
        if status.is_redirection() {
            return self.error(|provider, what| ReviewErrorKind::Redirect { provider, what }, what);
        }
        let bytes = sent.and_then(|body| {
            ["/body", "/content", "/content/raw", "/comments/0/content"]
                .iter()
                .find_map(|key| body.pointer(key).and_then(Value::as_str))
        });
        let bytes = bytes.map_or(0, str::len);
        let is_about_body = matches!(status.as_u16(), 400 | 413 | 422);
        if is_about_body && bytes > self.provider.smallest_refused() {
            return ReviewError::new(ReviewErrorKind::TooLong { provider: self.provider, bytes });
        }
        let answer = read_all(response).await.unwrap_or_default();
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let message = ["/message", "/error/message", "/error_description", "/error"]
            .iter()
            .find_map(|path| answer.pointer(path).and_then(Value::as_str))
            .unwrap_or_default();
        let message = self.without_token(message);
        self.error(
            |provider, what| ReviewErrorKind::Refused {
                provider,
                what,
                status: status.as_u16(),
                message,
            },
            what,
        )
    }

    /// Removes the token from a text of the host.
    fn without_token(&self, text: &str) -> String {
        match &self.token {
            HostToken::Bearer(token) | HostToken::Private(token) => {
                text.replace(token.as_str(), "…")
            }
            HostToken::ByProxy(_) => text.to_owned(),
        }
    }

    fn error(
        &self,
        kind: impl FnOnce(ReviewProvider, String) -> ReviewErrorKind,
        what: &str,
    ) -> ReviewError {
        ReviewError::new(kind(self.provider, what.to_owned()))
    }

    /// Returns the error that an answer lacks what it must have.
    pub(super) fn unreadable(&self, what: &str) -> ReviewError {
        self.error(|provider, what| ReviewErrorKind::Answer { provider, what }, what)
    }
}

impl ApiAnswer {
    /// Returns the address of the next page that the header `Link` names (RFC 8288).
    pub(super) fn next_link(&self) -> Option<Url> {
        let links = self.headers.get(LINK)?.to_str().ok()?;
        let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
        Url::parse(next.split_once('<')?.1.split_once('>')?.0).ok()
    }
}

fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after(text(RETRY_AFTER)?, text(DATE))
}

/// Whether the same request can succeed later. GitHub answers a request beyond its quota with 403 and a wait.
fn is_temporary(error: &ReviewError, asked: Option<Duration>) -> bool {
    match error.status() {
        None => error.is_in_doubt(),
        Some(status) => {
            matches!(status, 429 | 500 | 502 | 503 | 504)
                || (status == StatusCode::FORBIDDEN.as_u16() && asked.is_some())
        }
    }
}

async fn read_all(mut response: Response) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_ANSWER {
            return None;
        }
    }
    Some(bytes)
}

/// Returns the innermost cause, which says what happened.
fn deepest(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

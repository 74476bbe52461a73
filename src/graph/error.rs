//! The errors of requests to Graph, each shown in one line without private data.
//!
//! Graph's messages can repeat what was sent to it, so longer runs of digits in them are masked.
//! Not here: which permission would help (`entra` knows what the request was for).

pub(super) mod cause;

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use crate::untrusted::printable;
use cause::{NO_CONNECTION, deepest, help_without_connection, is_about_trust};

/// An error of a request that did not return what was asked for.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    method: Method,
    path: String,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    client_request_id: Option<String>,
    retry_after: Option<Duration>,
    help: Option<&'static str>,
    /// The body was not JSON, or was incomplete JSON.
    garbled: bool,
    /// All parts of a batch share this one answer.
    shared: bool,
    /// The credential that gave no token, in words.
    credential: Option<String>,
    /// The sign-in service could not be reached, or was not ready.
    sign_in_is_away: bool,
    /// What a missing token is for.
    resource: &'static str,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// There was no connection: nothing was sent.
    Connect,
    /// No answer arrived in time.
    Timeout,
    /// The connection was lost after the request, or a part of it, was sent.
    Cut,
    /// The status of the answer is not a success.
    Status,
    /// The answer could not be read.
    Body,
    /// The address is outside the configured Graph: nothing was sent.
    ForeignHost,
    /// There is no token, so nothing was sent.
    Token,
    /// Graph refused the request with 429: too many requests.
    Throttled,
    /// The total time was over: nothing was sent.
    Deadline,
    /// The request was waiting when the caller stopped sending: nothing was sent.
    Withdrawn,
    /// Something that the connection needs on this machine is missing, such as a file.
    Setup,
    /// Graph has forgotten the next page of a list: the list can only be read from its beginning.
    ListExpired,
    /// The pages of a list continue without new rows.
    Endless,
    /// The answer is longer than any expected answer, and was not read to its end.
    TooLong,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, method: &Method, path: &str) -> Self {
        // A query can contain names, so it is never shown.
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = printable(path).into_owned();
        Self(Box::new(Inner {
            kind,
            method: method.clone(),
            path,
            status: None,
            code: None,
            message: None,
            request_id: None,
            client_request_id: None,
            retry_after: None,
            help: None,
            garbled: false,
            shared: false,
            credential: None,
            sign_in_is_away: false,
            resource: "Graph",
        }))
    }

    /// Returns the error of a request that was not sent, or not answered.
    pub(super) fn from_sending(error: reqwest::Error, method: &Method, path: &str) -> Self {
        let kind = if error.is_connect() {
            ErrorKind::Connect
        } else if error.is_timeout() {
            ErrorKind::Timeout
        } else {
            ErrorKind::Cut
        };
        let why = deepest(&error.without_url());
        let failed = Self::new(kind, method, path).with_message(&why);
        if kind == ErrorKind::Connect {
            failed.with_help(help_without_connection(&why))
        } else {
            failed
        }
    }

    /// Returns the error of an answer whose status is not a success, with Graph's own words from its body.
    pub(super) fn from_answer(status: u16, body: &[u8], method: &Method, path: &str) -> Self {
        let kind = if status == 429 { ErrorKind::Throttled } else { ErrorKind::Status };
        let mut error = Self::new(kind, method, path);
        error.0.status = Some(status);
        if let Ok(ErrorBody { error: given }) = serde_json::from_slice(body) {
            error.0.code = given.code.filter(|code| !code.is_empty()).map(|code| one_line(&code));
            error.0.request_id =
                given.inner.and_then(|inner| inner.request_id).map(|id| one_line(&id));
            if let Some(message) = given.message {
                error = error.with_message(&message);
            }
        }
        error
    }

    pub(super) fn with_message(mut self, message: &str) -> Self {
        let message = one_line(message);
        self.0.message = (!message.is_empty()).then_some(message);
        self
    }

    pub(super) fn with_code(mut self, code: &str) -> Self {
        self.0.code = Some(code.to_owned());
        self
    }

    pub(super) const fn with_help(mut self, help: &'static str) -> Self {
        self.0.help = Some(help);
        self
    }

    /// Adds the ids with which Microsoft can find the request.
    pub(super) fn with_ids(mut self, request: Option<&str>, client: Option<&str>) -> Self {
        let known = self.0.request_id.take();
        self.0.request_id = request.map(one_line).or(known);
        self.0.client_request_id = client.map(one_line);
        self
    }

    pub(super) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(super) fn garbled(mut self) -> Self {
        self.0.garbled = true;
        self
    }

    /// Adds the credential that gave no token.
    pub(super) fn by(mut self, credential: &str) -> Self {
        self.0.credential = Some(credential.to_owned());
        self
    }

    /// Notes what a missing token is for, if it is not for Graph.
    pub(super) fn for_resource(mut self, resource: &'static str) -> Self {
        self.0.resource = resource;
        self
    }

    /// Notes that there is no token because the sign-in service could not be reached, or was not ready.
    pub(super) fn without_sign_in(mut self) -> Self {
        self.0.sign_in_is_away = true;
        self
    }

    pub(super) const fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Returns whether the same read may succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect => !self.message().is_some_and(is_about_trust),
            ErrorKind::Timeout | ErrorKind::Cut | ErrorKind::Throttled => true,
            // 408 and 423 are temporary (RFC 9110; Graph documentation, "Microsoft Graph error
            // responses", checked 2026-11).
            ErrorKind::Status => matches!(self.status(), Some(408 | 423 | 500 | 502 | 503 | 504)),
            ErrorKind::Body => self.0.garbled,
            ErrorKind::ForeignHost
            | ErrorKind::Token
            | ErrorKind::Deadline
            | ErrorKind::Withdrawn
            | ErrorKind::Setup
            | ErrorKind::ListExpired
            | ErrorKind::Endless
            | ErrorKind::TooLong => false,
        }
    }

    /// Returns whether nothing is wrong with the request and its sender: a later run may succeed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self.kind() {
            ErrorKind::Deadline | ErrorKind::ListExpired => true,
            ErrorKind::Token => self.0.sign_in_is_away,
            // It was asked for several times, so something answers that is not Graph.
            ErrorKind::Body => false,
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Cut
            | ErrorKind::Status
            | ErrorKind::ForeignHost
            | ErrorKind::Throttled
            | ErrorKind::Withdrawn
            | ErrorKind::Setup
            | ErrorKind::Endless
            | ErrorKind::TooLong => self.is_passing(),
        }
    }

    /// Returns the same error for one part of a batch that failed as a whole.
    pub(super) fn of_part(&self, method: &Method, path: &str) -> Self {
        let mut error = self.clone();
        error.0.shared = true;
        error.0.method = method.clone();
        error.0.path = Self::new(self.kind(), method, path).0.path;
        error
    }

    /// Returns whether the connection or the token is the cause, so that every other request would fail too.
    #[must_use]
    pub const fn concerns_all(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Connect
                | ErrorKind::Token
                | ErrorKind::ForeignHost
                | ErrorKind::Deadline
                | ErrorKind::Setup
        )
    }

    /// Returns whether the server may still be working on the request: the server that does the work sent
    /// no answer. If a read does not show the effect now, the effect can still appear later.
    #[must_use]
    pub const fn may_be_under_way(&self) -> bool {
        match self.kind() {
            ErrorKind::Timeout | ErrorKind::Cut => true,
            // With these, a server on the way stopped waiting (RFC 9110, sections 15.5.9, 15.6.3 and
            // 15.6.5; some proxies use 499 for the same).
            ErrorKind::Status => matches!(self.status(), Some(408 | 499 | 502 | 504)),
            ErrorKind::Connect
            | ErrorKind::Body
            | ErrorKind::ForeignHost
            | ErrorKind::Token
            | ErrorKind::Throttled
            | ErrorKind::Deadline
            | ErrorKind::Withdrawn
            | ErrorKind::Setup
            | ErrorKind::ListExpired
            | ErrorKind::Endless
            | ErrorKind::TooLong => false,
        }
    }

    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.0.method
    }

    /// Returns the path with its version, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the error code of Graph or Entra, such as `accessDenied` or `AADSTS7000215`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    #[must_use]
    pub fn client_request_id(&self) -> Option<&str> {
        self.0.client_request_id.as_deref()
    }

    /// Returns the id of the answer that all parts of a batch share, if the batch failed as a whole.
    #[must_use]
    pub fn shared_answer(&self) -> Option<&str> {
        self.client_request_id().filter(|_| self.0.shared)
    }

    /// Returns whether the service answered that it is unable to do this at the moment.
    #[must_use]
    pub const fn is_of_the_moment(&self) -> bool {
        matches!(self.kind(), ErrorKind::Status)
            && matches!(self.status(), Some(408 | 500 | 502 | 503 | 504))
    }

    /// Returns how long the server asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns what the user can do about the error, if this module knows.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        if self.0.help.is_some() {
            return self.0.help;
        }
        match (self.kind(), self.status()) {
            (ErrorKind::Connect, _) => Some(NO_CONNECTION),
            (ErrorKind::Timeout | ErrorKind::Cut, _) => {
                Some("try again; changes that were made are not made twice")
            }
            (ErrorKind::Throttled, _) => {
                Some("try again in a few minutes: the tenant's quota is used up")
            }
            (ErrorKind::Deadline, _) => {
                Some("allow more time; changes that were made are not made again")
            }
            (ErrorKind::ListExpired, _) => Some("try again when Graph is less busy"),
            (ErrorKind::Endless | ErrorKind::TooLong, _) => Some(
                "check for a proxy that answers instead of Graph: Graph itself does not do this",
            ),
            (ErrorKind::ForeignHost, _) => Some("check which cloud the tenant is in"),
            (_, _) if self.code().is_some_and(|code| code.starts_with("AADSTS")) => {
                super::auth::help(self.code().unwrap_or_default())
            }
            (ErrorKind::Token, _) => super::auth::help(""),
            (_, Some(401)) => Some("check that the tenant is in the configured cloud"),
            (_, Some(300..=399 | 407)) => {
                Some("Graph does not redirect: check for a proxy that requires a sign-in")
            }
            (ErrorKind::Body, _) => {
                Some("check for a proxy that answers instead of Graph; otherwise try again later")
            }
            (_, Some(500..=599)) => Some("try again later: the problem is on Microsoft's side"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let request = format!("`{} {}`", inner.method, inner.path);
        match inner.kind {
            ErrorKind::Connect => write!(f, "{request} was not sent: no connection")?,
            ErrorKind::Timeout => write!(f, "{request} was not answered in time")?,
            ErrorKind::Cut => write!(f, "{request} lost the connection before the answer arrived")?,
            ErrorKind::Status => {
                write!(f, "{request} returned {}", inner.status.unwrap_or_default())?
            }
            ErrorKind::Body => write!(f, "{request} returned an answer that cannot be read")?,
            ErrorKind::ForeignHost => {
                write!(f, "{request} was not sent: its host is not the configured Graph host")?;
            }
            ErrorKind::Token => write!(f, "no token for {}", inner.resource)?,
            ErrorKind::Throttled => write!(f, "{request} was throttled and given up")?,
            ErrorKind::Deadline | ErrorKind::Withdrawn => write!(f, "{request} was not sent")?,
            ErrorKind::Setup => f.write_str("the connection to Graph cannot be set up")?,
            ErrorKind::ListExpired => {
                write!(f, "{request} is a list page that Graph no longer knows")?
            }
            ErrorKind::Endless => write!(f, "{request} returned a list that does not end")?,
            ErrorKind::TooLong => write!(f, "{request} returned too much data")?,
        }
        if let Some(code) = &inner.code {
            write!(f, " `{code}`")?;
        }
        if let Some(credential) = &inner.credential {
            write!(f, " with {credential}")?;
        }
        if let Some(message) = &inner.message {
            write!(f, ": {message}")?;
        }
        match &inner.request_id {
            Some(id) => write!(f, " (request-id {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.kind())
    }
}

impl std::error::Error for Error {}

/// The body of a refusal (Graph documentation, "Microsoft Graph error responses", checked 2026-11). Some
/// services spell `innererror`.
#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    code: Option<String>,
    message: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    inner: Option<InnerDetail>,
}

#[derive(Deserialize)]
struct InnerDetail {
    #[serde(rename = "request-id")]
    request_id: Option<String>,
}

/// Returns the first line, cut to a readable length, without anything that may be a phone number.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.trim().lines().next().unwrap_or_default();
    let line: String = line.chars().filter(|character| !character.is_control()).collect();
    let masked = super::redact::without_numbers(&line);
    let mut short: String = masked.chars().take(LONGEST).collect();
    if short.len() < masked.len() {
        short.push('…');
    }
    printable(short.trim_end().trim_end_matches('.')).into_owned()
}

#[cfg(test)]
mod tests;

//! What can go wrong between here and Graph, in one line that holds nothing private.
//!
//! Graph's messages can repeat what was sent to it: longer runs of digits are masked in them.
//! Not here: which permission would help; what was asked knows that (`entra`).

pub(super) mod cause;

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use crate::untrusted::printable;
use cause::{NO_CONNECTION, deepest, help_without_connection, is_about_trust};

/// A request that did not lead to what was asked for.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    method: Method,
    path: String,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    client_request_id: Option<String>,
    retry_after: Option<Duration>,
    help: Option<&'static str>,
    /// Its body was no JSON, or not all of it.
    garbled: bool,
    /// It is the one answer to all parts of a batch.
    shared: bool,
    /// Which way to a token it was.
    credential: Option<String>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection: nothing was sent.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection was lost after the request, or a part of it, was sent.
    Cut,
    /// An answer with a status that is no success.
    Status,
    /// An answer that could not be read.
    Body,
    /// An address outside the configured Graph: nothing was sent.
    ForeignHost,
    /// No token, so nothing was sent.
    Token,
    /// Too many requests, still after waiting as told.
    Throttled,
    /// The total time was over: nothing was sent.
    Deadline,
    /// It waited for its turn, and nothing more was to be sent by then: nothing was.
    Withdrawn,
    /// What the connection needs of this machine is not there, such as a file.
    Setup,
    /// A list whose next page Graph has forgotten: it can only be read from its beginning.
    ListExpired,
    /// A list goes on and brings nothing new.
    Endless,
    /// The answer is longer than any that is expected, and was not read to its end.
    TooLong,
}

impl Error {
    pub(super) fn new(kind: Kind, method: &Method, path: &str) -> Self {
        // A query can hold names: it is never shown.
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
        }))
    }

    /// Why a request of ours did not get its answer.
    pub(super) fn from_sending(error: reqwest::Error, method: &Method, path: &str) -> Self {
        let kind = if error.is_connect() {
            Kind::Connect
        } else if error.is_timeout() {
            Kind::Timeout
        } else {
            Kind::Cut
        };
        let why = deepest(&error.without_url());
        let failed = Self::new(kind, method, path).with_message(&why);
        if kind == Kind::Connect { failed.with_help(help_without_connection(&why)) } else { failed }
    }

    /// An answer with a status that is no success, and Graph's own words in its body.
    pub(super) fn from_answer(status: u16, body: &[u8], method: &Method, path: &str) -> Self {
        let kind = if status == 429 { Kind::Throttled } else { Kind::Status };
        let mut error = Self::new(kind, method, path);
        error.0.status = Some(status);
        if let Ok(Said { error: said }) = serde_json::from_slice(body) {
            error.0.code = said.code.filter(|code| !code.is_empty()).map(|code| one_line(&code));
            error.0.request_id =
                said.inner.and_then(|inner| inner.request_id).map(|id| one_line(&id));
            if let Some(message) = said.message {
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

    /// The ids by which Microsoft finds the request again.
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

    /// No token, by that way.
    pub(super) fn by(mut self, credential: &str) -> Self {
        self.0.credential = Some(credential.to_owned());
        self
    }

    pub(super) const fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Whether the same read may well succeed in a while.
    pub(super) fn is_passing(&self) -> bool {
        match self.kind() {
            Kind::Connect => !self.message().is_some_and(is_about_trust),
            Kind::Timeout | Kind::Cut | Kind::Throttled => true,
            // 408 and 423 are there for a while only (RFC 9110; Graph documentation, "Microsoft
            // Graph error responses", checked 2026-11).
            Kind::Status => matches!(self.status(), Some(408 | 423 | 500 | 502 | 503 | 504)),
            Kind::Body => self.0.garbled,
            Kind::ForeignHost
            | Kind::Token
            | Kind::Deadline
            | Kind::Withdrawn
            | Kind::Setup
            | Kind::ListExpired
            | Kind::Endless
            | Kind::TooLong => false,
        }
    }

    /// The same failure, of one part of a batch that failed as a whole.
    pub(super) fn of_part(&self, method: &Method, path: &str) -> Self {
        let mut error = self.clone();
        error.0.shared = true;
        error.0.method = method.clone();
        error.0.path = Self::new(self.kind(), method, path).0.path;
        error
    }

    /// Whether it is about the way there, so that every other request would fail alike.
    #[must_use]
    pub const fn concerns_all(&self) -> bool {
        matches!(
            self.kind(),
            Kind::Connect | Kind::Token | Kind::ForeignHost | Kind::Deadline | Kind::Setup
        )
    }

    /// Whether what was asked for can still be under way: no answer came from whoever does it, so that
    /// a read that does not show it now does not show that it will never be done.
    #[must_use]
    pub const fn may_be_under_way(&self) -> bool {
        match self.kind() {
            Kind::Timeout | Kind::Cut => true,
            // These say that somebody on the way stopped waiting (RFC 9110, sections 15.5.9, 15.6.3
            // and 15.6.5; 499 is the word of some proxies for the same).
            Kind::Status => matches!(self.status(), Some(408 | 499 | 502 | 504)),
            Kind::Connect
            | Kind::Body
            | Kind::ForeignHost
            | Kind::Token
            | Kind::Throttled
            | Kind::Deadline
            | Kind::Withdrawn
            | Kind::Setup
            | Kind::ListExpired
            | Kind::Endless
            | Kind::TooLong => false,
        }
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.0.kind
    }

    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.0.method
    }

    /// The path with its version, without a query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Graph's or Entra's word for it, such as `accessDenied` or `AADSTS7000215`.
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

    /// The id of the answer that all parts of a batch share, where it failed as a whole.
    #[must_use]
    pub fn shared_answer(&self) -> Option<&str> {
        self.client_request_id().filter(|_| self.0.shared)
    }

    /// Whether the service answered that it cannot do it for now.
    #[must_use]
    pub const fn is_of_the_moment(&self) -> bool {
        matches!(self.kind(), Kind::Status)
            && matches!(self.status(), Some(408 | 500 | 502 | 503 | 504))
    }

    /// How long the server asked to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What to do about it, where that is known here.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        if self.0.help.is_some() {
            return self.0.help;
        }
        match (self.kind(), self.status()) {
            (Kind::Connect, _) => Some(NO_CONNECTION),
            (Kind::Timeout | Kind::Cut, _) => {
                Some("try again; nothing that was done is done twice")
            }
            (Kind::Throttled, _) => {
                Some("try again in some minutes; the tenant's quota is used up")
            }
            (Kind::Deadline, _) => Some("give it more time; what was done is not done again"),
            (Kind::ListExpired, _) => Some("try again when Graph is less busy"),
            (Kind::Endless | Kind::TooLong, _) => Some(
                "check for a proxy that answers in Graph's place; Graph itself does not do that",
            ),
            (Kind::ForeignHost, _) => Some("check which cloud the tenant is in"),
            (_, _) if self.code().is_some_and(|code| code.starts_with("AADSTS")) => {
                super::auth::help(self.code().unwrap_or_default())
            }
            (Kind::Token, _) => super::auth::help(""),
            (_, Some(401)) => Some("check that the tenant is in the cloud that was asked"),
            (_, Some(300..=399 | 407)) => {
                Some("Graph does not redirect: check for a proxy that wants to be signed in to")
            }
            (Kind::Body, _) => {
                Some("check for a proxy that answers in Graph's place; else try again later")
            }
            (_, Some(500..=599)) => Some("try again later; the fault is on Microsoft's side"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let request = format!("`{} {}`", inner.method, inner.path);
        match inner.kind {
            Kind::Connect => write!(f, "{request} was not sent: no connection")?,
            Kind::Timeout => write!(f, "{request} was not answered in time")?,
            Kind::Cut => write!(f, "{request} lost its connection before the answer")?,
            Kind::Status => write!(f, "{request} answered {}", inner.status.unwrap_or_default())?,
            Kind::Body => write!(f, "{request} answered what cannot be read")?,
            Kind::ForeignHost => write!(f, "{request} was not sent: its host is not Graph's")?,
            Kind::Token => f.write_str("no token for Graph")?,
            Kind::Throttled => write!(f, "{request} was throttled and given up")?,
            Kind::Deadline | Kind::Withdrawn => write!(f, "{request} was not sent")?,
            Kind::Setup => f.write_str("the connection to Graph cannot be set up")?,
            Kind::ListExpired => write!(f, "{request} is a page that Graph no longer knows")?,
            Kind::Endless => write!(f, "{request} is a list without an end")?,
            Kind::TooLong => write!(f, "{request} answered too much")?,
        }
        if let Some(code) = &inner.code {
            write!(f, " `{code}`")?;
        }
        if let Some(credential) = &inner.credential {
            write!(f, " by {credential}")?;
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

/// Graph documentation, "Microsoft Graph error responses" (checked 2026-11); some services spell
/// `innererror`.
#[derive(Deserialize)]
struct Said {
    error: SaidError,
}

#[derive(Deserialize)]
struct SaidError {
    code: Option<String>,
    message: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    inner: Option<SaidInner>,
}

#[derive(Deserialize)]
struct SaidInner {
    #[serde(rename = "request-id")]
    request_id: Option<String>,
}

/// The first line, not longer than a line can be read, without anything that may be a number.
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

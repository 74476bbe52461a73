//! The answer to one request, and its error if it is not a success or cannot be read.
//!
//! Not here: sending the request (`client`), or the parts of a batch (`batch`).

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;

use super::auth::CachedToken;
use super::body::Body;
use super::client::RepeatableRequest;
use super::error::{Error, ErrorKind};
use super::gate::{Permit, QuotaReport};

/// An answer of any status, read to its end.
pub(super) struct ResponseRead {
    pub(super) status: u16,
    pub(super) body: Body,
    /// The token that the request was sent with.
    pub(super) held: Arc<CachedToken>,
    /// The time of the answer, by the server's clock.
    pub(super) date: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) client_request_id: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) pressure: Option<f64>,
}

impl RepeatableRequest {
    /// Returns the error of a body that cannot be parsed. Serde's message can repeat values, so only the
    /// position is kept.
    pub(super) fn unreadable(&self, error: &serde_json::Error) -> Error {
        unreadable(error, &self.method, self.url.path())
    }
}

pub(super) fn unreadable(error: &serde_json::Error, method: &Method, path: &str) -> Error {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "it does not have the documented structure",
        _ => "it is not JSON",
    };
    let place = format!("{what}, line {} column {}", error.line(), error.column());
    let unreadable = Error::new(ErrorKind::Body, method, path).with_message(&place);
    if error.is_data() { unreadable } else { unreadable.garbled() }
}

impl ResponseRead {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Reports a refusal to the quota, and returns its error.
    pub(super) fn refused(&self, permit: Permit, ask: &RepeatableRequest) -> Error {
        let (pressure, retry_after) = (self.pressure, self.retry_after);
        match self.status {
            429 => permit.refused(QuotaReport { pressure, retry_after, ..QuotaReport::default() }),
            _ => permit.answered(QuotaReport { pressure, ..QuotaReport::default() }),
        }
        self.refusal(ask)
    }

    fn refusal(&self, ask: &RepeatableRequest) -> Error {
        Error::from_answer(self.status, &self.body, &ask.method, ask.url.path())
            .with_ids(self.request_id.as_deref(), Some(&self.client_request_id))
            .with_retry_after(self.retry_after)
    }
}

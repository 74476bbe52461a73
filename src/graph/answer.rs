//! What came back for one request, and what it says where it is no success or cannot be read.
//!
//! Not here: asking (`client`), or the parts of a batch (`batch`).

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;

use super::auth::Held;
use super::body::Body;
use super::client::Ask;
use super::error::{Error, Kind};
use super::gate::{Permit, Said};

/// An answer of any status, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Body,
    /// The token that it was asked with.
    pub(super) held: Arc<Held>,
    /// When it was given, by the clock of the other side.
    pub(super) date: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) client_request_id: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) pressure: Option<f64>,
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
    let unreadable = Error::new(Kind::Body, method, path).with_message(&place);
    if error.is_data() { unreadable } else { unreadable.garbled() }
}

impl Answer {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Tells the quota of a refusal, and what it is.
    pub(super) fn refused(&self, permit: Permit, ask: &Ask) -> Error {
        let (pressure, retry_after) = (self.pressure, self.retry_after);
        match self.status {
            429 => permit.refused(Said { pressure, retry_after, ..Said::default() }),
            _ => permit.answered(Said { pressure, ..Said::default() }),
        }
        self.refusal(ask)
    }

    fn refusal(&self, ask: &Ask) -> Error {
        Error::from_answer(self.status, &self.body, &ask.method, ask.url.path())
            .with_ids(self.request_id.as_deref(), Some(&self.client_request_id))
            .with_retry_after(self.retry_after)
    }
}

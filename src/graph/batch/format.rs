//! A batch as it is written and read: its JSON, and what an answer says about its part.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::trace;

use super::super::client::{Answer, unreadable};
use super::super::error::{Error, Kind};
use super::super::redact::without_numbers;
use super::super::retry::retry_after;
use super::{Outcome, Part};

#[derive(Serialize)]
pub(super) struct Sent<'a> {
    pub(super) requests: Vec<SentPart<'a>>,
}

#[derive(Serialize)]
pub(super) struct SentPart<'a> {
    pub(super) id: String,
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) headers: Option<HashMap<&'static str, &'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<&'a Value>,
}

#[derive(Deserialize)]
pub(super) struct Received<'a> {
    #[serde(borrow)]
    pub(super) responses: Vec<ReceivedPart<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ReceivedPart<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    pub(super) status: u16,
    #[serde(borrow)]
    pub(super) headers: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) body: Option<&'a RawValue>,
}

impl Part {
    /// A failure of the whole batch, told of this part.
    pub(super) fn share(&self, error: &Error) -> Error {
        error.of_part(&self.method, &self.path())
    }

    /// The part's own answer, noted in the log.
    fn answered<'a>(&self, slot: Option<ReceivedPart<'a>>) -> Result<ReceivedPart<'a>, Error> {
        let path = self.path();
        let path = path.split('?').next().map(without_numbers);
        let status = slot.as_ref().map(|part| part.status);
        trace!(method = %self.method, path, status, "part");
        slot.ok_or_else(|| {
            Error::new(Kind::Cut, &self.method, &self.path())
                .with_message("the batch holds no single answer for it")
        })
    }

    pub(super) fn read<T: DeserializeOwned>(
        &self,
        slot: Option<ReceivedPart<'_>>,
        answer: &Answer,
    ) -> Result<T, Error> {
        let part = self.answered(slot)?;
        if !part.is_success() {
            return Err(part.refusal(self, answer));
        }
        let body = part.body.map_or("null", RawValue::get);
        serde_json::from_str(body).map_err(|error| unreadable(&error, &self.method, &self.path()))
    }

    pub(super) fn written(&self, slot: Option<ReceivedPart<'_>>, answer: &Answer) -> Outcome {
        match self.answered(slot) {
            Err(lost) => Outcome::Unknown(lost),
            Ok(part) if part.is_success() => {
                // What cannot be read is no reason to doubt the status.
                Outcome::Done(part.body.and_then(|body| serde_json::from_str(body.get()).ok()))
            }
            Ok(part) => not_done(part.status)(part.refusal(self, answer)),
        }
    }
}

impl ReceivedPart<'_> {
    const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    fn refusal(&self, part: &Part, answer: &Answer) -> Error {
        let headers: HashMap<Cow<'_, str>, Value> = self
            .headers
            .and_then(|headers| serde_json::from_str(headers.get()).ok())
            .unwrap_or_default();
        let header = |name: &str| {
            let mut pairs = headers.iter();
            let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let date = header("Date").or_else(|| answer.date.clone());
        let wait = header("Retry-After");
        let wait = wait.and_then(|value| retry_after(&value, date.as_deref()));
        let body = self.body.map(RawValue::get).unwrap_or_default();
        Error::from_answer(self.status, body.as_bytes(), &part.method, &part.path())
            .with_ids(header("request-id").as_deref(), header("client-request-id").as_deref())
            .with_retry_after(wait)
    }
}

/// What a status that is no success says about a write: 4xx means not done, but for the two that
/// mean that the server stopped waiting for somebody else.
pub(super) const fn not_done(status: u16) -> fn(Error) -> Outcome {
    match status {
        408 | 499 => Outcome::Unknown,
        400..=498 => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

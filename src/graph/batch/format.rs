//! The JSON of a batch: how it is written, and what an answer says about its parts.
//!
//! Not here: sending it, and sending parts again (`batch`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::{Level, enabled, trace};

use super::super::answer::{ResponseRead, unreadable};
use super::super::client::{PRESSURE, PRIORITY};
use super::super::error::{Error, ErrorKind};
use super::super::gate::{self, QuotaReport};
use super::super::redact::without_numbers;
use super::{BatchPart, Done, WriteOutcome};
use crate::transport::retry_after;

#[derive(Serialize)]
pub(super) struct BatchBody<'a> {
    pub(super) requests: Vec<SentPart<'a>>,
}

#[derive(Serialize)]
pub(super) struct SentPart<'a> {
    pub(super) id: &'static str,
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: PartHeaders,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<&'a Value>,
}

/// The headers of a part. The headers of the batch do not apply to its parts.
#[derive(Serialize)]
pub(super) struct PartHeaders {
    #[serde(rename = "x-ms-throttle-priority")]
    priority: &'static str,
    #[serde(rename = "Content-Type", skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
}

impl PartHeaders {
    pub(super) fn of(part: &BatchPart) -> Self {
        let content_type = part.body.is_some().then_some("application/json");
        Self { priority: PRIORITY.1, content_type }
    }
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

impl BatchPart {
    /// Returns the error of the whole batch as the error of this part.
    pub(super) fn share(&self, error: &Error) -> Error {
        error.of_part(&self.method, &self.path())
    }

    /// Returns the part's own answer, and logs it.
    fn answered<'a>(&self, slot: Option<ReceivedPart<'a>>) -> Result<ReceivedPart<'a>, Error> {
        let status = slot.as_ref().map(|part| part.status);
        // Masking the path takes time, so it is done only if the event is logged.
        if enabled!(Level::TRACE) {
            let path = self.path();
            let path = path.split('?').next().map(without_numbers);
            trace!(method = %self.method, path, status, "part");
        }
        slot.ok_or_else(|| {
            Error::new(ErrorKind::Cut, &self.method, &self.path())
                .with_message("the batch does not have exactly one answer for it")
        })
    }

    pub(super) fn read<T>(
        &self,
        slot: Option<ReceivedPart<'_>>,
        answer: &ResponseRead,
        parse: impl FnOnce(&str) -> serde_json::Result<T>,
    ) -> Result<T, Error> {
        let part = self.answered(slot)?;
        if !part.is_success() {
            return Err(part.refusal(self, answer));
        }
        let body = part.body.map_or("null", RawValue::get);
        parse(body).map_err(|error| unreadable(&error, &self.method, &self.path()))
    }

    pub(super) fn written(
        &self,
        slot: Option<ReceivedPart<'_>>,
        answer: &ResponseRead,
    ) -> WriteOutcome {
        match self.answered(slot) {
            Err(lost) => WriteOutcome::Unknown(lost),
            Ok(part) if part.is_success() => {
                // A body that cannot be read is no reason to doubt the status.
                let body = part.body.and_then(|body| serde_json::from_str(body.get()).ok());
                let own = part.headers(answer).of("request-id");
                WriteOutcome::Done(Done {
                    body,
                    request_id: own.or_else(|| answer.request_id.clone()),
                })
            }
            Ok(part) => not_done(part.status)(part.refusal(self, answer)),
        }
    }
}

impl Received<'_> {
    /// Returns what the batch and its parts say about the quota.
    pub(super) fn said(&self, answer: &ResponseRead) -> QuotaReport {
        let mut report = QuotaReport { pressure: answer.pressure, ..QuotaReport::default() };
        for part in &self.responses {
            let throttled = part.status == 429;
            // The headers are parsed only if one may be about throttling, in any letter case.
            if throttled || part.headers.is_some_and(|headers| headers.get().contains("hrottle")) {
                let headers = part.headers(answer);
                let pressure = headers.of(PRESSURE).as_deref().and_then(gate::pressure);
                report.pressure =
                    [report.pressure, pressure].into_iter().flatten().reduce(f64::max);
                if throttled {
                    report.refused += 1;
                    report.retry_after = report.retry_after.max(headers.retry_after());
                }
            }
        }
        report
    }
}

/// The headers of one part's answer.
struct AnswerHeaders<'a> {
    own: HashMap<Cow<'a, str>, Value>,
    date: Option<&'a str>,
}

impl AnswerHeaders<'_> {
    fn of(&self, name: &str) -> Option<String> {
        let mut pairs = self.own.iter();
        let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn retry_after(&self) -> Option<Duration> {
        let date = self.of("Date").or_else(|| self.date.map(str::to_owned));
        retry_after(&self.of("Retry-After")?, date.as_deref())
    }
}

impl ReceivedPart<'_> {
    fn headers<'a>(&'a self, answer: &'a ResponseRead) -> AnswerHeaders<'a> {
        let own = self.headers.and_then(|headers| serde_json::from_str(headers.get()).ok());
        AnswerHeaders { own: own.unwrap_or_default(), date: answer.date.as_deref() }
    }

    const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    fn refusal(&self, part: &BatchPart, answer: &ResponseRead) -> Error {
        let headers = self.headers(answer);
        let body = self.body.map(RawValue::get).unwrap_or_default();
        Error::from_answer(self.status, body.as_bytes(), &part.method, &part.path())
            .with_ids(
                headers.of("request-id").as_deref(),
                headers.of("client-request-id").as_deref(),
            )
            .with_retry_after(headers.retry_after())
    }
}

/// Returns the outcome of a write for a status that is not a success. 4xx means not done, except for the two
/// that mean that a server stopped waiting for another server.
pub(super) const fn not_done(status: u16) -> fn(Error) -> WriteOutcome {
    match status {
        408 | 499 => WriteOutcome::Unknown,
        400..=498 => WriteOutcome::Refused,
        _ => WriteOutcome::Unknown,
    }
}

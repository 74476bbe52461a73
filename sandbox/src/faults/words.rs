//! The names that files and `--help` use for faults, and the details that each fault takes.
//!
//! Not here: what the server does for a fault (`service`, `delivery`).

use std::time::Duration;

use serde::Deserialize;

use super::fault::Fault;

/// The name of a fault. The sources are Microsoft's documentation pages, checked 2026-11. A fault
/// without such a source is ordinary behaviour of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    Throttled,
    InternalError,
    BadGateway,
    Unavailable,
    GatewayTimeout,
    Status,
    Revoked,
    CutBefore,
    CutAfter,
    CutHead,
    CutBody,
    Truncated,
    NotJson,
    Slow,
    SlowBody,
    Redirect,
    ForeignLink,
    ExpiredPage,
    EmptyPage,
    RepeatedRow,
    ShortPage,
    ShortLists,
}

/// The details that a file can give in addition to the name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) retry_after: Option<u64>,
    pub(super) retry_after_date: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) seconds: Option<u64>,
    pub(super) host: Option<String>,
    pub(super) rows: Option<u64>,
}

impl Word {
    pub const ALL: [Self; 22] = [
        Self::Throttled,
        Self::InternalError,
        Self::BadGateway,
        Self::Unavailable,
        Self::GatewayTimeout,
        Self::Status,
        Self::Revoked,
        Self::CutBefore,
        Self::CutAfter,
        Self::CutHead,
        Self::CutBody,
        Self::Truncated,
        Self::NotJson,
        Self::Slow,
        Self::SlowBody,
        Self::Redirect,
        Self::ForeignLink,
        Self::ExpiredPage,
        Self::EmptyPage,
        Self::RepeatedRow,
        Self::ShortPage,
        Self::ShortLists,
    ];

    /// The faults that happen by chance if no list is given: those that a retry gets past.
    pub(super) const BY_CHANCE: [Self; 12] = [
        Self::Throttled,
        Self::InternalError,
        Self::BadGateway,
        Self::Unavailable,
        Self::GatewayTimeout,
        Self::CutBefore,
        Self::CutAfter,
        Self::CutHead,
        Self::CutBody,
        Self::Truncated,
        Self::EmptyPage,
        Self::RepeatedRow,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::InternalError => "internal-error",
            Self::BadGateway => "bad-gateway",
            Self::Unavailable => "unavailable",
            Self::GatewayTimeout => "gateway-timeout",
            Self::Status => "status",
            Self::Revoked => "revoked",
            Self::CutBefore => "cut-before",
            Self::CutAfter => "cut-after",
            Self::CutHead => "cut-head",
            Self::CutBody => "cut-body",
            Self::Truncated => "truncated",
            Self::NotJson => "not-json",
            Self::Slow => "slow",
            Self::SlowBody => "slow-body",
            Self::Redirect => "redirect",
            Self::ForeignLink => "foreign-link",
            Self::ExpiredPage => "expired-page",
            Self::EmptyPage => "empty-page",
            Self::RepeatedRow => "repeated-row",
            Self::ShortPage => "short-page",
            Self::ShortLists => "short-lists",
        }
    }

    /// A description for users, and its source.
    pub fn about(self) -> (&'static str, &'static str) {
        let throttling = "Graph documentation of throttling";
        let errors = "Graph documentation of errors";
        let paging = "Graph documentation of paging";
        let odata = "OData JSON format 4.01";
        let network = "networks";
        match self {
            Self::Throttled => {
                ("429, with `Retry-After` if `retryAfter` or `retryAfterDate` is given", throttling)
            }
            Self::InternalError => ("500", errors),
            Self::BadGateway => ("502", errors),
            Self::Unavailable => ("503", errors),
            Self::GatewayTimeout => ("504", errors),
            Self::Status => ("the given `status` (500) and `code` (`UnknownError`)", errors),
            Self::Revoked => (
                "401, and the token of the request is refused from then on",
                "Entra documentation of continuous access evaluation",
            ),
            Self::CutBefore => {
                ("the connection is cut and the request is not carried out", network)
            }
            Self::CutAfter => ("the request is carried out, but the answer is lost", network),
            Self::CutHead => (
                "the request is carried out; the connection is cut after `bytes` (20) of the answer",
                network,
            ),
            Self::CutBody => (
                "the request is carried out; the connection is cut in the middle of the body",
                network,
            ),
            Self::Truncated => (
                "the request is carried out; half of the body is sent as if it were complete",
                network,
            ),
            Self::NotJson => {
                ("the request is carried out; the answer is a page of HTML", "proxies")
            }
            Self::Slow => ("the answer is sent `seconds` (5) later", network),
            Self::SlowBody => ("the body is sent in pieces over `seconds` (5)", network),
            Self::Redirect => ("302 to `host` (`https://elsewhere.invalid`)", "proxies"),
            Self::ForeignLink => ("a nextLink to `host` (`https://elsewhere.invalid`)", paging),
            Self::ExpiredPage => {
                ("400 for a page that follows a nextLink: the page token has expired", paging)
            }
            Self::EmptyPage => ("a page without rows, with a nextLink", paging),
            Self::RepeatedRow => ("the next page begins with the last row of this page", paging),
            Self::ShortPage => {
                ("a list ends after `rows` (1) rows, with a nextLink to the rest", odata)
            }
            Self::ShortLists => (
                "each list inside an object ends after `rows` (1) entries, with its own nextLink",
                odata,
            ),
        }
    }

    /// The details that this fault takes.
    pub(super) fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Throttled | Self::Unavailable => &["retryAfter", "retryAfterDate"],
            Self::Status => &["status", "code", "retryAfter", "retryAfterDate"],
            Self::CutHead => &["bytes"],
            Self::Slow | Self::SlowBody => &["seconds"],
            Self::Redirect | Self::ForeignLink => &["host"],
            Self::ShortPage | Self::ShortLists => &["rows"],
            _ => &[],
        }
    }

    /// Whether the fault spoils the answer and not the connection. Only such a fault can hit one
    /// part of a batch alone.
    pub(super) fn befalls_parts(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::InternalError
                | Self::BadGateway
                | Self::Unavailable
                | Self::GatewayTimeout
                | Self::EmptyPage
                | Self::RepeatedRow
                | Self::ShortPage
                | Self::ShortLists
        )
    }

    pub(super) fn fault(self, details: &Details) -> Fault {
        let host = || details.host.clone().unwrap_or_else(|| "https://elsewhere.invalid".into());
        let rows = details.rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(1);
        let lasting = || Duration::from_secs(details.seconds.unwrap_or(5));
        match self {
            Self::Throttled => refusal(429, "TooManyRequests", details),
            Self::InternalError => refusal(500, "UnknownError", details),
            Self::BadGateway => refusal(502, "UnknownError", details),
            Self::Unavailable => refusal(503, "serviceNotAvailable", details),
            Self::GatewayTimeout => refusal(504, "UnknownError", details),
            Self::Status => refusal(
                details.status.unwrap_or(500),
                details.code.as_deref().unwrap_or("UnknownError"),
                details,
            ),
            Self::Revoked => Fault::Revoked,
            Self::CutBefore => Fault::CloseBefore,
            Self::CutAfter => Fault::CloseAfter,
            Self::CutHead => Fault::CutAt(details.bytes.unwrap_or(20)),
            Self::CutBody => Fault::CutBody,
            Self::Truncated => Fault::Truncated,
            Self::NotJson => Fault::NotJson,
            Self::Slow => Fault::Slow(lasting()),
            Self::SlowBody => Fault::SlowBody(lasting()),
            Self::Redirect => Fault::Redirect(host()),
            Self::ForeignLink => Fault::ForeignLink(host()),
            Self::ExpiredPage => refusal(400, "Directory_ExpiredPageToken", details),
            Self::EmptyPage => Fault::EmptyPage,
            Self::RepeatedRow => Fault::RepeatedRow,
            Self::ShortPage => Fault::ShortPage(rows),
            Self::ShortLists => Fault::ShortLists(rows),
        }
    }
}

fn refusal(status: u16, code: &str, details: &Details) -> Fault {
    let code = code.to_owned();
    match details.retry_after_date {
        Some(seconds) => Fault::StatusUntil { status, code, seconds },
        None => Fault::Status { status, code, retry_after: details.retry_after },
    }
}

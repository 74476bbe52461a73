//! The faults by the names that people give them, with what each may be told besides.

use std::time::Duration;

use serde::Deserialize;

use super::Fault;

/// A fault by its name. The sources are Microsoft's documentation pages, checked 2026-11; where
/// there is none, it is what networks do.
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

/// What a fault may be told besides its name.
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

    /// What goes wrong by chance where nobody says otherwise: all that passes on its own.
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

    /// In a sentence, and where it is from.
    pub fn about(self) -> (&'static str, &'static str) {
        let throttling = "Graph documentation of throttling";
        let errors = "Graph documentation of errors";
        let paging = "Graph documentation of paging";
        let odata = "OData JSON format 4.01";
        let network = "networks";
        match self {
            Self::Throttled => ("429, with `retryAfter`, `retryAfterDate` or neither", throttling),
            Self::InternalError => ("500", errors),
            Self::BadGateway => ("502", errors),
            Self::Unavailable => ("503", errors),
            Self::GatewayTimeout => ("504", errors),
            Self::Status => ("the `status` and the `code` that are given", errors),
            Self::Revoked => (
                "401, and the token that was sent is refused from then on",
                "Entra documentation of continuous access evaluation",
            ),
            Self::CutBefore => ("the connection is cut with nothing done", network),
            Self::CutAfter => ("it is done, and the answer is lost", network),
            Self::CutHead => {
                ("it is done, and the connection is cut after `bytes` of the answer (20)", network)
            }
            Self::CutBody => ("it is done, and the connection is cut within the body", network),
            Self::Truncated => {
                ("it is done, and half of the body comes as if it were all", network)
            }
            Self::NotJson => ("it is done, and a page of HTML comes", "proxies"),
            Self::Slow => ("the answer comes `seconds` later (5)", network),
            Self::SlowBody => ("the body comes in pieces over `seconds` (5)", network),
            Self::Redirect => ("302 to `host` (`https://elsewhere.invalid`)", "proxies"),
            Self::ForeignLink => ("a nextLink to `host` (`https://elsewhere.invalid`)", paging),
            Self::ExpiredPage => ("of a page that is gone on to: 400, its token expired", paging),
            Self::EmptyPage => ("a page without rows, with a nextLink", paging),
            Self::RepeatedRow => ("the next page begins with this page's last row", paging),
            Self::ShortPage => {
                ("a list ends after `rows` of it (1), with a nextLink to the others", odata)
            }
            Self::ShortLists => (
                "lists inside of what is shown end after `rows` (1), each with its own nextLink",
                odata,
            ),
        }
    }

    /// The details that mean something for it.
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

    /// Whether it is the answer that goes wrong, not the wire: so it can befall a part of a batch
    /// alone.
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

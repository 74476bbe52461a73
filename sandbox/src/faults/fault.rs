//! The list of faults, and what is known of a request when one is chosen.
//!
//! Not here: the names that a file of faults uses (`words`).

use std::time::Duration;

use crate::graph::call::Version;

/// A request, or a part of a batch, that is about to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartInfo {
    pub method: String,
    /// From the root, without the query: `/beta/users/…`.
    pub path: String,
    /// The version of Graph; `None` for a path outside Graph, such as the token endpoint.
    pub version: Option<Version>,
    /// The number of this write among all writes tried at this server, from 1; `None` for a read.
    pub write: Option<u64>,
    /// Whether it is a write, or a batch that contains a write.
    pub writes: bool,
    /// The id that a part has in its batch.
    pub batch_part: Option<String>,
    /// Whether it follows a nextLink.
    pub continued: bool,
}

/// What goes wrong with a request.
///
/// Faults of the connection concern the whole answer. If one hits a part of a batch, all parts are
/// answered and the answer of the batch is spoilt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Refuse this request, or this part of a batch, and do nothing.
    Status {
        status: u16,
        code: String,
        /// Seconds, for the header `Retry-After`.
        retry_after: Option<u64>,
    },
    /// The same, with `Retry-After` as a date that is this many seconds ahead.
    StatusUntil { status: u16, code: String, seconds: u64 },
    /// Cut the connection and do nothing; in a batch, nothing of this part and of later parts.
    CloseBefore,
    /// Carry out the request, then cut the connection without an answer.
    CloseAfter,
    /// Carry out the request, and cut the connection after this many bytes of the answer, its head
    /// included.
    CutAt(u64),
    /// Carry out the request, and cut the connection in the middle of the body.
    CutBody,
    /// Carry out the request, and send half of the body as if it were complete.
    Truncated,
    /// Carry out the request, and send a page of HTML, as a proxy would.
    NotJson,
    /// Carry out the request, and send the body in pieces over this time.
    SlowBody(Duration),
    /// Carry out the request, and delay the answer by this time.
    Slow(Duration),
    /// Answer 401, and refuse the token of the request from now on.
    Revoked,
    /// Redirect the client to this host, and do nothing.
    Redirect(String),
    /// Answer with a nextLink that leads to this host.
    ForeignLink(String),
    /// Answer a list with no rows and a nextLink that leads to them.
    EmptyPage,
    /// Answer a list with a nextLink to a page that repeats the last row of this page.
    RepeatedRow,
    /// Answer a list with at most this many rows and a nextLink to the rest. That includes lists
    /// that Graph is known to show whole.
    ShortPage(usize),
    /// Answer with at most this many entries of each list inside an object. Each list has its own
    /// nextLink to the rest.
    ShortLists(usize),
}

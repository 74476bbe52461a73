//! The faults that the sandbox can cause: an answer that is refused, spoilt, slow or cut, a revoked
//! token, pages that are empty or overlap.
//!
//! This file has the list of faults, and the hook that chooses one for each request. `words` has
//! the names of the faults, `script` reads a file of faults, `share` makes a share of all answers
//! fail. Not here: how an answer is spoilt on its way out (`delivery`), or what the service refuses
//! by its own rules.

mod script;
mod share;
mod words;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::script::{Script, ScriptError};
pub use self::share::Share;
pub use self::words::Word;

use super::call::Version;

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

type Hook = dyn Fn(&PartInfo) -> Fault + Send + Sync;

/// The hook that chooses a fault for each request and each part of a batch.
#[derive(Clone, Default)]
pub struct Faults {
    hook: Option<Arc<Hook>>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn by(hook: impl Fn(&PartInfo) -> Fault + Send + Sync + 'static) -> Self {
        Self { hook: Some(Arc::new(hook)) }
    }

    /// The faults of a script.
    pub fn scripted(script: Script) -> Self {
        Self::by(move |part| script.at(part))
    }

    pub(crate) fn at(&self, part: impl FnOnce() -> PartInfo) -> Fault {
        match &self.hook {
            Some(hook) => hook(&part()),
            None => Fault::None,
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.hook.is_some() { "Faults(hook)" } else { "Faults(none)" })
    }
}

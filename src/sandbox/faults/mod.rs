//! What can be made to go wrong: an answer refused, spoilt, slow or cut, a token revoked, pages
//! that are empty or overlap.
//!
//! Here is what there is to go wrong and who decides it; `words` names the faults for people,
//! `script` reads a file of them, `share` lets a part of all answers go wrong. Not here: how an
//! answer is spoilt on its way out (`delivery`), or what the service refuses by its own rules.

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
    /// Of Graph; `None` at the token endpoint and the like.
    pub version: Option<Version>,
    /// The number of this write among all that were tried at this server, from 1; `None` of reads.
    pub write: Option<u64>,
    /// It is a write, or a batch with one in it.
    pub writes: bool,
    /// The id that a part has in its batch.
    pub batch_part: Option<String>,
    /// It follows a nextLink.
    pub continued: bool,
}

/// Faults of the wire concern the whole answer: where one meets a part of a batch, all parts are
/// answered and the answer of the batch is spoilt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Refuse this request, or this part of a batch, with nothing done.
    Status {
        status: u16,
        code: String,
        /// Seconds, for the header of that name.
        retry_after: Option<u64>,
    },
    /// The same, with `Retry-After` as a date so many seconds ahead.
    StatusUntil { status: u16, code: String, seconds: u64 },
    /// Cut the connection with nothing done; in a batch, nothing of this part and those after it.
    CloseBefore,
    /// Do it, then cut the connection without an answer.
    CloseAfter,
    /// Do it, and cut the connection after so many bytes of the answer, its head included.
    CutAt(u64),
    /// Do it, and cut the connection in the middle of the body.
    CutBody,
    /// Do it, and send half of the body as if it were the whole.
    Truncated,
    /// Do it, and send a page of HTML, as a proxy would.
    NotJson,
    /// Do it, and send the body in pieces over so long a time.
    SlowBody(Duration),
    /// Do it, and answer so much later.
    Slow(Duration),
    /// 401, and the token that was sent is refused from now on.
    Revoked,
    /// Send the client to this host, with nothing done.
    Redirect(String),
    /// Answer with a nextLink that leads to this host.
    ForeignLink(String),
    /// Answer a list with no rows and a nextLink that leads to them.
    EmptyPage,
    /// Answer a list with a nextLink that begins with the last row of this page again.
    RepeatedRow,
    /// Answer a list with so many rows at most and a nextLink to the others, also one that Graph is
    /// known to show whole.
    ShortPage(usize),
    /// Answer with so many members at most of each list inside of what is shown, and a nextLink of
    /// that list to the others.
    ShortLists(usize),
}

type Hook = dyn Fn(&PartInfo) -> Fault + Send + Sync;

/// Asked before each request and each part of a batch.
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

    /// What a script says.
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

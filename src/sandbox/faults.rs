//! What a test can make go wrong: an answer refused, or a connection cut before or after the work.

use std::fmt;
use std::sync::Arc;

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
    /// The id that a part has in its batch.
    pub batch_part: Option<String>,
}

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
    /// Cut the connection with nothing done; in a batch, nothing of this part and those after it.
    CloseBefore,
    /// Do it, then cut the connection without an answer.
    CloseAfter,
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

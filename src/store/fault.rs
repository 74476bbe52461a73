//! The errors of a store, each with the object that it is about.
//!
//! Not here: the words for a command that failed because of one (`commands::fault`).

use std::fmt;

/// What was done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAct {
    Opened,
    Read,
    Written,
    Listed,
    Removed,
}

/// An error of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFault {
    pub act: StoreAct,
    /// Where the object is.
    pub place: String,
    /// What the system or the service said.
    pub why: String,
    /// Nothing is wrong with the request: a later one may succeed.
    pub may_pass: bool,
}

impl StoreAct {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Read => "read",
            Self::Written => "written",
            Self::Listed => "listed",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` could not be {}: {}", self.place, self.act.as_str(), self.why)
    }
}

impl std::error::Error for StoreFault {}

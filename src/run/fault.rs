//! The errors that end a run.
//!
//! Not here: their words and the exit status (`commands::fault`), or errors in policies (`finding`).

use std::io;
use std::path::PathBuf;

use super::allowance::Tripped;
use super::recorded::SnapshotRefusal;
use crate::apply::lease::LeaseFault;
use crate::apply::lock::LockFault;
use crate::apply::resume::ResumeFault;
use crate::apply::verify::Refusal;
use crate::finding::Finding;
use crate::graph;
use crate::journal::{JournalFault, JournalWriteFault};
use crate::policy::UserRef;
use crate::saved::FileFault;
use crate::saved::approval::ApprovalFault;
use crate::source::Sources;
use crate::store::StoreFault;

/// An error that ends a run.
#[derive(Debug)]
pub enum RunFault {
    /// Errors in the files, or in their names when compared with the tenant.
    Policies {
        findings: Vec<Finding>,
        sources: Sources,
    },
    Graph(graph::Error),
    Refused(Refusal),
    /// Brakes that were not lifted.
    Brakes(Vec<Tripped>),
    /// A user that is not in the plan.
    UserNotInPlan(String),
    /// A policy that is not in the plan.
    PolicyNotInPlan(String),
    /// A file that contains no usable plan.
    SavedPlan {
        path: PathBuf,
        fault: FileFault,
    },
    /// A file that contains no usable approval.
    Approval {
        path: PathBuf,
        fault: ApprovalFault,
    },
    /// Another apply of the tenant is running here, or the lock cannot be taken at all.
    Lock(LockFault),
    /// The lock was lost before anything was written.
    Lease(LeaseFault),
    /// The run store could not be opened.
    Store(StoreFault),
    /// The journal could not be written.
    Journal(JournalWriteFault),
    /// An earlier run that was cut off could not be checked.
    Resume(ResumeFault),
    /// Restore files that are too old could not be removed.
    NotRemoved(JournalFault),
    /// An earlier run could not be read.
    PastRun(JournalFault),
    CannotAsk,
    /// The tenant itself is needed, and this is a snapshot of it.
    OnlyRecorded,
    /// A file that contains no usable snapshot.
    Snapshot {
        path: PathBuf,
        fault: SnapshotRefusal,
    },
    /// The answer to the question could not be read.
    NoAnswer(io::Error),
    /// No user in the tenant has this name or id.
    UnknownUser(UserRef),
    /// A snapshot does not know this name or id.
    UserNotRecorded(String),
    Output(io::Error),
}

impl From<graph::Error> for RunFault {
    fn from(error: graph::Error) -> Self {
        Self::Graph(error)
    }
}

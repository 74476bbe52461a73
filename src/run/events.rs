//! What a run reports, and what it asks. The program that called the run shows the events, prints the
//! results and answers the questions.
//!
//! Not here: the words and the terminal (`commands::terminal_frontend`).

use std::io;

use super::fault::RunFault;
use crate::apply::resume::Unfinished;
use crate::apply::stop::Stop;
use crate::graph::Client;
use crate::journal::{JournalFault, RunId};
use crate::plan::Plan;
use crate::plan::approval::ApprovalCheck;
use crate::posture::Posture;
use crate::results::{ApplyReport, WorseUser};

/// A message about the progress of a run.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// An earlier run was cut off or had writes in doubt, and was settled now.
    Settled(&'a Unfinished),
    /// The journal of an earlier run could not be read.
    RunIgnored(&'a JournalFault),
    /// An earlier run of the same saved plan did some of its changes.
    OwnRun { run: &'a RunId, wrote: usize, of: usize, left: usize },
    /// The user declined, and nothing was changed.
    Declined,
    /// The writes begin. From here, the run is stopped through this value.
    WritingBegins(&'a Stop),
    /// The writes ended.
    WritingEnded(&'a ApplyReport),
    /// The journal is complete.
    JournalClosed(&'a RunId),
    /// The written users could not be read again.
    NotReadAgain(&'a RunFault),
    /// No plan could be made after the writes.
    NotPlannedAgain(&'a RunFault),
    /// Users are worse off after the run.
    WorseOff { run: &'a RunId, worse: &'a [WorseUser] },
    /// A user is open or stuck, and the run that wrote to the user was cut off.
    HarmedByCutOffRun { run: &'a RunId, name: &'a str, posture: Posture },
    /// An error that does not end the run.
    Problem(&'a RunFault),
}

/// A result that belongs on standard output.
#[derive(Debug, Clone, Copy)]
pub enum RunOutput<'a> {
    Plan(&'a Plan),
    /// What became of an approval, next to the plan of what is left of it.
    Approval(&'a ApprovalCheck),
    Written {
        plan: &'a Plan,
        report: &'a ApplyReport,
    },
    WorseOff(&'a [WorseUser]),
    /// What the policies still want after an apply.
    Left {
        plan: &'a Plan,
        is_well: bool,
    },
}

/// The program that called a run.
pub trait Frontend {
    /// Reports an event. A failure to report it cannot be reported either.
    fn tell(&self, event: Event<'_>);

    /// Prints a result.
    ///
    /// # Errors
    /// The output could not be written.
    fn show(&self, output: RunOutput<'_>) -> io::Result<()>;

    /// Asks whether the plan is approved.
    ///
    /// # Errors
    /// There is no way to ask, or the answer could not be read.
    fn approves(&self, plan: &Plan) -> impl Future<Output = Result<bool, RunFault>>;

    /// Does the work, and shows the progress of the client meanwhile.
    fn accompany<T>(
        &self,
        client: &Client,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T>;

    /// Returns an error in words, for the journal and the report.
    fn describe(&self, fault: &RunFault) -> String;
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Nothing is left to do.
    Whole,
    /// Something was not done, or a user is worse off.
    Partly,
}

impl RunEnd {
    pub(super) const fn of(is_whole: bool) -> Self {
        if is_whole { Self::Whole } else { Self::Partly }
    }

    /// Returns the same end, or `Partly` if this is false.
    #[must_use]
    pub(super) const fn and(self, is_whole: bool) -> Self {
        Self::of(matches!(self, Self::Whole) && is_whole)
    }
}

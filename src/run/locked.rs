//! Does something while no other run of the tenant may write, and frees the lock however that ends.
//!
//! Not here: what is done (`apply`, `undo`), or the lock itself (`apply::lock`).

use super::closing;
use super::events::{Event, Frontend, RunEnd};
use super::fault::RunFault;
use super::session::Session;
use super::write::{WriteConditions, WriteRun};
use crate::policy::PolicySet;

/// Takes the lock, checks runs that were cut off, and does the work.
///
/// # Errors
/// The lock could not be taken, an earlier run could not be checked, or the work failed.
pub(super) async fn locked<'a, F: Frontend, T>(
    (session, policies): (&'a Session, &'a PolicySet),
    conditions: &'a WriteConditions,
    frontend: &'a F,
    work: impl AsyncFnOnce(&WriteRun<'a, F>) -> Result<T, RunFault>,
) -> Result<T, RunFault> {
    let writer = WriteRun::begin(session, policies, conditions, frontend).await?;
    // The box keeps the type of the future small enough for the compiler.
    let end = Box::pin(work(&writer)).await;
    if end.is_err() {
        // No later run checks the users of a run that is settled now.
        _ = closing::check_cut_off(&writer).await;
    }
    writer.release().await;
    end
}

/// Adds to the end of a run whether the users that a cut off run wrote to are well.
///
/// # Errors
/// Nothing was written, and the users could not be checked.
pub(super) async fn with_cut_off<F: Frontend>(
    writer: &WriteRun<'_, F>,
    (end, has_written): (RunEnd, bool),
) -> Result<RunEnd, RunFault> {
    let is_well = closing::check_cut_off(writer).await.map(RunEnd::of);
    let is_well = unless_written(writer, has_written, is_well)?;
    Ok(end.and(is_well == RunEnd::Whole))
}

/// Reports an error as an event if the run has written: its exit status must show that.
///
/// # Errors
/// The error, if nothing was written.
pub(super) fn unless_written<F: Frontend>(
    writer: &WriteRun<'_, F>,
    has_written: bool,
    end: Result<RunEnd, RunFault>,
) -> Result<RunEnd, RunFault> {
    match end {
        Err(fault) if has_written => {
            writer.frontend.tell(Event::Problem(&fault));
            Ok(RunEnd::Partly)
        }
        end => end,
    }
}

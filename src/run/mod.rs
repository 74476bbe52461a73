//! The life of a run: observing the tenant, planning, applying, undoing, and checking the users at the end.
//!
//! Not here: arguments, output and exit status (`commands`), or the single steps (`plan`, `apply`).

pub mod allowance;
pub mod closing;
pub mod observe;
pub mod write;

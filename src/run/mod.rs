//! The life of a run, step by step: `observe` reads the tenant, `plan` makes a plan, `apply` and `undo`
//! carry one out, `explain` explains one user. A `session` is the tenant of a run, and `events` is what a
//! run reports and asks.
//!
//! - `extent` says which users are read, `reading` reads, `checking` checks what was read.
//! - `saved` opens a saved plan; `allowance` lifts brakes.
//! - `write` takes the lock and writes a plan; `reread` reads its basis again before and meanwhile.
//! - `remaining` plans again after an apply; `closing` checks the written users; `past` reads the run that
//!   an undo puts back.
//!
//! Nothing here prints, asks or reads the environment.
//!
//! Not here: arguments, output and exit status (`commands`), or the single steps (`plan`, `apply`).

pub mod allowance;
pub mod apply;
mod checking;
pub mod closing;
pub mod events;
pub mod explain;
mod extent;
pub mod fault;
pub mod observe;
mod past;
pub mod plan;
mod reading;
mod remaining;
pub mod reread;
pub mod saved;
pub mod session;
pub mod undo;
pub mod write;

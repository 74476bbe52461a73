//! The life of a run, step by step: `observe` reads the tenant, `plan` makes a plan, `apply` and `undo`
//! carry one out, `explain` explains one user, `report` evaluates all of them. A `session` is the tenant of a run, and `events` is what a
//! run reports and asks.
//!
//! - `users` says which users are read, reads them, and checks the names of the policies.
//! - `saved` opens a saved plan; `approved` applies under an approval, `reviewed` under a review; `allowance` lifts brakes.
//! - `locked` holds the lock while a run works; `write` writes a plan; `reread` reads its basis again before and meanwhile.
//! - `remaining` plans again after an apply; `closing` checks the written users; `past` reads the run that
//!   an undo puts back.
//!
//! Nothing here prints, asks or reads the environment.
//!
//! Not here: arguments, output and exit status (`commands`), or the single steps (`plan`, `apply`).

pub mod allowance;
pub mod apply;
pub mod approved;
pub mod closing;
pub mod events;
pub mod explain;
pub mod fault;
mod locked;
pub mod observe;
mod past;
pub mod plan;
pub mod recorded;
mod remaining;
pub mod report;
pub mod reread;
pub mod review;
pub mod reviewed;
pub mod saved;
pub mod session;
pub mod snapshot;
pub mod undo;
mod users;
pub mod write;

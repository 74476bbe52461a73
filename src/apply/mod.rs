//! Carries out a plan. `verify` checks that the plan still holds before the run, and `rule_watch` checks it
//! during the run. `run` writes the plan in waves: several waves run at a time and share one `context`,
//! and each `wave` writes in stages. `user_run` is the state of one user in a wave, `sending` sends a stage,
//! `post_write_check` checks right after a write that what made it safe is still there, `final_check` compares every
//! written user with what was expected at the end, `stop` ends a run early, and `results` holds the
//! result of every change. `journal` records each write in the run store before it is sent, `lock` and
//! `lease` allow one apply of a tenant at a time, `resume` settles runs that have no end or that ended with
//! writes in doubt, and `own_writes` knows what recorded runs wrote since a saved plan was made.
//!
//! The only decision made here is whether the basis still holds. What to do was settled when the plan
//! was made, and the same guard is asked again with facts that were just read. Not here: making plans
//! (`plan`).

pub mod context;
pub mod final_check;
pub mod lease;
pub mod lock;
pub mod own_writes;
mod post_write_check;
pub mod resume;
pub mod rule_watch;
pub mod run;
mod sending;
pub mod stop;
mod user_run;
pub mod verify;
mod wave;

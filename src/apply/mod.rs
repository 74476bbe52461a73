//! A plan carried out: `basis` decides whether it still holds, and `watch` whether it does so all the
//! while. `run` writes it in waves, some of them at a time over one `conduct`, each `wave` in stages;
//! `turn` is one user in the middle of it, `sending` sends a stage, `rests` looks right after a write
//! whether what it rested on is still there, `standing` at the end how everybody stands who was written,
//! `stop` ends it early, `report` says what became of every change.
//! `journal` says on this machine's disk what is written before it is, `lock` lets one apply of a
//! tenant in at a time, `resume` looks after a run that came to no end or ended with writes that nobody
//! knows of, `own` says what runs from here wrote since a saved plan was made.
//!
//! Nothing is decided here but whether the basis still holds; what to do was settled when the plan
//! was made, and the same guard is asked again on facts just read. Not here: making plans (`plan`).

pub mod basis;
pub mod conduct;
pub mod journal;
pub mod lock;
pub mod own;
pub mod report;
mod rests;
pub mod resume;
pub mod run;
mod sending;
pub mod standing;
pub mod stop;
mod turn;
pub mod watch;
mod wave;

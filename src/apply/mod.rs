//! A plan carried out: `basis` decides whether it still holds, `run` writes it in stages, `report`
//! says what became of every change.
//!
//! Nothing is decided here but whether the basis still holds; what to do was settled when the plan
//! was made, and the same guard is asked again on facts just read. Not here: making plans (`plan`).

pub mod basis;
pub mod report;
pub mod run;

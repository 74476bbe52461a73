//! What people and machines read of a run. Text exists here only: everything before this is values.
//!
//! Not here: anything that decides.

pub mod access;
pub mod diagnostic;
pub mod explained;
pub mod explanation;
pub mod json;
pub mod outcome;
pub mod report;
mod reported;
pub mod runs;
mod shape;
pub mod text;

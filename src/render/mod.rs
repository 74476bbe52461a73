//! The output for people and programs. Text exists only here: the modules before this one produce
//! values.
//!
//! Not here: any decision.

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

//! The output for people and programs. Text exists only here: the modules before this one produce
//! values.
//!
//! Not here: any decision.

pub mod applied;
pub mod apply;
pub mod approval;
pub mod counts;
pub mod diagnostic;
pub mod disclosed;
pub mod doctor;
pub mod explain;
pub mod findings;
pub mod html;
pub mod markdown;
pub mod plan;
pub mod recorded;
pub mod report;
pub mod review;
pub mod runs;

//! Shows what a change of the files does. `sentence` sums it up, `kinds` and `finding_rows` group the differences;
//! `text` and `json` show them. `plans` shows the difference of two plans from files in the same words.
//!
//! Not here: the comparison (`plan::review`), or the plan itself (`render::plan`).

pub mod finding_rows;
pub(in crate::render) mod json;
pub mod kinds;
pub mod plans;
pub(in crate::render) mod sentence;
pub mod text;

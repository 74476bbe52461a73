//! Shows what a change of the files does. `kinds` groups the differences; `text` and `json` show them. `plans`
//! shows the difference of two plans from files in the same words.
//!
//! Not here: the comparison (`plan::review`), or the plan itself (`render::plan`).

pub(in crate::render) mod json;
pub mod kinds;
pub mod plans;
pub mod text;

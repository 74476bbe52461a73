//! Shows what a change of the files does. `sentence` sums it up, `kinds` groups the differences; `text` and
//! `json` show them.
//!
//! Not here: the comparison (`plan::review`), or the plan itself (`render::plan`).

pub(in crate::render) mod json;
pub mod kinds;
pub(in crate::render) mod sentence;
pub mod text;

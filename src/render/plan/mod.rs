//! Shows a plan, as text and as JSON. `grouping` puts users with the same changes into one block.
//!
//! Not here: the content of a plan (`plan`), or the result of an apply (`render::apply`).

pub mod grouping;
pub mod json;
pub mod objects;
pub mod report_mode;
pub mod text;

//! Shows the explanation of one user, as text and as JSON.
//!
//! Not here: the explanation itself (`explain`).

mod compared;
pub mod json;
pub mod text;

//! Shows the explanation of one user, as text and as JSON.
//!
//! Not here: the explanation itself (`explain`).

pub mod json;
pub mod text;

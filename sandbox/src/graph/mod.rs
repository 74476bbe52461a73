//! Graph as its clients see it: calls and answers, queries, schemas, batches and errors.
//!
//! Not here: HTTP (`http`), or what the paths do (`directory`, `registration`).

pub(crate) mod answer;
pub(crate) mod answering;
pub(crate) mod batch;
pub(crate) mod call;
pub(crate) mod odata;
pub(crate) mod parts;
pub(crate) mod problem;
pub(crate) mod route;
pub(crate) mod schema;

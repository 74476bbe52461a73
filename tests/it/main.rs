//! One integration binary: the program, and what it reads and writes, as a user meets them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where by panicking"
)]

mod apply;
mod cli;
mod guards;
mod plan;
mod policies;
mod reading;
mod sandbox;
mod saving;
mod sources;
mod support;

//! The integration tests, in one binary: the program, and the files and tenants that it reads and writes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where by panicking"
)]

mod apply;
mod cli;
mod guards;
mod pipelines;
mod plan;
mod policies;
mod reading;
mod sandbox;
mod saving;
mod snapshot;
mod sources;
mod stores;
mod support;

//! One integration binary: the program, and what it reads and writes, as a user meets them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where by panicking"
)]

mod imports;
mod loading;
mod precedence;
mod samples;
mod selectors;
mod small;

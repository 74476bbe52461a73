//! One integration binary: the program, and what it reads and writes, as a user meets them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where by panicking"
)]

mod demand;
mod imports;
mod live;
mod loading;
mod posture;
mod roles;
mod samples;

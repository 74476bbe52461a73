//! One integration binary.

mod loading;
mod samples;

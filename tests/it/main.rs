//! One integration binary.

mod samples;

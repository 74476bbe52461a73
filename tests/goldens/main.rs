//! Tests that are made of files: each case, sample, golden and row of a table is a test of its own and has
//! the name of its file, so that one can be picked: `cargo test case::number-kept`.
//!
//! Not here: tests that are written one by one (`tests/it`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where by panicking"
)]

use std::process::ExitCode;

use clap::Parser;
use libtest_mimic::{Arguments, Trial};

mod cases;
mod doctor;
mod explain;
mod posture;
mod report;
mod samples;
mod schemas;
mod support;
mod unreadable;

/// The arguments of libtest. It takes several filters, and libtest-mimic takes one.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    arguments: Arguments,
    more_filters: Vec<String>,
}

fn main() -> ExitCode {
    let Options { mut arguments, more_filters } = Options::parse();
    let mut trials = trials();
    if !more_filters.is_empty() {
        let filters: Vec<String> =
            arguments.filter.take().into_iter().chain(more_filters).collect();
        let is_meant = |name: &str| match arguments.exact {
            true => filters.iter().any(|filter| filter == name),
            false => filters.iter().any(|filter| name.contains(filter)),
        };
        trials.retain(|trial| is_meant(trial.name()));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials() -> Vec<Trial> {
    let all = [
        cases::trials(),
        samples::trials(),
        schemas::trials(),
        explain::trials(),
        doctor::trials(),
        report::trials(),
        unreadable::trials(),
        posture::trials(),
    ];
    all.into_iter().flatten().collect()
}

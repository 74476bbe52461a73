//! The binary: calls the library.
//!
//! Not here: the command line (`cli`).

use std::process::ExitCode;

fn main() -> ExitCode {
    mfactl::cli::main().into()
}

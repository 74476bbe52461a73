//! The command line: global flags, the list of commands, and how a run ends.
//!
//! Not here: what a command does (`commands`).

pub mod log;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use crate::commands::{self, Command};
use crate::exit::Exit;

/// Terraform for multi-factor authentication: YAML policies say what the MFA state of each group of
/// a Microsoft Entra tenant must be; `plan` shows how the tenant differs, `apply` makes it so.
#[derive(Debug, Parser)]
#[command(name = "mfactl", version, after_help = exit_codes(), disable_help_subcommand = true)]
pub struct Cli {
    /// The file that says which tenant, and what must never happen.
    #[arg(long, global = true, value_name = "FILE", default_value = "mfactl.yaml")]
    pub config: PathBuf,

    /// Say on standard error what goes over the wire: never a token, a body or a number
    #[arg(long = "log", global = true, value_name = "LEVEL", default_value = "off")]
    pub log: log::Level,

    /// How the log is written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: log::Format,

    #[command(subcommand)]
    pub command: Command,
}

/// The whole program, from arguments to exit status.
#[must_use]
pub fn main() -> Exit {
    match parse(std::env::args_os()) {
        Ok(cli) => {
            log::start(cli.log, cli.log_format);
            commands::run(cli)
        }
        Err(error) => usage(&error),
    }
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Help and version are data; everything else is a usage error, and those are 1 here.
fn usage(error: &clap::Error) -> Exit {
    let printed = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if quiet(&printed) => Exit::Done,
        _ => Exit::Failed,
    }
}

/// Writes data to standard output. Colour goes only to a terminal.
///
/// # Errors
/// What the other end says; a reader that went away is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if quiet(&written) { Ok(()) } else { written }
}

/// Talks to the person, on standard error.
pub fn say(text: &str) {
    let mut err = anstream::stderr().lock();
    // Nobody is left to be told that the talk could not be heard.
    _ = writeln!(err, "{text}");
}

/// Whether a write went well or ended because the reader had enough (`plan | head`).
fn quiet(written: &io::Result<()>) -> bool {
    written.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn exit_codes() -> String {
    let lines = Exit::ALL.map(|(exit, meaning)| format!("  {}  {meaning}\n", exit as u8));
    format!("Exit status:\n{}", lines.concat())
}

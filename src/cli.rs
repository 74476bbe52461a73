//! The command line: global options, the list of commands, and the exit status.
//!
//! Not here: what a command does (`commands`).

pub mod log;
mod no_core;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use crate::commands::{self, Command};
use crate::exit::Exit;
use crate::terminal::{print, say};

/// Terraform for multi-factor authentication: YAML policies define the MFA state of each group of a
/// Microsoft Entra tenant; `plan` shows how the tenant differs, and `apply` changes it.
#[derive(Debug, Parser)]
#[command(name = "mfactl", version, after_help = exit_codes(), disable_help_subcommand = true)]
pub struct Cli {
    /// Project file: names the tenant, the break-glass accounts and the brakes
    #[arg(long, global = true, value_name = "FILE", default_value = "mfactl.yaml")]
    pub config: PathBuf,

    /// Log HTTP requests to standard error, without tokens, bodies or phone numbers
    #[arg(long = "log", global = true, value_name = "LEVEL", default_value = "off")]
    pub log: log::Level,

    /// Format of the log
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: log::LogFormat,

    #[command(subcommand)]
    pub command: Command,
}

/// Runs the whole program, from arguments to exit status.
#[must_use]
pub fn main() -> Exit {
    no_core::ensure();
    match parse(std::env::args_os()) {
        Ok(cli) => {
            log::start(cli.log, cli.log_format);
            commands::run(cli.command, &cli.config, Cli::command)
        }
        Err(error) => usage(&error),
    }
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Prints what clap reports. Help and version are data; everything else is a usage error, with exit
/// status 1.
fn usage(error: &clap::Error) -> Exit {
    let text = error.render().ansi().to_string();
    let printed = match error.use_stderr() {
        true => {
            say(text.trim_end());
            Ok(())
        }
        false => print(&text),
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if printed.is_ok() => Exit::Done,
        _ => Exit::Failed,
    }
}

fn exit_codes() -> String {
    let lines = Exit::ALL.map(|(exit, meaning)| format!("  {}  {meaning}\n", exit as u8));
    format!("Exit status:\n{}", lines.concat())
}

//! `mfactl completions`: the script with which a shell completes commands and options.
//!
//! Not here: the commands themselves (`cli`).

use clap_complete::Shell;

use super::fault::Fault;
use crate::exit::Exit;
use crate::terminal::print_own;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mfactl completions bash > /etc/bash_completion.d/mfactl
  mfactl completions zsh > ~/.zfunc/_mfactl
  mfactl completions fish > ~/.config/fish/completions/mfactl.fish
")]
pub struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, mut program: clap::Command) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "mfactl", &mut script);
    print_own(&String::from_utf8_lossy(&script)).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

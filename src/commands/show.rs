//! `mfactl show`: a saved plan, as `plan` showed it.

use std::path::PathBuf;

use super::fault::Fault;
use super::output::{self, Format};
use super::saved;
use crate::exit::Exit;
use crate::render::text;

/// Show a saved plan, byte for byte as `plan` did. No tenant is asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl show staff.plan\n  mfactl show staff.plan --format json\n\nThe fingerprint is computed again from what the file holds, and an edited file is refused. A plan\nthat was made with MFACTL_FINGERPRINT_KEY set is shown with the same key alone.\n"
)]
pub struct Args {
    /// A plan saved with `plan --out` or `undo --out`
    file: PathBuf,

    /// How the plan is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// List everybody instead of folding users who are alike
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Fault> {
    let saved = saved::open_to_show(&args.file)?;
    let view = text::View { all: args.all, sandbox: saved.sandbox, part: false };
    output::plan(&saved.plan, args.format, view, None)?;
    Ok(Exit::Done)
}

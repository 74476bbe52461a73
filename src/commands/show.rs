//! `mfactl show`: shows a saved plan as `plan` printed it.
//!
//! Not here: reading the file (`saved`, `saved`).

use std::path::PathBuf;

use super::disclosure::Disclose;
use super::fault::Fault;
use super::output::{self, OutputFormat};
use super::saved;
use crate::exit::Exit;
use crate::render::plan::text;

/// Show a saved plan, byte for byte as `plan` printed it. No request is sent to a tenant.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl show staff.plan\n  mfactl show staff.plan --format json\n\nThe fingerprint is computed again from the content of the file, and an edited file is refused. If\nMFACTL_FINGERPRINT_KEY was set when the plan was made, the same key is needed to show it.\nWith `--disclose` below `names`, the output is the one of `plan` with the same level.\n"
)]
pub struct Args {
    /// A plan saved with `plan --out` or `undo --out`
    file: PathBuf,

    /// Format of the plan
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// List every user instead of grouping users with the same changes
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    disclose: Disclose,
}

pub(super) fn run(args: &Args) -> Result<Exit, Fault> {
    let saved = saved::open_to_show(&args.file)?;
    let view = text::TextView { all: args.all, sandbox: saved.sandbox, part: false };
    let disclose = args.disclose.begin(None, &saved.plan.identity.id.to_string());
    output::plan(&saved.plan, None, args.format, view, &disclose, None).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

//! `mfactl show`: shows a saved plan as `plan` printed it.
//!
//! Not here: reading the file (`saved`, `saved`).

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::disclosure::{Disclose, in_file};
use super::fault::Fault;
use super::output::{self, OutputFormat};
use super::saved;
use crate::exit::Exit;
use crate::render::html::{self, HtmlView};
use crate::render::plan::text;

/// The format of a saved plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// For a terminal
    Text,
    /// For programs; `mfactl schema` describes it
    Json,
    /// For a browser: one file with pictures and tables, which contains names unless `--disclose` hides them
    Html,
}

/// Show a saved plan, byte for byte as `plan` printed it. No request is sent to a tenant.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl show staff.plan\n  mfactl show staff.plan --format json\n  mfactl show staff.plan --format html > plan.html\n\nThe fingerprint is computed again from the content of the file, and an edited file is refused. If\nMFACTL_FINGERPRINT_KEY was set when the plan was made, the same key is needed to show it.\nWith `--disclose` below `names`, the output is the one of `plan` with the same level.\n"
)]
pub struct Args {
    /// A plan saved with `plan --out` or `undo --out`
    file: PathBuf,

    /// Format of the plan
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    format: ShowFormat,

    /// List every user instead of grouping users with the same changes
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    disclose: Disclose,
}

pub(super) fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let saved = saved::open_to_show(&args.file)?;
    let view = text::TextView { all: args.all, sandbox: saved.sandbox, part: false };
    let disclose = args.disclose.begin(in_file(config), &saved.plan.identity.id.to_string());
    let format = match args.format {
        ShowFormat::Text => OutputFormat::Text,
        ShowFormat::Json => OutputFormat::Json,
        ShowFormat::Html => {
            let view =
                HtmlView { disclose: &disclose, sandbox: saved.sandbox, part: false, digest: None };
            output::document(&html::plan(&saved.plan, None, view))?;
            return Ok(Exit::Done);
        }
    };
    output::plan(&saved.plan, None, format, view, &disclose, None).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

//! `mfactl plan`: observe the tenant, show the difference, change nothing.

use std::path::{Path, PathBuf};

use super::connect::{Reach, connect};
use super::fault::Fault;
use super::output::{self, Format};
use super::progress::shown;
use super::selection::Selection;
use super::stats::Stats;
use super::{observe, saved};
use crate::exit::Exit;
use crate::policy;
use crate::render::text;

/// Show how the tenant differs from what the policies want. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl plan\n  mfactl plan --all\n  mfactl plan --format json\n  mfactl plan --detailed-exitcode\n  mfactl plan --user j.brown@exchangelabs.nl\n  mfactl plan --policy staff\n  mfactl plan --out staff.plan\n"
)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,

    /// How the plan is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,

    /// List everybody instead of folding users who are alike
    #[arg(long)]
    all: bool,

    /// Save the plan as well, to apply exactly it; it holds phone numbers in full. A new file, one that
    /// holds a saved plan, or `-` for standard output, if that is no terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Where the journals of applies are, instead of `.mfactl` beside `mfactl.yaml`: they say who was
    /// in each break-glass group
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    reach: Reach,

    #[command(flatten)]
    stats: Stats,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    output::room(args.out.as_ref(), args.format)?;
    let set = policy::load(config)?;
    let mut tenant = connect(&set, config, &args.reach).await?;
    if let Some(folder) = &args.journal {
        tenant.remember(folder);
    }
    let plan = shown(&tenant.client, observe::plan(&set, &tenant)).await?;
    let plan = args.selection.of(plan, None, &set)?;
    let plan = saved::named(plan);
    if let Some(path) = &args.out {
        saved::save(&plan, path, &set, &tenant)?;
    }
    let part = args.selection.is_part();
    let view = text::View { all: args.all, sandbox: tenant.is_sandbox(), part };
    output::plan(&plan, args.format, view, args.out.as_ref())?;
    args.stats.tell(&tenant.client, matches!(args.format, Format::Json));
    tenant.close().await;
    Ok(if args.detailed_exitcode && !plan.changes.is_empty() { Exit::Changes } else { Exit::Done })
}

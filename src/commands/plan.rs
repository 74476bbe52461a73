//! `mfactl plan`: observes the tenant and shows the difference. Nothing is written.
//!
//! Not here: how a plan is made (`run::plan`), or how it looks (`render`).

use std::path::{Path, PathBuf};

use super::connect::{Reach, connect};
use super::fault::Fault;
use super::output::{self, OutputFormat};
use super::progress::shown;
use super::saved;
use super::selection::Selection;
use super::stats::Stats;
use crate::exit::Exit;
use crate::policy;
use crate::render::plan::text;
use crate::run;

/// Show how the tenant differs from the policies. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl plan\n  mfactl plan --all\n  mfactl plan --format json\n  mfactl plan --detailed-exitcode\n  mfactl plan --user j.brown@exchangelabs.nl\n  mfactl plan --policy staff\n  mfactl plan --out staff.plan\n"
)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,

    /// Format of the plan
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// Exit with code 2 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,

    /// List every user instead of grouping users with the same changes
    #[arg(long)]
    all: bool,

    /// Also save the plan, to apply exactly this plan later; it contains phone numbers in full. FILE is a
    /// new file, a saved plan, or `-` for standard output if that is not a terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Folder of the journals, instead of `.mfactl` next to `mfactl.yaml`; they contain the earlier
    /// members of each break-glass group
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
    let session = &mut tenant.session;
    if let Some(folder) = &args.journal {
        session.remember(folder);
    }
    let part = args.selection.part(None);
    let plan = shown(&session.client, run::plan::plan(session, &set, &part)).await?;
    if let Some(path) = &args.out {
        saved::save(&plan, path, &set, session)?;
    }
    let part = args.selection.is_part();
    let view = text::TextView { all: args.all, sandbox: session.is_sandbox, part };
    output::plan(&plan, args.format, view, args.out.as_ref()).map_err(Fault::Output)?;
    args.stats.tell(&session.client, matches!(args.format, OutputFormat::Json));
    tenant.close().await;
    let differs = !(plan.changes.is_empty() && plan.objects.is_empty());
    Ok(if args.detailed_exitcode && differs { Exit::Changes } else { Exit::Done })
}

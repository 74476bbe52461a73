//! `mfactl undo`: makes a plan that undoes a run. It is shown, saved, limited by brakes and applied like
//! any other plan.
//!
//! Not here: the steps (`run::undo`), or what goes into the plan (`plan::undo`).

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::conditions::Conditions;
use super::connect::{Reach, connect};
use super::fault::Fault;
use super::output::{self, OutputFormat};
use super::saved;
use super::terminal_frontend::Terminal;
use crate::disclose::Discloser;
use crate::exit::Exit;
use crate::journal::{RunId, RunStore};
use crate::policy::{self, PolicySet};
use crate::render::plan::text::TextView;
use crate::run::events::{Frontend as _, RunOutput};
use crate::run::session::Session;
use crate::run::undo::{self, UndoRequest};

/// Show a plan that undoes the changes of a run, ask for confirmation, and apply it. It leaves no user
/// open or stuck, and values that were changed since the run stay as they are.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl runs\n  mfactl undo 20261122T101500Z-3f2a\n  mfactl undo 20261122T101500Z-3f2a --out back.plan\n\nThe old values come from the restore file of the run, as far as it matches the journal. A number that\nthe run registered is removed even if it is the last method, provided that nothing requires MFA of\nthe user any more; a user who was open before the run keeps it. Lowering MFA and removing methods\ncount towards the brake `weakenedUsers`, relative to the users of the run. The next apply makes the\nchanges again that the policies still want: revert the commit first.\n\nExits with code 5 if a change of the run is not put back; the plan says which one, why, and what to\ndo. `--out` only saves the plan and exits with code 0; `apply FILE` then exits with code 5.\n"
)]
pub struct Args {
    /// The name of the run, as in `mfactl runs`
    #[arg(value_name = "RUN", value_parser = run_id)]
    run: RunId,

    /// Save the plan instead of applying it; it contains phone numbers in full. FILE is a new file, a
    /// saved plan, or `-` for standard output if that is not a terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Format of the plan
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    #[command(flatten)]
    conditions: Conditions,

    /// List every user instead of grouping users with the same changes
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    output::room(args.out.as_ref(), args.format)?;
    let set = policy::load(config)?;
    let tenant = connect(&set, config, &args.conditions.reach(&args.reach)).await?;
    let store = args.conditions.store(&set, config, &tenant.session)?;
    let exit = undo(args, &set, (&tenant.session, &tenant.disclose), store).await;
    tenant.close().await;
    exit
}

async fn undo(
    args: &Args,
    set: &PolicySet,
    (session, disclose): (&Session, &Discloser),
    store: RunStore,
) -> Result<Exit, Fault> {
    let terminal = Terminal {
        view: TextView { all: args.all, sandbox: session.is_sandbox, part: false },
        format: args.format,
        out: args.out.as_ref(),
        domain: session.identity.domain.clone(),
        disclose: disclose.clone(),
        is_quiet: false,
        applied: &RefCell::default(),
    };
    let conditions = args.conditions.of_run(store);
    let request = UndoRequest { run: args.run.clone(), conditions };
    let Some(path) = &args.out else {
        return Ok(undo::undo(session, set, &request, &terminal).await?.into());
    };
    let plan = undo::plan(session, set, &request, &terminal).await?;
    terminal.show(RunOutput::Plan(&plan)).map_err(Fault::Output)?;
    saved::save(&plan, path, set, session)?;
    Ok(Exit::Done)
}

fn run_id(text: &str) -> Result<RunId, String> {
    RunId::named(text).ok_or_else(|| "not the name of a run; `mfactl runs` lists them".to_owned())
}

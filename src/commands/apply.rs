//! `mfactl apply`: a saved plan, or plan, show, ask; then write, and plan again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::carry_out::{Carried, Conditions, Turn};
use super::connect::{Reach, Tenant, connect};
use super::ending::{self, Closing, HEARD_AFTER};
use super::fault::Fault;
use super::progress::shown;
use super::selection::Selection;
use super::stats::Stats;
use super::{observe, saved, undo};
use crate::apply::basis::Refusal;
use crate::apply::report::Report;
use crate::apply::standing::Worse;
use crate::exit::Exit;
use crate::id::UserId;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::{Plan, Purpose, build};
use crate::policy::{self, PolicySet};
use crate::render::{outcome, text};
use crate::settings::Setting;
use crate::settings::change::Change;
use crate::terminal::{print, say};

/// Plan, ask, and make it so; or apply a saved plan. A user whose step fails is left as they are from
/// there on; nobody is left open or stuck, wherever it is cut off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl apply\n  mfactl apply --auto-approve\n  mfactl apply --auto-approve --limit 10\n  mfactl apply --allow changedUsers=24\n  mfactl plan --out staff.plan && mfactl apply staff.plan\n  mfactl apply --expect $FINGERPRINT\n\nA saved plan is not asked about: who saved it has seen it. It is refused whole where the tenant, its\nrules, the break-glass accounts or the files differ from when it was made; users who moved on are\nleft as they are, and what a run of it from here did before is not done again. It ends with 0 where\nnothing of it is left.\n\nCtrl-C (SIGINT) or SIGTERM ends an apply between two pieces of work; a second one ends it at\nonce and says how many writes are not known to be done. The status is 5 both times, and the\nnext apply looks at those writes first.\n\nWith MFACTL_FINGERPRINT_KEY set, to the same secret for `plan` and `apply`, the fingerprint covers\nphone numbers in full; without it, as they are shown.\n"
)]
pub struct Args {
    /// A plan saved with `plan --out` or `undo --out`
    #[arg(value_name = "FILE", conflicts_with_all = ["user", "policy", "limit"])]
    file: Option<PathBuf>,

    #[command(flatten)]
    selection: Selection,

    /// Only the first N users who are changed, in the order of their names; the rest stays planned
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,

    #[command(flatten)]
    conditions: Conditions,

    /// Do not ask, and apply only the plan of this fingerprint, in full as `plan` printed it
    #[arg(long, value_name = "FINGERPRINT")]
    expect: Option<Fingerprint>,

    /// The oldest saved plan that is applied
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = saved::duration)]
    max_age: SignedDuration,

    /// List everybody instead of folding users who are alike
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    reach: Reach,

    #[command(flatten)]
    stats: Stats,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let mut tenant = connect(&set, config, &args.reach).await?;
    args.conditions.remember(&mut tenant, config);
    let exit = apply(args, &set, &tenant, config).await;
    args.stats.tell(&tenant.client, false);
    tenant.close().await;
    exit
}

async fn apply(
    args: &Args,
    set: &PolicySet,
    tenant: &Tenant,
    config: &Path,
) -> Result<Exit, Fault> {
    let turn = Turn::take(set, tenant, &args.conditions, config).await?;
    let exit = applied(args, &turn).await?;
    let is_well = ending::after_cut_off(&turn).await?;
    Ok(if exit == Exit::Done && !is_well { Exit::Partly } else { exit })
}

async fn applied(args: &Args, turn: &Turn<'_>) -> Result<Exit, Fault> {
    let (set, tenant) = (turn.set, turn.tenant);
    let (plan, made) = match &args.file {
        Some(file) => {
            let (plan, made) = saved::open_to_apply(file, set, tenant, args.max_age)?;
            (plan, Some(made))
        }
        None => {
            let plan = shown(&tenant.client, observe::plan(set, tenant)).await?;
            (saved::named(args.selection.of(plan, args.limit, set)?), None)
        }
    };
    let part = args.selection.is_part();
    let view = text::View { all: args.all, sandbox: tenant.is_sandbox(), part };
    print(&text::plan(&plan, view)).map_err(Fault::Output)?;
    if let Some(approved) = args.expect.filter(|approved| *approved != plan.fingerprint) {
        return Err(Fault::Refused(Refusal::NotApproved { approved, is: plan.fingerprint }));
    }
    if plan.changes.is_empty() {
        return Ok(match plan.purpose {
            Purpose::Policies => Exit::Done,
            Purpose::Undo { .. } => undo::ended(&plan, true),
        });
    }
    let carried = match made {
        Some(made) => turn.carry_out_saved(&plan, made).await?,
        None => turn.carry_out(&plan, args.expect.is_some()).await?,
    };
    match carried {
        None => Ok(Exit::Done),
        Some(carried) => after(args, turn, plan, carried).await,
    }
}

/// Plans again, and says how it all ended, also for those to whom it wrote.
async fn after(args: &Args, turn: &Turn<'_>, plan: Plan, carried: Carried) -> Result<Exit, Fault> {
    let is_undo = matches!(plan.purpose, Purpose::Undo { .. });
    if carried.report.stopped.is_some() || is_undo {
        let exit = turn.end(&plan, &carried).await?;
        return Ok(if is_undo { undo::ended(&plan, exit == Exit::Done) } else { exit });
    }
    let counts = carried.report.counts();
    let holds = carried.noted && !counts.lacks();
    let planned: BTreeSet<Written> =
        plan.changes.iter().filter_map(|change| written_by(&plan, change)).collect();
    let closing = turn.closing(&plan, &carried.report);
    let (done, run) = (done(&plan, &carried.report), carried.run);
    let noted = carried.noted;
    // Two plans of a large tenant need not be in memory at a time.
    drop((plan, carried.report));
    match planned_again(args, turn, &done, &closing).await {
        Ok((left, worse)) => {
            let is_well = ending::tell(turn.desk(), (&run, noted), worse)?;
            if let Err(error) = print(&outcome::left(&left, is_well)) {
                say(&Fault::Output(error).to_string());
                return Ok(Exit::Partly);
            }
            // What a plan of a part leaves was not meant. Users who had changed since a plan was saved
            // count where something of it is still left for them.
            let is_part = args.limit.is_some() || args.file.is_some();
            let is_left =
                if is_part { asks_for(&left, &planned) } else { !left.changes.is_empty() };
            let is_done = match counts.moved_on {
                0 => is_part || !is_left,
                // What could not be read may be left.
                _ => args.file.is_some() && !is_left && left.is_complete(),
            };
            Ok(if holds && is_well && is_done { Exit::Done } else { Exit::Partly })
        }
        // What was done is told by now, and the status has to say that something was.
        Err(fault) => {
            say(&format!("after the apply it could not be planned again\n{fault}"));
            ending::tell(turn.desk(), (&run, noted), closing.not_known())?;
            Ok(Exit::Partly)
        }
    }
}

/// The plan of what is left, and who does not stand as before. Lists of methods can be late: where one
/// still asks for what was just done, or shows somebody worse off, it is asked again after a while.
async fn planned_again(
    args: &Args,
    turn: &Turn<'_>,
    done: &BTreeSet<Written>,
    closing: &Closing<'_>,
) -> Result<(Plan, Vec<Worse>), Fault> {
    let (set, tenant) = (turn.set, turn.tenant);
    let mut waits = HEARD_AFTER.into_iter();
    loop {
        let (observed, found) = shown(&tenant.client, async {
            let observed = observe::observe(set, tenant).await?;
            let found = closing.held_against(&observed).await?;
            Ok::<_, Fault>((observed, found))
        })
        .await?;
        let left = observe::sound(build::plan(set, observed), set)?;
        let left = args.selection.of(left, None, set)?;
        let late = asks_for(&left, done) || found.may_be_late;
        let wait = waits.next().filter(|_| late);
        let Some(wait) = wait else { return Ok((left, found.worse)) };
        tokio::time::sleep(wait).await;
    }
}

/// What of whom. By id: the directory of one plan is not that of another.
type Written = (UserId, Setting);

fn written_by(plan: &Plan, change: &Change) -> Option<Written> {
    plan.directory.user(change.user).map(|user| (user.id, change.setting))
}

fn asks_for(left: &Plan, done: &BTreeSet<Written>) -> bool {
    left.changes.iter().filter_map(|change| written_by(left, change)).any(|one| done.contains(&one))
}

fn done(plan: &Plan, report: &Report) -> BTreeSet<Written> {
    let done = report.of(plan).filter(|(_, fate)| fate.is_there());
    done.filter_map(|(change, _)| written_by(plan, change)).collect()
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}

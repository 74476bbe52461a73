//! `mfactl apply`: takes a saved plan, or makes a plan, shows it and asks for confirmation; then it
//! writes the changes and plans again.
//!
//! Not here: the confirmation and the writing (`carry_out`), or the check of the users (`ending`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::connect::{ConnectedTenant, Reach, connect};
use super::fault::Fault;
use super::progress::shown;
use super::selection::Selection;
use super::stats::Stats;
use super::{saved, undo};
use crate::apply::verify::Refusal;
use crate::exit::Exit;
use crate::id::UserId;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::{Plan, PlanPurpose, pipeline};
use crate::policy::{self, PolicySet};
use crate::render::apply;
use crate::render::plan::text;
use crate::results::ApplyReport;
use crate::results::Worse;
use crate::run::closing::{self, Closing, HEARD_AFTER};
use crate::run::observe;
use crate::run::write::{Carried, Conditions, WriteRun};
use crate::settings::Setting;
use crate::settings::change::Change;
use crate::terminal::{print, say};

/// Plan, ask for confirmation, and write the changes; or apply a saved plan. If a step of a user fails,
/// the later steps of this user are not tried. No user is left open or stuck, even if the run is cut off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl apply\n  mfactl apply --auto-approve\n  mfactl apply --auto-approve --limit 10\n  mfactl apply --allow changedUsers=24\n  mfactl plan --out staff.plan && mfactl apply staff.plan\n  mfactl apply --expect $FINGERPRINT\n\nA saved plan is applied without a question, because it was shown when it was saved. It is refused\ncompletely if the tenant, its rules, the break-glass accounts or the files differ from those of the\nplan. Users that changed since the plan are skipped, and changes that an earlier run of this plan\nfrom this folder made are not made again. The exit code is 0 if no change of the plan is left.\n\nCtrl-C (SIGINT) or SIGTERM stops an apply after the work in progress; a second one stops it at once\nand prints the number of writes whose outcome is unknown. The exit code is 5 both times, and the\nnext apply checks those writes first.\n\nIf MFACTL_FINGERPRINT_KEY is set to the same secret for `plan` and `apply`, the fingerprint covers\nphone numbers in full; otherwise it covers them as they are shown.\n"
)]
pub struct Args {
    /// A plan saved with `plan --out` or `undo --out`
    #[arg(value_name = "FILE", conflicts_with_all = ["user", "policy", "limit"])]
    file: Option<PathBuf>,

    #[command(flatten)]
    selection: Selection,

    /// Only the first N users with changes, in the order of their names; the others stay in the next plan
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,

    #[command(flatten)]
    conditions: Conditions,

    /// Do not ask for confirmation, and apply only the plan with this full fingerprint, from `plan`
    #[arg(long, value_name = "FINGERPRINT")]
    expect: Option<Fingerprint>,

    /// Maximum age of a saved plan
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = saved::duration)]
    max_age: SignedDuration,

    /// List every user instead of grouping users with the same changes
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
    tenant: &ConnectedTenant,
    config: &Path,
) -> Result<Exit, Fault> {
    let turn = WriteRun::take(set, tenant, &args.conditions, config).await?;
    let exit = applied(args, &turn).await?;
    let is_well = closing::after_cut_off(&turn).await?;
    Ok(if exit == Exit::Done && !is_well { Exit::Partly } else { exit })
}

async fn applied(args: &Args, turn: &WriteRun<'_>) -> Result<Exit, Fault> {
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
    let view = text::TextView { all: args.all, sandbox: tenant.is_sandbox(), part };
    print(&text::plan(&plan, view)).map_err(Fault::Output)?;
    if let Some(approved) = args.expect.filter(|approved| *approved != plan.fingerprint) {
        return Err(Fault::Refused(Refusal::NotApproved { approved, is: plan.fingerprint }));
    }
    if plan.changes.is_empty() {
        return Ok(match plan.purpose {
            PlanPurpose::Policies => Exit::Done,
            PlanPurpose::Undo { .. } => undo::ended(&plan, true),
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

/// Plans again, and prints what is left and which written users are worse off.
async fn after(
    args: &Args,
    turn: &WriteRun<'_>,
    plan: Plan,
    carried: Carried,
) -> Result<Exit, Fault> {
    let is_undo = matches!(plan.purpose, PlanPurpose::Undo { .. });
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
    // Avoids two plans of a large tenant in memory at the same time.
    drop((plan, carried.report));
    match planned_again(args, turn, &done, &closing).await {
        Ok((left, worse)) => {
            let is_well = closing::tell(turn.desk(), (&run, noted), worse)?;
            if let Err(error) = print(&apply::left(&left, is_well)) {
                say(&Fault::Output(error).to_string());
                return Ok(Exit::Partly);
            }
            // If only a part was planned, changes outside that part do not count. A user that changed since
            // a plan was saved counts if a change of the plan is still left for them.
            let is_part = args.limit.is_some() || args.file.is_some();
            let is_left =
                if is_part { asks_for(&left, &planned) } else { !left.changes.is_empty() };
            let is_done = match counts.moved_on {
                0 => is_part || !is_left,
                // A change may be left for a user that could not be read.
                _ => args.file.is_some() && !is_left && left.is_complete(),
            };
            Ok(if holds && is_well && is_done { Exit::Done } else { Exit::Partly })
        }
        // The result was printed already, and the status must show that something was written.
        Err(fault) => {
            say(&format!("after the apply, planning again failed\n{fault}"));
            closing::tell(turn.desk(), (&run, noted), closing.not_known())?;
            Ok(Exit::Partly)
        }
    }
}

/// Returns the plan of the remaining changes, and the users that are worse off. Lists of methods can lag
/// behind: if one still asks for a finished change, or shows a user worse off, it is read again later.
async fn planned_again(
    args: &Args,
    turn: &WriteRun<'_>,
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
        let left = observe::sound(pipeline::plan(set, observed), set)?;
        let left = args.selection.of(left, None, set)?;
        let late = asks_for(&left, done) || found.may_be_late;
        let wait = waits.next().filter(|_| late);
        let Some(wait) = wait else { return Ok((left, found.worse)) };
        tokio::time::sleep(wait).await;
    }
}

/// A setting of a user. It uses the id, because two plans have different directories.
type Written = (UserId, Setting);

fn written_by(plan: &Plan, change: &Change) -> Option<Written> {
    plan.directory.user(change.user).map(|user| (user.id, change.setting))
}

fn asks_for(left: &Plan, done: &BTreeSet<Written>) -> bool {
    left.changes.iter().filter_map(|change| written_by(left, change)).any(|one| done.contains(&one))
}

fn done(plan: &Plan, report: &ApplyReport) -> BTreeSet<Written> {
    let done = report.of(plan).filter(|(_, fate)| fate.is_there());
    done.filter_map(|(change, _)| written_by(plan, change)).collect()
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a number of 1 or more".to_owned()),
        Ok(number) => Ok(number),
    }
}

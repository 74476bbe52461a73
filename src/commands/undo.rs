//! `mfactl undo`: a plan that takes a run back; shown, saved, braked and applied like any other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::carry_out::{Conditions, Turn};
use super::connect::{Reach, Tenant, connect};
use super::fault::Fault;
use super::output::{self, Format};
use super::{observe, saved};
use crate::apply::basis::Refusal;
use crate::apply::journal::{self, Desk, JournalFault, RunId, Word};
use crate::exit::Exit;
use crate::id::{TenantId, UserId};
use crate::plan::Plan;
use crate::plan::undo::{self, Back, Run, Written};
use crate::plan::wanted::Moved;
use crate::policy::{self, PolicySet};
use crate::render::text;
use crate::settings::Value;
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;

/// Show a plan that puts back what a run changed, ask, and apply it. Whoever was changed since is
/// left as they are; nobody is left open or stuck by it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl runs\n  mfactl undo 20261122T101500Z-3f2a\n  mfactl undo 20261122T101500Z-3f2a --out back.plan\n\nWhat is put back comes from the restore file of the run, which is beside its journal. Brakes count\nagainst the users of the run.\n"
)]
pub struct Args {
    /// The run, as `mfactl runs` lists it
    #[arg(value_name = "RUN", value_parser = run_id)]
    run: RunId,

    /// Save the plan instead of applying it; it holds phone numbers in full. A new file, one that holds
    /// a saved plan, or `-` for standard output, if that is no terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How the plan is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    conditions: Conditions,

    /// List everybody instead of folding users who are alike
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    output::room(args.out.as_ref(), args.format)?;
    let set = policy::load(config)?;
    let mut tenant = connect(&set, config, &args.reach).await?;
    args.conditions.remember(&mut tenant, config);
    let exit = undo(args, &set, &tenant, config).await;
    tenant.close().await;
    exit
}

async fn undo(args: &Args, set: &PolicySet, tenant: &Tenant, config: &Path) -> Result<Exit, Fault> {
    let turn = Turn::take(set, tenant, &args.conditions, config).await?;
    let written = written(turn.desk(), &args.run, tenant.identity.id)?;
    let mut users: Vec<UserId> = written.iter().map(|one| one.user).collect();
    users.sort_unstable();
    users.dedup();
    // A number that was overwritten or taken away can be somebody else's by now.
    let gives_number = |one: &Written| matches!(one.before, Some(Value::Phone(_)));
    let and_others = written.iter().any(gives_number);
    let observed = observe::these(set, tenant, &users, and_others).await?;
    let journal = format!("runs/{}/journal.jsonl", args.run);
    let run = Run { name: args.run.as_str(), journal: &journal, written: &written };
    let plan = saved::named(undo::undo(set, observed, run));
    let view = text::View { all: args.all, sandbox: tenant.is_sandbox(), part: false };
    output::plan(&plan, args.format, view, args.out.as_ref())?;
    if let Some(path) = &args.out {
        saved::save(&plan, path, set, tenant)?;
        return Ok(Exit::Done);
    }
    if plan.changes.is_empty() {
        return Ok(Exit::Done);
    }
    let carried = turn.carry_out(&plan, false).await?;
    let whole = carried.is_none_or(|carried| carried.report.is_whole() && carried.noted);
    Ok(if whole { Exit::Done } else { Exit::Partly })
}

fn run_id(text: &str) -> Result<RunId, String> {
    RunId::named(text).ok_or_else(|| "no name of a run; `mfactl runs` lists them".to_owned())
}

/// What a run did, with the values before and after as far as they were kept.
fn written(desk: Desk<'_>, run: &RunId, reached: TenantId) -> Result<Vec<Written>, Fault> {
    let past = journal::past(desk, run).map_err(Fault::Run)?;
    let planned = past.begun.tenant;
    if planned != reached {
        return Err(Fault::Refused(Refusal::OtherTenant { planned, reached }));
    }
    let mut kept = journal::kept(desk, run, |_| true).map_err(Fault::Run)?;
    let done = past
        .told
        .into_iter()
        .filter(|told| told.ended.as_ref().is_some_and(|noted| noted.fate == Word::Done));
    let written = done.map(|told| {
        let kept = kept
            .remove(&told.intent.number)
            .filter(|kept| (kept.user, kept.setting) == (told.intent.user, told.intent.setting));
        let (before, after) = kept.map_or((None, None), |kept| (kept.before, kept.after));
        Written {
            user: told.intent.user,
            name: told.intent.name,
            setting: told.intent.setting,
            before: before.map(Value::from),
            after: after.map(Value::from),
        }
    });
    Ok(written.collect())
}

/// Of a plan that undoes, those whose changes do not come from the run any more: its file may be
/// older than what stands here, or have been edited.
pub(super) fn moved(
    desk: Desk<'_>,
    run: &str,
    plan: &Plan,
) -> Result<BTreeMap<UserIndex, Moved>, Fault> {
    let run = RunId::named(run).ok_or(Fault::Run(JournalFault::NoName))?;
    let written = written(desk, &run, plan.identity.id)?;
    let is_back = |change: &Change| {
        let id = plan.directory.user(change.user).map(|user| user.id);
        let mut of_user = written.iter().filter(|one| Some(one.user) == id);
        of_user.any(|one| {
            one.setting == change.setting && one.back(change.before) == Back::To(change.after)
        })
    };
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    let moved = changed.filter(|user| !plan.changes_of(user).iter().all(is_back));
    Ok(moved.map(|user| (user.user, Moved::Undo)).collect())
}

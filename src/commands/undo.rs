//! `mfactl undo`: makes a plan that undoes a run. It is shown, saved, limited by brakes and applied like
//! any other plan.
//!
//! Not here: what goes into the plan (`plan::undo`), or writing it (`carry_out`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::connect::{ConnectedTenant, Reach, connect};
use super::fault::Fault;
use super::output::{self, OutputFormat};
use super::saved;
use crate::apply::verify::Refusal;
use crate::exit::Exit;
use crate::id::{TenantId, UserId};
use crate::journal::{self, Damage, Intent, JournalDir, JournalFault, Past, PastWrite, RunId};
use crate::plan::recheck::ChangedSincePlan;
use crate::plan::undo::{self, KeptValue, Run, RunWrite};
use crate::plan::{Plan, UserPlan};
use crate::policy::{self, PolicySet};
use crate::render::plan::text;
use crate::results::WriteResult;
use crate::run::observe;
use crate::run::write::{Conditions, WriteRun};
use crate::settings::Value;
use crate::settings::full_value::FullValue;
use crate::tenant::directory::UserIndex;

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
    let mut tenant = connect(&set, config, &args.reach).await?;
    args.conditions.remember(&mut tenant, config);
    let exit = undo(args, &set, &tenant, config).await;
    tenant.close().await;
    exit
}

async fn undo(
    args: &Args,
    set: &PolicySet,
    tenant: &ConnectedTenant,
    config: &Path,
) -> Result<Exit, Fault> {
    let turn = WriteRun::take(set, tenant, &args.conditions, config).await?;
    let (written, lost) = written(turn.desk(), &args.run, tenant.identity.id)?;
    let mut users: Vec<UserId> = written.iter().map(|one| one.user).collect();
    users.sort_unstable();
    users.dedup();
    // A number that was overwritten or removed can belong to another user by now.
    let gives_number =
        |one: &RunWrite| matches!(one.kept, KeptValue::Values { before: Value::Phone(_), .. });
    let and_others = written.iter().any(gives_number);
    let (observed, policies_known) = observe::these(set, tenant, &users, and_others).await?;
    let journal = format!("runs/{}/journal.jsonl", args.run);
    let name = args.run.as_str();
    let run =
        Run { name, journal: &journal, written: &written, lost: lost.as_deref(), policies_known };
    let plan = saved::named(undo::undo(set, observed, run));
    let view = text::TextView { all: args.all, sandbox: tenant.is_sandbox(), part: false };
    output::plan(&plan, args.format, view, args.out.as_ref())?;
    if let Some(path) = &args.out {
        saved::save(&plan, path, set, tenant)?;
        return Ok(Exit::Done);
    }
    if plan.changes.is_empty() {
        return Ok(ended(&plan, true));
    }
    match turn.carry_out(&plan, false).await? {
        // The user declined.
        None => Ok(Exit::Done),
        Some(carried) => Ok(ended(&plan, turn.end(&plan, &carried).await? == Exit::Done)),
    }
}

/// Returns the status of an undo: `Partly` if a change of the run is not put back.
pub(super) fn ended(plan: &Plan, carried_out: bool) -> Exit {
    if carried_out && undo::is_whole(plan) { Exit::Done } else { Exit::Partly }
}

fn run_id(text: &str) -> Result<RunId, String> {
    RunId::named(text).ok_or_else(|| "not the name of a run; `mfactl runs` lists them".to_owned())
}

/// Returns the writes of a run, with the values before and after as far as they were kept, and a text
/// that says what could not be read.
fn written(
    desk: JournalDir<'_>,
    run: &RunId,
    reached: TenantId,
) -> Result<(Vec<RunWrite>, Option<String>), Fault> {
    let past = journal::past(desk, run).map_err(Fault::Run)?;
    // If the first line is lost, the user ids show it: no user of another tenant is found in this one.
    if let Some(planned) = past.begun.as_ref().map(|begun| begun.tenant)
        && planned != reached
    {
        return Err(Fault::Refused(Refusal::OtherTenant { planned, reached }));
    }
    let restored = journal::restored(desk, run, |_| true);
    let lost = lost(&past, restored.as_ref());
    let mut kept = restored.map(|(kept, _)| kept).unwrap_or_default();
    let fate =
        |told: &PastWrite| told.ended.as_ref().map_or(WriteResult::Unknown, |noted| noted.fate);
    let maybe = |told: &PastWrite| {
        matches!(fate(told), WriteResult::Done | WriteResult::Unknown | WriteResult::NeverKnown)
    };
    let maybe_done = past.standing().filter(maybe);
    let written = maybe_done.map(|told| RunWrite {
        is_sure: fate(&told) == WriteResult::Done,
        kept: kept_of(&told.intent, kept.remove(&told.intent.number)),
        user: told.intent.user,
        name: told.intent.name,
        setting: told.intent.setting,
    });
    Ok((undo::net(written), lost))
}

/// Returns what could not be read of a run, because a write could be missing there.
fn lost(
    past: &Past,
    restored: Result<&(BTreeMap<usize, journal::RestoreRow>, Damage), &JournalFault>,
) -> Option<String> {
    let mut lost = Vec::new();
    if !past.damage.is_none() {
        lost.push(format!("the journal is damaged ({})", past.damage));
    }
    match restored {
        Ok((kept, damage)) => {
            if !damage.is_none() {
                lost.push(format!("the restore file is damaged ({damage})"));
            }
            let named: BTreeSet<usize> = past.told.iter().map(|told| told.intent.number).collect();
            let unnamed = kept.keys().filter(|number| !named.contains(number)).count();
            if unnamed > 0 {
                let writes = if unnamed == 1 { "write" } else { "writes" };
                lost.push(format!(
                    "the restore file contains {unnamed} {writes} that the journal does not name"
                ));
            }
        }
        Err(fault) => lost.push(fault.to_string()),
    }
    (!lost.is_empty()).then(|| lost.join(", and "))
}

/// Compares what the restore file contains about a write with what the journal shows.
fn kept_of(intent: &Intent, kept: Option<journal::RestoreRow>) -> KeptValue {
    let Some(kept) = kept else { return KeptValue::Lost };
    if (kept.user, kept.setting) != (intent.user, intent.setting) {
        return KeptValue::Differs;
    }
    let value = |value: Option<FullValue>| value.map(Value::from);
    let (before, after) = (value(kept.before), value(kept.after));
    let differs =
        |value: Option<Value>, shown: &str| value.is_some_and(|value| value.to_string() != shown);
    if differs(before, &intent.before) || differs(after, &intent.after) {
        return KeptValue::Differs;
    }
    match (before, after) {
        (Some(before), Some(after)) => KeptValue::Values { before, after },
        _ => KeptValue::NotKept,
    }
}

/// Returns the users of an undo plan whose changes do not follow from the run any more. The saved plan
/// may be older than the journal here, or may have been edited.
pub(crate) fn moved(
    desk: JournalDir<'_>,
    run: &str,
    plan: &Plan,
) -> Result<BTreeMap<UserIndex, ChangedSincePlan>, Fault> {
    let run = RunId::named(run).ok_or(Fault::Run(JournalFault::NoName))?;
    let (written, _) = written(desk, &run, plan.identity.id)?;
    let mut by_user: BTreeMap<UserId, Vec<&RunWrite>> = BTreeMap::new();
    for one in &written {
        by_user.entry(one.user).or_default().push(one);
    }
    let is_back = |user: &UserPlan| {
        let id = plan.directory.user(user.user).map(|user| user.id);
        let of_user = id.and_then(|id| by_user.get(&id)).map(Vec::as_slice).unwrap_or_default();
        plan.changes_of(user).iter().all(|change| undo::is_back(change, of_user, &user.facts))
    };
    let changed = plan.users.iter().filter(|user| !user.changes.is_empty());
    let moved = changed.filter(|user| !is_back(user));
    Ok(moved.map(|user| (user.user, ChangedSincePlan::Undo)).collect())
}

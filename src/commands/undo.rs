//! `mfactl undo`: a plan that takes a run back; shown, saved, braked and applied like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::carry_out::{Conditions, Turn};
use super::connect::{Reach, Tenant, connect};
use super::fault::Fault;
use super::output::{self, Format};
use super::{observe, saved};
use crate::apply::basis::Refusal;
use crate::apply::journal::{self, Damage, Desk, Intent, JournalFault, Past, RunId, Told, Word};
use crate::exit::Exit;
use crate::id::{TenantId, UserId};
use crate::plan::file::value::FullValue;
use crate::plan::undo::{self, Kept, Run, Written};
use crate::plan::wanted::Moved;
use crate::plan::{Plan, UserPlan};
use crate::policy::{self, PolicySet};
use crate::render::text;
use crate::settings::Value;
use crate::tenant::directory::UserIndex;

/// Show a plan that puts back what a run changed, ask, and apply it. Nobody is left open or stuck by
/// it, and what somebody else changed since stays as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl runs\n  mfactl undo 20261122T101500Z-3f2a\n  mfactl undo 20261122T101500Z-3f2a --out back.plan\n\nWhat is put back comes from the restore file of the run, as far as it matches the journal. A number\nthat the run registered goes also as the last method, where nothing demands MFA of the user any\nmore; a user who was open before the run keeps it. Lowering and taking away count for the brake\n`weakenedUsers`, against the users of the run. The next apply does again what the policies still\nwant: revert the commit first.\n\nExits with 5 where something of the run is not put back; the plan says what, why, and what helps.\n`--out` only saves the plan and exits with 0; `apply FILE` exits with 5 then.\n"
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
    let (written, lost) = written(turn.desk(), &args.run, tenant.identity.id)?;
    let mut users: Vec<UserId> = written.iter().map(|one| one.user).collect();
    users.sort_unstable();
    users.dedup();
    // A number that was overwritten or taken away can be somebody else's by now.
    let gives_number =
        |one: &Written| matches!(one.kept, Kept::Values { before: Value::Phone(_), .. });
    let and_others = written.iter().any(gives_number);
    let (observed, policies_known) = observe::these(set, tenant, &users, and_others).await?;
    let journal = format!("runs/{}/journal.jsonl", args.run);
    let name = args.run.as_str();
    let run =
        Run { name, journal: &journal, written: &written, lost: lost.as_deref(), policies_known };
    let plan = saved::named(undo::undo(set, observed, run));
    let view = text::View { all: args.all, sandbox: tenant.is_sandbox(), part: false };
    output::plan(&plan, args.format, view, args.out.as_ref())?;
    if let Some(path) = &args.out {
        saved::save(&plan, path, set, tenant)?;
        return Ok(Exit::Done);
    }
    if plan.changes.is_empty() {
        return Ok(ended(&plan, true));
    }
    match turn.carry_out(&plan, false).await? {
        // Nobody wanted it.
        None => Ok(Exit::Done),
        Some(carried) => Ok(ended(&plan, turn.end(&plan, &carried).await? == Exit::Done)),
    }
}

/// How a plan that undoes ends: in part, where something of the run is not put back.
pub(super) fn ended(plan: &Plan, carried_out: bool) -> Exit {
    if carried_out && undo::is_whole(plan) { Exit::Done } else { Exit::Partly }
}

fn run_id(text: &str) -> Result<RunId, String> {
    RunId::named(text).ok_or_else(|| "no name of a run; `mfactl runs` lists them".to_owned())
}

/// What a run did, with the values before and after as far as they were kept; and, in words, what of it
/// could not be read.
fn written(
    desk: Desk<'_>,
    run: &RunId,
    reached: TenantId,
) -> Result<(Vec<Written>, Option<String>), Fault> {
    let past = journal::past(desk, run).map_err(Fault::Run)?;
    // Without its first line the people tell: nobody of another tenant is found in this one.
    if let Some(planned) = past.begun.as_ref().map(|begun| begun.tenant)
        && planned != reached
    {
        return Err(Fault::Refused(Refusal::OtherTenant { planned, reached }));
    }
    let restored = journal::restored(desk, run, |_| true);
    let lost = lost(&past, restored.as_ref());
    let mut kept = restored.map(|(kept, _)| kept).unwrap_or_default();
    let fate = |told: &Told| told.ended.as_ref().map_or(Word::Unknown, |noted| noted.fate);
    let maybe = |told: &Told| matches!(fate(told), Word::Done | Word::Unknown | Word::NeverKnown);
    let maybe_done = past.standing().filter(maybe);
    let written = maybe_done.map(|told| Written {
        is_sure: fate(&told) == Word::Done,
        kept: kept_of(&told.intent, kept.remove(&told.intent.number)),
        user: told.intent.user,
        name: told.intent.name,
        setting: told.intent.setting,
    });
    Ok((undo::net(written), lost))
}

/// What of a run could not be read, where anything could hide a write.
fn lost(
    past: &Past,
    restored: Result<&(BTreeMap<usize, journal::Kept>, Damage), &JournalFault>,
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
            let told: BTreeSet<usize> = past.told.iter().map(|told| told.intent.number).collect();
            let untold = kept.keys().filter(|number| !told.contains(number)).count();
            if untold > 0 {
                let writes = if untold == 1 { "write" } else { "writes" };
                lost.push(format!(
                    "the restore file holds {untold} {writes} that the journal does not name"
                ));
            }
        }
        Err(fault) => lost.push(fault.to_string()),
    }
    (!lost.is_empty()).then(|| lost.join(", and "))
}

/// What the restore file holds of a write, held against what the journal shows of it.
fn kept_of(intent: &Intent, kept: Option<journal::Kept>) -> Kept {
    let Some(kept) = kept else { return Kept::Lost };
    if (kept.user, kept.setting) != (intent.user, intent.setting) {
        return Kept::Differs;
    }
    let value = |value: Option<FullValue>| value.map(Value::from);
    let (before, after) = (value(kept.before), value(kept.after));
    let differs =
        |value: Option<Value>, shown: &str| value.is_some_and(|value| value.to_string() != shown);
    if differs(before, &intent.before) || differs(after, &intent.after) {
        return Kept::Differs;
    }
    match (before, after) {
        (Some(before), Some(after)) => Kept::Values { before, after },
        _ => Kept::NotKept,
    }
}

/// Of a plan that undoes, those whose changes do not come from the run any more: its file may be
/// older than what stands here, or have been edited.
pub(super) fn moved(
    desk: Desk<'_>,
    run: &str,
    plan: &Plan,
) -> Result<BTreeMap<UserIndex, Moved>, Fault> {
    let run = RunId::named(run).ok_or(Fault::Run(JournalFault::NoName))?;
    let (written, _) = written(desk, &run, plan.identity.id)?;
    let mut by_user: BTreeMap<UserId, Vec<&Written>> = BTreeMap::new();
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
    Ok(moved.map(|user| (user.user, Moved::Undo)).collect())
}

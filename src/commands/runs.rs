//! `mfactl runs`: the runs of this folder, from their journals. No request is sent to a tenant.
//!
//! Not here: the journal (`journal`), or how runs look (`render::runs`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::conditions::{duration, folder};
use super::disclosure::Disclose;
use super::fault::Fault;
use super::output::{OutputFormat, stream};
use crate::apply::lock;
use crate::exit::Exit;
use crate::id::TenantId;
use crate::journal::{self, JournalDir, Listed, Pruning, RunId};
use crate::render::runs;
use crate::run::fault::RunFault;
use crate::terminal::{print, say};

/// List the runs of this folder, oldest first. A damaged run is listed with its readable part.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  mfactl runs\n  mfactl runs --format json\n  mfactl runs show 20261122T101500Z-3f2a\n  mfactl runs prune --keep 90d\n"
)]
pub struct Args {
    #[command(subcommand)]
    one: Option<One>,

    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Subcommand)]
enum One {
    /// Show one run with all its writes; numbers are masked
    Show {
        /// The name of the run, as in `mfactl runs`
        run: String,

        #[command(flatten)]
        how: How,
    },
    /// Remove old runs, with their restore files
    Prune(Prune),
}

/// Remove runs that began longer ago than `--keep`, with their restore files. A run that was cut off or
/// has writes in doubt stays, and so does the last run of each tenant. `undo` does not work for a
/// removed run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl runs prune --keep 90d\n  mfactl runs prune --keep 26w --damaged\n"
)]
struct Prune {
    /// How long runs are kept, such as `90d`, `12w` or `36h`
    #[arg(long, value_name = "TIME", value_parser = age)]
    keep: SignedDuration,

    /// Remove damaged runs too, if they are old enough
    #[arg(long)]
    damaged: bool,

    /// Folder of the journals, instead of `.mfactl` next to `mfactl.yaml`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct How {
    /// Output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// Folder of the journals, instead of `.mfactl` next to `mfactl.yaml`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    disclose: Disclose,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let (how, only) = match &args.one {
        None => (&args.how, None),
        Some(One::Show { run, how }) => (how, Some(run)),
        Some(One::Prune(prune)) => return self::prune(prune, config).await,
    };
    if only.is_some() {
        how.disclose.need_names(None, "the journal of a run names its users")?;
    }
    let folder = how.journal.clone().unwrap_or_else(|| folder(config));
    let desk = JournalDir { folder: &folder, keep_numbers: true };
    let all = match only {
        None => listed(desk)?,
        Some(name) => {
            let run = RunId::named(name).ok_or_else(|| Fault::NoSuchRun(name.clone()))?;
            let past = journal::past(desk, &run).map_err(RunFault::PastRun)?;
            vec![Listed { run, past: Ok(past) }]
        }
    };
    for listed in &all {
        if let Some(how) = listed.damage() {
            say(&format!("warning: run `{}` is damaged: {how}", listed.run));
        }
    }
    match how.format {
        OutputFormat::Text => print(&match (only, all.as_slice()) {
            (Some(_), [one]) => runs::one(one),
            _ => runs::list(&all, &how.disclose.of_numbers(None)),
        })
        .map_err(Fault::Output)?,
        OutputFormat::Json => {
            how.disclose.need_users(None, "the list as JSON has exact numbers")?;
            stream(|out| runs::json(&all, only.is_some(), out))?;
        }
    }
    Ok(Exit::Done)
}

/// Returns every run, even if nothing of it can be read.
fn listed(desk: JournalDir<'_>) -> Result<Vec<Listed>, Fault> {
    let runs = journal::runs(desk).map_err(RunFault::PastRun)?;
    let listed = |run: RunId| {
        let past = journal::past(desk, &run);
        Listed { run, past }
    };
    Ok(runs.into_iter().map(listed).collect())
}

async fn prune(args: &Prune, config: &Path) -> Result<Exit, Fault> {
    let folder = args.journal.clone().unwrap_or_else(|| folder(config));
    let desk = JournalDir { folder: &folder, keep_numbers: true };
    let look = || {
        let before = Timestamp::now().checked_sub(args.keep).unwrap_or(Timestamp::MIN);
        journal::pruning(desk, before, args.damaged).map_err(RunFault::PastRun)
    };
    let tenants: BTreeSet<TenantId> = look()?.goes.iter().filter_map(|goes| goes.tenant).collect();
    let mut locks = Vec::new();
    for tenant in tenants {
        // A running apply may be reading the runs that would be removed.
        locks.push(lock::take(&folder, tenant, Duration::ZERO).await.map_err(RunFault::Lock)?);
    }
    let Pruning { goes, stays } = look()?;
    for (run, why) in &stays {
        say(&format!("run {run} stays: {why}"));
    }
    for goes in &goes {
        let run = &goes.run;
        journal::remove(desk, run).map_err(|error| Fault::Machine {
            what: format!("the run `{run}` could not be removed"),
            error,
        })?;
        print(&format!("removed {run}, with its restore file\n")).map_err(Fault::Output)?;
    }
    print(&runs::pruned(goes.len(), stays.len())).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

/// Parses the age of a run. A day has 24 hours and a week has seven days.
fn age(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "write it as `90d`, `12w` or `36h`".to_owned();
    for (unit, hours) in [('d', 24), ('w', 7 * 24)] {
        if let Some(count) = text.strip_suffix(unit) {
            let count: u32 = count.parse().map_err(|_| wrong())?;
            return Ok(SignedDuration::from_hours(i64::from(count) * hours));
        }
    }
    duration(text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_given_in_days_weeks_or_hours() {
        for (text, hours) in [("90d", 90 * 24), ("2w", 14 * 24), ("36h", 36), ("0d", 0)] {
            assert_eq!(age(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for text in ["", "d", "-1d", "1.5d", "90", "9999999999d", "-1h", "ten days"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}

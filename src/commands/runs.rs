//! `mfactl runs`: the recorded runs, from their journals. No request is sent to a tenant.
//!
//! Not here: the journal (`journal`), or how runs look (`render::runs`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::conditions::duration;
use super::disclosure::Disclose;
use super::fault::Fault;
use super::output::{OutputFormat, stream};
use super::run_store;
use crate::apply::lock;
use crate::exit::Exit;
use crate::journal::{
    self, JournalFault, Listed, PruneRequest, Pruning, RunId, RunStore, TenantRuns, Verification,
};
use crate::render::runs;
use crate::run::fault::RunFault;
use crate::terminal::{print, say};

/// List the recorded runs, oldest first. A damaged run is listed with its readable part.
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
    /// Check that all journals are as they were written, and show the last digest
    Verify(Verify),
    /// Remove the restore files of old runs, and their journals too if that is asked for
    Prune(Prune),
}

/// Remove the restore files of runs that began longer ago than `--keep`, and with them the full phone
/// numbers: `undo` does not work for these runs any more. A run that was cut off or has writes in doubt keeps
/// them. Journals have no full numbers, and stay unless `--journals` is given.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl runs prune --keep 90d\n  mfactl runs prune --keep 26w --journals --damaged\n\nJournals form a chain, so they are removed from its beginning only: the journal of a run stays if that\nof an older run stays. The last journal of a tenant always stays.\n"
)]
struct Prune {
    /// How long restore files are kept, such as `90d`, `12w` or `36h`
    #[arg(long, value_name = "TIME", value_parser = age)]
    keep: SignedDuration,

    /// Remove journals too, of runs that are as old
    #[arg(long)]
    journals: bool,

    /// Do it for damaged runs too
    #[arg(long)]
    damaged: bool,

    /// Folder of the journals, instead of the place that `mfactl.yaml` names in `runs`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
}

/// Check the journals of every tenant: no segment is missing or was replaced, and each run is readable. The
/// last digest proves later that nothing was cut off: keep it where the store cannot change it, such as a
/// ticket, and give it to `--expect`. Exits with code 2 if something is not as it was written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mfactl runs verify\n  mfactl runs verify --expect $DIGEST\n")]
struct Verify {
    /// A last digest that was noted before, of any tenant
    #[arg(long, value_name = "DIGEST")]
    expect: Option<String>,

    /// Folder of the journals, instead of the place that `mfactl.yaml` names in `runs`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct How {
    /// Output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// Folder of the journals, instead of the place that `mfactl.yaml` names in `runs`
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
        Some(One::Verify(verify)) => return self::verify(verify, config).await,
    };
    if only.is_some() {
        how.disclose.need_names(None, "the journal of a run names its users")?;
    }
    let store = run_store::offline(how.journal.as_deref(), config)?;
    let all = match only {
        None => journal::listed(&store).await.map_err(RunFault::PastRun)?,
        Some(name) => vec![one(&store, name).await?],
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

/// Returns the run of this name, of whichever tenant it is.
async fn one(store: &RunStore, name: &str) -> Result<Listed, Fault> {
    let run = RunId::named(name).ok_or_else(|| Fault::NoSuchRun(name.to_owned()))?;
    let tenants = store.tenants().await.map_err(RunFault::Store)?;
    for tenant in tenants {
        match journal::past(&store.of(tenant), &run).await {
            Err(JournalFault::NoRun(_)) => {}
            past => return Ok(Listed { past: Ok(past.map_err(RunFault::PastRun)?), run }),
        }
    }
    Err(RunFault::PastRun(JournalFault::NoRun(run)).into())
}

async fn verify(args: &Verify, config: &Path) -> Result<Exit, Fault> {
    let store = run_store::offline(args.journal.as_deref(), config)?;
    let expected = args.expect.as_deref();
    let (mut is_whole, mut is_expected) = (true, expected.is_none());
    let tenants = store.tenants().await.map_err(RunFault::Store)?;
    for tenant in tenants {
        let found = journal::verify(&store.of(tenant), expected).await;
        let found = found.map_err(RunFault::PastRun)?;
        is_whole &= found.faults.is_empty();
        is_expected |= found.expected_is_there == Some(true);
        // One of several tenants has the expected digest.
        let found = Verification { expected_is_there: None, ..found };
        print(&runs::verified(&found)).map_err(Fault::Output)?;
    }
    if !is_expected {
        print(runs::NOT_EXPECTED).map_err(Fault::Output)?;
    }
    Ok(if is_whole && is_expected { Exit::Done } else { Exit::Changes })
}

async fn prune(args: &Prune, config: &Path) -> Result<Exit, Fault> {
    let store = run_store::offline(args.journal.as_deref(), config)?;
    let before = Timestamp::now().checked_sub(args.keep).unwrap_or(Timestamp::MIN);
    let request = PruneRequest { before, damaged: args.damaged, journals: args.journals };
    let tenants = store.tenants().await.map_err(RunFault::Store)?;
    let (mut gone, mut kept) = (0, 0);
    for tenant in tenants {
        let of = store.of(tenant);
        let mut pruning = journal::pruning(&of, request).await.map_err(RunFault::PastRun)?;
        if !pruning.goes.is_empty() {
            // A running apply may be reading the runs that would be removed.
            let lock = lock::take(&of, Duration::ZERO).await.map_err(RunFault::Lock)?;
            let removed = removed(&of, request).await;
            lock.release().await;
            pruning = removed?;
        }
        let Pruning { goes, stays } = pruning;
        for (run, why) in &stays {
            say(&format!("run {run} stays: {why}"));
        }
        gone += goes.len();
        kept += stays.len();
    }
    print(&runs::pruned(gone, kept)).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

/// Removes what goes, and reports each run.
async fn removed(of: &TenantRuns, request: PruneRequest) -> Result<Pruning, Fault> {
    let pruning = journal::pruning(of, request).await.map_err(RunFault::PastRun)?;
    for one in &pruning.goes {
        journal::remove(of, one).await.map_err(RunFault::PastRun)?;
        print(&runs::removed(one)).map_err(Fault::Output)?;
    }
    Ok(pruning)
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

//! `mfactl runs`: what was applied from here, by the journals. No tenant is asked.

use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::output::{Format, stream};
use super::saved::folder;
use crate::apply::journal::{self, Desk, Past, RunId};
use crate::exit::Exit;
use crate::render::runs;
use crate::terminal::{print, say};

/// List what was applied from here, oldest first.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  mfactl runs\n  mfactl runs --format json\n  mfactl runs show 20261122T101500Z-3f2a\n"
)]
pub struct Args {
    #[command(subcommand)]
    one: Option<One>,

    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Subcommand)]
enum One {
    /// Show one run with all that it wrote; numbers are masked
    Show {
        /// The run, as `mfactl runs` lists it
        run: String,

        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Where the journals are, instead of `.mfactl` beside `mfactl.yaml`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
}

pub(super) fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let (how, only) = match &args.one {
        None => (&args.how, None),
        Some(One::Show { run, how }) => (how, Some(run)),
    };
    let folder = how.journal.clone().unwrap_or_else(|| folder(config));
    let desk = Desk { folder: &folder, keep_numbers: true };
    let all = match only {
        None => listed(desk)?,
        Some(name) => {
            let run = RunId::named(name).ok_or_else(|| Fault::NoSuchRun(name.clone()))?;
            vec![journal::past(desk, &run).map_err(Fault::Run)?]
        }
    };
    match how.format {
        Format::Text => print(&match (only, all.as_slice()) {
            (Some(_), [past]) => runs::one(past),
            _ => runs::list(&all),
        })
        .map_err(Fault::Output)?,
        Format::Json => stream(|out| runs::json(&all, only.is_some(), out))?,
    }
    Ok(Exit::Done)
}

/// All that can be read; what cannot is said, and hides nothing else.
fn listed(desk: Desk<'_>) -> Result<Vec<Past>, Fault> {
    let mut all = Vec::new();
    for run in journal::runs(desk).map_err(Fault::Run)? {
        match journal::past(desk, &run) {
            Ok(past) => all.push(past),
            Err(fault) => say(&format!("warning: {fault}")),
        }
    }
    Ok(all)
}

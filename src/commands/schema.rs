//! `mfactl schema`: the JSON Schemas of what people write and of what commands print.

use clap::ValueEnum;

use super::fault::Fault;
use crate::exit::Exit;
use crate::policy;
use crate::render::{access, explained, json, report, runs};
use crate::terminal::print;

/// Print a JSON Schema.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl schema policy > schemas/policy.schema.json\n  mfactl schema plan\n"
)]
pub struct Args {
    /// Which one
    #[arg(value_enum)]
    which: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// `mfactl.yaml`
    Mfactl,
    /// A file of policies
    Policy,
    /// What `plan --format json` prints
    Plan,
    /// What `explain --format json` prints
    Explain,
    /// What `report --format json` prints
    Report,
    /// What `runs --format json` prints
    Runs,
    /// What `doctor --format json` prints
    Doctor,
}

pub(super) fn run(args: &Args) -> Result<Exit, Fault> {
    let schema = match args.which {
        Which::Mfactl => policy::schema::mfactl(),
        Which::Policy => policy::schema::policy(),
        Which::Plan => json::schema().to_value(),
        Which::Explain => explained::schema().to_value(),
        Which::Report => report::json::schema().to_value(),
        Which::Runs => runs::schema().to_value(),
        Which::Doctor => access::schema().to_value(),
    };
    print(&format!("{schema:#}\n")).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

//! `mfactl schema`: the JSON Schemas of the files that users write and of the JSON output of commands.
//!
//! Not here: the schemas themselves (`policy::schema`, `checks::schema`, `render`).

use clap::ValueEnum;

use super::fault::Fault;
use crate::checks;
use crate::exit::Exit;
use crate::policy;
use crate::render::{applied, counts, doctor, explain, findings, plan, report, review, runs};
use crate::terminal::print;

/// Print a JSON Schema.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl schema policy > schemas/policy.schema.json\n  mfactl schema plan\n"
)]
pub struct Args {
    /// Which schema
    #[arg(value_enum)]
    which: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// `mfactl.yaml`
    Mfactl,
    /// A policy file
    Policy,
    /// A file of checks
    Checks,
    /// Output of `plan --format json`
    Plan,
    /// Output of `plan --format json --disclose counts`
    Counts,
    /// Output of `diff --format json`
    Diff,
    /// Output of `explain --format json`
    Explain,
    /// Output of `report --format json`
    Report,
    /// Output of `runs --format json`
    Runs,
    /// Output of `doctor --format json`
    Doctor,
    /// Output of `validate --format json`
    Validate,
    /// Output of `apply --format json`
    Apply,
}

pub(super) fn run(args: &Args) -> Result<Exit, Fault> {
    let schema = match args.which {
        Which::Mfactl => policy::schema::mfactl(),
        Which::Policy => policy::schema::policy(),
        Which::Checks => checks::schema::checks(),
        Which::Plan => plan::json::schema().to_value(),
        Which::Counts => counts::json::schema().to_value(),
        Which::Diff => review::plans::schema().to_value(),
        Which::Explain => explain::json::schema().to_value(),
        Which::Report => report::json::schema().to_value(),
        Which::Runs => runs::schema().to_value(),
        Which::Doctor => doctor::schema().to_value(),
        Which::Validate => findings::json::schema().to_value(),
        Which::Apply => applied::schema().to_value(),
    };
    print(&format!("{schema:#}\n")).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

//! `mfactl diff`: the difference of two plans from files. No request is sent to a tenant.
//!
//! Not here: reading the files (`saved`), the comparison (`plan::difference`), or what a change of the files
//! does (`plan --against`).

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use super::disclosure::{Disclose, in_file};
use super::fault::Fault;
use super::output::{self, OutputFormat};
use super::saved;
use crate::disclose::{Discloser, Disclosure};
use crate::exit::Exit;
use crate::files;
use crate::id::UserId;
use crate::plan::content::PlanContent;
use crate::plan::review::Comparison;
use crate::render::disclosed;
use crate::render::plan::json as plan_json;
use crate::render::review::plans::{self, TwoPlans};
use crate::run::fault::RunFault;
use crate::saved::json::{self, JsonFault};
use crate::saved::{PlanFile, Saved, begins_as_plan, read_from};
use crate::terminal::print;
use crate::untrusted::Untrusted;

/// As many bytes tell a saved plan from one in JSON.
const LONGEST_BEGIN: u64 = 64;

/// Show how two plans differ. No request is sent to a tenant.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl diff monday.plan tuesday.plan\n  mfactl diff monday.json tuesday.json --format json\n  mfactl diff monday.json tuesday.plan --detailed-exitcode\n\nBoth plans must be of one tenant. If one of them is in JSON, two numbers with the same mask are taken\nfor one. A plan in a file has no policies and no users without changes, so it does not say which\nguards or scopes differ: `plan --against` does.\n"
)]
pub struct Args {
    /// A plan saved with `plan --out`, or the output of `plan --format json`
    old: PathBuf,

    /// The plan to compare with it
    new: PathBuf,

    /// Format of the difference
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// Exit with code 2 if the plans differ
    #[arg(long)]
    detailed_exitcode: bool,

    #[command(flatten)]
    disclose: Disclose,
}

pub(super) fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let in_file = in_file(config);
    if args.format == OutputFormat::Json {
        args.disclose.need_users(in_file, "a difference in JSON names users")?;
    }
    let [old, new] = plans(&args.old, &args.new)?;
    let (one, other) = (old.identity.id, new.identity.id);
    if one != other {
        return Err(Fault::PlansOfTwoTenants { old: one, new: other });
    }
    let disclose = args.disclose.begin(in_file, &new.identity.id.to_string());
    let mut comparison = Comparison::of(&old.content, &new.content, Vec::new());
    let differs = comparison.has_effect() || old.complete != new.complete;
    if disclose.level() == Disclosure::Pseudonyms {
        disclosed::comparison(&mut comparison, &names(&old.content, &new.content), &disclose);
    }
    let names = [&args.old, &args.new].map(|path| Untrusted::from(path.display().to_string()));
    let [old_name, new_name] = &names;
    let shown =
        TwoPlans { old: &old, new: &new, names: [old_name, new_name], comparison: &comparison };
    show(args.format, &shown, &disclose)?;
    let is_met = args.detailed_exitcode && differs;
    Ok(if is_met { Exit::Changes } else { Exit::Done })
}

fn show(format: OutputFormat, shown: &TwoPlans<'_>, disclose: &Discloser) -> Result<(), Fault> {
    match format {
        OutputFormat::Text => print(&plans::text(shown, disclose)).map_err(Fault::Output),
        OutputFormat::Json => output::stream(|out| plans::json(shown, disclose, out)),
    }
}

/// A plan from a file, as it was read.
enum ReadPlan {
    Saved(Box<Saved>),
    Json(Box<PlanFile>),
}

/// Reads both plans. If one of them is in JSON, the other is reduced to what JSON says.
fn plans(old: &Path, new: &Path) -> Result<[PlanFile; 2], Fault> {
    match (read(old)?, read(new)?) {
        (ReadPlan::Saved(old), ReadPlan::Saved(new)) => {
            Ok([PlanFile::from(&*old), PlanFile::from(&*new)])
        }
        (one, other) => Ok([one.in_json(old)?, other.in_json(new)?]),
    }
}

/// Reads a plan of either format. The file is opened once, because it can be a pipe.
fn read(path: &Path) -> Result<ReadPlan, Fault> {
    let of_json = |fault| Fault::PlanInJson { path: path.to_owned(), fault };
    let io = |error| of_json(JsonFault::Io(error));
    let mut file = BufReader::new(files::open_given(path).map_err(io)?);
    let mut begin = Vec::new();
    file.by_ref().take(LONGEST_BEGIN).read_to_end(&mut begin).map_err(io)?;
    let is_saved = begins_as_plan(&begin);
    let whole = Cursor::new(begin).chain(file);
    if !is_saved {
        return Ok(ReadPlan::Json(Box::new(json::read_from(whole).map_err(of_json)?)));
    }
    let saved = read_from(whole)
        .map_err(|fault| Fault::Run(RunFault::SavedPlan { path: path.to_owned(), fault }))?;
    Ok(ReadPlan::Saved(Box::new(saved::checked(saved)?)))
}

impl ReadPlan {
    fn in_json(self, path: &Path) -> Result<PlanFile, Fault> {
        let fault = |fault| Fault::PlanInJson { path: path.to_owned(), fault };
        let saved = match self {
            Self::Json(plan) => return Ok(*plan),
            Self::Saved(saved) => saved,
        };
        let mut text = Vec::new();
        plan_json::plan(&saved.plan, &mut text).map_err(|error| fault(JsonFault::Io(error)))?;
        json::parse(&String::from_utf8_lossy(&text)).map_err(fault)
    }
}

/// The names of the users of two plans.
fn names(old: &PlanContent, new: &PlanContent) -> BTreeMap<UserId, Untrusted> {
    let users = old.users.iter().chain(&new.users);
    users.map(|(id, user)| (*id, user.name.clone())).collect()
}

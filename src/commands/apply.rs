//! `mfactl apply`: takes a saved plan, or makes a plan, shows it and asks for confirmation; then it
//! writes the changes and plans again.
//!
//! Not here: the steps (`run::apply`), or what is printed meanwhile (`terminal_frontend`).

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};

use anstream::adapter::strip_str;
use clap::ArgGroup;
use jiff::SignedDuration;

use super::against;
use super::conditions::{self, Conditions};
use super::connect::{Reach, connect};
use super::fault::Fault;
use super::job::{JobSystem, JobTarget};
use super::output::{self, OutputFormat};
use super::selection::Selection;
use super::stats::Stats;
use super::terminal_frontend::Terminal;
use crate::disclose::{Discloser, outgoing};
use crate::exit::Exit;
use crate::journal::RunStore;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::reviewed_difference::ReviewedDifference;
use crate::policy;
use crate::render::applied::{Applied, AppliedEnd};
use crate::render::plan::text::TextView;
use crate::run;
use crate::run::apply::{ApplyRequest, PlanSource};
use crate::run::approved::ApprovalRequest;
use crate::run::review::Base;
use crate::run::reviewed::DifferenceRequest;
use crate::terminal::say;

/// The age of a saved plan up to which it is applied. It holds everything that it does.
const MOST_OF_A_PLAN: SignedDuration = SignedDuration::from_hours(24);

/// The same of an approval. What it permits is planned anew, so a reviewer may take days.
const MOST_OF_AN_APPROVAL: SignedDuration = SignedDuration::from_hours(168);

/// Plan, ask for confirmation, and write the changes; or apply a saved plan. If a step of a user fails,
/// the later steps of this user are not tried. No user is left open or stuck, even if the run is cut off.
#[derive(Debug, clap::Args)]
#[command(
    group = ArgGroup::new("kept").args(["file", "approved"]),
    after_help = "Examples:\n  mfactl apply\n  mfactl apply --auto-approve\n  mfactl apply --auto-approve --format json\n  mfactl apply --auto-approve --limit 10\n  mfactl apply --allow changedUsers=24\n  mfactl plan --out staff.plan && mfactl apply staff.plan\n  mfactl apply --expect $FINGERPRINT\n  mfactl plan --approval approval.json && mfactl apply --approved approval.json\n  mfactl apply --auto-approve --approved-difference $DIFFERENCE --against HEAD^1\n\nA saved plan is applied without a question, because it was shown when it was saved. It is refused\ncompletely if the tenant, its rules, the break-glass accounts or the files differ from those of the\nplan. Users that changed since the plan are skipped, and changes that an earlier run of this plan\nin the same run store made are not made again. The exit code is 0 if no change of the plan is left.\n\nWith an approval, the plan is made anew, and what was approved and is still planned is applied\nwithout a question. What is new waits for the next approval; with `--strict`, it refuses everything.\nThe approval is refused completely if the tenant, its rules, the break-glass accounts or the files\nare not those of the approved plan.\n\nCtrl-C (SIGINT) or SIGTERM stops an apply after the work in progress; a second one stops it at once\nand prints the number of writes whose outcome is unknown. The exit code is 5 both times, and the\nnext apply checks those writes first.\n\nIf MFACTL_FINGERPRINT_KEY is set to the same secret for `plan` and `apply`, the fingerprint covers\nphone numbers in full; otherwise it covers them as they are shown.\n"
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

    /// Plan again, and apply what is still planned of this approval, from `plan --approval`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "policy", "expect"])]
    approved: Option<PathBuf>,

    /// Refuse everything if something is planned that was not approved
    #[arg(long, requires = "approved")]
    strict: bool,

    /// Refuse everything if the change of the files, compared with `--against`, is not the reviewed one, or does
    /// a kind of thing that was not reviewed. The page of `plan --against` ends with the difference. What was
    /// waiting anyway is applied too
    #[arg(long, value_name = "DIFFERENCE", requires = "against", conflicts_with = "file")]
    approved_difference: Option<ReviewedDifference>,

    /// The base of the reviewed difference: a git revision, or a folder that has another `mfactl.yaml`
    #[arg(long, value_name = "REV|DIR", requires = "approved_difference")]
    against: Option<String>,

    /// Maximum age: 24h for a saved plan, and 168h for an approval, unless it is given
    #[arg(long, value_name = "TIME", requires = "kept", value_parser = conditions::duration)]
    max_age: Option<SignedDuration>,

    /// Format of the result. JSON has only numbers, and is printed at the end
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// Also set `changed`, `refused` and `left` for the next steps of this job, each `true` or `false`
    #[arg(long, value_name = "SYSTEM", value_enum)]
    outputs: Option<JobSystem>,

    /// List every user instead of grouping users with the same changes
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    reach: Reach,

    #[command(flatten)]
    stats: Stats,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let target = args.outputs.map(|system| JobTarget::open(system, args.format)).transpose()?;
    let known = Known::default();
    let end = apply(args, config, &known).await;
    known.report(args.format, target.as_ref(), end)
}

async fn apply(args: &Args, config: &Path, known: &Known) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let base = args.against.as_deref().map(|against| against::load(config, against)).transpose()?;
    let reach = args.conditions.reach(&args.reach);
    let mut tenant = connect(&set, config, &reach).await?;
    _ = known.disclose.set(tenant.disclose.clone());
    let session = &mut tenant.session;
    let store = args.conditions.store(&set, config, session)?;
    let part = args.selection.is_part();
    let terminal = Terminal {
        view: TextView { all: args.all, sandbox: session.is_sandbox, part },
        format: OutputFormat::Text,
        out: None,
        domain: session.identity.domain.clone(),
        disclose: tenant.disclose.clone(),
        is_quiet: args.format == OutputFormat::Json,
        applied: &known.applied,
    };
    let request = args.request(store, base);
    let end = run::apply::apply(session, &set, &request, &terminal).await;
    args.stats.tell(session.client(), false);
    tenant.close().await;
    Ok(end?.into())
}

/// What is known of an apply at its end, however it ended.
#[derive(Debug, Default)]
struct Known {
    applied: RefCell<Applied>,
    /// Not set before the tenant is reached. Until then no user is known.
    disclose: OnceCell<Discloser>,
}

impl Known {
    /// Prints the document and sets the outputs of the job. If that fails, the exit status still says what
    /// became of the tenant.
    fn report(
        self,
        format: OutputFormat,
        target: Option<&JobTarget>,
        end: Result<Exit, Fault>,
    ) -> Result<Exit, Fault> {
        let disclose = self.disclose.into_inner().unwrap_or_else(Discloser::of_names);
        let applied = ended(self.applied.into_inner(), &end);
        let printed = match format {
            OutputFormat::Json => output::document(&applied.json(&disclose)),
            OutputFormat::Text => Ok(()),
        };
        let told = target.map_or(Ok(()), |target| target.tell(&applied, &disclose));
        let faults: Vec<Fault> = [printed, told].into_iter().filter_map(Result::err).collect();
        faults.iter().for_each(|fault| say(&fault.to_string()));
        match (end?, faults.is_empty()) {
            (Exit::Done, false) if applied.outputs().changed => Ok(Exit::Partly),
            (Exit::Done, false) => Ok(Exit::Failed),
            (exit, _) => Ok(exit),
        }
    }
}

/// Returns what was done, with how it ended.
fn ended(applied: Applied, end: &Result<Exit, Fault>) -> Applied {
    let exit = end.as_ref().map_or_else(Fault::exit, |exit| *exit);
    // Standard error removes the colours of an error, and a document has none.
    let plain = |fault: &Fault| strip_str(&outgoing(&fault.to_string())).to_string();
    let why = end.as_ref().err().map(plain);
    let end = match exit {
        Exit::Done if applied.is_declined => AppliedEnd::Declined,
        Exit::Done => AppliedEnd::Done,
        Exit::Refused => AppliedEnd::Refused,
        Exit::Partly => AppliedEnd::Partly,
        Exit::NotNow => AppliedEnd::NotNow,
        Exit::Failed | Exit::Changes | Exit::Invalid => AppliedEnd::Failed,
    };
    Applied { end, why: why.or(applied.why), ..applied }
}

impl Args {
    fn request(&self, store: RunStore, base: Option<Base>) -> ApplyRequest {
        let source = match (&self.file, &self.approved) {
            (Some(file), _) => {
                let max_age = self.max_age.unwrap_or(MOST_OF_A_PLAN);
                PlanSource::Saved { file: file.clone(), max_age }
            }
            (None, Some(approval)) => PlanSource::Approved(ApprovalRequest {
                file: approval.clone(),
                max_age: self.max_age.unwrap_or(MOST_OF_AN_APPROVAL),
                strict: self.strict,
                limit: self.limit,
            }),
            (None, None) => PlanSource::New(self.selection.part(self.limit)),
        };
        let reviewed = self.approved_difference.clone();
        let difference =
            base.zip(reviewed).map(|(base, reviewed)| DifferenceRequest { base, reviewed });
        let conditions = self.conditions.of_run(store);
        ApplyRequest { source, conditions, expect: self.expect, difference }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a number of 1 or more".to_owned()),
        Ok(number) => Ok(number),
    }
}

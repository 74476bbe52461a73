//! `mfactl apply`: takes a saved plan, or makes a plan, shows it and asks for confirmation; then it
//! writes the changes and plans again.
//!
//! Not here: the steps (`run::apply`), or what is printed meanwhile (`terminal_frontend`).

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::against;
use super::conditions::{self, Conditions};
use super::connect::{Reach, connect};
use super::fault::Fault;
use super::job::JobSystem;
use super::output::{self, OutputFormat};
use super::selection::Selection;
use super::stats::Stats;
use super::terminal_frontend::Terminal;
use crate::disclose::outgoing;
use crate::exit::Exit;
use crate::plan::difference_kinds::ReviewedDifference;
use crate::plan::fingerprint::Fingerprint;
use crate::policy;
use crate::render::applied::{Applied, AppliedEnd};
use crate::render::plan::text::TextView;
use crate::run;
use crate::run::apply::{ApplyRequest, PlanSource};
use crate::run::approved::{ApprovalRequest, DifferenceRequest};
use crate::run::review::Base;

/// The age of a saved plan up to which it is applied. It holds everything that it does.
const MOST_OF_A_PLAN: SignedDuration = SignedDuration::from_hours(24);

/// The same of an approval. What it permits is planned anew, so a reviewer may take days.
const MOST_OF_AN_APPROVAL: SignedDuration = SignedDuration::from_hours(168);

/// Plan, ask for confirmation, and write the changes; or apply a saved plan. If a step of a user fails,
/// the later steps of this user are not tried. No user is left open or stuck, even if the run is cut off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl apply\n  mfactl apply --auto-approve\n  mfactl apply --auto-approve --format json\n  mfactl apply --auto-approve --limit 10\n  mfactl apply --allow changedUsers=24\n  mfactl plan --out staff.plan && mfactl apply staff.plan\n  mfactl apply --expect $FINGERPRINT\n  mfactl plan --approval approval.json && mfactl apply --approved approval.json\n  mfactl apply --auto-approve --approved-difference $DIFFERENCE --against main\n\nA saved plan is applied without a question, because it was shown when it was saved. It is refused\ncompletely if the tenant, its rules, the break-glass accounts or the files differ from those of the\nplan. Users that changed since the plan are skipped, and changes that an earlier run of this plan\nfrom this folder made are not made again. The exit code is 0 if no change of the plan is left.\n\nWith an approval, the plan is made anew, and what was approved and is still planned is applied without\na question. What is new waits for the next approval; with `--strict`, it refuses everything. The\napproval is refused completely if the tenant, its rules, the break-glass accounts or the files are\nnot those of the approved plan.\n\nCtrl-C (SIGINT) or SIGTERM stops an apply after the work in progress; a second one stops it at once\nand prints the number of writes whose outcome is unknown. The exit code is 5 both times, and the\nnext apply checks those writes first.\n\nIf MFACTL_FINGERPRINT_KEY is set to the same secret for `plan` and `apply`, the fingerprint covers\nphone numbers in full; otherwise it covers them as they are shown.\n"
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "user", "policy", "expect"])]
    approved: Option<PathBuf>,

    /// Refuse everything if something is planned that was not approved
    #[arg(long, requires = "approved")]
    strict: bool,

    /// Refuse everything if the change of the files, compared with `--against`, does a kind of thing that was
    /// not reviewed; the page of `plan --against` ends with the difference
    #[arg(long, value_name = "DIFFERENCE", requires = "against", conflicts_with = "file")]
    approved_difference: Option<ReviewedDifference>,

    /// The base of the reviewed difference: a git revision, or a folder that has another `mfactl.yaml`
    #[arg(long, value_name = "REV|DIR", requires = "approved_difference")]
    against: Option<String>,

    /// Maximum age: 24h for a saved plan, and 168h for an approval, unless it is given
    #[arg(long, value_name = "TIME", value_parser = conditions::duration)]
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
    let target = args.outputs.map(JobSystem::target).transpose()?;
    let set = policy::load(config)?;
    let base = args.against.as_deref().map(|against| against::load(config, against)).transpose()?;
    let mut tenant = connect(&set, config, &args.reach).await?;
    let session = &mut tenant.session;
    args.conditions.remember(session, config);
    let part = args.selection.is_part();
    let terminal = Terminal {
        view: TextView { all: args.all, sandbox: session.is_sandbox, part },
        format: OutputFormat::Text,
        out: None,
        domain: session.identity.domain.clone(),
        disclose: tenant.disclose.clone(),
        is_quiet: args.format == OutputFormat::Json,
        applied: RefCell::default(),
    };
    let request = args.request(config, base);
    let end = run::apply::apply(session, &set, &request, &terminal).await;
    args.stats.tell(&session.client, false);
    let end = end.map(Exit::from).map_err(Fault::from);
    let applied = ended(terminal.applied.into_inner(), &end);
    if args.format == OutputFormat::Json {
        output::document(&applied.json(&terminal.disclose))?;
    }
    if let Some(target) = target {
        target.tell(&applied, &terminal.disclose)?;
    }
    tenant.close().await;
    end
}

/// Returns what was done, with how it ended.
fn ended(applied: Applied, end: &Result<Exit, Fault>) -> Applied {
    let exit = end.as_ref().map_or_else(Fault::exit, |exit| *exit);
    let why = end.as_ref().err().map(|fault| outgoing(&fault.to_string()).into_owned());
    let end = match exit {
        Exit::Done => AppliedEnd::Done,
        Exit::Refused => AppliedEnd::Refused,
        Exit::Partly => AppliedEnd::Partly,
        _ => AppliedEnd::Failed,
    };
    Applied { end, why: why.or(applied.why), ..applied }
}

impl Args {
    fn request(&self, config: &Path, base: Option<Base>) -> ApplyRequest {
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
        let conditions = self.conditions.of_run(config);
        ApplyRequest { source, conditions, expect: self.expect, difference }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a number of 1 or more".to_owned()),
        Ok(number) => Ok(number),
    }
}

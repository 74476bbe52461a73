//! `mfactl plan`: observes the tenant and shows the difference. Nothing is written.
//!
//! Not here: how a plan is made (`run::plan`), or how it looks (`render`).

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::against;
use super::approval;
use super::connect::{ConnectedTenant, Reach};
use super::fault::Fault;
use super::guards::Guards;
use super::markdown;
use super::output::{self, OutputFormat};
use super::progress::shown;
use super::recorded::{self, FromSnapshot};
use super::saved;
use super::selection::Selection;
use super::stats::Stats;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::plan::brakes::Brake;
use crate::plan::review::{Alarm, Review};
use crate::policy::PolicySet;
use crate::render::html::{self, HtmlView};
use crate::render::markdown::Dialect;
use crate::render::plan::text;
use crate::run;
use crate::run::review::Base;
use crate::run::session::Session;
use crate::terminal::say;

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For a terminal
    Text,
    /// For programs; `mfactl schema` describes it
    Json,
    /// For a pull request; `mfactl comment` posts it
    Markdown,
    /// For a browser: one file with pictures and tables, which contains names unless `--disclose` hides them
    Html,
}

/// Show how the tenant differs from the policies. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    // A snapshot is read from a file, and nothing is waited for.
    mut_arg("timeout", |arg| arg.conflicts_with("snapshot")),
    mut_arg("ca_file", |arg| arg.conflicts_with("snapshot")),
    after_help = "Examples:\n  mfactl plan\n  mfactl plan --all\n  mfactl plan --format json\n  mfactl plan --detailed-exitcode\n  mfactl plan --user j.brown@exchangelabs.nl\n  mfactl plan --policy staff\n  mfactl plan --out staff.plan\n  mfactl plan --approval approval.json\n  mfactl plan --against main\n  mfactl plan --against main --fail-on loosened,weakened\n  mfactl plan --against main --format markdown > plan.md && mfactl comment plan.md\n  mfactl plan --against main --format html > plan.html\n  mfactl plan --snapshot tenant.snapshot\n\nWith `--against`, the tenant is read once, and the plan of these files is compared with the plan of\nthe files of a git revision or another folder. The output shows what the change of the files does,\nand the number of changes that wait with it or without it. `--detailed-exitcode` and `--fail-on` are\nabout the change alone. If the base cannot be compared, both count as met.\n"
)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,

    /// Format of the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,

    /// Where the Markdown is shown: a pull request of this host, or the summary of a job of GitHub Actions
    #[arg(long = "for", value_name = "HOST", value_enum, default_value_t = Dialect::GitHub)]
    dialect: Dialect,

    /// Exit with code 2 if there are changes, 4 if apply would refuse them, and 5 if there are none but
    /// some data could not be read
    #[arg(long)]
    detailed_exitcode: bool,

    /// Show what the change of the files does, compared with a git revision, or with a folder that has
    /// another `mfactl.yaml`, such as `./old`
    #[arg(long, value_name = "REV|DIR", conflicts_with_all = ["user", "policy"])]
    against: Option<String>,

    /// Exit with code 2 if the change of the files does one of these
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',', requires = "against")]
    fail_on: Vec<Alarm>,

    /// List every user instead of grouping users with the same changes
    #[arg(long)]
    all: bool,

    /// Also save the plan, to apply exactly this plan later; it contains phone numbers in full. FILE is a
    /// new file, a saved plan, or `-` for standard output if that is not a terminal
    #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "guards_from"])]
    out: Option<PathBuf>,

    /// Also save the approval of this plan, without names and numbers, for `apply --approved`. FILE is a new
    /// file or an earlier approval
    #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "guards_from"])]
    approval: Option<PathBuf>,

    /// Folder of the journals, instead of `.mfactl` next to `mfactl.yaml`; they contain the earlier
    /// members of each break-glass group
    #[arg(long, value_name = "DIR", conflicts_with = "snapshot")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    from: FromSnapshot,

    #[command(flatten)]
    guards: Guards,

    #[command(flatten)]
    reach: Reach,

    #[command(flatten)]
    stats: Stats,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    output::room(args.out.as_ref(), args.format.of_page())?;
    if let Some(path) = &args.approval {
        approval::room(path, saved::key().as_ref())?;
    }
    let set = args.guards.load(config)?;
    let against = args.against.as_deref();
    let trusted = args.guards.trusted(config);
    let base = against.map(|against| against::load(&trusted, against)).transpose()?;
    let mut reach = Reach { journal: args.journal.clone(), ..args.reach.clone() };
    reach.disclose = base.as_ref().map_or(reach.disclose, |base| reach.disclose.at_most(base));
    if args.selection.names_users() {
        reach.disclose.need_names(set.project.disclose, "a plan of single users is about them")?;
    }
    let (mut tenant, set) = args.from.tenant(set, &trusted, &reach).await?;
    let base = base.map(|base| tenant.translated_base(base));
    let session = &mut tenant.session;
    let (plan, review) = planned(args, base, &set, session).await?;
    if let Some(path) = &args.out {
        saved::save(&plan, path, &set, session)?;
    }
    if let Some(path) = &args.approval {
        approval::save(&plan, path, &set, session)?;
    }
    let part = args.selection.is_part();
    let view = text::TextView { all: args.all, sandbox: session.is_sandbox, part };
    show(args, config, (&plan, review.as_ref()), view, &tenant)?;
    args.stats.tell(tenant.session.client(), matches!(args.format, PlanFormat::Json));
    tenant.close().await;
    Ok(match &review {
        Some(review) => exit_of_review(args, review),
        None if args.detailed_exitcode => exit_of_plan(&plan),
        None => Exit::Done,
    })
}

/// Prints the plan in the format that is asked for.
fn show(
    args: &Args,
    config: &Path,
    (plan, review): (&Plan, Option<&Review>),
    view: text::TextView,
    tenant: &ConnectedTenant,
) -> Result<(), Fault> {
    let (disclose, out) = (&tenant.disclose, args.out.as_ref());
    let key = tenant.session.fingerprint_key.as_ref();
    match args.format {
        PlanFormat::Markdown => {
            let config = (&*args.guards.trusted(config), args.guards.are_given());
            let page = markdown::page((plan, review), config, args.dialect, (disclose, key));
            output::document(&page)
        }
        PlanFormat::Html => {
            let digest = markdown::digest(plan, review, key);
            let view = HtmlView { disclose, sandbox: view.sandbox, part: view.part, digest };
            output::document(&html::plan(plan, review, view))
        }
        PlanFormat::Text | PlanFormat::Json => {
            let format = args.format.of_page();
            output::plan(plan, review, format, view, disclose, out).map_err(Fault::Output)
        }
    }
}

impl PlanFormat {
    /// Returns the format as other commands know it. Markdown and HTML are documents, like JSON.
    const fn of_page(self) -> OutputFormat {
        match self {
            Self::Text => OutputFormat::Text,
            Self::Json | Self::Markdown | Self::Html => OutputFormat::Json,
        }
    }
}

/// Makes the plan, and compares it with the base that is asked for.
async fn planned(
    args: &Args,
    base: Option<Base>,
    set: &PolicySet,
    session: &Session,
) -> Result<(Plan, Option<Review>), Fault> {
    let Some(base) = base else {
        let mut part = args.selection.part(None);
        for user in &mut part.users {
            *user = recorded::translated_word(session, user)?;
        }
        let plan = shown(session.client(), run::plan::plan(session, set, &part)).await?;
        return Ok((plan, None));
    };
    let making = run::review::plan_against(session, base, set);
    let (plan, review) = shown(session.client(), making).await?;
    Ok((plan, Some(review)))
}

/// Returns the status for `--detailed-exitcode`. Withheld changes are no changes.
fn exit_of_plan(plan: &Plan) -> Exit {
    if plan.brakes.iter().any(Brake::tripped) {
        return Exit::Refused;
    }
    match (plan.changes.is_empty() && plan.objects.is_empty(), plan.is_complete()) {
        (false, _) => Exit::Changes,
        (true, true) => Exit::Done,
        (true, false) => Exit::Partly,
    }
}

fn exit_of_review(args: &Args, review: &Review) -> Exit {
    let alarms: Vec<&Alarm> = args.fail_on.iter().filter(|one| review.raises(**one)).collect();
    for alarm in &alarms {
        let known = if review.result.is_ok() { "" } else { " perhaps, because it is not compared" };
        say(&format!("--fail-on {}: met{known}", alarm.as_str()));
    }
    let has_effect = args.detailed_exitcode && review.has_effect();
    if has_effect || !alarms.is_empty() { Exit::Changes } else { Exit::Done }
}

impl ValueEnum for Alarm {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(self.about()))
    }
}

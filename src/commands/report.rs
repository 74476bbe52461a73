//! `mfactl report`: the posture of every account in the tenant. Nothing is written.
//!
//! Not here: the numbers of the report (`report`), or how it looks (`render::report`).

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use jiff::civil::Date;

use super::connect::Reach;
use super::fault::Fault;
use super::guards::Guards;
use super::output::{document, stream};
use super::progress::shown;
use super::recorded::FromSnapshot;
use super::stats::Stats;
use crate::disclose::{Discloser, Disclosure};
use crate::exit::Exit;
use crate::render::disclosed;
use crate::render::html::{self, HtmlView};
use crate::render::plan::text::TextView;
use crate::render::report::{csv, json, text};
use crate::report::{Condition, PostureReport};
use crate::run;
use crate::terminal::{print, say};

/// Show the posture of every enabled account, in a policy or not: accounts that are open, stuck, soon
/// open or stuck, unknown or in no policy; counts by policy, group, role and method; weak break-glass
/// accounts; shared phone numbers. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    // A snapshot is read from a file, and nothing is waited for.
    mut_arg("timeout", |arg| arg.conflicts_with("snapshot")),
    mut_arg("ca_file", |arg| arg.conflicts_with("snapshot")),
    after_help = "Examples:\n  mfactl report\n  mfactl report --all\n  mfactl report --at 2027-02-01\n  mfactl report --format csv > accounts.csv\n  mfactl report --format html > report.html\n  mfactl report --fail-on open,stuck\n  mfactl report --snapshot tenant.snapshot\n\nFor `--fail-on`, an account that could not be read counts as if the condition were met. Phone numbers are masked, and the CSV contains none; a CSV cell that a spreadsheet would run as a formula begins with an apostrophe.\n"
)]
pub struct Args {
    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Evaluate as of this date, with today's facts, to see who loses MFA when SMS and voice end
    #[arg(long, value_name = "DATE")]
    at: Option<Date>,

    /// Exit with code 2 if one of these conditions is met; separate several with commas
    #[arg(long, value_name = "CONDITION", value_enum, value_delimiter = ',')]
    fail_on: Vec<Condition>,

    /// Name every account instead of the first few
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    from: FromSnapshot,

    #[command(flatten)]
    guards: Guards,

    #[command(flatten)]
    reach: Reach,

    #[command(flatten)]
    stats: Stats,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For programs; `mfactl schema` describes it
    Json,
    /// For spreadsheets, one line for each enabled account
    Csv,
    /// For a browser: one file with pictures and tables, which contains names unless `--disclose` hides them
    Html,
}

impl ValueEnum for Condition {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(self.about()))
    }
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = args.guards.load(config)?;
    if matches!(args.format, Format::Json | Format::Csv) {
        let what = "every row of this format is about one user";
        args.reach.disclose.need_users(set.project.disclose, what)?;
    }
    let (mut tenant, set) =
        args.from.tenant(set, &args.guards.trusted(config), &args.reach).await?;
    let session = &mut tenant.session;
    let today = session.today();
    session.day = args.at.or(session.day);
    let reporting = run::report::posture(session, &set, today);
    let report = shown(session.client(), reporting).await?;
    let disclose = &tenant.disclose;
    let report = match disclose.level() {
        Disclosure::Pseudonyms => disclosed::report(report, disclose),
        Disclosure::Names | Disclosure::Counts => report,
    };
    match args.format {
        Format::Text => {
            let view = TextView { all: args.all, sandbox: tenant.session.is_sandbox, part: false };
            print(&text::text(&report, view, disclose)).map_err(Fault::Output)?
        }
        Format::Json => stream(|out| json::json(&report, disclose, out))?,
        Format::Csv => stream(|out| csv::csv(&report, disclose, out))?,
        Format::Html => {
            let sandbox = tenant.session.is_sandbox;
            let view = HtmlView { disclose, sandbox, part: false, digest: None };
            document(&html::report(&report, view))?
        }
    }
    args.stats.tell(tenant.session.client(), matches!(args.format, Format::Json));
    let fails = fails(&report, &args.fail_on, &tenant.disclose);
    tenant.close().await;
    Ok(if fails { Exit::Changes } else { Exit::Done })
}

/// Prints the conditions that are met or may be met, and returns whether there is one.
fn fails(report: &PostureReport, conditions: &[Condition], disclose: &Discloser) -> bool {
    let mut met = false;
    for condition in Condition::ALL.iter().filter(|one| conditions.contains(one)) {
        let (tally, name) = (condition.of(report), condition.as_str());
        let possible = match tally.possible {
            0 => String::new(),
            more => format!(", and {} unknown", disclose.count(more)),
        };
        if tally.any() {
            say(&format!("--fail-on {name}: {}{possible}", disclose.count(tally.certain)));
            met = true;
        }
    }
    met
}

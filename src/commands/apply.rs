//! `mfactl apply`: plan, show, ask, write, plan again.

use std::io::{IsTerminal as _, stdin};
use std::path::Path;
use std::time::Duration;

use super::allowance::{Allowance, tripped};
use super::connect::{Reach, Tenant, connect};
use super::fault::Fault;
use super::observe;
use super::selection::Selection;
use crate::apply::basis::hold;
use crate::apply::report::Report;
use crate::apply::run::{self, Watch};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::policy::{self, PolicySet};
use crate::render::{outcome, text};
use crate::terminal::{print, say};

/// How old the last look at what the plan rests on may be when a stage begins. Conditional Access
/// answers once a second for all programs of a tenant, so not for every stage.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Plan, ask, and make it so. A user whose step fails is left as they are from there on; nobody is
/// left open or stuck, wherever it is cut off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl apply\n  mfactl apply --auto-approve\n  mfactl apply --auto-approve --limit 10\n  mfactl apply --allow changedUsers=24\n"
)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,

    /// Only the first N users who are changed, in the order of their names; the rest stays planned
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,

    /// Lift a brake for this one plan, by the plan's own number; may be repeated
    #[arg(long, value_name = "BRAKE=N")]
    allow: Vec<Allowance>,

    /// Do not ask
    #[arg(long)]
    auto_approve: bool,

    /// List everybody instead of folding users who are alike
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let tenant = connect(&set, config, &args.reach).await?;
    let exit = apply(args, &set, &tenant).await;
    tenant.close().await;
    exit
}

async fn apply(args: &Args, set: &PolicySet, tenant: &Tenant) -> Result<Exit, Fault> {
    let plan = args.selection.of(observe::plan(set, tenant).await?, args.limit, set)?;
    let view = text::View { all: args.all, sandbox: tenant.is_sandbox() };
    print(&text::plan(&plan, view)).map_err(Fault::Output)?;
    if plan.changes.is_empty() {
        return Ok(Exit::Done);
    }
    let brakes = tripped(&plan.brakes, &args.allow);
    if !brakes.is_empty() {
        return Err(Fault::Brakes(brakes));
    }
    if !args.auto_approve && !approved(&plan, tenant)? {
        say("nothing was changed");
        return Ok(Exit::Done);
    }
    let now = observe::basis(set, tenant, &plan.directory).await?;
    let held = hold(&plan, tenant.identity.id, &now).map_err(Fault::Refused)?;
    let watch = Watch::new(LOOK_EVERY, async || {
        let now = observe::basis(set, tenant, &plan.directory).await;
        let now = now.map_err(|fault| fault.to_string())?;
        hold(&plan, tenant.identity.id, &now).map_err(|refusal| refusal.to_string()).map(|_| ())
    });
    let report = run::run(held, &tenant.client, watch, progress()).await;
    print(&outcome::report(&plan, &report)).map_err(Fault::Output)?;
    match observe::plan(set, tenant).await {
        Ok(left) => {
            let left = args.selection.of(left, None, set)?;
            print(&outcome::left(&left)).map_err(Fault::Output)?;
            Ok(exit(&report, args.limit.is_some() || left.changes.is_empty()))
        }
        // What was done is told by now, and the status has to say that something was.
        Err(fault) => {
            say(&format!("after the apply it could not be planned again\n{fault}"));
            Ok(Exit::Partly)
        }
    }
}

/// Whole is what was done without exception, and left nothing that was meant to be done.
fn exit(report: &Report, nothing_left: bool) -> Exit {
    if report.is_whole() && nothing_left { Exit::Done } else { Exit::Partly }
}

fn approved(plan: &Plan, tenant: &Tenant) -> Result<bool, Fault> {
    if !stdin().is_terminal() {
        return Err(Fault::CannotAsk);
    }
    let users = plan.summary.users_changed;
    say(&format!(
        "\nApply this to {users} users of {}? Only `yes` is taken for yes.",
        tenant.identity.domain
    ));
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(|error| Fault::Machine {
        what: "the answer could not be read".to_owned(),
        error,
    })?;
    Ok(answer.trim() == "yes")
}

/// On a terminal, says now and then how far it is.
fn progress() -> impl Fn(usize, usize) {
    let shown = std::io::stderr().is_terminal();
    move |through, all| {
        if shown && through < all {
            say(&format!("{through} of {all} users"));
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}

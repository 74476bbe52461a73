//! `mfactl explain`: the state of one user, the reasons for it, and what would change it. Nothing is
//! written.
//!
//! Not here: the explanation itself (`explain`).

use std::path::Path;

use super::against;
use super::connect::Reach;
use super::fault::Fault;
use super::output::{OutputFormat, stream};
use super::recorded::FromSnapshot;
use crate::checks;
use crate::exit::Exit;
use crate::id::UserId;
use crate::policy::{self, Faults, PolicySet, UserRef};
use crate::render::explain::{json, text};
use crate::run::explain;
use crate::run::fault::RunFault;
use crate::run::session::Session;
use crate::terminal::print;

/// Explain one user: the policies that match and why, the lines that decide and those they override,
/// the withheld changes and what would help, and the posture before and after. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    // A snapshot is read from a file, and nothing is waited for.
    mut_arg("timeout", |arg| arg.conflicts_with("snapshot")),
    mut_arg("ca_file", |arg| arg.conflicts_with("snapshot")),
    after_help = "Examples:\n  mfactl explain j.brown@exchangelabs.nl\n  mfactl explain p.visser@exchangelabs.nl --format json\n  mfactl explain j.brown@exchangelabs.nl --against main\n  mfactl explain j.brown@exchangelabs.nl --as-test > brown.yaml\n\nThe user does not have to be in a policy. Phone numbers are masked.\n"
)]
pub struct Args {
    /// User principal name or object id
    user: String,

    /// Format of the explanation
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    /// Also show what the change of the files does for the user, compared with a git revision, or with a
    /// folder that has another `mfactl.yaml`, such as `./old`
    #[arg(long, value_name = "REV|DIR")]
    against: Option<String>,

    /// Write a file of checks instead: an invented person like this user, and what the plan says now
    #[arg(long, conflicts_with_all = ["format", "against"])]
    as_test: bool,

    #[command(flatten)]
    from: FromSnapshot,

    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let user = named(&args.user)?;
    let base = args.against.as_deref().map(|against| against::load(config, against)).transpose()?;
    let disclose = args.reach.disclose;
    let disclose = base.as_ref().map_or(disclose, |base| disclose.at_most(base));
    disclose.need_names(set.project.disclose, "an explanation is about one user")?;
    let (tenant, set) = args.from.tenant(set, config, &args.reach).await?;
    let base = base.map(|base| tenant.translated_base(base));
    let user = tenant.translated_user(user);
    let session = &tenant.session;
    if args.as_test {
        print(&as_test(session, &set, &user).await?).map_err(Fault::Output)?;
        tenant.close().await;
        return Ok(Exit::Done);
    }
    let (explanation, review) = match base {
        None => (explain::explain(session, &set, &user).await?, None),
        Some(base) => {
            let explained = explain::explain_against(session, base, &set, &user).await?;
            (explained.0, Some(explained.1))
        }
    };
    match args.format {
        OutputFormat::Text => print(&text::text(&explanation, review.as_ref(), session.is_sandbox))
            .map_err(Fault::Output)?,
        OutputFormat::Json => stream(|out| json::json(&explanation, review.as_ref(), out))?,
    }
    tenant.close().await;
    Ok(Exit::Done)
}

/// Returns a file of checks that is made from the user.
async fn as_test(session: &Session, set: &PolicySet, user: &UserRef) -> Result<String, Fault> {
    let (explanation, seen) = explain::explain_observed(session, set, user).await?;
    let made = checks::as_test(set, (&seen.observed, &seen.roles), seen.user, &explanation);
    let made = made.map_err(|findings| Faults { sources: set.sources.clone(), findings })?;
    Ok(made.text)
}

/// Returns the user that the argument names. A principal name contains an `@`. Anything else is refused
/// without a request, so that it never becomes part of a path.
fn named(word: &str) -> Result<UserRef, Fault> {
    let word = word.trim();
    let user = match word.parse::<UserId>() {
        Ok(id) => UserRef::Id(id),
        Err(_) => UserRef::PrincipalName(word.to_owned()),
    };
    match &user {
        UserRef::PrincipalName(name) if !name.contains('@') => {
            Err(RunFault::UnknownUser(user).into())
        }
        _ => Ok(user),
    }
}

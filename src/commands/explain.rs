//! `mfactl explain`: the state of one user, the reasons for it, and what would change it. Nothing is
//! written.
//!
//! Not here: the explanation itself (`explain`).

use std::path::Path;

use jiff::Timestamp;

use super::connect::{Reach, connect};
use super::fault::Fault;
use super::output::{OutputFormat, stream};
use crate::entra;
use crate::entra::tenant_rules::SafetyRule;
use crate::exit::Exit;
use crate::explain::{self, Call, Explanation, Reading};
use crate::finding::quoted;
use crate::id::UserId;
use crate::policy::{self, UserRef};
use crate::render::explain::json;
use crate::render::explain::text;
use crate::run::observe::{self, ObservedWith};
use crate::terminal::print;
use crate::untrusted::Untrusted;

/// Explain one user: the policies that match and why, the lines that decide and those they override,
/// the withheld changes and what would help, and the posture before and after. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl explain j.brown@exchangelabs.nl\n  mfactl explain p.visser@exchangelabs.nl --format json\n\nThe user does not have to be in a policy. Phone numbers are masked.\n"
)]
pub struct Args {
    /// User principal name or object id
    user: String,

    /// Format of the explanation
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let user = named(&args.user)?;
    let tenant = connect(&set, config, &args.reach).await?;
    let since = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let seen = observe::observe_with(&set, &tenant, &user).await?;
    let reading = Reading { since, calls: calls(&seen, &user) };
    let ObservedWith { observed, roles, user: index, .. } = seen;
    let (mut explanation, plan) =
        explain::explain(&set, observed, &roles, index, reading).ok_or(Fault::UnknownUser(user))?;
    observe::sound(plan, &set)?;
    let groups = groups(&explanation);
    explanation.reading.calls.extend(groups);
    match args.format {
        OutputFormat::Text => {
            print(&text::text(&explanation, tenant.is_sandbox())).map_err(Fault::Output)?
        }
        OutputFormat::Json => stream(|out| json::json(&explanation, out))?,
    }
    tenant.close().await;
    Ok(Exit::Done)
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
        UserRef::PrincipalName(name) if !name.contains('@') => Err(Fault::UnknownUser(user)),
        _ => Ok(user),
    }
}

fn calls(seen: &ObservedWith, asked: &UserRef) -> Vec<Call> {
    let Some(user) = seen.observed.directory.user(seen.user) else { return Vec::new() };
    let word = match asked {
        UserRef::PrincipalName(name) => name.to_lowercase(),
        UserRef::Id(id) => id.to_string(),
    };
    let [directory, methods, state, preferences] = entra::paths_of_user(user.id, &word);
    let always = [("directory", directory), (explain::METHODS, methods), (explain::STATE, state)];
    let if_needed = [(explain::PREFERENCES, preferences)];
    let if_needed = if_needed.into_iter().filter(|_| seen.observed.basis.extra.preferences);
    let of_user = always.into_iter().chain(if_needed);
    let of_user = of_user.map(|(what, path)| Call { what: what.to_owned(), path, unknown: None });
    let of_tenant = entra::paths_of_tenant().map(|(what, path)| Call {
        what: what.what(),
        path: path.to_owned(),
        unknown: match what {
            SafetyRule::Eligibility => {
                seen.roles.known().and_then(|roles| roles.eligibility_unknown)
            }
            what => seen.unread.iter().find(|one| one.what == what).map(|one| one.why),
        },
    });
    of_user.chain(of_tenant).collect()
}

/// Returns the calls that read the members of the groups that name the user.
fn groups(explanation: &Explanation) -> Vec<Call> {
    let groups = explanation.groups();
    let call = |(id, name): (_, &Untrusted)| Call {
        what: format!("members of {}", quoted(name)),
        path: entra::path_of_members(id),
        unknown: None,
    };
    groups.into_iter().map(call).collect()
}

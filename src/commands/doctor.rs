//! `mfactl doctor`: checks whether this identity has the permissions that the policies need. Nothing is
//! written.
//!
//! Not here: the checks (`entra::permission_check`), or how the result looks (`render::doctor`).

use std::path::Path;

use clap::ValueEnum;

use super::connect::{Reach, connect};
use super::fault::Fault;
use super::output::{OutputFormat, stream};
use super::run_store;
use crate::entra;
use crate::entra::permission_check::Managed;
use crate::exit::Exit;
use crate::journal::{self, StoreTrial};
use crate::policy::{self, PolicySet};
use crate::render::doctor::{self, AccessSubject, StoreRow};
use crate::run::session::Session;
use crate::settings::Setting;
use crate::tenant::access::AccessPurpose;
use crate::terminal::print;

/// Check for each operation that the policies need whether this identity may do it, and show the least
/// privileged permission. Nothing is written. Exits with code 1 if something is missing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl doctor\n  mfactl doctor --for plan\n  mfactl doctor --format json\n\nWrites cannot be tested without writing, so for them the permissions in the token count.\n"
)]
pub struct Args {
    /// Purpose of this identity; with `plan`, a permission to write is reported as a warning
    #[arg(long = "for", value_enum, value_name = "PURPOSE", default_value_t = For::Apply)]
    purpose: For,

    /// Output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,

    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    /// Only make plans
    Plan,
    /// Make plans and apply them
    Apply,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let reach = Reach { forgets: true, ..args.reach.clone() };
    let tenant = connect(&set, config, &reach).await?;
    let purpose = match args.purpose {
        For::Plan => AccessPurpose::Plan,
        For::Apply => AccessPurpose::Apply,
    };
    let client = tenant.session.live()?;
    let found = entra::permission_check::read(client, &managed(&set), purpose).await?;
    let credential = client.credential();
    let job = client.job_token();
    let store = tried(&set, config, &tenant.session, purpose).await?;
    let about = AccessSubject {
        tenant: &tenant.session.identity,
        credential: &credential,
        purpose,
        store: &store,
        loose_subject: job.as_ref().and_then(|job| Some((job.subject(), job.is_loose()?))),
    };
    match args.format {
        OutputFormat::Text => print(&doctor::text(about, &found)).map_err(Fault::Output)?,
        OutputFormat::Json => stream(|out| doctor::json(about, &found, out))?,
    }
    let missing = doctor::missing(about, &found);
    tenant.close().await;
    Ok(if missing > 0 { Exit::Failed } else { Exit::Done })
}

/// Tries what the purpose needs of the run store, if that is in a cloud. Nothing is left there.
async fn tried(
    set: &PolicySet,
    config: &Path,
    session: &Session,
    purpose: AccessPurpose,
) -> Result<Vec<StoreRow>, Fault> {
    let runs =
        run_store::of_client(None, &set.project, config, session.client())?.of(session.identity.id);
    let mut rows = Vec::new();
    for trial in StoreTrial::ALL {
        if purpose == AccessPurpose::Plan && !trial.is_for_plans() {
            continue;
        }
        let rule = &set.project.runs;
        let address = if trial.is_of_restore() { &rule.restore } else { &rule.store };
        let Some(address) = address.as_ref().filter(|at| at.container().is_some()) else {
            continue;
        };
        let fault = journal::try_store(&runs, trial).await.err().map(|fault| fault.to_string());
        let role = address.role(trial.writes());
        rows.push(StoreRow { trial, place: address.to_string(), role, fault });
    }
    Ok(rows)
}

/// Returns the settings that the policies manage. A policy in report mode counts too, because it needs
/// the same permissions once it is enforced.
fn managed(set: &PolicySet) -> Managed {
    let rules = || set.policies.iter().map(|policy| &policy.rules);
    let wanted = |setting: &Setting| rules().any(|rules| rules.managed(*setting).is_some());
    Managed { settings: Setting::ALL.into_iter().filter(wanted).collect(), extra: set.extra() }
}

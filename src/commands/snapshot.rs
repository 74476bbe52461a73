//! `mfactl snapshot`: records what a plan needs to know of the tenant, without numbers, so that `--snapshot` works
//! without a connection. Nothing is written to the tenant.
//!
//! Not here: what is read (`run::snapshot`), or the file (`snapshot`).

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use uuid::Uuid;

use super::connect::{Reach, connect};
use super::fault::Fault;
use super::ignored;
use super::out::{FileKind, OutputTarget};
use super::progress::shown;
use super::random;
use super::stats::Stats;
use crate::exit::Exit;
use crate::policy;
use crate::run::snapshot::{TakeRequest, take};
use crate::snapshot::pseudonym::{KEY_BYTES, PersonSalt, RecordingKey};
use crate::snapshot::{RecordedGroups, write};
use crate::terminal::say;
use crate::untrusted::printable;

/// Environment variable with the secret key of pseudonyms. Without it, each snapshot has a random one.
const KEY: &str = "MFACTL_SNAPSHOT_KEY";

/// Record the tenant without numbers, and without names of users unless they are asked for, so that `plan`,
/// `report` and `explain` work on it later, on another machine and without a sign-in. The facts of every
/// account are read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl snapshot --out tenant.snapshot\n  mfactl plan --snapshot tenant.snapshot\n  mfactl report --snapshot tenant.snapshot\n\nA user gets a pseudonym in place of the id and the name; the domain of the name stays. A number\nbecomes its mask, its kind of line and a class, which is the same for equal numbers. Groups,\nroles, domains, departments and the rules of the tenant keep their names. Users that the files\nname are found again by slow, salted digests of their names.\n\nPseudonyms and classes come from a random key that nobody keeps, so two snapshots cannot be\ncompared. If MFACTL_SNAPSHOT_KEY is set, to a secret of at least 16 bytes, they are the same in\neach snapshot.\n"
)]
pub struct Args {
    /// The file to write: a new file or an earlier snapshot
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The groups to record
    #[arg(long, value_enum, default_value_t = RecordedGroups::Named)]
    groups: RecordedGroups,

    /// Keep ids and names of users. `--disclose` must allow names, which it does not in a CI job by default
    #[arg(long)]
    names: bool,

    #[command(flatten)]
    reach: Reach,

    #[command(flatten)]
    stats: Stats,
}

impl ValueEnum for RecordedGroups {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Named, Self::All]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        use clap::builder::PossibleValue;
        Some(match self {
            Self::Named => PossibleValue::new("named")
                .help("Groups that the files name, and groups that can hold a role"),
            Self::All => PossibleValue::new("all").help("Every security group"),
        })
    }
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    OutputTarget::look(&args.out, FileKind::Snapshot)?;
    let key = key(args.names)?;
    let set = policy::load(config)?;
    if args.names {
        let what = "a snapshot with names is about single users";
        args.reach.disclose.need_names(set.project.disclose, what)?;
    }
    let tenant = connect(&set, config, &args.reach).await?;
    let session = &tenant.session;
    let request =
        TakeRequest { groups: args.groups, key, salt: PersonSalt(Uuid::from_bytes(fresh()?)) };
    let taken = shown(session.client(), take(session, &set, request)).await?;
    let name = args.out.display().to_string();
    let name = printable(&name);
    let out = OutputTarget::look(&args.out, FileKind::Snapshot)?;
    let is_file = matches!(out, OutputTarget::File(..));
    let written =
        out.write(|mut out| taken.record(session, |recording| write(recording, &mut out)));
    written.map_err(|error| Fault::Machine {
        what: format!("the snapshot could not be saved in `{name}`"),
        error,
    })?;
    let (users, groups) = taken.counts();
    let about = if args.names { "with names" } else { "without names" };
    say(&format!(
        "snapshot of {users} users and {groups} groups saved in `{name}`, without numbers and {about}"
    ));
    if let Some(warning) = ignored::warning(&args.out).filter(|_| args.names && is_file) {
        say(&warning);
    }
    args.stats.tell(session.client(), false);
    tenant.close().await;
    Ok(Exit::Done)
}

fn key(names: bool) -> Result<RecordingKey, Fault> {
    let secret = std::env::var_os(KEY).unwrap_or_default();
    let secret = secret.as_encoded_bytes();
    match secret.len() {
        0 => Ok(RecordingKey::new(&fresh()?, names)),
        1..KEY_BYTES => {
            Err(Fault::ShortKey { variable: KEY, least: KEY_BYTES, what: "a snapshot" })
        }
        _ => Ok(RecordingKey::new(secret, names)),
    }
}

fn fresh() -> Result<[u8; 16], Fault> {
    let what = "no key could be made".to_owned();
    random::bytes().map_err(|error| Fault::Machine { what, error })
}

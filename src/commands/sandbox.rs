//! `mfactl sandbox`: serves, resets or shows the embedded tenant.
//!
//! Not here: the embedded tenant (`sandbox`).

mod serve;

use std::path::Path;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use mfactl_sandbox::{self as sandbox, Store, Summary, UserLine, seeds, user_lines};

use super::connect::sandbox_folder;
use super::fault::Fault;
use crate::exit::Exit;
use crate::terminal::print;
use crate::untrusted::{label, printable};

/// Serve, reset or show the embedded tenant. Its state is in `.mfactl/sandbox/` next to `mfactl.yaml`;
/// nothing is stored there before the first write to the tenant.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the tenant on loopback until SIGINT or SIGTERM; the first line on stdout is the URL
    #[command(after_help = serve::after_help())]
    Serve(Box<serve::Args>),
    /// Reset the tenant to a seed, without the writes since
    #[command(
        after_help = "Examples:\n  mfactl sandbox reset\n  mfactl sandbox reset --seed exchangelabs-security-defaults\n  mfactl sandbox reset --users 10000\n"
    )]
    Reset(Reset),
    /// Show the users of the tenant, and what would happen if they signed in
    #[command(
        after_help = "Examples:\n  mfactl sandbox show\n  mfactl sandbox show j.brown@exchangelabs.nl\n"
    )]
    Show(Show),
}

#[derive(Debug, clap::Args)]
struct Reset {
    /// The seed of the tenant
    #[arg(long, value_name = "NAME", default_value = "exchangelabs", value_parser = PossibleValuesParser::new(seeds::names()))]
    seed: String,

    /// Generate a tenant with N users instead, all in the group `All Staff`
    #[arg(long, value_name = "N", conflicts_with = "seed")]
    users: Option<u32>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Only this user, by principal name
    user: Option<String>,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let folder = sandbox_folder(config);
    match &args.command {
        Command::Serve(args) => serve::run(args, &folder).await,
        Command::Reset(args) => reset(args, &folder),
        Command::Show(args) => show(args, &folder),
    }
}

fn reset(args: &Reset, folder: &Path) -> Result<Exit, Fault> {
    let seed = match args.users {
        Some(users) => seeds::generated(users),
        None => seeds::by_name(&args.seed)
            .ok_or_else(|| sandbox::FolderError::UnknownSeed { name: args.seed.clone() })?,
    };
    sandbox::reset(folder, &seed)?;
    print(&format!(
        "the sandbox is reset to `{}`: {} users\n",
        seed.name,
        Store::new(seed.clone()).user_count()
    ))
    .map_err(Fault::Output)?;
    Ok(Exit::Done)
}

fn show(args: &Show, folder: &Path) -> Result<Exit, Fault> {
    let store = sandbox::store_in(folder)?;
    match &args.user {
        None => {
            print(&heading(&Summary::of(&store))).map_err(Fault::Output)?;
            user_lines(&store).try_for_each(|user| print(&line(&user))).map_err(Fault::Output)?;
        }
        Some(name) => {
            let found =
                user_lines(&store).find(|user| user.user_principal_name.eq_ignore_ascii_case(name));
            let user = found.ok_or_else(|| Fault::NoSuchUser(name.clone()))?;
            print(&line(&user)).map_err(Fault::Output)?;
        }
    }
    Ok(Exit::Done)
}

fn heading(summary: &Summary) -> String {
    format!(
        "{}   {}   tenant {}   seed {}   {} users   {} groups   {} writes\n\n",
        label(&summary.display_name),
        label(&summary.domain),
        summary.tenant_id,
        summary.seed,
        summary.users,
        summary.groups,
        summary.writes,
    )
}

fn line(user: &UserLine) -> String {
    let methods = if user.methods.is_empty() { "none".to_owned() } else { user.methods.join(", ") };
    let methods = printable(&methods);
    format!(
        "{:<48} {:<9} {:<13} {methods}\n",
        label(&user.user_principal_name),
        label(&user.state),
        user.sign_in.as_str()
    )
}

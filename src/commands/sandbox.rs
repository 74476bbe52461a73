//! `mfactl sandbox`: the embedded tenant, served to other programs, put back, looked at.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use clap::Subcommand;
use tokio::signal::unix::{SignalKind, signal};

use super::connect::sandbox_folder;
use super::fault::Fault;
use crate::exit::Exit;
use crate::sandbox::{self, Options, Store, Summary, UserLine, seeds, user_lines};
use crate::terminal::print;

/// The embedded tenant. Its state is `.mfactl/sandbox/` beside `mfactl.yaml`; nothing is written
/// there until the first write to the tenant.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve it on loopback, until SIGINT or SIGTERM; the URL is the first line on stdout
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    /// Put it back to its seed and forget all writes
    #[command(
        after_help = "Examples:\n  mfactl sandbox reset\n  mfactl sandbox reset --users 10000\n"
    )]
    Reset(Reset),
    /// Show who is in it, and what would happen if they signed in
    #[command(
        after_help = "Examples:\n  mfactl sandbox show\n  mfactl sandbox show j.brown@exchangelabs.nl\n"
    )]
    Show(Show),
}

const SERVE_EXAMPLES: &str = "Examples:
  mfactl sandbox serve --port 8080

Any program that speaks Microsoft Graph can use it: tokens come from
<URL>/<tenant>/oauth2/v2.0/token for any client id and secret. POST <URL>/sandbox/signIn with
{\"user\": \"j.brown@exchangelabs.nl\"} says what would happen at a sign-in; no token is needed.
";

#[derive(Debug, clap::Args)]
struct Serve {
    /// The port on loopback; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// What links in answers begin with, where a proxy stands before it
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// The one client secret that gets a token; without it, any does
    #[arg(
        long,
        value_name = "SECRET",
        env = "MFACTL_SANDBOX_CLIENT_SECRET",
        hide_env_values = true
    )]
    client_secret: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Reset {
    /// Make a generated tenant of so many users instead, all in the group `All Staff`
    #[arg(long, value_name = "N")]
    users: Option<u32>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// One user only, by principal name
    user: Option<String>,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let folder = sandbox_folder(config);
    match &args.command {
        Command::Serve(args) => serve(args, &folder).await,
        Command::Reset(args) => reset(args, &folder),
        Command::Show(args) => show(args, &folder),
    }
}

async fn serve(args: &Serve, folder: &Path) -> Result<Exit, Fault> {
    let options = Options {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        public_url: args.public_url.clone(),
        client_secret: args.client_secret.clone(),
        ..Options::in_folder(folder)?
    };
    let stopping =
        |error| Fault::Machine { what: "signals cannot be waited for".to_owned(), error };
    let mut terminate = signal(SignalKind::terminate()).map_err(stopping)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(stopping)?;
    let server = sandbox::start(options).await?;
    print(&format!("{}\n", server.url())).map_err(Fault::Output)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.stop().await;
    Ok(Exit::Done)
}

fn reset(args: &Reset, folder: &Path) -> Result<Exit, Fault> {
    let seed = args.users.map_or_else(seeds::exchangelabs, seeds::generated);
    sandbox::reset(folder, &seed)?;
    print(&format!(
        "the sandbox is `{}` again: {} users\n",
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
        summary.display_name,
        summary.domain,
        summary.tenant_id,
        summary.seed,
        summary.users,
        summary.groups,
        summary.writes,
    )
}

fn line(user: &UserLine) -> String {
    let methods = if user.methods.is_empty() { "none".to_owned() } else { user.methods.join(", ") };
    format!(
        "{:<48} {:<9} {:<13} {methods}\n",
        user.user_principal_name,
        user.state,
        user.sign_in.as_str()
    )
}

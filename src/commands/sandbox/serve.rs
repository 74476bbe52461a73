//! `mfactl sandbox serve`: the embedded tenant for other programs, and how it is to behave.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::super::fault::Fault;
use crate::exit::Exit;
use crate::sandbox::{self, Lateness, Options};
use crate::terminal::print;

pub(super) const EXAMPLES: &str = "Examples:
  mfactl sandbox serve --port 8080
  mfactl sandbox serve --methods-late 5 --promotion-late 20 --index-late 60

Any program that speaks Microsoft Graph can use it: tokens come from
<URL>/<tenant>/oauth2/v2.0/token for any client id and secret. POST <URL>/sandbox/signIn with
{\"user\": \"j.brown@exchangelabs.nl\"} says what would happen at a sign-in; no token is needed.
";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
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

    #[command(flatten)]
    late: Late,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What the service hears of late")]
struct Late {
    /// Lists of methods show a write so much later; a single method is there at once
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    methods_late: u32,

    /// `enabled` becomes `enforced` by itself so much later
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    promotion_late: u32,

    /// What is read with `ConsistencyLevel: eventual` shows a write so much later
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    index_late: u32,
}

impl Late {
    fn lateness(&self) -> Lateness {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Lateness {
            methods: seconds(self.methods_late),
            promotion: seconds(self.promotion_late),
            index: seconds(self.index_late),
        }
    }
}

impl Args {
    fn options(&self, folder: &Path) -> Result<Options, Fault> {
        Ok(Options {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            public_url: self.public_url.clone(),
            client_secret: self.client_secret.clone(),
            lateness: self.late.lateness(),
            ..Options::in_folder(folder)?
        })
    }
}

/// Serves until SIGINT or SIGTERM.
pub(super) async fn run(args: &Args, folder: &Path) -> Result<Exit, Fault> {
    let options = args.options(folder)?;
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

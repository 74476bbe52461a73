//! `mfactl sandbox serve`: the embedded tenant for other programs, and how it is to behave.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use super::super::fault::Fault;
use crate::exit::Exit;
use crate::sandbox::{self, Clock, Faults, Lateness, Options, Script, ScriptError, Share};
use crate::terminal::print;

const EXAMPLES: &str = "Examples:
  mfactl sandbox serve --port 8080
  mfactl sandbox serve --methods-late 5 --promotion-late 20 --index-late 60
  mfactl sandbox serve --fault-rate 30 --fault-seed 7

Any program that speaks Microsoft Graph can use it: tokens come from
<URL>/<tenant>/oauth2/v2.0/token for any client id and secret. POST <URL>/sandbox/signIn with
{\"user\": \"j.brown@exchangelabs.nl\"} says what would happen at a sign-in; no token is needed.
";

/// What stands below the options: examples, and the faults there are.
pub(super) fn after_help() -> String {
    let mut text = format!(
        "{EXAMPLES}\nFaults, as a file names them, each with where it is from (checked 2026-11):\n"
    );
    for word in sandbox::Word::ALL {
        let (about, source) = word.about();
        _ = writeln!(text, "  {:<16} {about} [{source}]", word.as_str());
    }
    text + "\ndocs/faults.md describes the file.\n"
}

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

    #[command(flatten)]
    wrong: Wrong,
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

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What goes wrong")]
struct Wrong {
    /// A file that says which requests go wrong, when and how
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// So many of a hundred answers go wrong, by chance, with what passes when it is tried again
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fault_rate: Option<u8>,

    /// Another run of chance; the same number is the same run
    #[arg(long, value_name = "N", default_value_t = 0, requires = "fault_rate")]
    fault_seed: u64,

    /// The service's clock is ahead by so much (behind, where negative)
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_skew: i32,
}

impl Wrong {
    fn faults(&self) -> Result<Faults, sandbox::StartError> {
        let (script, share) = match &self.faults {
            Some(path) => std::fs::read_to_string(path)
                .map_err(ScriptError::from)
                .and_then(|text| Script::parse(&text))
                .map_err(|source| sandbox::StartError::Script { path: path.clone(), source })?,
            None => (Script::default(), None),
        };
        let share = self.fault_rate.map(|percent| Share::new(percent, self.fault_seed)).or(share);
        if self.faults.is_none() && share.is_none() {
            return Ok(Faults::none());
        }
        Ok(Faults::scripted(script, share))
    }
}

impl Args {
    fn options(&self, folder: &Path) -> Result<Options, Fault> {
        Ok(Options {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            public_url: self.public_url.clone(),
            client_secret: self.client_secret.clone(),
            lateness: self.late.lateness(),
            faults: self.wrong.faults()?,
            clock: Clock::running(1, SignedDuration::from_secs(self.wrong.clock_skew.into())),
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

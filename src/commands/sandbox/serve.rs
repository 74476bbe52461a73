//! `mfactl sandbox serve`: serves the embedded tenant to other programs, and sets its behaviour.
//!
//! Not here: the embedded tenant (`sandbox`), or its fault scripts (`sandbox::Script`).

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use mfactl_sandbox::{
    self as sandbox, Access, Answering, Clock, Faults, Grants, Lateness, Licence, Options, Quotas,
    Script, ScriptError, Share, Shift, TenantSize, Tls,
};
use tokio::signal::unix::{SignalKind, signal};

use super::super::fault::Fault;
use crate::exit::Exit;
use crate::files;
use crate::terminal::print;

/// The size limit of a fault script in bytes; real scripts are much smaller.
const LARGEST_SCRIPT: u64 = 1024 * 1024;

const EXAMPLES: &str = "Examples:
  mfactl sandbox serve --port 8080
  mfactl sandbox serve --methods-late 5 --promotion-late 20 --index-late 60
  mfactl sandbox serve --fault-rate 30 --fault-seed 7
  mfactl sandbox serve --quotas --tenant-size L --latency 200 --time-scale 60
  mfactl sandbox serve --permissions roles --roles User.Read.All,GroupMember.Read.All

Any program that speaks Microsoft Graph can use it: tokens come from
<URL>/<tenant>/oauth2/v2.0/token for any client id and secret. POST <URL>/sandbox/signIn with
{\"user\": \"j.brown@exchangelabs.nl\", \"application\": \"ordinary\"} returns what would happen at a
sign-in to mail or files, and with \"adminPortals\" at an admin portal; no token is needed. The answer
is ok, mustRegister, blocked, passwordOnly, or elsewhere if another system decides.
";

/// Returns the text below the options: examples, and the list of faults.
pub(super) fn after_help() -> String {
    let mut text =
        format!("{EXAMPLES}\nFaults for a fault file, each with its source (checked 2026-11):\n");
    for word in sandbox::Word::ALL {
        let (about, source) = word.about();
        _ = writeln!(text, "  {:<16} {about} [{source}]", word.as_str());
    }
    text + "\ndocs/faults.md describes the file.\n"
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Port on loopback; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Base URL of the links in answers, if the tenant is behind a proxy
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// The only client secret that gets a token; by default, any secret does
    #[arg(
        long,
        value_name = "SECRET",
        env = "MFACTL_SANDBOX_CLIENT_SECRET",
        hide_env_values = true
    )]
    client_secret: Option<String>,

    /// Serve https with this certificate (PEM), followed by its intermediate certificates
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    #[command(flatten)]
    late: Late,

    #[command(flatten)]
    wrong: Wrong,

    #[command(flatten)]
    caller: Caller,

    #[command(flatten)]
    pace: Pace,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Delays of the service")]
struct Late {
    /// Delay until lists of methods show a write; reads of one method show it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    methods_late: u32,

    /// Delay until `enabled` becomes `enforced` by itself
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    promotion_late: u32,

    /// Delay until reads with `ConsistencyLevel: eventual` show a write
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
#[command(next_help_heading = "Faults")]
struct Wrong {
    /// Fault file: the requests that fail, when and how
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// Percentage of answers that fail at random, with faults that a retry gets past
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fault_rate: Option<u8>,

    /// Seed of the random faults; the same seed gives the same faults
    #[arg(long, value_name = "N", default_value_t = 0, requires = "fault_rate")]
    fault_seed: u64,

    /// How far the clock of the service is ahead; a negative value means behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_skew: i32,
}

impl Wrong {
    fn script(&self) -> Result<Script, sandbox::StartError> {
        let mut script = match &self.faults {
            Some(path) => files::read(path, LARGEST_SCRIPT)
                .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
                .map_err(ScriptError::from)
                .and_then(|text| Script::parse(&text))
                .map_err(|source| sandbox::StartError::Script { path: path.clone(), source })?,
            None => Script::default(),
        };
        if let Some(percent) = self.fault_rate {
            script.share = Some(Share::new(percent, self.fault_seed));
        }
        Ok(script)
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Speed, quotas and undocumented reads")]
struct Pace {
    /// Throttle as documented: resource units, writes, reports, Conditional Access
    #[arg(long)]
    quotas: bool,

    /// Size of the tenant for the quotas: under 50 users (S), up to 500 (M), or more (L)
    #[arg(long, value_name = "SIZE", value_enum, default_value_t = Size::L, requires = "quotas")]
    tenant_size: Size,

    /// Change the quotas to this percentage of the documented ones, this many seconds after the first
    /// request; can be repeated
    #[arg(long, value_name = "SECONDS=PERCENT", value_parser = shift, requires = "quotas")]
    quota_shift: Vec<Shift>,

    /// Time for every answer; a batch takes as long as one of its parts
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u32,

    /// Run the clock of the service N times faster: tokens, quotas, delays
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    time_scale: u32,

    /// How to answer a read of methods, state and preferences of a user in one request
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Undocumented::Refuse)]
    one_request_read: Undocumented,

    /// How to answer a list of users that selects `perUserMfaState`
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Undocumented::Refuse)]
    bulk_state: Undocumented,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "UPPER")]
enum Size {
    S,
    M,
    L,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Undocumented {
    /// With status 400
    Refuse,
    /// Correctly
    Allow,
    /// Wrongly: no methods are registered and MFA is disabled
    Wrong,
}

impl Undocumented {
    const fn answering(self) -> Answering {
        match self {
            Self::Refuse => Answering::Refuse,
            Self::Allow => Answering::Allow,
            Self::Wrong => Answering::Wrong,
        }
    }
}

impl Pace {
    fn quotas(&self) -> Option<Quotas> {
        let size = match self.tenant_size {
            Size::S => TenantSize::S,
            Size::M => TenantSize::M,
            Size::L => TenantSize::L,
        };
        self.quotas.then(|| Quotas { size, shifts: self.quota_shift.clone() })
    }

    fn undocumented(&self) -> sandbox::Undocumented {
        sandbox::Undocumented {
            one_request_read: self.one_request_read.answering(),
            bulk_state: self.bulk_state.answering(),
        }
    }
}

fn shift(text: &str) -> Result<Shift, String> {
    let fault = || "write it as `60=50`: half of the quotas after one minute".to_owned();
    let (seconds, percent) = text.split_once('=').ok_or_else(fault)?;
    let seconds = seconds.parse().map_err(|_| fault())?;
    let percent = percent.parse().ok().filter(|percent| (1..=10_000).contains(percent));
    let percent = percent.ok_or_else(fault)?;
    Ok(Shift { after: Duration::from_secs(seconds), percent })
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Permissions and licences")]
struct Caller {
    /// Whether the permissions in a token count
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Permissions::Any)]
    permissions: Permissions,

    /// Application permissions in tokens, instead of all that mfactl needs
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    roles: Option<Vec<String>>,

    /// Highest licence of the tenant: Conditional Access and reports need P1, PIM needs P2
    #[arg(long, value_name = "LICENCE", value_enum, default_value_t = Licensed::P2)]
    licence: Licensed,

    /// Path segment that does not exist in this cloud; can be repeated
    #[arg(long, value_name = "SEGMENT")]
    absent: Vec<String>,

    /// Show phone numbers as a delegated Authentication Administrator sees them
    #[arg(long)]
    masked_phones: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Permissions {
    /// Every token may do everything
    Any,
    /// A token may do what its `roles` allow
    Roles,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Licensed {
    Free,
    P1,
    P2,
}

impl Caller {
    fn access(&self) -> Access {
        Access {
            by_roles: self.permissions == Permissions::Roles,
            licence: match self.licence {
                Licensed::Free => Licence::Free,
                Licensed::P1 => Licence::P1,
                Licensed::P2 => Licence::P2,
            },
            absent: self.absent.clone(),
            masked_phones: self.masked_phones,
        }
    }
}

impl Args {
    fn tls(&self) -> Result<Option<Tls>, sandbox::StartError> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        Tls::read(certificate, key).map(Some).map_err(|source| sandbox::StartError::Tls {
            certificate: certificate.clone(),
            key: key.clone(),
            source,
        })
    }

    fn options(&self, folder: &Path) -> Result<Options, Fault> {
        let script = self.wrong.script()?;
        let harmless = self.wrong.faults.is_none() && self.wrong.fault_rate.is_none();
        Ok(Options {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            public_url: self.public_url.clone(),
            client_secret: self.client_secret.clone(),
            tls: self.tls()?,
            lateness: self.late.lateness(),
            access: self.caller.access(),
            grants: Grants { everyone: self.caller.roles.clone(), apps: script.apps.clone() },
            faults: if harmless { Faults::none() } else { Faults::scripted(script) },
            clock: Clock::running(
                self.pace.time_scale,
                SignedDuration::from_secs(self.wrong.clock_skew.into()),
            ),
            quotas: self.pace.quotas(),
            latency: Duration::from_millis(self.pace.latency.into()),
            undocumented: self.pace.undocumented(),
            ..Options::in_folder(folder)?
        })
    }
}

/// Serves until SIGINT or SIGTERM.
pub(super) async fn run(args: &Args, folder: &Path) -> Result<Exit, Fault> {
    let options = args.options(folder)?;
    let stopping = |error| Fault::Machine { what: "signals cannot be received".to_owned(), error };
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

//! Connects a run to its tenant: the embedded one, started for this run, or one over the network. Both
//! use the same client.
//!
//! Not here: sending requests and choosing a credential (`graph`).

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::SignedDuration;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mfactl_sandbox as sandbox;
use tracing::info;
use uuid::Uuid;

use super::disclosure::Disclose;
use super::fault::Fault;
use super::run_store;
use super::saved;
use crate::disclose::Discloser;
use crate::graph::{Client, Cloud, Credential, CredentialKind, Endpoints};
use crate::id::TenantId;
use crate::policy::{self, PolicySet, Project, TenantRef};
use crate::run::session::Session;
use crate::tenant::directory::Identity;

/// The folder with the state of the embedded tenant, next to `mfactl.yaml`.
const SANDBOX_FOLDER: &str = ".mfactl/sandbox";

/// Sets another day than today for a tenant on this machine, so that a test has the same result next
/// year. It is ignored for any other tenant, because the day decides what is safe.
const TODAY: &str = "MFACTL_TODAY";

/// A connected tenant, with the server of the embedded one.
#[derive(Debug)]
pub(super) struct ConnectedTenant {
    pub(super) session: Session,
    pub(super) disclose: Discloser,
    embedded: Option<sandbox::Server>,
}

impl ConnectedTenant {
    fn new(
        client: Client,
        identity: Identity,
        disclose: Discloser,
        embedded: Option<sandbox::Server>,
    ) -> Self {
        let day = match &embedded {
            Some(server) => Some(server.store().today()),
            None => day_from_environment(client.endpoints()),
        };
        let mut session = Session::new(client, identity);
        session.day = day;
        session.is_sandbox = embedded.is_some();
        session.fingerprint_key = saved::key();
        Self { session, disclose, embedded }
    }

    /// The tenant of a snapshot. Nothing is connected.
    pub(super) fn of_snapshot(mut session: Session, disclose: Discloser) -> Self {
        session.fingerprint_key = saved::key();
        Self { session, disclose, embedded: None }
    }

    /// Closes the connection, and stops the embedded tenant.
    pub(super) async fn close(self) {
        if let Some(server) = self.embedded {
            server.stop().await;
        }
    }
}

/// Returns the day of a run that reads no tenant and writes nothing.
pub(super) fn offline_day() -> Date {
    let fixed = std::env::var(TODAY).ok().and_then(|day| day.parse().ok());
    fixed.unwrap_or_else(|| Zoned::now().with_time_zone(TimeZone::UTC).date())
}

fn day_from_environment(endpoints: &Endpoints) -> Option<Date> {
    if endpoints.are_local() { std::env::var(TODAY).ok()?.parse().ok() } else { None }
}

/// The time limit of a run, the certificate authorities that it trusts, and what it says about users.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Reach {
    /// Give up after this total time, such as `10m`; nothing is sent after it
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Option<Duration>,

    /// Trust the certificate authorities in this file (PEM) in addition to those of the system
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,

    #[command(flatten)]
    pub(super) disclose: Disclose,

    /// The folder of journals that an option of the command names.
    #[arg(skip)]
    pub(super) journal: Option<PathBuf>,

    /// The earlier runs are not read, because the command reports what the store refuses.
    #[arg(skip)]
    pub(super) forgets: bool,
}

impl Reach {
    fn client(
        &self,
        endpoints: Endpoints,
        credential: Credential,
        share: u8,
    ) -> Result<Client, Fault> {
        let mut builder = Client::builder(endpoints).share(share);
        if let Some(total) = self.timeout {
            builder = builder.deadline(total);
        }
        if let Some(file) = &self.ca_file {
            builder = builder.ca_file(file);
        }
        Ok(builder.build(credential)?)
    }
}

/// Parses a duration: `90s`, `10m`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a duration such as `90s` or `10m`".to_owned();
    let span: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(span).ok().filter(|span| !span.is_zero()).ok_or_else(wrong)
}

/// Connects to the tenant that `mfactl.yaml` names. It checks that the token is for this tenant before
/// it sends any other request.
pub(super) async fn connect(
    set: &PolicySet,
    config: &Path,
    reach: &Reach,
) -> Result<ConnectedTenant, Fault> {
    let (client, domain, embedded) = match (&set.project.tenant, &set.project.endpoints) {
        (TenantRef::Sandbox, None) => {
            let server =
                sandbox::start(sandbox::Options::in_folder(&sandbox_folder(config))?).await?;
            let endpoints = Endpoints::parse(server.url(), server.url())?;
            let domain = sandbox::Summary::of(&server.store()).domain;
            // The embedded tenant accepts any secret. The sign-in only tests the path to the tenant.
            let credential = Credential::client_secret("sandbox", "mfactl", "sandbox");
            (reach.client(endpoints, credential, 100)?, domain, Some(server))
        }
        (tenant, _) => {
            let name = match tenant {
                TenantRef::Sandbox => "sandbox",
                TenantRef::Named(name) => name,
            };
            (client_of(&set.project, reach)?, name.to_owned(), None)
        }
    };
    let id = tenant_of_token(&client, &set.project.tenant).await?;
    info!(credential = client.credential(), tenant = %id, "signed in");
    let disclose = reach.disclose.begin(set.project.disclose, &id.to_string());
    let identity = Identity { id, domain: domain.into() };
    let mut tenant = ConnectedTenant::new(client, identity, disclose, embedded);
    if !reach.forgets {
        let given = reach.journal.as_deref();
        let store = run_store::of_client(given, &set.project, config, tenant.session.client())?;
        tenant.session.remember(&store).await?;
    }
    Ok(tenant)
}

/// Returns a client for the tenant that `mfactl.yaml` names, unless that is the embedded one. Nothing is
/// sent.
pub(super) fn client_of(project: &Project, reach: &Reach) -> Result<Client, Fault> {
    let name = match &project.tenant {
        TenantRef::Sandbox => "sandbox",
        TenantRef::Named(name) => name,
    };
    let endpoints = match &project.endpoints {
        Some(given) => Endpoints::new(given.graph.clone(), given.login.clone())?,
        None => Endpoints::of(cloud(project.cloud))?,
    };
    let variable = |name: &str| std::env::var(name).ok();
    let credential = Credential::choose(kind(project.credential), Some(name), variable)?;
    reach.client(endpoints, credential, project.quota_share)
}

/// Returns the tenant of the token, which must be the one that the file names. A managed identity and
/// the sign-in of a user belong to one tenant, whatever tenant is asked for. A plan for another tenant
/// would be about the wrong users.
async fn tenant_of_token(client: &Client, named: &TenantRef) -> Result<TenantId, Fault> {
    let wanted = pin!(async {
        match named {
            TenantRef::Sandbox => Ok(None),
            TenantRef::Named(name) => match name.parse::<Uuid>() {
                Ok(id) => Ok(Some((name, id, false))),
                Err(_) => client.tenant_of(name).await.map(|id| Some((name, id, true))),
            },
        }
    });
    // Without a token, the id of the name does not matter.
    let (token, wanted) = match select(pin!(client.token()), wanted).await {
        Either::Left((token, wanted)) => (token?, wanted.await),
        Either::Right((wanted, token)) => (token.await?, wanted),
    };
    let got = token.tenant.ok_or(Fault::NoTenant)?;
    let Some((name, wanted, resolved)) = wanted? else { return Ok(TenantId::from_uuid(got)) };
    if wanted == got {
        return Ok(TenantId::from_uuid(got));
    }
    Err(Fault::OtherTenant {
        named: name.clone(),
        resolved: resolved.then(|| TenantId::from_uuid(wanted)),
        got: TenantId::from_uuid(got),
        credential: client.credential(),
    })
}

const fn kind(named: policy::CredentialChoice) -> CredentialKind {
    match named {
        policy::CredentialChoice::Auto => CredentialKind::Auto,
        policy::CredentialChoice::ClientSecret => CredentialKind::ClientSecret,
        policy::CredentialChoice::ClientCertificate => CredentialKind::ClientCertificate,
        policy::CredentialChoice::WorkloadIdentity => CredentialKind::WorkloadIdentity,
        policy::CredentialChoice::GithubActions => CredentialKind::GithubActions,
        policy::CredentialChoice::AzurePipelines => CredentialKind::AzurePipelines,
        policy::CredentialChoice::ManagedIdentity => CredentialKind::ManagedIdentity,
        policy::CredentialChoice::AzureCli => CredentialKind::AzureCli,
        policy::CredentialChoice::AzureDeveloperCli => CredentialKind::AzureDeveloperCli,
    }
}

const fn cloud(named: policy::CloudName) -> Cloud {
    match named {
        policy::CloudName::Global => Cloud::Global,
        policy::CloudName::UsGov => Cloud::UsGov,
        policy::CloudName::UsGovDod => Cloud::UsGovDod,
        policy::CloudName::China => Cloud::China,
    }
}

/// Returns the folder of the embedded tenant for this `mfactl.yaml`.
pub(super) fn sandbox_folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or_else(|| Path::new("")).join(SANDBOX_FOLDER)
}

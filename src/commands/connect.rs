//! Which tenant a run talks to, and how it gets there: the embedded one, started for this run, or
//! one that is reached over the network. Both are reached by the same client.

use std::path::{Path, PathBuf};

use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::fault::Fault;
use crate::graph::{Client, Cloud, Credential, Endpoints};
use crate::id::TenantId;
use crate::policy::{self, PolicySet, TenantRef};
use crate::sandbox;
use crate::tenant::directory::Identity;

/// Where the embedded tenant keeps its state, beside `mfactl.yaml`.
const SANDBOX_FOLDER: &str = ".mfactl/sandbox";

/// Another day than today for a tenant on this machine, so that a test tells the same story next
/// year. Against a tenant elsewhere it is not read: the day decides what is safe.
const TODAY: &str = "MFACTL_TODAY";

/// A tenant that was reached.
#[derive(Debug)]
pub struct Tenant {
    pub client: Client,
    pub identity: Identity,
    /// The day it always is there, as in the embedded tenant, which lives on the day of its seed.
    pub day: Option<Date>,
    embedded: Option<sandbox::Server>,
}

impl Tenant {
    /// A tenant reached by the client.
    #[must_use]
    pub fn new(client: Client, identity: Identity, embedded: Option<sandbox::Server>) -> Self {
        let day = match &embedded {
            Some(server) => Some(server.store().today()),
            None => told_day(client.endpoints()),
        };
        Self { client, identity, day, embedded }
    }

    /// The day it is there now: a run that goes on over midnight goes on with the next one.
    #[must_use]
    pub fn today(&self) -> Date {
        self.day.unwrap_or_else(|| Zoned::now().with_time_zone(TimeZone::UTC).date())
    }

    /// Whether it is the one in the box.
    #[must_use]
    pub const fn is_sandbox(&self) -> bool {
        self.embedded.is_some()
    }

    /// Lets go of it; the embedded tenant stops.
    pub(super) async fn close(self) {
        if let Some(server) = self.embedded {
            server.stop().await;
        }
    }
}

fn told_day(endpoints: &Endpoints) -> Option<Date> {
    if endpoints.are_local() { std::env::var(TODAY).ok()?.parse().ok() } else { None }
}

/// Reaches the tenant that `mfactl.yaml` names and asks the sign-in service which one it is.
pub(super) async fn connect(set: &PolicySet, config: &Path) -> Result<Tenant, Fault> {
    let (client, domain, embedded) = match (&set.project.tenant, &set.project.endpoints) {
        (TenantRef::Sandbox, None) => {
            let server =
                sandbox::start(sandbox::Options::in_folder(&sandbox_folder(config))?).await?;
            let endpoints = Endpoints::parse(server.url(), server.url())?;
            let domain = sandbox::Summary::of(&server.store()).domain;
            // The embedded tenant lets in whoever asks; what it proves is the way there.
            let credential = Credential::client_secret("sandbox", "mfactl", "sandbox");
            (Client::builder(endpoints).build(credential)?, domain, Some(server))
        }
        (tenant, endpoints) => {
            let name = match tenant {
                TenantRef::Sandbox => "sandbox",
                TenantRef::Named(name) => name,
            };
            let endpoints = match endpoints {
                Some(given) => Endpoints::new(given.graph.clone(), given.login.clone())?,
                None => Endpoints::of(cloud(set.project.cloud))?,
            };
            let credential = Credential::from_environment(Some(name))?;
            let client = Client::builder(endpoints).share(set.project.quota_share);
            (client.build(credential)?, name.to_owned(), None)
        }
    };
    let id = client.token().await?.tenant.map(TenantId::from_uuid).ok_or(Fault::NoTenant)?;
    Ok(Tenant::new(client, Identity { id, domain }, embedded))
}

const fn cloud(named: policy::Cloud) -> Cloud {
    match named {
        policy::Cloud::Global => Cloud::Global,
        policy::Cloud::UsGov => Cloud::UsGov,
        policy::Cloud::UsGovDod => Cloud::UsGovDod,
        policy::Cloud::China => Cloud::China,
    }
}

/// The folder of the embedded tenant for this `mfactl.yaml`.
pub(super) fn sandbox_folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or_else(|| Path::new("")).join(SANDBOX_FOLDER)
}

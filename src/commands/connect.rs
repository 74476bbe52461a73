//! Which tenant a run talks to, and how it gets there: the embedded one, started for this run, or
//! one that is reached over the network. Both are reached by the same client.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::fault::Fault;
use crate::graph::{Client, Credential, Endpoints};
use crate::id::TenantId;
use crate::policy::{PolicySet, TenantRef};
use crate::sandbox;
use crate::tenant::directory::Identity;

/// Where the embedded tenant keeps its state, beside `mfactl.yaml`.
const SANDBOX_FOLDER: &str = ".mfactl/sandbox";

/// A tenant that was reached.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) client: Client,
    pub(super) identity: Identity,
    embedded: Option<sandbox::Server>,
}

impl Tenant {
    pub(super) const fn is_sandbox(&self) -> bool {
        self.embedded.is_some()
    }

    /// The day there: the embedded tenant lives on the day of its seed, any other in UTC.
    pub(super) fn today(&self) -> Date {
        match &self.embedded {
            Some(server) => server.store().today(),
            None => jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date(),
        }
    }

    /// Lets go of it; the embedded tenant stops.
    pub(super) async fn close(self) {
        if let Some(server) = self.embedded {
            server.stop().await;
        }
    }
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
                None => Endpoints::global()?,
            };
            let credential = Credential::from_environment(Some(name))?;
            (Client::builder(endpoints).build(credential)?, name.to_owned(), None)
        }
    };
    let id = client.token().await?.tenant.map(TenantId::from_uuid).ok_or(Fault::NoTenant)?;
    Ok(Tenant { client, identity: Identity { id, domain }, embedded })
}

/// The folder of the embedded tenant for this `mfactl.yaml`.
pub(super) fn sandbox_folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or_else(|| Path::new("")).join(SANDBOX_FOLDER)
}
